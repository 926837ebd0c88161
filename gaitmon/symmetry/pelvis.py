"""Angles of pelvis and thigh from the vertical in each segment's own frame, and the pelvis over a stride.

Signs (docs/units-and-frames.md): tilt + anterior, obliquity + left side up, thigh flexion + forward.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gaitmon.model import Floats, Stride
from gaitmon.symmetry.cycle import (
    LEFTWARD,
    OBLIQUITY,
    POINTS,
    TILT,
    VERTICAL,
    YAW_RATE,
    excursion_m,
    ipsilateral,
    own_flexion,
    rotation_deg,
)
from gaitmon.symmetry.strides import LimbStride, PelvisStride

DROP_AT_PCT = 30  # middle of the own single support
_POINTS = np.arange(POINTS)


def tilt_deg(up: Floats) -> Floats:
    """Pelvic tilt from up, shape (n, 3), the vertical in the pelvis frame; anterior +."""
    return np.asarray(np.degrees(np.arctan2(-up[:, 0], np.hypot(up[:, 1], up[:, 2]))))


def obliquity_deg(up: Floats) -> Floats:
    """Pelvic obliquity; left side up +."""
    return np.asarray(np.degrees(np.arctan2(up[:, 1], up[:, 2])))


def thigh_flexion_deg(up: Floats) -> Floats:
    """Thigh flexion; knee forward +, 90 sitting."""
    return np.asarray(np.degrees(np.arctan2(up[:, 0], up[:, 2])))


def pelvis_strides(curves: Floats, strides: Sequence[tuple[Stride, float | None]]) -> list[PelvisStride]:
    """What the pelvis did in each stride.

    curves: (n, POINTS, COLUMNS) of gaitmon.symmetry.cycle.  strides: each with the other side's final
    contact in between, None where it is not known.
    """
    duration_s = np.array([s.duration_s for s, _ in strides])
    up = ipsilateral([s.side for s, _ in strides])
    ic = _point([s for s, _ in strides], [s.opposite_ic_s for s, _ in strides])
    fc = _point([s for s, _ in strides], [opposite_fc_s for _, opposite_fc_s in strides])
    tilt, obliquity = curves[..., TILT], curves[..., OBLIQUITY]
    rotation = rotation_deg(curves[..., YAW_RATE], duration_s)
    drop, drop_mean, drop_at = _drops(up * obliquity, fc, ic + 1.0)
    rise, last_rise = _rises(excursion_m(curves[..., VERTICAL], duration_s, 2), ic)
    found = (
        np.ptp(tilt, axis=1), np.ptp(obliquity, axis=1), np.ptp(rotation, axis=1),
        drop, drop_mean, drop_at, rise, last_rise,
        np.ptp(excursion_m(curves[..., LEFTWARD], duration_s, 1), axis=1),
        (-up * rotation).max(axis=1),
        tilt[:, :-1].mean(axis=1), obliquity[:, :-1].mean(axis=1),
    )  # fmt: skip
    return [PelvisStride(*row) for row in np.transpose(found).tolist()]


def limb_strides(
    curves: Floats, strides: Sequence[Stride], pelvis: Sequence[PelvisStride]
) -> list[LimbStride]:
    """What the own hip did in each stride, and how long its last step was.

    curves: (n, POINTS, COLUMNS).  The hip's flexion is the thigh's and the pelvis' anterior tilt together, a
    sagittal approximation.
    """
    hip = own_flexion(curves, [s.side for s in strides]) + curves[..., TILT]
    hip[[s.side is None for s in strides]] = np.nan
    lowest = hip.min(axis=1)
    found = hip.max(axis=1) - lowest, -lowest, _step_lengths_m(strides, pelvis)
    return [LimbStride(*row) for row in np.transpose(found).tolist()]


def _step_lengths_m(strides: Sequence[Stride], pelvis: Sequence[PelvisStride]) -> Floats:
    """The stride's length is shared out between its two steps as two inverted pendulums of the same length
    would: with the square root of their rise (Zijlstra & Hof 2003, small h)."""
    length = np.array([s.length_m for s in strides], dtype=float)
    first = np.array([p.rise_m for p in pelvis])
    last = np.array([p.last_rise_m for p in pelvis])
    risen = (first > 0.0) & (last > 0.0)  # not so for NaN
    first, last = (np.sqrt(np.where(risen, x, np.nan)) for x in (first, last))
    return np.asarray(length * last / (first + last))


def _drops(own: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Of the other side in the single support of the stride's own, its points a to b: the largest and the
    mean; and at DROP_AT_PCT.  own: (n, POINTS), obliquity against standing, own side up +."""
    whole = ~np.isnan(own).any(axis=1)
    largest, mean = np.full((2, len(own)), np.nan)
    for i in np.flatnonzero(whole & (a >= 0) & (a < b) & (b <= POINTS)).tolist():
        x = own[i, int(a[i]) : int(b[i])]
        largest[i], mean[i] = x.max(), np.add.reduce(x) / len(x)
    return largest, mean, np.where(whole, own[:, DROP_AT_PCT], np.nan)


def _rises(height_m: Floats, ic: Floats) -> tuple[Floats, Floats]:
    """Vertical excursion from the own initial contact to the other side's, and from there to the own next."""
    at = ic[:, np.newaxis]
    parts = []
    for inside in (at >= _POINTS, at <= _POINTS):  # nowhere where it is not known
        low = np.where(inside, height_m, np.inf).min(axis=1)
        high = np.where(inside, height_m, -np.inf).max(axis=1)
        parts.append(np.where(np.isnan(ic), np.nan, high - low))
    return parts[0], parts[1]


def _point(strides: Sequence[Stride], t_s: Sequence[float | None]) -> Floats:
    """Index of a moment in each stride's cycle; NaN where it is not known."""
    start_s = np.array([s.start_s for s in strides])
    duration_s = np.array([s.duration_s for s in strides])
    return np.asarray(np.rint((POINTS - 1) * (np.array(t_s, dtype=float) - start_s) / duration_s))
