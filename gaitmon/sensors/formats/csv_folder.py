"""The plain CSV folder: one file per sensor, named after its placement.  docs/recording-format.md."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from gaitmon.errors import RecordingError
from gaitmon.model import Floats, Placement
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
    return head.lstrip(b"\xef\xbb\xbf ").startswith(b"t_s")


def placement_files(folder: Path) -> dict[Placement, Path]:
    """The files of a folder that are named after a placement."""
    paths = {placement: folder / f"{placement}.csv" for placement in Placement}
    return {placement: path for placement, path in paths.items() if path.is_file()}


def read(path: Path) -> Recording:
    """path: the folder, or one file of it, which is then read alone."""
    if path.is_file():
        names = {placement.value: placement for placement in Placement}
        if path.stem not in names:
            raise RecordingError(
                f"{path}: its name does not say where the sensor was worn.",
                f"Rename it to one of {', '.join(f'{n}.csv' for n in names)}.",
            )
        files, name = {names[path.stem]: path}, path.stem
    else:
        files, name = placement_files(path), path.resolve().name
    streams, notes = checked_streams([_read_file(placement, file) for placement, file in files.items()])
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


def _read_file(placement: Placement, path: Path) -> RawSamples:
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = [name.strip() for name in file.readline().rstrip("\r\n").split(",")]
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: not a text file.", EXPECTED) from None
    if header not in (ACC_COLUMNS, ALL_COLUMNS):
        raise RecordingError(f"{path}, line 1: wrong header '{','.join(header)[:120]}'.", EXPECTED)
    table = _numbers(path, len(header))
    return RawSamples(
        placement,
        t_s=table[:, 0],
        acc_m_s2=table[:, 1:4],
        gyr_rad_s=table[:, 4:7] if len(header) == len(ALL_COLUMNS) else None,
        where=lambda row: f"{path}, line {row + 2}",
    )


def _numbers(path: Path, n_columns: int) -> Floats:
    """The cells as (n, n_columns) float64.  The quick parser first; the slow one finds the bad cell."""
    with path.open(encoding="utf-8-sig") as file:
        file.readline()
        if not file.readline().strip():
            return _numbers_slowly(path, n_columns)
        file.seek(0)
        try:
            table: Floats = np.loadtxt(file, delimiter=",", skiprows=1, comments=None, ndmin=2)
        except ValueError:
            return _numbers_slowly(path, n_columns)
    # loadtxt skips blank lines, which would shift the line numbers of later messages: they are rare.
    return table if table.shape[1] == n_columns else _numbers_slowly(path, n_columns)


def _numbers_slowly(path: Path, n_columns: int) -> Floats:
    rows: list[list[float]] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        columns = next(reader)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != n_columns:
                raise RecordingError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells where {n_columns} are expected.",
                    "Correct the line, or remove it if the file was cut off there.",
                )
            rows.append([_number(path, reader.line_num, *pair) for pair in zip(columns, cells, strict=True)])
    return np.array(rows, dtype=np.float64).reshape(-1, n_columns)


def _number(path: Path, line: int, column: str, cell: str) -> float:
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError:
        raise RecordingError(
            f"{path}, line {line}, column {column}: '{cell[:40]}' is not a number.",
            "Correct it, or leave the cell empty if the sample is missing.",
        ) from None
