"""How alike steps and strides are, from the acceleration of the pelvis in its aligned frame.

Per stride: harmonic ratios.  Over the bout's straight strides: autocorrelation.  All strides of a bout are
done at once when it closes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaitmon.model import Floats
from gaitmon.symmetry.acceleration import HZ, Pieces
from gaitmon.symmetry.uncertainty import batches

AXES = ("ap", "ml", "v")  # in the order of the segment's axes: forward, left, up
HARMONICS = 20
_PHASES = 200  # twice the grid's, so that what interpolation mirrors lies beyond the harmonics
_ZHANG_HZ = 10.0  # what the gait symmetry index looks at lies below


Rows = NDArray[np.intp]
Spectrum = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class Harmonics:
    """Per stride and axis of AXES, shape (n, 3); NaN where a sample is missing."""

    hr: Floats
    ihr_pct: Floats


def harmonics(start_s: Floats, end_s: Floats, pelvis: Pieces) -> Harmonics:
    """Harmonic ratio (Bellanca 2013) and improved harmonic ratio (Pasciuto 2017) of each stride.

    Exact harmonics of the stride's own duration: it is read at 200 phases, and the attenuation of the
    linear interpolation, sinc², is undone.  Amplitudes in HR, their squares in iHR.
    """
    duration = HZ * (end_s - start_s)
    phase = np.arange(_PHASES) / _PHASES
    rows = pelvis.between(HZ * start_s[:, np.newaxis] + phase * duration[:, np.newaxis])
    k = np.arange(1, HARMONICS + 1)
    amplitude = np.abs(np.fft.rfft(rows, axis=1)[:, 1 : HARMONICS + 1], order="C")
    amplitude /= (np.sinc(k / duration[:, np.newaxis]) ** 2)[..., np.newaxis]
    odd, even = amplitude[:, 0::2].sum(axis=1), amplitude[:, 1::2].sum(axis=1)
    power_odd, power_even = (amplitude[:, i::2] ** 2 for i in (0, 1))
    power_odd, power_even = power_odd.sum(axis=1), power_even.sum(axis=1)
    sideways = np.array([axis == "ml" for axis in AXES])
    with np.errstate(invalid="ignore", divide="ignore"):
        hr = np.where(sideways, odd / even, even / odd)
        ihr = 100.0 * np.where(sideways, power_odd, power_even) / (power_odd + power_even)
    return Harmonics(hr, ihr)


@dataclass(frozen=True, slots=True, eq=False)
class Regularity:
    """Of a bout.  step, stride: per axis of AXES, (3,); step of ml is the size of its negative peak.

    *_parts: what each batch of the bout contributes to the value's error, (batches, ...).
    """

    step: Floats
    step_parts: Floats
    stride: Floats
    stride_parts: Floats
    symmetry_index: float
    symmetry_index_parts: Floats


def regularity(start_s: Floats, end_s: Floats, pelvis: Pieces, n: int) -> Regularity | None:
    """Step and stride regularity (Moe-Nilssen & Helbostad 2004), gait symmetry index (Zhang 2018).

    pelvis: of the same strides.  n: strides of the side that has fewer.  None if a sample is missing, or
    the bout is shorter than the lags.
    """
    x, known = _joined(start_s, end_s, pelvis)
    lag = HZ * float(np.median(end_s - start_s))
    span = int(1.5 * lag) + 2
    if np.isnan(x).any() or known.sum() < 2 * span:
        return None
    size = 1 << (len(x) + span - 1).bit_length()
    count = _autocorrelation(np.fft.rfft(known[:, np.newaxis], size, axis=0), span)
    spectrum = np.fft.rfft(x, size, axis=0)
    a = _autocorrelation(spectrum, span) / np.maximum(count, 1.0)
    a /= a[0]
    batch = _batch_edges(known, batches(n))
    step_at = [_peak(-a[:, i] if axis == "ml" else a[:, i], 0.5 * lag) for i, axis in enumerate(AXES)]
    stride_at = [_peak(a[:, i], lag) for i in range(3)]
    step, step_parts = _at(x, known, step_at, batch)
    stride, stride_parts = _at(x, known, stride_at, batch)
    sign = np.array([-1.0 if axis == "ml" else 1.0 for axis in AXES])
    below = np.fft.irfft(spectrum / (1.0 + (_frequency(size) / _ZHANG_HZ) ** 8), size, axis=0)[: len(x)]
    index, index_parts = _symmetry_index(np.where(known[:, np.newaxis], below, 0.0), known, lag, span, batch)
    return Regularity(sign * step, sign * step_parts, stride, stride_parts, index, index_parts)


def _joined(start_s: Floats, end_s: Floats, pelvis: Pieces) -> tuple[Floats, Floats]:
    """All strides on one time axis, mean removed, 0 where there is none: (n, 3); and where there is, (n,)."""
    begin = np.ceil(HZ * start_s).astype(int)
    end = np.ceil(HZ * end_s).astype(int)
    first = int(begin.min())
    x = np.zeros((int(end.max()) - first, 3))
    known = np.zeros(len(x))
    for a, b, at in zip(begin.tolist(), end.tolist(), pelvis.at.tolist(), strict=True):
        x[a - first : b - first] = pelvis.rows[a + at : b + at]
        known[a - first : b - first] = 1.0
    mean = x.sum(axis=0) / known.sum()
    return np.where(known[:, np.newaxis] > 0.0, x - mean, 0.0), known


def _frequency(size: int) -> Floats:
    return np.asarray(np.fft.rfftfreq(size, 1.0 / HZ)[:, np.newaxis], dtype=float)


def _autocorrelation(spectrum: Spectrum, lags: int) -> Floats:
    """Sums over all pairs at lags 0 .. lags - 1."""
    power = spectrum.real**2 + spectrum.imag**2
    return np.fft.irfft(power, axis=0)[:lags]


def _peak(a: Floats, lag: float) -> int:
    """The local maximum nearest this lag and within half of it; the lag itself where there is none."""
    low, high = int(0.5 * lag), min(int(1.5 * lag) + 1, len(a) - 1)
    middle = a[low:high]
    peaks = low + np.flatnonzero((a[low - 1 : high - 1] < middle) & (middle >= a[low + 1 : high + 1]))
    return int(peaks[np.argmin(np.abs(peaks - lag))]) if len(peaks) else round(lag)


def _batch_edges(known: Floats, n_batches: int) -> Rows:
    """First rows of batches with equally many known rows."""
    rows = np.flatnonzero(known)
    edges = rows[np.arange(n_batches) * len(rows) // n_batches]
    edges[0] = 0
    return np.asarray(edges)


def _at(x: Floats, known: Floats, lags: Sequence[int], batch: Rows) -> tuple[Floats, Floats]:
    """Unbiased autocorrelation of each column of x (n, k) at its own lag (k,), and the batches' parts."""
    square = x * x
    power = square.sum(axis=0) / known.sum()
    value = np.empty(len(lags))
    parts = np.empty((len(batch), len(lags)))
    for i, m in enumerate(lags):
        product, both = np.zeros(len(x)), np.zeros(len(x))
        product[: len(x) - m] = x[: len(x) - m, i] * x[m:, i]
        both[: len(x) - m] = square[: len(x) - m, i] * known[m:] + square[m:, i] * known[: len(x) - m]
        p, s = np.add.reduceat(product, batch), np.add.reduceat(both, batch)
        pairs = float((known[: len(x) - m] * known[m:]).sum())
        value[i] = p.sum() / pairs / power[i]
        # Held against the power of the same pairs: else what one stride is larger than the next would be in
        # its own part and, reversed, in the next one's.
        parts[:, i] = len(batch) * (p / pairs / power[i] - value[i] * s / s.sum())
    return value, parts


def _symmetry_index(x: Floats, known: Floats, lag: float, span: int, batch: Rows) -> tuple[float, Floats]:
    """x: below 10 Hz.  The stride's lag is where the sum over the axes has its peak."""
    size = 1 << (len(x) + span - 1).bit_length()
    a = _autocorrelation(np.fft.rfft(x, size, axis=0), span)
    half = int(0.5 * _peak((a / a[0]).sum(axis=1), lag))
    value, parts = _at(x, known, [half] * 3, batch)
    positive = value > 0.0
    index = float(np.sqrt(value[positive].sum() / 3.0))
    if index == 0.0:
        return 0.0, np.zeros(len(batch))
    return index, parts[:, positive].sum(axis=1) / (6.0 * index)
