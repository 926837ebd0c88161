"""Whether a window repeats itself as walking does, and what speaks against walking.

- *Periodicity.*  The vector autocovariance, sum over the axes of x(t) x(t + lag): walking repeats itself once
  a stride, however the sensor is turned.  (Vector form of the unbiased autocorrelation of Moe-Nilssen &
  Helbostad 2004, used here as a detector; departure: all axes at once.)
- *Two rises a stride* (accelerometers).  Walking lifts the body at every step, so along gravity the
  second harmonic of the stride is at least as strong as the first, on one thigh as on the trunk.  A
  pedalling thigh rises once a turn: from the geometry of a bicycle its second harmonic holds a fifth.
- *Not running, not shaking* (accelerometers).  Running is a stride below 0.85 s (141 steps/min, where
  people break into a run: Hansen 2017) with more acceleration than a foot on the ground allows; a
  rhythm faster than walking can be, or mostly above 3.5 Hz, is a jogging knee or a rough road.

Where samples are missing nothing is filled in: the autocorrelation at a lag is taken over the pairs of
samples that are both there and divided by the energy of those very pairs, so that a hole neither adds nor
takes away likeness.
"""

from __future__ import annotations

from math import inf, isnan, nan, sqrt
from typing import NamedTuple

import numpy as np

from gaitmon.compiled import compiled, inner
from gaitmon.model import Floats

DECIMATE = 4  # 25 Hz is plenty below 9 Hz
LAG_S = DECIMATE / 100.0
_PAIRS = 25  # a second of samples that have a partner one lag later: fewer say nothing of a period
_NEARLY = 0.85  # of the highest peak
_FFT = 160  # samples of the spectra: those of 4 s and zeros
_BIN_HZ = 1.0 / (_FFT * LAG_S)
_BINS = _FFT // 2 + 1
_SHAKING = 23  # the first bin above 3.5 Hz
_COS = np.cos(2.0 * np.pi * np.arange(_FFT) / _FFT)
_SIN = np.sin(2.0 * np.pi * np.arange(_FFT) / _FFT)


def _of_bins(first: int) -> Floats:
    """What each lag's sum of products adds to the power from this bin on: a power spectrum is the transform
    of an autocovariance."""
    lags = np.arange(_FFT)
    out = 2.0 * np.cos(2.0 * np.pi * np.outer(lags, np.arange(first, _BINS)) / _FFT).sum(axis=1)
    out[0] /= 2.0
    return np.asarray(out)


_POWER, _ABOVE = _of_bins(0), _of_bins(_SHAKING)


class Evidence(NamedTuple):
    """Of one window; NaN where more than half of its samples are missing.

    told: whether every lag could be looked at; else holes may hide the period.  rms: about the mean, the
    signal's unit.  periodicity: -1..1.  period_s: NaN where only the slope of a peak can be seen.
    Accelerometers only, else NaN: step_share, of the second harmonic of the period in the first two, along
    gravity; shaking_share, of the power above 3.5 Hz.
    """

    told: bool
    rms: float
    periodicity: float
    period_s: float
    step_share: float = nan
    shaking_share: float = nan


@inner
def _about_mean(rows: Floats, first: int, x: Floats, known: Floats, mean: Floats) -> int:
    """Into x, shape (3, n or more): columns first to first + 2 of each DECIMATE-th row, about their mean, and
    what is missing as 0.  Into known, shape (n,): 0 where it is, else 1.  Gives how many are known."""
    n, there = len(known), 0
    for i in range(n):
        row = DECIMATE * i
        known[i] = 0.0 if isnan(rows[row, first]) else 1.0
        if known[i]:
            there += 1
            for axis in range(3):
                x[axis, i] = rows[row, first + axis]
                mean[axis] += x[axis, i]
    for axis in range(3):
        mean[axis] /= max(there, 1)
        for i in range(n):
            if known[i]:
                x[axis, i] -= mean[axis]
    return there


@inner
def _products(x: Floats, n: int, shortest: int, longest: int) -> Floats:
    """Of each lag from the shortest to the longest the sum of x(i) x(i + lag) over all axes.

    x: shape (3, n + longest), 0 from n on.
    """
    lags = longest - shortest + 1
    out = np.zeros(lags)
    for i in range(n - shortest):
        a, b, c = x[0, i], x[1, i], x[2, i]
        later, end = i + shortest, i + shortest + lags
        u, v, w = x[0, later:end], x[1, later:end], x[2, later:end]
        for k in range(lags):
            out[k] += a * u[k] + b * v[k] + c * w[k]
    return out


@compiled("void(f8[:, ::1], f8[::1], i8, i8, f8[::1])")
def likeness(x: Floats, known: Floats, fewest_pairs: int, shortest: int, r: Floats) -> None:
    """Autocorrelation -1..1 through holes.

    x: shape (3, n or more), 0 where not known.  known: shape (n,), 1 or 0.  r: of each lag from the shortest
    on the sum of its products; becomes the correlation, -inf with fewer than fewest_pairs pairs both known.
    """
    n = len(known)
    energy = np.empty(n)
    for i in range(n):
        energy[i] = x[0, i] * x[0, i] + x[1, i] * x[1, i] + x[2, i] * x[2, i]
    for k in range(len(r)):
        lag = shortest + k
        pairs = earlier = later = 0.0
        for i in range(n - lag):
            pairs += known[i] * known[i + lag]
            earlier += energy[i] * known[i + lag]
            later += known[i] * energy[i + lag]
        shared = sqrt(earlier * later)
        r[k] = r[k] / shared if pairs >= fewest_pairs and shared > 0.0 else -inf


@inner
def _top(acov: Floats, shortest: int) -> tuple[float, float]:
    """Highest value, and the period (s) of it or of the first peak nearly as high: two strides repeat as well
    as one.  NaN where only the slope of a peak can be seen.

    acov: of lags from the shortest on, -inf where not known.
    """
    best, hidden = 0, False
    for k in range(len(acov)):
        hidden = hidden or acov[k] == -inf
        if acov[k] > acov[best]:
            best = k
    peak = acov[best]
    for k in range(1, len(acov) - 1):
        before, after = acov[k - 1], acov[k + 1]
        if acov[k] >= _NEARLY * peak and before <= acov[k] >= after and before != -inf != after:
            return peak, (shortest + k) * LAG_S
    return peak, nan if hidden else (shortest + best) * LAG_S


@inner
def _step_share(x: Floats, n: int, mean: Floats, period_s: float) -> float:
    """Of the power around the stride's frequency and twice that, along the mean acceleration and in a Hann
    window: the latter.  x: shape (3, n or more) about the mean."""
    if isnan(period_s):
        return nan
    g = sqrt(mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2])
    vertical = np.empty(n)
    for i in range(n):
        along = (x[0, i] * mean[0] + x[1, i] * mean[1] + x[2, i] * mean[2]) / g if g else nan
        vertical[i] = along * (0.5 - 0.5 * np.cos(2.0 * np.pi * i / (n - 1)))
    first = second = 0.0
    for b in range(_BINS):
        harmonic = b * _BIN_HZ * period_s
        if 0.5 < harmonic <= 2.5:
            real = imaginary = 0.0
            for i in range(n):
                real += vertical[i] * _COS[b * i % _FFT]
                imaginary += vertical[i] * _SIN[b * i % _FFT]
            power = real * real + imaginary * imaginary
            if harmonic <= 1.5:
                first += power
            else:
                second += power
    return second / (first + second) if first + second > 0.0 else nan


@inner
def _shaking_share(x: Floats, n: int) -> float:
    """x: shape (3, 2 n) about the mean, 0 from n on."""
    r = _products(x, n, 0, n - 1)
    above = power = 0.0
    for lag in range(n):
        above += _ABOVE[lag] * r[lag]
        power += _POWER[lag] * r[lag]
    return above / power if power > 0.0 else nan


@compiled("(f8[:, ::1], i8, UniTuple(i8, 2), b1)")
def evidence(rows: Floats, first: int, lags: tuple[int, int], accelerometer: bool) -> Evidence:
    """Of one window.

    rows: columns first to first + 2 are the signal, low-passed, 100 Hz, NaN where missing: angular rate of a
    thigh, else acceleration (accelerometer), of the trunk or of a thigh or pocket.  lags: shortest and
    longest period looked for, in LAG_S.
    """
    shortest, longest = lags
    n = len(rows) // DECIMATE
    x, known, mean = np.zeros((3, 2 * n)), np.empty(n), np.zeros(3)
    there = _about_mean(rows, first, x, known, mean)
    if 2 * there < n:
        return Evidence(False, nan, nan, nan, nan, nan)
    variance = 0.0
    for i in range(n):
        variance += x[0, i] * x[0, i] + x[1, i] * x[1, i] + x[2, i] * x[2, i]
    variance /= there
    acov = _products(x, n, shortest, longest)
    told = True
    if there < n:
        likeness(x, known, _PAIRS, shortest, acov)
    for k in range(len(acov)):
        told = told and acov[k] != -inf
        acov[k] *= variance if there < n else 1.0 / (n - shortest - k)
    peak, period_s = _top(acov, shortest)
    periodicity = peak / variance if variance > 0.0 else nan
    if not accelerometer:
        return Evidence(told, sqrt(variance), periodicity, period_s, nan, nan)
    step_share = _step_share(x, n, mean, period_s)
    return Evidence(told, sqrt(variance), periodicity, period_s, step_share, _shaking_share(x, n))
