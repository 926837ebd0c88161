"""Walking in daily life from accelerometers alone, of people who are not in any simulator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaitmon.gait.detector import WalkingDetector
from gaitmon.gait.sequences import PAUSE, TICK, WINDOW, SequenceTracker
from gaitmon.imu.chain import SensorChain
from gaitmon.model import Floats, Placement
from gaitmon.simulate import Stand, Walk, WalkerParams, simulate
from tests.gait.daily import (
    DAILY,
    chain_of,
    day,
    pedalling,
    phone_walk,
    score,
    sequences_of,
    turned,
    walking_seconds,
)
from tests.gait.walks import whole

BOTH = (Placement.THIGH, Placement.PELVIS)
RANDOM = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]


@pytest.mark.data
@pytest.mark.parametrize(
    ("worn", "mean_f1", "worst_f1"),
    [(BOTH, 0.95, 0.93), ((Placement.THIGH,), 0.93, 0.93), ((Placement.PELVIS,), 0.936, 0.93)],
)
def test_walking_seconds_of_daily_life(worn: tuple[Placement, ...], mean_f1: float, worst_f1: float) -> None:
    """The bar for the trunk alone is the best open peer's mean on other people of this data."""
    f1 = []
    for who in DAILY:
        of = day(*who)
        sequences = sequences_of({p: of.chains[p] for p in worn})
        f1.append(score(walking_seconds(sequences, of.second_s), of.label).f1)
    assert np.mean(f1) >= mean_f1, f1
    assert min(f1) >= worst_f1, f1


@pytest.mark.data
@pytest.mark.parametrize(("activity", "at_most"), [("running", 0.03), ("lying", 0.01), ("sitting", 0.01)])
def test_what_is_not_walking(activity: str, at_most: float) -> None:
    found = total = 0
    for who in DAILY:
        of = day(*who)
        seconds = walking_seconds(sequences_of({Placement.THIGH: of.chains[Placement.THIGH]}), of.second_s)
        found += int(seconds[of.label == activity].sum())
        total += int((of.label == activity).sum())
    assert total > 600
    assert found <= at_most * total


@pytest.mark.parametrize("rpm", [40.0, 55.0, 70.0, 85.0, 100.0])
@pytest.mark.parametrize("road_m_s2", [0.0, 1.5])
def test_pedalling_is_not_walking(rpm: float, road_m_s2: float) -> None:
    chain = chain_of(Placement.THIGH, *pedalling(rpm, 60.0, road_m_s2, seed=int(rpm)))
    assert sequences_of({Placement.THIGH: chain}) == []


@pytest.mark.parametrize("hz", [3.0, 4.0, 5.0, 6.0])
def test_a_jogging_knee_is_not_walking(hz: float) -> None:
    rng = np.random.default_rng(int(hz))
    t = np.arange(6000) / 100.0
    phase = (
        2 * np.pi * np.cumsum(hz * (1 + 0.05 * np.interp(t, np.arange(62), rng.standard_normal(62)))) / 100
    )
    acc = np.column_stack([9.81 + 3 * np.sin(phase), 0.6 * np.sin(phase + 1), 0.0 * t])
    chain = chain_of(Placement.THIGH, t, acc + 0.2 * rng.standard_normal(acc.shape))
    assert sequences_of({Placement.THIGH: chain}) == []


def simulated(speed_m_s: float) -> tuple[SensorChain, float, float]:
    """A thigh's accelerometer, and the first and last contact of either foot."""
    walk = simulate((Stand(6.0), Walk(seconds=14.0), Stand(6.0)), WalkerParams(speed_m_s=speed_m_s), seed=2)
    block = whole(walk)[Placement.LEFT_THIGH]
    times = [c.t_s for c in walk.truth.contacts]
    return chain_of(Placement.THIGH, block.t_s, turned(block.acc_m_s2, RANDOM)), min(times), max(times)


@pytest.mark.parametrize("speed_m_s", [0.5, 0.8, 1.2, 1.7])
def test_a_walk_begins_and_ends_within_a_second(speed_m_s: float) -> None:
    chain, first_s, last_s = simulated(speed_m_s)
    (sequence,) = sequences_of({Placement.THIGH: chain})
    assert first_s - 1.0 <= sequence.start / 100.0 <= first_s + 0.5
    assert last_s - 0.5 <= sequence.end / 100.0 <= last_s + 1.5


@settings(max_examples=8, derandomize=True, deadline=None, database=None)
@given(st.lists(st.sampled_from([1, 2, 3, 7, 40]), min_size=200, max_size=200))
def test_sequences_do_not_depend_on_the_cuts(ticks_at_once: list[int]) -> None:
    chains = {Placement.THIGH: simulated(1.2)[0]}
    assert sequences_of(chains, ticks_at_once=ticks_at_once) == sequences_of(chains)


@pytest.mark.data
def test_a_whole_day_tick_by_tick_is_the_same() -> None:
    of = day(*DAILY[1])
    ticks = [1 + k % 3 for k in range(4000)]
    assert sequences_of(of.chains, ticks_at_once=ticks) == sequences_of(of.chains)


@pytest.mark.parametrize(("missing_s", "sequences"), [(0.3, 1), (1.0, 1), (2.6, 2)])
def test_a_walk_goes_on_over_a_short_hole(missing_s: float, sequences: int) -> None:
    """Missing samples are neither walking nor rest: up to 2 s of them break no walk; nothing before a
    longer hole's end, or after its beginning, is walking."""
    walk = simulate((Stand(6.0), Walk(seconds=16.0), Stand(6.0)), WalkerParams(speed_m_s=1.2), seed=2)
    block = whole(walk)[Placement.LEFT_THIGH]
    there = (block.t_s < 12.0) | (block.t_s >= 12.0 + missing_s)
    found = sequences_of(
        {Placement.THIGH: chain_of(Placement.THIGH, block.t_s[there], block.acc_m_s2[there])}
    )
    assert len(found) == sequences
    if sequences == 2:
        assert found[0].end <= 1201
        assert found[1].start >= 1200 + 100 * missing_s - 50


def test_a_trunk_that_is_still_overrules_a_moving_thigh() -> None:
    thigh, _, _ = simulated(1.2)
    still = np.tile([9.81, 0.0, 0.0], (3000, 1)) + 0.01 * np.random.default_rng(0).standard_normal((3000, 3))
    trunk = chain_of(Placement.PELVIS, np.arange(3000) / 100.0, still)
    assert sequences_of({Placement.THIGH: thigh, Placement.PELVIS: trunk}) == []


def test_thigh_of_a_seated_person_does_not_walk_once_its_posture_is_known() -> None:
    """The same movement, 60 degrees from how the thigh hung in walking."""
    chain, _, _ = simulated(1.2)
    rows = chain.raw.view(chain.raw.first, chain.raw.end)
    c, s = np.cos(np.radians(60.0)), np.sin(np.radians(60.0))
    up = rows[800:1800, :3].mean(axis=0)
    e = np.cross(up / np.linalg.norm(up), np.eye(3)[int(np.argmin(np.abs(up)))])
    axis = e / np.linalg.norm(e)
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    tilted = turned(rows[:, :3], np.eye(3) + s * k + (1 - c) * k @ k)
    both = np.vstack([rows[:, :3], tilted])
    twice = chain_of(Placement.THIGH, np.arange(len(both)) / 100.0, both)
    (only,) = sequences_of({Placement.THIGH: twice})
    assert only.end < len(rows)


def verdicts_of(rows: Floats) -> list[bool]:
    detector = WalkingDetector()
    n = (len(rows) - WINDOW) // TICK + 1
    return [v.walking for v in detector.push({Placement.THIGH: False}, lambda _: rows, lambda _: rows, n)]


def test_a_sensor_put_on_anew_is_believed_after_half_a_minute() -> None:
    chain = chain_of(*(Placement.THIGH, *_long_walk()))
    rows = chain.smooth.view(chain.smooth.first, chain.smooth.end)[: 9000 // TICK * TICK]
    upside_down = np.hstack([-rows[:, :3], rows[:, 3:]])
    seen = verdicts_of(np.vstack([rows, upside_down]))
    after = seen[len(rows) // TICK :]
    assert not any(after[:40])
    assert all(after[90:150])


def _long_walk() -> tuple[Floats, Floats]:
    block = whole(simulate((Walk(seconds=95.0),), WalkerParams(speed_m_s=1.2), seed=4))[Placement.LEFT_THIGH]
    return block.t_s, block.acc_m_s2


def test_a_pause_splits_and_its_edges_stay_outside() -> None:
    tracker = SequenceTracker()
    closed = [tracker.push(8 + i, True, 1.1, rest=0 if i < 4 else 50 * (i - 3)) for i in range(8)]
    ended = [g for g in closed if g is not None]
    assert [(g.start, g.end) for g in ended] == [(0, 550)]
    assert (8 + closed.index(ended[0])) * TICK - 550 >= PAUSE
    assert tracker.push(20, True, 1.1, lead=250) is None
    assert tracker.current is not None
    assert tracker.current.start == 20 * TICK - WINDOW + 250


@pytest.mark.data
def test_a_phone_in_a_pocket_sees_the_walk() -> None:
    chain = phone_walk("A_pixel_FrontPocket_1")
    found = sequences_of({Placement.PHONE: chain})
    assert sum(g.end - g.start for g in found) > 0.95 * (chain.smooth.end - chain.smooth.first)
