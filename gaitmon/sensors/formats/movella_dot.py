"""Recordings made on Movella (Xsens) DOT sensors, exported as CSV: one file per sensor.

A head of ``name:,value`` lines, then columns as the maker's SDK names them.  Acceleration m/s², rate of turn
deg/s.  SampleTimeFine is the sensor's clock, u32 microseconds; after the maker's synchronisation it is the
same in all sensors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaitmon.errors import EmptyRecordingError, RecordingError
from gaitmon.model import Floats, Placement
from gaitmon.sensors.formats.placements import MAP_FILE, PlacementMap, assign, read_placement_map
from gaitmon.sensors.formats.samples import RawSamples, checked_streams
from gaitmon.sensors.formats.tables import cells, side_by_side, unwrapped
from gaitmon.sensors.recording import Recording

FORMAT = "Movella DOT export"
COUNTER, CLOCK = "PacketCounter", "SampleTimeFine"
ACC = ("Acc_X", "Acc_Y", "Acc_Z")
GYR = ("Gyr_X", "Gyr_Y", "Gyr_Z")
TURN_US = 2.0**32
SYNCED = "synced"
FACTORY_TAGS = {"Xsens DOT", "Movella DOT"}
_HEAD = re.compile(r"([A-Z][\w ]*?)\s*:\s*[,;]?\s*(.*?)[,;\s]*$")


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    path: Path
    head: Mapping[str, str]
    columns: list[str]
    separator: str
    head_lines: int  # with the columns

    @property
    def rate_hz(self) -> float | None:
        match = re.match(r"[0-9.]+", self.head.get("OutputRate", ""))
        return float(match[0]) if match else None

    def where(self, row: int) -> str:
        return f"{self.path}, line {row + self.head_lines + 1}"


def is_dot_export(head: bytes) -> bool:
    """head: the first bytes of a file."""
    text = head.decode("utf-8-sig", errors="replace")
    return "DeviceTag" in text and CLOCK in text


def files(path: Path) -> list[Path]:
    """The sensor files: path itself, or those in the folder."""
    if path.is_file():
        return [path]
    found = [p for p in sorted(path.iterdir()) if p.suffix.lower() == ".csv" and p.is_file()]
    return [p for p in found if is_dot_export(_beginning(p))]


def read(path: Path, placement_map: PlacementMap | None) -> Recording:
    """path: a folder of such files, or one of them.  Where a sensor was worn is said by the map, a
    placements.toml in the folder, or the tags, if they are placements such as ``left thigh``.

    Raises RecordingError, also for several sensors that were not synchronised.
    """
    heads = [_read_head(p) for p in files(path)]
    names = _names(heads)
    worn = _worn(path, names, placement_map)
    chosen = [(name, head) for name, head in zip(names, heads, strict=True) if name in worn]
    _check_clocks(path, [head for _, head in chosen])
    tables = [_read_table(head) for _, head in chosen]
    clocks = [unwrapped(table[:, 1], TURN_US) for table in tables]
    offsets = side_by_side([float(clock[0]) for clock in clocks], TURN_US)
    raws = [
        RawSamples(
            worn[name],
            t_s=(clock + offset) * 1e-6,
            acc_m_s2=table[:, 2:5],
            gyr_rad_s=np.radians(table[:, 5:8]),
            where=head.where,
            rate_hz=head.rate_hz,
            device=name,
        )
        for (name, head), table, clock, offset in zip(chosen, tables, clocks, offsets, strict=True)
    ]
    streams, notes = checked_streams(raws)
    for (name, _), table in zip(chosen, tables, strict=True):
        lost = int(table[-1, 0] - table[0, 0]) + 1 - len(table)
        if lost > 0:
            notes[f"{worn[name]}: lost"] = f"{lost} samples are missing by the packet counter"
    if start := chosen[0][1].head.get("StartTime"):
        notes["local start"] = start
    if unused := [name for name in names if name not in worn]:
        notes["not used"] = ", ".join(unused)
    return Recording.of(path.resolve().stem, FORMAT, streams, notes=notes)


def _names(heads: list[_File]) -> list[str]:
    """The tags where they tell the sensors apart, else the names of the files."""
    tags = [head.head.get("DeviceTag", "") for head in heads]
    good = all(tags) and len({tag.lower() for tag in tags}) == len(tags) and not {*tags} & FACTORY_TAGS
    return tags if good else [head.path.stem for head in heads]


def _worn(path: Path, names: list[str], placement_map: PlacementMap | None) -> dict[str, Placement]:
    if placement_map is None:
        placement_map = read_placement_map(path if path.is_dir() else path.parent)
        if placement_map is not None and path.is_file():  # the folder's map names the other sensors too
            ends = {sensor: sensor.removeprefix("..").lower() for sensor in placement_map}
            placement_map = {
                sensor: where
                for sensor, where in placement_map.items()
                if any(name.lower().endswith(ends[sensor]) for name in names)
            }
    if placement_map:
        return assign(names, placement_map, str(path))
    known = {placement.value: placement for placement in Placement}
    by_tag = {name: re.sub(r"[\s\-]+", "_", name.strip().lower()) for name in names}
    worn = {name: known[tag] for name, tag in by_tag.items() if tag in known}
    if not worn or len(set(worn.values())) < len(worn):
        raise RecordingError(
            f"{path}: the files do not say where the sensors were worn.",
            f"Found: {', '.join(names)}. Say it with --map pelvis=NAME,left_thigh=NAME,right_thigh=NAME, "
            f"write it in {MAP_FILE}, or tag the sensors so (left thigh, ...) before recording.",
        )
    return worn


def _check_clocks(path: Path, heads: list[_File]) -> None:
    """Several sensors need one clock: without it left and right could not be compared."""
    if len(heads) < 2:
        return
    for head in heads:
        status = head.head.get("SyncStatus", "not stated")
        if status.lower() != SYNCED:
            raise RecordingError(
                f"{head.path}: the sensor was not synchronised with the others (SyncStatus: {status}).",
                "Synchronise the sensors in the app before recording, or read one file alone.",
            )
    rates = {head.rate_hz for head in heads}
    if len(rates) > 1:
        raise RecordingError(
            f"{path}: the sensors have different rates ({sorted(map(str, rates))}).",
            "Record them as one measurement.",
        )


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _read_head(path: Path) -> _File:
    head: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if line.startswith(COUNTER):
                separator = next((s for s in (",", ";", "\t") if s in line), ",")
                columns = [name.strip() for name in line.strip().split(separator)]
                return _File(path, head, columns, separator, number)
            if match := _HEAD.match(line):
                head[match[1]] = match[2]
    raise EmptyRecordingError(f"{path}: there is no table in it.", "Export it again.")


def _read_table(file: _File) -> Floats:
    """(n, 8): counter, clock, acc, gyr as in the file."""
    wanted = [COUNTER, CLOCK, *ACC, *GYR]
    if missing := [name for name in wanted if name not in file.columns]:
        mode = file.head.get("Measurement Mode", "")
        raise RecordingError(
            f"{file.path}, line {file.head_lines}: the column {missing[0]} is missing"
            + (f" (Measurement Mode: {mode})." if mode else "."),
            "Record acceleration and angular velocity: the mode Rate quantities, or a custom one with both.",
        )
    at = [file.columns.index(name) for name in wanted]
    with file.path.open(encoding="utf-8-sig", errors="replace") as lines:
        rows = [
            cells(text, file.separator, at, file.path, number)
            for number, text in enumerate(lines, start=1)
            if number > file.head_lines and text.strip()
        ]
    if not rows:
        raise EmptyRecordingError(f"{file.path}: there is no sample in it.", "Export it again.")
    table = np.array(rows, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(table[:, :2]).all(axis=1))
    if len(bad):
        raise RecordingError(
            f"{file.where(int(bad[0]))}: {COUNTER} or {CLOCK} is empty.", "Correct or remove the line."
        )
    return table
