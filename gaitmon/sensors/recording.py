"""A recording in memory or on disk: named streams on one clock, and how to play them in order."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from gaitmon.errors import EmptyRecordingError, RecordingError
from gaitmon.model import Floats, ImuBlock, Placement

CHUNK_SAMPLES = (
    8192  # 450 KB of an accelerometer and gyroscope: big enough to be fast, small enough to stream
)


@dataclass(frozen=True, slots=True, eq=False)
class SampleStream:
    """All samples of one sensor.

    chunks: called for a fresh pass over the samples, in order of time, each chunk an ImuBlock.  A
    recording on disk reads as it goes, so that eight hours need no more memory than one.
    nominal_rate_hz: as the maker states it; None where only the time stamps tell.
    acc_range_m_s2, gyr_range_rad_s: full scale where known, for telling a clipped sample.
    """

    placement: Placement
    chunks: Callable[[], Iterable[ImuBlock]]
    n_samples: int
    start_s: float
    end_s: float
    has_gyroscope: bool
    nominal_rate_hz: float | None = None
    acc_range_m_s2: float | None = None
    gyr_range_rad_s: float | None = None
    device: str = ""

    @classmethod
    def from_arrays(
        cls,
        placement: Placement,
        t_s: Floats,
        acc_m_s2: Floats,
        gyr_rad_s: Floats | None = None,
        *,
        nominal_rate_hz: float | None = None,
        acc_range_m_s2: float | None = None,
        gyr_range_rad_s: float | None = None,
        device: str = "",
    ) -> SampleStream:
        """A stream held in memory.  t_s (n,) finite and strictly increasing, acc_m_s2 and gyr_rad_s (n, 3).

        NaN in acc or gyr is a sample the sensor could not give.  Raises EmptyRecordingError for n = 0 and
        RecordingError for wrong shapes or time stamps.
        """
        t = np.ascontiguousarray(t_s, dtype=np.float64)
        acc = np.ascontiguousarray(acc_m_s2, dtype=np.float64)
        gyr = None if gyr_rad_s is None else np.ascontiguousarray(gyr_rad_s, dtype=np.float64)
        if t.size == 0:
            raise EmptyRecordingError(
                f"{placement}: there is no sample in it.", "Record again, or leave it out."
            )
        for name, values in (("acc_m_s2", acc), ("gyr_rad_s", gyr)):
            if t.ndim != 1 or (values is not None and values.shape != (len(t), 3)):
                got = "none" if values is None else str(values.shape)
                raise RecordingError(f"{placement}: {name} has shape {got}, expected ({len(t)}, 3).")
        if not np.isfinite(t).all() or (np.diff(t) <= 0).any():
            raise RecordingError(f"{placement}: time stamps must be finite and strictly increasing.")

        def chunks() -> Iterator[ImuBlock]:
            for i in range(0, len(t), CHUNK_SAMPLES):
                cut = slice(i, i + CHUNK_SAMPLES)
                yield ImuBlock(placement, t[cut], acc[cut], None if gyr is None else gyr[cut])

        return cls(
            placement,
            chunks,
            n_samples=len(t),
            start_s=float(t[0]),
            end_s=float(t[-1]),
            has_gyroscope=gyr is not None,
            nominal_rate_hz=nominal_rate_hz,
            acc_range_m_s2=acc_range_m_s2,
            gyr_range_rad_s=gyr_range_rad_s,
            device=device,
        )

    def arrays(self) -> tuple[Floats, Floats, Floats | None]:
        """t_s (n,), acc_m_s2 (n, 3), gyr_rad_s (n, 3) or None: the whole stream at once."""
        blocks = list(self.chunks())
        t = np.concatenate([b.t_s for b in blocks])
        acc = np.concatenate([b.acc_m_s2 for b in blocks])
        gyr = [b.gyr_rad_s for b in blocks if b.gyr_rad_s is not None]
        return t, acc, np.concatenate(gyr) if gyr else None

    @property
    def rate_hz(self) -> float:
        """Samples per second: nominal where stated, else from the median step of the first chunk; NaN
        for a single sample."""
        if self.nominal_rate_hz is not None:
            return self.nominal_rate_hz
        first = next(iter(self.chunks()))
        return float(1.0 / np.median(np.diff(first.t_s))) if len(first) > 1 else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What was recorded, by which sensors, and whether any of it is real.

    content_id: sha256 of the samples, so that importing the same recording twice is one segment.
    start_utc_us: UTC of t_s = 0 in microseconds since 1970, None where the file does not say.
    notes: what an importer did to the samples or left out, for a person.
    """

    name: str
    source_format: str
    streams: dict[Placement, SampleStream]
    content_id: str
    simulated: bool = False
    start_utc_us: int | None = None
    notes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        name: str,
        source_format: str,
        streams: Iterable[SampleStream],
        *,
        simulated: bool = False,
        start_utc_us: int | None = None,
        notes: dict[str, str] | None = None,
    ) -> Recording:
        """A recording of these streams, one per placement; the content_id is computed here, in one pass.

        Raises EmptyRecordingError when there is no stream, RecordingError when a placement comes twice.
        """
        by_placement: dict[Placement, SampleStream] = {}
        for stream in streams:
            if stream.placement in by_placement:
                raise RecordingError(f"{name}: two sensors are said to be worn on the {stream.placement}.")
            by_placement[stream.placement] = stream
        if not by_placement:
            raise EmptyRecordingError(f"{name}: no sensor in it.", "Check the path and the placements.")
        return cls(
            name,
            source_format,
            {p: by_placement[p] for p in Placement if p in by_placement},
            content_id(by_placement.values()),
            simulated=simulated,
            start_utc_us=start_utc_us,
            notes=dict(notes or {}),
        )

    @property
    def start_s(self) -> float:
        return min(stream.start_s for stream in self.streams.values())

    @property
    def end_s(self) -> float:
        return max(stream.end_s for stream in self.streams.values())

    def blocks(self, seconds: float = 1.0) -> Iterator[ImuBlock]:
        """Every stream but the reference ones, cut on a fixed grid and in order of time, as a live
        session would deliver them.

        A block holds one sensor's samples with floor(t_s / seconds) equal; cells without a sample give
        no block.  Blocks of the same cell come in the order of ``streams``.
        """
        worn = [stream for stream in self.streams.values() if not stream.placement.is_reference]
        cells = [_cells(stream, seconds, order) for order, stream in enumerate(worn)]
        for _, block in heapq.merge(*cells, key=lambda item: item[0]):
            yield block


def content_id(streams: Iterable[SampleStream]) -> str:
    """sha256 over placements and samples, independent of how the streams are cut into chunks."""
    total = hashlib.sha256()
    for stream in sorted(streams, key=lambda s: s.placement):
        parts = [hashlib.sha256() for _ in range(3)]
        for block in stream.chunks():
            for part, values in zip(parts, (block.t_s, block.acc_m_s2, block.gyr_rad_s), strict=True):
                if values is not None:
                    part.update(_canonical(values))
        total.update(f"{stream.placement} {stream.n_samples} {stream.has_gyroscope}".encode())
        for part in parts:
            total.update(part.digest())
    return total.hexdigest()


def describe(recording: Recording) -> str:
    """One line on the recording, one per sensor, one per note; for a terminal."""
    real = "SIMULATED" if recording.simulated else "recorded"
    start, end = recording.start_s, recording.end_s
    lines = [
        f"{recording.name}: {recording.source_format}, {real}, "
        f"{end - start:.1f} s (t = {start:.2f} to {end:.2f} s)"
    ]
    for stream in recording.streams.values():
        sensors = "acc + gyr" if stream.has_gyroscope else "acc only"
        role = ", reference only" if stream.placement.is_reference else ""
        device = f", {stream.device}" if stream.device else ""
        lines.append(
            f"  {stream.placement:<12} {stream.rate_hz:7.2f} Hz  {stream.n_samples:>9,} samples  "
            f"{sensors}{device}{role}"
        )
    lines += [f"  note: {key}: {text}" for key, text in recording.notes.items()]
    return "\n".join(lines)


def _canonical(values: Floats) -> bytes:
    """Little-endian bytes with one kind of NaN."""
    return np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes()


def _cells(stream: SampleStream, seconds: float, order: int) -> Iterator[tuple[tuple[int, int], ImuBlock]]:
    """((cell, order), block): the stream's samples of each cell of the grid, joined across chunks."""
    if not seconds > 0:
        raise ValueError("blocks: seconds must be positive")
    held: list[ImuBlock] = []
    held_cell = 0
    for chunk in stream.chunks():
        cell = np.floor(chunk.t_s / seconds).astype(np.int64)
        cuts = [0, *(np.flatnonzero(np.diff(cell)) + 1).tolist(), len(cell)]
        for start, stop in pairwise(cuts):
            if held and cell[start] != held_cell:
                yield (held_cell, order), ImuBlock.joined(held)
                held = []
            held_cell = int(cell[start])
            gyr = chunk.gyr_rad_s
            held.append(
                ImuBlock(
                    chunk.placement,
                    chunk.t_s[start:stop],
                    chunk.acc_m_s2[start:stop],
                    None if gyr is None else gyr[start:stop],
                )
            )
    if held:
        yield (held_cell, order), ImuBlock.joined(held)
