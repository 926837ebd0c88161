"""InfluxDB 2 as an additional sink, for Grafana.  docs/adr/0006-series-stores.md says why additional.

Measurements (time of a point: UTC of the row, whole microseconds, in nanoseconds):

    stride   tags wearer, side, revision                       at its opening contact
    bout     tags wearer, stratum, revision, simulated         at its start
    metric   tags wearer, stratum, metric, revision, simulated at its bout's start
    day      tags wearer, stratum, metric, simulated           at 00:00 UTC of the wearer's local date
    notice   tags wearer, kind, placement, revision            at its time
    posture  tags wearer, posture, revision, simulated         at its start
    segment  tags wearer, origin, revision, simulated          at its anchor

Tags are what dashboards select by and what takes few values; the segment, the ordinal and every text are
fields, because each of them as a tag would open a new series with every session.  A point is identified
by measurement, tags and time, so writing a row again changes nothing.  A field keeps one type for ever:
measures are floats even when whole, counts are integers.  An absent value is an absent field.
Verdicts have no time of their own and are not written: dashboards show bouts and days.  Waveforms are not
written either: no dashboard can draw them over a cycle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from gaitmon.errors import ConfigError, StoreError
from gaitmon.store.series import (
    BoutRow,
    DayRow,
    NoticeRow,
    PostureRow,
    Row,
    SegmentRow,
    StrideRow,
    Verdict,
)

BATCH_POINTS = 5000
TIMEOUT_S = 10.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")

Field = float | int | bool | str | None
Tags = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class InfluxSettings:
    """token: never shows in repr.  allow_plaintext: http beyond loopback, for a private network only."""

    url: str
    token: str = field(repr=False)
    org: str
    bucket: str
    allow_plaintext: bool = False

    def check(self) -> None:
        """Raises ConfigError for what must not be."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"{self.url!r} is not the address of an InfluxDB.", "Write https://host:8086.")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and not self.allow_plaintext:
            raise ConfigError(
                f"InfluxDB at {parts.hostname} would be reached without encryption.", "Use https://."
            )


class InfluxSink:
    """SeriesSink.  ``write`` returns when the server has answered, batch by batch."""

    def __init__(self, settings: InfluxSettings) -> None:
        settings.check()
        self._settings = settings
        self._client = InfluxDBClient(
            url=settings.url, token=settings.token, org=settings.org, timeout=int(TIMEOUT_S * 1000)
        )
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, rows: Sequence[Row]) -> None:
        points = [point for row in rows for point in points_of(row)]
        for first in range(0, len(points), BATCH_POINTS):
            self._write_batch(points[first : first + BATCH_POINTS])

    def close(self) -> None:
        self._writer.close()  # type: ignore[no-untyped-call] # the client library is half typed
        self._client.close()  # type: ignore[no-untyped-call]

    def _write_batch(self, points: list[Point]) -> None:
        settings = self._settings
        place = f"InfluxDB at {urlsplit(settings.url).netloc.rpartition('@')[2]}"
        try:
            self._writer.write(bucket=settings.bucket, org=settings.org, record=points)
        except ApiException as error:
            reason = error.message or error.reason
            raise StoreError(
                f"{place} refused a write ({error.status}): {reason}.", _remedy(error)
            ) from error
        except (HTTPError, OSError) as error:
            raise StoreError(
                f"{place} cannot be reached ({type(error).__name__}).", "Check that it runs; nothing is lost."
            ) from error


def _remedy(error: ApiException) -> str:
    match error.status:
        case 401 | 403:
            return "Check the token and that it may write to the bucket."
        case 404:
            return "Check the names of organisation and bucket."
        case 400 | 422:
            return "A field has another type in the bucket: use a bucket that only gaitmon writes to."
        case _:
            return "It is tried again; nothing is lost."


def points_of(row: Row) -> Iterator[Point]:
    match row:
        case StrideRow():
            yield _stride(row)
        case BoutRow():
            yield from _bout(row)
        case DayRow():
            yield _day(row)
        case NoticeRow():
            yield _notice(row)
        case SegmentRow():
            yield _segment(row)
        case PostureRow():
            yield _posture(row)
        case Verdict():
            pass


def _stride(row: StrideRow) -> Point:
    stance_s = None if row.fc_s is None else row.fc_s - row.start_s
    return _point(
        "stride",
        {"wearer": row.wearer, "side": row.side, "revision": row.revision},
        {
            "segment": row.segment,
            "ordinal": row.ordinal,
            "start_s": row.start_s,
            "fc_s": row.fc_s,
            "end_s": row.end_s,
            "opposite_ic_s": row.opposite_ic_s,
            "duration_s": row.end_s - row.start_s,
            "stance_s": stance_s,
            "thigh_rom_deg": row.thigh_rom_deg,
            "thigh_flexion_max_deg": row.thigh_flexion_max_deg,
            "thigh_flexion_min_deg": row.thigh_flexion_min_deg,
            "flags": ",".join(row.flags) or None,
        },
        row.start_utc_us,
    )


def _bout(row: BoutRow) -> Iterator[Point]:
    tags: Tags = {
        "wearer": row.wearer,
        "stratum": row.stratum,
        "revision": row.revision,
        "simulated": row.simulated,
    }
    yield _point(
        "bout",
        tags,
        {
            "segment": row.segment,
            "ordinal": row.ordinal,
            "duration_s": row.end_s - row.start_s,
            "n_steps": row.n_steps,
            "n_left": row.n_left,
            "n_right": row.n_right,
            "n_turns": len(row.turns),
            "quality": ",".join(row.quality) or None,
        },
        row.start_utc_us,
    )
    for metric in row.metrics:
        yield _point(
            "metric",
            {**tags, "metric": metric.metric},
            {
                "segment": row.segment,
                "bout": row.ordinal,
                "value": metric.value,
                "standard_error": metric.standard_error,
                "n_left": metric.n_left,
                "n_right": metric.n_right,
                "note": metric.note or None,
            },
            row.start_utc_us,
        )


def _day(row: DayRow) -> Point:
    midnight = datetime.fromisoformat(row.day).replace(tzinfo=UTC)
    return _point(
        "day",
        {"wearer": row.wearer, "stratum": row.stratum, "metric": row.metric, "simulated": row.simulated},
        {
            "value": row.value,
            "standard_error": row.standard_error,
            "n_strides": row.n_strides,
            "n_bouts": row.n_bouts,
            "valid": row.valid,
        },
        int(midnight.timestamp()) * 1_000_000,
    )


def _notice(row: NoticeRow) -> Point:
    return _point(
        "notice",
        {
            "wearer": row.wearer,
            "kind": row.kind,
            "placement": row.placement or "none",
            "revision": row.revision,
        },
        {"segment": row.segment, "text": row.text, "start_s": row.start_s, "end_s": row.end_s},
        row.at_utc_us,
    )


def _posture(row: PostureRow) -> Point:
    return _point(
        "posture",
        {
            "wearer": row.wearer,
            "posture": row.posture,
            "revision": row.revision,
            "simulated": row.simulated,
        },
        {"segment": row.segment, "duration_s": row.end_s - row.start_s},
        row.start_utc_us,
    )


def _segment(row: SegmentRow) -> Point:
    return _point(
        "segment",
        {
            "wearer": row.wearer,
            "origin": row.origin,
            "revision": row.revision,
            "simulated": row.simulated,
        },
        {
            "segment": row.segment,
            "time_sync": row.time_sync,
            "gateway": row.gateway,
            "produced_by": row.produced_by,
        },
        row.anchor_utc_us,
    )


def _point(measurement: str, tags: Tags, fields: Mapping[str, Field], utc_us: int) -> Point:
    point = Point(measurement)  # type: ignore[no-untyped-call] # the client library is half typed
    point.time(utc_us * 1000)  # type: ignore[no-untyped-call]
    for name, tag in tags.items():
        point.tag(name, str(tag).lower() if isinstance(tag, bool) else str(tag))  # type: ignore[no-untyped-call]
    for name, value in fields.items():
        if value is not None:
            point.field(name, value)  # type: ignore[no-untyped-call]
    return point
