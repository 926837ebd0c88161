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
from gaitmon.symmetry.batches import distance_error
from gaitmon.symmetry.cycle import POINTS
from gaitmon.symmetry.estimates import NOTHING, Estimate
from gaitmon.symmetry.mean_curves import along, compare, compare_sides, off_norm
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.norms import norm
from gaitmon.symmetry.uncertainty import batches, standard_error
from gaitmon.symmetry.waveforms import MIN_STRIDES, Cycles

NORM_DISTANCE = "gps5_norm_deg"
TIMED = (Angle.THIGH_FLEXION, Angle.HIP_FLEXION)  # one large excursion, whose shift and size mean something
GPS_5 = (Angle.THIGH_FLEXION, Angle.PELVIC_TILT, Angle.PELVIC_OBLIQUITY, Angle.PELVIC_ROTATION)


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
    numbers, _, _ = compare(left.mean_deg[:-1], right.mean_deg[:-1])
    return Likeness(*numbers[:4])


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
    n = min(len(left), len(right))
    numbers, parts, unlike, of_unlike, off, of_off = compare_sides(left, right, batches(n))
    correlation, lag, ratio, rmsd, _, _ = numbers
    errors = standard_error(parts[: len(persistence)].T, n, persistence).tolist()
    errors[0] = distance_error(unlike, of_unlike, errors[0]) * (1.0 - correlation**2)
    errors[1] = distance_error(off, of_off, errors[1]) * rmsd
    return [Estimate(n, *own) for own in zip((correlation, rmsd, lag, ratio), errors, strict=False)]


def from_norm(of: Cycles, speed_m_s: float, leg_length_m: float) -> Found:
    """Distance from how typically developing walkers move at this speed, over five curves: those of the two
    thighs and of the pelvis, about their own means.  Context, never a judgement."""
    n = [min(len(of.get((a, side), ())) for a in GPS_5) for side in Side]
    if min(n) < MIN_STRIDES:
        return NORM_DISTANCE, n[0], n[1], NOTHING
    kept = min(n)
    d = np.empty((2 * len(GPS_5), POINTS - 1))
    added = np.empty((*d.shape, batches(kept)))
    for i, angle in enumerate(GPS_5):
        usual = norm(angle, speed_m_s, leg_length_m) if speed_m_s > 0.0 else None
        if usual is None:
            return NORM_DISTANCE, n[0], n[1], Estimate(kept, math.nan, math.nan)
        share = math.sqrt((0.2 if angle is Angle.THIGH_FLEXION else 0.1) / (POINTS - 1))
        for j, side in enumerate(Side):
            off_norm(of[angle, side], usual.mean_deg, share, d[2 * i + j], added[2 * i + j])
    off, of_off = d.ravel(), added.reshape(-1, batches(kept))
    value = math.sqrt(float(off @ off))
    own = standard_error(along(off, of_off)[:, np.newaxis], kept, [METRICS[NORM_DISTANCE].persistence])
    error = value * distance_error(off, of_off, float(own[0]))
    return NORM_DISTANCE, n[0], n[1], Estimate(kept, value, error)
