"""Xsens / Movella MT Manager text: one file per sensor, ``//`` comments, then a table.

acc m/s², gyr rad/s (MT Manager's defaults).  The PacketCounter is the awinda master's, the same for
all sensors: it is the sample index, over lost packets and its 16-bit wrap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaitmon.errors import EmptyRecordingError, RecordingError
from gaitmon.model import Floats
from gaitmon.sensors.formats.placements import MAP_FILE, PlacementMap, assign, read_placement_map
from gaitmon.sensors.formats.samples import RawSamples, checked_streams
from gaitmon.sensors.formats.tables import cells, side_by_side, unwrapped
from gaitmon.sensors.recording import Recording

FORMAT = "Xsens MT Manager text"
COUNTER = "PacketCounter"
ACC = ("Acc_X", "Acc_Y", "Acc_Z")
GYR = ("Gyr_X", "Gyr_Y", "Gyr_Z")
WRAP = 65536.0
_RATE = re.compile(r"//\s*Update Rate:\s*([0-9.]+)\s*Hz", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    path: Path
    sensor: str
    rate_hz: float
    counter: Floats  # unwrapped within the file
    acc_m_s2: Floats
    gyr_rad_s: Floats | None
    header_lines: int


def is_mt_manager(head: bytes) -> bool:
    """head: the first bytes of a file."""
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    return text.startswith(("//", COUNTER)) and COUNTER in text


def files(path: Path) -> list[Path]:
    """The sensor files: path itself, or those in the folder."""
    if path.is_file():
        return [path]
    found = [p for p in path.iterdir() if p.suffix.lower() in (".csv", ".txt") and p.is_file()]
    return [p for p in sorted(found) if is_mt_manager(_head(p))]


def read(path: Path, placement_map: PlacementMap | None) -> Recording:
    """path: a folder of such files, or one of them.  The files do not say where a sensor was worn: the
    map does, or a placements.toml in the folder."""
    paths = files(path)
    if placement_map is None:
        placement_map = read_placement_map(path if path.is_dir() else path.parent)
        if placement_map is not None and path.is_file():  # the folder's map names the other sensors too
            placement_map = {k: v for k, v in placement_map.items() if _fits(k, _sensor_name(path))}
    names = [_sensor_name(p) for p in paths]
    if not placement_map:
        raise RecordingError(f"{path}: the files do not say where the sensors were worn.", _map_help(names))
    worn = assign(names, placement_map, str(path))
    loaded = [_read_file(p) for p, name in zip(paths, names, strict=True) if name in worn]
    rates = {f.rate_hz for f in loaded}
    if len(rates) > 1:
        raise RecordingError(
            f"{path}: the sensors have different rates ({rates}).", "Export them as one session."
        )
    offsets = side_by_side([f.counter[0] for f in loaded], WRAP)
    raws = [
        RawSamples(
            worn[f.sensor],
            t_s=(f.counter + offset) / f.rate_hz,
            acc_m_s2=f.acc_m_s2,
            gyr_rad_s=f.gyr_rad_s,
            where=lambda row, f=f: f"{f.path}, line {row + f.header_lines + 1}",  # type: ignore[misc]  # bound
            rate_hz=f.rate_hz,
            device=f.sensor,
        )
        for f, offset in zip(loaded, offsets, strict=True)
    ]
    streams, notes = checked_streams(raws)
    for f in loaded:
        lost = int(f.counter[-1] - f.counter[0]) + 1 - len(f.counter)
        if lost > 0:
            notes[f"{worn[f.sensor]}: lost"] = f"{lost} packets are missing by the packet counter"
    if unused := sorted(set(names) - set(worn)):
        notes["not used"] = ", ".join(unused)
    return Recording.of(path.resolve().stem, FORMAT, streams, notes=notes)


def _map_help(names: Sequence[str]) -> str:
    # No ids in the example: who copies it unread would swap left and right.
    return (
        f"Found: {', '.join(names)}. Say it with --map pelvis=ID,left_thigh=ID,right_thigh=ID, where ID is "
        f"one of these or '..' and its end, e.g. ..{names[0][-2:]} (or write it in {MAP_FILE})."
    )


def _fits(pattern: str, name: str) -> bool:
    return name.lower().endswith(pattern.removeprefix("..").lower())


def _sensor_name(path: Path) -> str:
    """MT Manager puts the device id last in the file name, e.g. MT_012000C1-000_00B45C2D.txt."""
    return re.split(r"[_\-\s]", path.stem)[-1]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _read_file(path: Path) -> _File:
    rate_hz: float | None = None
    header_lines = 0
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        while (line := file.readline()).startswith("//") or not line.strip():
            if not line:
                raise EmptyRecordingError(f"{path}: there is no table in it.", "Export it again.")
            header_lines += 1
            if match := _RATE.search(line):
                rate_hz = float(match[1])
        separator = next((s for s in (";", "\t", ",") if s in line), ";")
        columns = [name.strip() for name in line.strip().split(separator)]
        header_lines += 1
        missing = [name for name in (COUNTER, *ACC) if name not in columns]
        if missing:
            raise RecordingError(
                f"{path}, line {header_lines}: the column {missing[0]} is missing.",
                "Export packet counter, acceleration and rate of turn.",
            )
        if rate_hz is None:
            raise RecordingError(
                f"{path}: the header does not state the update rate.", "Add a line: // Update Rate: 60.0Hz"
            )
        has_gyr = all(name in columns for name in GYR)
        wanted = [columns.index(name) for name in (COUNTER, *ACC, *(GYR if has_gyr else ()))]
        rows = [
            cells(text, separator, wanted, path, header_lines + i)
            for i, text in enumerate(file, start=1)
            if text.strip()
        ]
    if not rows:
        raise EmptyRecordingError(f"{path}: there is no sample in it.", "Export it again.")
    table = np.array(rows, dtype=np.float64)
    return _File(
        path,
        _sensor_name(path),
        rate_hz,
        unwrapped(table[:, 0], WRAP),
        table[:, 1:4],
        table[:, 4:7] if has_gyr else None,
        header_lines,
    )
