"""Results wait here, on disk, until the server says that they are stored.

One outbox is one identity (uuid) for life; each message gets one seq, contiguous from 1, never used
twice.  That is why the file is opened with ``synchronous=FULL``: were a seq lost in a power cut after
the server had recorded it, the next message would get the same seq and be taken for a duplicate.
The collector may put tables of its own into the same file and commit them together with messages:

    with outbox.transaction() as connection:
        connection.execute("UPDATE checkpoint SET ...")
        outbox.append(messages)
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from gaitmon.errors import StoreError
from gaitmon.store.database import open_database, transaction
from gaitmon.transport.messages import encode
from gaitmon.transport.schema import Message

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE outbox (uuid TEXT NOT NULL, last_seq INTEGER NOT NULL, sent_seq INTEGER NOT NULL);
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY, wearer TEXT NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL,
    appended_utc_us INTEGER NOT NULL)
"""
DEFAULT_QUOTA_BYTES = 512 * 2**20  # half a million strides: weeks without a server


@dataclass(frozen=True, slots=True)
class Pending:
    """A message that is not confirmed as stored.  payload: as encode() made it."""

    seq: int
    wearer: str
    kind: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class OutboxState:
    """oldest_age_s: None when nothing waits.  over_quota is a warning: nothing is ever dropped."""

    pending: int
    size_bytes: int
    quota_bytes: int
    oldest_age_s: float | None

    @property
    def over_quota(self) -> bool:
        return self.size_bytes > self.quota_bytes


class Outbox:
    """One file, mode 0600.  Thread-safe; several processes may open it.  Raises StoreError."""

    def __init__(self, path: Path, quota_bytes: int = DEFAULT_QUOTA_BYTES, durable: bool = True) -> None:
        """durable: whether commits outlive a power cut.  Only the publisher does without: a deletion or
        a sent mark that is lost costs a repetition."""
        self.path = path
        self.quota_bytes = quota_bytes
        self._lock = RLock()
        self._db = open_database(path, SCHEMA, SCHEMA_VERSION, "outbox")
        if not durable:
            self._db.execute("PRAGMA synchronous=NORMAL")
        self._in_transaction = False
        if self._db.execute("SELECT count(*) FROM outbox").fetchone()[0] == 0:
            with self.transaction():
                self._db.execute(
                    "INSERT INTO outbox SELECT ?, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM outbox)",
                    (str(uuid.uuid4()),),
                )

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction for messages and for whatever must be committed with them; may be nested."""
        with self._lock, self._explained():
            if self._in_transaction:
                yield self._db
                return
            with transaction(self._db):
                self._in_transaction = True
                try:
                    yield self._db
                finally:
                    self._in_transaction = False

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"the outbox {self.path} refused: {error}.", "Check free space.") from error

    @property
    def uuid(self) -> str:
        return self._identity()[0]

    @property
    def last_seq(self) -> int:
        """The highest seq ever assigned under this uuid; 0 before the first."""
        return self._identity()[1]

    def _identity(self) -> tuple[str, int]:
        with self._lock, self._explained():
            found = self._db.execute("SELECT uuid, last_seq FROM outbox").fetchone()
        return str(found[0]), int(found[1])

    def append(self, messages: Sequence[Message]) -> int:
        """Assign the next seqs, in order, in one transaction; durable on return.

        Returns the last seq.  Raises MessageError when one is too large; then none is appended.
        """
        payloads = [(m.wearer, m.kind, encode(m)) for m in messages]
        now = time.time_ns() // 1000
        with self.transaction() as db:
            last = self.last_seq
            db.executemany(
                "INSERT INTO messages VALUES (?,?,?,?,?)",
                [(last + n, *parts, now) for n, parts in enumerate(payloads, 1)],
            )
            last += len(payloads)
            db.execute("UPDATE outbox SET last_seq=?", (last,))
        return last

    def pending(self, after_seq: int = 0, limit: int = 1000) -> list[Pending]:
        """In order of seq."""
        with self._lock, self._explained():
            found = self._db.execute(
                "SELECT seq, wearer, kind, payload FROM messages WHERE seq>? ORDER BY seq LIMIT ?",
                (after_seq, limit),
            ).fetchall()
        return [Pending(*r) for r in found]

    def base(self) -> int:
        """The lowest seq that is not confirmed; the next one to be assigned when nothing waits."""
        with self._lock, self._explained():
            found = self._db.execute(
                "SELECT coalesce((SELECT min(seq) FROM messages), (SELECT last_seq + 1 FROM outbox))"
            ).fetchone()
        return int(found[0])

    @property
    def sent_seq(self) -> int:
        """The highest seq that was ever handed to a broker, as far as this file knows."""
        with self._lock, self._explained():
            return int(self._db.execute("SELECT sent_seq FROM outbox").fetchone()[0])

    def mark_sent(self, seq: int) -> None:
        """To be called before ``seq`` is handed to a broker."""
        with self.transaction() as db:
            db.execute("UPDATE outbox SET sent_seq=max(sent_seq, ?)", (seq,))

    def delete_through(self, outbox: str, seq: int) -> int:
        """Delete what a watermark covers; returns how many.  One for another uuid deletes nothing."""
        with self.transaction() as db:
            if outbox != self.uuid:
                return 0
            deleted = db.execute("DELETE FROM messages WHERE seq<=?", (seq,)).rowcount
        if deleted:
            with self._lock, self._explained():
                self._db.execute("PRAGMA incremental_vacuum(100)").fetchall()
        return deleted

    def renew(self) -> str:
        """Become another outbox: new uuid, what waits numbered from 1.  Returns the uuid.

        For a file that has gone back in time (restored from a backup): the server confirms seqs that it
        never sent, so its next ones are taken.  What the server has already is only upserted again.
        """
        with self.transaction() as db:
            lowest = self.base()
            # Seqs are moved away first: shifting a primary key in place could meet its neighbour.
            db.execute("UPDATE messages SET seq = -seq")
            db.execute("UPDATE messages SET seq = -seq - ?", (lowest - 1,))
            db.execute(
                "UPDATE outbox SET uuid=?, last_seq=last_seq-?, sent_seq=0", (str(uuid.uuid4()), lowest - 1)
            )
            return self.uuid

    def state(self) -> OutboxState:
        with self._lock, self._explained():
            count, oldest = self._db.execute("SELECT count(*), min(appended_utc_us) FROM messages").fetchone()
            pages, free, size = (
                int(self._db.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
        age = None if oldest is None else max(0.0, time.time() - oldest / 1e6)
        return OutboxState(count, (pages - free) * size, self.quota_bytes, age)
