"""What is known of each accepted stride of a bout, and the table of its values by quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaitmon.model import Floats, Side, Stride
from gaitmon.symmetry.acceleration import Piece, Pieces
from gaitmon.symmetry.loading import impact_peaks_m_s2
from gaitmon.symmetry.smoothness import AXES, harmonics

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class PelvisStride:
    """The pelvis over one stride of side s.  None where it cannot be known.

    drop_deg: largest ipsilateral obliquity in the single support of s, against standing; drop_mean_deg: its
    mean there; drop_at_30_pct_deg: at 30 % of the cycle, which needs no final contact.
    rise_m: vertical excursion in the step from the own initial contact to the other side's; last_rise_m: in
    the one from there to the own next.
    sway_m: mediolateral excursion over the stride.
    rotation_forward_deg: largest rotation of the side forward, from the stride's mean.
    tilt_change_deg, obliquity_change_deg: means over the stride against standing, anterior and left up +.
    """

    tilt_rom_deg: float | None = None
    obliquity_rom_deg: float | None = None
    rotation_rom_deg: float | None = None
    drop_deg: float | None = None
    drop_mean_deg: float | None = None
    drop_at_30_pct_deg: float | None = None
    rise_m: float | None = None
    last_rise_m: float | None = None
    sway_m: float | None = None
    rotation_forward_deg: float | None = None
    tilt_change_deg: float | None = None
    obliquity_change_deg: float | None = None


@dataclass(frozen=True, slots=True)
class LimbStride:
    """hip_rom_deg, hip_extension_deg: of the own hip, extension +.  step_length_m: of the step that ends the
    stride."""

    hip_rom_deg: float | None = None
    hip_extension_deg: float | None = None
    step_length_m: float | None = None


@dataclass(frozen=True, slots=True)
class MeasuredStride:
    """opposite_fc_s: the other side's final contact in between, None where it is not known or the two
    sensors' clocks agree too badly to compare them.

    pelvis_acc: over the stride; thigh_acc: of the own thigh, from 0 to 160 ms after its initial contact.
    """

    stride: Stride
    pelvis: PelvisStride
    opposite_fc_s: float | None = None
    limb: LimbStride = LimbStride()
    pelvis_acc: Piece | None = None
    thigh_acc: Piece | None = None


def _step_time(s: Stride) -> float | None:
    return None if s.opposite_ic_s is None else s.end_s - s.opposite_ic_s


def _supports(m: MeasuredStride) -> tuple[float | None, float | None, float | None]:
    """Initial double, single and terminal double support, s.

    None unless all four contacts are known and in the order of walking.
    """
    s = m.stride
    if s.fc_s is None or m.opposite_fc_s is None or s.opposite_ic_s is None:
        return None, None, None
    if not s.start_s < m.opposite_fc_s < s.opposite_ic_s < s.fc_s < s.end_s:
        return None, None, None
    return m.opposite_fc_s - s.start_s, s.opposite_ic_s - m.opposite_fc_s, s.fc_s - s.opposite_ic_s


def _share_pct(part: float | None, whole: float) -> float | None:
    return None if part is None else 100.0 * part / whole


def _extension_deg(s: Stride) -> float | None:
    return None if s.thigh_flexion_min_deg is None else -s.thigh_flexion_min_deg


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


def _sided_row(m: MeasuredStride) -> tuple[float | None, ...]:
    s, p = m.stride, m.pelvis
    return (
        s.duration_s, _step_time(s), s.stance_s, s.swing_s, *_supports(m),
        s.thigh_rom_deg, _extension_deg(s), m.limb.hip_rom_deg, m.limb.hip_extension_deg,
        s.length_m, m.limb.step_length_m, p.drop_deg, p.drop_mean_deg, p.drop_at_30_pct_deg,
        p.rotation_forward_deg, p.rise_m,
    )  # fmt: skip


def _both_row(m: MeasuredStride) -> tuple[float | None, ...]:
    s, p, t = m.stride, m.pelvis, m.stride.duration_s
    initial, _, terminal = _supports(m)
    both = None if initial is None or terminal is None else initial + terminal
    return (
        _share_pct(s.stance_s, t), _share_pct(s.swing_s, t), _share_pct(both, t), s.length_m,
        None if s.length_m is None else s.length_m / t,
        p.tilt_rom_deg, p.obliquity_rom_deg, p.rotation_rom_deg,
        p.tilt_change_deg, p.obliquity_change_deg, p.sway_m,
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

    sided: (n, len(SIDED)), both: (n, len(BOTH)); NaN where a stride has no such value.
    """

    strides: tuple[MeasuredStride, ...]
    start_s: Floats
    end_s: Floats
    sided: Floats
    both: Floats
    pelvis: Felt | None

    @classmethod
    def of(cls, strides: Sequence[MeasuredStride]) -> Strides:
        own = tuple(sorted(strides, key=lambda m: m.stride.start_s))
        start = np.array([m.stride.start_s for m in own])
        end = np.array([m.stride.end_s for m in own])
        pelvis, thigh = Felt.of([m.pelvis_acc for m in own]), Felt.of([m.thigh_acc for m in own])
        sided = _table([_sided_row(m) for m in own], len(SIDED))
        both = _table([_both_row(m) for m in own], len(BOTH))
        if pelvis is not None:
            at = pelvis.at
            h = harmonics(start[at], end[at], pelvis.pieces)
            both[at, -6:-3], both[at, -3:] = h.hr, h.ihr_pct
            sided[at, -2] = impact_peaks_m_s2(start[at], pelvis.pieces)
        if thigh is not None:
            sided[thigh.at, -1] = impact_peaks_m_s2(start[thigh.at], thigh.pieces)
        return cls(own, start, end, sided, both, pelvis)

    def of_side(self, side: Side) -> Rows:
        """Indices of its strides."""
        return np.flatnonzero([m.stride.side is side for m in self.strides])


def _table(rows: Sequence[tuple[float | None, ...]], columns: int) -> Floats:
    """The last columns, for which a row has nothing yet, are NaN."""
    out = np.full((len(rows), columns), np.nan)
    if rows:
        out[:, : len(rows[0])] = np.array(rows, dtype=float)
    return out
