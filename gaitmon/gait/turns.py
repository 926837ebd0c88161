"""Turns, and how far the heading changes during a stride.

El-Gohary 2014 as ported in mobgap: yaw rate about the vertical, low-passed at 0.5 Hz; a turn runs from
where its magnitude leaves 5 deg/s to where it comes back, around a peak above 15 deg/s; same-sign
turns less than 0.05 s apart are one; kept are 0.5-10 s and at least 45 deg.  Departures: the vertical
comes from the orientation filter instead of a fixed axis; the low-pass is a zero-phase kernel; the angle is
the integral of the low-passed rate, so that where in its own rotation the pelvis happens to be at either
end (up to 9 deg from end to end) does not count.
"""

from __future__ import annotations

from math import isnan, radians

import numpy as np

from gaitmon.compiled import compiled
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.model import Floats, Turn

_SMOOTH = lowpass_kernel(0.6, 100, 100.0)
_BEYOND = 40  # grid samples by which the low-pass smears a turn's ends
_NEAR = 512  # rows that the processor has at hand together
_PAUSE = 5  # grid samples: turns the same way less than that apart are one
_SHORTEST, _LONGEST = 50, 1000  # grid samples
_EDGE_RAD_S = radians(5.0)
_PEAK_RAD_S = radians(15.0)
MIN_TURN_RAD = radians(45.0)
MAX_STRIDE_TURN_RAD = radians(15.0)


def find_turns(yaw_rate_rad_s: Floats, first: int) -> list[Turn]:
    """yaw_rate_rad_s: shape (n,), 100 Hz, left +, NaN where missing; row 0 is grid index first."""
    if len(yaw_rate_rad_s) < len(_SMOOTH):
        return []
    found = _turning(_smoothed(yaw_rate_rad_s, _SMOOTH))
    return [Turn((first + a) / 100.0, (first + b) / 100.0, angle) for a, b, angle in found.tolist()]


@compiled("f8[::1](f8[:], f8[::1])")
def _smoothed(rate: Floats, kernel: Floats) -> Floats:
    """What is missing counts as no turning; before its beginning and after its end the rate stays."""
    n, half = len(rate), len(kernel) // 2
    wide, out = np.empty(n + 2 * half), np.zeros(n)
    for i in range(len(wide)):
        x = rate[min(max(i - half, 0), n - 1)]
        wide[i] = 0.0 if isnan(x) else x
    for begin in range(0, n, _NEAR):
        part = out[begin : begin + _NEAR]
        for tap in range(len(kernel)):  # the inner loop runs along the rows: several at once
            weight, seen = kernel[tap], wide[begin + tap : begin + tap + _NEAR]
            for i in range(len(part)):
                part[i] += weight * seen[i]
    return out


@compiled("f8(f8[:], i8, i8)")
def _sum(x: Floats, a: int, b: int) -> float:
    total = 0.0
    for i in range(max(a, 0), min(b, len(x))):
        total += x[i]
    return total


@compiled("f8[:, ::1](f8[::1])")
def _turning(rate: Floats) -> Floats:
    """Turns in a smoothed rate (n,): first row, row after the last, angle in rad; shape (turns, 3)."""
    runs = np.empty((len(rate), 2), np.int64)  # one way, without a pause
    n = 0
    for i in range(len(rate)):
        if abs(rate[i]) <= _EDGE_RAD_S:
            continue
        same_way = n > 0 and (rate[runs[n - 1, 0]] > 0.0) == (rate[i] > 0.0)
        if not (same_way and i - runs[n - 1, 1] < _PAUSE):
            runs[n, 0] = i
            n += 1
        runs[n - 1, 1] = i + 1
    turns, found = np.empty((n, 3)), 0
    for a, b in runs[:n]:
        fastest = 0.0
        for i in range(a, b):
            fastest = max(fastest, abs(rate[i]))
        angle = _sum(rate, a - _BEYOND, b + _BEYOND) / 100.0
        if _SHORTEST <= b - a <= _LONGEST and fastest > _PEAK_RAD_S and abs(angle) >= MIN_TURN_RAD:
            turns[found, 0], turns[found, 1], turns[found, 2] = a, b, angle
            found += 1
    return turns[:found]


def heading_change_rad(yaw_rate_rad_s: Floats, first: int, start_s: float, end_s: float) -> float:
    """Integral of the yaw rate over [start_s, end_s); NaN where samples are missing."""
    return _sum(yaw_rate_rad_s, round(start_s * 100) - first, round(end_s * 100) - first) / 100.0
