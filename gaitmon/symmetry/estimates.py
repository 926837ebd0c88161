"""Medians of many quantities at once, with their standard errors: of either side, of both, and between them.

Rows are strides in order of time, columns quantities; NaN where a stride does not have one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gaitmon.model import Floats
from gaitmon.symmetry.batches import error_of_parts, medians, sides
from gaitmon.symmetry.definition import PACE
from gaitmon.symmetry.persistence import Models, models
from gaitmon.symmetry.uncertainty import batches


class Estimate(NamedTuple):
    """NaN: n = 0, or for the error n < 2."""

    n: int
    value: float
    error: float


NOTHING = Estimate(0, math.nan, math.nan)


class Sides(NamedTuple):
    """One quantity.  ratio_error: of ln(R/L); difference_error: of R - L.

    span: range of zero and all values; scatter: SD of all values about their side's median.
    """

    left: Estimate
    right: Estimate
    ratio_error: float
    difference_error: float
    span: float
    scatter: float


def of_sides(
    left: Floats, right: Floats, persistence: Sequence[float], of_difference: Sequence[float]
) -> list[Sides]:
    """left: (n_left, k), right: (n_right, k) -> one for each column.

    persistence: of either side's own values.  of_difference: of what one side has more than the other.
    """
    own, alike = tuple(persistence), tuple(of_difference)
    n_left, n_right = (np.isfinite(x).sum(axis=0).tolist() for x in (left, right))
    out = np.full((left.shape[1], 8), math.nan)
    for nl, nr in set(zip(n_left, n_right, strict=True)) - {(0, 0)}:
        of = _models(nl, own), _models(nr, own), _models(min(nl, nr), alike)
        sides(left, right, (nl, nr), of, out)
    return [
        Sides(Estimate(nl, ml, el), Estimate(nr, mr, er), *between)
        for nl, nr, (ml, mr, el, er, *between) in zip(n_left, n_right, out.tolist(), strict=True)
    ]


def of_both(x: Floats, persistence: Sequence[float], *, sides: int = 2) -> list[Estimate]:
    """Medians over all strides, whichever side: (n, k) -> one for each column.

    sides: from how many the strides are.
    """
    counts = np.isfinite(x).sum(axis=0).tolist()
    out = np.full((x.shape[1], 2), math.nan)
    for n in set(counts):
        if n >= 2:
            medians(x, n, _models(n, tuple(persistence), sides), out)
        elif n == 1:
            out[:, 0] = np.where(np.array(counts) == 1, np.nansum(x, axis=0), out[:, 0])
    return [Estimate(n, *found) for n, found in zip(counts, out.tolist(), strict=True)]


def of_mean(x: Floats) -> Estimate:
    """x: (n,), all known."""
    if len(x) < 2:
        return Estimate(len(x), float(x.mean()) if len(x) else math.nan, math.nan)
    mean = float(x.mean())
    return Estimate(len(x), mean, error_of(x - mean, PACE, sides=2))


def error_of(influence: Floats, persistence: float, *, sides: int = 1) -> float:
    """Standard error from each stride's part (n,) in it, n >= 2."""
    n = len(influence)
    return error_of_parts(influence, _models(n, (persistence,), sides))


def _models(n: int, persistence: tuple[float, ...], sides: int = 1) -> Models:
    """Of n strides; of fewer than two there is no error, and those of two stand in."""
    return models(max(n, 2), batches(max(n, 2), sides), persistence)
