"""The tables of the SQLite store, and how rows become records and back.

Floats are stored as SQLite's 8-byte reals and, inside JSON text, as Python's shortest repr: both
come back bit for bit.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from typing import Any

from gaitmon.model import Angle, MetricValue, Side, Turn, Waveform
from gaitmon.store.series import BoutRow, DayRow, NoticeRow, PostureRow, SegmentRow, StrideRow, Verdict

SCHEMA_VERSION = 2  # 1: before postures, waveforms and sensors' health

# current: the revision in force of each segment; what readers see is joined with it.
# strides are clustered by identity: they are read by segment, or one by one from a bout's verdicts.
# verdicts are a table of their own because one may arrive before its stride.
# bouts and metrics are clustered by (wearer, time): trends read months of them in order.
# metrics are long (one row per bout and metric), so that a new metric changes no schema.
# delivered: seqs beyond the watermark only; bounded by the publisher's window.
SCHEMA = """
CREATE TABLE wearers (wearer TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE segments (
    wearer TEXT NOT NULL, segment TEXT NOT NULL, revision INTEGER NOT NULL,
    anchor_utc_us INTEGER NOT NULL, time_sync TEXT NOT NULL, origin TEXT NOT NULL,
    simulated INTEGER NOT NULL, gateway TEXT NOT NULL, produced_by TEXT NOT NULL,
    n_strides INTEGER, n_bouts INTEGER,
    PRIMARY KEY (wearer, segment, revision)) WITHOUT ROWID;
CREATE TABLE current (
    wearer TEXT NOT NULL, segment TEXT NOT NULL, revision INTEGER NOT NULL,
    PRIMARY KEY (wearer, segment)) WITHOUT ROWID;
CREATE TABLE strides (
    wearer TEXT NOT NULL, segment TEXT NOT NULL, revision INTEGER NOT NULL,
    side TEXT NOT NULL, ordinal INTEGER NOT NULL,
    start_utc_us INTEGER NOT NULL, start_s REAL NOT NULL, fc_s REAL, end_s REAL NOT NULL,
    opposite_ic_s REAL, thigh_rom_deg REAL, thigh_flexion_max_deg REAL, thigh_flexion_min_deg REAL,
    flags TEXT NOT NULL,
    PRIMARY KEY (wearer, segment, revision, side, ordinal)) WITHOUT ROWID;
CREATE TABLE verdicts (
    wearer TEXT NOT NULL, segment TEXT NOT NULL, revision INTEGER NOT NULL,
    bout INTEGER NOT NULL, side TEXT NOT NULL, ordinal INTEGER NOT NULL,
    straight INTEGER NOT NULL, accepted INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (wearer, segment, revision, bout, side, ordinal)) WITHOUT ROWID;
CREATE TABLE bouts (
    wearer TEXT NOT NULL, start_utc_us INTEGER NOT NULL,
    segment TEXT NOT NULL, revision INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    end_utc_us INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL, stratum TEXT NOT NULL,
    n_steps INTEGER NOT NULL, n_left INTEGER NOT NULL, n_right INTEGER NOT NULL,
    turns TEXT NOT NULL, quality TEXT NOT NULL, simulated INTEGER NOT NULL,
    waveforms BLOB NOT NULL,
    PRIMARY KEY (wearer, start_utc_us, segment, revision, ordinal)) WITHOUT ROWID;
CREATE UNIQUE INDEX bout_identity ON bouts (wearer, segment, revision, ordinal);
CREATE TABLE metrics (
    wearer TEXT NOT NULL, start_utc_us INTEGER NOT NULL,
    segment TEXT NOT NULL, revision INTEGER NOT NULL, bout INTEGER NOT NULL, position INTEGER NOT NULL,
    metric TEXT NOT NULL, value REAL, standard_error REAL,
    n_left INTEGER NOT NULL, n_right INTEGER NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (wearer, start_utc_us, segment, revision, bout, position)) WITHOUT ROWID;
CREATE TABLE days (
    wearer TEXT NOT NULL, metric TEXT NOT NULL, day TEXT NOT NULL, stratum TEXT NOT NULL,
    value REAL, standard_error REAL, n_strides INTEGER NOT NULL, n_bouts INTEGER NOT NULL,
    valid INTEGER NOT NULL, simulated INTEGER NOT NULL,
    PRIMARY KEY (wearer, metric, day, stratum)) WITHOUT ROWID;
CREATE TABLE notices (
    wearer TEXT NOT NULL, segment TEXT NOT NULL, revision INTEGER NOT NULL, identity TEXT NOT NULL,
    kind TEXT NOT NULL, text TEXT NOT NULL, placement TEXT, start_s REAL, end_s REAL,
    at_utc_us INTEGER NOT NULL,
    PRIMARY KEY (wearer, segment, revision, identity)) WITHOUT ROWID;
CREATE TABLE postures (
    wearer TEXT NOT NULL, start_utc_us INTEGER NOT NULL, segment TEXT NOT NULL, revision INTEGER NOT NULL,
    end_utc_us INTEGER NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL, posture TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    PRIMARY KEY (wearer, start_utc_us, segment, revision)) WITHOUT ROWID;
CREATE TABLE gateways (
    gateway TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, connection TEXT NOT NULL,
    at_utc_us INTEGER NOT NULL, pending INTEGER NOT NULL, version TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE health (
    gateway TEXT NOT NULL, sensor TEXT NOT NULL, wearer TEXT NOT NULL, at_utc_us INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (gateway, sensor)) WITHOUT ROWID;
CREATE TABLE outboxes (
    outbox TEXT NOT NULL PRIMARY KEY, gateway TEXT NOT NULL, watermark INTEGER NOT NULL,
    used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE delivered (
    outbox TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (outbox, seq)) WITHOUT ROWID;
CREATE TABLE losses (
    outbox TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (outbox, first)) WITHOUT ROWID;
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, payload BLOB NOT NULL,
    reason TEXT NOT NULL, times INTEGER NOT NULL);
CREATE TABLE touched (
    wearer TEXT NOT NULL, start_utc_us INTEGER NOT NULL, mark INTEGER NOT NULL,
    PRIMARY KEY (wearer, start_utc_us)) WITHOUT ROWID;
CREATE TABLE counter (n INTEGER NOT NULL);
INSERT INTO counter VALUES (0)
"""

# Of a bout, one after the other: number of the angle (gaitmon.model.Angle), right, strides, Waveform.packed.
_WAVEFORM = struct.Struct("<BBI404s")
_ANGLES = tuple(Angle)  # stored by position: new ones go to the end

SEGMENT_TABLES = ("segments", "strides", "verdicts", "bouts", "metrics", "notices", "postures")

INSERT_SEGMENT = "INSERT OR REPLACE INTO segments VALUES (?,?,?,?,?,?,?,?,?,?,?)"
INSERT_STRIDE = "INSERT OR REPLACE INTO strides VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
INSERT_VERDICT = "INSERT OR REPLACE INTO verdicts VALUES (?,?,?,?,?,?,?,?,?)"
INSERT_BOUT = "INSERT OR REPLACE INTO bouts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
INSERT_METRIC = "INSERT OR REPLACE INTO metrics VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
INSERT_DAY = "INSERT OR REPLACE INTO days VALUES (?,?,?,?,?,?,?,?,?,?)"
INSERT_POSTURE = "INSERT OR IGNORE INTO postures VALUES (?,?,?,?,?,?,?,?,?)"
INSERT_NOTICE = "INSERT OR REPLACE INTO notices VALUES (?,?,?,?,?,?,?,?,?,?)"

SELECT_STRIDES = (
    "SELECT wearer, segment, revision, side, ordinal, start_utc_us, start_s, fc_s, end_s, opposite_ic_s,"
    " thigh_rom_deg, thigh_flexion_max_deg, thigh_flexion_min_deg, flags FROM strides"
)
SELECT_BOUTS = (
    "SELECT b.wearer, b.segment, b.revision, b.ordinal, b.start_utc_us, b.end_utc_us, b.start_s, b.end_s,"
    " b.stratum, b.n_steps, b.n_left, b.n_right, b.turns, b.quality, b.simulated, b.waveforms FROM bouts b"
    " JOIN current c ON c.wearer = b.wearer AND c.segment = b.segment AND c.revision = b.revision"
)

Values = list[Any]
Record = tuple[Any, ...]  # what sqlite3 takes and gives: int | float | str | bytes | None, per column


def segment_record(row: SegmentRow) -> Record:
    return (
        row.wearer, row.segment, row.revision, row.anchor_utc_us, row.time_sync, row.origin,
        row.simulated, row.gateway, row.produced_by, row.n_strides, row.n_bouts,
    )  # fmt: skip


def segment_of(r: Record) -> SegmentRow:
    values: Values = [*r[:6], bool(r[6]), *r[7:]]
    return SegmentRow(*values)


def stride_record(row: StrideRow) -> Record:
    return (
        row.wearer, row.segment, row.revision, row.side, row.ordinal, row.start_utc_us, row.start_s,
        row.fc_s, row.end_s, row.opposite_ic_s, row.thigh_rom_deg, row.thigh_flexion_max_deg,
        row.thigh_flexion_min_deg, json.dumps(row.flags),
    )  # fmt: skip


def stride_of(r: Record, verdict: Record | None) -> StrideRow:
    """verdict: (bout, straight, accepted, reason), None while the bout is open."""
    values: Values = [*r[:13], tuple(json.loads(r[13]))]
    if verdict is not None:
        values += [verdict[0], bool(verdict[1]), bool(verdict[2]), verdict[3]]
    return StrideRow(*values)


def verdict_of_stride(row: StrideRow) -> Verdict | None:
    """The late columns of a stride row that has them."""
    if row.bout is None:
        return None
    return Verdict(
        row.wearer, row.segment, row.revision, row.side, row.ordinal,
        row.bout, bool(row.straight), bool(row.accepted), row.reason or "",
    )  # fmt: skip


def verdict_record(row: Verdict) -> Record:
    return (
        row.wearer, row.segment, row.revision, row.bout, row.side, row.ordinal,
        row.straight, row.accepted, row.reason,
    )  # fmt: skip


def bout_record(row: BoutRow) -> Record:
    turns = json.dumps([(t.start_s, t.end_s, t.angle_rad) for t in row.turns])
    return (
        row.wearer, row.start_utc_us, row.segment, row.revision, row.ordinal, row.end_utc_us, row.start_s,
        row.end_s, row.stratum, row.n_steps, row.n_left, row.n_right, turns, json.dumps(row.quality),
        row.simulated,
        b"".join(_waveform_record(w) for w in row.waveforms),
    )  # fmt: skip


def metric_records(row: BoutRow) -> list[Record]:
    key = (row.wearer, row.start_utc_us, row.segment, row.revision, row.ordinal)
    return [
        (*key, position, m.metric, m.value, m.standard_error, m.n_left, m.n_right, m.note)
        for position, m in enumerate(row.metrics)
    ]


def bout_of(r: Record, metrics: Iterable[MetricValue]) -> BoutRow:
    """r: a record of SELECT_BOUTS."""
    turns = tuple(Turn(*turn) for turn in json.loads(r[12]))
    values: Values = [*r[:12], turns, tuple(metrics), tuple(json.loads(r[13])), bool(r[14])]
    waves = (r[15][at : at + _WAVEFORM.size] for at in range(0, len(r[15]), _WAVEFORM.size))
    values.append(tuple(_waveform_of(w) for w in waves))
    return BoutRow(*values)


def _waveform_record(waveform: Waveform) -> bytes:
    return _WAVEFORM.pack(
        _ANGLES.index(waveform.angle), waveform.side is Side.RIGHT, waveform.n, waveform.packed
    )


def _waveform_of(record: bytes) -> Waveform:
    angle, right, n, packed = _WAVEFORM.unpack(record)
    return Waveform(_ANGLES[angle], Side.RIGHT if right else Side.LEFT, n, packed)


def day_record(row: DayRow) -> Record:
    return (
        row.wearer, row.metric, row.day, row.stratum, row.value, row.standard_error,
        row.n_strides, row.n_bouts, row.valid, row.simulated,
    )  # fmt: skip


def day_of(r: Record) -> DayRow:
    """r: a whole record of the table."""
    values: Values = [r[0], r[2], r[3], r[1], *r[4:8], bool(r[8]), bool(r[9])]
    return DayRow(*values)


def notice_record(row: NoticeRow) -> Record:
    identity = json.dumps([row.kind, row.placement, row.start_s, row.end_s, row.text])
    return (
        row.wearer, row.segment, row.revision, identity, row.kind, row.text, row.placement,
        row.start_s, row.end_s, row.at_utc_us,
    )  # fmt: skip


def notice_of(r: Record) -> NoticeRow:
    return NoticeRow(*r[:3], *r[4:])


def posture_record(row: PostureRow) -> Record:
    return (
        row.wearer, row.start_utc_us, row.segment, row.revision, row.end_utc_us, row.start_s, row.end_s,
        row.posture, row.simulated,
    )  # fmt: skip


def posture_of(r: Record) -> PostureRow:
    """r: a whole record of the table."""
    return PostureRow(r[0], r[2], r[3], r[7], r[1], r[4], r[5], r[6], bool(r[8]))
