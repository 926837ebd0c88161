"""What the demo plays: child processes that walk, each a gateway of its own with outbox and publisher.

walker   a recording, played as if live; or simulated walkers with virtual sensors on, over the air
history  simulated weeks of two wearers, one of whom gets worse
"""

# ruff: noqa: T201, PLC0415 - a command of the terminal; without its extra it does with less

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gaitmon.collector import Gateway, SegmentCollector, collect, segment_of
from gaitmon.collector_run import Counts
from gaitmon.config import Settings
from gaitmon.demo_people import HISTORY_DAYS, demo_wearers, leg, outings, walks_of_a_day
from gaitmon.demo_tie import DemoPlan, Tie, Told
from gaitmon.errors import ConfigError
from gaitmon.model import Gap, ImuBlock
from gaitmon.model_leg import SpatialParams
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.inspection import inspect
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.replay import deliveries, replay
from gaitmon.sensors.synthetic import recording_of
from gaitmon.transport.connection import MqttSettings

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
            begin_us = _now_us() - round(span_s * 1e6)
            _play(recording, "recording", SpatialParams(), feed, speed=plan.speed, begin_us=begin_us)
        else:
            feed = _Feed(gateway, tie)
            _walk_about(settings, gateway, feed, plan)
        _end(feed, plan)


def _walk_about(settings: Settings, gateway: Gateway, feed: _Feed, plan: DemoPlan) -> None:
    try:
        from gaitmon.demo_air import Ears, walk_over_the_air
    except ConfigError as error:
        print(f"gaitmon: {error} Until then the demo's walks are played without a radio.", file=sys.stderr)
        for outing in outings(plan):
            walk = recording_of(outing.walk, outing.name)
            _play(walk, outing.wearer, outing.spatial, feed, speed=plan.speed, begin_us=_now_us())
            if feed.tie.cut():
                return
    else:
        ears = Ears(feed.heard, feed.tie.cut)
        walk_over_the_air(settings, gateway, outings(plan), plan.speed, ears)


def _now_us() -> int:
    return time.time_ns() // 1000


def history(settings: Settings, mqtt: MqttSettings, plan: DemoPlan, tie: Tie) -> None:
    """Child process: the simulated weeks, as fast as can be."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with Gateway(settings, mqtt, "demo-history") as gateway:
        feed = _Feed(gateway, tie, days=HISTORY_DAYS)
        for day in range(HISTORY_DAYS):
            morning = today - timedelta(days=HISTORY_DAYS - day) + timedelta(hours=9)
            for wearer_id, wearer in demo_wearers().items():
                for walk in walks_of_a_day(wearer_id, wearer, day, morning):
                    if tie.cut():
                        return
                    _import(walk, wearer_id, gateway, leg(wearer.usual))
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


def _play(
    recording: Recording, wearer: str, spatial: SpatialParams, feed: _Feed, *, speed: float, begin_us: int
) -> None:
    """One recording as one segment, ended early when the demo stops."""
    found = inspect(recording)
    segment = segment_of(
        found.recording, wearer, feed.gateway.id, origin="live", start_utc_us=begin_us, spatial=spatial
    )
    collector = SegmentCollector(
        segment,
        found.recording.streams,
        feed.gateway.outbox,
        found.notices,
        bound=found.bound,
        spatial=spatial,
    )

    async def until_cut() -> AsyncIterator[ImuBlock | Gap]:
        async for item in replay(found.recording, speed=speed):
            if feed.tie.cut():
                return
            yield item

    feed.finished(asyncio.run(collect(until_cut(), collector, feed.heard)))


def _import(recording: Recording, wearer: str, gateway: Gateway, spatial: SpatialParams) -> None:
    segment = segment_of(recording, wearer, gateway.id, origin="import", spatial=spatial)
    notices = inspect(recording).notices
    collector = SegmentCollector(segment, recording.streams, gateway.outbox, notices, spatial=spatial)
    for item in deliveries(recording):
        collector.push(item)
    collector.finish()
