"""Energy and gravity of windows, and where in them a walk begins and ends, from cells of half a second."""

from __future__ import annotations

from math import isnan, nan, sqrt
from typing import NamedTuple

import numpy as np

from gaitmon.compiled import compiled, inner
from gaitmon.model import Floats

_SUMS = 8  # columns of _cells
_WINDOW = 8  # fields of a Window


class Window(NamedTuple):
    """mean_square: about the window's mean, NaN where more than half of the cells are missing.
    lead, rest: cells at its beginning and end that are not part of a walk (gaitmon.gait.sequences.Verdict).
    Of the accelerations: up_x, up_y, up_z: which way is up in their mean, unit.  settled: cosine between the
    means of its halves, 0 where one is missing.  swings: lowest cosine between any two cells but the oldest:
    who has just risen walks.
    """

    mean_square: float
    lead: float
    rest: float
    up_x: float
    up_y: float
    up_z: float
    settled: float
    swings: float


@inner
def _cells(rows: Floats, first: int, tick: int) -> Floats:
    """Of each cell of tick rows: 1; mean acceleration (3), mean of columns first to first + 2 (3), and their
    mean square, of the samples that are known.  All 0 where more than half are missing."""
    out = np.zeros((len(rows) // tick, _SUMS))
    for i in range(len(out)):
        ax = ay = az = x = y = z = energy = known = 0.0
        for row in range(i * tick, (i + 1) * tick):
            u, v, w = rows[row, first], rows[row, first + 1], rows[row, first + 2]
            if isnan(u):
                continue
            known += 1.0
            ax += rows[row, 0]
            ay += rows[row, 1]
            az += rows[row, 2]
            x += u
            y += v
            z += w
            energy += u * u + v * v + w * w
        if known >= tick // 2:
            sums = (known, ax, ay, az, x, y, z, energy)
            for k in range(_SUMS):
                out[i, k] = sums[k] / known
    return out


@compiled("UniTuple(i8, 2)(f8[::1], f8, f8, i8)")
def edges(squares: Floats, share: float, least: float, pause: int) -> tuple[int, int]:
    """Cells at the beginning and at the end of a walking window that are not part of the walk.

    squares: mean squares of its cells, NaN where too little of one is known.  A cell moves above this share
    of the level in the livelier half of them, and above ``least`` at any rate (root mean squares).  A pause
    of more than ``pause`` cells cuts off what was before it.
    """
    known = np.sort(squares[~np.isnan(squares)])
    livelier = known[len(known) // 2 :]
    level = 0.0
    for square in livelier:
        level += square
    level = sqrt(max(level, 0.0) / max(len(livelier), 1))
    limit = max(share * level, least) ** 2
    lead, last = len(squares), -1
    for i in range(len(squares)):
        if squares[i] > limit:
            if last < 0 or i - last > pause:
                lead = i
            last = i
    return (lead, len(squares) - 1 - last) if last >= 0 else (0, len(squares))


@inner
def _cosine(a: Floats, b: Floats) -> float:
    """Of the angle between two vectors; 0 where one is 0."""
    product = (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]) * (b[0] * b[0] + b[1] * b[1] + b[2] * b[2])
    return (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / sqrt(product) if product > 0.0 else 0.0


@inner
def _swings(cells: Floats) -> float:
    """Lowest cosine between the gravity of any two of these cells."""
    lowest = 1.0
    for i in range(len(cells)):
        for k in range(i + 1, len(cells)):
            if cells[i, 0] and cells[k, 0]:
                lowest = min(lowest, _cosine(cells[i, 1:4], cells[k, 1:4]))
    return lowest


@compiled("f8[:, ::1](f8[:, ::1], i8, UniTuple(i8, 3), UniTuple(f8, 2))")
def windows(rows: Floats, first: int, sizes: tuple[int, int, int], moving: tuple[float, float]) -> Floats:
    """The fields of a Window of each window, one a cell.

    rows: acc (3) and gyr (3), low-passed, NaN where missing.  first: the first column of what is looked at.
    sizes: rows of a cell, cells of a window, and the pause of edges.  moving: share and least of edges.
    """
    tick, n, pause = sizes
    share, least = moving
    cells = _cells(rows, first, tick)
    squares = np.empty(len(cells))
    for i in range(len(cells)):
        x, y, z = cells[i, 4], cells[i, 5], cells[i, 6]
        squares[i] = cells[i, 7] - (x * x + y * y + z * z) if cells[i, 0] else nan
    out = np.empty((len(cells) - n + 1, _WINDOW))
    halves = np.empty((2, _SUMS))
    for i in range(len(out)):
        halves[:] = 0.0
        for k in range(n):
            for column in range(_SUMS):
                halves[2 * k // n, column] += cells[i + k, column]
        known = halves[0, 0] + halves[1, 0]
        out[i, 0] = nan
        if 2 * known >= n:
            x, y, z = halves[0, 4] + halves[1, 4], halves[0, 5] + halves[1, 5], halves[0, 6] + halves[1, 6]
            out[i, 0] = (halves[0, 7] + halves[1, 7]) / known - (x * x + y * y + z * z) / (known * known)
        out[i, 1], out[i, 2] = edges(squares[i : i + n], share, least, pause)
        ax, ay, az = halves[0, 1] + halves[1, 1], halves[0, 2] + halves[1, 2], halves[0, 3] + halves[1, 3]
        g = sqrt(ax * ax + ay * ay + az * az) or 1.0
        out[i, 3], out[i, 4], out[i, 5] = ax / g, ay / g, az / g
        out[i, 6] = _cosine(halves[0, 1:4], halves[1, 1:4])
        out[i, 7] = _swings(cells[i + 1 : i + n])
    return out


@compiled("b1(f8[:, :], i8, i8, i8, f8)")
def quiet(rows: Floats, first: int, tick: int, n: int, limit: float) -> bool:
    """Whether in every window of n cells of tick rows the mean square of columns first to first + 2 about
    their mean is less than this.  Not where samples are missing."""
    sums = np.zeros((len(rows) // tick, 4))
    for i in range(len(sums)):
        for row in range(i * tick, (i + 1) * tick):
            x, y, z = rows[row, first], rows[row, first + 1], rows[row, first + 2]
            sums[i, 0] += x
            sums[i, 1] += y
            sums[i, 2] += z
            sums[i, 3] += x * x + y * y + z * z
    samples = n * tick
    for i in range(len(sums) - n + 1):
        x = y = z = square = 0.0
        for k in range(i, i + n):
            x += sums[k, 0]
            y += sums[k, 1]
            z += sums[k, 2]
            square += sums[k, 3]
        if not square / samples - (x * x + y * y + z * z) / (samples * samples) < limit:
            return False
    return True
