"""Where is up, and which way does the sensor turn: VQF without magnetometer.

Laidig & Seel 2023, "VQF: Highly accurate IMU orientation estimation with bias estimation and magnetic
disturbance rejection", through the authors' own package.  Its state is carried over calls, so the
result does not depend on how the stream was cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from vqf import VQF

from gaitmon.compiled import compiled
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Floats

# How far the gyroscope's bias may be off, deg/s.  At rest the authors' 0.03 is for a sensor that lies; a
# person who stands sways, and a sway taken for bias tilts the following walk by three seconds of it.  At the
# start their 0.5 is for a calibrated chip.  Over 36 simulated walkers both together make the offset of
# obliquity in walking 0.19 instead of 0.24 deg, of thigh flexion 0.22 instead of 0.28.
_BIAS = {"biasSigmaRest": 0.06, "biasSigmaInit": 2.0}
PASSED = 10  # grid samples: the longest hole across which orientation goes on


class Orientation:
    """Orientation of one sensor along its runs.  Stateful, causal.

    How a hole is passed was measured on simulated walks of 0.6 to 1.6 m/s and two recordings.  Across up to
    0.1 s a straight line between the samples on either side leaves the vertical of a thigh 1 to 2 degrees
    off (rms), of the pelvis 0.5.  What turned in a longer hole is lost, and a filter that goes on from before
    it needs more than 4 s to forget: 3 s after a hole of 0.3 s it is still 6 to 13 degrees off.  Begun anew,
    with the bias it had learned, it is 2 degrees off after 1 s and 1 to 2 after 2 s, however long the hole.
    """

    def __init__(self) -> None:
        self._vqf = VQF(1.0 / GRID_HZ, **_BIAS)
        self._last: tuple[Floats, Floats] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """For a checkpoint: the filter itself cannot be pickled, its state can."""
        return {"vqf": dict(self._vqf.state), "last": self._last}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._vqf = VQF(1.0 / GRID_HZ, **_BIAS)
        self._vqf.state, self._last = state["vqf"], state["last"]

    def push(self, acc_m_s2: Floats, gyr_rad_s: Floats, *, missing: int = 0) -> Floats:
        """acc, gyr: shape (n, 3), sensor frame -> quaternions (n, 4), w x y z, sensor to earth (z up).

        missing: grid samples between the last of the call before and the first of this one.
        The heading of the earth frame is arbitrary and drifts slowly: only differences over a stride
        mean anything, and none across a hole.
        """
        if len(acc_m_s2) == 0:
            return np.empty((0, 4))
        if missing and self._last is not None:
            self._pass(missing, acc_m_s2[0], gyr_rad_s[0])
        self._last = acc_m_s2[-1].copy(), gyr_rad_s[-1].copy()
        out = self._vqf.updateBatch(np.ascontiguousarray(gyr_rad_s), np.ascontiguousarray(acc_m_s2))
        return np.asarray(out["quat6D"])

    def _pass(self, missing: int, acc_m_s2: Floats, gyr_rad_s: Floats) -> None:
        """Over a hole before this sample."""
        if missing > PASSED or self._last is None:
            bias, sigma = self._vqf.getBiasEstimate()
            self._vqf = VQF(1.0 / GRID_HZ, **_BIAS)
            self._vqf.setBiasEstimate(bias, sigma)
            return
        share = np.arange(1, missing + 1)[:, np.newaxis] / (missing + 1)
        acc, gyr = (a + share * (b - a) for a, b in zip(self._last, (acc_m_s2, gyr_rad_s), strict=True))
        self._vqf.updateBatch(np.ascontiguousarray(gyr), np.ascontiguousarray(acc))


@compiled("f8[:, ::1](f8[:, :])")
def up_in_sensor(quat: Floats) -> Floats:
    """The earth's up direction in the sensor frame, (n, 3), from quaternions (n, 4)."""
    up = np.empty((len(quat), 3))
    for i in range(len(quat)):
        w, x, y, z = quat[i, 0], quat[i, 1], quat[i, 2], quat[i, 3]
        up[i, 0] = 2 * (x * z - w * y)
        up[i, 1] = 2 * (y * z + w * x)
        up[i, 2] = w * w - x * x - y * y + z * z
    return up


@compiled("void(f8[:, ::1], f8[:, ::1], i8)")
def see_vertical(quat: Floats, rows: Floats, unsettled: int) -> None:
    """Rows of a MotionTrack have acc and gyr: writes up and the yaw rate about it, NaN in the first
    ``unsettled`` rows."""
    rows[:, 6:9] = up_in_sensor(quat)
    rows[:unsettled, 6:9] = np.nan
    for i in range(len(rows)):
        rows[i, 9] = rows[i, 3] * rows[i, 6] + rows[i, 4] * rows[i, 7] + rows[i, 5] * rows[i, 8]
