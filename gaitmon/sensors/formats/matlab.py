"""MATLAB files: the qmt full-body example and the mobgap / Mobilise-D layout."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gaitmon.errors import RecordingError
from gaitmon.model import Floats, Placement
from gaitmon.sensors.formats.placements import PlacementMap, assign
from gaitmon.sensors.formats.samples import STANDARD_GRAVITY_M_S2, RawSamples, checked_streams
from gaitmon.sensors.recording import Recording

QMT_FORMAT = "qmt .mat"
MOBGAP_FORMAT = "mobgap .mat"
QMT_PLACEMENTS: PlacementMap = {
    "hip": Placement.PELVIS,
    "upper_leg_left": Placement.LEFT_THIGH,
    "upper_leg_right": Placement.RIGHT_THIGH,
    "foot_left": Placement.LEFT_FOOT,
    "foot_right": Placement.RIGHT_FOOT,
}


def is_matlab(head: bytes) -> bool:
    """head: the first bytes of a file."""
    return head.startswith(b"MATLAB 5.0")


def read(path: Path, placement_map: PlacementMap | None, select: str | None) -> Recording:
    """select: for mobgap, which trial, e.g. ``TimeMeasure1/Test11/Trial1`` or the end of it."""
    content = _load(path)
    if "data" in content and hasattr(content["data"], "_fieldnames"):
        return _read_mobgap(path, content["data"], select)
    sensors = {k: v for k, v in content.items() if hasattr(v, "acc")}
    if "t" not in content or not sensors:
        raise RecordingError(
            f"{path}: no time 't' and sensors with 'acc' in it (as in qmt), nor 'data' (as in mobgap).",
            "Convert it to a CSV folder.",
        )
    return _read_qmt(path, np.atleast_1d(np.asarray(content["t"], dtype=np.float64)), sensors, placement_map)


def _load(path: Path) -> dict[str, object]:
    from scipy.io import loadmat  # noqa: PLC0415  (a quarter of a second that other formats need not pay)

    try:
        content: dict[str, object] = loadmat(path, squeeze_me=True, struct_as_record=False)
    except Exception as error:  # scipy raises whatever a damaged file leads to
        raise RecordingError(f"{path}: not readable as MATLAB file ({error}).", "Save it again.") from error
    return content


def _array(struct: object, name: str) -> Floats:
    return np.asarray(getattr(struct, name), dtype=np.float64).reshape(-1, 3)


def _read_qmt(
    path: Path, t_s: Floats, sensors: dict[str, object], placement_map: PlacementMap | None
) -> Recording:
    if placement_map is None:
        placement_map = {name: where for name, where in QMT_PLACEMENTS.items() if name in sensors}
    worn = assign(list(sensors), placement_map, str(path))
    if not worn:
        raise RecordingError(
            f"{path}: none of its sensors is known. Found: {', '.join(sensors)}.",
            f"Say where they were worn, for example --map pelvis={next(iter(sensors))}.",
        )
    raws = [
        RawSamples(
            where_worn,
            t_s,
            _array(sensors[name], "acc"),
            _array(sensors[name], "gyr") if hasattr(sensors[name], "gyr") else None,
            where=lambda row, name=name: f"{path}, {name}, row {row + 1}",  # type: ignore[misc]  # bound
            device=name,
        )
        for name, where_worn in worn.items()
    ]
    for raw in raws:
        if len(raw.acc_m_s2) != len(t_s):
            raise RecordingError(
                f"{path}: {raw.device} has {len(raw.acc_m_s2)} samples, t has {len(t_s)}.", "Save it again."
            )
    streams, notes = checked_streams(raws)
    if unused := [name for name in sensors if name not in worn]:
        notes["not used"] = ", ".join(unused)
    return Recording.of(path.stem, QMT_FORMAT, streams, notes=notes)


def _trials(struct: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name in getattr(struct, "_fieldnames", []):
        value = getattr(struct, name)
        if hasattr(value, "SU"):
            yield prefix + name, value
        else:
            yield from _trials(value, f"{prefix}{name}/")


def _read_mobgap(path: Path, data: object, select: str | None) -> Recording:
    trials = dict(_trials(data))
    wanted = (select or "").strip("/")
    chosen = [name for name in trials if not wanted or name == wanted or name.endswith("/" + wanted)]
    if len(chosen) != 1:
        raise RecordingError(
            f"{path}: {'several trials are in it' if not select else f'which trial is {select!r}?'}.",
            f"Found: {', '.join(trials)}. Choose one, for example --select {next(iter(trials), 'Trial1')}",
        )
    trial = trials[chosen[0]]
    sensor = getattr(getattr(trial, "SU", None), "LowerBack", None)
    if sensor is None:
        raise RecordingError(f"{path}: {chosen[0]} has no SU.LowerBack.", "Choose another trial.")
    rate_hz = float(sensor.Fs.Acc)
    acc = _array(sensor, "Acc") * STANDARD_GRAVITY_M_S2
    raw = RawSamples(
        Placement.PELVIS,
        # Its references count seconds from the first sample; Timestamp is UTC with the same step.
        t_s=np.arange(len(acc)) / rate_hz,
        acc_m_s2=acc,
        gyr_rad_s=np.radians(_array(sensor, "Gyr")),
        where=lambda row: f"{path}, {chosen[0]} LowerBack, row {row + 1}",
        rate_hz=rate_hz,
        device="LowerBack",
    )
    streams, notes = checked_streams([raw])
    name = f"{path.parent.name}-{chosen[0].replace('/', '-')}"
    return Recording.of(name, MOBGAP_FORMAT, streams, start_utc_us=_start_utc_us(trial), notes=notes)


def _start_utc_us(trial: object) -> int | None:
    try:
        start = datetime.fromisoformat(str(getattr(trial, "StartDateTime", "")))
    except ValueError:
        return None
    return None if start.tzinfo is None else round(start.astimezone(UTC).timestamp() * 1_000_000)
