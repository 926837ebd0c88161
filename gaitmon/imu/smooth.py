"""Low-passed signals of one sensor, computed from its raw track when somebody looks.

Every row is one product of the kernel with the raw rows around it, so it is the same whenever, and with
whatever neighbours, it is asked for.  Most of a day is rest, in which nobody looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np

from gaitmon.compiled import compiled
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.imu.motion import MotionTrack
from gaitmon.imu.orientation import PASSED
from gaitmon.imu.resample import GRID_HZ
from gaitmon.imu.track import Track
from gaitmon.model import Floats

HALF = 25  # half length of every kernel here: smoothed rows are known 0.25 s late
COLUMNS = 6
_AHEAD = 50  # grid samples: who looks at rows looks at what follows next, and one call makes both
_ACC = lowpass_kernel(9.0, HALF, GRID_HZ)
_GYR = lowpass_kernel(6.0, HALF, GRID_HZ)


@dataclass(slots=True)
class _Run:
    """Raw rows at grid indices [start, end), without a hole but those of up to PASSED rows.

    known: grid index before which the smoothed rows are: all of them once the run is closed.
    """

    start: int
    end: int
    known: int


class Smoothed:
    """Columns acc below 9 Hz (3), gyr below 6 Hz (3); NaN where samples are missing.

    Over a hole of up to 0.1 s a straight line is filtered instead: half a period of what passes 6 Hz.  The
    raw track keeps the hole, and what rests on it is flagged there.
    Zero phase.  Before a run's first sample, and after its last, the signal is taken as constant, so a
    stream that starts in motion does not start with a step from zero.  Stateful: remembers what it made.
    """

    def __init__(self, raw: MotionTrack) -> None:
        self._raw = raw
        self._runs: list[_Run] = []
        self._open: _Run | None = None  # the last of them, while it is under way
        self._made = Track(COLUMNS)

    @property
    def open(self) -> bool:
        """Whether a run is under way."""
        return self._open is not None

    @property
    def first(self) -> int:
        """Grid index of the first row there is."""
        return self._raw.first

    @property
    def end(self) -> int:
        """Grid index before which everything is known, or known to be missing."""
        return self._raw.end if self._open is None else self._open.known

    def grow(self, start: int, end: int) -> None:
        """The raw track holds a run's rows [start, end): a new one, or the open one's next."""
        run = self._open
        if run is None:
            run = self._open = _Run(start, end, start)
            self._runs.append(run)
        run.end, run.known = end, max(end - HALF, run.start)

    def close(self) -> None:
        """The open run ends with the row that it has."""
        if self._open is not None:
            self._open.known = self._open.end
            self._open = None

    def view(self, a: int, b: int) -> Floats:
        """Rows of grid indices [a, b): shape (b - a, 6)."""
        made = self._made
        if a < made.first or b > made.end:
            upto = min(b + _AHEAD, self.end)
            if upto > a and not made.first <= a <= made.end:  # elsewhere: of no use, or behind what was made
                upto = max(upto, made.end) if a < made.first else upto
                self._made = made = Track(COLUMNS)
                made.skip_to(a)
            if upto > max(a, made.end):
                self._make(made.end, upto)
        return made.view(a, b)

    def forget_before(self, a: int) -> None:
        self._made.forget_before(a)
        while self._runs and self._runs[0] is not self._open and self._runs[0].end < a - HALF:
            del self._runs[0]

    def _make(self, a: int, b: int) -> None:
        """Rows [a, b), behind those that are."""
        out = self._made.room(a, b - a)
        runs = [r for r in self._runs if r.start < b and r.known > a]
        if len(runs) != 1 or runs[0].start > a or runs[0].known < b:
            out[:] = np.nan
        for run in runs:
            lo, hi = max(a, run.start), min(b, run.known)
            first, last = max(lo - HALF, run.start), min(hi + HALF, run.end)
            rows = self._raw.samples(first, last)
            if self._raw.skipped(first, last):
                first, last = max(first - PASSED, run.start), min(last + PASSED, run.end)
                rows = self._raw.samples(first, last).copy()
                _bridge(rows)
            _lowpass(rows, lo - HALF - first, out[lo - a : hi - a], _ACC, _GYR)


@compiled("void(f8[:, ::1])")
def _bridge(rows: Floats) -> None:
    """A straight line over each hole between two rows that are there."""
    before = -1
    for i in range(len(rows)):
        if isnan(rows[i, 0]):
            continue
        if 0 <= before < i - 1:
            for k in range(before + 1, i):
                share = (k - before) / (i - before)
                for channel in range(rows.shape[1]):
                    left, right = rows[before, channel], rows[i, channel]
                    rows[k, channel] = left + share * (right - left)
        before = i


@compiled("void(f8[:, :], i8, f8[:, ::1], f8[::1], f8[::1])")
def _lowpass(rows: Floats, first: int, out: Floats, acc_taps: Floats, gyr_taps: Floats) -> None:
    """Row i of out: the sum over k of tap k times row first + i + k; before the first of the rows, and after
    the last, they are taken as that one."""
    taps, n, newest = len(acc_taps), len(out), len(rows) - 1
    seen, total = np.empty(n + taps - 1), np.empty(n)
    for channel in range(6):
        for i in range(len(seen)):
            seen[i] = rows[min(max(first + i, 0), newest), channel]
        weights = acc_taps if channel < 3 else gyr_taps
        total[:] = 0.0
        for k in range(taps):  # taps outside: each of total's is a sum of its own, some at a time
            weight, shifted = weights[k], seen[k : k + n]
            for i in range(n):
                total[i] += weight * shifted[i]
        out[:, channel] = total
