"""How rows and deliveries enter the SQLite store.  Everything here runs inside one write transaction."""

# ruff: noqa: S608 - table and column names are constants of this package, values are always bound

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from gaitmon.model import MetricValue
from gaitmon.store import sqlite_rows as sql
from gaitmon.store.series import (
    BoutRow,
    DayRow,
    Delivery,
    NoticeRow,
    PostureRow,
    Row,
    SegmentRow,
    StrideRow,
    Verdict,
)

Segment = tuple[str, str]  # wearer, segment
SegmentPart = SegmentRow | StrideRow | BoutRow | Verdict | NoticeRow | PostureRow


def write_rows(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Upsert rows in any order; then put complete new revisions into force."""
    for wearer in {row.wearer for row in rows}:
        db.execute("INSERT OR IGNORE INTO wearers VALUES (?)", (wearer,))
    current: dict[Segment, int] = {}
    waiting: set[Segment] = set()
    for row in rows:
        if isinstance(row, DayRow):
            db.execute(sql.INSERT_DAY, sql.day_record(row))
            continue
        key = (row.wearer, row.segment)
        if key not in current:
            current[key] = _current_revision(db, key, row.revision)
        if row.revision < current[key]:
            continue
        _write_part(db, row, in_force=row.revision == current[key])
        if row.revision > current[key]:
            waiting.add(key)
    for key in sorted(waiting):
        _put_into_force(db, key, current[key])


def _current_revision(db: sqlite3.Connection, key: Segment, first_seen: int) -> int:
    """The revision in force; the first row of a segment puts its own into force."""
    db.execute("INSERT OR IGNORE INTO current VALUES (?,?,?)", (*key, first_seen))
    found = db.execute("SELECT revision FROM current WHERE wearer=? AND segment=?", key).fetchone()
    return int(found[0])


def _write_part(db: sqlite3.Connection, row: SegmentPart, in_force: bool) -> None:
    match row:
        case StrideRow():
            db.execute(sql.INSERT_STRIDE, sql.stride_record(row))
            verdict = sql.verdict_of_stride(row)
            if verdict is not None:
                db.execute(sql.INSERT_VERDICT, sql.verdict_record(verdict))
        case Verdict():
            db.execute(sql.INSERT_VERDICT, sql.verdict_record(row))
        case BoutRow():
            _write_bout(db, row, in_force)
        case SegmentRow():
            db.execute(sql.INSERT_SEGMENT, sql.segment_record(row))
        case NoticeRow():
            db.execute(sql.INSERT_NOTICE, sql.notice_record(row))
        case PostureRow():
            new = db.execute(sql.INSERT_POSTURE, sql.posture_record(row)).rowcount
            if in_force and new:
                _touch(db, row.wearer, [row.start_utc_us])


def _write_bout(db: sqlite3.Connection, row: BoutRow, in_force: bool) -> None:
    known = _bout(db, row)
    if known == row:
        return
    starts = [row.start_utc_us]
    if known is not None:
        starts.append(known.start_utc_us)
        for table, number in (("bouts", "ordinal"), ("metrics", "bout")):
            db.execute(
                f"DELETE FROM {table} WHERE wearer=? AND start_utc_us=? AND segment=?"
                f" AND revision=? AND {number}=?",
                (row.wearer, known.start_utc_us, row.segment, row.revision, row.ordinal),
            )
    db.execute(sql.INSERT_BOUT, sql.bout_record(row))
    db.executemany(sql.INSERT_METRIC, sql.metric_records(row))
    if in_force:
        _touch(db, row.wearer, starts)


def _bout(db: sqlite3.Connection, row: BoutRow) -> BoutRow | None:
    """What is stored under the identity of ``row``, whatever revision is in force."""
    found = db.execute(
        "SELECT wearer, segment, revision, ordinal, start_utc_us, end_utc_us, start_s, end_s, stratum,"
        " n_steps, n_left, n_right, turns, quality, simulated, waveforms FROM bouts"
        " WHERE wearer=? AND segment=? AND revision=? AND ordinal=?",
        (row.wearer, row.segment, row.revision, row.ordinal),
    ).fetchone()
    if found is None:
        return None
    metrics = db.execute(
        "SELECT metric, value, standard_error, n_left, n_right, note FROM metrics"
        " WHERE wearer=? AND start_utc_us=? AND segment=? AND revision=? AND bout=? ORDER BY position",
        (row.wearer, found[4], row.segment, row.revision, row.ordinal),
    )
    return sql.bout_of(found, (MetricValue(*m) for m in metrics))


def _touch(db: sqlite3.Connection, wearer: str, starts: Iterable[int]) -> None:
    db.execute("UPDATE counter SET n = n + 1")
    mark = db.execute("SELECT n FROM counter").fetchone()[0]
    db.executemany("INSERT OR REPLACE INTO touched VALUES (?,?,?)", [(wearer, s, mark) for s in starts])


def _put_into_force(db: sqlite3.Connection, key: Segment, current: int) -> None:
    """Replace the segment by its highest complete revision, if there is one above ``current``."""
    candidates = db.execute(
        "SELECT revision, n_strides, n_bouts FROM segments WHERE wearer=? AND segment=? AND revision>?"
        " ORDER BY revision DESC",
        (*key, current),
    ).fetchall()
    for revision, n_strides, n_bouts in candidates:
        if all(
            expected is None or _count(db, table, key, revision) >= expected
            for table, expected in (("strides", n_strides), ("bouts", n_bouts))
        ):
            _replace(db, key, revision)
            return


def _count(db: sqlite3.Connection, table: str, key: Segment, revision: int) -> int:
    query = f"SELECT count(*) FROM {table} WHERE wearer=? AND segment=? AND revision=?"
    return int(db.execute(query, (*key, revision)).fetchone()[0])


def _replace(db: sqlite3.Connection, key: Segment, revision: int) -> None:
    starts = [
        int(r[0])
        for r in db.execute(
            "SELECT start_utc_us FROM bouts WHERE wearer=:w AND segment=:s AND revision<=:r"
            " UNION SELECT start_utc_us FROM postures WHERE wearer=:w AND segment=:s AND revision<=:r",
            {"w": key[0], "s": key[1], "r": revision},
        )
    ]
    for table in sql.SEGMENT_TABLES:
        older = f"DELETE FROM {table} WHERE wearer=? AND segment=? AND revision<?"
        db.execute(older, (*key, revision))
    db.execute("UPDATE current SET revision=? WHERE wearer=? AND segment=?", (revision, *key))
    _touch(db, key[0], starts)


def record_deliveries(db: sqlite3.Connection, deliveries: Sequence[Delivery]) -> None:
    """Move each outbox's watermark over the contiguous prefix; keep only what lies beyond it."""
    by_outbox: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        by_outbox[delivery.outbox].append(delivery)
    for outbox, its in by_outbox.items():
        found = db.execute("SELECT gateway, watermark FROM outboxes WHERE outbox=?", (outbox,)).fetchone()
        gateway, stored = (its[0].gateway, 0) if found is None else (found[0], int(found[1]))
        mine = [d for d in its if d.gateway == gateway]
        if mine:
            _record(db, outbox, gateway, stored, mine)


def _record(db: sqlite3.Connection, outbox: str, gateway: str, stored: int, mine: list[Delivery]) -> None:
    beyond = {int(r[0]) for r in db.execute("SELECT seq FROM delivered WHERE outbox=?", (outbox,))}
    arrived = {d.seq for d in mine} - beyond
    base = max(d.base for d in mine)
    if base - 1 > stored:
        db.execute("INSERT OR REPLACE INTO losses VALUES (?,?,?)", (outbox, stored + 1, base - 1))
        stored = base - 1
    everything = beyond | arrived
    while stored + 1 in everything:
        stored += 1
    db.execute("UPDATE counter SET n = n + 1")
    db.execute(
        "INSERT INTO outboxes VALUES (?,?,?,(SELECT n FROM counter))"
        " ON CONFLICT (outbox) DO UPDATE SET watermark = excluded.watermark, used = excluded.used",
        (outbox, gateway, stored),
    )
    if beyond:
        db.execute("DELETE FROM delivered WHERE outbox=? AND seq<=?", (outbox, stored))
    db.executemany(
        "INSERT INTO delivered VALUES (?,?)", [(outbox, seq) for seq in sorted(arrived) if seq > stored]
    )
