"""From a sensor's own time stamps to the common 100 Hz grid; gaps stay gaps.

Between samples the signal is a cubic through the four nearest ones (Catmull-Rom on uneven time
stamps), which keeps a 60 Hz sensor's contact transients in place where straight lines would shave
them.  Sensors of more than 150 Hz are averaged into 10 ms cells first, against aliasing.  Two samples
further apart than ``max_gap_s`` are a gap: the grid points between them are missing, never filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, inf, isfinite
from typing import NamedTuple

import numpy as np

from gaitmon.compiled import compiled, inner
from gaitmon.model import Floats, ImuBlock

GRID_HZ = 100.0
_ON_GRID_S = 1e-7  # time stamps this near to the grid are on it: no interpolation, bit for bit
_NEAR = _ON_GRID_S * GRID_HZ  # the same in steps of the grid
_ENOUGH = 20  # samples that tell the rate


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
        self._oversampled: bool | None = None  # decided once per run, from its first samples
        self.dropped_bad = 0
        self.dropped_late = 0

    def push(self, *blocks: ImuBlock) -> list[GridRun]:
        """Grid runs that the new samples complete, of one block or more.  Samples that are not finite, or
        not later than the one before, are dropped and counted."""
        if (run := self._already_on_grid(blocks)) is not None:
            return [run]
        t, acc, gyr = _arrays(ImuBlock.joined(blocks))
        known = len(self._t)
        t, x = self._joined(t, acc, gyr)
        if len(t) == known:
            return []
        cuts = np.flatnonzero(np.diff(t) > self._max_gap_s) + 1
        if len(cuts) == 0:
            return self._advance(t, x, final=False)
        out: list[GridRun] = []
        for a, b in zip([0, *cuts], [*cuts, len(t)], strict=True):
            out += self._advance(t[a:b], x[a:b], final=b < len(t))
        return out

    def _already_on_grid(self, blocks: Sequence[ImuBlock]) -> GridRun | None:
        """The samples themselves, where they are 100 Hz on the grid, complete, and continue the run.

        A shortcut, not another rule: the general way gives the same rows.
        """
        due, last, n = self._next, blocks[-1].t_s, sum([len(b.t_s) for b in blocks])
        if self._oversampled or len(last) < 2 or (self._oversampled is None and n < _ENOUGH):
            return None
        if due is None and len(self._t):
            return None
        x = np.empty((n, 3 if blocks[0].gyr_rad_s is None else 6))
        at, first = 0, 0 if due is None else due
        for block in blocks:
            t, acc, gyr = _arrays(block)
            begins = _take_on_grid(t, acc, gyr, x, at)
            if at == 0 and due is None and isfinite(begins):
                first = int(begins)
            if begins != first + at:
                return None
            at += len(t)
        if due is not None and not blocks[0].t_s.item(0) > self._t.item(-1):
            return None
        self._t, self._x = last[-2:], x[-2:]
        self._next, self._oversampled = first + n, False
        return GridRun(first, x, due is None)

    def flush(self) -> list[GridRun]:
        """What is held back, as the end of a run."""
        return self._advance(self._t, self._x, final=True) if len(self._t) else []

    def _joined(self, t: Floats, acc: Floats, gyr: Floats) -> tuple[Floats, Floats]:
        """The samples held, and the new ones that are good."""
        known, n = len(self._t), len(self._t) + len(t)
        if acc.shape != (len(t), 3) or gyr.shape not in ((len(t), 0), (len(t), 3)):
            raise ValueError(f"{len(t)} time stamps, but acc is {acc.shape} and gyr {gyr.shape}")
        times, x = np.empty(n), np.empty((n, 3 + gyr.shape[1]))
        if known:
            times[:known], x[:known] = self._t, self._x
        good, bad = _take_good(t, acc, gyr, times, x)
        self.dropped_bad += bad
        self.dropped_late += n - good - bad
        return times[:good], x[:good]

    def _advance(self, t: Floats, x: Floats, *, final: bool) -> list[GridRun]:
        """Emit what this stretch without gaps allows; keep the rest, or nothing when it is final."""
        keep_from, run = self._emit(t, x, final=final)
        if final:
            self._t, self._x = np.empty(0), np.empty((0, 0))
            self._next, self._oversampled = None, None
        else:
            self._t, self._x = t[keep_from:], x[keep_from:]
        return [run] if run is not None else []

    def _emit(self, t: Floats, x: Floats, *, final: bool) -> tuple[int, GridRun | None]:
        if self._oversampled is None:
            if len(t) < _ENOUGH and not final:
                return 0, None
            self._oversampled = len(t) > 2 and float(np.median(np.diff(t[:_ENOUGH]))) < 1.0 / 150.0
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
        """Grid samples in the intervals that have a neighbour on both sides (all, when final), and the last
        sample itself where it is the grid's next.

        Returns the first row that is still needed, and the run.
        """
        n = len(t)
        if n == 0 or (n < 3 and not final):
            return 0, None
        first = ceil(t.item(0) * GRID_HZ - _NEAR) if self._next is None else self._next
        newest = t.item(-1) * GRID_HZ
        last = floor((newest if final else t.item(-2) * GRID_HZ) + _NEAR)
        if abs(newest - (last + 1)) <= _NEAR / 2:
            last += 1
        if last < first:
            return 0, None
        values = np.empty((last + 1 - first, x.shape[1]))
        _sample_at_grid(first, t, x, values)
        run = GridRun(first, values, self._next is None)
        self._next = last + 1
        keep = int(np.searchsorted(t, (last + 1) / GRID_HZ - _ON_GRID_S, side="left")) - 2
        return max(keep, 0), run


def _arrays(block: ImuBlock) -> tuple[Floats, Floats, Floats]:
    """Times, acc and gyr; a gyr of no columns where there is none."""
    acc = np.asarray(block.acc_m_s2, np.float64)
    gyr = acc[:, :0] if block.gyr_rad_s is None else np.asarray(block.gyr_rad_s, np.float64)
    return np.asarray(block.t_s, np.float64), acc, gyr


# Blocks come from anywhere: their arrays may be read-only, strided and unaligned.
_TIMES = "Array(f8, 1, 'A', True, aligned=False)"
_ROWS = "Array(f8, 2, 'A', True, aligned=False)"


@inner
def _taken(values: Floats, columns: Floats) -> bool:
    """Copies values to columns of as many rows; whether all are finite."""
    finite = True
    for i in range(len(values)):
        for axis in range(values.shape[1]):
            columns[i, axis] = values[i, axis]
            finite &= isfinite(values[i, axis])
    return finite


@compiled(f"f8({_TIMES}, {_ROWS}, {_ROWS}, f8[:, ::1], i8)")
def _take_on_grid(t_s: Floats, acc: Floats, gyr: Floats, x: Floats, at: int) -> float:
    """Copies samples to the rows of x from ``at`` on.  The grid index of the first, or NaN where there is
    none, one is not finite, they do not follow each other on the grid, or x has no room for them."""
    n = len(t_s)
    fits = len(acc) == n and len(gyr) == n and acc.shape[1] == 3 and 3 + gyr.shape[1] == x.shape[1]
    if n == 0 or at + n > len(x) or not fits:
        return np.nan
    first = np.rint(t_s[0] * GRID_HZ)
    good = True
    for i in range(n):
        good &= abs(t_s[i] * GRID_HZ - (first + i)) <= _NEAR / 2
    good &= _taken(acc, x[at : at + n, :3])
    good &= _taken(gyr, x[at : at + n, 3:])
    return float(first) if good else np.nan


@compiled(f"UniTuple(i8, 2)({_TIMES}, {_ROWS}, {_ROWS}, f8[::1], f8[:, ::1])")
def _take_good(t_s: Floats, acc: Floats, gyr: Floats, times: Floats, x: Floats) -> tuple[int, int]:
    """Copies samples to times and x, behind the rows there are: those for which these have no room beside
    them.  Leaves out what is not finite, or not later than the sample before.

    Gives how many rows there are then, and how many were not finite.
    """
    good, bad = len(times) - len(t_s), 0
    newest = times[good - 1] if good else -inf
    for i in range(len(t_s)):
        row = x[good : good + 1]
        finite = _taken(acc[i : i + 1], row[:, :3]) & _taken(gyr[i : i + 1], row[:, 3:])
        if not (finite and isfinite(t_s[i])):
            bad += 1
        elif t_s[i] > newest:
            times[good] = newest = t_s[i]
            good += 1
    return good, bad


@inner
def _tangent(t: Floats, x: Floats, j: int, channel: int) -> float:
    """Of the cubic at sample j: the slopes on either side of it, the nearer sample's weighs more."""
    before, after = max(j - 1, 0), min(j + 1, len(t) - 1)
    if j in (before, after):
        return float((x[after, channel] - x[before, channel]) / (t[after] - t[before]))
    dt_before, dt_after = t[j] - t[before], t[after] - t[j]
    slope_before = (x[j, channel] - x[before, channel]) / dt_before
    slope_after = (x[after, channel] - x[j, channel]) / dt_after
    return float((slope_before * dt_after + slope_after * dt_before) / (dt_before + dt_after))


@compiled("void(i8, f8[:], f8[:, :], f8[:, ::1])")
def _sample_at_grid(first: int, t: Floats, x: Floats, out: Floats) -> None:
    """Cubic Hermite values of x at grid indices first, first + 1, ..., all within [t[0], t[-1]]; samples on
    the grid pass unchanged."""
    j, newest = 0, len(t) - 1
    for i in range(len(out)):
        at_s = (first + i) / GRID_HZ
        while j < newest - 1 and t[j + 1] <= at_s:
            j += 1
        after = min(j + 1, newest)
        near = after if abs(t[after] - at_s) < _ON_GRID_S else j
        if abs(t[near] - at_s) < _ON_GRID_S:
            out[i] = x[near]
            continue
        h = t[after] - t[j]
        s = (at_s - t[j]) / h
        s2, s3 = s * s, s * s * s
        for channel in range(x.shape[1]):
            out[i, channel] = (
                (2 * s3 - 3 * s2 + 1) * x[j, channel]
                + (s3 - 2 * s2 + s) * h * _tangent(t, x, j, channel)
                + (3 * s2 - 2 * s3) * x[after, channel]
                + (s3 - s2) * h * _tangent(t, x, after, channel)
            )
