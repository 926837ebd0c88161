"""numpy .npz with ``fs`` and ``<sensor>_acc`` (m/s²), ``<sensor>_gyr`` (rad/s)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from gaitmon.errors import RecordingError
from gaitmon.model import Placement
from gaitmon.sensors.formats.placements import PlacementMap, assign
from gaitmon.sensors.formats.samples import RawSamples, checked_streams
from gaitmon.sensors.recording import Recording

FORMAT = "numpy .npz"
PLACEMENTS: PlacementMap = {
    "lumbar": Placement.PELVIS,
    "leftthigh": Placement.LEFT_THIGH,
    "rightthigh": Placement.RIGHT_THIGH,
    "leftfoot": Placement.LEFT_FOOT,
    "rightfoot": Placement.RIGHT_FOOT,
}


def is_npz(head: bytes) -> bool:
    """head: the first bytes of a file: a ZIP whose first member is an array."""
    name_length = int.from_bytes(head[26:28], "little")
    return head.startswith(b"PK\x03\x04") and head[30 : 30 + name_length].endswith(b".npy")


def read(path: Path, placement_map: PlacementMap | None) -> Recording:
    try:
        # Opened here, because np.load leaves the file open when it is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError, RuntimeError) as error:
        raise RecordingError(f"{path}: not readable as .npz ({error}).", "Copy the file again.") from None
    names = [name.removesuffix("_acc") for name in arrays if name.endswith("_acc")]
    if "fs" not in arrays or not names:
        raise RecordingError(f"{path}: no 'fs' and '<sensor>_acc' in it.", "Convert it to a CSV folder.")
    if placement_map is None:
        placement_map = {name: where for name, where in PLACEMENTS.items() if name in names}
    worn = assign(names, placement_map, str(path))
    rate_hz = float(arrays["fs"])
    raws = []
    for name, where_worn in worn.items():
        acc = arrays[f"{name}_acc"].astype(np.float64).reshape(-1, 3)
        gyr = arrays.get(f"{name}_gyr")
        raws.append(
            RawSamples(
                where_worn,
                t_s=np.arange(len(acc)) / rate_hz,
                acc_m_s2=acc,
                gyr_rad_s=None if gyr is None else gyr.astype(np.float64).reshape(-1, 3),
                where=lambda row, name=name: f"{path}, {name}, row {row + 1}",  # type: ignore[misc]  # bound
                rate_hz=rate_hz,
                device=name,
            )
        )
    streams, notes = checked_streams(raws)
    if unused := [name for name in names if name not in worn]:
        notes["not used"] = ", ".join(unused)
    return Recording.of(path.stem, FORMAT, streams, notes=notes)
