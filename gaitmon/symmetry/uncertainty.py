"""How sure a bout's value is: standard errors of correlated strides, and intervals from them.

Strides are not independent: a slow one follows a slow one, and both sides slow down together.  So each
value is written as a mean of contributions, one per stride (its influence function; for a median the
sign of the deviation), the strides are cut into a few batches in order of time, and the scatter of the
batches' means gives the error.  Left and right of the same batch are taken together first, so that what
both sides share cancels in a comparison as it does in the value.

Batch means of persistent series are themselves correlated, so their scatter says too little.  For
fractional Gaussian noise of Hurst exponent H, and for its signs, the covariance is known, and with it the
factor.  What the interval covers is the value that an endless walk of the same person under the same
conditions would have.

Batch means: Law & Carson 1979; influence functions: Hampel 1974.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from gaitmon.model import Floats, MetricValue
from gaitmon.symmetry.metrics import METRICS

FEWEST, MOST = 6, 12  # batches
PER_BATCH = 4  # strides, where there are enough


def batches(n: int) -> int:
    """Into how many batches n strides are cut."""
    return min(n, max(FEWEST, min(MOST, n // PER_BATCH)))


def batch_means(x: Floats, n_batches: int) -> Floats:
    """Means of consecutive rows: (n, k) -> (n_batches, k)."""
    edges = np.arange(n_batches + 1) * len(x) // n_batches
    sums = np.add.reduceat(x, edges[:-1], axis=0)
    return np.asarray(sums / np.diff(edges)[:, np.newaxis])


def standard_error(means: Floats, n: int, persistence: Sequence[float], *, signs: bool = False) -> Floats:
    """Of the mean of n values, from their batch means (B, k), B >= 2, n >= B: shape (k,).

    persistence: of each column.  signs: whether the values are signs of something as persistent as that
    (median_influence).
    """
    factor = [_persistent(n, len(means), h, signs=signs)[0] for h in persistence]
    return np.asarray(means.std(axis=0, ddof=1) * np.array(factor) / math.sqrt(len(means)))


def median_influence(x: Floats, median: Floats) -> Floats:
    """What each row of x (n, k) contributes to the error of its column's median (k,).

    The density at the median is that of a normal distribution with the SD of the values, those beyond
    3 robust SDs drawn in; the last factor is what a median of few normal values is better than of many.
    """
    off = x - median
    reach = 3.0 * 1.4826 * np.median(np.abs(off), axis=0)
    sd = np.clip(off, -reach, reach).std(axis=0, ddof=1)
    n = len(x)
    few = n / (n + (0.57 if n % 2 else 1.3))
    return np.asarray(np.sign(off) * (sd * math.sqrt(few * math.pi / 2.0)))


@cache
def _persistent(n: int, n_batches: int, persistence: float, *, signs: bool) -> tuple[float, float]:
    """How much larger than that of independent batch means the error of n values is, and the degrees of
    freedom of the batch means' sample variance (Satterthwaite)."""
    m = np.arange(n + 1, dtype=float)
    of_sum = m ** (2.0 * persistence)  # variance of the sum of m values
    if signs:  # the correlation of two normal values' signs is 2 asin(theirs) / pi
        correlation = np.arcsin(0.5 * (of_sum[2:] - 2.0 * of_sum[1:-1] + of_sum[:-2])) * 2.0 / math.pi
        of_sum[2:] = m[2:] + 2.0 * np.cumsum(np.cumsum(correlation))
    edges = np.arange(n_batches + 1) * n // n_batches
    apart = of_sum[np.abs(np.subtract.outer(edges, edges))]
    sums = 0.5 * (apart[:-1, 1:] + apart[1:, :-1] - apart[:-1, :-1] - apart[1:, 1:])
    covariance = sums / np.outer(np.diff(edges), np.diff(edges))
    centred = covariance - covariance.mean(axis=0)
    trace = float(np.trace(centred))
    expected = trace / (n_batches - 1) / n_batches
    factor = math.sqrt(float(of_sum[n]) / n**2 / expected)
    return factor, trace**2 / float(np.sum(centred * centred.T))


def freedom(n: int, persistence: float) -> float:
    """Degrees of freedom of a standard error from n strides."""
    return _persistent(n, batches(n), persistence, signs=False)[1]


def n_of(m: MetricValue) -> int:
    """Strides that the error rests on: of the side that has fewer, or of the only one."""
    return min(m.n_left, m.n_right) or max(m.n_left, m.n_right)


def interval(m: MetricValue, level: float = 0.95) -> tuple[float, float] | None:
    """Confidence interval of a bout's value; None where value or standard error is not known."""
    from scipy.special import stdtrit  # noqa: PLC0415  # slow to import, and the pipeline needs none

    if m.value is None or m.standard_error is None:
        return None
    d = METRICS[m.metric]
    half = float(stdtrit(freedom(max(n_of(m), 2), d.persistence), 0.5 + 0.5 * level)) * m.standard_error
    if d.logarithmic and m.value > 0.0:
        factor = math.exp(half / m.value)
        return m.value / factor, m.value * factor
    if d.correlation and abs(m.value) < 1.0:
        z, half = math.atanh(m.value), half / (1.0 - m.value**2)
        return math.tanh(z - half), math.tanh(z + half)
    return m.value - half, m.value + half
