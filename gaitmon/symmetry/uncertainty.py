"""How sure a bout's value is: standard errors of correlated strides, and intervals from them.

Strides are not independent: a slow one follows a slow one, and both sides slow down together.  So each
value is written as a mean of contributions, one per stride (its influence function; for a median the
sign of the deviation), the strides are cut into a few batches in order of time, and the scatter of the
batches' means gives the error.  Left and right of the same batch are taken together first, so that what
both sides share cancels in a comparison as it does in the value.

Batch means of persistent series are themselves correlated.  For fractional Gaussian noise of Hurst
exponent H that is known exactly: of B batch means with sample variance s², the variance of their mean is
s² (B - 1) / B · B^(2H - 2) / (1 - B^(2H - 2)), which is s² / B for H = 0.5.  What the interval covers is the
value that an endless walk of the same person under the same conditions would have.

Batch means: Law & Carson 1979; influence functions: Hampel 1974.
"""

from __future__ import annotations

import math
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


def standard_error(means: Floats, persistence: float) -> Floats:
    """Of the mean of batch means (B, k), B >= 2: shape (k,)."""
    b = len(means)
    left = b ** (2.0 * persistence - 2.0)
    return np.asarray(means.std(axis=0, ddof=1) * math.sqrt((b - 1) / b * left / (1.0 - left)))


def median_influence(x: Floats, median: Floats) -> Floats:
    """What each row of x (n, k) contributes to the error of its column's median (k,).

    The density at the median is that of a normal distribution with the SD of the values, those beyond
    3 robust SDs drawn in.
    """
    off = x - median
    reach = 3.0 * 1.4826 * np.median(np.abs(off), axis=0)
    sd = np.clip(off, -reach, reach).std(axis=0, ddof=1)
    return np.asarray(np.sign(off) * (sd * math.sqrt(math.pi / 2.0)))


@cache
def freedom(n_batches: int, persistence: float) -> float:
    """Degrees of freedom of the sample variance of so many batch means (Satterthwaite)."""
    lag = np.abs(np.subtract.outer(np.arange(n_batches), np.arange(n_batches))).astype(float)
    h = 2.0 * persistence
    covariance = 0.5 * ((lag + 1.0) ** h - 2.0 * lag**h + np.abs(lag - 1.0) ** h)
    centred = covariance - covariance.mean(axis=0)
    centred -= centred.mean(axis=1, keepdims=True)
    return float(np.trace(centred) ** 2 / np.sum(centred * centred.T))


def n_of(m: MetricValue) -> int:
    """Strides that the error rests on: of the side that has fewer, or of the only one."""
    return min(m.n_left, m.n_right) or max(m.n_left, m.n_right)


def interval(m: MetricValue, level: float = 0.95) -> tuple[float, float] | None:
    """Confidence interval of a bout's value; None where value or standard error is not known."""
    from scipy.special import stdtrit  # noqa: PLC0415  # slow to import, and the pipeline needs none

    if m.value is None or m.standard_error is None:
        return None
    dof = freedom(batches(max(n_of(m), 2)), METRICS[m.metric].persistence)
    half = float(stdtrit(dof, 0.5 + 0.5 * level)) * m.standard_error
    return m.value - half, m.value + half
