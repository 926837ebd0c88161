"""How each sensor sits on its segment, found from standing and walking: no fixed mounting assumed.

Gravity in quiet standing gives a segment's vertical.  Walking gives a thigh's flexion axis: in the
horizontal plane, the direction about which it turns most (the pelvis has no such axis: its three
rotations are alike).  Witnesses settle the axis' sign, facts of human walking: the thigh swings forward
faster than it extends; the jolt of initial contact comes when it is flexed; the trunk, and the thigh with
it, is faster forward when it is low (see axis_sign.py for that one).  The
pelvis' forward direction is then the one in which its horizontal acceleration agrees with the mean of
both thighs', in which their own pendulum motion, being opposite, cancels.

Frames: v_segment = rotation @ v_sensor, segment x forward, y left, z up.
Principle of the horizontal principal axis: Gravity + gyroscope PCA as in McGrath 2018 and Seel 2014;
departures: the axis is sought in the horizontal plane only and below 4 Hz, because soft tissue rings
about the thigh's long axis at heel strike, and the sign has two witnesses.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from gaitmon.imu.filters import bandpass_kernel
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Floats

_SWING = bandpass_kernel(0.4, 4.0, 150, GRID_HZ)
_TRUNK = bandpass_kernel(0.4, 3.5, 150, GRID_HZ)
_JOLT = bandpass_kernel(8.0, 25.0, 20, GRID_HZ)
_STEPS = bandpass_kernel(1.2, 2.6, 75, GRID_HZ)  # where the trunk's forward motion is, common to all sensors


@dataclass(frozen=True, slots=True, eq=False)
class FlexionAxis:
    """axis: shape (3,), sensor frame, points left: thigh flexion rate is -gyr @ axis.

    share: of the horizontal angular-rate variance, about this axis (1 = pure hinge).
    sign_score: the two witnesses added; above 0 by construction, near 0 means the sign is a guess.
    """

    axis: Floats
    share: float
    sign_score: float


def unit(v: Floats) -> Floats:
    return np.asarray(v / sqrt(v.dot(v)))  # one vector, often: linalg.norm costs three times as much


def along(rows: Floats, axis: Floats) -> Floats:
    """Component of each row (n, 3) along axis (3,).

    Written out, because a matrix product rounds differently for other lengths and alignments of the
    array, and then the last bit of a contact would depend on how the stream was cut.
    """
    return np.asarray(rows[:, 0] * axis[0] + rows[:, 1] * axis[1] + rows[:, 2] * axis[2])


def horizontal_basis(up: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors that make a right-handed frame (e1, e2, up)."""
    least = np.eye(3)[int(np.argmin(np.abs(up)))]
    e1 = unit(np.cross(least, up))
    return e1, np.cross(up, e1)


def flexion_axis(acc_m_s2: Floats, gyr_rad_s: Floats, up: Floats) -> FlexionAxis:
    """Flexion axis of one thigh from a stretch of walking.

    acc_m_s2, gyr_rad_s: shape (n, 3), 100 Hz, sensor frame, n >= 300; up: shape (3,), unit, standing.
    """
    e1, e2 = horizontal_basis(up)
    slow = _same(gyr_rad_s, _SWING)
    horizontal = np.column_stack([slow @ e1, slow @ e2])
    power, direction = np.linalg.eigh(horizontal.T @ horizontal)
    axis = direction[0, 1] * e1 + direction[1, 1] * e2
    rate = -slow @ axis
    skewness = float(np.mean(rate**3) / np.mean(rate**2) ** 1.5)
    angle = _swing_angle(rate)
    jolt = np.linalg.norm(_same(acc_m_s2, _JOLT), axis=1)
    contact = correlation(jolt, angle)
    score = skewness + contact
    return FlexionAxis(axis if score >= 0 else -axis, float(power[1] / power.sum()), abs(score))


def swing_angle(gyr_rad_s: Floats, axis: Floats) -> Floats:
    """Flexion angle (rad, about its mean) of a thigh in the band of walking, shape (n,).

    gyr_rad_s: shape (n, 3), sensor frame; axis: shape (3,), left.
    """
    return _swing_angle(-_same(gyr_rad_s, _SWING) @ axis)


def _swing_angle(rate: Floats) -> Floats:
    return _same(np.cumsum(rate)[:, np.newaxis] / GRID_HZ, _SWING)[:, 0]


def segment_rotation(up: Floats, left: Floats) -> Floats:
    """Rows x, y, z of the segment in the sensor frame, from its vertical and its leftward axis.

    Rounded to 1e-9 (6e-8 deg): sums over a walk round differently with the place of their arrays in
    memory, and an alignment that is the same must be the same number.
    """
    y = unit(left - up * (left @ up))
    return np.asarray(np.round(np.vstack([np.cross(y, up), y, up]), 9))


def walking_frame_acc(acc_m_s2: Floats, up: Floats, left: Floats) -> Floats:
    """Horizontal specific force as (forward, left), shape (n, 2), in the frame that turns with the
    sensor: up (n, 3) is the momentary vertical, left (3,) an axis fixed to the sensor."""
    y = left - up * (up @ left)[:, np.newaxis]
    y /= np.linalg.norm(y, axis=1)[:, np.newaxis]
    x = np.cross(y, up)
    return np.column_stack([np.einsum("ij,ij->i", acc_m_s2, x), np.einsum("ij,ij->i", acc_m_s2, y)])


def same_way(a: Floats, b: Floats) -> float:
    """-1..1: whether two sensors' walking_frame_acc (n, 2) have one forward.  The trunk slows down and
    speeds up with every step, and takes thighs and pelvis with it."""
    return correlation(_same(a[:, :1], _STEPS)[:, 0], _same(b[:, :1], _STEPS)[:, 0])


def pelvis_left(
    acc_m_s2: Floats, up: Floats, standing_up: Floats, thigh_walking_acc: list[Floats]
) -> tuple[Floats, float]:
    """Leftward axis of the pelvis in its sensor frame, and how well the trunk motions agree (0..1).

    acc_m_s2, up: shape (n, 3) of the pelvis sensor while walking; thigh_walking_acc: for both thighs,
    (n, 2) of walking_frame_acc over the same samples.
    """
    e1, e2 = horizontal_basis(standing_up)
    own = walking_frame_acc(acc_m_s2, up, e2)
    trunk = np.mean(thigh_walking_acc, axis=0)
    p = _same(own, _TRUNK) @ np.array([1.0, 1.0j])
    m = _same(trunk, _TRUNK) @ np.array([1.0, 1.0j])
    inner = np.vdot(m, p)
    agreement = float(abs(inner) / (np.linalg.norm(p) * np.linalg.norm(m) + 1e-12))
    turn = np.angle(inner)  # the trunk's forward axis, seen from e1 towards e2
    return np.cos(turn) * e2 - np.sin(turn) * e1, agreement


def _same(x: Floats, kernel: Floats) -> Floats:
    """Zero-phase FIR over a closed stretch, ends extended by their edge values."""
    half = len(kernel) // 2
    padded = np.pad(x, ((half, half), (0, 0)), mode="edge")
    return np.column_stack([np.convolve(c, kernel, mode="valid") for c in padded.T])


def correlation(a: Floats, b: Floats) -> float:
    """Of two signals of shape (n,); 0 where one is constant."""
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12))
