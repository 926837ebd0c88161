from __future__ import annotations

import asyncio
import math
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaitmon.errors import ConfigError
from gaitmon.model import Gap, ImuBlock, Placement
from gaitmon.sensors.recording import Recording, SampleStream
from gaitmon.sensors.replay import SILENCE_S, deliveries, due_s, replay
from tests.sensors.samples import recordings, steady


def without(stream: SampleStream, start_s: float, end_s: float) -> SampleStream:
    t_s, acc, gyr = stream.arrays()
    keep = (t_s < start_s) | (t_s >= end_s)
    return SampleStream.from_arrays(
        stream.placement, t_s[keep], acc[keep], None if gyr is None else gyr[keep]
    )


def walk() -> Recording:
    return Recording.of("walk", "test", [steady(Placement.PELVIS), steady(Placement.LEFT_THIGH)])


async def played(recording: Recording, speed: float) -> list[ImuBlock | Gap]:
    return [item async for item in replay(recording, speed=speed, block_s=0.5)]


class Clock:
    """Time passes only while someone sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_each_item_comes_when_its_last_sample_was_there() -> None:
    async def times(speed: float) -> list[tuple[float, float]]:
        clock = Clock()
        source = replay(walk(), speed=speed, block_s=0.5, clock=clock, sleep=clock.sleep)
        return [(due_s(item), clock() - 1000.0) async for item in source]

    for speed in (1.0, 20.0):
        found = asyncio.run(times(speed))
        assert len(found) == 40
        for due, wall in found:
            assert wall == pytest.approx(due / speed, abs=1e-9)


def test_twenty_times_as_fast_takes_a_twentieth_of_the_time() -> None:
    begin = time.monotonic()
    items = asyncio.run(played(walk(), 20.0))
    assert 0.45 <= time.monotonic() - begin <= 1.5
    assert len(items) == 40


def test_a_slow_consumer_loses_nothing_and_catches_up() -> None:
    async def consume() -> tuple[int, float]:
        clock = Clock()
        n = 0
        async for item in replay(walk(), speed=1.0, block_s=0.5, clock=clock, sleep=clock.sleep):
            n += len(item) if isinstance(item, ImuBlock) else 0
            if n == 50:
                clock.now += 3.0
        return n, clock() - 1000.0

    n, wall = asyncio.run(consume())
    assert n == 2000
    assert wall == pytest.approx(9.99)


def test_other_tasks_run_while_it_plays_as_fast_as_it_can() -> None:
    async def both() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(count())
        assert len(await played(walk(), math.inf)) == 40
        task.cancel()
        return turns

    assert asyncio.run(both()) >= 40


def test_a_silent_sensor_is_declared_missing() -> None:
    quiet = without(steady(Placement.LEFT_THIGH), 3.0, 7.5)
    items = list(deliveries(Recording.of("walk", "test", [steady(Placement.PELVIS), quiet]), 0.5))
    gaps = [item for item in items if isinstance(item, Gap)]
    assert {gap.placement for gap in gaps} == {Placement.LEFT_THIGH}
    assert gaps[0].start_s == pytest.approx(2.99)
    assert gaps[-1].end_s <= 7.5
    assert gaps[-1].end_s > 7.5 - SILENCE_S - 2 * 0.5 - 0.01
    # While it is silent, the others are never more than this ahead of what is known of it:
    assert all(b.start_s == pytest.approx(a.end_s) for a, b in pairwise(gaps))


def test_a_sensor_that_starts_late_or_stops_early_is_missing_too() -> None:
    late = without(steady(Placement.LEFT_THIGH), -1.0, 5.0)
    early = without(steady(Placement.RIGHT_THIGH), 5.0, 11.0)
    items = list(deliveries(Recording.of("walk", "test", [steady(Placement.PELVIS), late, early]), 0.5))
    gaps = {p: [g for g in items if isinstance(g, Gap) and g.placement is p] for p in Placement}
    assert gaps[Placement.LEFT_THIGH][0].start_s == 0.0
    assert gaps[Placement.RIGHT_THIGH][-1].end_s > 8.0
    assert not gaps[Placement.PELVIS]


@settings(max_examples=60, deadline=None)
@given(recordings(), st.floats(0.1, 2.0))
def test_gaps_overlap_nothing_and_no_sample_is_lost(recording: Recording, block_s: float) -> None:
    items = list(deliveries(recording, block_s))
    for placement, stream in recording.streams.items():
        mine = [item for item in items if item.placement is placement]
        if placement.is_reference:
            assert not mine
            continue
        known_s = -math.inf
        for item in mine:
            begin = item.start_s if isinstance(item, Gap) else float(item.t_s[0])
            assert begin >= known_s
            known_s = due_s(item)
        blocks = [item for item in mine if isinstance(item, ImuBlock)]
        assert np.concatenate([b.t_s for b in blocks]).tobytes() == stream.arrays()[0].tobytes()


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ConfigError, match="not positive"):
        asyncio.run(played(walk(), speed))
