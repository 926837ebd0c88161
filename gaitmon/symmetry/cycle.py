"""One stride as curves over its cycle: 101 points, 0 to 100 %, from initial contact to the next of the side.

A cycle is an array (POINTS, COLUMNS), a bout's are stacked as (n, POINTS, COLUMNS); NaN where a segment's
alignment, or a sample, is missing.  Signs as in docs/units-and-frames.md (left up, left turn +).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, floor, nan, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from gaitmon.compiled import compiled, inner
from gaitmon.model import Floats, Side, Stride

Curves = NDArray[np.float32]

POINTS = 101
GRAVITY_M_S2 = 9.81
# Thigh flexion of either side and of a thigh of unknown side, pelvic tilt and obliquity in deg; yaw rate
# of the pelvis in rad/s; specific force of the pelvis along the vertical and to its left in m/s².
LEFT_FLEXION, RIGHT_FLEXION, FLEXION, TILT, OBLIQUITY, YAW_RATE, VERTICAL, LEFTWARD = range(8)
COLUMNS = 8
FLEXION_OF = {Side.LEFT: LEFT_FLEXION, Side.RIGHT: RIGHT_FLEXION, None: FLEXION}

_PHASE = np.arange(POINTS) / (POINTS - 1)
_TURN = np.exp(-2.0j * pi * _PHASE[:-1]) / (POINTS - 1)
_DEG = 180.0 / pi


# ---- from a sensor's rows


@inner
def _smoothed(wide: Floats, kernel: Floats, out: Floats) -> None:
    """(n + half on either side,) -> (n,).  Tap by tap, so that neighbours are added at once."""
    out[:] = 0.0
    for tap in range(len(kernel)):
        for i in range(len(out)):
            out[i] += kernel[tap] * wide[tap + i]


@compiled("void(f8[:, :], f8[:, :], f8[::1], f8[::1])")
def thigh_angle(rows: Floats, rotation: Floats, smooth: Floats, out: Floats) -> None:
    """Flexion over n grid samples, written to out, (n,).

    rows: (n + half on either side, 10), acc, gyr and up in the sensor's frame, yaw rate.  rotation: (3, 3),
    sensor to segment.  smooth: symmetric low-pass, (2 half + 1,).
    """
    forward, up = rotation[0], rotation[2]
    angle = np.empty(len(rows))
    for i in range(len(rows)):
        x, y, z = rows[i, 6], rows[i, 7], rows[i, 8]
        angle[i] = _DEG * atan2(
            forward[0] * x + forward[1] * y + forward[2] * z, up[0] * x + up[1] * y + up[2] * z
        )
    _smoothed(angle, smooth, out)


@compiled("void(f8[:, :], f8[:, :], f8[::1], f8[:, ::1])")
def pelvis_angles(rows: Floats, rotation: Floats, smooth: Floats, out: Floats) -> None:
    """The columns of the pelvis, written to out, (COLUMNS, n); the rest as in thigh_angle."""
    half, (forward, left, up) = len(smooth) // 2, (rotation[0], rotation[1], rotation[2])
    tilt, obliquity, yaw_rate = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows))
    for i in range(len(rows)):
        x, y, z = rows[i, 6], rows[i, 7], rows[i, 8]
        ahead = forward[0] * x + forward[1] * y + forward[2] * z
        lean = left[0] * x + left[1] * y + left[2] * z
        upright = up[0] * x + up[1] * y + up[2] * z
        tilt[i] = _DEG * atan2(-ahead, sqrt(lean * lean + upright * upright))
        obliquity[i] = _DEG * atan2(lean, upright)
        yaw_rate[i] = rows[i, 9]
        if half <= i < len(rows) - half:
            fx, fy, fz = rows[i, 0], rows[i, 1], rows[i, 2]
            vertical = fx * x + fy * y + fz * z
            leftward = left[0] * fx + left[1] * fy + left[2] * fz - vertical * lean
            level = 1.0 - lean * lean
            out[VERTICAL, i - half] = vertical
            out[LEFTWARD, i - half] = leftward / sqrt(level) if level > 0.0 else nan
    _smoothed(tilt, smooth, out[TILT])
    _smoothed(obliquity, smooth, out[OBLIQUITY])
    _smoothed(yaw_rate, smooth, out[YAW_RATE])


@inner
def _between(x: Floats, at: float) -> float:
    """Linear, between the rows beside this place."""
    below = min(int(at), len(x) - 2)
    value: float = x[below] + (x[below + 1] - x[below]) * (at - below)
    return value


@compiled("UniTuple(f8, 2)(f8[:, :], f8[:, :], f8[::1], f8, f8)")
def flexion_range_deg(
    rows: Floats, rotation: Floats, smooth: Floats, start_s: float, end_s: float
) -> tuple[float, float]:
    """Lowest and highest flexion of a thigh over its cycle; NaN where a sample is missing.

    rows, rotation, smooth: as in thigh_angle.  The first of its n is the grid point before start_s,
    the last at least the one after end_s.
    """
    flexion = np.empty(len(rows) - len(smooth) + 1)
    thigh_angle(rows, rotation, smooth, flexion)
    share, length = 100.0 * start_s - floor(100.0 * start_s), 100.0 * (end_s - start_s)
    low = high = _between(flexion, share)
    for i in range(1, POINTS):
        x = _between(flexion, share + i / (POINTS - 1) * length)
        if not (x <= high or x >= low):  # one of them is not known
            return nan, nan
        low, high = min(low, x), max(high, x)
    return low, high


@compiled("void(f8[:, ::1], i8, f8[::1], f8[::1], f4[:, :, ::1])")
def _cut(rows: Floats, first: int, start_s: Floats, end_s: Floats, out: Curves) -> None:
    for k in range(len(start_s)):
        begin = floor(100.0 * start_s[k])
        share, length = 100.0 * start_s[k] - begin, 100.0 * (end_s[k] - start_s[k])
        for column in range(COLUMNS):
            x = rows[column, int(begin) - first :]
            for i in range(POINTS):
                out[k, i, column] = _between(x, share + i / (POINTS - 1) * length)


def cut(rows: Floats, first: int, start_s: Floats, end_s: Floats) -> Curves:
    """Rows (COLUMNS, n) on the 100 Hz grid from index first on -> cycles (k, POINTS, COLUMNS) of k strides.

    start_s, end_s: (k,).  Each is read from the grid point before its own start: no other one has part in
    its rounding.
    """
    out = np.empty((len(start_s), POINTS, COLUMNS), dtype=np.float32)
    _cut(rows, first, start_s, end_s, out)
    return out


# ---- cycles


def together(cycles: Sequence[Curves]) -> Floats:
    """At least one cycle -> (n, POINTS, COLUMNS), in memory one column after the other: they are looked at
    by column."""
    by_column = np.array(cycles).transpose(2, 0, 1)
    return by_column.astype(np.float64, order="C").transpose(1, 2, 0)


def own_flexion(curves: Floats, sides: Sequence[Side | None]) -> Floats:
    """Flexion of each stride's own thigh: (n, POINTS)."""
    return np.asarray(curves[np.arange(len(sides)), :, [FLEXION_OF[side] for side in sides]])


def ipsilateral(sides: Sequence[Side | None]) -> Floats:
    """(n, 1): 1 for the left, -1 for the right, NaN without a side; left up times it is own side up."""
    sign = {Side.LEFT: 1.0, Side.RIGHT: -1.0, None: np.nan}
    return np.array([[sign[side]] for side in sides]).reshape(-1, 1)


def rotation_deg(yaw_rate_rad_s: Floats, duration_s: Floats) -> Floats:
    """Pelvic rotation over each cycle, (n, POINTS) -> (n, POINTS): right side forward +, against the heading.

    The integral of the yaw rate without the straight line through its ends, and without its mean: only
    excursion can be known, because without a magnetometer the heading has no zero.
    """
    out = np.empty(yaw_rate_rad_s.shape)
    _rotation_deg(yaw_rate_rad_s, duration_s, out)
    return out


@compiled("void(f8[:, :], f8[:], f8[:, ::1])")
def _rotation_deg(yaw_rate: Floats, duration_s: Floats, out: Floats) -> None:
    last = POINTS - 1
    for k in range(len(out)):
        yaw, rate = out[k], yaw_rate[k]
        yaw[0] = 0.0
        for i in range(last):
            yaw[i + 1] = yaw[i] + 0.5 * (rate[i + 1] + rate[i]) * (duration_s[k] / last)
        mean, whole = 0.0, yaw[last]
        for i in range(POINTS):
            yaw[i] -= whole * (i / last)
            mean += yaw[i] / last if i < last else 0.0
        for i in range(POINTS):
            yaw[i] = _DEG * (yaw[i] - mean)


def excursion_m(acc_m_s2: Floats, duration_s: Floats, first_harmonic: int) -> Floats:
    """Displacement over each cycle, (n, POINTS) -> (n, POINTS), from acceleration with any offset.

    A stride is cyclic: its Fourier series is integrated twice, harmonic by harmonic, from first_harmonic
    on.  What lies below (the mean, and for the vertical the stride's own frequency) is drift.
    """
    spectrum = np.fft.rfft(acc_m_s2[:, :-1], axis=1)
    harmonic = np.arange(spectrum.shape[1])
    omega = 2.0 * np.pi * harmonic / duration_s[:, np.newaxis]
    omega[:, 0] = 1.0
    moved = np.where((harmonic >= first_harmonic) & (harmonic <= 24), -spectrum / omega**2, 0.0)
    x = np.fft.irfft(moved, POINTS - 1, axis=1)
    return np.concatenate([x, x[:, :1]], axis=1)


@compiled("c16[:, ::1](f4[:, :, ::1])")
def first_harmonics(cycles: Curves) -> NDArray[np.complex128]:
    """Complex amplitude at stride frequency of cycles (n, POINTS, COLUMNS): right minus left thigh flexion,
    yaw rate, obliquity; (n, 3)."""
    out = np.zeros((len(cycles), 3), np.complex128)
    for k in range(len(cycles)):
        for i in range(POINTS - 1):
            x, turn = cycles[k, i], _TURN[i]
            out[k, 0] += (np.float64(x[RIGHT_FLEXION]) - np.float64(x[LEFT_FLEXION])) * turn
            out[k, 1] += np.float64(x[YAW_RATE]) * turn
            out[k, 2] += np.float64(x[OBLIQUITY]) * turn
    return out


def levelled(curves: Floats, strides: Sequence[Stride]) -> Floats:
    """A bout's curves, (n, POINTS, COLUMNS), with the obliquity that gravity tells over all of it.

    strides: of the curves, straight, steady, of one bout.  The orientation filter knows the vertical within
    its gyroscope's bias times its time constant, some tenths of a degree for minutes; a drop is twice that
    off between the sides.  But who walks straight on for many strides is not accelerated sideways on
    average, save by what the path bends (speed times yaw rate): what is left of the mean leftward force over
    gravity is the filter's error.  Nothing here asks the gait to be symmetric.
    """
    duration_s = np.array([s.duration_s for s in strides])
    speed_m_s = np.array([0.0 if s.length_m is None else s.length_m / s.duration_s for s in strides])
    leftward = curves[:, :-1, LEFTWARD].mean(axis=1) - speed_m_s * curves[:, :-1, YAW_RATE].mean(axis=1)
    known = np.isfinite(leftward)
    if not known.any():
        return curves
    out = curves.copy(order="K")
    mean = float((leftward * duration_s)[known].sum() / duration_s[known].sum())
    out[..., OBLIQUITY] += np.degrees(mean / GRAVITY_M_S2)
    return out
