"""How much less many strides say than as many independent ones would: models of persistence.

A model says how much of the variance persists, as fractional Gaussian noise of a Hurst exponent, the rest
being independent from stride to stride as the errors of single contacts are.  Which model holds is asked of
the bout's own strides, starting from what is expected of the kind of quantity.  Some forty strides say little
about it, and what is expected keeps most of its weight; some hundred say more.

The strides' batch means are taken apart into cosines, whose powers are nearly independent and whose expected
sizes every model knows (for n equal batches of an endless series exactly so).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from gaitmon.model import Floats

# The models: the part of the variance that persists, and its Hurst exponent.  0.75 are the stride times of
# healthy adults (Hausdorff 1995); some recorded walks have more, a walk with a trend about 0.9.
_SHARE = np.array([0.0, 0.05, 0.12, 0.22, 0.4, 0.65, 1.0, 1.0, 1.0, 1.0])
_HURST = np.array([0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.8, 0.86, 0.93])
SPREAD = 0.15  # SD of the Hurst exponent around the expected one, before the strides are asked


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """per_power: (models, B - 1), reciprocal of (B - 1) times the power that values of unit variance have at
    each cosine.  log_powers: (models,), sum of the powers' logarithms.  log_of_mean: (models,), of the
    variance of the mean of all."""

    per_power: Floats
    log_powers: Floats
    log_of_mean: Floats


@cache
def cosines(n: int) -> Floats:
    """(n - 1, n): orthonormal, all but the constant one (DCT-II)."""
    k, x = np.arange(1, n)[:, np.newaxis], np.arange(n) + 0.5
    return np.asarray(math.sqrt(2.0 / n) * np.cos(math.pi / n * k * x))


@cache
def models(n: int, n_batches: int) -> Models:
    """Of n values whose means are taken in so many batches."""
    of_sum = _of_sums(np.arange(n + 1, dtype=float))
    edges = np.arange(n_batches + 1) * n // n_batches
    apart = of_sum[:, np.abs(np.subtract.outer(edges, edges))]
    sums = 0.5 * (apart[:, :-1, 1:] + apart[:, 1:, :-1] - apart[:, :-1, :-1] - apart[:, 1:, 1:])
    covariance = sums / np.outer(np.diff(edges), np.diff(edges))
    power = ((cosines(n_batches) @ covariance) * cosines(n_batches)).sum(axis=2)
    return Models(1.0 / (power * (n_batches - 1)), np.log(power).sum(axis=1), np.log(of_sum[:, n] / n**2))


def exponents(n: int) -> Floats:
    """What Hurst exponent of all the variance would give a mean of n values the same error, by model."""
    return np.asarray(np.log(_of_sums(np.array([float(n)]))[:, 0]) / (2.0 * math.log(n)))


@cache
def expected(n: int, persistence: tuple[float, ...]) -> Floats:
    """Logarithm of how likely each model is beforehand, (models, k)."""
    h = exponents(n)
    off = (h[:, np.newaxis] - np.array(persistence)) / SPREAD
    return np.asarray(np.log(np.gradient(h))[:, np.newaxis] - 0.5 * off**2)


def error_of_mean(power: Floats, n: int, persistence: tuple[float, ...]) -> Floats:
    """Standard error of the mean of n values from the powers (B - 1, k) of their batch means: (k,).

    persistence: expected of each column, as a Hurst exponent.  The geometric mean of what the models say,
    weighted by how well they fit.
    """
    dof = len(power)
    m = models(n, dof + 1)
    log_scale = np.log(np.maximum(m.per_power @ power, 1e-300))  # (models, k), of the variance of one value
    fit = expected(n, persistence) - 0.5 * (m.log_powers[:, np.newaxis] + dof * log_scale)
    weight = np.exp(fit - fit.max(axis=0))
    log_variance = (weight * (log_scale + m.log_of_mean[:, np.newaxis])).sum(axis=0) / weight.sum(axis=0)
    return np.asarray(np.exp(0.5 * log_variance))


def _of_sums(m: Floats) -> Floats:
    """Variance of the sum of m values, (len(m),) -> (models, len(m))."""
    share, hurst = _SHARE[:, np.newaxis], _HURST[:, np.newaxis]
    return np.asarray((1.0 - share) * m + share * m ** (2.0 * hurst))
