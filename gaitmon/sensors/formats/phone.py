"""A phone's accelerometer.csv.gz (Android): ``nanoseconds,accuracy,x,y,z`` without header, m/s²."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path

import numpy as np

from gaitmon.errors import EmptyRecordingError, RecordingError
from gaitmon.model import Placement
from gaitmon.sensors.formats.samples import RawSamples, checked_stream
from gaitmon.sensors.recording import Recording

FORMAT = "phone accelerometer csv.gz"
FILE = "accelerometer.csv.gz"


def is_gzip(head: bytes) -> bool:
    """head: the first bytes of a file."""
    return head.startswith(b"\x1f\x8b")


def read(path: Path) -> Recording:
    """path: the file, or the folder that holds it.  t_s is the phone's own clock since it was switched on."""
    path = path / FILE if path.is_dir() else path
    nanoseconds: list[int] = []
    acc: list[tuple[float, float, float]] = []
    try:
        with gzip.open(path, "rt", encoding="ascii", newline="") as file:
            for line, cells in enumerate(csv.reader(file), start=1):
                try:
                    stamp, _, x, y, z = cells
                    nanoseconds.append(int(stamp))
                    acc.append((float(x), float(y), float(z)))
                except ValueError:
                    raise RecordingError(
                        f"{path}, line {line}: expected nanoseconds,accuracy,x,y,z.", "Correct or remove it."
                    ) from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: not readable ({error}).", "Copy the file again.") from None
    if not acc:
        raise EmptyRecordingError(f"{path}: there is no sample in it.", "Record again.")
    raw = RawSamples(
        Placement.PHONE,
        t_s=np.array(nanoseconds, dtype=np.int64) / 1e9,
        acc_m_s2=np.array(acc, dtype=np.float64),
        gyr_rad_s=None,
        where=lambda row: f"{path}, line {row + 1}",
    )
    stream, notes = checked_stream(raw)
    return Recording.of(path.resolve().parent.name, FORMAT, [stream], notes=notes)
