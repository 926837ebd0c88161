"""What the demo plays: child processes that walk, each a gateway of its own with outbox and publisher.

walker   a recording or a simulated walker, played as if live
history  simulated weeks of two wearers, one of whom gets worse
"""

# ruff: noqa: T201 - a command of the terminal

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from gaitmon.collector import Gateway, SegmentCollector, collect, segment_of
from gaitmon.collector_run import Counts
from gaitmon.config import Settings
from gaitmon.demo_tie import DemoPlan, Tie, Told
from gaitmon.model import Gap, ImuBlock
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.inspection import inspect
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.replay import deliveries, replay
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import (
    Deterioration,
    Sit,
    Stand,
    Turn,
    Walk,
    WalkerParams,
    Wearer,
    daily_walk,
    simulate,
)
from gaitmon.transport.connection import MqttSettings

HISTORY_DAYS = 28
WORSE_FROM_DAY = 19
TELL_EVERY_S = 0.5
PATIENCE_S = 60.0  # without anything being stored, before a feed gives up
LAST_PATIENCE_S = 3.0  # the same once the demo is to end


class _Feed:
    """What walker and history share: a gateway, and the running total of all its segments."""

    def __init__(self, gateway: Gateway, tie: Tie, *, of_s: float | None = None, days: int = 0) -> None:
        self.gateway = gateway
        self.tie = tie
        self._told = Told(of_s=of_s, days=days)
        self._before = Counts()  # of the segments that are finished
        self._quiet_until_s = 0.0

    def heard(self, counts: Counts) -> None:
        """What the segment in hand has given so far."""
        self._say(self._with(counts))

    def finished(self, counts: Counts) -> None:
        self._say(self._with(counts), now=True)
        self._before = self._before.plus(counts)

    def _with(self, counts: Counts) -> Told:
        total = self._before.plus(counts)
        return replace(self._told, played_s=total.played_s, strides=total.strides, bouts=total.bouts)

    def day_done(self, day: int) -> None:
        self._say(replace(self._told, days_done=day + 1))

    def deliver(self) -> bool:
        """Wait until all is stored; False when nothing has moved for too long."""
        waiting = self._waiting()
        patience_s, since_s = PATIENCE_S, time.monotonic()
        while not self.gateway.publisher.drain(0.25):
            if self._waiting() != waiting:
                waiting, since_s = self._waiting(), time.monotonic()
            if patience_s == PATIENCE_S and self.tie.cut():
                patience_s, since_s = LAST_PATIENCE_S, time.monotonic()
            if time.monotonic() - since_s > patience_s:
                return False
            self._say(self._told)
        self._say(self._told, now=True)
        return True

    def _waiting(self) -> int:
        outbox = self.gateway.outbox
        return outbox.last_seq - outbox.base() + 1

    def _say(self, told: Told, *, now: bool = False) -> None:
        self._told = told
        if not now and time.monotonic() < self._quiet_until_s:
            return
        self._quiet_until_s = time.monotonic() + TELL_EVERY_S
        self.tie.tell(replace(told, waiting=self._waiting(), problem=self.gateway.publisher.progress.problem))


def walker(settings: Settings, mqtt: MqttSettings, plan: DemoPlan, tie: Tie) -> None:
    """Child process: one recording, or simulated walks without end."""
    with Gateway(settings, mqtt, "demo") as gateway:
        if plan.recording is not None:
            recording = open_recording(plan.recording, plan.placement_map, select=plan.select)
            span_s = recording.end_s - recording.start_s
            feed = _Feed(gateway, tie, of_s=span_s)
            # The walk ends now, not in the future, however fast it is played.
            _play(recording, "recording", feed, plan.speed, time.time_ns() // 1000 - round(span_s * 1e6))
        else:
            feed = _Feed(gateway, tie)
            for number in range(1) if plan.until_done else count():
                _play(_next_walk(number), "demo-live", feed, plan.speed, time.time_ns() // 1000)
                if tie.cut():
                    break
        _end(feed, plan)


def history(settings: Settings, mqtt: MqttSettings, plan: DemoPlan, tie: Tie) -> None:
    """Child process: the simulated weeks, as fast as can be."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with Gateway(settings, mqtt, "demo-history") as gateway:
        feed = _Feed(gateway, tie, days=HISTORY_DAYS)
        for day in range(HISTORY_DAYS):
            morning = today - timedelta(days=HISTORY_DAYS - day) + timedelta(hours=9)
            for wearer_id, wearer in demo_wearers().items():
                for walk in _walks_of_a_day(wearer_id, wearer, day, morning):
                    if tie.cut():
                        return
                    _import(walk, wearer_id, gateway)
            feed.day_done(day)
        _end(feed, plan)


def _end(feed: _Feed, plan: DemoPlan) -> None:
    delivered = feed.deliver()
    if not delivered and not feed.tie.cut():
        problem = feed.gateway.publisher.progress.problem or "the server confirms nothing."
        print(f"gaitmon: not everything could be delivered: {problem}", file=sys.stderr)
        sys.exit(1)
    if not plan.until_done:
        feed.tie.cut(None)


def _play(recording: Recording, wearer: str, feed: _Feed, speed: float, begin_us: int) -> None:
    """One recording as one segment, ended early when the demo stops."""
    found = inspect(recording)
    segment = segment_of(found.recording, wearer, feed.gateway.id, origin="live", start_utc_us=begin_us)
    collector = SegmentCollector(segment, found.recording.streams, feed.gateway.outbox, found.notices)

    async def until_cut() -> AsyncIterator[ImuBlock | Gap]:
        async for item in replay(found.recording, speed=speed):
            if feed.tie.cut():
                return
            yield item

    feed.finished(asyncio.run(collect(until_cut(), collector, feed.heard)))


def _import(recording: Recording, wearer: str, gateway: Gateway) -> None:
    segment = segment_of(recording, wearer, gateway.id, origin="import")
    collector = SegmentCollector(segment, recording.streams, gateway.outbox, inspect(recording).notices)
    for item in deliveries(recording):
        collector.push(item)
    collector.finish()


def _next_walk(number: int) -> Recording:
    """A minute or so of a simulated person's day; the first one is short: soon there is something to see."""
    person = WalkerParams(speed_m_s=1.2, step_time_asymmetry_pct=2.0, stance_time_asymmetry_pct=-3.0)
    steps: tuple[Stand | Walk | Turn | Sit, ...] = (
        Stand(4.0), Walk(seconds=15.0), Turn(180.0, 2.2), Walk(seconds=15.0),
    )  # fmt: skip
    if number:
        steps = (*steps, Turn(-90.0, 1.8), Walk(seconds=20.0), Stand(6.0), Sit(10.0), Stand(3.0))
    else:
        steps = (*steps, Stand(8.0))
    return recording_of(simulate(steps, person, seed=number), f"simulated walk {number + 1}")


def demo_wearers() -> dict[str, Wearer]:
    """Two simulated histories of some weeks: one gets worse from WORSE_FROM_DAY on, one does not."""
    worse = Deterioration(
        WORSE_FROM_DAY, ramp_days=5, step_time_pct=5.0, stance_time_pct=-6.0, thigh_rom_pct=-12.0,
        pelvic_drop_right_deg=3.0, speed_m_s=-0.05,
    )  # fmt: skip
    usual = WalkerParams(speed_m_s=1.15, step_time_asymmetry_pct=2.5, stance_time_asymmetry_pct=-3.0)
    return {
        "demo-a": Wearer(usual=usual, deterioration=worse, walks_per_day=3, legs_per_walk=3, seed=11),
        "demo-b": Wearer(usual=replace(usual, speed_m_s=1.25), walks_per_day=3, legs_per_walk=3, seed=12),
    }


def _walks_of_a_day(wearer_id: str, wearer: Wearer, day: int, morning: datetime) -> Iterator[Recording]:
    for number, walk in enumerate(daily_walk(wearer, day).walks):
        start_us = round((morning + timedelta(hours=2 * number)).timestamp() * 1e6)
        yield recording_of(walk, f"{wearer_id} day {day} walk {number + 1}", start_utc_us=start_us)
