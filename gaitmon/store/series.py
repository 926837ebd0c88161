"""What the time-series store keeps, and the Protocols its backends satisfy.

A row is one result with its identity (DESIGN of identities: docs/ARCHITECTURE.md).  Rows arrive over
MQTT only (transport.ingest), are written as upserts, and are durable when ``write`` returns.
UTC is microseconds since 1970 as an integer, computed once on the gateway.

**Revisions.**  A segment without rows shows what arrives as it arrives.  A higher revision is kept
aside until its SegmentRow is there and, where that row says how many strides and bouts belong to it,
until they are too; then it replaces the whole segment in one transaction.  So nobody ever reads half
of an old and half of a new analysis.  Rows of a lower revision than the one in force are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gaitmon.model import MetricValue, Turn, Waveform


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A stretch of recording with one clock.  identity: (wearer, segment); a higher revision replaces
    the whole segment atomically.

    n_strides, n_bouts: how many a replacing revision consists of; None where nobody knows yet (live).
    """

    wearer: str
    segment: str
    revision: int
    anchor_utc_us: int  # UTC of t_s = 0
    time_sync: str  # "ntp", "unsynchronised", "file", "simulated"
    origin: str  # "live", "import", "replay"
    simulated: bool
    gateway: str
    produced_by: str  # version + hashes of parameters and core + profile
    n_strides: int | None = None
    n_bouts: int | None = None


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
    n_steps: int  # initial contacts, of strides that were not accepted too
    n_left: int  # accepted straight strides
    n_right: int
    turns: tuple[Turn, ...]
    metrics: tuple[MetricValue, ...]
    quality: tuple[str, ...]
    simulated: bool
    waveforms: tuple[Waveform, ...] = ()


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


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """What is missing or doubtful in a segment.  identity: every field (a notice has no number)."""

    wearer: str
    segment: str
    revision: int
    kind: str
    text: str
    placement: str | None
    start_s: float | None
    end_s: float | None
    at_utc_us: int


@dataclass(frozen=True, slots=True)
class PostureRow:
    """One posture in [start, end).  identity: (wearer, segment, start_s).  posture: gaitmon.model.Posture."""

    wearer: str
    segment: str
    revision: int
    posture: str
    start_utc_us: int
    end_utc_us: int
    start_s: float
    end_s: float
    simulated: bool


Row = SegmentRow | StrideRow | BoutRow | Verdict | DayRow | NoticeRow | PostureRow


@dataclass(frozen=True, slots=True)
class Delivery:
    """(outbox uuid, seq): recorded in the same transaction as the rows of that message.

    gateway: the one that published it; an outbox belongs to the first gateway that used it.
    base: the publisher's lowest seq not yet confirmed as stored.  A base beyond the watermark means
    that this store once confirmed rows which it no longer has (restored from a backup): the watermark
    moves on, and the loss is recorded (``losses``).
    """

    outbox: str
    seq: int
    gateway: str = ""
    base: int = 1


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be stored, kept whole.  identity: (topic, payload)."""

    topic: str
    payload: bytes
    reason: str
    times: int = 1  # how often it arrived


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """What a gateway last said of itself.  identity: gateway.

    state: "ready", "lost" (by its last will) or "sleeping" (it said goodbye).
    connection: which connection said so; the last will of an older connection is ignored.
    """

    gateway: str
    state: str
    connection: str
    at_utc_us: int
    pending: int
    version: str


@dataclass(frozen=True, slots=True)
class HealthRow:
    """How a gateway last heard a sensor.  identity: (gateway, sensor).  body: JSON, a SensorHealthBody."""

    gateway: str
    sensor: str
    wearer: str
    at_utc_us: int
    body: str


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """How far one outbox is stored.  watermark: every seq up to it is; 0 when none is."""

    outbox: str
    gateway: str
    watermark: int


@dataclass(frozen=True, slots=True)
class Loss:
    """Seqs first..last of an outbox were confirmed once and are not in this store any more."""

    outbox: str
    gateway: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Touched:
    """A bout or a posture of this wearer that starts at this time appeared, changed or vanished.

    mark: grows with every change, so that clearing an old mark does not clear a newer one.
    """

    wearer: str
    start_utc_us: int
    mark: int


class SeriesSink(Protocol):
    """Somewhere results are written.  InfluxDB is one; so is SQLite."""

    def write(self, rows: Sequence[Row]) -> None:
        """Upsert; durable on return.  Raises StoreError when it is not."""

    def close(self) -> None: ...


class SeriesStore(SeriesSink, Protocol):
    """The store that pages, days and alerts read."""

    def write_delivered(
        self, rows: Sequence[Row], deliveries: Sequence[Delivery], dead: Sequence[DeadLetter] = ()
    ) -> None:
        """Upsert rows, record deliveries and keep dead letters in one transaction.

        A delivery whose outbox belongs to another gateway is not recorded.
        """

    def watermark(self, outbox: str) -> int:
        """Highest seq such that it and every one before it is recorded; 0 when none is."""

    def wearers(self) -> list[str]: ...

    def strides(self, wearer: str, segment: str, bout: int | None = None) -> list[StrideRow]: ...

    def bouts(self, wearer: str, start_utc_us: int, end_utc_us: int) -> list[BoutRow]:
        """Bouts that start in [start, end), oldest first."""

    def postures(self, wearer: str, start_utc_us: int, end_utc_us: int) -> list[PostureRow]:
        """Spans that begin before end and end after start, oldest first."""

    def latest_bout(self, wearer: str) -> BoutRow | None:
        """The newest bout with straight accepted strides of both sides, else the newest bout."""

    def days(self, wearer: str, metric: str | None = None, since_day: str | None = None) -> list[DayRow]:
        """Oldest first."""

    def segment(self, wearer: str, segment: str) -> SegmentRow | None: ...

    def notices(self, wearer: str, segment: str) -> list[NoticeRow]: ...

    def write_gateway(self, row: GatewayRow) -> None: ...

    def gateways(self) -> list[GatewayRow]: ...

    def write_health(self, rows: Sequence[HealthRow]) -> None:
        """The newest of each (gateway, sensor) is kept."""

    def health(self, wearer: str | None = None) -> list[HealthRow]:
        """The latest of every sensor, or of every sensor that this wearer wore last."""

    def outboxes(self) -> list[OutboxRow]:
        """Least recently used first."""

    def losses(self) -> list[Loss]: ...

    def dead_letters(self) -> list[DeadLetter]:
        """Oldest first."""

    def remove_dead_letter(self, letter: DeadLetter) -> None: ...

    def touched(self) -> list[Touched]:
        """Starts of bouts and postures whose days are to be computed again; survives a restart."""

    def clear_touched(self, marks: Sequence[Touched]) -> None: ...
