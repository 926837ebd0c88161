"""From a script to everything that changes slowly: heading, speed, posture, and the walks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

import numpy as np

from gaitmon.model import Side, Turn
from gaitmon.simulate.calculus import Profile
from gaitmon.simulate.normative import Normative
from gaitmon.simulate.params import WalkerParams
from gaitmon.simulate.script import (
    Lie,
    Posture,
    SingleLegStance,
    Sit,
    SitToStand,
    Stairs,
    Stand,
    Step,
    Walk,
    Walking,
)
from gaitmon.simulate.script import Turn as TurnStep
from gaitmon.simulate.steps import Walked, walk

SMALLEST_TURN_RAD = float(np.radians(45.0))
RISE_S = 1.8  # sit to stand and back, unhurried (R)
HALF_STEP_WIDTH_M = 0.085


class StateKind(StrEnum):
    STAND = "stand"
    SIT = "sit"
    LIE = "lie"
    SINGLE_LEG = "single_leg"
    TRANSFER = "transfer"
    WALK = "walk"
    TURN = "turn"
    STAIRS = "stairs"


@dataclass(frozen=True, slots=True)
class State:
    """What the person does in [start_s, end_s).  A walk runs from its first FC to its last IC."""

    kind: StateKind
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class _Pose:
    """Angles in degrees (tilt anterior +, roll left up +), displacement in m, of a resting body."""

    left_flexion: float = 0.0
    right_flexion: float = 0.0
    tilt: float = 0.0
    roll: float = 0.0
    forward: float = 0.0
    up: float = 0.0


CHANNELS = ("left_flexion", "right_flexion", "tilt", "roll", "forward", "up")


class _Track:
    """The moves of one channel, in order."""

    def __init__(self, value: float = 0.0) -> None:
        self.start = self.value = value
        self.moves: list[tuple[float, float, float]] = []

    def move(self, start_s: float, end_s: float, value: float) -> None:
        if value != self.value:
            self.moves.append((start_s, end_s, value))
            self.value = value

    def profile(self) -> Profile:
        return Profile(self.start, self.moves)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything that is decided before signals are computed.  Angles in rad, heading from 0, left +.

    speed: of the pelvis along its heading, m/s.  gain: 0 at rest, 1 walking.  inner: left limb's
    excursion is (1 - inner), the right limb's (1 + inner).  lean: trunk forward in getting up.
    """

    duration_s: float
    walks: tuple[Walked, ...]
    states: tuple[State, ...]
    turns: tuple[Turn, ...]
    heading: Profile
    speed: Profile
    gain: Profile
    inner: Profile
    stairs: Profile
    lean: Profile
    posture: dict[str, Profile]


class _Planner:
    def __init__(self, walker: WalkerParams, norm: Normative, rng: np.random.Generator) -> None:
        self._walker, self._norm, self._rng = walker, norm, rng
        self.t = 0.0
        self._pose = {name: _Track() for name in CHANNELS}
        self._tracks = {name: _Track() for name in ("heading", "speed", "gain", "inner", "stairs", "lean")}
        self._walks: list[Walked] = []
        self._states: list[State] = []
        self._turns: list[Turn] = []
        self._down = False  # seated or lying

    def _move_to(self, pose: _Pose, start_s: float, end_s: float) -> None:
        for name, track in self._pose.items():
            value = getattr(pose, name)
            track.move(start_s, end_s, value if name in ("forward", "up") else float(np.radians(value)))

    def _seated(self) -> _Pose:
        """Thighs about horizontal, pelvis rolled back; the pelvis swings about the knees on its way down."""
        left, right = 84.0 + 3.0 * self._rng.standard_normal(2)
        thigh_m = 0.45 * self._walker.leg_length_m
        return _Pose(left, right, -12.0, 0.0, -thigh_m, -thigh_m)

    def _transfer(self, pose: _Pose, seconds: float = RISE_S, *, lean_deg: float = 28.0) -> None:
        """Lean forward, then move; lean back while arriving."""
        start, end = self.t, self.t + seconds
        self._tracks["lean"].move(start, start + 0.5 * seconds, float(np.radians(lean_deg)))
        self._tracks["lean"].move(start + 0.5 * seconds, end, 0.0)
        self._move_to(pose, start + 0.25 * seconds, end)
        self._state(StateKind.TRANSFER, start, end)
        self.t = end

    def _state(self, kind: StateKind, start_s: float, end_s: float) -> None:
        self._states.append(State(kind, float(start_s), float(end_s)))

    def rest(self, step: Posture) -> None:
        match step:
            case Stand(seconds):
                self._get_up()
                self._hold(StateKind.STAND, seconds)
            case Sit(seconds):
                self._sit_down()
                self._hold(StateKind.SIT, seconds)
            case Lie(seconds):
                self._sit_down()
                self._transfer(_Pose(92.0, 91.0, -86.0, 0.0, -0.6, -0.45), 3.0, lean_deg=0.0)
                self._hold(StateKind.LIE, seconds)
            case SingleLegStance(side, seconds, drop_deg):
                self._single_leg(side, seconds, drop_deg)
            case SitToStand(repetitions, seconds):
                self._repeat_rising(repetitions, seconds)

    def _get_up(self) -> None:
        if self._down:
            self._transfer(_Pose())
            self._down = False

    def _sit_down(self) -> None:
        if not self._down:
            self._transfer(self._seated())
            self._down = True

    def _repeat_rising(self, repetitions: int, seconds: float) -> None:
        self._sit_down()
        for _ in range(repetitions):
            self._transfer(_Pose(), 0.45 * seconds)
            self._hold(StateKind.STAND, 0.05 * seconds)
            self._transfer(self._seated(), 0.45 * seconds)
            self._hold(StateKind.SIT, 0.05 * seconds)

    def _hold(self, kind: StateKind, seconds: float) -> None:
        """Rest; seated and lying people shift a little now and then (R)."""
        end = self.t + seconds
        self._state(kind, self.t, end)
        if kind in (StateKind.SIT, StateKind.LIE):
            at = self.t + self._rng.exponential(40.0)
            while at + 2.0 < end:
                for name in ("left_flexion", "right_flexion", "tilt"):
                    track = self._pose[name]
                    track.move(
                        at, at + 1.5, track.value + float(np.radians(1.5)) * self._rng.standard_normal()
                    )
                at += 2.0 + self._rng.exponential(40.0)
        self.t = end

    def _single_leg(self, side: Side, seconds: float, drop_deg: float) -> None:
        """side stands; the other thigh is lifted to 40 degrees.  A drop lowers the lifted side."""
        self._get_up()
        left = 40.0 if side is Side.RIGHT else 0.0
        roll = drop_deg if side is Side.LEFT else -drop_deg
        pose = _Pose(left, 40.0 - left, 0.0, roll, 0.0, 0.0)
        self._move_to(pose, self.t, self.t + 1.0)
        self._state(StateKind.TRANSFER, self.t, self.t + 1.0)
        self.t += 1.0
        self._hold(StateKind.SINGLE_LEG, seconds)
        self._move_to(_Pose(), self.t, self.t + 1.0)
        self._state(StateKind.TRANSFER, self.t, self.t + 1.0)
        self.t += 1.0

    def go(self, steps: tuple[Walking, ...]) -> None:
        self._get_up()
        walked = walk(steps, self.t, self._walker, self._norm, self._rng)
        self._walks.append(walked)
        ic, step_s = walked.ic_s, np.diff(walked.ic_s)
        tracks = self._tracks
        tracks["gain"].move(self.t + 0.1, ic[0] + 0.35 * step_s[0], 1.0)
        tracks["gain"].move(ic[-2] + 0.1 * step_s[-1], ic[-1] + 0.25 * step_s[-1], 0.0)
        tracks["speed"].move(self.t + 0.15, ic[0] + 0.2 * step_s[0], walked.speed_m_s[0])
        for j in range(1, len(ic) - 1):
            reach = 0.45 * min(step_s[j - 1], step_s[j]) if j > 1 else 0.3 * step_s[0]
            tracks["speed"].move(ic[j] - reach, ic[j] + (0.1 * step_s[j]), walked.speed_m_s[j])
        tracks["speed"].move(ic[-2] + 0.15 * step_s[-1], ic[-1] + 0.2 * step_s[-1], 0.0)
        self._turn_and_climb(walked)
        self._walk_states(walked)
        self.t = walked.end_s

    def _turn_and_climb(self, walked: Walked) -> None:
        for leg, following in zip(walked.legs, (*walked.legs[1:], None), strict=True):
            if isinstance(leg.step, TurnStep):
                heading = self._tracks["heading"]
                heading.move(leg.start_s, leg.end_s, heading.value + leg.yaw_rad)
                seconds = leg.end_s - leg.start_s
                speed = max(0.3, float(np.interp(leg.start_s, walked.ic_s, walked.speed_m_s)))
                inner = float(np.clip(HALF_STEP_WIDTH_M * leg.yaw_rad / seconds / speed, -0.5, 0.5))
                self._tracks["inner"].move(leg.start_s, leg.start_s + 0.5 * seconds, inner)
                self._tracks["inner"].move(leg.start_s + 0.5 * seconds, leg.end_s, 0.0)
                if abs(leg.yaw_rad) >= SMALLEST_TURN_RAD - 1e-9:
                    self._turns.append(Turn(float(leg.start_s), float(leg.end_s), leg.yaw_rad))
            elif isinstance(leg.step, Stairs):
                self._tracks["stairs"].move(leg.start_s, leg.start_s + 0.4, 1.0)
                if following is None or not isinstance(following.step, Stairs):
                    self._tracks["stairs"].move(leg.end_s, leg.end_s + 0.4, 0.0)

    def _walk_states(self, walked: Walked) -> None:
        first_fc = min(float(times[0]) for times in walked.fc_s.values())
        self._state(StateKind.STAND, walked.start_s, first_fc)
        at = first_fc
        for leg in walked.legs:
            kind = {Walk: StateKind.WALK, TurnStep: StateKind.TURN, Stairs: StateKind.STAIRS}[type(leg.step)]
            if kind is not StateKind.WALK:
                if leg.start_s > at:
                    self._state(StateKind.WALK, at, leg.start_s)
                start = max(at, leg.start_s)
                at = max(start, min(leg.end_s, float(walked.ic_s[-1])))
                self._state(kind, start, at)
        last = float(walked.ic_s[-1])
        if last > at:
            self._state(StateKind.WALK, at, last)
        self._state(StateKind.STAND, max(at, last), walked.end_s)

    def plan(self) -> Plan:
        return Plan(
            duration_s=self.t,
            walks=tuple(self._walks),
            states=_merged(self._states),
            turns=tuple(self._turns),
            posture={name: track.profile() for name, track in self._pose.items()},
            **{name: track.profile() for name, track in self._tracks.items()},
        )


def _merged(states: Iterable[State]) -> tuple[State, ...]:
    """Neighbours of one kind become one state; empty ones vanish."""
    out: list[State] = []
    for state in states:
        if state.end_s <= state.start_s:
            continue
        if out and out[-1].kind is state.kind:
            out[-1] = State(state.kind, out[-1].start_s, state.end_s)
        else:
            out.append(state)
    return tuple(out)


def make_plan(
    script: tuple[Step, ...], walker: WalkerParams, norm: Normative, rng: np.random.Generator
) -> Plan:
    """Decide everything that happens, in order of the script."""
    planner = _Planner(walker, norm, rng)
    for walking, group in groupby(script, key=lambda s: isinstance(s, Walking)):
        steps = tuple(group)
        if walking:
            planner.go(tuple(s for s in steps if isinstance(s, Walking)))
        else:
            for step in steps:
                if isinstance(step, Posture):
                    planner.rest(step)
    return planner.plan()
