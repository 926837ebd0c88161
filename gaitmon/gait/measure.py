"""What one stride shows beyond its times: thigh and pelvis angles over its course."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaitmon.gait.strides import StrideTimes
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.model import Floats, Side

_PAD = 15
_ANGLE = lowpass_kernel(8.0, _PAD, 100.0)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentAngles:
    """Angles over one stride on the 100 Hz grid with _PAD rows of context on either side, degrees.

    None where the segment's alignment, or a sample of it, is missing.  yaw_rate_rad_s: the pelvis'.
    """

    thigh_left: Floats | None
    thigh_right: Floats | None
    tilt: Floats | None
    obliquity: Floats | None
    yaw_rate_rad_s: Floats | None

    def thigh(self, side: Side | None) -> Floats | None:
        return self.thigh_right if side is Side.RIGHT else self.thigh_left


def stride_slice(times: StrideTimes) -> tuple[int, int]:
    """Grid indices [a, b) that a stride's angles are read from, context included."""
    return round(times.start_s * 100) - _PAD, round(times.end_s * 100) + 1 + _PAD


def smooth_angle(angle_deg: Floats) -> Floats | None:
    """Below 8 Hz, context removed; None if a sample is missing.  Soft tissue rings above."""
    if len(angle_deg) < len(_ANGLE) or np.isnan(angle_deg).any():
        return None
    return np.convolve(angle_deg, _ANGLE, mode="valid")


def side_witnesses(angles: SegmentAngles) -> tuple[complex, complex] | None:
    """Pelvic rotation and obliquity at stride frequency, relative to right minus left thigh flexion.

    Two unit phasors; their angles settle which thigh is which (gaitmon.gait.sides).
    """
    a = angles
    if a.thigh_left is None or a.thigh_right is None or a.obliquity is None or a.yaw_rate_rad_s is None:
        return None
    lead = _first_harmonic(a.thigh_right - a.thigh_left)
    yaw_rate = _first_harmonic(a.yaw_rate_rad_s)
    roll = _first_harmonic(a.obliquity)
    if min(abs(lead), abs(yaw_rate), abs(roll)) < 1e-9:
        return None
    yaw = yaw_rate / 1j  # the integral lags its derivative by a quarter of a cycle
    return yaw / lead * abs(lead) / abs(yaw), roll / lead * abs(lead) / abs(roll)


def _first_harmonic(x: Floats) -> complex:
    n = len(x) - 1  # the last sample is the first of the next stride
    return complex(x[:n] @ np.exp(-2j * np.pi * np.arange(n) / n)) / n
