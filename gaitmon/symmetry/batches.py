"""Medians and their errors from batches of strides, as loops in machine code (ADR 19).

What they are, and why: gaitmon.symmetry.uncertainty.  Models: gaitmon.symmetry.persistence.
"""

from __future__ import annotations

import math

import numpy as np

from gaitmon.compiled import compiled, inner
from gaitmon.model import Floats
from gaitmon.symmetry.persistence import Models

_MODELS = "UniTuple(f8[:, ::1], 4)"


@compiled("f8[::1](f8[:], i8)")
def batch_means(x: Floats, n_batches: int) -> Floats:
    """Means of consecutive values: (n,) -> (n_batches,)."""
    n = len(x)
    out = np.empty(n_batches)
    for b in range(n_batches):
        begin, end = b * n // n_batches, (b + 1) * n // n_batches
        total = 0.0
        for i in range(begin, end):
            total += x[i]
        out[b] = total / (end - begin)
    return out


@compiled("f8(f8[::1], f8[:, ::1], f8[:, ::1], f8[::1])")
def error_of_powers(power: Floats, per_power: Floats, logs: Floats, expected: Floats) -> float:
    """Standard error of a mean from the powers (B - 1,) of its batch means; expected: (models,).

    The geometric mean of what the models say, weighted by how well they fit.
    """
    dof, n_models = per_power.shape
    log_scale = np.zeros(n_models)  # of the variance of one value, after the loops
    for c in range(dof):
        for m in range(n_models):
            log_scale[m] += per_power[c, m] * power[c]
    fit = np.empty(n_models)
    best = -math.inf
    for m in range(n_models):
        log_scale[m] = math.log(max(log_scale[m], 1e-300))
        fit[m] = expected[m] - 0.5 * (logs[0, m] + dof * log_scale[m])
        best = max(best, fit[m])
    total, weighted = 0.0, 0.0
    for m in range(n_models):
        weight = math.exp(fit[m] - best)
        total += weight
        weighted += weight * (log_scale[m] + logs[1, m])
    return math.exp(0.5 * weighted / total)


@inner
def _error_of_batches(means: Floats, models: Models, quantity: int) -> float:
    """Standard error of a mean of this quantity from its batch means (B,)."""
    cosines, per_power, logs, expected = models
    power = np.zeros(cosines.shape[1])
    for b in range(len(means)):
        for c in range(len(power)):
            power[c] += means[b] * cosines[b, c]
    for c in range(len(power)):
        power[c] *= power[c]
    return error_of_powers(power, per_power, logs, expected[quantity])


@compiled(f"f8[::1](f8[:, :], {_MODELS})")
def errors_of_batches(means: Floats, models: Models) -> Floats:
    """Standard errors (k,) of the means of k quantities from their batch means (B, k)."""
    out = np.empty(means.shape[1])
    for k in range(len(out)):
        out[k] = _error_of_batches(means[:, k], models, k)
    return out


@compiled(f"f8(f8[:], {_MODELS})")
def error_of_parts(parts: Floats, models: Models) -> float:
    """Standard error of a value, the only quantity, from each stride's part (n,) in it."""
    return _error_of_batches(batch_means(parts, len(models[0])), models, 0)


@compiled("Tuple((f8, f8, f8[::1]))(f8[::1])")
def of_median(x: Floats) -> tuple[float, float, Floats]:
    """Of x (n,), n >= 2: median; by how much its variance is larger than that of the mean of what follows;
    and how far each value is from it, (n,), what is beyond 3 robust SDs drawn in.

    Correlations of the signs, which a median averages, are those of normal values times 2 / pi as long as
    they are small, and so a median adds to a mean's variance what independent values would add.  Of few
    values the median is not much worse than the mean.
    """
    n = len(x)
    median = float(np.median(x))
    off = x - median
    reach = 3.0 * 1.4826 * np.median(np.abs(off))
    mean = 0.0
    for i in range(n):
        off[i] = min(max(off[i], -reach), reach)
        mean += off[i]
    mean /= n
    squares = 0.0
    for i in range(n):
        squares += (off[i] - mean) ** 2
    worse = max(0.5 * math.pi * n / (n + (0.57 if n % 2 else 1.3)) - 1.0, 0.0)  # of two it is the mean
    return median, squares / (n - 1) * worse / n, off


@inner
def _known(x: Floats) -> Floats:
    return x[np.isfinite(x)]


@compiled(f"void(f8[:, :], i8, {_MODELS}, f8[:, ::1])")
def medians(x: Floats, n: int, models: Models, out: Floats) -> None:
    """Median and its standard error, into out (k, 2), of those columns of x (rows, k) that have just n >= 2
    values."""
    for k in range(x.shape[1]):
        own = _known(x[:, k])
        if len(own) != n:
            continue
        median, worse, off = of_median(own)
        of_mean = _error_of_batches(batch_means(off, len(models[0])), models, k)
        out[k, 0], out[k, 1] = median, math.sqrt(of_mean**2 + worse)


@inner
def _of_side(x: Floats) -> tuple[float, float, Floats]:
    """As of_median, of few values too."""
    if len(x) < 2:
        return x[0] if len(x) else math.nan, math.nan, np.zeros(len(x))
    return of_median(x)


@inner
def _range_and_scatter(x: Floats, median_x: float, y: Floats, median_y: float) -> tuple[float, float]:
    """Range of zero and all values, and their SD about either side's median."""
    low, high, mean, squares = 0.0, 0.0, 0.0, 0.0
    n = len(x) + len(y)
    for own, median in ((x, median_x), (y, median_y)):
        for value in own:
            low, high = min(low, value), max(high, value)
            mean += (value - median) / n
    for own, median in ((x, median_x), (y, median_y)):
        for value in own:
            squares += (value - median - mean) ** 2
    return high - low, math.sqrt(squares / n)


@compiled(f"void(f8[:, :], f8[:, :], UniTuple(i8, 2), UniTuple({_MODELS}, 3), f8[:, ::1])")
def sides(
    left: Floats, right: Floats, n: tuple[int, int], models: tuple[Models, Models, Models], out: Floats
) -> None:
    """Both sides' medians and what is between them, of those columns of left (rows, k) and right (rows, k)
    that have just n values.  models: of left, of right, and of the side that has fewer.

    Into out (k, 8), NaN before: medians of left and right, their standard errors, those of ln(R/L) and R - L;
    range of zero and all values, and their SD about their side's median.
    """
    of_left, of_right, of_both = models
    for k in range(left.shape[1]):
        x, y = _known(left[:, k]), _known(right[:, k])
        if len(x) != n[0] or len(y) != n[1]:
            continue
        ml, wl, off_l = _of_side(x)
        mr, wr, off_r = _of_side(y)
        out[k, 0], out[k, 1] = ml, mr
        if n[0] >= 2:
            e = _error_of_batches(batch_means(off_l, len(of_left[0])), of_left, k)
            out[k, 2] = math.sqrt(e**2 + wl)
        if n[1] >= 2:
            e = _error_of_batches(batch_means(off_r, len(of_right[0])), of_right, k)
            out[k, 3] = math.sqrt(e**2 + wr)
        if min(n[0], n[1]) < 2:
            continue
        bl, br = batch_means(off_l, len(of_both[0])), batch_means(off_r, len(of_both[0]))
        e = _error_of_batches(br - bl, of_both, k)
        out[k, 5] = math.sqrt(e**2 + wl + wr)
        if ml != 0.0 and mr != 0.0:
            e = _error_of_batches(br / mr - bl / ml, of_both, k)
            out[k, 4] = math.sqrt(e**2 + wl / ml / ml + wr / mr / mr)
        out[k, 6], out[k, 7] = _range_and_scatter(x, ml, y, mr)


@compiled("f8(f8[::1], f8[:, ::1], f8)")
def distance_error(d: Floats, added: Floats, error: float) -> float:
    """Of a distance |d|, relative to it, where d (k,) is a mean of curves and errs with them.

    added: (k, B), what the strides' batches add to d.  error: standard error of their products with d.
    The square of a distance has the variance 4 d'Sd + 2 tr(SS), where d is the true difference and S its
    covariance; the seen d'Sd is too large by tr(SS).  A distance made of nothing but noise thus errs by less
    than its derivative says, which goes along whatever the noise happened to be.  NaN if either is 0.
    """
    n_batches = added.shape[1]
    own, gram = np.zeros(n_batches), np.zeros((n_batches, n_batches))
    square = 0.0
    for k in range(len(d)):
        off = added[k] - np.mean(added[k])
        square += d[k] * d[k]
        for b in range(n_batches):
            own[b] += d[k] * off[b]
            for other in range(n_batches):
                gram[b, other] += off[b] * off[other]
    seen, trace, of_square = 0.0, 0.0, 0.0
    for b in range(n_batches):
        seen += own[b] ** 2
        trace += gram[b, b]
        for other in range(n_batches):
            of_square += gram[b, other] ** 2
    if not (square > 0.0 and seen > 0.0):
        return math.nan
    dof = n_batches - 1
    wider = error**2 / seen  # from the batches' sums of squares to the covariance of the mean
    noise = max(of_square - trace**2 / dof, 0.0) * dof**2 / ((dof + 2) * max(dof - 1, 1)) * wider**2
    directed = max(error**2 - noise, 0.0)
    return math.sqrt(4.0 * directed + 2.0 * noise) / (2.0 * max(square, wider * trace))
