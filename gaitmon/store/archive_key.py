"""The master key of the raw archive: 32 random bytes in a file that only this user reads."""

from __future__ import annotations

import os
from pathlib import Path

from gaitmon.errors import ConfigError
from gaitmon.store.archive_volume import KEY_BYTES, sync_folder


def load_key(path: Path) -> bytes:
    """Raises ConfigError for a key that is missing, damaged, or readable by others."""
    try:
        mode = path.stat().st_mode
        key = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The key {path} of the raw archive cannot be read ({error.strerror}).",
            "Without it nobody can read the archive: put the file back.",
        ) from None
    if mode & 0o077:
        raise ConfigError(f"The key {path} can be read by others.", f"chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise ConfigError(f"The key {path} is damaged: {len(key)} bytes, not {KEY_BYTES}.")
    return key


def load_or_make_key(path: Path, *, archive_exists: bool) -> bytes:
    """Makes the key on first use; never a second one beside an archive that needs the first."""
    if path.exists() or archive_exists:
        return load_key(path)
    key = os.urandom(KEY_BYTES)
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_folder(path.parent)
    return key
