"""One stride as curves over its cycle: 101 points, 0 to 100 %, from initial contact to the next of the side.

A cycle is an array (POINTS, COLUMNS), a bout's are stacked as (n, POINTS, COLUMNS); NaN where a segment's
alignment, or a sample, is missing.  Signs as in docs/units-and-frames.md (left up, left turn +).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gaitmon.model import Floats, Side, Stride

POINTS = 101
GRAVITY_M_S2 = 9.81
# Thigh flexion of either side and of a thigh of unknown side, pelvic tilt and obliquity in deg; yaw rate
# of the pelvis in rad/s; specific force of the pelvis along the vertical and to its left in m/s².
LEFT_FLEXION, RIGHT_FLEXION, FLEXION, TILT, OBLIQUITY, YAW_RATE, VERTICAL, LEFTWARD = range(8)
COLUMNS = 8
FLEXION_OF = {Side.LEFT: LEFT_FLEXION, Side.RIGHT: RIGHT_FLEXION, None: FLEXION}

_PHASE = np.arange(POINTS) / (POINTS - 1)


def cut(rows: Floats, first: int, start_s: Floats | float, end_s: Floats | float) -> Floats:
    """Rows (..., n) on the 100 Hz grid from index first on -> (..., POINTS) of one stride; with its times as
    (k, 1) -> (..., k, POINTS) of k.

    Each is read from the grid point before its own start: no other one has part in its rounding.
    """
    begin = np.floor(100.0 * start_s)
    at = (100.0 * start_s - begin) + _PHASE * (100.0 * (end_s - start_s))
    below = at.astype(np.intp)
    share = at - below
    below += begin.astype(np.intp) - first
    low, high = rows.take(below, axis=-1), rows.take(below + 1, axis=-1)
    return np.asarray(low + (high - low) * share)


def together(cycles: Sequence[NDArray[np.float32]]) -> Floats:
    """At least one cycle -> (n, POINTS, COLUMNS), in memory one column after the other: they are looked at
    by column."""
    return np.stack([x.T for x in cycles], axis=1).astype(np.float64, order="C").transpose(1, 2, 0)


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
    step = 0.5 * (yaw_rate_rad_s[:, 1:] + yaw_rate_rad_s[:, :-1]) * (duration_s[:, np.newaxis] / (POINTS - 1))
    yaw = np.zeros_like(yaw_rate_rad_s)
    np.cumsum(step, axis=1, out=yaw[:, 1:])
    yaw -= yaw[:, -1:] * _PHASE
    yaw -= yaw[:, :-1].mean(axis=1, keepdims=True)
    return np.asarray(np.degrees(yaw))


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


def first_harmonic(x: Floats) -> NDArray[np.complex128]:
    """Complex amplitude at stride frequency of each cycle: (n, POINTS) -> (n,)."""
    return np.asarray(np.fft.rfft(x[:, :-1], axis=1)[:, 1]) / (POINTS - 1)


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
