"""Mean curves of strides, how alike two are and how they err, as loops in machine code (ADR 19).

What it is for: gaitmon.symmetry.likeness.  Curves over the cycle are cyclic: their last point is their first
and counts in no sum, P points are left.  Batches of strides stand along the last axis, (P, B).
"""

from __future__ import annotations

import math

import numpy as np

from gaitmon.compiled import compiled, inner
from gaitmon.model import Floats

MAX_LAG = 20  # percent of the cycle
Numbers = tuple[float, float, float, float, float, float]


@compiled("f8[::1](f8[:, ::1])")
def mean_curve(curves: Floats) -> Floats:
    """(n, P + 1) -> (P,)."""
    n, points = curves.shape[0], curves.shape[1] - 1
    out = np.zeros(points)
    for i in range(n):
        for p in range(points):
            out[p] += curves[i, p]
    for p in range(points):
        out[p] /= n
    return out


@compiled("f8[:, ::1](f8[:, ::1], f8[::1], i8)")
def batch_curves(curves: Floats, mean: Floats, n_batches: int) -> Floats:
    """What consecutive strides of (n, P + 1) add to their mean: (P, B)."""
    n, points = len(curves), len(mean)
    out = np.empty((points, n_batches))
    for b in range(n_batches):
        begin, end = b * n // n_batches, (b + 1) * n // n_batches
        total = np.zeros(points)
        for i in range(begin, end):
            for p in range(points):
                total[p] += curves[i, p]
        for p in range(points):
            out[p, b] = total[p] / (end - begin) - mean[p]
    return out


@compiled("f8[::1](f8[::1], f8[:, ::1])")
def along(d: Floats, added: Floats) -> Floats:
    """Products of d (P,) with the columns of (P, B): (B,)."""
    out = np.zeros(added.shape[1])
    for p in range(len(d)):
        for b in range(len(out)):
            out[b] += d[p] * added[p, b]
    return out


@inner
def _dot(x: Floats, y: Floats) -> float:
    total = 0.0
    for p in range(len(x)):
        total += x[p] * y[p]
    return total


@inner
def _slope(x: Floats) -> Floats:
    """Twice the derivative by the phase."""
    n = len(x)
    out = np.empty(n)
    for p in range(n):
        out[p] = x[(p + 1) % n] - x[p - 1]
    return out


@inner
def _lagged_products(x: Floats, y: Floats) -> Floats:
    """Of x with y, later by -MAX_LAG to MAX_LAG points."""
    points = len(x)
    later = np.empty(points + 2 * MAX_LAG)
    for p in range(len(later)):
        later[p] = y[(p - MAX_LAG) % points]
    product = np.zeros(2 * MAX_LAG + 1)
    for p in range(points):
        for k in range(len(product)):
            product[k] += x[p] * later[p + k]
    return product


@compiled("Tuple((UniTuple(f8, 6), f8[::1], f8[::1]))(f8[::1], f8[::1])")
def compare(left: Floats, right: Floats) -> tuple[Numbers, Floats, Floats]:
    """Of two mean curves (P,): correlation, lag, ratio of amplitudes and RMSD of
    gaitmon.symmetry.likeness.Likeness, the whole shift of the right one and the second derivative by it (NaN:
    the best is at an end); both curves about their means, the right one shifted."""
    x, y = left - np.mean(left), right - np.mean(right)
    product = _lagged_products(x, y)
    best = int(np.argmax(product))
    lag, turns, largest = math.nan, math.nan, product[best]
    if 0 < best < len(product) - 1:
        turns = product[best - 1] - 2.0 * product[best] + product[best + 1]
        if turns < 0.0:
            slope = 0.5 * (product[best + 1] - product[best - 1])
            lag = best - MAX_LAG - slope / turns
            largest -= 0.5 * slope**2 / turns  # between the shifts by whole per cents
    shifted = np.empty(len(y))
    squares = 0.0
    for p in range(len(y)):
        shifted[p] = y[(p + best - MAX_LAG) % len(y)]
        squares += (right[p] - left[p]) ** 2
    size = _dot(x, x)
    norms = math.sqrt(size) * math.sqrt(_dot(y, y))
    correlation, ratio = 0.0, 0.0
    if norms > 0.0:
        correlation, ratio = min(largest / norms, 1.0), largest / size
    return (correlation, lag, ratio, math.sqrt(squares / len(y)), float(best - MAX_LAG), turns), x, shifted


@inner
def _apart(x: Floats, y: Floats, of_x: Floats, of_y: Floats) -> tuple[Floats, Floats]:
    """What sets two curves (P,) apart when each has length 1, root of 2 (1 - correlation) long.

    of_x, of_y: (P, B), what strides add to them.  Returned beside: what they add to it.  A shift of the right
    curve is sought out by the lag and sets nothing apart.
    """
    d, added = np.zeros_like(x), np.zeros_like(of_x)
    size_x, size_y = math.sqrt(_dot(x, x)), math.sqrt(_dot(y, y))
    if not size_x * size_y > 0.0:
        return d, added
    u, v = x / size_x, y / size_y
    shift = _slope(v)
    steepest = math.sqrt(_dot(shift, shift))
    if steepest > 0.0:
        shift = shift / steepest
    longer_x, longer_y = along(u, of_x), along(v, of_y)
    for p in range(len(d)):
        for b in range(added.shape[1]):
            own_x, own_y = of_x[p, b] - longer_x[b] * u[p], of_y[p, b] - longer_y[b] * v[p]
            added[p, b] = own_x / size_x - own_y / size_y
    shifted, mean = along(shift, added), along(np.full(len(d), 1.0 / len(d)), added)
    for p in range(len(d)):
        for b in range(added.shape[1]):
            added[p, b] -= shifted[b] * shift[p] + mean[b]
    d = u - v
    return d - _dot(d, shift) * shift, added


@compiled(
    "Tuple((UniTuple(f8, 6), f8[:, ::1], f8[::1], f8[:, ::1], f8[::1], f8[:, ::1]))"
    "(f8[:, ::1], f8[:, ::1], i8)"
)
def compare_sides(
    left: Floats, right: Floats, n_batches: int
) -> tuple[Numbers, Floats, Floats, Floats, Floats, Floats]:
    """Of the sides' curves (n, P + 1): compare's numbers; what the batches add to correlation (in the measure
    of what lacks to 1), RMSD (times itself), lag and ratio of amplitudes, (4, B); and twice a distance (P,)
    with what the batches add to it, (P, B): of the curves made equally long, and as they are."""
    a, b = mean_curve(left), mean_curve(right)
    numbers, x, y = compare(a, b)
    of_a, of_b = batch_curves(left, a, n_batches), batch_curves(right, b, n_batches)
    shift = int(numbers[4])
    ahead = np.empty(of_b.shape)
    for p in range(len(b)):
        ahead[p] = of_b[(p + shift) % len(b)]
    unlike, of_unlike = _apart(x, y, of_a, ahead)
    off, of_off = b - a, of_b - of_a
    parts = np.full((4, n_batches), math.nan)
    parts[0], parts[1] = along(unlike, of_unlike), along(off, of_off)
    ratio, turns, size = numbers[2], numbers[5], _dot(x, x)
    if turns < 0.0:
        parts[2] = (along(_slope(x), ahead) - along(_slope(y), of_a)) / (2.0 * turns)
    if size > 0.0:
        parts[3] = (along(y - 2.0 * ratio * x, of_a) + along(x, ahead)) / size
    return numbers, parts, unlike, of_unlike, off, of_off


@compiled("void(f8[:, ::1], f8[::1], f8, f8[::1], f8[:, ::1])")
def off_norm(curves: Floats, usual: Floats, share: float, d: Floats, added: Floats) -> None:
    """How far the mean of curves (n, P + 1) is from a usual one, each about its own mean over the cycle, into
    d (P,), and what the batches add to that, into added (P, B); both times share."""
    mean = mean_curve(curves)
    points, n_batches = added.shape
    for p in range(points):
        d[p] = share * (mean[p] - usual[p])
    d -= np.mean(d)
    added[:] = batch_curves(curves, mean, n_batches)
    level = along(np.full(points, 1.0 / points), added)
    for p in range(points):
        for b in range(n_batches):
            added[p, b] = share * (added[p, b] - level[b])
