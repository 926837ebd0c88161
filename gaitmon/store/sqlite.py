"""The embedded time-series store: one SQLite file, one writer at a time, readers in any process."""

# ruff: noqa: S608 - table and column names are constants of this package, values are always bound

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from gaitmon.errors import StoreError
from gaitmon.model import MetricValue
from gaitmon.store import sqlite_rows as sql
from gaitmon.store.database import open_database, transaction
from gaitmon.store.series import (
    BoutRow,
    DayRow,
    DeadLetter,
    Delivery,
    GatewayRow,
    HealthRow,
    Loss,
    NoticeRow,
    OutboxRow,
    PostureRow,
    Row,
    SegmentRow,
    StrideRow,
    Touched,
)
from gaitmon.store.sqlite_write import record_deliveries, write_rows

LONGEST_SPAN_US = 3_600_000_000  # of a posture; ten minutes in truth


class SqliteSeriesStore:
    """SeriesStore in one file.  Thread-safe; every process and, for speed, every thread that reads
    much opens its own.  Every method raises StoreError when SQLite refuses."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        self._db = open_database(path, sql.SCHEMA, sql.SCHEMA_VERSION, "time-series store")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot for all queries of a call, so that a bout never comes without its metrics."""
        with self._lock, self._explained():
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained(), transaction(self._db):
            yield self._db

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"the time-series store {self.path} refused: {error}.",
                "Check free space and that no other program keeps the file locked.",
            ) from error

    # -- writing

    def write(self, rows: Sequence[Row]) -> None:
        self.write_delivered(rows, ())

    def write_delivered(
        self, rows: Sequence[Row], deliveries: Sequence[Delivery], dead: Sequence[DeadLetter] = ()
    ) -> None:
        with self._writing() as db:
            write_rows(db, rows)
            record_deliveries(db, deliveries)
            for letter in dead:
                db.execute(
                    "INSERT INTO dead_letters (digest, topic, payload, reason, times) VALUES (?,?,?,?,1)"
                    " ON CONFLICT (digest) DO UPDATE SET times = times + 1, reason = excluded.reason",
                    (_digest(letter), letter.topic, letter.payload, letter.reason),
                )

    def write_gateway(self, row: GatewayRow) -> None:
        with self._writing() as db:
            known = db.execute("SELECT connection FROM gateways WHERE gateway=?", (row.gateway,)).fetchone()
            if row.state == "lost" and known is not None and known[0] != row.connection:
                return  # the last will of a connection that has been followed by a newer one
            db.execute(
                "INSERT OR REPLACE INTO gateways VALUES (?,?,?,?,?,?)",
                (row.gateway, row.state, row.connection, row.at_utc_us, row.pending, row.version),
            )

    def write_health(self, rows: Sequence[HealthRow]) -> None:
        if not rows:
            return
        with self._writing() as db:
            db.executemany(
                "INSERT INTO health VALUES (?,?,?,?,?) ON CONFLICT (gateway, sensor) DO UPDATE SET"
                " wearer = excluded.wearer, at_utc_us = excluded.at_utc_us, body = excluded.body"
                " WHERE excluded.at_utc_us >= at_utc_us",
                [(r.gateway, r.sensor, r.wearer, r.at_utc_us, r.body) for r in rows],
            )

    def remove_dead_letter(self, letter: DeadLetter) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM dead_letters WHERE digest=?", (_digest(letter),))

    def clear_touched(self, marks: Sequence[Touched]) -> None:
        with self._writing() as db:
            db.executemany(
                "DELETE FROM touched WHERE wearer=? AND start_utc_us=? AND mark=?",
                [(m.wearer, m.start_utc_us, m.mark) for m in marks],
            )

    # -- reading

    def watermark(self, outbox: str) -> int:
        with self._reading() as db:
            found = db.execute("SELECT watermark FROM outboxes WHERE outbox=?", (outbox,)).fetchone()
        return 0 if found is None else int(found[0])

    def outboxes(self) -> list[OutboxRow]:
        with self._reading() as db:
            found = db.execute("SELECT outbox, gateway, watermark FROM outboxes ORDER BY used").fetchall()
        return [OutboxRow(*r) for r in found]

    def losses(self) -> list[Loss]:
        with self._reading() as db:
            found = db.execute(
                "SELECT outbox, gateway, first, last FROM losses JOIN outboxes USING (outbox)"
            ).fetchall()
        return [Loss(*r) for r in found]

    def dead_letters(self) -> list[DeadLetter]:
        with self._reading() as db:
            found = db.execute(
                "SELECT topic, payload, reason, times FROM dead_letters ORDER BY id"
            ).fetchall()
        return [DeadLetter(*r) for r in found]

    def touched(self) -> list[Touched]:
        with self._reading() as db:
            found = db.execute("SELECT wearer, start_utc_us, mark FROM touched").fetchall()
        return [Touched(*r) for r in found]

    def gateways(self) -> list[GatewayRow]:
        with self._reading() as db:
            return [GatewayRow(*r) for r in db.execute("SELECT * FROM gateways").fetchall()]

    def health(self, wearer: str | None = None) -> list[HealthRow]:
        with self._reading() as db:
            found = db.execute(
                "SELECT * FROM health WHERE ?1 IS NULL OR wearer=?1 ORDER BY gateway, sensor", (wearer,)
            ).fetchall()
        return [HealthRow(*r) for r in found]

    def wearers(self) -> list[str]:
        with self._reading() as db:
            return [r[0] for r in db.execute("SELECT wearer FROM wearers ORDER BY wearer").fetchall()]

    def segment(self, wearer: str, segment: str) -> SegmentRow | None:
        with self._reading() as db:
            found = db.execute(
                "SELECT s.* FROM segments s JOIN current USING (wearer, segment, revision)"
                " WHERE wearer=? AND segment=?",
                (wearer, segment),
            ).fetchone()
        return None if found is None else sql.segment_of(found)

    def notices(self, wearer: str, segment: str) -> list[NoticeRow]:
        with self._reading() as db:
            found = db.execute(
                "SELECT n.* FROM notices n JOIN current USING (wearer, segment, revision)"
                " WHERE wearer=? AND segment=? ORDER BY at_utc_us, identity",
                (wearer, segment),
            ).fetchall()
        return [sql.notice_of(r) for r in found]

    def strides(self, wearer: str, segment: str, bout: int | None = None) -> list[StrideRow]:
        """In order of time.  bout: only its strides."""
        with self._reading() as db:
            found = db.execute(
                "SELECT revision FROM current WHERE wearer=? AND segment=?", (wearer, segment)
            ).fetchone()
            if found is None:
                return []
            key = (wearer, segment, found[0])
            where = " WHERE wearer=? AND segment=? AND revision=?"
            only = "" if bout is None else " AND bout=?"
            verdicts = {
                (r[0], r[1]): r[2:]
                for r in db.execute(
                    "SELECT side, ordinal, bout, straight, accepted, reason FROM verdicts" + where + only,
                    key if bout is None else (*key, bout),
                )
            }
            if bout is None:
                records = db.execute(sql.SELECT_STRIDES + where, key).fetchall()
            else:
                one = sql.SELECT_STRIDES + where + " AND side=? AND ordinal=?"
                records = [r for v in verdicts for r in db.execute(one, (*key, *v)).fetchall()]
        rows = [sql.stride_of(r, verdicts.get((r[3], r[4]))) for r in records]
        return sorted(rows, key=lambda row: (row.start_utc_us, row.side, row.ordinal))

    def bouts(self, wearer: str, start_utc_us: int, end_utc_us: int) -> list[BoutRow]:
        with self._reading() as db:
            return _bouts(db, wearer, start_utc_us, end_utc_us)

    def postures(self, wearer: str, start_utc_us: int, end_utc_us: int) -> list[PostureRow]:
        with self._reading() as db:
            found = db.execute(
                "SELECT p.* FROM postures p JOIN current USING (wearer, segment, revision)"
                " WHERE wearer=? AND start_utc_us>=? AND start_utc_us<? AND end_utc_us>?"
                " ORDER BY start_utc_us, segment",
                (wearer, start_utc_us - LONGEST_SPAN_US, end_utc_us, start_utc_us),
            ).fetchall()
        return [sql.posture_of(r) for r in found]

    def latest_bout(self, wearer: str) -> BoutRow | None:
        newest = " ORDER BY b.start_utc_us DESC, b.segment, b.ordinal LIMIT 1"
        with self._reading() as db:
            for condition in (" WHERE b.wearer=? AND b.n_left>0 AND b.n_right>0", " WHERE b.wearer=?"):
                found = db.execute(sql.SELECT_BOUTS + condition + newest, (wearer,)).fetchone()
                if found is not None:
                    same_time = _bouts(db, wearer, found[4], found[4] + 1)
                    return next(b for b in same_time if (b.segment, b.ordinal) == (found[1], found[3]))
        return None

    def days(self, wearer: str, metric: str | None = None, since_day: str | None = None) -> list[DayRow]:
        query, values = "SELECT * FROM days WHERE wearer=?", [wearer]
        if metric is not None:
            query, values = query + " AND metric=?", [*values, metric]
        if since_day is not None:
            query, values = query + " AND day>=?", [*values, since_day]
        with self._reading() as db:
            found = db.execute(query + " ORDER BY day, metric, stratum", values).fetchall()
        return [sql.day_of(r) for r in found]


def _bouts(db: sqlite3.Connection, wearer: str, start_utc_us: int, end_utc_us: int) -> list[BoutRow]:
    span = (wearer, start_utc_us, end_utc_us)
    records = db.execute(
        sql.SELECT_BOUTS
        + " WHERE b.wearer=? AND b.start_utc_us>=? AND b.start_utc_us<?"
        + " ORDER BY b.start_utc_us, b.segment, b.ordinal",
        span,
    ).fetchall()
    metrics: dict[tuple[str, int, int], list[MetricValue]] = defaultdict(list)
    for segment, revision, number, *values in db.execute(
        "SELECT segment, revision, bout, metric, value, standard_error, n_left, n_right, note"
        " FROM metrics WHERE wearer=? AND start_utc_us>=? AND start_utc_us<?"
        " ORDER BY start_utc_us, segment, revision, bout, position",
        span,
    ):
        metrics[segment, revision, number].append(MetricValue(*values))
    return [sql.bout_of(r, metrics[r[1], r[2], r[3]]) for r in records]


def _digest(letter: DeadLetter) -> str:
    return hashlib.sha256(letter.topic.encode() + b"\0" + letter.payload).hexdigest()
