"""Our own recording format, ``.gaitrec``: a ZIP of a JSON header and chunks of float64.

docs/recording-format.md describes it, docs/adr/0003-recording-format.md says why.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gaitmon.errors import RecordingError
from gaitmon.model import Floats, ImuBlock, Placement
from gaitmon.sensors.formats.header import Header, StreamHeader, header_of, read_json_header
from gaitmon.sensors.recording import CHUNK_SAMPLES, Recording, SampleStream

FORMAT = "gaitrec"
SUFFIX = ".gaitrec"
MIMETYPE = b"application/x-gaitmon-recording"
# What zipfile and numpy raise on bytes that are not what was written.
_DAMAGE = (zipfile.BadZipFile, KeyError, EOFError, ValueError, RuntimeError)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same samples give the same bytes


def is_gaitrec(head: bytes) -> bool:
    """head: the first bytes of a file.  The first member is named mimetype, as in EPUB."""
    return head.startswith(b"PK\x03\x04") and MIMETYPE in head[:128]


def write(recording: Recording, path: Path) -> None:
    """The file appears under its name when it is complete and on disk, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial_name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    partial = Path(partial_name)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                _add(archive, "mimetype", MIMETYPE)
                chunks = {p: _write_stream(archive, stream) for p, stream in recording.streams.items()}
                header = header_of(recording, chunks)
                _add(archive, "header.json", json.dumps(header, indent=2).encode())
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read(path: Path) -> Recording:
    """Reads the header only; samples are read chunk by chunk when they are asked for."""
    try:
        with zipfile.ZipFile(path) as archive:
            header = read_json_header(archive.read("header.json"), f"{path}, header.json")
            missing = [n for n in _members(header) if n not in archive.NameToInfo]
    except _DAMAGE:
        raise _damaged(path) from None
    if missing:
        raise RecordingError(f"{path}: the chunk {missing[0]} is missing.", "Copy the file again.")
    return Recording(
        name=header.name,
        source_format=header.source_format,
        streams={p: _stream(path, p, entry) for p, entry in header.streams.items()},
        content_id=header.content_id,
        simulated=header.simulated,
        start_utc_us=header.start_utc_us,
        notes=dict(header.notes),
    )


def _damaged(path: Path) -> RecordingError:
    return RecordingError(f"{path}: the recording is cut off or damaged.", "Copy the file again.")


def _member(placement: Placement, chunk: int) -> str:
    return f"{placement}/{chunk:06d}.npy"


def _members(header: Header) -> Iterator[str]:
    for placement, entry in header.streams.items():
        yield from (_member(placement, k) for k in range(entry.chunks or 0))


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)


def _write_stream(archive: zipfile.ZipFile, stream: SampleStream) -> int:
    count = 0
    for table in _tables(stream):
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, table.astype("<f8"), version=(1, 0), allow_pickle=False)
        _add(archive, _member(stream.placement, count), buffer.getvalue())
        count += 1
    return count


def _tables(stream: SampleStream) -> Iterator[Floats]:
    """(CHUNK_SAMPLES, columns) and a last, shorter one, however the stream is cut: neither a member for
    every second nor one for a day."""
    held = np.empty((0, 7 if stream.has_gyroscope else 4))
    for block in stream.chunks():
        columns = [block.t_s[:, None], block.acc_m_s2]
        if block.gyr_rad_s is not None:
            columns.append(block.gyr_rad_s)
        held = np.concatenate([held, np.hstack(columns)])
        while len(held) >= CHUNK_SAMPLES:
            yield held[:CHUNK_SAMPLES]
            held = held[CHUNK_SAMPLES:]
    if len(held):
        yield held


def _stream(path: Path, placement: Placement, entry: StreamHeader) -> SampleStream:
    n_columns = len(entry.columns)

    def chunks() -> Iterator[ImuBlock]:
        with zipfile.ZipFile(path) as archive:
            for k in range(entry.chunks or 0):
                try:
                    data = io.BytesIO(archive.read(_member(placement, k)))
                    table = np.lib.format.read_array(data, allow_pickle=False).astype(np.float64, copy=False)
                except _DAMAGE:
                    raise _damaged(path) from None
                if table.ndim != 2 or table.shape[1] != n_columns:
                    raise _damaged(path)
                yield ImuBlock(
                    placement,
                    np.ascontiguousarray(table[:, 0]),
                    np.ascontiguousarray(table[:, 1:4]),
                    np.ascontiguousarray(table[:, 4:7]) if n_columns == 7 else None,
                )

    return SampleStream(
        placement,
        chunks,
        n_samples=entry.n_samples,
        start_s=entry.start_s,
        end_s=entry.end_s,
        has_gyroscope=n_columns == 7,
        nominal_rate_hz=entry.nominal_rate_hz,
        acc_range_m_s2=entry.acc_range_m_s2,
        gyr_range_rad_s=entry.gyr_range_rad_s,
        device=entry.device,
    )
