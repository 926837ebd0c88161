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

    def correlation_error(self, left: Floats, right: Floats, n: int, persistence: float) -> float:
        """Standard error of the correlation r, whose curves are sqrt(2 (1 - r)) apart when each has length 1.

        left, right: batch means (B, POINTS - 1) of what n strides add to the mean curves.  A shift of the
        right curve is sought out by the lag and sets nothing apart.
        """
        lx, ly = math.sqrt(self._x @ self._x), math.sqrt(self._y @ self._y)
        if not lx * ly > 0.0:
            return math.nan
        u, v = self._x / lx, self._y / ly
        slope = v[_AFTER] - v[_BEFORE]
        slope /= math.sqrt(slope @ slope)
        a, b = left / lx, right[:, _LAGGED[self._best]] / ly
        apart = a - np.outer(a @ u, u) - b + np.outer(b @ v, v)
        apart -= np.outer(apart @ slope, slope) + apart.mean(axis=1, keepdims=True)
        d = u - v - ((u - v) @ slope) * slope
        return distance_error(d, apart, n, persistence) * (1.0 - self.likeness.correlation**2)

    def derivatives(self) -> tuple[Floats, Floats]:
        """Of lag and amplitude ratio by the left and by the right curve, (POINTS - 1, 2) each."""
        x, y = self._x, self._y
        with np.errstate(divide="ignore", invalid="ignore"):
            slope_x, slope_y = (0.5 * (z[_AFTER] - z[_BEFORE]) for z in (x, y))
            left = [-slope_y / self._turns, (y - 2.0 * self.likeness.amplitude_ratio * x) / (x @ x)]
            right = [slope_x / self._turns, x / (x @ x)]
        # The right curve was read ahead by the lag.
        back = _LAGGED[len(_LAGS) - 1 - self._best]
        return np.stack(left, axis=1), np.stack([d[back] for d in right], axis=1)


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
    bl, br = (batch_means(x - m, batches(n))[:, :-1] for x, m in zip((left, right), means, strict=True))
    of_rmsd = distance_error((means[1] - means[0])[:-1], br - bl, n, persistence[1])
    errors = [compared.correlation_error(bl, br, n, persistence[0]), k.rmsd_deg * of_rmsd]
    if len(persistence) > 2:
        by_left, by_right = compared.derivatives()
        errors += standard_error(bl @ by_left + br @ by_right, n, persistence[2:]).tolist()
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
            for found, curves in ((off, mean - usual.mean_deg), (own, batch_means(x - mean, batches(kept)))):
                inner = curves[..., :-1]
                found.append(share * (inner - inner.mean(axis=-1, keepdims=True)))
    d, parts = np.concatenate(off), np.concatenate(own, axis=1)
    value = float(np.linalg.norm(d))
    error = value * distance_error(d, parts, kept, METRICS[NORM_DISTANCE].persistence)
    return NORM_DISTANCE, n[0], n[1], Estimate(kept, value, error)
