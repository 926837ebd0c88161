"""What the registry gives and takes: plain values, no database behind them.  Times are aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Role(StrEnum):
    """operator: installs, adds users, gives wearers.  therapist: reads the wearers she was given."""

    OPERATOR = "operator"
    THERAPIST = "therapist"


class AlertState(StrEnum):
    """open -> acknowledged -> recovering -> closed (reference: alert states in docs/ARCHITECTURE.md)."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RECOVERING = "recovering"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Wearer:
    """id is pseudonymous; display_name is what the therapist reads.  time_zone: an IANA name."""

    id: str
    display_name: str
    time_zone: str
    simulated: bool
    created_utc: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class User:
    id: int
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class AlertDraft:
    """A change worth a therapist's look, as gaitmon.trends decides it.

    topic: what it is about, e.g. "asymmetry"; one alert per wearer and topic is open at a time.
    since_day: ISO date of the first day of the change.  evidence: JSON-able, see gaitmon.web.evidence.
    """

    wearer: str
    topic: str
    since_day: str
    headline: str
    evidence: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Alert:
    id: int
    wearer: str
    topic: str
    state: AlertState
    headline: str
    evidence: Mapping[str, object]
    since_day: str
    opened_utc: datetime
    updated_utc: datetime
    closed_utc: datetime | None
    acknowledged_by: str | None
    acknowledged_utc: datetime | None
    note: str
    times_notified: int
    last_notified_utc: datetime | None


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    wearer: str
    author: str
    written_utc: datetime
    text: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """at_utc: first time; last_utc, times: polling by one open page is one entry, not thousands."""

    at_utc: datetime
    last_utc: datetime
    times: int
    user: str
    action: str
    wearer: str | None
    detail: str
