"""Gait sequences: which stretches look like walking, before anything is known of the mounting.

Nothing here depends on how a sensor is turned in its pouch, so it works on the first step after
strapping on.  Of each window of 4 s, every 0.5 s:

- *Energy and periodicity.*  The vector autocorrelation, sum over the axes of x(t) x(t + lag): walking
  repeats itself once a stride and moves with more than a fidget's energy.  (Vector form of the unbiased
  autocorrelation of Moe-Nilssen & Helbostad 2004, used here as a detector; departure: all axes at once.)
- *Two rises a stride* (accelerometers).  Walking lifts the body at every step, so along gravity the
  second harmonic of the stride is at least as strong as the first, on one thigh as on the trunk.  A
  pedalling thigh rises once a turn: from the geometry of a bicycle its second harmonic holds a fifth.
- *Posture* (gravity, in the accelerometer's own frame): the same in both halves of the window, or somebody
  is sitting down or getting up; and nowhere in it as far apart as sitting from standing, or somebody gets
  up and down again and again.  And, once a thigh has seen clear walking, no more than 40 degrees from how
  it leans in walking: sitting and lying lie beyond, and so does the mean of a pedalling thigh.
- *Not running, not shaking* (accelerometers).  Running is a stride below 0.85 s (141 steps/min, where
  people break into a run: Hansen 2017) with more acceleration than a foot on the ground allows; a
  rhythm faster than walking can be, or mostly above 3.5 Hz, is a jogging knee or a rough road.

Where the walk begins and ends is read off cells of 0.5 s: the window says that there is walking, the
cells say from when until when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isnan, nan, sqrt
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaitmon.gait.holes import autocorrelation
from gaitmon.model import Bools, Floats

TICK = 50  # grid samples between decisions, and of a cell: 0.5 s
WINDOW = 400  # grid samples looked at, 4 s
PAUSE = 200  # grid samples without movement that end a sequence, 2 s
CELLS = WINDOW // TICK
USUAL_PERIOD_S = 1.1  # of a stride, free walking: only until holes let one be seen
_DECIMATE = 4  # 25 Hz is plenty below 9 Hz
_FFT = 160  # 100 samples and the longest lag, without wrapping around
_LAG_S = _DECIMATE / 100.0
_PAIRS = 25  # a second of samples that have a partner one lag later: fewer say nothing of a period
_PARTNERS = WINDOW // _DECIMATE - np.arange(WINDOW // _DECIMATE)  # of the samples of a window, at each lag
_NO_HOLES = np.empty(0, dtype=np.intp), np.empty((0, WINDOW // _DECIMATE), dtype=bool)
_HZ = np.fft.rfftfreq(_FFT, _LAG_S)
_SHAKING = _HZ > 3.5
_HANN = np.hanning(WINDOW // _DECIMATE)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of one kind of signal, in its unit (rad/s or m/s²): root mean squares about the mean.

    walking: at least, over a window.  vigorous: above it the periodicity is not asked for, so that
    turning and uneven steps stay in.  moving: at least, over a cell.  running: more than this at a
    running cadence, or more than ``airborne`` at any.  min_lag_s: the shortest period looked for.
    """

    walking: float
    vigorous: float
    moving: float
    running: float = inf
    airborne: float = inf
    min_lag_s: float = 0.7


@dataclass(frozen=True, slots=True)
class SequenceParams:
    thigh_gyr: Thresholds = Thresholds(walking=0.45, vigorous=1.0, moving=0.2)
    # A thigh's period is searched from below what walking can have, so that running shows as running.
    thigh_acc: Thresholds = Thresholds(1.0, 3.0, 0.5, running=8.0, airborne=12.0, min_lag_s=0.5)
    trunk_acc: Thresholds = Thresholds(0.5, 1.5, 0.25, running=5.5, airborne=7.0)
    max_lag_s: float = 2.2  # the longest stride period
    periodicity: float = 0.45
    moving_share: float = 0.3  # of the level in the livelier half of the window
    step_share: float = 0.4  # walking has 0.5 to 0.9, a pedalling thigh 0.2
    shaking_share: float = 0.75  # walking has at most 0.6
    running_period_s: float = 0.85
    min_period_s: float = 0.75  # 160 steps/min: above the fastest walking
    weaker_share: float = 0.8  # of a walk's level: of a thigh clearly periodic, beside one that walks
    clear_periodicity: float = 0.6  # from here on a walking window shows how the thigh leans in walking
    lean_deg: float = 40.0
    settled_deg: float = 30.0  # between the means of the window's halves
    swing_deg: float = 60.0  # between those of any two cells: walking and stairs have 45, sit-to-stand 80

    def of(self, *, gyroscope: bool, trunk: bool) -> Thresholds:
        if trunk:
            return self.trunk_acc
        return self.thigh_gyr if gyroscope else self.thigh_acc


class Evidence(NamedTuple):
    """Per window; NaN where more than half of the samples are missing.

    rms (signal's unit); periodicity (-1..1); period_s.  Accelerometers only, else NaN: step_share, of the
    second harmonic of the period in the first two, along gravity; shaking_share, of the power above 3.5 Hz.
    told: whether every lag could be looked at; else holes may hide the period.
    """

    told: Bools
    rms: Floats
    periodicity: Floats
    period_s: Floats
    step_share: Floats
    shaking_share: Floats


def evidence(
    signals: Sequence[Floats],
    n_ticks: int,
    params: SequenceParams,
    *,
    gyroscope: bool = True,
    trunk: bool = False,
) -> Evidence:
    """Evidence of n_ticks windows, one every TICK samples, of several sensors of one kind at once.

    signals: per sensor shape (WINDOW + (n_ticks - 1) * TICK, 3), low-passed, 100 Hz, NaN where missing:
    angular rate of a thigh (gyroscope), else acceleration, of the trunk or of a thigh or pocket.
    Returns arrays of shape (sensors, n_ticks).
    """
    limits = params.of(gyroscope=gyroscope, trunk=trunk)
    starts = range(0, n_ticks * TICK, TICK)
    x = np.array([signal[i : i + WINDOW : _DECIMATE].T for signal in signals for i in starts])
    n = x.shape[2]
    mean = np.add.reduce(x, axis=2, keepdims=True) / n
    holed, known = _holed(x, mean)
    x = x - mean
    spectrum = np.fft.rfft(x, _FFT).view(np.float64)  # real and imaginary parts in turn
    squares = np.add.reduce(spectrum * spectrum, axis=1)
    power = squares[:, ::2] + squares[:, 1::2]
    acov = np.fft.irfft(power, _FFT)[:, :n] / _PARTNERS
    variance = acov[:, 0].copy()
    if len(holed):
        r = autocorrelation(x[holed].transpose(0, 2, 1), known, fft=_FFT, fewest_pairs=_PAIRS)
        variance[holed] *= n / known.sum(axis=1)
        acov[holed] = r * variance[holed, np.newaxis]
    lo, hi = round(limits.min_lag_s / _LAG_S), round(params.max_lag_s / _LAG_S)
    searched = acov[:, lo : hi + 1]
    peak, period_s = _period(searched, lo)
    told = np.isfinite(np.add.reduce(searched, axis=1))
    step = shaking = np.full(len(x), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        rms = np.sqrt(variance)
        if trunk or not gyroscope:
            up = mean / np.sqrt((mean * mean).sum(axis=1, keepdims=True))
            step = _step_share((x * up).sum(axis=1), period_s)
            shaking = power[:, _SHAKING].sum(axis=1) / power.sum(axis=1)
        periodicity = peak / variance
    shape = len(signals), n_ticks
    return Evidence(
        told.reshape(shape),
        rms.reshape(shape),
        periodicity.reshape(shape),
        period_s.reshape(shape),
        step.reshape(shape),
        shaking.reshape(shape),
    )


def _holed(x: Floats, mean: Floats) -> tuple[NDArray[np.intp], Bools]:
    """The windows in which samples are missing, but no more than half, and which of theirs are known.

    x: shape (windows, 3, n), mean: (windows, 3, 1).  Theirs become the mean of what is known; and x that mean
    where it is not, which adds nothing.
    """
    if not isnan(np.add.reduce(mean, axis=None)):
        return _NO_HOLES
    known = np.isfinite(x[:, 0])
    holed = np.flatnonzero(np.isnan(mean[:, 0, 0]) & (2 * known.sum(axis=1) >= x.shape[2]))
    if len(holed) == 0:
        return _NO_HOLES
    known = known[holed]
    mean[holed, :, 0] = np.nansum(x[holed], axis=2) / known.sum(axis=1)[:, np.newaxis]
    x[holed] = np.where(known[:, np.newaxis], x[holed], mean[holed])
    return holed, known


def _period(acov: Floats, lo: int) -> tuple[Floats, Floats]:
    """Highest autocovariance of each window, and the shortest lag (s) with a peak nearly as high: two
    strides repeat as well as one.  Column 0 of acov is lag ``lo``; -inf where it is not known.  NaN where
    only the slope of a peak can be seen."""
    found = [_first_top(row) for row in acov.tolist()]
    return np.array([peak for peak, _ in found]), np.array([(best + lo) * _LAG_S for _, best in found])


def _first_top(row: list[float]) -> tuple[float, float]:
    """Highest value, and where it, or the first peak nearly as high, is."""
    peak = max(row)
    least = 0.85 * peak
    for i in range(1, len(row) - 1):
        x = row[i]
        if x >= least and row[i - 1] <= x >= row[i + 1] and row[i - 1] != -inf != row[i + 1]:
            return peak, i
    return peak, nan if -inf in row else 0 if isnan(peak) else row.index(peak)


def _step_share(vertical: Floats, period_s: Floats) -> Floats:
    """vertical: windows about their mean, shape (windows, n)."""
    spectrum = np.fft.rfft(vertical * _HANN, _FFT, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    harmonic = _HZ * period_s[:, np.newaxis]
    first = (power * ((harmonic > 0.5) & (harmonic <= 1.5))).sum(axis=1)
    second = (power * ((harmonic > 1.5) & (harmonic <= 2.5))).sum(axis=1)
    return np.asarray(second / (first + second))


def edges(cells: Sequence[float], limits: Thresholds, params: SequenceParams) -> tuple[int, int]:
    """lead and rest of a walking window (see Verdict) from the mean squares of its cells, NaN where too
    little of one is known."""
    known = sorted([square for square in cells if not isnan(square)])
    livelier = known[len(known) // 2 :]
    level = sqrt(max(sum(livelier), 0.0) / max(len(livelier), 1))
    least = max(params.moving_share * level, limits.moving) ** 2
    if len(known) == CELLS and known[0] > least:
        return 0, 0
    moving = [i for i, square in enumerate(cells) if square > least]
    if not moving:
        return 0, WINDOW
    lead, pause = moving[0], PAUSE // TICK
    for before, cell in pairwise(moving):
        if cell - before > pause:
            lead = cell
    return lead * TICK, (CELLS - 1 - moving[-1]) * TICK


def looks_like_walking(e: Evidence, *, gyroscope: bool, params: SequenceParams, trunk: bool = False) -> Bools:
    """Whether each window of one kind of sensor looks like walking; False where samples are missing."""
    limits = params.of(gyroscope=gyroscope, trunk=trunk)
    with np.errstate(invalid="ignore"):
        periodic = e.periodicity > params.periodicity
        walking = ((e.rms > limits.walking) & periodic) | (e.rms > limits.vigorous)
        if gyroscope and not trunk:
            clear = e.periodicity > params.clear_periodicity
            return np.asarray(walking | (e.rms > params.weaker_share * limits.walking) & clear)
        other = (e.step_share < params.step_share) | (e.shaking_share > params.shaking_share)
        other |= periodic & (e.period_s < params.min_period_s)
        other |= ~e.told & ~(e.periodicity > params.clear_periodicity)  # holes blur the shares
        return np.asarray(walking & ~other & ~_runs(e, limits, params))


def never_walks(e: Evidence, limits: Thresholds, params: SequenceParams) -> Bools:
    """Whether this sensor alone rules walking out: it is still, or runs."""
    with np.errstate(invalid="ignore"):
        return np.asarray((e.rms < limits.moving) | _runs(e, limits, params))


def _runs(e: Evidence, limits: Thresholds, params: SequenceParams) -> Bools:
    fast = e.period_s < params.running_period_s
    return np.asarray(((e.rms > limits.running) & fast) | (e.rms > limits.airborne))


class Verdict(NamedTuple):
    """Of one tick: whether all who can tell see walking in the window before it.

    heard: False where nobody can tell, because too many samples are missing.
    lead, rest: grid samples at the window's beginning and end that are not part of the walk (a pause of
    more than PAUSE cuts off what was before it; rest is WINDOW when nothing moves).
    """

    walking: bool
    period_s: float = nan
    lead: int = 0
    rest: int = 0
    heard: bool = True


@dataclass(frozen=True, slots=True)
class GaitSequence:
    """Grid indices [start, end).  end is where walking has been seen so far while closed is False.

    period_s: median period of the windows seen so far; of the sequence before where holes hide it.
    """

    start: int
    end: int
    closed: bool
    period_s: float


class SequenceTracker:
    """Joins the windows' verdicts into gait sequences.  Stateful; one verdict a tick, in order.

    A window that looks like walking marks all of itself but its lead and rest; sequences never overlap.
    A pause of PAUSE ends the sequence, and so do more than ``patience`` windows in a row that do not
    look like walking.  Windows of which nobody can tell count neither way, but end it after PAUSE, too.
    """

    def __init__(self, patience: int = 3) -> None:
        self._patience = patience
        self._quiet = 0
        self._start: int | None = None
        self._end = 0
        self._floor = -(10**12)  # before every recording; no sequence starts before the last one's end
        self._periods: list[float] = []
        self._usual_s = USUAL_PERIOD_S  # then, of the last sequence
        self.current: GaitSequence | None = None  # the one under way

    def push(
        self, tick: int, walking: bool, period_s: float, lead: int = 0, rest: int = 0, *, heard: bool = True
    ) -> GaitSequence | None:
        """The sequence that this tick's verdict closes, if it does.  The rest: as in Verdict."""
        t = tick * TICK
        if walking and rest < PAUSE:
            self._quiet = 0
            if self._start is None:
                self._start = max(t - WINDOW + lead, self._floor)
                self._end = self._start
                self._periods = []
            self._end = max(self._end, t - rest)
            if not isnan(period_s):
                self._periods = [*self._periods[-8:], period_s]
            self.current = GaitSequence(self._start, self._end, False, self._period())
            return None
        self._quiet += heard
        if self._start is None or (self._quiet <= self._patience and t - self._end < PAUSE):
            return None
        return self.close()

    def close(self) -> GaitSequence | None:
        if self._start is None:
            return None
        done = GaitSequence(self._start, self._end, True, self._period())
        self.current = None
        self._start, self._floor, self._quiet = None, self._end, 0
        self._usual_s = done.period_s
        return done

    def _period(self) -> float:
        return median(self._periods) if self._periods else self._usual_s
