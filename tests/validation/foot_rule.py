"""The foot-IMU reference rule: initial and final contacts from one sensor anywhere on a foot.

Reference for pipelines that never see a foot sensor.  It looks at the whole recording, filters with zero
phase and knows nothing of gaitmon's own detectors.  FROZEN: a change needs an entry under "Scientific
changes" in CHANGELOG.md with the figures of ``python -m tests.validation.foot_rule`` before and after.

Rule, in the sensor's own frame, without any assumption about its mounting:

1. Still samples (angular rate < 1 rad/s, |acc| within 2 m/s² of g, both below 6 Hz) give up, ``u``.
2. The sagittal axis is the first principal axis of the angular rate below 6 Hz, made horizontal.
3. Its sign: between still stretches the foot is taken through the sagittal plane (strapdown, velocity
   zero at both ends); the median displacement must point forward.  Toe-up rate is then ``-gyr . left``.
4. A swing is a maximum of the toe-up rate below 6 Hz.
5. FC: the last upward zero crossing of the toe-up rate (below 15 Hz) before it.
6. IC: the first downward zero crossing of the toe-up rate (below 15 Hz) after it, but not earlier than
   20 ms before the impact, the first jerk of 40 % of the greatest in the first 55 % of the cycle.

Source: zero crossings of the sagittal rate as in Rampp et al., IEEE Trans Biomed Eng 2015 (toe-off, and
heel strike between swing peak and stance) and Jasiewicz et al., Gait Posture 2006.  Departures: any
mounting (1-3); IC waits for the impact (6), because a paretic foot hovers after swing, its pitch rate
crosses zero 0.15-0.2 s before it lands.  A shod heel strike needs about 20 ms from touch to steep
jerk.  Known limits: walking backwards turns the sign; a forefoot landing is dated too late, at the pitch
reversal that follows it; the smallest steps (closing the feet, turning on the spot) are missed; FC is the
reversal of pitch after push-off, some 20 ms after the toe marker's lowest point.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.signal import butter, find_peaks, sosfiltfilt

from gaitmon.model import Bools, Contact, ContactKind, Floats, Side

GRAVITY_M_S2 = 9.81
STILL_RAD_S = 1.0
STILL_M_S2 = 2.0
SLOW_HZ = 6.0
FAST_HZ = 15.0
SWING_SHARE = 0.3  # of the 90th percentile of the toe-up rate
SWING_FLOOR_RAD_S = 0.5
SWING_DISTANCE_S = 0.4
IMPACT_SHARE = 0.4
IMPACT_LEAD_S = 0.020
LANDING_SHARE = 0.55  # of the cycle after the swing's maximum
LONGEST_CYCLE_S = 1.2


class FootStride(NamedTuple):
    start_s: float
    fc_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """errors_s: detected - reference of the tp matched pairs, in order of time."""

    tp: int
    fp: int
    fn: int
    errors_s: Floats

    @property
    def precision(self) -> float:
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else float("nan")

    @property
    def recall(self) -> float:
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else float("nan")

    @property
    def f1(self) -> float:
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else float("nan")


def foot_contacts(t_s: Floats, acc_m_s2: Floats, gyr_rad_s: Floats, side: Side) -> list[Contact]:
    """Every final and initial contact of one foot, in order of time, each FC followed by its IC.

    t_s: (n,) evenly spaced.  acc_m_s2, gyr_rad_s: (n, 3), sensor frame, finite, at least 40 Hz.
    """
    if not (np.isfinite(acc_m_s2).all() and np.isfinite(gyr_rad_s).all()):
        raise ValueError("the foot rule needs every sample")
    rate_hz = float(1.0 / np.median(np.diff(t_s)))
    slow = _toe_up_rate(acc_m_s2, gyr_rad_s, rate_hz)
    if slow is None:
        return []
    toe_up_axis, slow_rate = slow
    fast_rate = _low_pass(gyr_rad_s, FAST_HZ, rate_hz) @ toe_up_axis
    jerk = np.linalg.norm(np.diff(acc_m_s2, axis=0), axis=1) * rate_hz  # [k]: between samples k and k + 1
    contacts = []
    swings = _swings(slow_rate, rate_hz)
    for swing, following in zip(swings, [*swings[1:], None], strict=True):
        cycle_s = (
            LONGEST_CYCLE_S if following is None else min(LONGEST_CYCLE_S, (following - swing) / rate_hz)
        )
        end = min(len(t_s) - 1, swing + int(LANDING_SHARE * cycle_s * rate_hz))
        impact_s = _impact_s(t_s, jerk, swing, end)
        if impact_s is None:
            continue
        reversal_s = _downward_crossing_s(t_s, fast_rate, swing, end)
        ic_s = max(reversal_s, impact_s - IMPACT_LEAD_S)
        fc_s = _upward_crossing_s(t_s, fast_rate, swing)
        if fc_s is not None:
            contacts.append(Contact(ContactKind.FC, side, fc_s))
        contacts.append(Contact(ContactKind.IC, side, ic_s))
    return contacts


def foot_strides(
    contacts: Sequence[Contact],
    *,
    shortest_s: float = 0.4,
    longest_s: float = 2.5,
    longest_stance_s: float = 1.6,
) -> list[FootStride]:
    """Strides of one foot: IC, one FC, next IC.

    A start or stop is no stride: the pair of initial contacts around a pause has too long a stance, and
    the first step from standing has no initial contact before it.
    """
    strides = []
    ordered = sorted(contacts, key=lambda c: c.t_s)
    initial = [c.t_s for c in ordered if c.kind is ContactKind.IC]
    final = [c.t_s for c in ordered if c.kind is ContactKind.FC]
    for start, end in pairwise(initial):
        between = [fc for fc in final if start < fc < end]
        if len(between) == 1 and shortest_s <= end - start <= longest_s:
            stride = FootStride(start, between[0], end)
            if stride.fc_s - start <= longest_stance_s:
                strides.append(stride)
    return strides


def match(detected_s: Sequence[float], reference_s: Sequence[float], tolerance_s: float) -> Matching:
    """The one-to-one pairing with most pairs within the tolerance, and of those the least total error."""
    detected = np.sort(np.asarray(detected_s, dtype=np.float64))
    reference = np.sort(np.asarray(reference_s, dtype=np.float64))
    errors: list[float] = []
    # Times further apart than the tolerance cannot pair: solve each cluster on its own.
    both = np.sort(np.concatenate([detected, reference]))
    starts = both[np.concatenate([[True], np.diff(both) > tolerance_s])] if len(both) else both
    for low, high in pairwise([*starts.tolist(), np.inf]):
        some = detected[(detected >= low) & (detected < high)]
        wanted = reference[(reference >= low) & (reference < high)]
        difference = some[:, None] - wanted[None, :]
        forbidden = tolerance_s * (min(difference.shape) + 1)  # dearer than all allowed pairs together
        cost = np.where(np.abs(difference) <= tolerance_s, np.abs(difference), forbidden)
        rows, columns = linear_sum_assignment(cost)
        errors += [
            float(difference[r, c])
            for r, c in zip(rows, columns, strict=True)
            if abs(difference[r, c]) <= tolerance_s
        ]
    return Matching(len(errors), len(detected) - len(errors), len(reference) - len(errors), np.array(errors))


def wilson(k: int, n: int) -> tuple[float, float]:
    """95 % interval of a share k / n (Wilson 1927); (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    z = 1.959964
    share = k / n
    centre = share + z * z / (2 * n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def _low_pass(signal: Floats, cut_hz: float, rate_hz: float) -> Floats:
    sos = butter(2, min(cut_hz, 0.45 * rate_hz), fs=rate_hz, output="sos")
    result: Floats = sosfiltfilt(sos, signal, axis=0)
    return result


def _toe_up_rate(acc: Floats, gyr: Floats, rate_hz: float) -> tuple[Floats, Floats] | None:
    """(axis, rate): unit vector (3,) and ``gyr below 6 Hz @ axis`` (n,), toe up positive.

    None when the foot was never still or never moved.
    """
    slow_gyr, slow_acc = _low_pass(gyr, SLOW_HZ, rate_hz), _low_pass(acc, SLOW_HZ, rate_hz)
    turning = np.linalg.norm(slow_gyr, axis=1)
    upright = np.abs(np.linalg.norm(slow_acc, axis=1) - GRAVITY_M_S2) < STILL_M_S2
    still: Bools = np.asarray((turning < STILL_RAD_S) & upright)
    moving = turning >= STILL_RAD_S
    if not still.any() or not moving.any():
        return None
    up = slow_acc[still].mean(axis=0)
    up /= np.linalg.norm(up)
    horizontal = slow_gyr[moving] - np.outer(slow_gyr[moving] @ up, up)
    left: Floats = np.linalg.eigh(horizontal.T @ horizontal)[1][:, -1]
    travelled = _displacements(
        acc, -(slow_gyr @ left), still, forward=np.cross(left, up), up=up, rate_hz=rate_hz
    )
    axis = left if travelled and float(np.median(travelled)) < 0 else -left
    return axis, slow_gyr @ axis


def _displacements(
    acc: Floats, toe_up: Floats, still: Bools, *, forward: Floats, up: Floats, rate_hz: float
) -> list[float]:
    """How far the foot travelled along ``forward`` between still stretches, m, in the sagittal plane."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], still.astype(np.int8), [0]])))
    stretches = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 0.06 * rate_hz]
    result = []
    for (_, leave), (arrive, _) in pairwise(stretches):
        cut = slice(leave - 1, arrive + 1)
        n = arrive + 1 - (leave - 1)
        if not 0.25 <= n / rate_hz <= 1.5:
            continue
        ramp = np.linspace(0.0, 1.0, n)
        pitch = np.cumsum(toe_up[cut]) / rate_hz
        pitch -= ramp * pitch[-1]
        along = (acc[cut] @ forward) * np.cos(pitch) - (acc[cut] @ up) * np.sin(pitch)
        velocity = np.cumsum(along) / rate_hz
        result.append(float((velocity - ramp * velocity[-1]).sum() / rate_hz))
    return result


def _swings(toe_up: Floats, rate_hz: float) -> list[int]:
    fast = toe_up[toe_up > SWING_FLOOR_RAD_S]
    if len(fast) == 0:
        return []
    least = max(SWING_FLOOR_RAD_S, SWING_SHARE * float(np.percentile(fast, 90)))
    peaks, _ = find_peaks(
        toe_up, height=least, prominence=least, distance=max(1, int(SWING_DISTANCE_S * rate_hz))
    )
    return [int(p) for p in peaks]


def _impact_s(t_s: Floats, jerk: Floats, start: int, end: int) -> float | None:
    """When the jerk first reaches its share of the maximum of [start, end), between samples."""
    if end - start < 2:
        return None
    level = IMPACT_SHARE * float(jerk[start:end].max())
    k = start + int(np.argmax(jerk[start:end] >= level))
    before, here = (float(jerk[k - 1]) if k > 0 else level), float(jerk[k])
    share = (level - before) / (here - before) if before < level < here else 1.0
    step_s = float(t_s[k + 1] - t_s[k])
    return float(t_s[k]) + (share - 0.5) * step_s  # jerk[k] belongs to the middle of its two samples


def _crossing_s(t_s: Floats, signal: Floats, k: int) -> float:
    """When the signal is zero between samples k and k + 1."""
    share = signal[k] / (signal[k] - signal[k + 1])
    return float(t_s[k] + share * (t_s[k + 1] - t_s[k]))


def _downward_crossing_s(t_s: Floats, signal: Floats, start: int, end: int) -> float:
    """First crossing from above after start; t_s[start] if there is none before end."""
    below = np.flatnonzero(signal[start : end + 1] <= 0)
    k = start + int(below[0]) - 1 if len(below) else -1
    return _crossing_s(t_s, signal, k) if k >= start else float(t_s[start])


def _upward_crossing_s(t_s: Floats, signal: Floats, start: int) -> float | None:
    """Last crossing from below before start; None if the recording begins within the swing."""
    below = np.flatnonzero(signal[:start] <= 0)
    return _crossing_s(t_s, signal, int(below[-1])) if len(below) else None


def step_time_asymmetry_pct(left_ic_s: Sequence[float], right_ic_s: Sequence[float]) -> float:
    """100 ln(R / L) of the median step times; a step is named by the foot that lands."""
    landings = sorted([(t, Side.LEFT) for t in left_ic_s] + [(t, Side.RIGHT) for t in right_ic_s])
    steps: dict[Side, list[float]] = {Side.LEFT: [], Side.RIGHT: []}
    for (before_s, before), (here_s, here) in pairwise(landings):
        if before is not here and here_s - before_s < LONGEST_CYCLE_S:
            steps[here].append(here_s - before_s)
    return 100.0 * float(np.log(np.median(steps[Side.RIGHT]) / np.median(steps[Side.LEFT])))


def initial_s(contacts: Sequence[Contact]) -> list[float]:
    return [c.t_s for c in contacts if c.kind is ContactKind.IC]


def final_s(contacts: Sequence[Contact]) -> list[float]:
    return [c.t_s for c in contacts if c.kind is ContactKind.FC]


def within(times_s: Sequence[float], reference_s: Floats, margin_s: float = 0.25) -> list[float]:
    """The times that the reference can judge: from its first event to its last."""
    low, high = float(reference_s[0]) - margin_s, float(reference_s[-1]) + margin_s
    return [t for t in times_s if low <= t <= high]


def _reference_lines() -> Iterator[str]:
    from tests.loaders import foot_reference

    for kind, name in ((ContactKind.IC, "IC"), (ContactKind.FC, "FC")):
        tp = fp = fn = 0
        errors: list[float] = []
        for side, foot in foot_reference().items():
            contacts = foot_contacts(foot.t_s, foot.acc_m_s2, foot.gyr_rad_s, side)
            reference = foot.ic_s if kind is ContactKind.IC else foot.fc_s
            times = within([c.t_s for c in contacts if c.kind is kind], reference)
            found = match(times, reference.tolist(), 0.25)
            tp, fp, fn = tp + found.tp, fp + found.fp, fn + found.fn
            errors += found.errors_s.tolist()
        low, high = wilson(tp, tp + fn)
        low_p, high_p = wilson(tp, tp + fp)
        yield (
            f"foot_reference {name}: F1 {2 * tp / (2 * tp + fp + fn):.3f}, recall {tp}/{tp + fn} "
            f"[{low:.3f}, {high:.3f}], precision {tp}/{tp + fp} [{low_p:.3f}, {high_p:.3f}], "
            f"bias {1000 * np.mean(errors):+.1f} ms, SD {1000 * np.std(errors, ddof=1):.1f} ms"
        )


def _recording_lines() -> Iterator[str]:
    from tests.loaders import STROKE_SUBJECTS, foot_samples, mtw, qmt, stroke

    sets = [("qmt t=95-140", qmt(), 95.0, 140.0), ("mtw", mtw(), 0.0, 1e9)]
    sets += [(subject, stroke(subject), 0.0, 1e9) for subject in STROKE_SUBJECTS]
    for name, recording, low, high in sets:
        initial = {}
        for side in Side:
            contacts = foot_contacts(*foot_samples(recording, side), side)
            durations = [s.end_s - s.start_s for s in foot_strides(contacts) if low <= s.start_s < high]
            initial[side] = [t for t in initial_s(contacts) if low <= t < high]
            yield (
                f"{name} {side}: {len(initial[side])} contacts, {len(durations)} strides, "
                f"stride time mean {np.mean(durations):.3f} s, median {np.median(durations):.3f} s"
            )
        asymmetry = step_time_asymmetry_pct(initial[Side.LEFT], initial[Side.RIGHT])
        yield f"{name}: step-time asymmetry {asymmetry:+.1f} %"


def main() -> None:
    for line in (*_reference_lines(), *_recording_lines()):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
