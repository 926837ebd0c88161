"""What the gateway heard, as blocks, gaps and clock bounds: a function of the raw events, live and replayed.

    RawEvent -> SensorStream per sensor  decode, device clock -> common time, losses   stream_sensor.py
             -> every 0.2 s of event time: samples and gaps of all sensors, in their order

Common time is the host's monotonic clock since the session was opened.  Nothing here asks what time it is,
and nothing depends on when an event is read: only on the events and their order.

A *segment* is a stretch with one common clock.  It ends with the session, and where a sensor's
clock begins anew (reboot, set).  A session that is opened again under the same name, on the same boot of
the host, with the same sensors and the same leg of the wearer, goes on: the collector was away, which is a
gap of every sensor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gaitmon.errors import ConfigError, ProfileError
from gaitmon.imu.clock import ClockRestart
from gaitmon.imu.clock_quality import pair_uncertainty_s
from gaitmon.model import Gap, ImuBlock, Placement, SyncBound
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.sensors.raw import (
    LinkDown,
    LinkUp,
    Notification,
    RawEvent,
    SessionClosed,
    SessionOpened,
    Stalled,
)
from gaitmon.sensors.stream_sensor import Loss, Out, SensorCounts, SensorStream

BATCH_S = 0.2
STRIDE_S = 10.0  # of silence at once, so that nobody must hold hours of it
BOUND_S = 1.0
_THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
SAME_BOOT_S = 1.0  # UTC and the monotonic clock have run alike between two openings


@dataclass(frozen=True, slots=True)
class SegmentBegan:
    """segment: its id.  start_s: on the common clock, t_s = 0 of which is anchor_utc_us."""

    segment: str
    session: SessionOpened
    start_s: float

    @property
    def anchor_utc_us(self) -> int:
        return self.session.utc_us


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    reason: str


StreamItem = SegmentBegan | ImuBlock | Gap | SyncBound | Loss | SegmentEnded


class EventStream:
    """Stateful, deterministic.  push in the order of the archive; flush where it ends for good."""

    def __init__(self, profiles: Mapping[str, FirmwareProfile]) -> None:
        self._profiles = profiles
        self._session: SessionOpened | None = None
        self._sensors: list[SensorStream] = []
        self._segments = 0  # of the session
        self._start_s = 0.0
        self._now_s = 0.0
        self._bound_s = -math.inf
        self._both_known = False

    @property
    def session(self) -> SessionOpened | None:
        """The open one."""
        return self._session

    @property
    def counts(self) -> tuple[SensorCounts, ...]:
        """In the order of the session's sensors."""
        return tuple(sensor.counts for sensor in self._sensors)

    def push(self, event: RawEvent) -> list[StreamItem]:
        """Raises ProfileError when a session needs a profile that is not there, ConfigError when it has two
        sensors in one place."""
        if isinstance(event, SessionOpened):
            return self._bounded(self._open(event))
        if (session := self._session) is None:
            return []
        out = self._advance(1e-9 * (event.monotonic_ns - session.monotonic_ns))
        if isinstance(event, SessionClosed):
            return self._bounded(out + self._close(session, event.reason))
        if event.sensor < len(self._sensors):
            out += self._heard(session, self._sensors[event.sensor], event)
        return self._bounded(out)

    def _heard(
        self, session: SessionOpened, sensor: SensorStream, event: LinkUp | Notification | Stalled | LinkDown
    ) -> list[StreamItem]:
        found: list[Out] = []  # Stalled: time has passed, which is all it says
        match event:
            case Notification():
                found = sensor.heard(event.connection, self._now_s, event.payload)
            case LinkUp():
                found = sensor.link_up(event.connection)
            case LinkDown():
                found = sensor.link_down()
        return self._segmented(session, found)

    def flush(self) -> list[StreamItem]:
        """The archive ends: the session with it."""
        return [] if self._session is None else self._close(self._session, "the archive ends")

    # ---- sessions -----------------------------------------------------------------------------

    def _open(self, event: SessionOpened) -> list[StreamItem]:
        out: list[StreamItem] = []
        if (before := self._session) is not None:
            if self._goes_on(before, event):
                for sensor in self._sensors:
                    out += self._segmented(before, sensor.link_down())
                return out + self._advance(1e-9 * (event.monotonic_ns - before.monotonic_ns))
            out = self._close(before, "another session")
        if before is None or before.session != event.session:
            self._segments = 0
        _check_placements(event)
        self._sensors = [SensorStream(s, self._profile(s.profile)) for s in event.sensors]
        self._session, self._now_s = event, 0.0
        return [*out, self._begin(event, 0.0)]

    def _goes_on(self, before: SessionOpened, now: SessionOpened) -> bool:
        same = (
            (before.session, before.wearer, before.gateway, before.sensors, before.spatial)
            == (now.session, now.wearer, now.gateway, now.sensors, now.spatial)
        )  # fmt: skip
        monotonic_s = 1e-9 * (now.monotonic_ns - before.monotonic_ns)
        utc_s = 1e-6 * (now.utc_us - before.utc_us)
        return same and monotonic_s >= self._now_s and abs(utc_s - monotonic_s) < SAME_BOOT_S

    def _profile(self, name: str) -> FirmwareProfile:
        if name not in self._profiles:
            raise ProfileError(f"There is no profile '{name}'.", "Put it into firmware_profiles.")
        return self._profiles[name]

    def _begin(self, session: SessionOpened, start_s: float) -> SegmentBegan:
        self._segments += 1
        self._start_s, self._bound_s, self._both_known = start_s, -math.inf, False
        return SegmentBegan(f"{session.session}-{self._segments}", session, start_s)

    def _close(self, session: SessionOpened, reason: str) -> list[StreamItem]:
        out: list[StreamItem] = []
        for sensor in self._sensors:
            out += self._segmented(session, sensor.link_down() + sensor.flush())
        self._session, self._sensors = None, []
        return [*out, SegmentEnded(reason)]

    # ---- time ---------------------------------------------------------------------------------

    def _advance(self, to_s: float) -> list[StreamItem]:
        """An event's time has come.  Notifications wait for the end of their cell of 0.2 s of event time."""
        to_s = max(to_s, self._now_s)
        before, self._now_s = self._now_s, to_s
        if self._session is None or math.floor(to_s / BATCH_S) == math.floor(before / BATCH_S):
            return []
        out: list[StreamItem] = []
        for sensor in self._sensors:
            out += self._segmented(self._session, sensor.drain())
        at = before
        while at < to_s:
            at = min(at + STRIDE_S, to_s)
            for sensor in self._sensors:
                out += self._segmented(self._session, sensor.pass_time(at, self._start_s))
        return out

    def _segmented(self, session: SessionOpened, items: list[Out]) -> list[StreamItem]:
        """Where a sensor's clock began anew, the segment of all of them ends."""
        out: list[StreamItem] = []
        for item in items:
            if isinstance(item, ClockRestart):
                out += [SegmentEnded(item.reason.value), self._begin(session, item.arrival_s)]
            else:
                out.append(item)
        return out

    def _bounded(self, items: list[StreamItem]) -> list[StreamItem]:
        """How far the thighs' clocks may be apart, said before the samples that it holds for."""
        thighs = [s for s in self._sensors if s.placement in _THIGHS]
        if not items or len(thighs) < 2:
            return items
        bound = pair_uncertainty_s(thighs[0].quality, thighs[1].quality, self._now_s)
        was_known, self._both_known = self._both_known, math.isfinite(bound)
        if not self._both_known or (was_known and self._now_s < self._bound_s + BOUND_S):
            return items
        self._bound_s = self._now_s
        began = max((n + 1 for n, i in enumerate(items) if isinstance(i, SegmentBegan)), default=0)
        first = [float(i.t_s[0]) for i in items[began:] if isinstance(i, ImuBlock) and i.placement in _THIGHS]
        at_s = self._now_s if was_known else min([self._now_s, *first])
        return [*items[:began], SyncBound(at_s, bound), *items[began:]]


def _check_placements(session: SessionOpened) -> None:
    worn = [s.placement for s in session.sensors if not s.placement.is_reference]
    if len(set(worn)) < len(worn):
        raise ConfigError("Two sensors are assigned to one place.", "Assign one sensor to each.")
