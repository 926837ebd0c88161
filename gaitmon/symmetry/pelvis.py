"""Angles of pelvis and thigh from the vertical in each segment's own frame, and the pelvis over a stride.

Signs (docs/units-and-frames.md): tilt + anterior, obliquity + left side up, thigh flexion + forward.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gaitmon.model import Floats, Side, Stride
from gaitmon.symmetry.cycle import (
    FLEXION_OF,
    LEFTWARD,
    OBLIQUITY,
    POINTS,
    TILT,
    VERTICAL,
    YAW_RATE,
    excursion_m,
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
    duration_s = np.array([s.duration_s for s, _ in strides])
    rotation = rotation_deg(curves[..., YAW_RATE], duration_s)
    whole = {
        "tilt_rom_deg": np.ptp(curves[..., TILT], axis=1),
        "obliquity_rom_deg": np.ptp(curves[..., OBLIQUITY], axis=1),
        "rotation_rom_deg": np.ptp(rotation, axis=1),
        "tilt_change_deg": curves[:, :-1, TILT].mean(axis=1),
        "obliquity_change_deg": curves[:, :-1, OBLIQUITY].mean(axis=1),
        "sway_m": np.ptp(excursion_m(curves[..., LEFTWARD], duration_s, 1), axis=1),
    }
    rise = excursion_m(curves[..., VERTICAL], duration_s, 2)
    out = []
    for i, (stride, opposite_fc_s) in enumerate(strides):
        values = {name: None if np.isnan(x[i]) else float(x[i]) for name, x in whole.items()}
        values |= _drop(curves[i, :, OBLIQUITY], stride, opposite_fc_s)
        values["rotation_forward_deg"] = _forward_deg(rotation[i], stride.side)
        out.append(PelvisStride(**values, **_rises(rise[i], stride)))
    return out


def limb_strides(
    curves: Floats, strides: Sequence[Stride], pelvis: Sequence[PelvisStride]
) -> list[LimbStride]:
    """What the own hip did in each stride, and how long its last step was.

    curves: (n, POINTS, COLUMNS).  The hip's flexion is the thigh's and the pelvis' anterior tilt together, a
    sagittal approximation.  The stride's length is shared out between its two steps as two inverted
    pendulums of the same length would: with the square root of their rise (Zijlstra & Hof 2003, small h).
    """
    out = []
    for x, stride, p in zip(curves, strides, pelvis, strict=True):
        hip = x[:, FLEXION_OF[stride.side]] + x[:, TILT]
        rom, extension = float(np.ptp(hip)), -float(hip.min())
        known = math.isfinite(rom) and stride.side is not None
        out.append(
            LimbStride(rom if known else None, extension if known else None, _step_length_m(stride, p))
        )
    return out


def _step_length_m(stride: Stride, pelvis: PelvisStride) -> float | None:
    first, last = pelvis.rise_m, pelvis.last_rise_m
    if stride.length_m is None or first is None or last is None or min(first, last) <= 0.0:
        return None
    return stride.length_m * math.sqrt(last) / (math.sqrt(first) + math.sqrt(last))


def _forward_deg(rotation: Floats, side: Side | None) -> float | None:
    """Largest forward rotation of the side, from the stride's mean; rotation: right side forward +."""
    if side is None or np.isnan(rotation).any():
        return None
    return float(rotation.max() if side is Side.RIGHT else (-rotation).max())


def contralateral_drop_deg(obliquity: Floats, side: Side) -> float:
    """Largest rise of the stance side above level = drop of the other one; obliquity against standing."""
    return float(obliquity.max() if side is Side.LEFT else (-obliquity).max())


def _drop(obliquity: Floats, stride: Stride, opposite_fc_s: float | None) -> dict[str, float | None]:
    """Of the other side in the single support of the stride's own."""
    if stride.side is None or np.isnan(obliquity).any():
        return {}
    own = obliquity if stride.side is Side.LEFT else -obliquity
    found: dict[str, float | None] = {"drop_at_30_pct_deg": float(own[DROP_AT_PCT])}
    if opposite_fc_s is None or stride.opposite_ic_s is None:
        return found
    a, b = _point(stride, opposite_fc_s), _point(stride, stride.opposite_ic_s) + 1
    if not 0 <= a < b <= POINTS:
        return found
    return found | {
        "drop_deg": contralateral_drop_deg(obliquity[a:b], stride.side),
        "drop_mean_deg": float(own[a:b].mean()),
    }


def _rises(height_m: Floats, stride: Stride) -> dict[str, float]:
    """Vertical excursion from the own initial contact to the other side's, and from there to the own next."""
    if stride.opposite_ic_s is None or np.isnan(height_m).any():
        return {}
    at = _point(stride, stride.opposite_ic_s)
    return {"rise_m": float(np.ptp(height_m[: at + 1])), "last_rise_m": float(np.ptp(height_m[at:]))}


def _point(stride: Stride, t_s: float) -> int:
    """Index of a moment in the stride's cycle."""
    return round((POINTS - 1) * (t_s - stride.start_s) / stride.duration_s)
