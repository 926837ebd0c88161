"""How alike steps and strides are, from the acceleration of the pelvis in its aligned frame.

Per stride: harmonic ratios.  Over the bout's straight strides: autocorrelation.  All strides of a bout are
done at once when it closes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gaitmon.compiled import compiled, inner
from gaitmon.model import Floats
from gaitmon.symmetry.acceleration import HZ, Pieces
from gaitmon.symmetry.uncertainty import batches

AXES = ("ap", "ml", "v")  # in the order of the segment's axes: forward, left, up
_ML, _ALL, _OPPOSED = 1, 3, 4  # what autocorrelation is looked at besides that of an axis, 0 to 2
HARMONICS = 20
_PHASES = 200  # twice the grid's, so that what interpolation mirrors lies beyond the harmonics
_ZHANG_HZ = 10.0  # what the gait symmetry index looks at lies below


Rows = NDArray[np.int64]
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
    hr, ihr = np.empty((2, len(rows), len(AXES)))
    _ratios(np.fft.rfft(rows.transpose(0, 2, 1), axis=2), duration, hr, ihr)
    return Harmonics(hr, ihr)


@compiled("void(c16[:, :, ::1], f8[::1], f8[:, ::1], f8[:, ::1])")
def _ratios(spectrum: Spectrum, duration: Floats, hr: Floats, ihr_pct: Floats) -> None:
    """spectrum: (n, 3, harmonics from 0 on).  duration: (n,), grid samples.  hr, ihr_pct: (n, 3), written."""
    total, power = np.empty(2), np.empty(2)  # of even and of odd harmonics
    for stride in range(len(spectrum)):
        for axis in range(3):
            total[:] = power[:] = 0.0
            for k in range(1, HARMONICS + 1):
                z = spectrum[stride, axis, k]
                x = math.pi * k / duration[stride]
                amplitude = math.sqrt(z.real**2 + z.imag**2) / (math.sin(x) / x) ** 2
                total[k % 2] += amplitude
                power[k % 2] += amplitude**2
            own = 1 if axis == _ML else 0
            known = total[0] * total[1] > 0.0
            hr[stride, axis] = total[own] / total[1 - own] if known else math.nan
            known = power[0] + power[1] > 0.0
            ihr_pct[stride, axis] = 100.0 * power[own] / (power[0] + power[1]) if known else math.nan


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
    begin, end = (np.ceil(HZ * t).astype(int) for t in (start_s, end_s))
    x, known = _joined(begin, end, pelvis.rows, pelvis.at)
    lag = HZ * float(np.median(end_s - start_s))
    span = int(1.5 * lag) + 2
    if np.isnan(x).any() or known.sum() < 2 * span:
        return None
    size = 1 << (len(known) + span - 1).bit_length()
    below = np.fft.irfft(np.fft.rfft(x, size) * _low_pass(size), size)
    found = np.empty((9, 1 + batches(n)))
    _regularities(x, below, known, lag, found)
    value, parts = found[:, 0], found[:, 1:].T
    sign = np.array([-1.0 if axis == "ml" else 1.0 for axis in AXES])
    index, index_parts = _symmetry_index(value[6:], parts[:, 6:])
    return Regularity(
        sign * value[:3], sign * parts[:, :3], value[3:6], parts[:, 3:6], index, index_parts
    )  # fmt: skip


@cache
def _low_pass(size: int) -> Floats:
    """What is left of each frequency of a spectrum."""
    return np.asarray(1.0 / (1.0 + (np.fft.rfftfreq(size, 1.0 / HZ) / _ZHANG_HZ) ** 8), dtype=float)


def _symmetry_index(value: Floats, parts: Floats) -> tuple[float, Floats]:
    """From the regularity (3,) at half a stride's lag, below 10 Hz, and its parts (batches, 3)."""
    positive = value > 0.0
    index = float(np.sqrt(value[positive].sum() / 3.0))
    if index == 0.0:
        return 0.0, np.zeros(len(parts))
    return index, parts[:, positive].sum(axis=1) / (6.0 * index)


# ---- autocorrelation


@compiled("Tuple((f8[:, ::1], f8[::1]))(i8[::1], i8[::1], f8[:, :], i8[::1])")
def _joined(begin: Rows, end: Rows, rows: Floats, at: Rows) -> tuple[Floats, Floats]:
    """All strides on one time axis, mean removed, 0 where there is none: (3, n); and 1 where there is, (n,).

    begin, end: on the grid.  rows, at: of Pieces.
    """
    first, n = begin.min(), end.max() - begin.min()
    x, known = np.zeros((3, n)), np.zeros(n)
    for stride in range(len(begin)):
        for i in range(begin[stride], end[stride]):
            known[i - first] = 1.0
            for axis in range(3):
                x[axis, i - first] = rows[i + at[stride], axis]
    for axis in range(3):
        mean = np.sum(x[axis]) / np.sum(known)
        for i in range(n):
            x[axis, i] -= known[i] * mean
    return x, known


@inner
def _add_up(x: Floats, known: Floats, lag: int, sums: Floats) -> None:
    """Sums over all pairs of this lag and the next, of each axis and of how many there are, into sums
    (4, lags)."""
    a0, b0, c0, n0, a1, b1, c1, n1 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    last = len(known) - lag - 1
    for i in range(last):
        a, b, c, n = x[0, i], x[1, i], x[2, i], known[i]
        a0 += a * x[0, i + lag]
        b0 += b * x[1, i + lag]
        c0 += c * x[2, i + lag]
        n0 += n * known[i + lag]
        a1 += a * x[0, i + lag + 1]
        b1 += b * x[1, i + lag + 1]
        c1 += c * x[2, i + lag + 1]
        n1 += n * known[i + lag + 1]
    sums[0, lag] = a0 + x[0, last] * x[0, last + lag]
    sums[1, lag] = b0 + x[1, last] * x[1, last + lag]
    sums[2, lag] = c0 + x[2, last] * x[2, last + lag]
    sums[3, lag] = n0 + known[last] * known[last + lag]
    sums[0, lag + 1], sums[1, lag + 1], sums[2, lag + 1], sums[3, lag + 1] = a1, b1, c1, n1


@inner
def _height(x: Floats, known: Floats, what: int, lag: int, sums: Floats) -> float:
    """Mean product at this lag of an axis, or minus that of the sideways one; of all axes the sums relative
    to those at lag 0, which are there.  sums: NaN where they are not known yet."""
    if math.isnan(sums[3, lag]):
        _add_up(x, known, lag, sums)
    height = 0.0
    if what == _ALL:
        for axis in range(3):
            height += sums[axis, lag] / sums[axis, 0] if sums[axis, 0] > 0.0 else math.nan
    elif what == _OPPOSED:
        height = -sums[_ML, lag] / max(sums[3, lag], 1.0)
    else:
        height = sums[what, lag] / max(sums[3, lag], 1.0)
    return height


@inner
def _peak(x: Floats, known: Floats, what: int, lag: float, sums: Floats) -> int:
    """The local maximum nearest this lag and within half of it; the lag itself where there is none."""
    low, high = int(0.5 * lag), min(int(1.5 * lag) + 1, sums.shape[1] - 2)
    under = int(lag)
    for off in range(high - low + 1):
        near, far = under - off, under + 1 + off
        if lag - under > 0.5:
            near, far = far, near
        for m in (near, far):
            if low <= m < high:
                here = _height(x, known, what, m, sums)
                rises = _height(x, known, what, m - 1, sums) < here
                if rises and here >= _height(x, known, what, m + 1, sums):
                    return m
    return int(np.rint(lag))


@inner
def _batch_edges(known: Floats, n_batches: int) -> Rows:
    """First rows of batches with equally many known rows, and the end of the last."""
    edges = np.empty(n_batches + 1, dtype=np.int64)
    edges[0], edges[n_batches] = 0, len(known)
    total, seen, b = int(np.sum(known)), 0, 1
    for i in range(len(known)):
        if known[i] > 0.0:
            while b < n_batches and seen == b * total // n_batches:
                edges[b] = i
                b += 1
            seen += 1
    return edges


@inner
def _at(x: Floats, known: Floats, lag: int, edges: Rows, out: Floats) -> None:
    """Unbiased autocorrelation of x (n,) at a lag, and the batches' parts, into out (1 + batches,)."""
    n_batches = len(edges) - 1
    product, both = np.zeros(n_batches), np.zeros(n_batches)
    power, pairs, n = 0.0, 0.0, len(x)
    for b in range(n_batches):
        own, beside = 0.0, 0.0
        for i in range(edges[b], min(edges[b + 1], n - lag)):
            y = x[i + lag]
            own += x[i] * y
            beside += x[i] * x[i] * known[i + lag] + y * y * known[i]
            pairs += known[i] * known[i + lag]
        product[b], both[b] = own, beside
        for i in range(edges[b], edges[b + 1]):
            power += x[i] * x[i]
    power *= pairs / np.sum(known)
    out[:] = math.nan
    if power > 0.0:
        value = np.sum(product) / power
        out[0] = value
        # Held against the power of the same pairs: else what one stride is larger than the next would be in
        # its own part and, reversed, in the next one's.
        out[1:] = n_batches * (product / power - value * both / np.sum(both))


@compiled("void(f8[:, ::1], f8[:, ::1], f8[::1], f8, f8[:, ::1])")
def _regularities(x: Floats, below: Floats, known: Floats, lag: float, out: Floats) -> None:
    """Of the axes (3, n) by steps, by strides, and below 10 Hz by half a stride, whose lag is where the sum
    over the axes has its peak; with the batches' parts, into out (9, 1 + batches)."""
    edges = _batch_edges(known, out.shape[1] - 1)
    sums = np.full((4, int(1.5 * lag) + 3), math.nan)
    for axis in range(3):
        step = _peak(x, known, _OPPOSED if axis == _ML else axis, 0.5 * lag, sums)
        stride = _peak(x, known, axis, lag, sums)
        _at(x[axis], known, step, edges, out[axis])
        _at(x[axis], known, stride, edges, out[3 + axis])
    low = np.empty(x.shape)
    for axis in range(3):
        for i in range(len(known)):
            low[axis, i] = below[axis, i] * known[i]
    sums[:] = math.nan
    _add_up(low, known, 0, sums)
    half = _peak(low, known, _ALL, lag, sums) // 2
    for axis in range(3):
        _at(low[axis], known, half, edges, out[6 + axis])
