"""Where the collector stands in the raw archive, in the outbox' own file: committed with the results.

    offset    every record of the archive before this number has been made into messages
    emitted   so many messages came of them and are, or were, in the outbox
    snapshot  the state from which they are made on, as of snapshot_offset, now and then

A restart takes the snapshot, feeds it the archive from snapshot_offset on, and drops the first messages, up
to number ``emitted``: they are in the outbox already.  So a stride is there once, whatever was killed when.
The snapshot is a pickle.  It is sealed with a key derived from the archive's, for what it holds are
raw samples, and because nobody without that key may hand us one; and it opens only for the code, the
parameters and the profiles that wrote it.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gaitmon.store.archive_volume import derive
from gaitmon.transport.outbox import Outbox

NONCE_BYTES = 12
_TABLE = """
CREATE TABLE IF NOT EXISTS checkpoint (
    one INTEGER PRIMARY KEY CHECK (one = 1), offset INTEGER NOT NULL, emitted INTEGER NOT NULL,
    snapshot_offset INTEGER NOT NULL, snapshot BLOB NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """state: None for a snapshot that another version of the code, or another key, wrote."""

    offset: int
    emitted: int
    snapshot_offset: int
    state: object | None


class Checkpoints:
    """One per outbox.  written_for: what a snapshot is valid for, e.g. version and parameters."""

    def __init__(self, outbox: Outbox, archive_key: bytes, written_for: str) -> None:
        """Raises StoreError."""
        self._outbox = outbox
        self._cipher = AESGCM(derive(archive_key, b"", "checkpoint"))
        self._for = written_for.encode()
        with outbox.transaction() as db:
            db.execute(_TABLE)

    def load(self) -> Checkpoint | None:
        """None before the first one."""
        with self._outbox.transaction() as db:
            row = db.execute("SELECT offset, emitted, snapshot_offset, snapshot FROM checkpoint").fetchone()
        if row is None:
            return None
        offset, emitted, snapshot_offset, sealed = row
        return Checkpoint(offset, emitted, snapshot_offset, self._open(sealed))

    def snapshot(self, db: sqlite3.Connection, state: object, offset: int, emitted: int) -> None:
        """In the caller's transaction.  state: everything that the next message depends on."""
        nonce = os.urandom(NONCE_BYTES)  # floats: compressing them costs more than it saves
        sealed = nonce + self._cipher.encrypt(nonce, pickle.dumps(state, protocol=5), self._for)
        db.execute("INSERT OR REPLACE INTO checkpoint VALUES (1,?,?,?,?)", (offset, emitted, offset, sealed))

    def advance(self, db: sqlite3.Connection, offset: int, emitted: int) -> None:
        """In the caller's transaction: the snapshot stays as it is."""
        db.execute("UPDATE checkpoint SET offset=?, emitted=?", (offset, emitted))

    def _open(self, sealed: bytes) -> object | None:
        try:
            pickled = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._for)
        except InvalidTag:
            return None
        state: object = pickle.loads(pickled)  # noqa: S301 - authenticated just above
        return state
