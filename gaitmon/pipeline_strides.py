"""What a stride shows, read from the sensors' tracks: the pipeline's measuring instrument."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gaitmon.gait.measure import SegmentAngles, side_witnesses, smooth_angle, stride_slice
from gaitmon.gait.sequences import TICK
from gaitmon.gait.spatial import SpatialParams, StrideLength, measure_length
from gaitmon.gait.strides import StrideTimes
from gaitmon.gait.turns import heading_change_rad
from gaitmon.imu.alignment import along
from gaitmon.imu.chain import SensorChain
from gaitmon.imu.clock_quality import CROSS_LIMB_LIMIT_S
from gaitmon.imu.track import Track
from gaitmon.model import (
    Alignment,
    Floats,
    Notice,
    NoticeKind,
    Placement,
    Result,
    Stride,
    SyncBound,
)
from gaitmon.pipeline_contacts import THIGHS
from gaitmon.symmetry import pelvis as angles
from gaitmon.symmetry.summary import MeasuredStride, PelvisStride


@dataclass(frozen=True, slots=True)
class Walked:
    """A stride of the open bout with what was measured on it."""

    measured: MeasuredStride
    witnesses: tuple[complex, complex] | None


class StrideMeter:
    """Reads what the chains hold; remembers the heading, which a whole bout needs.  Stateful for that alone.

    alignment: the pipeline's own, as it changes.
    """

    def __init__(
        self,
        chains: Mapping[Placement, SensorChain],
        alignment: Mapping[Placement, Alignment],
        spatial: SpatialParams,
    ) -> None:
        self._chains = chains
        self._alignment = alignment
        self._spatial = spatial
        self.yaw = Track(1)  # yaw rate about the vertical, left +, rad/s
        self._bounds: list[SyncBound] = []
        self._told_unsynchronised = False

    def synchronised(self, bound: SyncBound) -> list[Result]:
        """Note the bound; say so once when values across the limbs begin to be withheld."""
        self._bounds = [*(b for b in self._bounds if b.at_s > bound.at_s - 60.0), bound]
        bad = bound.left_right_s > CROSS_LIMB_LIMIT_S
        told, self._told_unsynchronised = self._told_unsynchronised, bad
        if not bad or told:
            return []
        text = (
            f"The thighs' clocks may be {1000 * bound.left_right_s:.1f} ms apart: step times and what else "
            "compares the moment of one limb with the other's are withheld."
        )
        return [Notice(NoticeKind.UNSYNCHRONISED, text, start_s=bound.at_s)]

    def _comparable(self, times: StrideTimes) -> StrideTimes:
        """The stride without the other limb's events where the clocks agree too badly."""
        in_force = [b for b in self._bounds if b.at_s <= times.start_s][-1:]
        during = [b for b in self._bounds if times.start_s < b.at_s <= times.end_s]
        if all(b.left_right_s <= CROSS_LIMB_LIMIT_S for b in [*in_force, *during]):
            return times
        return replace(times, opposite_ic_s=None, opposite_fc_s=None)

    def follow_heading(self, now: int) -> None:
        """Yaw rate of the pelvis, or of the mean thigh where the pelvis has none."""
        a = now - TICK
        columns = [c.raw.view(a, now)[:, 9] for p, c in self._chains.items() if p in THIGHS]
        pelvis = self._chains.get(Placement.PELVIS)
        rate = np.full(TICK, np.nan) if pelvis is None else pelvis.raw.view(a, now)[:, 9]
        missing = np.isnan(rate)
        if columns and missing.any():
            thighs = np.vstack(columns)
            known = np.isfinite(thighs)
            total = np.where(known, thighs, 0.0).sum(axis=0)
            with np.errstate(invalid="ignore"):
                rate = np.where(missing, total / known.sum(axis=0), rate)
        self.yaw.extend(a, rate[:, np.newaxis])

    def measure(self, times: StrideTimes, *, comparable: bool = True) -> Walked:
        """comparable: whether the two limbs' moments may be held against each other."""
        times = (
            self._comparable(times) if comparable else replace(times, opposite_ic_s=None, opposite_fc_s=None)
        )
        a, b = stride_slice(times)
        pelvis_up = self._up(Placement.PELVIS, a, b)
        seen = SegmentAngles(
            thigh_left=self._flexion(Placement.LEFT_THIGH, a, b),
            thigh_right=self._flexion(Placement.RIGHT_THIGH, a, b),
            tilt=None if pelvis_up is None else smooth_angle(angles.tilt_deg(pelvis_up)),
            obliquity=None if pelvis_up is None else smooth_angle(angles.obliquity_deg(pelvis_up)),
            yaw_rate_rad_s=self._yaw_over(a, b),
        )
        unsided = self._flexion(Placement.THIGH, a, b) if times.side is None else None
        flexion = unsided if times.side is None else seen.thigh(times.side)
        flags = () if flexion is not None or times.side is None else ("no angles",)
        if self._has_hole(times):
            flags = ("gap",)
        length = self._length(times, [seen.thigh_left, seen.thigh_right, unsided])
        stride = Stride(
            times.side, times.ordinal, times.start_s, times.fc_s, times.end_s, times.opposite_ic_s,
            None if flexion is None else float(np.ptp(flexion)),
            None if flexion is None else float(flexion.max()),
            None if flexion is None else float(flexion.min()),
            flags + length.flags,
            length.length_m,
        )  # fmt: skip
        measured = MeasuredStride(stride, _pelvis_stride(times, seen), times.opposite_fc_s)
        return Walked(measured, side_witnesses(seen))

    def _length(self, times: StrideTimes, thighs: list[Floats | None]) -> StrideLength:
        """thighs: flexion over the stride, of those that there are."""
        a, b = round(times.start_s * 100), round(times.end_s * 100) + 1
        up = None
        if (pelvis := self._chains.get(Placement.PELVIS)) is not None:
            x = pelvis.raw.view(a, b)
            up = x[:, 0] * x[:, 6] + x[:, 1] * x[:, 7] + x[:, 2] * x[:, 8]
        turned = heading_change_rad(self.yaw.view(a, b)[:, 0], a, times.start_s, times.end_s)
        duration_s = times.end_s - times.start_s
        return measure_length(duration_s, thighs, up, self._spatial, heading_change_rad=turned)

    def _up(self, placement: Placement, a: int, b: int) -> Floats | None:
        """The vertical in the segment's frame over grid indices [a, b); None before alignment."""
        alignment, chain = self._alignment.get(placement), self._chains.get(placement)
        if alignment is None or chain is None or not alignment.flexion_known:
            return None
        seen = chain.raw.view(a, b)[:, 6:9]
        if np.isnan(seen[0, 0]) or np.isnan(seen[-1, 0]):
            return None
        return np.column_stack([along(seen, axis) for axis in alignment.rotation])

    def _flexion(self, placement: Placement, a: int, b: int) -> Floats | None:
        up = self._up(placement, a, b)
        return None if up is None else smooth_angle(angles.thigh_flexion_deg(up))

    def _has_hole(self, times: StrideTimes) -> bool:
        thigh = next((p for p in THIGHS if p.side is times.side and p in self._chains), None)
        if thigh is None:
            return False
        rows = self._chains[thigh].raw.view(math.floor(times.start_s * 100), math.ceil(times.end_s * 100))
        return bool(np.isnan(rows[:, :3]).any())

    def _yaw_over(self, a: int, b: int) -> Floats | None:
        """The pelvis' own yaw rate, smoothed like an angle; a thigh's is no stand-in for rotation."""
        pelvis = self._chains.get(Placement.PELVIS)
        return None if pelvis is None else smooth_angle(pelvis.raw.view(a, b)[:, 9])


def _pelvis_stride(times: StrideTimes, seen: SegmentAngles) -> PelvisStride:
    drop = None
    if seen.obliquity is not None and times.opposite_fc_s is not None and times.opposite_ic_s is not None:
        a = round(100 * (times.opposite_fc_s - times.start_s))
        b = round(100 * (times.opposite_ic_s - times.start_s)) + 1
        if times.side is not None and 0 <= a < b:
            drop = angles.contralateral_drop_deg(seen.obliquity[a:b], times.side)
    return PelvisStride(
        tilt_rom_deg=None if seen.tilt is None else float(np.ptp(seen.tilt)),
        obliquity_rom_deg=None if seen.obliquity is None else float(np.ptp(seen.obliquity)),
        rotation_rom_deg=None
        if seen.yaw_rate_rad_s is None
        else angles.rotation_rom_deg(seen.yaw_rate_rad_s),
        drop_deg=drop,
    )
