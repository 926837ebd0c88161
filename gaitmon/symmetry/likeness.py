"""How alike the sides' mean waveforms are, and how far they are from the norm, with standard errors.

Each error is carried through from the strides' own curves: what a stride adds to its side's mean curve,
times the derivative of the figure by that curve, is its part (gaitmon.symmetry.uncertainty).  RMSD, what a
correlation lacks to 1 and the distance from the norm are distances, and err as such (distance_error).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gaitmon.model import Angle, Floats, Side, Waveform
from gaitmon.symmetry.cycle import POINTS
from gaitmon.symmetry.estimates import NOTHING, Estimate
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.norms import norm
from gaitmon.symmetry.uncertainty import batch_means, batches, distance_error, standard_error
from gaitmon.symmetry.waveforms import MIN_STRIDES, Cycles

MAX_LAG = 20  # percent of the cycle
NORM_DISTANCE = "gps5_norm_deg"
TIMED = (Angle.THIGH_FLEXION, Angle.HIP_FLEXION)  # one large excursion, whose shift and size mean something
GPS_5 = (Angle.THIGH_FLEXION, Angle.PELVIC_TILT, Angle.PELVIC_OBLIQUITY, Angle.PELVIC_ROTATION)
_LAGS = range(-MAX_LAG, MAX_LAG + 1)
_PHASE = np.arange(POINTS - 1)
_LAGGED = (_PHASE + np.array(_LAGS)[:, np.newaxis]) % (POINTS - 1)
_AFTER, _BEFORE = _LAGGED[MAX_LAG + 1], _LAGGED[MAX_LAG - 1]


@dataclass(frozen=True, slots=True)
class Likeness:
    """The right side's mean waveform against the left's, each from its own initial contact.

    correlation: largest over a shift of up to 20 % of the cycle, read between whole per cents; lag_pct: that
    shift, + where the right is later in its cycle, NaN where there is none within.  amplitude_ratio: slope of
    right on left at that shift.  rmsd_deg: unshifted.  correlation and amplitude_ratio are 0 for a curve
    without any excursion.
    """

    correlation: float
    lag_pct: float
    amplitude_ratio: float
    rmsd_deg: float


def likeness(left: Waveform, right: Waveform) -> Likeness:
    """How alike the sides are; both waveforms of one angle."""
    return _Compared(left.mean_deg, right.mean_deg).likeness


class _Compared:
    """Two mean curves (POINTS,), and the derivatives of what tells them apart."""

    def __init__(self, left: Floats, right: Floats) -> None:
        a, b = left[:-1], right[:-1]
        x, y = a - a.mean(), b - b.mean()
        inner = y[_LAGGED] @ x
        best = int(np.argmax(inner))
        self._x, self._y, self._best = x, y[_LAGGED[best]], best
        self._turns = float("nan")  # second derivative of inner by the lag
        lag, largest = math.nan, float(inner[best])
        if 0 < best < len(inner) - 1:
            self._turns = float(inner[best - 1] - 2.0 * inner[best] + inner[best + 1])
            if self._turns < 0.0:
                slope = 0.5 * float(inner[best + 1] - inner[best - 1])
                lag = _LAGS[best] - slope / self._turns
                largest -= 0.5 * slope**2 / self._turns  # between the shifts by whole per cents
        norms = math.sqrt(x @ x) * math.sqrt(y @ y)
        self.likeness = Likeness(
            correlation=min(largest / norms, 1.0) if norms > 0.0 else 0.0,
            lag_pct=lag,
            amplitude_ratio=largest / float(x @ x) if norms > 0.0 else 0.0,
            rmsd_deg=math.sqrt(float(np.mean((b - a) ** 2))),
        )

    def apart(self, left: Floats, right: Floats) -> tuple[Floats, Floats]:
        """What sets the two apart when each has length 1, (POINTS - 1,): root of 2 (1 - correlation) long.

        left, right: batch means (B, POINTS - 1) of what strides add to the mean curves.  Returned beside: of
        what they add to it.  A shift of the right curve is sought out by the lag and sets nothing apart.
        """
        lx, ly = math.sqrt(self._x @ self._x), math.sqrt(self._y @ self._y)
        if not lx * ly > 0.0:
            return np.zeros_like(self._x), np.zeros_like(left)
        u, v = self._x / lx, self._y / ly
        slope = v[_AFTER] - v[_BEFORE]
        slope /= math.sqrt(slope @ slope)
        a, b = left / lx, right[:, _LAGGED[self._best]] / ly
        added = a - b - (a @ u)[:, np.newaxis] * u + (b @ v)[:, np.newaxis] * v
        added -= (added @ slope)[:, np.newaxis] * slope + added.sum(axis=1, keepdims=True) / (POINTS - 1)
        d = u - v
        return d - (d @ slope) * slope, added

    def shifted_and_sized(self, left: Floats, right: Floats) -> list[Floats]:
        """What batch means (B, POINTS - 1) of strides add to lag and ratio of amplitudes, (B,) each."""
        x, y = self._x, self._y
        ahead = right[:, _LAGGED[self._best]]
        with np.errstate(divide="ignore", invalid="ignore"):
            slope_x, slope_y = (0.5 * (z[_AFTER] - z[_BEFORE]) for z in (x, y))
            lag = (ahead @ slope_x - left @ slope_y) / self._turns
            ratio = (left @ (y - 2.0 * self.likeness.amplitude_ratio * x) + ahead @ x) / (x @ x)
        return [lag, ratio]


Found = tuple[str, int, int, Estimate]  # metric, strides left and right, its value


def between_sides(of: Cycles) -> Iterator[Found]:
    """Per angle RMSD and correlation, per TIMED angle also lag and ratio of amplitudes."""
    for angle in Angle:
        ids = [f"{angle}_correlation", f"{angle}_rmsd_deg"]
        if angle in TIMED:
            ids += [f"{angle}_lag_pct", f"{angle}_amplitude_ratio"]
        left, right = of.get((angle, Side.LEFT)), of.get((angle, Side.RIGHT))
        counts = (0 if left is None else len(left), 0 if right is None else len(right))
        found = [NOTHING] * len(ids)
        if left is not None and right is not None and min(counts) >= MIN_STRIDES:
            found = _estimates(left, right, [METRICS[metric].persistence for metric in ids])
        yield from ((metric, *counts, estimate) for metric, estimate in zip(ids, found, strict=True))


def _estimates(left: Floats, right: Floats, persistence: Sequence[float]) -> list[Estimate]:
    """Of correlation and RMSD, and of lag and ratio of amplitudes where they are asked for."""
    means = left.mean(axis=0), right.mean(axis=0)
    compared = _Compared(*means)
    k, n = compared.likeness, min(len(left), len(right))
    bl, br = ((batch_means(x, batches(n)) - m)[:, :-1] for x, m in zip((left, right), means, strict=True))
    distances = compared.apart(bl, br), ((means[1] - means[0])[:-1], br - bl)
    parts = [added @ d for d, added in distances]
    if len(persistence) > len(parts):
        parts += compared.shifted_and_sized(bl, br)
    errors = standard_error(np.stack(parts, axis=1), n, persistence).tolist()
    apart, off = (distance_error(*own, e) for own, e in zip(distances, errors[:2], strict=True))
    errors[:2] = apart * (1.0 - k.correlation**2), off * k.rmsd_deg
    values = (k.correlation, k.rmsd_deg, k.lag_pct, k.amplitude_ratio)
    return [Estimate(n, v, e) for v, e in zip(values, errors, strict=False)]


def from_norm(of: Cycles, speed_m_s: float, leg_length_m: float) -> Found:
    """Distance from how typically developing walkers move at this speed, over five curves: those of the two
    thighs and of the pelvis, about their own means.  Context, never a judgement."""
    n = [min(len(of.get((a, side), ())) for a in GPS_5) for side in Side]
    if min(n) < MIN_STRIDES:
        return NORM_DISTANCE, n[0], n[1], NOTHING
    kept = min(n)
    off: list[Floats] = []
    own: list[Floats] = []
    for angle in GPS_5:
        usual = norm(angle, speed_m_s, leg_length_m) if speed_m_s > 0.0 else None
        if usual is None:
            return NORM_DISTANCE, n[0], n[1], Estimate(kept, math.nan, math.nan)
        share = math.sqrt((0.2 if angle is Angle.THIGH_FLEXION else 0.1) / (POINTS - 1))
        for side in Side:
            x = of[angle, side]
            mean = x.mean(axis=0)
            for found, curves in ((off, mean - usual.mean_deg), (own, batch_means(x, batches(kept)) - mean)):
                inner = curves[..., :-1]
                found.append(share * (inner - inner.mean(axis=-1, keepdims=True)))
    d, parts = np.concatenate(off), np.concatenate(own, axis=1)
    value = float(np.linalg.norm(d))
    own_error = standard_error((parts @ d)[:, np.newaxis], kept, [METRICS[NORM_DISTANCE].persistence])
    return (
        NORM_DISTANCE,
        n[0],
        n[1],
        Estimate(kept, value, value * distance_error(d, parts, float(own_error[0]))),
    )
