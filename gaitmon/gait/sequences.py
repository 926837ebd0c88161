"""Gait sequences: which stretches look like walking, before anything is known of the mounting.

The evidence is the vector autocorrelation of a sensor's signal, sum over the axes of x(t) x(t + lag):
it does not change when the sensor is turned in its pouch, so it works on the first step after
strapping on.  Walking repeats itself once a stride and moves with more than a fidget's energy.

Source: vector form of the unbiased autocorrelation of Moe-Nilssen & Helbostad 2004, used here as a
detector; windows of 4 s every 0.5 s.  Departure: no fixed frame, all axes at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from gaitmon.model import Bools, Floats

TICK = 50  # grid samples between decisions, 0.5 s
WINDOW = 400  # grid samples looked at, 4 s
_DECIMATE = 4  # 25 Hz is plenty below 6 Hz
_FFT = 160  # 100 samples and the longest lag, without wrapping around


@dataclass(frozen=True, slots=True)
class SequenceParams:
    """min_lag_s, max_lag_s: where a stride's period may lie.  Thresholds per kind of signal: the
    root mean square about the window's mean, and the height of the autocorrelation peak; above
    vigorous_* the periodicity is not asked for, so that turning and uneven steps stay in."""

    min_lag_s: float = 0.7
    max_lag_s: float = 2.2
    gyr_rms_rad_s: float = 0.45
    gyr_vigorous_rad_s: float = 1.0
    acc_rms_m_s2: float = 1.2
    acc_vigorous_m_s2: float = 3.0
    periodicity: float = 0.45


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Per window: rms (signal's unit), periodicity (-1..1), period_s; NaN where samples are missing."""

    rms: Floats
    periodicity: Floats
    period_s: Floats


def evidence(signals: Sequence[Floats], n_ticks: int, params: SequenceParams) -> Evidence:
    """Evidence of n_ticks windows, one every TICK samples, of several sensors at once.

    signals: per sensor shape (WINDOW + (n_ticks - 1) * TICK, 3), low-passed, 100 Hz, NaN where missing.
    Returns arrays of shape (sensors, n_ticks).
    """
    rows = np.arange(n_ticks)[:, np.newaxis] * TICK + np.arange(0, WINDOW, _DECIMATE)
    x = np.concatenate([signal[rows] for signal in signals])
    x = x - x.mean(axis=1, keepdims=True)
    n = x.shape[1]
    spectrum = np.fft.rfft(x, _FFT, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).sum(axis=2)
    acov = np.fft.irfft(power, _FFT, axis=1)[:, :n] / (n - np.arange(n))
    variance = acov[:, 0]
    step_s = _DECIMATE / 100.0
    lo, hi = round(params.min_lag_s / step_s), round(params.max_lag_s / step_s)
    window = acov[:, lo : hi + 1]
    peak = window.max(axis=1)
    # The shortest lag with a peak nearly as high as the highest: two strides repeat as well as one.
    with np.errstate(invalid="ignore"):
        tops = (window[:, 1:-1] >= window[:, :-2]) & (window[:, 1:-1] >= window[:, 2:])
        tops &= window[:, 1:-1] >= 0.85 * peak[:, np.newaxis]
    best = np.where(tops.any(axis=1), tops.argmax(axis=1) + 1, window.argmax(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (np.sqrt(variance), peak / variance, (best + lo) * step_s)
    return Evidence(*(values.reshape(len(signals), n_ticks) for values in found))


def looks_like_walking(e: Evidence, *, gyroscope: bool, params: SequenceParams) -> Bools:
    """Whether each window of one sensor looks like walking; False where samples are missing."""
    rms_min = params.gyr_rms_rad_s if gyroscope else params.acc_rms_m_s2
    vigorous = params.gyr_vigorous_rad_s if gyroscope else params.acc_vigorous_m_s2
    with np.errstate(invalid="ignore"):
        regular = (e.rms > rms_min) & (e.periodicity > params.periodicity)
        return np.asarray(regular | (e.rms > vigorous))


@dataclass(frozen=True, slots=True)
class GaitSequence:
    """Grid indices [start, end).  end is where walking has been seen so far while closed is False.

    period_s: median period of the windows seen so far.
    """

    start: int
    end: int
    closed: bool
    period_s: float


class SequenceTracker:
    """Joins the windows' verdicts into gait sequences.  Stateful; one verdict a tick, in order.

    A window that looks like walking marks all of itself; sequences never overlap.  One that does not
    ends the sequence only if none that does follows within ``patience`` ticks.
    """

    def __init__(self, patience: int = 3) -> None:
        self._patience = patience
        self._quiet = 0
        self._start: int | None = None
        self._end = 0
        self._floor = 0  # no sequence starts before the last one's end
        self._periods: list[float] = []

    @property
    def current(self) -> GaitSequence | None:
        if self._start is None:
            return None
        return GaitSequence(self._start, self._end, False, self._period())

    def push(self, tick: int, walking: bool, period_s: float) -> GaitSequence | None:
        """The sequence that this tick's verdict closes, if it does."""
        t = tick * TICK
        if walking:
            if self._start is None:
                self._start = max(t - WINDOW, self._floor)
                self._periods = []
            self._end = t
            self._quiet = 0
            self._periods = [*self._periods[-8:], period_s]
            return None
        self._quiet += 1
        return self.close() if self._start is not None and self._quiet > self._patience else None

    def close(self) -> GaitSequence | None:
        if self._start is None:
            return None
        done = GaitSequence(self._start, self._end, True, self._period())
        self._start, self._floor, self._quiet = None, self._end, 0
        return done

    def _period(self) -> float:
        return median(self._periods)
