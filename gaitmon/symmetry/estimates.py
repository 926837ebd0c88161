"""Medians of many quantities at once, with their standard errors: of either side, of both, and between them.

Rows are strides in order of time, columns quantities; NaN where a stride does not have one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gaitmon.model import Bools, Floats
from gaitmon.symmetry.definition import PACE
from gaitmon.symmetry.uncertainty import batch_means, batches, of_median, standard_error


@dataclass(frozen=True, slots=True)
class Estimate:
    """NaN: n = 0, or for the error n < 2."""

    n: int
    value: float
    error: float


NOTHING = Estimate(0, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Sides:
    """One quantity.  ratio_error: of ln(R/L); difference_error: of R - L."""

    left: Estimate
    right: Estimate
    ratio_error: float
    difference_error: float


def of_sides(
    left: Floats, right: Floats, persistence: Sequence[float], of_difference: Sequence[float]
) -> list[Sides]:
    """left: (n_left, k), right: (n_right, k) -> one for each column.

    persistence: of either side's own values.  of_difference: of what one side has more than the other.
    """
    out = [Sides(NOTHING, NOTHING, math.nan, math.nan)] * left.shape[1]
    known = np.isfinite(left), np.isfinite(right)
    for columns in _alike(*known):
        own = [x[k[:, columns[0]]][:, columns] for x, k in zip((left, right), known, strict=True)]
        (ml, pl, wl, el), (mr, pr, wr, er) = (_medians(x, [persistence[c] for c in columns]) for x in own)
        n_left, n_right = (len(x) for x in own)
        ratio = difference = np.full(len(columns), math.nan)
        if (n := min(n_left, n_right)) >= 2:
            alike = [of_difference[c] for c in columns]
            bl, br = (batch_means(p, batches(n)) for p in (pl, pr))
            difference = np.sqrt(standard_error(br - bl, n, alike) ** 2 + wl + wr)
            with np.errstate(divide="ignore", invalid="ignore"):
                of_mean = standard_error(br / mr - bl / ml, n, alike)
                ratio = np.sqrt(of_mean**2 + wl / ml**2 + wr / mr**2)
        for i, column in enumerate(columns):
            out[column] = Sides(
                Estimate(n_left, float(ml[i]), float(el[i])), Estimate(n_right, float(mr[i]), float(er[i])),
                float(ratio[i]), float(difference[i]),
            )  # fmt: skip
    return out


def of_both(x: Floats, persistence: Sequence[float]) -> list[Estimate]:
    """Medians over all strides, whichever side: (n, k) -> one for each column."""
    out = [NOTHING] * x.shape[1]
    for columns in _alike(np.isfinite(x)):
        own = x[np.isfinite(x[:, columns[0]])][:, columns]
        median, _, _, error = _medians(own, [persistence[c] for c in columns], sides=2)
        for i, column in enumerate(columns):
            out[column] = Estimate(len(own), float(median[i]), float(error[i]))
    return out


def of_mean(x: Floats) -> Estimate:
    """x: (n,), all known."""
    if len(x) < 2:
        return Estimate(len(x), float(x.mean()) if len(x) else math.nan, math.nan)
    mean = float(x.mean())
    return Estimate(len(x), mean, error_of((x - mean)[:, np.newaxis], PACE, sides=2))


def error_of(influence: Floats, persistence: float, *, sides: int = 1) -> float:
    """Standard error from each stride's part (n, 1) in it, n >= 2."""
    n = len(influence)
    return float(standard_error(batch_means(influence, batches(n, sides)), n, [persistence])[0])


def _medians(
    x: Floats, persistence: Sequence[float], *, sides: int = 1
) -> tuple[Floats, Floats, Floats, Floats]:
    """Medians (k,) of x (n, k), of_median's two, standard errors (k,)."""
    n = len(x)
    if n < 2:
        value, unknown = x[0] if n else np.full(x.shape[1], math.nan), np.full(x.shape[1], math.nan)
        return value, np.zeros_like(x), unknown, unknown
    median = np.median(x, axis=0)
    off, worse = of_median(x, median)
    of_mean = standard_error(batch_means(off, batches(n, sides)), n, persistence)
    return median, off, worse, np.sqrt(of_mean**2 + worse)


def _alike(*known: Bools) -> Iterator[Sequence[int]]:
    """Columns that the same strides have; those that none has are left out."""
    groups: dict[bytes, list[int]] = {}
    for column in range(known[0].shape[1]):
        own = [k[:, column] for k in known]
        if any(k.any() for k in own):
            groups.setdefault(b"|".join(k.tobytes() for k in own), []).append(column)
    yield from groups.values()
