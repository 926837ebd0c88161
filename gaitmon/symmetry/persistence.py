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
from functools import cache

import numpy as np

from gaitmon.model import Floats

# The models: the part of the variance that persists, and its Hurst exponent.  0.75 are the stride times of
# healthy adults (Hausdorff 1995); some recorded walks have more, a walk with a trend about 0.9.
_SHARE = np.array([0.0, 0.05, 0.12, 0.22, 0.4, 0.65, 1.0, 1.0, 1.0, 1.0])
_HURST = np.array([0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.8, 0.86, 0.93])
SPREAD = 0.15  # SD of the Hurst exponent around the expected one, before the strides are asked


# Of the mean of n values of k quantities in B batches, as gaitmon.symmetry.batches asks for it:
# cosines (B, B - 1), orthonormal columns, all but the constant one (DCT-II); reciprocals (B - 1, models) of
# (B - 1) times the power that values of unit variance have at each; logarithms (2, models) of the product of
# the powers, and of the variance of the mean of all; logarithm (k, models) of how likely each model is
# beforehand.
Models = tuple[Floats, Floats, Floats, Floats]


def _cosines(n: int) -> Floats:
    x, k = np.arange(n)[:, np.newaxis] + 0.5, np.arange(1, n)
    return np.asarray(math.sqrt(2.0 / n) * np.cos(math.pi / n * k * x))


@cache
def models(n: int, n_batches: int, persistence: tuple[float, ...]) -> Models:
    """Of n >= 2 values whose means are taken in so many batches, 2 to n.

    persistence: expected of each quantity, as a Hurst exponent.
    """
    cosines, per_power, logs = _powers(n, n_batches)
    h = exponents(n)
    off = (h - np.array(persistence)[:, np.newaxis]) / SPREAD
    return cosines, per_power, logs, np.log(np.gradient(h)) - 0.5 * off**2


@cache
def _powers(n: int, n_batches: int) -> tuple[Floats, Floats, Floats]:
    of_sum = _of_sums(np.arange(n + 1, dtype=float))
    edges = np.arange(n_batches + 1) * n // n_batches
    apart = of_sum[:, np.abs(np.subtract.outer(edges, edges))]
    sums = 0.5 * (apart[:, :-1, 1:] + apart[:, 1:, :-1] - apart[:, :-1, :-1] - apart[:, 1:, 1:])
    covariance = sums / np.outer(np.diff(edges), np.diff(edges))
    cosines = _cosines(n_batches)
    power = ((cosines.T @ covariance) * cosines.T).sum(axis=2).T
    logs = np.stack([np.log(power).sum(axis=0), np.log(of_sum[:, n] / n**2)])
    return cosines, np.ascontiguousarray(1.0 / (power * (n_batches - 1))), logs


def exponents(n: int) -> Floats:
    """What Hurst exponent of all the variance would give a mean of n values the same error, by model."""
    return np.asarray(np.log(_of_sums(np.array([float(n)]))[:, 0]) / (2.0 * math.log(n)))


def _of_sums(m: Floats) -> Floats:
    """Variance of the sum of m values, (len(m),) -> (models, len(m))."""
    share, hurst = _SHARE[:, np.newaxis], _HURST[:, np.newaxis]
    return np.asarray((1.0 - share) * m + share * m ** (2.0 * hurst))
