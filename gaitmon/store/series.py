"""What the time-series store keeps, and the Protocols its backends satisfy.

A row is one result with its identity (DESIGN of identities: docs/ARCHITECTURE.md).  Rows arrive over
MQTT only (transport.ingest), are written as upserts, and are durable when ``write`` returns.
UTC is microseconds since 1970 as an integer, computed once on the gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gaitmon.model import MetricValue, Turn


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A stretch of recording with one clock.  identity: (wearer, segment); a higher revision replaces
    the whole segment atomically."""

    wearer: str
    segment: str
    revision: int
    anchor_utc_us: int  # UTC of t_s = 0
    time_sync: str  # "ntp", "unsynchronised", "file", "simulated"
    origin: str  # "live", "import", "replay"
    simulated: bool
    gateway: str
    produced_by: str  # version + parameter hash + profile


@dataclass(frozen=True, slots=True)
class StrideRow:
    """identity: (wearer, segment, side, ordinal).  side is "left", "right" or "unknown"."""

    wearer: str
    segment: str
    revision: int
    side: str
    ordinal: int
    start_utc_us: int
    start_s: float
    fc_s: float | None
    end_s: float
    opposite_ic_s: float | None
    thigh_rom_deg: float | None
    thigh_flexion_max_deg: float | None
    thigh_flexion_min_deg: float | None
    flags: tuple[str, ...]
    # Known once the bout is closed, None before:
    bout: int | None = None
    straight: bool | None = None
    accepted: bool | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BoutRow:
    """identity: (wearer, segment, ordinal)."""

    wearer: str
    segment: str
    revision: int
    ordinal: int
    start_utc_us: int
    end_utc_us: int
    start_s: float
    end_s: float
    stratum: str
    n_left: int  # accepted straight strides
    n_right: int
    turns: tuple[Turn, ...]
    metrics: tuple[MetricValue, ...]
    quality: tuple[str, ...]
    simulated: bool


@dataclass(frozen=True, slots=True)
class DayRow:
    """One metric of one wearer on one local day in one stratum.  identity: (wearer, day, stratum, metric)."""

    wearer: str
    day: str  # ISO date in the wearer's own time zone
    stratum: str
    metric: str
    value: float | None
    standard_error: float | None
    n_strides: int
    n_bouts: int
    valid: bool  # enough strides to count in baseline and alert
    simulated: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """A closed bout's word on one stride: fills the late columns of StrideRow."""

    wearer: str
    segment: str
    revision: int
    side: str
    ordinal: int
    bout: int
    straight: bool
    accepted: bool
    reason: str


Row = SegmentRow | StrideRow | BoutRow | Verdict | DayRow


@dataclass(frozen=True, slots=True)
class Delivery:
    """(outbox uuid, seq): recorded in the same transaction as the rows of that message."""

    outbox: str
    seq: int


class SeriesSink(Protocol):
    """Somewhere results are written.  InfluxDB is one; so is SQLite."""

    def write(self, rows: Sequence[Row]) -> None:
        """Upsert; durable on return.  Raises StoreError when it is not."""

    def close(self) -> None: ...


class SeriesStore(SeriesSink, Protocol):
    """The store that pages, days and alerts read."""

    def write_delivered(self, rows: Sequence[Row], deliveries: Sequence[Delivery]) -> None:
        """Upsert rows and record deliveries in one transaction."""

    def watermark(self, outbox: str) -> int:
        """Highest seq such that it and every one before it is recorded; 0 when none is."""

    def wearers(self) -> list[str]: ...

    def strides(self, wearer: str, segment: str, bout: int | None = None) -> list[StrideRow]: ...

    def bouts(self, wearer: str, start_utc_us: int, end_utc_us: int) -> list[BoutRow]:
        """Bouts that start in [start, end), oldest first."""

    def latest_bout(self, wearer: str) -> BoutRow | None:
        """The newest bout with straight accepted strides of both sides, else the newest bout."""

    def days(self, wearer: str, metric: str | None = None, since_day: str | None = None) -> list[DayRow]:
        """Oldest first."""

    def segment(self, wearer: str, segment: str) -> SegmentRow | None: ...
