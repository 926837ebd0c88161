"""How each sensor and each adapter fares, as frozen snapshots for the terminal, the pages and MQTT."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gaitmon.sensors.raw import AssignedSensor
from gaitmon.sensors.stream_sensor import SensorCounts

# Of the packets expected.  Sensors lose single ones; a link that cannot carry the stream loses far more.
SLOW = 0.9


class LinkState(StrEnum):
    SEARCHING = "searching"
    WAITING = "waiting for a slot"
    CONNECTING = "connecting"
    STREAMING = "streaming"
    STALLED = "stalled"
    STOPPED = "stopped"


CountsOf = Callable[[int], SensorCounts | None]
"""Sensor number -> what decoding found (EventStream.counts), None while there is nothing."""


@dataclass(frozen=True, slots=True)
class SensorHealth:
    """connections: links so far.  packets: since the start.  rate_hz: packets over the last seconds.
    packet_age_s: since the last one.  rssi_dbm: when last heard advertising.  connect_s: from being
    heard to the stream.  errors: by kind."""

    sensor: AssignedSensor
    state: LinkState
    message: str
    adapter: str | None
    connections: int
    attempts: int
    packets: int
    rate_hz: float
    packet_age_s: float | None
    counts: SensorCounts | None
    rssi_dbm: int | None
    battery_percent: int | None
    charging: bool | None
    connect_s: float | None
    errors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AdapterHealth:
    """slots: how many connections it is trusted with.  scans: scanner starts."""

    name: str
    slots: int
    connections: int
    scanning: bool
    scans: int
    message: str
    errors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Health:
    sensors: tuple[SensorHealth, ...]
    adapters: tuple[AdapterHealth, ...]


@dataclass(slots=True)
class Tally:
    """What one link writes down as it goes.  packets and last_ns are written by the notification callback.

    packet_hz: notifications to be expected, None where the profile does not tell.
    """

    sensor: AssignedSensor
    rate_window_s: float
    packet_hz: float | None
    state: LinkState = LinkState.SEARCHING
    message: str = ""
    adapter: str | None = None
    connections: int = 0
    attempts: int = 0
    packets: int = 0
    last_ns: int | None = None
    rssi_dbm: int | None = None
    battery_percent: int | None = None
    charging: bool | None = None
    connect_s: float | None = None
    errors: Counter[str] = field(default_factory=Counter)
    _marks: deque[tuple[int, int]] = field(default_factory=deque)

    def mark(self, now_ns: int) -> None:
        """Remember how many packets there were at now_ns: the rate is a difference of two marks."""
        self._marks.append((now_ns, self.packets))
        while now_ns - self._marks[0][0] > self.rate_window_s * 1e9:
            self._marks.popleft()

    def up(self) -> None:
        self.connections += 1
        self._marks.clear()

    def _rate(self) -> tuple[float, float]:
        """(packets a second, over how many seconds)."""
        if len(self._marks) < 2 or self.state is not LinkState.STREAMING:
            return 0.0, 0.0
        (t0, n0), (t1, n1) = self._marks[0], self._marks[-1]
        return (n1 - n0) / ((t1 - t0) * 1e-9), (t1 - t0) * 1e-9

    def snapshot(self, now_ns: int, counts: SensorCounts | None) -> SensorHealth:
        rate_hz, span_s = self._rate()
        slow = self.packet_hz is not None and rate_hz < SLOW * self.packet_hz
        if slow and self.state is LinkState.STREAMING and span_s > 0.8 * self.rate_window_s:
            message = (
                f"{self.sensor.placement.replace('_', ' ')}: {rate_hz:.0f} of {self.packet_hz:.0f} packets a "
                "second arrive. Come nearer, use fewer sensors or a shorter connection interval."
            )
        else:
            message = self.message
        return SensorHealth(
            sensor=self.sensor,
            state=self.state,
            message=message,
            adapter=self.adapter,
            connections=self.connections,
            attempts=self.attempts,
            packets=self.packets,
            rate_hz=rate_hz,
            packet_age_s=None if self.last_ns is None else (now_ns - self.last_ns) * 1e-9,
            counts=counts,
            rssi_dbm=self.rssi_dbm,
            battery_percent=self.battery_percent,
            charging=self.charging,
            connect_s=self.connect_s,
            errors=dict(self.errors),
        )
