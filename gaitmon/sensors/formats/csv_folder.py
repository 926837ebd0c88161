"""The plain CSV folder: one file per sensor, named after its placement.  docs/recording-format.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np

from gaitmon.errors import RecordingError
from gaitmon.model import Placement
from gaitmon.sensors.formats.csv_text import Head, head_of, read_columns, read_head
from gaitmon.sensors.formats.header import apply_header, header_of, read_json_header
from gaitmon.sensors.formats.samples import RawSamples, checked_streams
from gaitmon.sensors.recording import Recording, SampleStream

FORMAT = "csv folder"
HEADER_FILE = "recording.json"
ACC_COLUMNS = ["t_s", "acc_x_m_s2", "acc_y_m_s2", "acc_z_m_s2"]
ALL_COLUMNS = [*ACC_COLUMNS, "gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s"]
EXPECTED = f"Expected: {','.join(ACC_COLUMNS)}[,{','.join(ALL_COLUMNS[4:])}]"


def is_csv(head: bytes) -> bool:
    """head: the first bytes of a file."""
    return "t_s" in head_of(iter(head.decode("utf-8-sig", errors="replace").splitlines())).names


def placement_files(folder: Path) -> dict[Placement, Path]:
    """The files of a folder that are named after a placement; Left Thigh.csv is left_thigh.csv."""
    found: dict[Placement, Path] = {}
    for path in sorted(folder.iterdir()):
        placement = placement_of(path)
        if placement is None or not path.is_file():
            continue
        if placement in found:
            raise RecordingError(
                f"{folder}: {found[placement].name} and {path.name} are both the {placement}.", "Remove one."
            )
        found[placement] = path
    return found


def placement_of(path: Path) -> Placement | None:
    name = re.sub(r"[\s\-]+", "_", path.stem.strip().lower())
    return next((p for p in Placement if p.value == name), None) if path.suffix.lower() == ".csv" else None


def read(path: Path) -> Recording:
    """path: the folder, or one file of it, which is then read alone."""
    if path.is_file():
        placement = placement_of(path)
        if placement is None:
            raise RecordingError(
                f"{path}: its name does not say where the sensor was worn.",
                f"Rename it to one of {', '.join(f'{p}.csv' for p in Placement)}.",
            )
        files, name = {placement: path}, path.stem
    else:
        files, name = placement_files(path), path.resolve().name
    heads = {placement: read_head(file, EXPECTED) for placement, file in files.items()}
    raws = [_read_file(placement, file, heads[placement]) for placement, file in files.items()]
    streams, notes = checked_streams(raws)
    for placement, head in heads.items():
        if unused := [name for name in head.names if name and name not in ALL_COLUMNS]:
            notes[f"{placement} columns"] = f"not used: {', '.join(unused)[:120]}"
    header_path = (path if path.is_dir() else path.parent) / HEADER_FILE
    if not header_path.is_file():
        return Recording.of(name, FORMAT, streams, notes=notes)
    header = read_json_header(header_path.read_bytes(), str(header_path))
    return apply_header(header, FORMAT, streams, notes)


def write(recording: Recording, path: Path) -> None:
    """A new folder; values are written so that reading gives the same bits (NaN as ``nan``).

    The folder appears at once when it is complete.  Raises RecordingError when it exists already.
    """
    if path.exists():
        raise RecordingError(f"{path} exists already.", "Choose another name or remove it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        for stream in recording.streams.values():
            _write_file(stream, partial / f"{stream.placement}.csv")
        header = header_of(recording)
        (partial / HEADER_FILE).write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")
        partial.chmod(0o777 & ~_umask())
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_file(stream: SampleStream, path: Path) -> None:
    with path.open("w", encoding="ascii", newline="\n") as out:
        out.write(",".join(ALL_COLUMNS if stream.has_gyroscope else ACC_COLUMNS) + "\n")
        for block in stream.chunks():
            columns = [block.t_s[:, None], block.acc_m_s2]
            if block.gyr_rad_s is not None:
                columns.append(block.gyr_rad_s)
            # repr of a float is the shortest text that gives the same float back.
            out.writelines(",".join(map(repr, row)) + "\n" for row in np.hstack(columns).tolist())


def _read_file(placement: Placement, path: Path, head: Head) -> RawSamples:
    gyr = [name for name in ALL_COLUMNS[4:] if name in head.names]
    missing = any(name not in head.names for name in ACC_COLUMNS) or len(gyr) not in (0, 3)
    if missing or any(head.names.count(name) > 1 for name in ALL_COLUMNS):
        raise RecordingError(
            f"{path}, line {head.line}: wrong header '{head.separator.join(head.names)[:120]}'.", EXPECTED
        )
    table = read_columns(path, head, ALL_COLUMNS if gyr else ACC_COLUMNS)
    return RawSamples(
        placement,
        t_s=table[:, 0],
        acc_m_s2=table[:, 1:4],
        gyr_rad_s=table[:, 4:7] if gyr else None,
        where=lambda row: f"{path}, line {row + head.line + 1}",
    )
