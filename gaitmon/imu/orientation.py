"""Where is up, and which way does the sensor turn: VQF without magnetometer.

Laidig & Seel 2023, "VQF: Highly accurate IMU orientation estimation with bias estimation and magnetic
disturbance rejection", through the authors' own package.  Its state is carried over calls, so the
result does not depend on how the stream was cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from vqf import VQF

from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Floats

# How far the gyroscope's bias may be off, deg/s.  At rest the authors' 0.03 is for a sensor that lies; a
# person who stands sways, and a sway taken for bias tilts the following walk by three seconds of it.  At the
# start their 0.5 is for a calibrated chip.  Over 36 simulated walkers both together make the offset of
# obliquity in walking 0.19 instead of 0.24 deg, of thigh flexion 0.22 instead of 0.28.
_BIAS = {"biasSigmaRest": 0.06, "biasSigmaInit": 2.0}


class Orientation:
    """Orientation of one sensor along one run without gaps.  Stateful, causal."""

    def __init__(self) -> None:
        self._vqf = VQF(1.0 / GRID_HZ, **_BIAS)

    def __getstate__(self) -> dict[str, Any]:
        """For a checkpoint: the filter itself cannot be pickled, its state can."""
        return dict(self._vqf.state)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._vqf = VQF(1.0 / GRID_HZ, **_BIAS)
        self._vqf.state = state

    def push(self, acc_m_s2: Floats, gyr_rad_s: Floats) -> Floats:
        """acc, gyr: shape (n, 3), sensor frame -> quaternions (n, 4), w x y z, sensor to earth (z up).

        The heading of the earth frame is arbitrary and drifts slowly: only differences over a stride
        mean anything.
        """
        if len(acc_m_s2) == 0:
            return np.empty((0, 4))
        out = self._vqf.updateBatch(np.ascontiguousarray(gyr_rad_s), np.ascontiguousarray(acc_m_s2))
        return np.asarray(out["quat6D"])


def up_in_sensor(quat: Floats, out: Floats | None = None) -> Floats:
    """The earth's up direction in the sensor frame, (n, 3), from quaternions (n, 4); into out if given."""
    w, x, y, z = quat.T
    up = np.empty((len(quat), 3)) if out is None else out
    up[:, 0] = 2 * (x * z - w * y)
    up[:, 1] = 2 * (y * z + w * x)
    up[:, 2] = w * w - x * x - y * y + z * z
    return up


def to_earth(quat: Floats, v: Floats) -> Floats:
    """Rotate vectors v (n, 3) of the sensor frame into the earth frame of quat (n, 4)."""
    q, r = quat[:, 1:], quat[:, :1]
    t = 2.0 * np.cross(q, v)
    return v + r * t + np.cross(q, t)
