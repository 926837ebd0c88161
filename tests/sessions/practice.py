"""A simulated session with exact truth: every guided test, done by one walker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from gaitmon.model import Side
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.synthetic import recording_of
from gaitmon.sessions.kinds import Kind
from gaitmon.sessions.record import GuidedTest, Session
from gaitmon.sessions.results import SessionResults, session_results
from gaitmon.simulate import (
    Simulated,
    SingleLegStance,
    Sit,
    SitToStand,
    Stand,
    StateKind,
    Turn,
    Walk,
    WalkerParams,
    simulate,
)

DROPS = {Side.LEFT: 4.0, Side.RIGHT: 7.0}
HELD_S = {Side.LEFT: 30.0, Side.RIGHT: 12.0}


@dataclass(frozen=True, slots=True, eq=False)
class Practice:
    simulated: Simulated
    recording: Recording
    tests: tuple[GuidedTest, ...]

    def session(self, *, marks_s: float = 0.0, kinds: tuple[Kind, ...] = tuple(Kind)) -> Session:
        """marks_s: how far off the marks are at the most, drawn from a fixed seed."""
        rng = np.random.default_rng(17)
        tests = []
        for t in self.tests:
            off = rng.uniform(-marks_s, marks_s, 2)
            moved = {"start_s": t.start_s + off[0], "stop_s": t.stop_s + off[1]}
            if t.kind in kinds:
                tests.append(t.model_copy(update=moved))
        return Session(
            id="s1", wearer="w1", recording="x.gaitrec", content_id=self.recording.content_id,
            start_s=self.recording.start_s, stop_s=self.recording.end_s, purpose="practice",
            leg_length_m=0.9, tests=tuple(tests),
        )  # fmt: skip

    def results(self, *, marks_s: float = 0.0) -> SessionResults:
        return session_results(self.session(marks_s=marks_s), self.recording)


@cache
def practice(
    seed: int = 5,
    speed_m_s: float = 1.1,
    rise_s: float = 2.6,
    two_minutes: bool = False,
    drop_deg: float = 0.0,
) -> Practice:
    """A whole session of about three minutes, five with a 2-minute walk."""
    walk = Walk(strides=8)
    legs = [SingleLegStance(side, HELD_S[side], DROPS[side] + drop_deg) for side in Side]
    turns = tuple(s for _ in range(6) for s in (Walk(seconds=17.5), Turn(180.0, 2.4)))
    script = (
        Stand(34.0), walk, Stand(4.0), walk, Stand(4.0), walk, Stand(6.0),
        *(part for leg in legs for part in (leg, Stand(4.0))),
        Sit(5.0), SitToStand(5, rise_s), Sit(3.0), Stand(4.0), *((*turns, Stand(4.0)) if two_minutes else ()),
    )  # fmt: skip
    simulated = simulate(
        script, WalkerParams(speed_m_s=speed_m_s, person_seed=seed, leg_length_m=0.9), seed=seed
    )
    return Practice(simulated, recording_of(simulated, f"practice {seed}"), tuple(_marked(simulated)))


def spans(simulated: Simulated, kind: StateKind) -> list[tuple[float, float]]:
    return [(s.start_s, s.end_s) for s in simulated.truth.states if s.kind is kind]


def way_m(simulated: Simulated, start_s: float, stop_s: float) -> float:
    """As the crow flies."""
    moved = simulated.truth.motion_at(np.arange(start_s, stop_s, 0.01)).position_m
    return float(np.linalg.norm(moved[-1, :2] - moved[0, :2]))


def path_m(simulated: Simulated, start_s: float, stop_s: float) -> float:
    t = np.arange(start_s, stop_s, 0.01)
    return float(simulated.truth.motion_at(t).speed_m_s.sum() * 0.01)


def rises(simulated: Simulated) -> list[tuple[float, float]]:
    """Of the sit-to-stand alone: getting up and sitting down take turns after the second but last stance."""
    moves = [s for s in simulated.truth.states if s.kind is StateKind.TRANSFER]
    last_leg = spans(simulated, StateKind.SINGLE_LEG)[-1][1] + 1.5
    seated = [(s.start_s, s.end_s) for s in moves if s.start_s > last_leg][1:]
    return seated[0:10:2]


def _marked(simulated: Simulated) -> list[GuidedTest]:
    out = [GuidedTest(kind=Kind.QUIET_STANCE, start_s=1.0, stop_s=31.0)]
    walks = spans(simulated, StateKind.WALK)
    for start, stop in walks[:3]:
        way = way_m(simulated, start - 0.5, stop + 1.0)
        out.append(
            GuidedTest(kind=Kind.TEN_METRE_WALK, start_s=start - 0.3, stop_s=stop + 0.3, distance_m=way)
        )
    for side, (start, stop) in zip(Side, spans(simulated, StateKind.SINGLE_LEG), strict=True):
        out.append(GuidedTest(kind=Kind.SINGLE_LEG_STANCE, start_s=start - 1, stop_s=stop + 1, side=side))
    up = rises(simulated)
    out.append(GuidedTest(kind=Kind.SIT_TO_STAND, start_s=up[0][0], stop_s=up[-1][1] + 1.0))
    if len(walks) > 3:
        out.append(GuidedTest(kind=Kind.TWO_MINUTE_WALK, start_s=walks[3][0], stop_s=walks[3][0] + 120.0))
    return out
