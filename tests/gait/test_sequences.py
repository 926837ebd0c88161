"""Which stretches look like walking."""

from __future__ import annotations

import pytest

from gaitmon.model import NoticeKind, Placement, Side
from gaitmon.pipeline import GaitPipeline
from gaitmon.simulate import (
    Lie,
    SensorParams,
    SingleLegStance,
    Sit,
    SitToStand,
    Stand,
    StateKind,
    Step,
    Walk,
    WalkerParams,
    simulate,
)
from tests.gait.walks import in_order, pieces, plain_walk, walked, whole

REST: dict[str, tuple[Step, ...]] = {
    "standing": (Stand(45.0),),
    "sitting, with changes of posture": (Sit(90.0),),
    "lying": (Lie(30.0),),
    "sitting down and getting up once": (Stand(8.0), Sit(10.0), Stand(8.0)),
    "on one leg": (Stand(3.0), SingleLegStance(Side.LEFT, 8.0), SingleLegStance(Side.RIGHT, 8.0), Stand(4.0)),
}


@pytest.mark.parametrize("what", REST)
@pytest.mark.parametrize("seed", [1, 2])
def test_rest_is_not_walking(what: str, seed: int) -> None:
    seen = walked(REST[what], WalkerParams(standing_sway_deg=0.8), seed=seed)
    assert seen.contacts() == []
    assert seen.strides == []
    assert seen.bouts == []
    assert [n.kind for n in seen.notices] == [NoticeKind.NO_WALKING]


THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
GYROSCOPE, ACCELEROMETER = SensorParams(), SensorParams(has_gyroscope=False)
WORN: dict[str, dict[Placement, SensorParams]] = {
    "all three": dict.fromkeys((Placement.PELVIS, *THIGHS), GYROSCOPE),
    "one thigh": {Placement.LEFT_THIGH: GYROSCOPE},
    "one thigh, accelerometer": {Placement.LEFT_THIGH: ACCELEROMETER},
}


@pytest.mark.parametrize("worn", WORN)
@pytest.mark.parametrize("cycle_s", [1.5, 2.0, 2.6, 3.0, 4.0])
def test_getting_up_and_down_again_is_not_walking(worn: str, cycle_s: float) -> None:
    """The clinic's own test, before any walk and after one: no contact, and nothing is aligned by it."""
    exercise = (Sit(5.0), SitToStand(5, cycle_s), Stand(5.0))
    script = (*exercise, Walk(seconds=20.0), Stand(3.0), *exercise)
    seen = walked(script, sensors=WORN[worn], seed=2)
    (walk,) = [s for s in seen.simulated.truth.states if s.kind is StateKind.WALK]
    assert all(walk.start_s - 1.0 < c.t_s < walk.end_s + 1.0 for c in seen.contacts())
    assert all(walk.start_s - 1.0 < a.effective_s < walk.end_s + 1.0 for a in seen.alignments)


def test_who_gets_up_and_walks_away_is_seen_from_the_first_stride() -> None:
    """The window in which somebody rises is not walking, but the next one reaches back to the rise."""
    script = (Stand(5.0), Walk(seconds=25.0), Sit(5.0), Walk(seconds=6.0), Sit(5.0))
    seen = walked(script, seed=3)
    _, again = [s for s in seen.simulated.truth.states if s.kind is StateKind.WALK]
    true = [s for s in seen.simulated.truth.strides if s.start_s >= again.start_s]
    starts = [s.start_s for s in seen.strides]
    assert all(min(abs(t - s.start_s) for t in starts) < 0.15 for s in true)


@pytest.mark.parametrize("speed", [0.6, 0.9, 1.25, 1.7])
def test_walking_is_found_within_4_s(speed: float) -> None:
    """Of signal after its first contact, once aligned, in blocks of 20 samples.

    Measured 3.2 / 2.7 / 2.3 / 1.8 s.
    """
    script = (Stand(5.0), Walk(seconds=26.0), Stand(6.0), Walk(seconds=12.0), Stand(5.0))
    simulated = simulate(script, WalkerParams(speed_m_s=speed), seed=2)
    second = [s for s in simulated.truth.states if s.kind is StateKind.WALK][1]
    streams = whole(simulated)
    pipeline = GaitPipeline(streams)
    for item in in_order(i for b in streams.values() for i in pieces(b, 20)):
        results = pipeline.push(item)
        if any(getattr(r, "t_s", 0.0) > second.start_s - 1.0 for r in results):
            break
    assert float(item.t_s[-1]) - second.start_s < 4.0  # type: ignore[union-attr]  # no gaps here


@pytest.mark.parametrize("speed", [0.6, 1.25, 1.7])
def test_bouts_last_as_long_as_the_walk(speed: float) -> None:
    """From the second contact to the last at the latest: a bout begins with an initial contact of its own."""
    walk = plain_walk(speed)
    (true,) = [s for s in walk.simulated.truth.states if s.kind is StateKind.WALK]
    (bout,) = walk.bouts
    stride_s = 1.0 / (0.55 + 0.3 * speed)
    assert true.start_s - 0.1 < bout.start_s < true.start_s + 1.2 * stride_s
    assert true.end_s - 0.6 * stride_s < bout.end_s < true.end_s + 0.2


def test_a_stiff_leg_beside_one_that_walks_walks_too() -> None:
    """Its thigh turns by 0.43 rad/s, too little alone, but clearly periodic.  Before: one stride a side."""
    walker = WalkerParams(speed_m_s=0.3, thigh_rom_ratio=2.6)
    seen = walked((Stand(5.0), Walk(seconds=30.0), Stand(4.0)), walker, seed=4)
    for side in Side:
        assert sum(s.side is side for s in seen.strides) >= len(seen.simulated.truth.own(side))


def test_a_few_steps_are_not_a_bout() -> None:
    """Three strides across a room: too little to say anything of symmetry."""
    seen = walked((Stand(8.0), Walk(strides=2), Stand(10.0)), seed=3)
    assert seen.bouts == []
