"""Which way is forward, from a pelvis sensor of unknown mounting and nothing else.

In walking the body is an inverted pendulum: it slows down while its centre of mass rises over the
stance leg and speeds up while it falls.  Kinetic and potential energy are exchanged, v dv/dt = -g dz/dt
(Cavagna 1976), so the forward acceleration follows the *downward velocity*, once a step, in every
walker, fast or slow.  The mediolateral acceleration repeats once a stride instead.  Forward is therefore
the horizontal direction whose acceleration goes with the downward velocity around step frequency, and
this gives the sign as well: in the curves of published ground reaction forces the forward acceleration
leads the vertical one by 53 (slow), 73 (free) and 91 deg (fast); downward velocity leads it by 90.

Departure from the axis by cross-correlation in scikit-digital-health, whose sign comes from the shape
of the peaks: one sum gives axis and sign.  Not valid in running, where both energies rise together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaitmon.imu.alignment import horizontal_basis, unit
from gaitmon.imu.filters import bandpass_kernel
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Floats

MIN_WALK = 300  # grid samples
GUESS = 0.3  # agreement below this: the axis, and with it left and right, is a guess
# Step frequency: 1.1 Hz (slow) to 2.4 Hz (fast).  Its overtones do not obey the rule, and in a limping
# walk the stride's own frequency reaches the vertical too.
_STEPS = bandpass_kernel(1.2, 2.6, 75, GRID_HZ)


@dataclass(frozen=True, slots=True, eq=False)
class PelvisAxis:
    """forward, left: shape (3,), unit, sensor frame, at right angles to up.

    agreement: 0..1, share of the horizontal motion at step frequency that goes with the downward
    velocity; below GUESS it is not known which way the wearer faces.
    """

    forward: Floats
    left: Floats
    agreement: float


def pelvis_axis(acc_m_s2: Floats, up: Floats, mean_up: Floats) -> PelvisAxis | None:
    """Forward and left of a pelvis sensor from a stretch of walking, None if it is under 3 s.

    acc_m_s2: shape (n, 3), 100 Hz, sensor frame; rows with NaN are taken as no motion.
    up: shape (n, 3), momentary vertical (rows with NaN: mean_up holds), or shape (3,).
    mean_up: shape (3,), unit, the vertical of standing or the mean of walking.
    """
    e1, e2 = horizontal_basis(mean_up)
    momentary = np.where(np.isfinite(up), up, mean_up) * np.ones_like(acc_m_s2)
    east = unit_rows(e1 - momentary * (momentary @ e1)[:, np.newaxis])
    moved = np.column_stack(
        [_dot(acc_m_s2, east), _dot(acc_m_s2, np.cross(momentary, east)), _dot(acc_m_s2, momentary)]
    )
    known = np.asarray(np.isfinite(moved).all(axis=1))
    if known.sum() < MIN_WALK:
        return None
    moved = np.where(known[:, np.newaxis], moved - moved[known].mean(axis=0), 0.0)
    x = np.column_stack([np.convolve(column, _STEPS, mode="same") for column in moved.T])
    down = -np.convolve(np.cumsum(x[:, 2]) / GRID_HZ, _STEPS, mode="same")
    inner = x[:, :2].T @ down
    agreement = float(np.linalg.norm(inner) / (np.linalg.norm(x[:, :2]) * np.linalg.norm(down) + 1e-12))
    forward = unit(inner[0] * e1 + inner[1] * e2)
    return PelvisAxis(forward, np.cross(mean_up, forward), agreement)


def unit_rows(v: Floats) -> Floats:
    return np.asarray(v / np.sqrt(_dot(v, v))[:, np.newaxis])


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])
