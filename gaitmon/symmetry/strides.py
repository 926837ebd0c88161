"""What is known of each accepted stride of a bout, and the table of its values by quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaitmon.model import Floats, Side, Stride
from gaitmon.symmetry.acceleration import Piece, Pieces
from gaitmon.symmetry.loading import impact_peaks_m_s2
from gaitmon.symmetry.smoothness import AXES, harmonics

Rows = NDArray[np.intp]


class PelvisStride(NamedTuple):
    """The pelvis over one stride of side s.  NaN where it cannot be known.

    drop_deg: largest ipsilateral obliquity in the single support of s, against standing; drop_mean_deg: its
    mean there; drop_at_30_pct_deg: at 30 % of the cycle, which needs no final contact.
    rise_m: vertical excursion in the step from the own initial contact to the other side's; last_rise_m: in
    the one from there to the own next.
    sway_m: mediolateral excursion over the stride.
    rotation_forward_deg: largest rotation of the side forward, from the stride's mean.
    tilt_change_deg, obliquity_change_deg: means over the stride against standing, anterior and left up +.
    """

    tilt_rom_deg: float = nan
    obliquity_rom_deg: float = nan
    rotation_rom_deg: float = nan
    drop_deg: float = nan
    drop_mean_deg: float = nan
    drop_at_30_pct_deg: float = nan
    rise_m: float = nan
    last_rise_m: float = nan
    sway_m: float = nan
    rotation_forward_deg: float = nan
    tilt_change_deg: float = nan
    obliquity_change_deg: float = nan


class LimbStride(NamedTuple):
    """hip_rom_deg, hip_extension_deg: of the own hip, extension +.  step_length_m: of the step that ends the
    stride.  NaN where it cannot be known."""

    hip_rom_deg: float = nan
    hip_extension_deg: float = nan
    step_length_m: float = nan


_NO_LIMB = LimbStride()


@dataclass(frozen=True, slots=True)
class MeasuredStride:
    """opposite_fc_s: the other side's final contact in between, None where it is not known or the two
    sensors' clocks agree too badly to compare them.

    pelvis_acc: over the stride; thigh_acc: of the own thigh, from 0 to 160 ms after its initial contact.
    """

    stride: Stride
    pelvis: PelvisStride
    opposite_fc_s: float | None = None
    limb: LimbStride = _NO_LIMB
    pelvis_acc: Piece | None = None
    thigh_acc: Piece | None = None


# What is compared between the sides, by the middle of its metrics' ids, and its unit there.
SIDED = (
    ("stride_time", "s"), ("step_time", "s"), ("stance_time", "s"), ("swing_time", "s"),
    ("initial_double_support", "s"), ("single_support", "s"), ("terminal_double_support", "s"),
    ("thigh_rom", "deg"), ("thigh_extension", "deg"), ("hip_rom", "deg"), ("hip_extension", "deg"),
    ("stride_length", "m"), ("step_length", "m"), ("drop", "deg"), ("drop_mean", "deg"),
    ("drop_at_30_pct", "deg"), ("rotation_forward", "deg"), ("vertical_excursion", "m"),
    ("impact", "m_s2"), ("thigh_impact", "m_s2"),
)  # fmt: skip
# What is a median over both sides' strides, by metric.
BOTH = (
    "stance_pct", "swing_pct", "double_support_pct", "stride_length_m", "walking_speed_m_s",
    "pelvis_tilt_rom_deg", "pelvis_obliquity_rom_deg", "pelvis_rotation_rom_deg",
    "pelvis_tilt_change_deg", "pelvis_obliquity_change_deg", "pelvis_sway_m",
    *(f"pelvis_{axis}_hr" for axis in AXES), *(f"pelvis_{axis}_ihr_pct" for axis in AXES),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Felt:
    """The strides that have a piece of one sensor's acceleration.  at: their indices."""

    at: list[int]
    pieces: Pieces

    @classmethod
    def of(cls, found: Sequence[Piece | None]) -> Felt | None:
        own = [p for p in found if p is not None]
        return cls([i for i, p in enumerate(found) if p is not None], Pieces.of(own)) if own else None


@dataclass(frozen=True, slots=True, eq=False)
class Strides:
    """A bout's accepted strides in order of time.

    opposite_ic_s: (n,).  sided: (n, len(SIDED)), both: (n, len(BOTH)).  NaN where a stride has no such value.
    """

    strides: tuple[MeasuredStride, ...]
    start_s: Floats
    end_s: Floats
    opposite_ic_s: Floats
    sided: Floats
    both: Floats
    pelvis: Felt | None
    _of_side: Mapping[Side, Rows]

    @classmethod
    def of(cls, strides: Sequence[MeasuredStride]) -> Strides:
        own = tuple(sorted(strides, key=lambda m: m.stride.start_s))
        told = np.array([_told(m) for m in own], dtype=float).reshape(len(own), _TOLD).T
        start, end = told[0], told[1]
        sided, both = _tables(told, own)
        pelvis, thigh = Felt.of([m.pelvis_acc for m in own]), Felt.of([m.thigh_acc for m in own])
        if pelvis is not None:
            at = pelvis.at
            h = harmonics(start[at], end[at], pelvis.pieces)
            both[at, -6:-3], both[at, -3:] = h.hr, h.ihr_pct
            sided[at, -2] = impact_peaks_m_s2(start[at], pelvis.pieces)
        if thigh is not None:
            sided[thigh.at, -1] = impact_peaks_m_s2(start[thigh.at], thigh.pieces)
        of_side = {side: np.flatnonzero([m.stride.side is side for m in own]) for side in Side}
        return cls(own, start, end, told[3], sided, both, pelvis, of_side)

    def of_side(self, side: Side) -> Rows:
        """Indices of its strides."""
        return self._of_side[side]


_TOLD = 8


def _told(m: MeasuredStride) -> tuple[float | None, ...]:
    s = m.stride
    return (
        s.start_s, s.end_s, s.fc_s, s.opposite_ic_s, m.opposite_fc_s,
        s.length_m, s.thigh_rom_deg, s.thigh_flexion_min_deg,
    )  # fmt: skip


def _tables(told: Floats, own: Sequence[MeasuredStride]) -> tuple[Floats, Floats]:
    """Columns of SIDED and BOTH; those of the acceleration, the last ones, are NaN as yet.

    The supports (initial double, single, terminal double) are known only where all four contacts are, and in
    the order of walking.
    """
    start, end, fc, opposite_ic, opposite_fc, length, rom, flexion_min = told
    p = dict(zip(PelvisStride._fields, _columns([m.pelvis for m in own], PelvisStride), strict=True))
    hip_rom, hip_extension, step_length = _columns([m.limb for m in own], LimbStride)
    in_order = (start < opposite_fc) & (opposite_fc < opposite_ic) & (opposite_ic < fc) & (fc < end)
    parts = np.array([opposite_fc - start, opposite_ic - opposite_fc, fc - opposite_ic])
    initial, single, terminal = np.where(in_order, parts, nan)
    duration, stance, swing = end - start, fc - start, end - fc
    sided, both = np.full((len(own), len(SIDED)), nan), np.full((len(own), len(BOTH)), nan)
    of_sides = (
        duration, end - opposite_ic, stance, swing, initial, single, terminal,
        rom, -flexion_min, hip_rom, hip_extension, length, step_length,
        p["drop_deg"], p["drop_mean_deg"], p["drop_at_30_pct_deg"], p["rotation_forward_deg"], p["rise_m"],
    )  # fmt: skip
    of_both = (
        100.0 * stance / duration, 100.0 * swing / duration, 100.0 * (initial + terminal) / duration,
        length, length / duration,
        p["tilt_rom_deg"], p["obliquity_rom_deg"], p["rotation_rom_deg"],
        p["tilt_change_deg"], p["obliquity_change_deg"], p["sway_m"],
    )  # fmt: skip
    sided[:, : len(of_sides)], both[:, : len(of_both)] = np.transpose(of_sides), np.transpose(of_both)
    return sided, both


def _columns(rows: Sequence[PelvisStride | LimbStride], kind: type[PelvisStride | LimbStride]) -> Floats:
    return np.array(rows, dtype=float).reshape(len(rows), len(kind._fields)).T
