"""Energy and gravity of windows of 4 s, summed up from cells of half a second, each looked at once."""

from __future__ import annotations

from collections import deque
from math import isnan, nan, sqrt
from typing import NamedTuple

import numpy as np

from gaitmon.gait.sequences import CELLS, TICK
from gaitmon.model import Floats

Up = tuple[float, float, float]


# Of some cells of half a second of one sensor, without those of which more than half is missing: how many;
# sum of their mean accelerations; of the means of what is looked at, acceleration or angular rate; of its
# mean squares.
_Sum = tuple[int, float, float, float, float, float, float, float]
_MISSING: _Sum = (0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _plus(first: _Sum, second: _Sum) -> _Sum:
    n, ax, ay, az, x, y, z, energy = first
    m, bx, by, bz, u, v, w, more = second
    return n + m, ax + bx, ay + by, az + bz, x + u, y + v, z + w, energy + more


class Window(NamedTuple):
    """squares: of each cell the mean square about its mean, NaN where missing.  ups: which way is up in each
    that is there, unit; not the oldest: who has just risen walks.  early, late: its halves."""

    squares: tuple[float, ...]
    ups: tuple[Up, ...]
    early: _Sum
    late: _Sum

    def mean_square(self) -> float:
        """About the window's mean; NaN where more than half of the window is missing."""
        n, _, _, _, x, y, z, energy = _plus(self.early, self.late)
        return energy / n - (x * x + y * y + z * z) / (n * n) if 2 * n >= CELLS else nan

    def vertical(self) -> tuple[Up, float]:
        """Which way is up in the mean of the window, unit, and the cosine between the means of its halves; 0
        where one of them is missing."""
        _, ax, ay, az, *_ = self.early
        _, bx, by, bz, *_ = self.late
        product = sqrt((ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz))
        settled = (ax * bx + ay * by + az * bz) / product if product else 0.0
        return _unit(ax + bx, ay + by, az + bz), settled

    def swings_less(self, up: Up, least: float, half: float) -> bool:
        """Whether the cosine between any two cells' gravity is more than ``least``.  up: that of the window.
        half: the cosine of half the angle."""
        x, y, z = up
        seen = self.ups
        if min([x * a + y * b + z * c for a, b, c in seen]) > half:
            return True  # so they are from each other: most walking is settled here
        return all(
            a * x + b * y + c * z > least for i, (a, b, c) in enumerate(seen) for x, y, z in seen[i + 1 :]
        )


def _unit(x: float, y: float, z: float) -> Up:
    length = sqrt(x * x + y * y + z * z) or 1.0
    return x / length, y / length, z / length


Cell = tuple[float, _Sum]  # mean square about its mean, NaN where missing; itself


class Windows:
    """The latest cells of one sensor, and their sums: each half window is summed up once.  Stateful."""

    def __init__(self) -> None:
        self._squares: deque[float] = deque(maxlen=CELLS)
        self._ups: deque[Up | None] = deque(maxlen=CELLS - 1)
        self._last = _MISSING
        self._pairs: deque[_Sum] = deque([_MISSING] * 3, maxlen=3)
        self._halves: deque[_Sum] = deque([_MISSING] * 5, maxlen=5)

    def push(self, cell: Cell) -> Window:
        """The window that ends with this cell."""
        square, own = cell
        self._squares.append(square)
        self._ups.append(_unit(*own[1:4]) if own[0] else None)
        self._pairs.append(_plus(self._last, own))
        self._halves.append(_plus(self._pairs[0], self._pairs[2]))
        self._last = own
        ups = tuple([up for up in self._ups if up is not None])
        return Window(tuple(self._squares), ups, self._halves[0], self._halves[4])


def cells(rows: list[Floats], first: list[int]) -> list[list[Cell]]:
    """Per sensor its cells.  rows: of each sensor as many of SensorChain.smooth, whole cells.  first: the
    first column of what is looked at."""
    n = len(rows[0]) // TICK
    x = np.empty((2, TICK, len(rows), n, 6))  # signals and squares; samples of a cell first: that sums fast
    for k, each in enumerate(rows):
        x[0, :, k] = each.reshape(n, TICK, 6).swapaxes(0, 1)
    np.multiply(x[0], x[0], out=x[1])
    means, squares = (np.add.reduce(x, axis=1) / TICK).tolist()
    out = []
    for k, column in enumerate(first):
        for i in range(n):
            if isnan(means[k][i][column]):
                means[k][i], squares[k][i] = _of_known(x[0, :, k, i], column)
        out.append([_cell(m, q, column) for m, q in zip(means[k], squares[k], strict=True)])
    return out


def _of_known(rows: Floats, first: int) -> tuple[list[float], list[float]]:
    """Means and mean squares of a cell of which samples are missing; NaN where more than half are."""
    there = rows[np.isfinite(rows[:, first])]
    if not TICK > len(there) >= TICK // 2:
        return [nan] * 6, [nan] * 6
    return there.mean(axis=0).tolist(), (there * there).mean(axis=0).tolist()


def _cell(mean: list[float], square: list[float], first: int) -> Cell:
    x, y, z = mean[first : first + 3]
    if isnan(x):
        return nan, _MISSING
    energy = square[first] + square[first + 1] + square[first + 2]
    return energy - (x * x + y * y + z * z), (1, mean[0], mean[1], mean[2], x, y, z, energy)


class Stir(NamedTuple):
    """Of one cell of a raw signal: its mean, and the mean of its squares."""

    x: float
    y: float
    z: float
    square: float


def quiet(rows: Floats, limit: float, known: list[Stir]) -> list[Stir] | None:
    """Whether in every window of rows, shape (n, 3), the mean square about the mean is less than this; None
    where not, or where samples are missing.

    known: the first cells of rows, from before.  Returns those that the next rows will begin with.
    """
    new = rows[len(known) * TICK :].reshape(-1, TICK, 3)
    mean = np.add.reduce(new, axis=1) / TICK
    squares = np.add.reduce(new * new, axis=(1, 2)) / TICK
    seen = known + [Stir(x, y, z, q) for (x, y, z), q in zip(mean.tolist(), squares.tolist(), strict=True)]
    for i in range(len(seen) - CELLS + 1):
        x, y, z, square = [sum(each) / CELLS for each in zip(*seen[i : i + CELLS], strict=True)]
        if not square - (x * x + y * y + z * z) < limit:
            return None
    return seen[1 - CELLS :]
