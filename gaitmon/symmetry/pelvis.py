"""Angles of pelvis and thigh over one stride, from the vertical in each segment's own frame.

Signs (docs/units-and-frames.md): tilt + anterior, obliquity + left side up, thigh flexion + forward.
"""

from __future__ import annotations

import numpy as np

from gaitmon.model import Floats, Side


def tilt_deg(up: Floats) -> Floats:
    """Pelvic tilt from up, shape (n, 3), the vertical in the pelvis frame; anterior +."""
    return np.asarray(np.degrees(np.arctan2(-up[:, 0], np.hypot(up[:, 1], up[:, 2]))))


def obliquity_deg(up: Floats) -> Floats:
    """Pelvic obliquity; left side up +."""
    return np.asarray(np.degrees(np.arctan2(up[:, 1], up[:, 2])))


def thigh_flexion_deg(up: Floats) -> Floats:
    """Thigh flexion; knee forward +, 90 sitting."""
    return np.asarray(np.degrees(np.arctan2(up[:, 0], up[:, 2])))


def rotation_rom_deg(yaw_rate_rad_s: Floats) -> float:
    """Excursion of the heading over one stride at 100 Hz, after the straight line through its ends.

    Only excursion can be known: without a magnetometer the heading has no zero.
    """
    yaw = np.degrees(np.cumsum(yaw_rate_rad_s) / 100.0)
    yaw = yaw - np.linspace(yaw[0], yaw[-1], len(yaw))
    return float(np.ptp(yaw))


def contralateral_drop_deg(obliquity: Floats, side: Side) -> float:
    """Largest rise of the stance side above level = drop of the other one; obliquity against standing."""
    return float(obliquity.max() if side is Side.LEFT else (-obliquity).max())
