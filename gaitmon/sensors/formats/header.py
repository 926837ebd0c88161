"""The header that both of our formats share: what the samples are, in JSON.  docs/recording-format.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from gaitmon.errors import RecordingError
from gaitmon.model import Placement
from gaitmon.sensors.recording import Recording, SampleStream


class StreamHeader(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    n_samples: int
    start_s: float
    end_s: float
    columns: list[str]
    nominal_rate_hz: float | None
    acc_range_m_s2: float | None
    gyr_range_rad_s: float | None
    device: str
    chunks: int | None = None


class Header(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["gaitmon-recording"]
    version: Literal[1]
    name: str
    source_format: str
    content_id: str
    simulated: bool
    start_utc_us: int | None
    notes: dict[str, str]
    units: dict[str, str]
    streams: dict[Placement, StreamHeader]


UNITS = {"t": "s, on the recording's own clock", "acc": "m/s^2", "gyr": "rad/s"}
COLUMNS = ["t_s", "acc_x_m_s2", "acc_y_m_s2", "acc_z_m_s2", "gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s"]


def header_of(recording: Recording, chunks: dict[Placement, int] | None = None) -> dict[str, object]:
    """The header as JSON values."""
    streams = {
        placement: StreamHeader(
            n_samples=stream.n_samples,
            start_s=stream.start_s,
            end_s=stream.end_s,
            columns=COLUMNS if stream.has_gyroscope else COLUMNS[:4],
            nominal_rate_hz=stream.nominal_rate_hz,
            acc_range_m_s2=stream.acc_range_m_s2,
            gyr_range_rad_s=stream.gyr_range_rad_s,
            device=stream.device,
            chunks=None if chunks is None else chunks[placement],
        )
        for placement, stream in recording.streams.items()
    }
    header = Header(
        format="gaitmon-recording",
        version=1,
        name=recording.name,
        source_format=recording.source_format,
        content_id=recording.content_id,
        simulated=recording.simulated,
        start_utc_us=recording.start_utc_us,
        notes=recording.notes,
        units=UNITS,
        streams=streams,
    )
    return header.model_dump(mode="json", exclude_none=False)


def read_json_header(data: bytes, where: str) -> Header:
    """Raises RecordingError when it is not a header of a version that this program knows."""
    try:
        return Header.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "header"
        raise RecordingError(
            f"{where}: {key}: {first['msg']}.", "It is damaged, or was written by a newer gaitmon."
        ) from None


def apply_header(
    header: Header, read_format: str, streams: Iterable[SampleStream], notes: dict[str, str]
) -> Recording:
    """Streams read from elsewhere with what the header knows of them."""
    known = []
    for stream in streams:
        entry = header.streams.get(stream.placement)
        if entry is not None:
            stream = replace(  # noqa: PLW2901  (the same stream, better described)
                stream,
                nominal_rate_hz=entry.nominal_rate_hz,
                acc_range_m_s2=entry.acc_range_m_s2,
                gyr_range_rad_s=entry.gyr_range_rad_s,
                device=entry.device,
            )
        known.append(stream)
    return Recording.of(
        header.name,
        read_format,
        known,
        simulated=header.simulated,
        start_utc_us=header.start_utc_us,
        notes={**header.notes, **notes},
    )
