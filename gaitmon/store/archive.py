"""The raw archive: what the gateway heard, on disk before anything is made of it.

``append`` hands one framed, encrypted record to the kernel before it returns: kill -9 loses nothing.  A
thread of its own (archive_keeper.py) syncs once a second, so that a power cut loses a second at most, and
turns full files into sealed, compressed ones.  Records are numbered for life; the number of the next one
is the archive's *offset*, which a checkpoint remembers.

    folder/0000000000000000.sealed   folder/0000000000131072.open   folder/lock
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from gaitmon.errors import StoreError
from gaitmon.sensors.raw import RawEvent
from gaitmon.store import archive_volume as volume
from gaitmon.store.archive_codec import decode_event, encode_event
from gaitmon.store.archive_keeper import Keeper, OpenVolume
from gaitmon.store.archive_volume import OPEN, SEALED, Header

FULL = "Free some space, or move the archive to a larger disk; what is written already is safe."


@dataclass(frozen=True, slots=True)
class ArchiveParams:
    """Three sensors of 60 Hz make about 45 MB an hour in an open file, half of that sealed."""

    volume_bytes: int = 8 * 2**20
    volume_s: float = 3600.0
    quota_bytes: int = 4 * 2**30
    warn_share: float = 0.8
    keep_s: float = 14 * 86400.0


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """next: the offset.  warning: "" or one sentence for a person."""

    next: int
    size_bytes: int
    quota_bytes: int
    warning: str


class Archive:
    """One writer; readers may be other processes (ArchiveReader).  Thread-safe."""

    def __init__(
        self,
        folder: Path,
        key: bytes,
        params: ArchiveParams | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """Seals what an earlier run left open; ``recovered`` says what that found.  Raises StoreError for a
        folder in use, a wrong key or a full disk."""
        self.folder = folder
        self.params = params or ArchiveParams()
        self._key, self._wall_s, self._lock = key, wall_s, Lock()
        self._owner = _own(folder)
        try:
            last, self.recovered = _recover(folder, key, wall_s)
            self._next = 0 if last is None else last.first + last.count
            self._previous = bytes(16) if last is None else last.salt  # of the last file with records
            self._keeper = Keeper(folder, key, self.params.keep_s, self.params.quota_bytes, wall_s)
            self._volume = self._new_volume()
            self._keeper.watch(self._volume)
        except BaseException:
            os.close(self._owner)
            raise
        self._keeper.start()

    def append(self, event: RawEvent) -> int:
        """The record's number; it is with the kernel on return.  Raises StoreError on a full disk:
        then nothing was written, and what was written before is whole."""
        record = encode_event(event)
        with self._lock:
            v = self._volume
            if v.broken or v.size >= self.params.volume_bytes or time.monotonic() > v.until_s:
                self._rotate()
                v = self._volume
            data = volume.frame(v.cipher, v.count, record)
            self._write(v, data)
            v.took(record, len(data))
            self._next += 1
            return self._next - 1

    def sync(self) -> None:
        """What was appended outlives a power cut.  Raises StoreError."""
        self._keeper.sync(self._next)

    @property
    def next(self) -> int:
        """The offset: number of the next record."""
        return self._next

    def release(self, below: int) -> None:
        """Records before this number are no longer needed to go on; older than keep_s, they may expire."""
        self._keeper.released = max(self._keeper.released, below)

    def events(self, start: int = 0) -> Iterator[tuple[int, RawEvent]]:
        return ArchiveReader(self.folder, self._key).events(start)

    def state(self) -> ArchiveState:
        size = sum(path.stat().st_size for path in volumes(self.folder))
        quota, warning = self.params.quota_bytes, self._keeper.problem
        if not warning and size > self.params.warn_share * quota:
            warning = (
                f"The raw archive has {size / 2**20:.0f} of {quota / 2**20:.0f} MB: the oldest raw data that "
                "are delivered go first. Enlarge the quota to keep them."
            )
        return ArchiveState(self._next, size, quota, warning)

    def close(self) -> None:
        """Seals the open file.  May be called twice."""
        with self._lock:
            if self._owner < 0:
                return
            self._keeper.stop()
            os.close(self._owner)
            self._owner = -1

    def _write(self, v: OpenVolume, data: bytes) -> None:
        """All or nothing.  A file that refused a write is not written to again: the nonce is used."""
        try:
            written = os.write(v.handle, data)
            if written == len(data):
                return
            what = os.strerror(errno.ENOSPC)
        except OSError as error:
            what = error.strerror or str(error)
        v.broken = True
        os.ftruncate(v.handle, v.size)
        raise StoreError(f"The raw archive {self.folder} cannot be written ({what}).", FULL)

    def _rotate(self) -> None:
        v = self._volume
        if v.count == 0 and not v.broken:
            v.until_s = time.monotonic() + self.params.volume_s
            return
        if v.count:
            self._previous = v.header.salt
        self._volume = self._new_volume()
        self._keeper.watch(self._volume)

    def _new_volume(self) -> OpenVolume:
        header = Header.new(self._key, self._previous, self._next, round(1e6 * self._wall_s()))
        path, packed = self.folder / (header.name + OPEN), header.pack()
        handle = -1
        try:
            handle = volume.create(path)
            if os.write(handle, packed) != len(packed):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            if handle >= 0:
                os.close(handle)
            raise StoreError(f"The raw archive {path} cannot be written ({error.strerror}).", FULL) from None
        until_s = time.monotonic() + self.params.volume_s
        return OpenVolume(header, header.cipher(self._key), handle, len(packed), until_s)


class ArchiveReader:
    """Reads an archive, also while it is written to.  problems: what was missing or damaged."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder, self._key = folder, key
        self.problems: list[str] = []

    def contents(self, start: int = 0) -> Iterator[volume.Contents]:
        """File by file, those that may hold records from number ``start`` on."""
        expected: int | None = None if start == 0 else start
        names = sorted({path.stem for path in volumes(self.folder)})
        for name, later in zip(names, [*names[1:], None], strict=True):
            if later is not None and int(later) <= start:
                continue
            found = self._read(name)
            if found is None:
                continue
            if expected is not None and found.header.first > expected:
                self.problems.append(f"records {expected} to {found.header.first - 1} are missing")
            if found.torn_bytes and later is not None:
                self.problems.append(f"{name}: {found.torn_bytes} bytes at the end are no whole record")
            if found.damaged:
                self.problems.append(f"{name}: {found.damaged} records are damaged")
            expected = found.end
            yield found

    def events(self, start: int = 0) -> Iterator[tuple[int, RawEvent]]:
        """(number, event) from number ``start`` on, in order.  Raises StoreError."""
        for found in self.contents(start):
            for number, record in enumerate(found.records, start=found.header.first):
                if number >= start and record is not None:
                    yield number, decode_event(record)

    def _read(self, name: str) -> volume.Contents | None:
        """The sealed file where there is one; it may appear while we look."""
        for kind in (SEALED, OPEN, SEALED):
            try:
                return volume.read(self.folder / (name + kind), self._key)
            except FileNotFoundError:
                continue
        return None


def volumes(folder: Path) -> list[Path]:
    """The archive's files, oldest first."""
    return sorted(path for path in folder.glob("*") if path.suffix in (OPEN, SEALED))


def _own(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"The raw archive {folder} cannot be opened ({error.strerror}).") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StoreError(
            f"The raw archive {folder} is in use.", "Another collector runs: stop it first."
        ) from None
    return handle


def _recover(folder: Path, key: bytes, wall_s: Callable[[], float]) -> tuple[Header | None, tuple[str, ...]]:
    """The newest file's header, after everything that was left open has been sealed, and what was found."""
    found: list[str] = []
    for path in folder.glob("*.tmp"):
        path.unlink()
    for path in volumes(folder):
        if path.suffix == OPEN:
            found += _seal_left_open(path, key, wall_s)
    newest = volumes(folder)
    return (volume.read_header(newest[-1], key) if newest else None), tuple(found)


def _seal_left_open(path: Path, key: bytes, wall_s: Callable[[], float]) -> list[str]:
    if path.with_suffix(SEALED).exists():  # the crash came between rename and unlink
        path.unlink()
        return []
    contents = volume.read(path, key)
    found = []
    if contents is not None and contents.torn_bytes:
        found.append(f"{path.name}: a torn record of {contents.torn_bytes} bytes at the end was cut off")
    if contents is not None and contents.damaged:
        found.append(f"{path.name}: {contents.damaged} damaged records")
    if contents is not None and contents.torn_bytes > volume.MAX_RECORD_BYTES:
        path.with_suffix(".damaged").unlink(missing_ok=True)
        os.link(path, path.with_suffix(".damaged"))
    if contents is None or not contents.records:
        path.unlink()
        return found
    header = contents.header.sealed(len(contents.records), round(1e6 * wall_s()))
    try:
        volume.seal(path.parent, header, volume.compressed(contents.records), key)
    except OSError as error:
        raise StoreError(f"The raw archive {path} cannot be sealed ({error.strerror}).", FULL) from None
    return found
