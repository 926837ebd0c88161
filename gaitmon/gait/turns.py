"""Turns, and how far the heading changes during a stride.

El-Gohary 2014 as ported in mobgap: yaw rate about the vertical, low-passed at 0.5 Hz; a turn runs from
where its magnitude leaves 5 deg/s to where it comes back, around a peak above 15 deg/s; same-sign
turns less than 0.05 s apart are one; kept are 0.5-10 s and at least 45 deg.  Departures: the vertical
comes from the orientation filter instead of a fixed axis; the low-pass is a zero-phase kernel; the angle is
the integral of the low-passed rate, so that where in its own rotation the pelvis happens to be at either
end (up to 9 deg from end to end) does not count.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gaitmon.imu.filters import lowpass_kernel
from gaitmon.model import Floats, Turn

_SMOOTH = lowpass_kernel(0.6, 100, 100.0)
_BEYOND = 40  # grid samples by which the low-pass smears a turn's ends
_EDGE_RAD_S = np.radians(5.0)
_PEAK_RAD_S = np.radians(15.0)
MIN_TURN_RAD = np.radians(45.0)
MAX_STRIDE_TURN_RAD = np.radians(15.0)


def find_turns(yaw_rate_rad_s: Floats, first: int) -> list[Turn]:
    """yaw_rate_rad_s: shape (n,), 100 Hz, left +, NaN where missing; row 0 is grid index first."""
    if len(yaw_rate_rad_s) < len(_SMOOTH):
        return []
    padded = np.pad(np.nan_to_num(yaw_rate_rad_s), len(_SMOOTH) // 2, mode="edge")
    smooth = np.convolve(padded, _SMOOTH, mode="valid")
    moving = np.abs(smooth) > _EDGE_RAD_S
    sign = np.sign(smooth) * moving
    edges = np.flatnonzero(np.diff(np.concatenate([[0.0], sign, [0.0]])))
    runs = [(int(a), int(b)) for a, b in pairwise(edges) if sign[a] != 0]
    merged: list[tuple[int, int]] = []
    for a, b in runs:
        if merged and a - merged[-1][1] < 5 and sign[a] == sign[merged[-1][0]]:
            merged[-1] = (merged[-1][0], b)
        else:
            merged.append((a, b))
    turns = []
    for a, b in merged:
        if not 50 <= b - a <= 1000:
            continue
        angle = float(smooth[max(a - _BEYOND, 0) : b + _BEYOND].sum() / 100.0)
        if abs(angle) >= MIN_TURN_RAD and np.abs(smooth[a:b]).max() > _PEAK_RAD_S:
            turns.append(Turn((first + a) / 100.0, (first + b) / 100.0, angle))
    return turns


def heading_change_rad(yaw_rate_rad_s: Floats, first: int, start_s: float, end_s: float) -> float:
    """Integral of the yaw rate over [start_s, end_s); NaN where samples are missing."""
    a, b = round(start_s * 100) - first, round(end_s * 100) - first
    return float(np.add.reduce(yaw_rate_rad_s[max(a, 0) : max(b, 0)])) / 100.0
