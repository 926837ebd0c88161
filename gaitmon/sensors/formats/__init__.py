"""Recordings in and out.  The format is told by what is in a file, never by its name.

open_recording reads: our own .gaitrec, the plain CSV folder, Xsens / Movella MT Manager text, Movella DOT
exports, qmt and mobgap .mat, numpy .npz, HARTH-style parquet, a phone's accelerometer.csv.gz.
docs/recording-format.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gaitmon.errors import EmptyRecordingError, RecordingError, UnknownFormatError
from gaitmon.sensors.formats import csv_folder, gaitrec, matlab, movella_dot, numpy_npz, parquet, phone, xsens
from gaitmon.sensors.formats.placements import PlacementMap, parse_placement_map
from gaitmon.sensors.recording import Recording

__all__ = ["PlacementMap", "open_recording", "parse_placement_map", "write_recording"]

KNOWN = (
    "Known: .gaitrec, a CSV folder (pelvis.csv, left_thigh.csv, ...), Xsens MT Manager text, Movella DOT "
    "exports, qmt or mobgap .mat, .npz, parquet, accelerometer.csv.gz; see docs/recording-format.md."
)


def open_recording(
    path: Path | str, placement_map: PlacementMap | None = None, *, select: str | None = None
) -> Recording:
    """The recording at path, a file or a folder.

    placement_map: sensor -> placement, for files that do not say where a sensor was worn.
    select: which trial or subject, where a file or folder holds several.
    Raises RecordingError (one line: the file, where in it, the remedy).
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _open_folder(path, placement_map, select)
        return _open_file(path, placement_map, select)
    except FileNotFoundError as error:
        raise RecordingError(f"{error.filename or path}: there is no such file.", "Check the path.") from None
    except OSError as error:
        raise RecordingError(
            f"{path}: {error.strerror or error}.", "Check the file and its rights."
        ) from None


def write_recording(recording: Recording, path: Path | str) -> None:
    """To NAME.gaitrec, or to a new CSV folder for a path without suffix.  Complete or not at all."""
    path = Path(path)
    try:
        if path.suffix == gaitrec.SUFFIX:
            gaitrec.write(recording, path)
        elif path.suffix == "":
            csv_folder.write(recording, path)
        else:
            raise RecordingError(
                f"{path}: the format {path.suffix} is not written.",
                "End the name in .gaitrec, or give a name without ending for a CSV folder.",
            )
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror or error}.", "Choose another place.") from None


def _open_folder(path: Path, placement_map: PlacementMap | None, select: str | None) -> Recording:
    if csv_folder.placement_files(path):
        return csv_folder.read(path)
    if movella_dot.files(path):
        return movella_dot.read(path, placement_map)
    if xsens.files(path):
        return xsens.read(path, placement_map)
    if parquet.is_folder(path):
        return parquet.read(path, select)
    if (path / phone.FILE).is_file():
        return phone.read(path)
    if not any(path.iterdir()):
        raise EmptyRecordingError(f"{path}: the folder is empty.", KNOWN)
    if tables := sorted(p.name for p in path.iterdir() if p.suffix.lower() == ".csv"):
        raise UnknownFormatError(
            f"{path}: no recording is recognised in this folder. The names {', '.join(tables)[:120]} do not "
            "say where the sensors were worn.",
            "Name them pelvis.csv, left_thigh.csv, right_thigh.csv; see docs/recording-format.md.",
        )
    raise UnknownFormatError(f"{path}: no recording is recognised in this folder.", KNOWN)


def _open_file(path: Path, placement_map: PlacementMap | None, select: str | None) -> Recording:
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise EmptyRecordingError(f"{path}: the file is empty.", "Record or copy it again.")
    readers: list[tuple[bool, Callable[[], Recording]]] = [
        (gaitrec.is_gaitrec(head), lambda: gaitrec.read(path)),
        (numpy_npz.is_npz(head), lambda: numpy_npz.read(path, placement_map)),
        (matlab.is_matlab(head), lambda: matlab.read(path, placement_map, select)),
        (parquet.is_parquet(head), lambda: parquet.read(path, select)),
        (phone.is_gzip(head), lambda: phone.read(path)),
        (movella_dot.is_dot_export(head), lambda: movella_dot.read(path, placement_map)),
        (xsens.is_mt_manager(head), lambda: xsens.read(path, placement_map)),
        (csv_folder.is_csv(head), lambda: csv_folder.read(path)),
    ]
    for recognised, read in readers:
        if recognised:
            return read()
    if head.startswith(b"\x89HDF"):
        raise UnknownFormatError(f"{path}: HDF5 (MATLAB 7.3) is not read.", "Save it as MATLAB 7 (-v7).")
    raise UnknownFormatError(f"{path}: the format is not recognised.", KNOWN)
