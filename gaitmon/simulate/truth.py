"""What really happened: the answers every estimate is graded against."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gaitmon.model import Contact, Floats, Placement, Side, Turn
from gaitmon.simulate.plan import Plan, State, StateKind
from gaitmon.simulate.sensor import ClockMap, Mount
from gaitmon.simulate.steps import Walked
from gaitmon.simulate.trajectory import Body, Trajectory

CURVED_RAD = float(np.radians(15.0))  # a stride with more change of heading is not straight (gaitmon.model)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Continuous truth at common times t_s (n,), rad and m.

    pelvic_tilt_rad (anterior +), pelvic_obliquity_rad (left up +), pelvic_rotation_rad (against the
    heading, left +, as about +z), heading_rad (left +, from 0 at the start).
    thigh_flexion_rad: per side, angle of the thigh from vertical in its sagittal plane, forward +.
    position_m: (n, 3), the midpoint of the hips, from where it was at t_s[0], world axes.
    speed_m_s: along the heading, without the surge within a step.
    """

    t_s: Floats
    pelvic_tilt_rad: Floats
    pelvic_obliquity_rad: Floats
    pelvic_rotation_rad: Floats
    heading_rad: Floats
    thigh_flexion_rad: dict[Side, Floats]
    position_m: Floats
    speed_m_s: Floats

    def hip_flexion_rad(self, side: Side) -> Floats:
        """Thigh flexion + pelvic tilt (sagittal approximation)."""
        return self.thigh_flexion_rad[side] + self.pelvic_tilt_rad


@dataclass(frozen=True, slots=True)
class TrueStride:
    """IC to next IC of one side, with everything about it.  Times on the common clock.

    step_s: from the other side's IC to the one that closes this stride.
    length_m: path of this side of the body, the inner one shorter in a turn.
    straight: level ground, no turn inside or next to it, and at most 15 degrees of heading change.
    steady: neither starting nor stopping.  terrain: "level" or "stairs".
    """

    side: Side
    ordinal: int
    start_s: float
    fc_s: float
    end_s: float
    opposite_ic_s: float
    opposite_fc_s: float
    length_m: float
    heading_change_rad: float
    straight: bool
    steady: bool
    terrain: str
    thigh_rom_deg: float
    thigh_flexion_max_deg: float
    thigh_flexion_min_deg: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def stance_s(self) -> float:
        return self.fc_s - self.start_s

    @property
    def swing_s(self) -> float:
        return self.end_s - self.fc_s

    @property
    def step_s(self) -> float:
        return self.end_s - self.opposite_ic_s

    @property
    def speed_m_s(self) -> float:
        return self.length_m / self.duration_s


@dataclass(frozen=True, eq=False)
class Truth:
    """Everything about one simulation, on the common clock.

    contacts: in order of time.  turns: of at least 45 degrees.  motion: continuous truth at the common
    times at which the first sensor sampled; motion_at gives it for any other times.
    mounts: per sensor the first mounting and the one after each slip.
    gaps_s: per sensor the stretches without connection.  loss_fraction: share of its samples lost.
    """

    duration_s: float
    contacts: tuple[Contact, ...]
    strides: tuple[TrueStride, ...]
    turns: tuple[Turn, ...]
    states: tuple[State, ...]
    motion: Motion
    mounts: dict[Placement, tuple[Mount, ...]]
    clocks: dict[Placement, ClockMap]
    gaps_s: dict[Placement, tuple[tuple[float, float], ...]]
    loss_fraction: dict[Placement, float]
    sample_times_s: dict[Placement, Floats]
    _trajectory: Trajectory = field(repr=False)

    def motion_at(self, t_s: Floats) -> Motion:
        """Continuous truth at any sorted common times."""
        return motion(self._trajectory, t_s)

    def own(self, side: Side, *, straight: bool = True, steady: bool = True) -> tuple[TrueStride, ...]:
        """Strides of one side; by default those that count: straight and steady."""
        return tuple(
            s
            for s in self.strides
            if s.side is side and (s.straight or not straight) and (s.steady or not steady)
        )

    def intervals(self, kind: StateKind) -> tuple[tuple[float, float], ...]:
        return tuple((s.start_s, s.end_s) for s in self.states if s.kind is kind)

    @cached_property
    def straight_count(self) -> dict[Side, int]:
        return {side: len(self.own(side)) for side in Side}


class MotionRecorder:
    """Collects the motion block by block while signals are computed."""

    def __init__(self, t_s: Floats) -> None:
        self._t_s = t_s
        self._angles = np.empty((6, len(t_s)))
        self._offset = np.empty((3, len(t_s)))
        self._speed = np.empty(len(t_s))

    def add(self, where: slice, body: Body, of: slice = slice(None)) -> None:
        """of: which of the body's times are those where the motion is kept."""
        angles = self._angles
        angles[0, where], angles[1, where] = body.pelvis.pitch.value[of], body.pelvis.roll.value[of]
        angles[2, where], angles[3, where] = body.pelvis.yaw.value[of], body.heading.value[of]
        for row, side in enumerate(Side, start=4):
            thigh = body.thigh[side]
            flexion, roll = -thigh.pitch.value[of], thigh.roll.value[of]
            angles[row, where] = np.arctan2(np.sin(flexion), np.cos(flexion) * np.cos(roll))
        for row, axis in enumerate(body.offset):
            self._offset[row, where] = axis.value[of]
        self._speed[where] = body.speed.value[of]

    def motion(self) -> Motion:
        a = self._angles
        return Motion(
            t_s=self._t_s,
            pelvic_tilt_rad=a[0],
            pelvic_obliquity_rad=a[1],
            pelvic_rotation_rad=a[2],
            heading_rad=a[3],
            thigh_flexion_rad={side: a[row] for row, side in enumerate(Side, start=4)},
            position_m=_position(self._t_s, a[3], self._speed, self._offset),
            speed_m_s=self._speed,
        )


def motion(trajectory: Trajectory, t_s: Floats) -> Motion:
    recorder = MotionRecorder(t_s)
    for where, body in trajectory.blocks(t_s):
        recorder.add(where, body)
    return recorder.motion()


def _position(t_s: Floats, heading: Floats, speed: Floats, offset: Floats) -> Floats:
    """Path along the heading (trapezoid; the speed is smooth) plus the offset, turned with the heading."""
    c, s = np.cos(heading), np.sin(heading)
    path = np.zeros((len(t_s), 3))
    dt = np.diff(t_s)
    for column, rate in enumerate((speed * c, speed * s)):
        path[1:, column] = np.cumsum(0.5 * (rate[1:] + rate[:-1]) * dt)
    path += np.stack([offset[0] * c - offset[1] * s, offset[0] * s + offset[1] * c, offset[2]], axis=1)
    moved: Floats = path - path[0]
    return moved


def strides(plan: Plan, moved: Motion) -> tuple[TrueStride, ...]:
    """All strides of all walks, in order of their closing contact."""
    out: list[TrueStride] = []
    ordinals = dict.fromkeys(Side, 0)
    for walked in plan.walks:
        for side in Side:
            out += _of_side(walked, side, ordinals[side], plan, moved)
            ordinals[side] += len(walked.ic_s[walked.own(side)])
    return tuple(sorted(out, key=lambda s: s.end_s))


def _of_side(walked: Walked, side: Side, ordinal: int, plan: Plan, moved: Motion) -> list[TrueStride]:
    ic, fc = walked.ic_s[walked.own(side)], walked.fc_s[side]
    other_ic, other_fc = walked.ic_s[walked.own(side.other)], walked.fc_s[side.other]
    stairs = walked.on_stairs[walked.own(side)]
    if len(ic) < 2:
        return []
    path = plan.speed.integral(ic)
    heading = plan.heading(ic).value
    flexion = moved.thigh_flexion_rad[side]
    index = np.searchsorted(moved.t_s, ic)
    outward = 1.0 if side is Side.LEFT else -1.0
    half_width = 0.085
    out = []
    for k in range(len(ic) - 1):
        start, end = float(ic[k]), float(ic[k + 1])
        between = other_ic[(other_ic > start) & (other_ic < end)]
        lifted = other_fc[(other_fc > start) & (other_fc < end)]
        part = np.degrees(flexion[index[k] : index[k + 1] + 1])
        turned = float(heading[k + 1] - heading[k])
        margin = end - start  # one stride either side of a turn does not count
        near = any(t.start_s < end + margin and t.end_s > start - margin for t in plan.turns)
        terrain = "stairs" if stairs[k] or stairs[k + 1] else "level"
        out.append(
            TrueStride(
                side=side,
                ordinal=ordinal + k,
                start_s=start,
                fc_s=float(fc[k + 1]),
                end_s=end,
                opposite_ic_s=float(between[0]),
                opposite_fc_s=float(lifted[0]),
                length_m=float(path[k + 1] - path[k]) - outward * half_width * turned,
                heading_change_rad=turned,
                straight=terrain == "level" and not near and abs(turned) <= CURVED_RAD,
                steady=k > 0 and k + 2 < len(ic),
                terrain=terrain,
                thigh_rom_deg=float(np.ptp(part)),
                thigh_flexion_max_deg=float(part.max()),
                thigh_flexion_min_deg=float(part.min()),
            )
        )
    return out
