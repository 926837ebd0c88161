"""From a sensor's own time stamps to the common 100 Hz grid; gaps stay gaps.

Between samples the signal is a cubic through the four nearest ones (Catmull-Rom on uneven time
stamps), which keeps a 60 Hz sensor's contact transients in place where straight lines would shave
them.  Sensors of more than 150 Hz are averaged into 10 ms cells first, against aliasing.  Two samples
further apart than ``max_gap_s`` are a gap: the grid points between them are missing, never filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np

from gaitmon.model import Floats, ImuBlock

GRID_HZ = 100.0
_ON_GRID_S = 1e-7  # time stamps this near to the grid are on it: no interpolation, bit for bit


class GridRun(NamedTuple):
    """Consecutive grid samples of one sensor without a hole.

    first: grid index of row 0; its time is ``first / GRID_HZ``.
    signals: shape (n, 6), or (n, 3) without a gyroscope: acc in m/s², gyr in rad/s, sensor frame.
    starts: True when the sample before ``first`` is missing.
    """

    first: int
    signals: Floats
    starts: bool

    @property
    def end(self) -> int:
        return self.first + len(self.signals)


class Resampler:
    """Stateful: holds the last samples whose interval cannot be closed yet."""

    def __init__(self, max_gap_s: float = 0.07) -> None:
        self._max_gap_s = max_gap_s
        self._t: Floats = np.empty(0)
        self._x: Floats = np.empty((0, 0))
        self._next: int | None = None  # next grid index to emit within the current run
        self._reached = False  # whether everything up to the newest sample was emitted
        self._oversampled: bool | None = None  # decided once per run, from its first samples
        self.dropped_bad = 0
        self.dropped_late = 0

    def push(self, *blocks: ImuBlock) -> list[GridRun]:
        """Grid runs that the new samples complete, of one block or more.  Samples that are not finite, or
        not later than the one before, are dropped and counted."""
        t, x = _samples(blocks)
        if (run := self._already_on_grid(t, x)) is not None:
            return [run]
        t, x = self._clean(t, x)
        if len(t) == 0:
            return []
        self._reached = False
        known = len(self._t)
        t = np.concatenate([self._t, t])
        x = np.vstack([self._x, x]) if known else x
        cuts = np.flatnonzero(np.diff(t) > self._max_gap_s) + 1
        if len(cuts) == 0:
            return self._advance(t, x, final=False)
        out: list[GridRun] = []
        for a, b in zip([0, *cuts], [*cuts, len(t)], strict=True):
            out += self._advance(t[a:b], x[a:b], final=b < len(t))
        return out

    def _already_on_grid(self, t: Floats, x: Floats) -> GridRun | None:
        """The samples themselves, where they are 100 Hz on the grid, complete, and continue the run.

        A shortcut, not another rule: the general way gives the same rows, some calls later.
        """
        n = len(t)
        if n < 20 or self._oversampled:
            return None
        if not isfinite(np.add.reduce(x, axis=None)) or not isfinite(t[0]):
            return None
        k = t * GRID_HZ
        first = round(k.item(0))
        beside = k - np.arange(first, first + n)
        if not beside.dot(beside) <= (_ON_GRID_S * GRID_HZ / 2) ** 2:  # then none of them is further off
            return None
        starts = self._next is None
        if (len(self._t) != 0 or not starts) and (starts or first != self._next or not self._reached):
            return None
        self._t, self._x = t[-2:], x[-2:]
        self._next, self._oversampled, self._reached = first + n, False, True
        return GridRun(first, x, starts)

    def flush(self) -> list[GridRun]:
        """What is held back, as the end of a run."""
        return self._advance(self._t, self._x, final=True) if len(self._t) else []

    def _clean(self, t: Floats, x: Floats) -> tuple[Floats, Floats]:
        good = np.isfinite(t) & np.isfinite(x).all(axis=1)
        if not good.all():
            self.dropped_bad += int(len(t) - good.sum())
            t, x = t[good], x[good]
        if len(t) == 0:
            return t, x
        last = self._t[-1] if len(self._t) else -np.inf
        newest = np.maximum.accumulate(np.concatenate([[last], t]))[:-1]
        later = t > newest
        if not later.all():
            self.dropped_late += int(len(t) - later.sum())
            t, x = t[later], x[later]
        return t, x

    def _advance(self, t: Floats, x: Floats, *, final: bool) -> list[GridRun]:
        """Emit what this stretch without gaps allows; keep the rest, or nothing when it is final."""
        keep_from, run = self._emit(t, x, final=final)
        if final:
            self._t, self._x = np.empty(0), np.empty((0, 0))
            self._next, self._oversampled, self._reached = None, None, False
        else:
            self._t, self._x = t[keep_from:], x[keep_from:]
        return [run] if run is not None else []

    def _emit(self, t: Floats, x: Floats, *, final: bool) -> tuple[int, GridRun | None]:
        if self._oversampled is None:
            if len(t) < 20 and not final:
                return 0, None
            self._oversampled = len(t) > 2 and float(np.median(np.diff(t[:20]))) < 1.0 / 150.0
        if self._oversampled:
            return self._emit_cells(t, x, final=final)
        return self._interpolate(t, x, final=final)

    def _emit_cells(self, t: Floats, x: Floats, *, final: bool) -> tuple[int, GridRun | None]:
        """Average into grid cells, then interpolate the cell means at the grid points."""
        cell = np.floor(t * GRID_HZ + 0.5).astype(np.int64)
        starts = np.concatenate([[0], np.flatnonzero(np.diff(cell)) + 1])
        counts = np.diff(np.concatenate([starts, [len(t)]]))[:, np.newaxis]
        mean_t = np.add.reduceat(t, starts) / counts[:, 0]
        mean_x = np.add.reduceat(x, starts, axis=0) / counts
        closed = len(starts) if final else len(starts) - 1
        keep, run = self._interpolate(mean_t[:closed], mean_x[:closed], final=final)
        return int(starts[keep]) if keep < len(starts) else len(t), run

    def _interpolate(self, t: Floats, x: Floats, *, final: bool) -> tuple[int, GridRun | None]:
        """Grid samples in the intervals that have a neighbour on both sides (all, when final).

        Returns the first row that is still needed, and the run.
        """
        n = len(t)
        if n == 0:
            return 0, None
        starts = self._next is None
        first = int(np.ceil(t[0] * GRID_HZ - _ON_GRID_S * GRID_HZ)) if self._next is None else self._next
        if n < 3 and not final:
            return 0, None
        limit_s = t[-1] if final else t[-2]
        last = int(np.floor(limit_s * GRID_HZ + _ON_GRID_S * GRID_HZ))
        if last < first:
            return 0, None
        k = np.arange(first, last + 1)
        values = _sample_at(k / GRID_HZ, t, x)
        self._next = last + 1
        keep = int(np.searchsorted(t, (last + 1) / GRID_HZ - _ON_GRID_S, side="left")) - 2
        return max(keep, 0), GridRun(first, values, starts)


def _samples(blocks: Sequence[ImuBlock]) -> tuple[Floats, Floats]:
    """Times, and signals as in GridRun, of consecutive blocks."""
    t = blocks[0].t_s if len(blocks) == 1 else np.concatenate([b.t_s for b in blocks])
    x = np.empty((len(t), 3 if blocks[0].gyr_rad_s is None else 6))
    at = 0
    for b in blocks:
        rows = x[at : at + len(b.t_s)]
        rows[:, :3] = b.acc_m_s2
        if b.gyr_rad_s is not None:
            rows[:, 3:] = b.gyr_rad_s
        at += len(rows)
    return t, x


def _sample_at(at_s: Floats, t: Floats, x: Floats) -> Floats:
    """Cubic Hermite values of x at times within [t[0], t[-1]]; samples on the grid pass unchanged."""
    j = np.clip(np.searchsorted(t, at_s, side="right") - 1, 0, max(len(t) - 2, 0))
    near = np.where(np.abs(t[np.minimum(j + 1, len(t) - 1)] - at_s) < _ON_GRID_S, j + 1, j)
    near = np.minimum(near, len(t) - 1)
    exact = np.abs(t[near] - at_s) < _ON_GRID_S
    if exact.all():
        return x[near]
    dt = np.diff(t)[:, np.newaxis]
    slope = np.diff(x, axis=0) / dt
    tangent = np.empty_like(x)
    tangent[0], tangent[-1] = slope[0], slope[-1]
    tangent[1:-1] = (slope[:-1] * dt[1:] + slope[1:] * dt[:-1]) / (dt[:-1] + dt[1:])
    h = dt[j]
    s = ((at_s - t[j]) / h[:, 0])[:, np.newaxis]
    s2, s3 = s * s, s * s * s
    y = (
        (2 * s3 - 3 * s2 + 1) * x[j]
        + (s3 - 2 * s2 + s) * h * tangent[j]
        + (3 * s2 - 2 * s3) * x[j + 1]
        + (s3 - s2) * h * tangent[j + 1]
    )
    return np.where(exact[:, np.newaxis], x[near], y)
