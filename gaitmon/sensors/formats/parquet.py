"""HARTH-style parquet: ``datetime`` and ``acc_x, acc_y, acc_z`` in g, one file per sensor, in folders
named ``thigh`` and ``trunk``.  Needs pyarrow (``gaitmon[parquet]``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaitmon.errors import EmptyRecordingError, RecordingError
from gaitmon.model import Floats, Placement
from gaitmon.sensors.formats.samples import STANDARD_GRAVITY_M_S2, RawSamples, checked_streams
from gaitmon.sensors.recording import Recording

FORMAT = "parquet"
FOLDERS = {"trunk": Placement.PELVIS, "thigh": Placement.THIGH}
COLUMNS = ("acc_x", "acc_y", "acc_z")


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    stamps_ns: NDArray[np.int64]
    acc_g: Floats


def is_parquet(head: bytes) -> bool:
    """head: the first bytes of a file."""
    return head.startswith(b"PAR1")


def is_folder(path: Path) -> bool:
    return any(any((path / name).glob("*.parquet")) for name in FOLDERS)


def read(path: Path, select: str | None) -> Recording:
    """path: one of the files (its neighbour in the other folder is read too), or the folder above, where
    select names the subject.  t_s counts from the first sample; the stamps are local time without a zone,
    kept as text in the notes."""
    subject, root = (path.stem, path.parent.parent) if path.is_file() else _subject(path, select)
    files = {FOLDERS[n]: root / n / f"{subject}.parquet" for n in FOLDERS}
    if path.is_file() and path.resolve() not in {file.resolve() for file in files.values()}:
        raise RecordingError(
            f"{path}: its folder does not say where the sensor was worn.",
            f"Put it in a folder named {' or '.join(FOLDERS)}.",
        )
    tables = {placement: _load(file) for placement, file in files.items() if file.is_file()}
    origin = min(int(table.stamps_ns.min()) for table in tables.values())
    raws = [
        RawSamples(
            placement,
            t_s=(table.stamps_ns - origin) / 1e9,
            acc_m_s2=table.acc_g * STANDARD_GRAVITY_M_S2,
            gyr_rad_s=None,
            where=lambda row, file=files[placement]: f"{file}, row {row + 1}",  # type: ignore[misc]  # bound
        )
        for placement, table in tables.items()
    ]
    streams, notes = checked_streams(raws)
    notes["local start"] = str(np.datetime64(origin, "ns").astype("datetime64[us]"))
    return Recording.of(f"{root.name}-{subject}", FORMAT, streams, notes=notes)


def _subject(path: Path, select: str | None) -> tuple[str, Path]:
    subjects = sorted({file.stem for name in FOLDERS for file in (path / name).glob("*.parquet")})
    chosen = [select] if select in subjects else subjects if select is None else []
    if len(chosen) != 1 or chosen[0] is None:
        raise RecordingError(
            f"{path}: {'several recordings are in it' if select is None else f'there is no {select}'}.",
            f"Found: {', '.join(subjects)}. Choose one, for example --select {subjects[0]}",
        )
    return chosen[0], path


def _load(file: Path) -> _Table:
    try:
        from pyarrow import ArrowException  # noqa: PLC0415  (an optional extra)
        from pyarrow.parquet import read_table  # noqa: PLC0415
    except ImportError:
        raise RecordingError(
            f"{file}: reading parquet needs pyarrow, which is not installed.",
            "pip install 'gaitmon[parquet]'",
        ) from None
    try:
        table = read_table(file)
    except (ArrowException, OSError) as error:
        raise RecordingError(f"{file}: not readable as parquet ({error}).", "Copy the file again.") from None
    missing = [name for name in ("datetime", *COLUMNS) if name not in table.column_names]
    if missing:
        raise RecordingError(
            f"{file}: the column {missing[0]} is missing.", "Expected: datetime, acc_x, acc_y, acc_z."
        )
    if table.num_rows == 0:
        raise EmptyRecordingError(f"{file}: there is no sample in it.", "Leave it out.")
    stamps = table.column("datetime").to_numpy().astype("datetime64[ns]").astype(np.int64)
    acc = np.column_stack([table.column(name).to_numpy().astype(np.float64) for name in COLUMNS])
    return _Table(stamps, acc)
