"""Runs one peer in its own environment; started by tests/bench_peers.py, imports nothing of gaitmon.

``python peer_worker.py mobgap|skdh IN.npz OUT.json``.  IN: walks walk_0, walk_1, ..., each (n, 6) at 100 Hz:
up, left, forward of acceleration (m/s²) and angular rate (rad/s); hour (n, 6) likewise; stature_m.
OUT: contacts: per walk [seconds from its start, "left" | "right" | null]; cpu_s: of the hour; import_s.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any  # the peers' own objects, of whose types this project knows nothing

import numpy as np

HZ = 100.0
Walk = np.ndarray[Any, np.dtype[np.float64]]
Contacts = list[tuple[float, str | None]]


def mobgap_frame(walk: Walk) -> Any:
    columns = ["acc_is", "acc_ml", "acc_pa", "gyr_is", "gyr_ml", "gyr_pa"]
    return import_module("pandas").DataFrame(
        np.column_stack([walk[:, :3], np.degrees(walk[:, 3:])]), columns=columns
    )


def mobgap_contacts(walk: Walk) -> Contacts:
    """The published best of its detectors and side classifiers, IcdShinImproved and LrcMansour."""
    data = mobgap_frame(walk)
    ics = (
        import_module("mobgap.initial_contacts").IcdShinImproved().detect(data, sampling_rate_hz=HZ).ic_list_
    )
    if len(ics) == 0:
        return []
    sided = (
        import_module("mobgap.laterality").LrcMansour().predict(data, ics, sampling_rate_hz=HZ).ic_lr_list_
    )
    return [(float(i) / HZ, str(side)) for i, side in zip(sided["ic"], sided["lr_label"], strict=True)]


def mobgap_hour(hour: Walk, stature_m: float) -> None:
    """The whole official pipeline."""
    data = import_module("mobgap.data")
    sensor = np.column_stack([hour[:, :3], np.degrees(hour[:, 3:])])
    frame = import_module("pandas").DataFrame(
        sensor, columns=["acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z"]
    )
    point = data.GaitDatasetFromData(
        {("hour",): {"LowerBack": frame}},
        HZ,
        {("hour",): {"height_m": stature_m, "sensor_height_m": 0.53 * stature_m, "cohort": "HA"}},
        {("hour",): {"measurement_condition": "free_living"}},
        index_cols=["name"],
    )
    import_module("mobgap.pipeline").MobilisedPipelineHealthy().run(point[0])


def skdh_contacts(walk: Walk) -> Contacts:
    found = _skdh_gait(walk, np.array([[0, len(walk) - 1]]), 1.7)
    times = np.asarray(found["IC Timestamp"], dtype=float)
    return [(float(t), None) for t in times if np.isfinite(t)]


def _skdh_gait(walk: Walk, bouts: Any, stature_m: float) -> Any:
    t = np.arange(len(walk)) / HZ
    lumbar = import_module("skdh.gait").GaitLumbar(min_bout_time=1.0)
    return lumbar.predict(
        time=t, accel=walk[:, :3] / 9.81, gyro=walk[:, 3:], fs=HZ, height=stature_m, gait_bouts=bouts
    )


def skdh_hour(hour: Walk, stature_m: float) -> None:
    """Its own bouts, then gait."""
    t = np.arange(len(hour)) / HZ
    context = import_module("skdh.context").PredictGaitLumbarLgbm()
    found = context.predict(time=t, accel=hour[:, :3] / 9.81, fs=HZ)
    bouts = np.column_stack([found["Gait Bout Start Index"], found["Gait Bout Stop Index"]])
    _skdh_gait(hour, bouts, stature_m)


PEERS: dict[str, tuple[Callable[[Walk], Contacts], Callable[[Walk, float], None]]] = {
    "mobgap": (mobgap_contacts, mobgap_hour),
    "skdh": (skdh_contacts, skdh_hour),
}
MODULES = {"mobgap": ("mobgap.pipeline",), "skdh": ("skdh.gait", "skdh.context")}


def main(name: str, source: Path, target: Path) -> None:
    warnings.filterwarnings("ignore")
    contacts, hour = PEERS[name]
    begin = time.perf_counter()
    for module in MODULES[name]:
        import_module(module)
    import_s = time.perf_counter() - begin
    given = np.load(source)
    walks = [given[f"walk_{k}"] for k in range(sum(key.startswith("walk_") for key in given.files))]
    out: dict[str, object] = {"import_s": import_s, "contacts": [contacts(walk) for walk in walks]}
    took = []
    stature_m = float(given["stature_m"])
    hour(given["hour"][: int(300 * HZ)], stature_m)  # compiles, caches
    for _ in range(2):
        begin = time.process_time()
        hour(given["hour"], stature_m)
        took.append(time.process_time() - begin)
    out["cpu_s"] = min(took) * 3600.0 * HZ / len(given["hour"])
    target.write_text(json.dumps(out))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
