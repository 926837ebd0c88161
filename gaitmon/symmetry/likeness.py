"""How alike the sides' mean waveforms are, and how far they are from the norm, with standard errors.

Each error is carried through from the strides' own curves: what a stride adds to its side's mean curve,
times the derivative of the figure by that curve, is its part (gaitmon.symmetry.uncertainty).  Where the sides
do not differ at all, a distance is made of noise, its derivative has no direction, and the error comes out
too large, by up to a half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gaitmon.model import Angle, Floats, Side, Waveform
from gaitmon.symmetry.cycle import POINTS
from gaitmon.symmetry.estimates import NOTHING, Estimate
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.norms import norm
from gaitmon.symmetry.uncertainty import batch_means, batches, standard_error
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

    correlation: largest over a shift of up to 20 % of the cycle; lag_pct: that shift, + where the right is
    later in its cycle, NaN where there is none within.  amplitude_ratio: slope of right on left at that
    shift.  rmsd_deg: unshifted.  correlation and amplitude_ratio are 0 for a curve without any excursion.
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
        self._difference, self._x, self._y, self._best = b - a, x, y[_LAGGED[best]], best
        self._turns = float("nan")  # second derivative of inner by the lag
        lag = math.nan
        if 0 < best < len(inner) - 1:
            self._turns = float(inner[best - 1] - 2.0 * inner[best] + inner[best + 1])
            if self._turns < 0.0:
                lag = _LAGS[best] - float(inner[best + 1] - inner[best - 1]) / (2.0 * self._turns)
        norms = math.sqrt(x @ x) * math.sqrt(y @ y)
        self._of = float(inner[best])
        self.likeness = Likeness(
            correlation=self._of / norms if norms > 0.0 else 0.0,
            lag_pct=lag,
            amplitude_ratio=self._of / float(x @ x) if norms > 0.0 else 0.0,
            rmsd_deg=math.sqrt(float(np.mean(self._difference**2))),
        )

    def derivatives(self) -> tuple[Floats, Floats]:
        """Of correlation, lag, amplitude ratio and RMSD by the left and by the right curve, (POINTS - 1, 4)
        each."""
        x, y, r = self._x, self._y, self.likeness.correlation
        lx, ly = np.sqrt(x @ x), np.sqrt(y @ y)
        with np.errstate(divide="ignore", invalid="ignore"):
            by_rmsd = self._difference / ((POINTS - 1) * self.likeness.rmsd_deg)
            slope_x, slope_y = (0.5 * (z[_AFTER] - z[_BEFORE]) for z in (x, y))
            left = [
                (y / ly - r * x / lx) / lx,
                -slope_y / self._turns,
                (y - 2.0 * self.likeness.amplitude_ratio * x) / (x @ x),
                -by_rmsd,
            ]
            right = [(x / lx - r * y / ly) / ly, slope_x / self._turns, x / (x @ x), by_rmsd]
        # The right curve was read ahead by the lag, but for the RMSD.
        back = _LAGGED[len(_LAGS) - 1 - self._best]
        return np.stack(left, axis=1), np.stack([*(d[back] for d in right[:3]), right[3]], axis=1)


Found = tuple[str, int, int, Estimate]  # metric, strides left and right, its value


def between_sides(of: Cycles) -> Iterator[Found]:
    """Per angle RMSD and correlation, per TIMED angle also lag and ratio of amplitudes."""
    for angle in Angle:
        ids = [f"{angle}_correlation", f"{angle}_lag_pct", f"{angle}_amplitude_ratio", f"{angle}_rmsd_deg"]
        left, right = of.get((angle, Side.LEFT)), of.get((angle, Side.RIGHT))
        counts = (0 if left is None else len(left), 0 if right is None else len(right))
        found = [NOTHING] * len(ids)
        if left is not None and right is not None and min(counts) >= MIN_STRIDES:
            found = _estimates(left, right, ids)
        for metric, estimate in zip(ids, found, strict=True):
            if metric in METRICS:
                yield metric, *counts, estimate


def _estimates(left: Floats, right: Floats, ids: list[str]) -> list[Estimate]:
    means = left.mean(axis=0), right.mean(axis=0)
    compared = _Compared(*means)
    by_left, by_right = compared.derivatives()
    parts = (left - means[0])[:, :-1] @ by_left, (right - means[1])[:, :-1] @ by_right
    n = min(len(left), len(right))
    h = [METRICS[m].persistence if m in METRICS else 0.5 for m in ids]
    bl, br = (batch_means(p, batches(n)) for p in parts)
    errors = standard_error(bl + br, n, h)
    k = compared.likeness
    values = (k.correlation, k.lag_pct, k.amplitude_ratio, k.rmsd_deg)
    return [Estimate(n, v, float(e)) for v, e in zip(values, errors, strict=True)]


def from_norm(of: Cycles, speed_m_s: float, leg_length_m: float) -> Found:
    """Distance from how typically developing walkers move at this speed, over five curves: those of the two
    thighs and of the pelvis, about their own means.  Context, never a judgement."""
    n = [min(len(of.get((a, side), ())) for a in GPS_5) for side in Side]
    if min(n) < MIN_STRIDES:
        return NORM_DISTANCE, n[0], n[1], NOTHING
    square, off, kept = 0.0, {}, min(n)
    for angle in GPS_5:
        usual = norm(angle, speed_m_s, leg_length_m) if speed_m_s > 0.0 else None
        if usual is None:
            return NORM_DISTANCE, n[0], n[1], Estimate(kept, math.nan, math.nan)
        weight = 0.2 if angle is Angle.THIGH_FLEXION else 0.1
        for side in Side:
            d = (of[angle, side].mean(axis=0) - usual.mean_deg)[:-1]
            off[angle, side] = weight * (d - d.mean())
            square += weight * float(np.mean((d - d.mean()) ** 2))
    value = math.sqrt(square)
    parts = np.zeros((batches(kept), 1))
    for key, d in off.items():
        x = of[key]
        own = (x - x.mean(axis=0))[:, :-1] @ (d / ((POINTS - 1) * value))
        parts += batch_means(own[:, np.newaxis], len(parts))
    error = standard_error(parts, kept, [METRICS[NORM_DISTANCE].persistence])
    return NORM_DISTANCE, n[0], n[1], Estimate(kept, value, float(error[0]))
