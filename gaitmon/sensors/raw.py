"""What a gateway heard, before anything was made of it.

These events are what the raw archive keeps and the only input of a live run, so that a replay of the
archive gives what the live run gave.  Times are the host's monotonic clock in nanoseconds, taken first
thing; UTC is noted once, when the session opens.  A sensor is a number: its place in the session's list.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gaitmon.model import Placement
from gaitmon.model_leg import SpatialParams


@dataclass(frozen=True, slots=True)
class AssignedSensor:
    """sensor: pseudonymous id, never a radio address.  profile, mode: of firmware_profiles/."""

    sensor: str
    placement: Placement
    profile: str
    mode: int
    rate_hz: float


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """One wearer, one gateway, one set of sensors, from start to stop of the collector.

    utc_us belongs to monotonic_ns.  time_sync: whether the host's UTC could be trusted then.  spatial: the
    wearer's leg and calibration, as they were known then.
    """

    session: str
    wearer: str
    gateway: str
    sensors: tuple[AssignedSensor, ...]
    monotonic_ns: int
    utc_us: int
    time_sync: str
    spatial: SpatialParams = field(default_factory=SpatialParams)


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The sensor streams: connected, checked and started.  connection: counts this sensor's links from 1."""

    sensor: int
    connection: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification of the mode's data characteristic, as it came."""

    sensor: int
    connection: int
    monotonic_ns: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Stalled:
    """Somebody listened and heard nothing of this sensor up to monotonic_ns: time passes without it."""

    sensor: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class LinkDown:
    sensor: int
    connection: int
    monotonic_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """Absent after a crash: then the session ends with its last event."""

    monotonic_ns: int
    reason: str


RawEvent = SessionOpened | LinkUp | Notification | Stalled | LinkDown | SessionClosed
