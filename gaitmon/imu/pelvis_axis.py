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

The sign is sure, the axis within 15 deg or so: what a limb does of its own moves the trunk sideways at step
frequency too.  Sharper is the sway: the body leans on either leg in turn, so the part of the horizontal
acceleration that changes sign from step to step is mediolateral.  On four stroke survivors, the worst with
50 % of step-time asymmetry, it stayed within 11 deg of the sensor's own axis; the same part of the angular
rate, which in even walkers is pelvic obliquity and sharper still, was wrong by 60 to 80 deg in two of them,
because tilt once a stride is just what a limp does.
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
_GAIT = bandpass_kernel(0.4, 5.0, 75, GRID_HZ)
_STEP_HZ = (1.0, 2.6)
_SURE_SWAY = 0.5  # of the alternating acceleration along one line; 0 is a circle
_SWAY_WITHIN = np.cos(2.0 * np.radians(35.0))  # of the first guess; further off it was no sway
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
    seen = _horizontal(acc_m_s2, up, mean_up)
    if seen is None:
        return None
    e1, e2, moved = seen
    x = np.column_stack([np.convolve(column, _STEPS, mode="same") for column in moved.T])
    down = -np.convolve(np.cumsum(x[:, 2]) / GRID_HZ, _STEPS, mode="same")
    inner = x[:, :2].T @ down
    agreement = float(np.linalg.norm(inner) / (np.linalg.norm(x[:, :2]) * np.linalg.norm(down) + 1e-12))
    forward = unit(inner[0] * e1 + inner[1] * e2)
    return PelvisAxis(forward, np.cross(mean_up, forward), agreement)


def sharpened(axis: PelvisAxis, acc_m_s2: Floats, up: Floats, mean_up: Floats) -> PelvisAxis:
    """The axis with its mediolateral direction from the sway; as it was where there is no clear one.

    As pelvis_axis, whose result axis is.  For the pelvis only: a thigh swings once a stride as well.
    """
    seen = _horizontal(acc_m_s2, up, mean_up)
    if seen is None:
        return axis
    e1, e2, moved = seen
    line = _sway(np.column_stack([np.convolve(column, _GAIT, mode="same") for column in moved.T]))
    guess = complex(axis.left @ e1, axis.left @ e2)
    if abs(line) < _SURE_SWAY or (line / abs(line) * guess.conjugate() ** 2).real < _SWAY_WITHIN:
        return axis
    left = np.sqrt(line / abs(line))
    if (left * guess.conjugate()).real < 0.0:
        left = -left
    leftward = unit(left.real * e1 + left.imag * e2)
    return PelvisAxis(np.cross(leftward, mean_up), leftward, axis.agreement)


def _sway(x: Floats) -> complex:
    """Twice the angle of the line along which x[:, :2] alternates from step to step, x[:, 2] vertical;
    its magnitude says how much of a line it is."""
    n = len(x)
    power = np.abs(np.fft.rfft(x[:, 2] * np.hanning(n), 8 * n))
    hz = np.fft.rfftfreq(8 * n, 1.0 / GRID_HZ)
    power[(hz < _STEP_HZ[0]) | (hz > _STEP_HZ[1])] = 0.0
    step = GRID_HZ / float(hz[power.argmax()])
    whole, share = divmod(step, 1.0)
    i = np.arange(n - int(whole) - 1)
    later = x[i + int(whole), :2] * (1.0 - share) + x[i + int(whole) + 1, :2] * share
    z = (x[i, :2] - later) @ np.array([1.0, 1.0j])
    return complex((z * z).sum() / (np.sum(np.abs(z) ** 2) + 1e-12))


def _horizontal(acc_m_s2: Floats, up: Floats, mean_up: Floats) -> tuple[Floats, Floats, Floats] | None:
    """Two horizontal axes at right angles; and (n, 3): acceleration along both, as they turn with the sensor,
    and along the momentary vertical, less its mean; 0 where unknown.  None below MIN_WALK rows."""
    e1, e2 = horizontal_basis(mean_up)
    momentary = np.where(np.isfinite(up), up, mean_up) * np.ones_like(acc_m_s2)
    east = unit_rows(e1 - momentary * (momentary @ e1)[:, np.newaxis])
    moved = np.column_stack(
        [_dot(acc_m_s2, east), _dot(acc_m_s2, np.cross(momentary, east)), _dot(acc_m_s2, momentary)]
    )
    known = np.asarray(np.isfinite(moved).all(axis=1))
    if known.sum() < MIN_WALK:
        return None
    return e1, e2, np.where(known[:, np.newaxis], moved - moved[known].mean(axis=0), 0.0)


def unit_rows(v: Floats) -> Floats:
    return np.asarray(v / np.sqrt(_dot(v, v))[:, np.newaxis])


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])
