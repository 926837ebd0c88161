"""What a stride shows, read from the sensors' tracks: the pipeline's measuring instrument."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gaitmon.gait.bouts import Heading
from gaitmon.gait.spatial import StrideLength, measure_lengths
from gaitmon.gait.strides import StrideTimes
from gaitmon.imu.chain import SensorChain
from gaitmon.imu.clock_quality import CROSS_LIMB_LIMIT_S
from gaitmon.imu.track import Track
from gaitmon.model import (
    Alignment,
    Floats,
    MetricValue,
    Notice,
    NoticeKind,
    Placement,
    Result,
    Side,
    Stride,
    SyncBound,
    Waveform,
)
from gaitmon.model_leg import SpatialParams
from gaitmon.pipeline_angles import angles, flexion_range_deg
from gaitmon.pipeline_contacts import THIGHS
from gaitmon.symmetry.acceleration import CONTEXT, Piece
from gaitmon.symmetry.cycle import (
    FLEXION_OF,
    VERTICAL,
    Curves,
    cut,
    first_harmonics,
    levelled,
    together,
)
from gaitmon.symmetry.pelvis import limb_strides, obliquity_deg, pelvis_strides, tilt_deg
from gaitmon.symmetry.strides import MeasuredStride
from gaitmon.symmetry.summary import summarise
from gaitmon.symmetry.waveforms import cycles, waveforms

_THIGH_OF = {p.side: p for p in THIGHS}
FOLLOWED = 500  # grid samples of heading read at a time: the sensors' rows are not kept for ever
AT_ONCE_S = 15.0  # stretch over which strides wait to be read together, well within what the sensors keep
BESIDE = 200  # grid samples of heading looked at before and after a bout: a turn may begin there


class Walked(NamedTuple):
    """A stride of the open bout with its curves (gaitmon.symmetry.cycle), in single precision.

    pelvis_acc, thigh_acc: what gaitmon.symmetry.strides.MeasuredStride says.
    """

    stride: Stride
    opposite_fc_s: float | None
    curves: Curves
    pelvis_acc: Piece | None
    thigh_acc: Piece | None


class StrideMeter:
    """Reads what the chains hold; remembers strides and heading, which a whole bout needs.  Stateful."""

    def __init__(
        self,
        chains: Mapping[Placement, SensorChain],
        alignment: Mapping[Placement, Alignment],
        spatial: SpatialParams,
    ) -> None:
        """alignment: the pipeline's own, as it changes."""
        self._chains = chains
        self._alignment = alignment
        self._spatial = spatial
        self._used: dict[Placement, Alignment] = {}  # by what those who wait were measured
        self._waiting: list[tuple[Stride, float | None]] = []  # with the opposite final contact
        self._walked: list[Walked] = []
        self._yaw = Track(1)  # yaw rate about the vertical, left +, rad/s
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
        if not self._bounds:
            return times
        in_force = [b for b in self._bounds if b.at_s <= times.start_s][-1:]
        during = [b for b in self._bounds if times.start_s < b.at_s <= times.end_s]
        if all(b.left_right_s <= CROSS_LIMB_LIMIT_S for b in [*in_force, *during]):
            return times
        return _own(times)

    def heading(self, start_s: float, end_s: float, now_s: float) -> Heading:
        """Yaw rate around a bout, as far as there is any by now."""
        a = round(100 * start_s) - BESIDE
        known = min(c.raw.end for c in self._chains.values())
        b = min(round(100 * end_s) + BESIDE, known if math.isinf(now_s) else round(100 * now_s))
        self._follow_heading(a, b)
        a = max(a, self._yaw.first)
        return Heading(a, self._yaw.view(a, b)[:, 0])

    def forget_before(self, start_s: float) -> None:
        """Of the heading, which is kept as long as a bout lasts."""
        self._yaw.forget_before(round(100 * start_s) - 2 * BESIDE)

    def _follow_heading(self, a: int, b: int) -> None:
        """Know the yaw rate up to grid index b; after a pause, begin at a.

        That of the pelvis, or of the mean thigh where the pelvis has none.
        """
        if not self._yaw.begun or a > self._yaw.end + 2 * FOLLOWED:
            self._yaw = Track(1)
        a = self._yaw.end if self._yaw.begun else a
        if a >= b:
            return
        pelvis = self._chains.get(Placement.PELVIS)
        rate = np.full(b - a, np.nan) if pelvis is None else pelvis.raw.view(a, b)[:, 9]
        missing = np.isnan(rate)
        thigh_chains = [c for p, c in self._chains.items() if p in THIGHS]
        if thigh_chains and missing.any():
            thighs = np.vstack([c.raw.view(a, b)[:, 9] for c in thigh_chains])
            known = np.isfinite(thighs)
            total = np.where(known, thighs, 0.0).sum(axis=0)
            with np.errstate(invalid="ignore"):
                rate = np.where(missing, total / known.sum(axis=0), rate)
        self._yaw.extend(a, rate[:, np.newaxis])

    def measure(self, times: StrideTimes, *, comparable: bool = True, blind: bool = False) -> Stride:
        """The stride as it goes out at once; the rest of it is had by walked, later.

        comparable: whether the two limbs' moments may be held against each other.  blind: whether samples
        of what told the stride are missing in it.
        """
        times = self._comparable(times) if comparable else _own(times)
        if self._used != self._alignment or self._reaches_back(times.end_s):
            self.settle()
            self._used = dict(self._alignment)
        b = math.floor(100 * times.end_s) + 2
        lowest, highest = self._range_deg(times)
        known = not math.isnan(highest)
        flags = () if known or times.side is None else ("no angles",)
        if blind:
            flags = ("gap",)
        stride = Stride(
            times.side, times.ordinal, times.start_s, times.fc_s, times.end_s, times.opposite_ic_s,
            highest - lowest if known else None,
            highest if known else None,
            lowest if known else None,
            flags,
        )  # fmt: skip
        if not self._yaw.begun or abs(b - self._yaw.end) > FOLLOWED:
            self._follow_heading(math.floor(100 * times.start_s) - BESIDE, b)
        self._waiting.append((stride, times.opposite_fc_s))
        return stride

    def _reaches_back(self, now_s: float) -> bool:
        return bool(self._waiting) and now_s > self._waiting[0][0].start_s + AT_ONCE_S

    def _range_deg(self, times: StrideTimes) -> tuple[float, float]:
        """Lowest and highest flexion of the stride's thigh; NaN where it is not known."""
        placement = _THIGH_OF[times.side]
        alignment = self._used.get(placement)
        if alignment is None or placement not in self._chains:
            return math.nan, math.nan
        return flexion_range_deg(self._chains[placement], alignment, times.start_s, times.end_s)

    def settle(self) -> None:
        """Read what else there is of the strides measured, while the sensors' rows are still there: of many
        strides at once, which costs a fraction of one by one."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        start_s = np.array([stride.start_s for stride, _ in waiting])
        end_s = np.array([stride.end_s for stride, _ in waiting])
        a, b = math.floor(100 * start_s.min()), math.floor(100 * end_s.max()) + 2
        curves = cut(angles(self._chains, self._used, a, b).T, a, start_s, end_s)
        pelvis = self._felt(Placement.PELVIS, a, b)
        thigh: dict[Side | None, Piece | None] = {side: self._felt(_THIGH_OF[side], a, b) for side in Side}
        for (s, opposite_fc_s), own in zip(waiting, curves, strict=True):
            self._walked.append(Walked(s, opposite_fc_s, own, pelvis, thigh.get(s.side)))

    def walked(self) -> list[Walked]:
        """All strides measured since this was asked last, in that order."""
        self.settle()
        walked, self._walked = self._walked, []
        return walked

    def _felt(self, placement: Placement, a: int, b: int) -> Piece | None:
        """The sensor's acceleration around grid indices [a, b), with its alignment; None before that."""
        alignment = self._used.get(placement)
        if placement not in self._chains or alignment is None or not alignment.flexion_known:
            return None
        a -= CONTEXT
        rows = self._chains[placement].raw.samples(a, b + CONTEXT)
        return Piece(a, rows[:, :3].copy(), alignment.rotation)

    def summed_up(
        self, walked: Sequence[Walked], stratum: str, stood: Floats | None = None
    ) -> tuple[tuple[MetricValue, ...], tuple[Waveform, ...]]:
        """Metric values and waveforms of the strides of a bout that count, all straight.

        stood: (n, 3), the pelvis' vertical in its own frame, per second of standing before the bout.
        """
        up = np.empty((0, 3)) if stood is None else stood
        standing = np.stack([tilt_deg(up), obliquity_deg(up)], axis=1)
        if not walked:
            return summarise([], stratum, standing=standing), ()
        curves = together([w.curves for w in walked])
        strides = self._with_lengths([w.stride for w in walked], curves)
        curves = levelled(curves, strides)
        pelvis = pelvis_strides(curves, [(s, w.opposite_fc_s) for s, w in zip(strides, walked, strict=True)])
        limbs = limb_strides(curves, strides, pelvis)
        measured = [
            MeasuredStride(s, p, w.opposite_fc_s, limb, w.pelvis_acc, w.thigh_acc)
            for w, s, p, limb in zip(walked, strides, pelvis, limbs, strict=True)
        ]
        own = cycles(curves, strides)
        leg_m = self._spatial.leg.length_m
        return summarise(measured, stratum, own, leg_m, standing=standing), waveforms(own)

    def _with_lengths(self, strides: Sequence[Stride], curves: Floats) -> list[Stride]:
        duration_s = np.array([s.duration_s for s in strides])
        flexion = np.stack([curves[..., column] for column in FLEXION_OF.values()], axis=1)
        lengths = measure_lengths(duration_s, flexion, curves[..., VERTICAL], self._spatial)
        return [_with_length(s, found) for s, found in zip(strides, lengths, strict=True)]


def _with_length(s: Stride, found: StrideLength) -> Stride:
    """Written out: dataclasses.replace takes thrice as long."""
    return Stride(
        s.side, s.ordinal, s.start_s, s.fc_s, s.end_s, s.opposite_ic_s,
        s.thigh_rom_deg, s.thigh_flexion_max_deg, s.thigh_flexion_min_deg,
        s.flags + found.flags, found.length_m,
    )  # fmt: skip


def _own(times: StrideTimes) -> StrideTimes:
    """Without the other limb's events."""
    return times._replace(opposite_ic_s=None, opposite_fc_s=None)


def witnesses(curves: Sequence[Curves]) -> list[tuple[complex, complex] | None]:
    """Of each stride, pelvic rotation and obliquity at stride frequency, relative to right minus left thigh
    flexion: two unit phasors, whose angles settle which thigh is which (gaitmon.gait.sides)."""
    out: list[tuple[complex, complex] | None] = []
    for a, rate, c in first_harmonics(np.array(curves)).tolist():
        b = rate / 1j  # the integral lags its derivative by a quarter of a cycle
        known = min(abs(a), abs(b), abs(c)) > 1e-9  # not so for NaN
        out.append((b / a * abs(a) / abs(b), c / a * abs(a) / abs(c)) if known else None)
    return out
