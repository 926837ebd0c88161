"""The thread behind the raw archive: syncs once a second, seals full files, lets old ones expire."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gaitmon.errors import StoreError
from gaitmon.store import archive_volume as volume
from gaitmon.store.archive_volume import OPEN, SEALED, Header

SYNC_S = 1.0
EXPIRE_S = 60.0


@dataclass(slots=True, eq=False)
class OpenVolume:
    """The file that is written to.  size: bytes written whole.  fresh: records not yet compressed.
    until_s: host monotonic.  broken: a write failed; nothing more is written to it."""

    header: Header
    cipher: AESGCM
    handle: int
    size: int
    until_s: float
    count: int = 0
    broken: bool = False
    fresh: list[bytes] = field(default_factory=list)

    def took(self, record: bytes, size: int) -> None:
        self.count += 1
        self.size += size
        self.fresh.append(record)


@dataclass(slots=True, eq=False)
class _Kept:
    """packed: compressed so far, so that sealing takes no time at the end."""

    volume: OpenVolume
    packer: zlib._Compress = field(default_factory=zlib.compressobj)
    packed: list[bytes] = field(default_factory=list)

    def pack(self) -> None:
        fresh = self.volume.fresh[:]
        del self.volume.fresh[: len(fresh)]  # whoever appends may have appended in between
        if fresh:
            self.packed.append(self.packer.compress(b"".join(map(volume.plain_frame, fresh))))


class Keeper:
    def __init__(
        self, folder: Path, key: bytes, keep_s: float, quota_bytes: int, wall_s: Callable[[], float]
    ) -> None:
        self.released = 0
        self.problem = ""
        self._folder, self._key, self._wall_s = folder, key, wall_s
        self._keep_s, self._quota = keep_s, quota_bytes
        self._kept: list[_Kept] = []  # the last is written to
        self._lock = Lock()  # of files: never held by who appends
        self._synced = 0
        self._new_file = False
        self._stop = Event()
        self._expired_s = -EXPIRE_S
        self._thread = Thread(target=self._run, name="raw archive", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def watch(self, fresh: OpenVolume) -> None:
        """The file that is written to from now on; the one before is to be sealed."""
        self._new_file = True
        self._kept.append(_Kept(fresh))

    def sync(self, upto: int) -> None:
        """Records before number ``upto`` outlive a power cut.  Raises StoreError."""
        if self._synced >= upto:
            return
        with self._lock:
            self._sync(upto)
        if self.problem and self._synced < upto:
            raise StoreError(self.problem)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        with self._lock:
            self._tick()
            self._seal_all(len(self._kept))

    def _run(self) -> None:
        while not self._stop.wait(SYNC_S):
            with self._lock:
                self._tick()

    def _tick(self) -> None:
        newest = self._kept[-1].volume
        if (upto := newest.header.first + newest.count) > self._synced or self._new_file:
            self._sync(upto)
        for kept in self._kept:
            kept.pack()
        self._seal_all(len(self._kept) - 1)
        if time.monotonic() - self._expired_s >= EXPIRE_S:
            self._expired_s = time.monotonic()
            self._expire()

    def _sync(self, upto: int) -> None:
        try:
            for kept in self._kept:
                os.fdatasync(kept.volume.handle)
            if self._new_file:
                self._new_file = False
                volume.sync_folder(self._folder)
        except OSError as error:
            self.problem = f"The raw archive {self._folder} cannot be synced ({error.strerror})."
            return
        self._synced = max(self._synced, upto)

    def _seal_all(self, count: int) -> None:
        """The oldest ``count`` files.  A full disk leaves them open: they are sealed at the next start."""
        for _ in range(count):
            kept = self._kept.pop(0)
            v = kept.volume
            kept.pack()
            try:
                if v.count:
                    header = v.header.sealed(v.count, round(1e6 * self._wall_s()))
                    packed = b"".join([*kept.packed, kept.packer.flush()])
                    volume.seal(self._folder, header, packed, self._key)
                else:
                    self._remove_empty(v)
            except OSError as error:
                self.problem = f"The raw archive {self._folder} cannot be sealed ({error.strerror})."
            finally:
                os.close(v.handle)

    def _remove_empty(self, v: OpenVolume) -> None:
        """Unless its name is a newer file's by now."""
        path = self._folder / (v.header.name + OPEN)
        if path.exists() and path.stat().st_ino == os.fstat(v.handle).st_ino:
            path.unlink()

    def _expire(self) -> None:
        """Sealed files whose records are no longer needed: too old, or too many."""
        files = sorted(self._folder.glob("*" + SEALED))
        size = sum(path.stat().st_size for path in self._folder.iterdir())
        for path in files:
            header = volume.read_header(path, self._key)
            if header is None or header.first + header.count > self.released:
                return
            old = 1e6 * (self._wall_s() - self._keep_s) > header.closed_utc_us
            if not old and size <= self._quota:
                return
            size -= path.stat().st_size
            path.unlink()
