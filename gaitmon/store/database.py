"""How every SQLite file of ours is opened: private, WAL, durable on commit, of a known schema version."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gaitmon.errors import StoreError

BUSY_TIMEOUT_S = 5.0


def open_database(path: Path, schema: str, version: int, what: str) -> sqlite3.Connection:
    """Open or create the file at ``path`` (mode 0600) and make sure of its schema.

    schema: statements that create version ``version`` in an empty file, run in one transaction.
    what: the noun for messages, e.g. "time-series store".
    ``synchronous=FULL``: whoever was told "stored" deletes his copy, so a commit has to outlive a
    power cut, which WAL with NORMAL does not promise.
    Raises StoreError when the file cannot be opened, is not a database or is of another version.
    """
    try:
        _make_private(path)
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"the {what} {path} cannot be opened ({error}).", "Check that its folder exists and is writable."
        ) from error
    try:
        _prepare(connection, schema, version, what, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path) -> None:
    """Health data: 0600 before the first byte.  SQLite gives -wal and -shm the mode of the file."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _prepare(connection: sqlite3.Connection, schema: str, version: int, what: str, path: Path) -> None:
    try:
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # only takes effect in an empty file
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        found = _version(connection)
        if found == 0:  # only then is the write lock needed: a reader may open during a long write
            with transaction(connection):
                found = _version(connection)
                if found == 0:  # nobody else was faster
                    for statement in schema.split(";"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={version:d}")
                    found = version
    except sqlite3.Error as error:
        raise StoreError(
            f"the {what} {path} cannot be used ({error}).",
            "If it is damaged, move it aside and restore a backup.",
        ) from error
    if found > version:
        raise StoreError(
            f"the {what} {path} has schema version {found}, this gaitmon knows up to {version}.",
            "Install the newer gaitmon that wrote it.",
        )
    if found < version:
        raise StoreError(
            f"the {what} {path} has schema version {found}, this gaitmon needs {version}.",
            "Move the file aside: what gateways still hold comes again, recordings can be imported again.",
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: committed as a whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite rolls back by itself on some errors, e.g. a full disk
            connection.execute("ROLLBACK")
        raise
