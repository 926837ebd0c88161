"""How sure a bout's value is: standard errors of correlated strides, and intervals from them.

Strides are not independent: a slow one follows a slow one, and both sides slow down together.  So each
value is written as a mean of contributions, one per stride (its influence function), which are averaged in
batches in order of time.  Left and right of the same batch are taken together first, so that what both sides
share cancels in a comparison as it does in the value.  How much the strides of this bout hang together is
asked of the batch means (gaitmon.symmetry.persistence).  What the interval covers is the value that an
endless walk of the same person under the same conditions would have; of a distance, which noise makes
larger, the value that such bouts have on average.

Influence functions: Hampel 1974.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from gaitmon.model import Floats, MetricValue
from gaitmon.symmetry.batches import error_of_powers, errors_of_batches
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.persistence import exponents, models

FEWEST, MOST = 12, 32  # batches
PER_BATCH = 2  # strides of either side, where there are enough
WITHIN = 0.03  # SD of the Hurst exponents of quantities of one kind
LEAST = 0.1  # the upper end of a distance is at most some 30 times as far
UNEVEN = 1.25  # longer arm of an interval to the shorter, from which on both ends are told
NORMAL = 1.96
_DRAWS = 500


def batches(n: int, sides: int = 1) -> int:
    """Into how many batches n strides are cut; of both sides: a pair in each at least."""
    of_side = n // sides
    return max(min(of_side, max(FEWEST, min(MOST, of_side // PER_BATCH))), min(n, 2))


def standard_error(means: Floats, n: int, persistence: Sequence[float]) -> Floats:
    """Of the mean of n values, from their batch means (B, k), B >= 2, n >= B: shape (k,).

    persistence: of each column, as expected.
    """
    return errors_of_batches(means, models(n, len(means), tuple(persistence)))


@cache
def factor(n: int, persistence: float, level: float = 0.95) -> float:
    """How many standard errors from n strides an interval of this level reaches to either side.

    What the quantile of Student's t is for a standard deviation, for an error worked out as these are: so
    many that of quantities that persist about as expected this share is covered.  From draws of the powers.
    """
    from scipy.special import ndtr, ndtri  # noqa: PLC0415  # slow to import, and the pipeline needs none

    _, per_power, logs, expected = models(n, batches(n), (persistence,))
    h = exponents(n)
    each = ndtri((np.arange(_DRAWS) + 0.5) / _DRAWS)
    true = (persistence + WITHIN * each).clip(h[0], h[-1])
    log_power = -np.log(per_power * len(per_power))
    chi_square = np.random.default_rng(1).standard_normal((len(log_power), _DRAWS)) ** 2
    power = np.exp([np.interp(true, h, of_cosine) for of_cosine in log_power]) * chi_square
    error = [error_of_powers(p, per_power, logs, expected[0]) for p in np.ascontiguousarray(power.T)]
    drawn = error / np.exp(0.5 * np.interp(true, h, logs[1]))
    low, high = 0.0, 100.0
    while high - low > 1e-4:
        middle = 0.5 * (low + high)
        enough = float(ndtr(middle * drawn).mean()) >= 0.5 + 0.5 * level
        low, high = (low, middle) if enough else (middle, high)
    return high


def n_of(m: MetricValue) -> int:
    """Strides that the error rests on: of the side that has fewer, or of the only one."""
    return min(m.n_left, m.n_right) or max(m.n_left, m.n_right)


def interval(m: MetricValue, level: float = 0.95) -> tuple[float, float] | None:
    """Confidence interval of a bout's value; None where value or standard error is not known."""
    return interval_of(m.metric, m.value, m.standard_error, n_of(m), level)


def interval_of(
    metric: str, value: float | None, error: float | None, n: int, level: float = 0.95
) -> tuple[float, float] | None:
    """As interval, from the standard error of a value that rests on n strides of a side; a metric that is not
    known here has the interval of a normal value."""
    if value is None or error is None:
        return None
    d = METRICS.get(metric)
    if d is None:
        return value - NORMAL * error, value + NORMAL * error
    half = factor(max(n, 2), d.persistence, level) * error
    if d.logarithmic and value > 0.0:
        times = math.exp(half / value)
        return value / times, value * times
    if d.distance and value > 0.0:
        nearer, further = _distances(half / value)
        return nearer * value, further * value
    if d.correlation and abs(value) < 1.0:
        apart = (1.0 - value) / (1.0 + value)  # square of a distance
        ends = (apart * times**2 for times in reversed(_distances(half / (1.0 - value**2))))
        low, high = ((1.0 - x) / (1.0 + x) for x in ends)
        return low, high
    return value - half, value + half


def half_width(value: float, limits: tuple[float, float]) -> float | None:
    """What to tell after a ±: half of an interval, None if its arms differ too much for that."""
    below, above = value - limits[0], limits[1] - value
    return 0.5 * (below + above) if max(below, above) <= UNEVEN * min(below, above) else None


def _distances(half: float) -> tuple[float, float]:
    """Ends of the interval of a distance, both relative to it.

    One made of noise is distributed as the root of a sum of squares, whose power 2/3 is nearly normal with an
    SD in proportion to its mean (Wilson & Hilferty 1931): a small one may be far too small, a large one is
    never far too large.  One that is large against its error has nearly equal arms all the same.
    """
    third = 2.0 / 3.0 * half
    return (1.0 + third) ** -1.5, max(1.0 - third, LEAST) ** -1.5
