"""How the registry connects and how its tables come to be: SQLite or PostgreSQL, Alembic run from here."""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from gaitmon.errors import ConfigError

_MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRESQL_LOCK = 6741  # any number of our own: two services that start at once migrate in turn


def connect(url: str) -> sa.Engine:
    """Raises ConfigError for a URL that is neither SQLite (a file) nor PostgreSQL."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigError("The registry's URL cannot be read.", _REMEDY) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        try:
            return sa.create_engine(parsed, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"PostgreSQL needs the package {error.name}.", f"pip install {error.name}"
            ) from error
    if backend != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise ConfigError(f"The registry cannot be kept in {backend} (or in memory).", _REMEDY)
    _create_private(Path(str(parsed.database)))
    engine = sa.create_engine(parsed, connect_args={"timeout": 10})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


_REMEDY = "Use sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE."


def _create_private(path: Path) -> None:
    """The file exists with mode 0600 before SQLite opens it; its -wal and -shm inherit the mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise ConfigError(
            f"The registry cannot be written: {path}: {error.strerror}.", "Choose another place."
        ) from error


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "busy_timeout = 10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def migrate(engine: sa.Engine) -> None:
    """To the newest revision; nothing to do is nothing done."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
