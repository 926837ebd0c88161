"""Are the sensors' clocks together, to a few hundredths of a second?  Told from walking.

The trunk rises and falls with every step and takes the thighs with it: between 1 and 6 Hz the magnitude of
acceleration on a thigh goes with that on the pelvis, at no delay.  Left and right were within 20 ms of each
other on the two real walks with all three sensors, and within 47 ms on simulated patients (asymmetry of
30 %, one thigh at 0.4 of its range, limbs unlike); so APART_S is what no body explains.  A thigh that swings
three times as far as the other hears more of itself than of the trunk: its best delay counts only where it
is BETTER than none.  A shift by a whole step looks like none here: seconds are found in
gaitmon.sensors.inspection_clocks.  Less than APART_S cannot be seen in the motion, though 20 ms make 7 % of
step-time asymmetry.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gaitmon.imu.filters import bandpass_kernel
from gaitmon.model import Floats, Placement
from gaitmon.sensors.windows import RATE_HZ, Window

APART_S = 0.08  # of left and right thigh against each other
DRIFT_S = 0.04  # by which that changes from the first to the last step: one body keeps it within 0.01
PELVIS_S = 0.12  # of the pelvis against both thighs
ALIKE = 0.5  # correlation from which a delay is believed
BETTER = 0.2  # by which it must exceed the correlation at no delay
REACH = 30  # samples: half a step of very slow walking and more
MOVES_M_S2 = 0.15
FEWEST = 3  # windows
FEWEST_DRIFT = 10
_STEPS = bandpass_kernel(1.0, 6.0, 50, RATE_HZ)
_THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH)


@dataclass(frozen=True, slots=True)
class ClockFault:
    """apart_s: how far left and right thigh are apart, at worst.  drifts: it changes in the recording.
    pelvis_s: how much later both thighs, which agree, are than the pelvis; None where it agrees with them."""

    apart_s: float
    drifts: bool
    pelvis_s: float | None


@dataclass(slots=True, eq=False)
class ClockCheck:
    """Shown all windows of a recording in order of time.  Stateful."""

    # start, delay of left and right, a step, how much better left and right are with their delay than without
    _rows: list[tuple[float, ...]] = field(default_factory=list)

    def see(self, window: Window) -> None:
        trunk = window.samples.get(Placement.PELVIS)
        thighs = [window.samples.get(p) for p in _THIGHS]
        if trunk is None or thighs[0] is None or thighs[1] is None:
            return
        pelvis, left, right = (_bounce(x) for x in (trunk, thighs[0], thighs[1]))
        if min(float(x.std()) for x in (pelvis, left, right)) < MOVES_M_S2:
            return
        of_left, of_right, step_s = _delay_s(pelvis, left), _delay_s(pelvis, right), _step_s(pelvis)
        if of_left is not None and of_right is not None and step_s is not None:
            (left_s, left_gain), (right_s, right_gain) = of_left, of_right
            self._rows.append((window.start_s, left_s, right_s, step_s, left_gain, right_gain))

    def fault(self) -> ClockFault | None:
        if len(self._rows) < FEWEST:
            return None
        start_s, left_s, right_s, step_s, *gains = np.array(self._rows).T
        better = [float(np.median(gain)) > BETTER for gain in gains]
        apart_s = _nearest(right_s - left_s, step_s)
        worst_s = abs(float(np.median(apart_s)))
        if worst_s > APART_S and any(better):
            return ClockFault(worst_s, drifts=False, pelvis_s=None)
        if len(self._rows) >= FEWEST_DRIFT:
            slope, at_0_s = np.polyfit(start_s - start_s[0], apart_s, 1)
            drift_s = abs(float(slope)) * float(start_s[-1] - start_s[0])
            scatter_s = float(np.std(apart_s - slope * (start_s - start_s[0]) - at_0_s))
            if drift_s > max(DRIFT_S, 2.0 * scatter_s):
                return ClockFault(drift_s, drifts=True, pelvis_s=None)
        late_s = float(np.median(left_s))
        if abs(late_s) > PELVIS_S and all(better):
            return ClockFault(worst_s, drifts=False, pelvis_s=late_s)
        return None


def _nearest(delay_s: Floats, step_s: Floats) -> Floats:
    """Delays are known but for whole steps: the smallest."""
    return np.asarray(delay_s - step_s * np.round(delay_s / step_s))


def _step_s(trunk: Floats) -> float | None:
    """From the first of the high peaks of the trunk's autocorrelation; None without one above 0: no steps."""
    low, high = round(0.25 * RATE_HZ), round(1.1 * RATE_HZ)
    alike = np.array([trunk[lag:] @ trunk[:-lag] for lag in range(low, high)])
    inner = alike[1:-1]
    peaks = np.flatnonzero((inner > 0.0) & (inner > alike[:-2]) & (inner >= alike[2:])) + 1
    if len(peaks) == 0:
        return None
    return float(low + peaks[alike[peaks] > 0.6 * alike[peaks].max()][0]) / RATE_HZ


def _bounce(samples: Floats) -> Floats:
    """Magnitude of acceleration in the band of steps."""
    norm = np.linalg.norm(samples[:, :3], axis=1)
    return np.convolve(norm - norm.mean(), _STEPS, mode="same")


def _delay_s(trunk: Floats, thigh: Floats) -> tuple[float, float] | None:
    """How much later the thigh moves, by the highest peak of their correlation, and how much higher that is
    than at no delay; None if it is low."""
    n = len(trunk)
    alike = np.empty(2 * REACH + 1)
    for i, lag in enumerate(range(-REACH, REACH + 1)):
        a, b = trunk[max(0, -lag) : n - max(0, lag)], thigh[max(0, lag) : n - max(0, -lag)]
        alike[i] = (a @ b) / np.sqrt((a @ a) * (b @ b))
    inner = alike[1:-1]
    peaks = np.flatnonzero((inner > alike[:-2]) & (inner >= alike[2:])) + 1
    if len(peaks) == 0:
        return None
    best = int(peaks[alike[peaks].argmax()])
    if alike[best] < ALIKE:
        return None
    before, at, after = alike[best - 1 : best + 2]
    delay = best - REACH + 0.5 * (before - after) / (before - 2.0 * at + after)
    return float(delay) / RATE_HZ, float(at - alike[REACH])
