"""Low-passed signals of one sensor, computed from its raw track when somebody looks.

Every row is one product of the kernel with the raw rows around it, so it is the same whenever, and with
whatever neighbours, it is asked for.  Most of a day is rest, in which nobody looks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan

import numpy as np

from gaitmon.imu.filters import lowpass_kernel
from gaitmon.imu.motion import MotionTrack
from gaitmon.imu.resample import GRID_HZ
from gaitmon.imu.track import Track
from gaitmon.model import Floats

HALF = 25  # half length of every kernel here: smoothed rows are known 0.25 s late
COLUMNS = 6
_ACC = lowpass_kernel(9.0, HALF, GRID_HZ)
_GYR = lowpass_kernel(6.0, HALF, GRID_HZ)


@dataclass(slots=True)
class _Run:
    """Raw rows at grid indices [start, end), without a hole but those bridged, each [first, last).

    known: grid index before which the smoothed rows are: all of them once the run is closed.
    """

    start: int
    end: int
    known: int
    bridged: list[tuple[int, int]] = field(default_factory=list)


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
        elif start > run.end:
            run.bridged.append((run.end, start))
        run.end, run.known = end, max(end - HALF, run.start)

    def close(self) -> None:
        """The open run ends with the row that it has."""
        if self._open is not None:
            self._open.known = self._open.end
            self._open = None

    def view(self, a: int, b: int) -> Floats:
        """Rows of grid indices [a, b): shape (b - a, 6)."""
        upto = min(b, self.end)
        made = self._made
        if upto > a and (a < made.first or upto > made.end):
            if not made.first <= a <= made.end:  # elsewhere: what was made is of no use, or lies behind
                upto = max(upto, made.end) if a < made.first else upto
                self._made = made = Track(COLUMNS)
                made.extend(a, np.empty((0, COLUMNS)))
            if upto > made.end:
                made.extend(made.end, self._make(made.end, upto))
        return made.view(a, b)

    def forget_before(self, a: int) -> None:
        self._made.forget_before(a)
        while self._runs and self._runs[0] is not self._open and self._runs[0].end < a - HALF:
            del self._runs[0]
        if self._runs:
            run = self._runs[0]
            run.bridged = [hole for hole in run.bridged if hole[1] >= a - HALF]

    def _make(self, a: int, b: int) -> Floats:
        runs = [r for r in self._runs if r.start < b and r.known > a]
        if len(runs) == 1 and runs[0].start <= a and runs[0].known >= b:
            return self._filtered(runs[0], a, b)
        out = np.full((b - a, COLUMNS), np.nan)
        for run in runs:
            lo, hi = max(a, run.start), min(b, run.known)
            out[lo - a : hi - a] = self._filtered(run, lo, hi)
        return out

    def _bridge(self, seen: Floats, first: int, last: int, origin: int) -> None:
        """A straight line over the columns [first, last) of ``seen``, whose column 0 is grid index origin."""
        left, right = (self._raw.samples(origin + k, origin + k + 1)[0] for k in (first - 1, last))
        a, b = max(first, 0), min(last, seen.shape[1])
        share = (np.arange(a, b) - first + 1) / (last - first + 1)
        seen[:, a:b] = left[:, np.newaxis] + share * (right - left)[:, np.newaxis]

    def _filtered(self, run: _Run, a: int, b: int) -> Floats:
        lo, hi = max(a - HALF, run.start), min(b + HALF, run.end)
        rows = self._raw.samples(lo, hi)
        n = b - a
        seen = np.empty((6, n + 2 * HALF))
        before, after = lo - (a - HALF), b + HALF - hi
        seen[:, before : before + hi - lo] = rows.T
        for first, last in run.bridged:
            if first < hi and last > lo:
                self._bridge(seen[:, before : before + hi - lo], first - lo, last - lo, lo)
        if before:
            seen[:, :before] = seen[:, before, np.newaxis]
        if after:
            seen[:, -after:] = seen[:, -after - 1, np.newaxis]
        out = np.empty((2, 3 * (n + 2 * HALF)))
        last = out.shape[1] - 2 * HALF
        out[0, :last] = np.correlate(seen[:3].ravel(), _ACC, "valid")
        turning = seen[3:].ravel()
        if isnan(turning[0]):
            out[1] = np.nan
        else:
            out[1, :last] = np.correlate(turning, _GYR, "valid")
        # All channels end to end in one call; what mixes two of them is left out.
        return np.asarray(out.reshape(COLUMNS, n + 2 * HALF)[:, :n].T)
