"""One file of the raw archive: a header, then records that nobody can read, alter or reorder without the key.

    NAME.open     header | (length u16 | AES-GCM(record))*     as it is written, one os.write a record
    NAME.sealed   header | AES-GCM(zlib(length u16 | record)*)  written whole, then renamed

NAME is the number of the first record in the whole archive.  Each file has a key of its own, derived from
the master key and the header (HKDF-SHA256), so that a changed header opens nothing.  A record's
nonce is its place in the file: it cannot be moved, repeated or taken out.  No file is ever
written to by two processes: after a crash, and after a write that failed, a new file with a new salt and so
with a new key goes on, so no nonce serves twice.  The header names the file before it by its salt.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gaitmon.errors import StoreError

OPEN, SEALED = ".open", ".sealed"
KEY_BYTES = 32
TAG_BYTES = 16
_HEADER = struct.Struct("<8s8s16s16sQQQQ16s")
_MAGIC = {OPEN: b"gaitraw1", SEALED: b"gaitsea1"}
_LENGTH = struct.Struct("<H")
MAX_RECORD_BYTES = 0xFFFF - TAG_BYTES


@dataclass(frozen=True, slots=True)
class Header:
    """first: number of the first record.  salt names the file for life, previous the one before it.

    count, closed_utc_us, seal_salt: 0 and empty in an open file.
    """

    kind: str
    key_id: bytes
    salt: bytes
    previous: bytes
    first: int
    created_utc_us: int
    count: int = 0
    closed_utc_us: int = 0
    seal_salt: bytes = bytes(16)

    @classmethod
    def new(cls, master: bytes, previous: bytes, first: int, created_utc_us: int) -> Header:
        return cls(OPEN, key_id(master), os.urandom(16), previous, first, created_utc_us)

    def sealed(self, count: int, closed_utc_us: int) -> Header:
        return replace(self, kind=SEALED, count=count, closed_utc_us=closed_utc_us, seal_salt=os.urandom(16))

    def pack(self) -> bytes:
        return _HEADER.pack(
            _MAGIC[self.kind], self.key_id, self.salt, self.previous, self.first, self.created_utc_us,
            self.count, self.closed_utc_us, self.seal_salt,
        )  # fmt: skip

    @classmethod
    def unpack(cls, data: bytes) -> Header | None:
        """None for what is no header."""
        if len(data) < _HEADER.size:
            return None
        magic, *rest = _HEADER.unpack_from(data)
        kind = next((k for k, m in _MAGIC.items() if m == magic), None)
        return None if kind is None else cls(kind, *rest)

    def cipher(self, master: bytes) -> AESGCM:
        return AESGCM(derive(master, self.pack(), f"raw archive{self.kind}"))

    @property
    def name(self) -> str:
        return f"{self.first:016d}"


def derive(master: bytes, salt: bytes, info: str) -> bytes:
    """A key for one purpose."""
    return HKDF(SHA256(), KEY_BYTES, salt, f"gaitmon {info}".encode()).derive(master)


def key_id(master: bytes) -> bytes:
    """Tells a wrong key from a damaged file; says nothing of the key."""
    return derive(master, b"", "key id")[:8]


def nonce(place: int) -> bytes:
    return place.to_bytes(12, "little")


def frame(cipher: AESGCM, place: int, record: bytes) -> bytes:
    """What one os.write puts into an open file."""
    if len(record) > MAX_RECORD_BYTES:
        raise StoreError(f"an event of {len(record)} bytes does not fit the raw archive.")
    sealed = cipher.encrypt(nonce(place), record, None)
    return _LENGTH.pack(len(sealed)) + sealed


def plain_frame(record: bytes) -> bytes:
    return _LENGTH.pack(len(record)) + record


@dataclass(frozen=True, slots=True)
class Contents:
    """records: in order; None where one is damaged.  torn_bytes: after the last whole record."""

    header: Header
    records: Sequence[bytes | None]
    torn_bytes: int = 0

    @property
    def end(self) -> int:
        """Number of the record after the last one."""
        return self.header.first + len(self.records)

    @property
    def damaged(self) -> int:
        return sum(record is None for record in self.records)


def read_header(path: Path, master: bytes) -> Header | None:
    """None for a file whose header never reached the disk.  Raises StoreError for another key's."""
    with path.open("rb") as file:
        header = Header.unpack(file.read(_HEADER.size))
    if header is not None and header.key_id != key_id(master):
        raise StoreError(
            f"{path} was written with another key.", "Put the archive.key back that belongs to it."
        )
    return header


def read(path: Path, master: bytes) -> Contents | None:
    """Everything in a file; None for one without a header.  Raises StoreError for a wrong key and for a
    sealed file that is damaged."""
    header = read_header(path, master)
    if header is None:
        return None
    data = path.read_bytes()[_HEADER.size :]
    cipher = header.cipher(master)
    if header.kind == OPEN:
        records, used = _records(data, cipher)
        return Contents(header, records, len(data) - used)
    try:
        records = list(_plain_records(zlib.decompress(cipher.decrypt(nonce(0), data, None))))
    except (InvalidTag, zlib.error, struct.error):
        raise StoreError(f"{path} is damaged.", "Restore it from a backup, or move it away.") from None
    return Contents(header, records)


def _records(data: bytes, cipher: AESGCM) -> tuple[list[bytes | None], int]:
    """Whole records, and how many bytes they take.  What does not authenticate is damage where a whole
    record follows, else the torn tail."""
    records: list[bytes | None] = []
    whole, used, at = 0, 0, 0
    while at + _LENGTH.size <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if length < TAG_BYTES or at + length > len(data):
            break
        try:
            records.append(cipher.decrypt(nonce(len(records)), data[at : at + length], None))
            whole, used = len(records), at + length
        except InvalidTag:
            records.append(None)
        at += length
    return records[:whole], used


def _plain_records(data: bytes) -> Iterator[bytes | None]:
    at = 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        yield data[at : at + length] or None
        at += length


def compressed(records: Iterable[bytes | None]) -> bytes:
    return zlib.compress(b"".join(plain_frame(record or b"") for record in records))


def seal(folder: Path, header: Header, packed: bytes, master: bytes) -> Path:
    """Write NAME.sealed beside NAME.open, then remove that: at every moment one of both is whole.

    packed: as ``compressed`` makes it.  Raises OSError; then the open file is as it was.
    """
    path, temporary = folder / (header.name + SEALED), folder / (header.name + ".tmp")
    data = header.pack() + header.cipher(master).encrypt(nonce(0), packed, None)
    try:
        with os.fdopen(create(temporary), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    temporary.rename(path)
    sync_folder(folder)
    (folder / (header.name + OPEN)).unlink(missing_ok=True)
    return path


def create(path: Path) -> int:
    """A new file of this user alone; an old one of the same name is replaced."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
