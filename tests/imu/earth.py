"""Vectors of a sensor in the frame of the earth."""

from __future__ import annotations

import numpy as np

from gaitmon.model import Floats


def to_earth(quat: Floats, v: Floats) -> Floats:
    """Rotate vectors v (n, 3) of the sensor frame into the earth frame of quat (n, 4)."""
    q, r = quat[:, 1:], quat[:, :1]
    t = 2.0 * np.cross(q, v)
    return v + r * t + np.cross(q, t)
