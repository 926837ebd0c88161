"""Angles of pelvis and thigh from the vertical in each segment's own frame, and the pelvis over a stride.

Signs (docs/units-and-frames.md): tilt + anterior, obliquity + left side up, thigh flexion + forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan

import numpy as np

from gaitmon.compiled import compiled, inner
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
    start_s = np.array([s.start_s for s, _ in strides])
    duration_s = np.array([s.duration_s for s, _ in strides])
    up = ipsilateral([s.side for s, _ in strides])
    ic_s = np.array([s.opposite_ic_s for s, _ in strides], dtype=float)
    fc_s = np.array([opposite_fc_s for _, opposite_fc_s in strides], dtype=float)
    ic, fc = np.rint((POINTS - 1) * (np.array([ic_s, fc_s]) - start_s) / duration_s)
    tilt, obliquity = curves[..., TILT], curves[..., OBLIQUITY]
    rotation = rotation_deg(curves[..., YAW_RATE], duration_s)
    found = (
        _ranges(tilt), _ranges(obliquity), _ranges(rotation),
        *_drops(obliquity, up[:, 0], fc, ic),
        *_rises(excursion_m(curves[..., VERTICAL], duration_s, 2), ic),
        _ranges(excursion_m(curves[..., LEFTWARD], duration_s, 1)),
        (-up * rotation).max(axis=1),
        _means(tilt[:, :-1]), _means(obliquity[:, :-1]),
    )  # fmt: skip
    return [PelvisStride(*row) for row in np.transpose(found).tolist()]


@inner
def _range(x: Floats) -> float:
    """NaN where one is missing."""
    low: float = x[0]
    high = low
    for value in x:
        if isnan(value):
            return nan
        low, high = min(low, value), max(high, value)
    return high - low


@compiled("f8[::1](f8[:, :])")
def _ranges(x: Floats) -> Floats:
    out = np.empty(len(x))
    for k in range(len(x)):
        out[k] = _range(x[k])
    return out


@compiled("f8[::1](f8[:, :])")
def _means(x: Floats) -> Floats:
    out = np.zeros(len(x))
    for k in range(len(x)):
        for value in x[k]:
            out[k] += value
        out[k] /= x.shape[1]
    return out


@compiled("f8[:, ::1](f8[:, :], f8[:], f8[:], f8[:])")
def _drops(obliquity: Floats, up: Floats, fc: Floats, ic: Floats) -> Floats:
    """Of the other side in the single support of the stride's own: the largest and the mean; and at
    DROP_AT_PCT.  (3, n).

    obliquity: (n, POINTS), against standing.  up: 1 where the own side is the left, -1 the right.  fc, ic:
    points of the other side's final and initial contact.
    """
    out = np.full((3, len(up)), nan)
    for k in range(len(up)):
        if isnan(up[k] * _range(obliquity[k])):
            continue
        if 0.0 <= fc[k] <= ic[k] < obliquity.shape[1]:
            single = up[k] * obliquity[k, int(fc[k]) : int(ic[k]) + 1]
            out[0, k], out[1, k] = single.max(), single.sum() / len(single)
        out[2, k] = up[k] * obliquity[k, DROP_AT_PCT]
    return out


@compiled("f8[:, ::1](f8[:, :], f8[:])")
def _rises(height_m: Floats, ic: Floats) -> Floats:
    """Vertical excursion from the own initial contact to the other side's, and from there to the own next:
    (2, n)."""
    out = np.full((2, len(ic)), nan)
    for k in range(len(ic)):
        if 0.0 <= ic[k] < height_m.shape[1]:
            at = int(ic[k])
            out[0, k], out[1, k] = _range(height_m[k, : at + 1]), _range(height_m[k, at:])
    return out


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
