"""What one sensor measured on the grid, and where up is in it, computed when somebody looks."""

from __future__ import annotations

import numpy as np

from gaitmon.compiled import compiled
from gaitmon.imu.orientation import PASSED, Orientation, see_vertical
from gaitmon.imu.track import Track
from gaitmon.model import Floats

COLUMNS = 10


class MotionTrack(Track):
    """Columns acc (3), gyr (3), up (3), yaw rate about the vertical (1); sensor frame, SI.

    Without a gyroscope gyr, up and yaw rate are NaN.  The orientation filter takes every sample in order, so
    up does not depend on when it is looked at; most of a day nobody does, and long stretches cost less.
    """

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self._orientation = Orientation()
        self._known = 0  # grid index before which up is written
        self._run_end = 0
        self._settled = 0
        self._missing = 0  # grid samples before the run that begins

    def begin_run(self, first: int, settling: int, missing: int = 0) -> None:
        """Rows from grid index first on follow, ``missing`` after the last run's end; up is not trusted in
        the first ``settling`` of them, unless the orientation goes on over what is missing."""
        self._orient()
        self._known = self._run_end = first
        self._missing = missing
        if not 0 < missing <= PASSED:
            self._settled = first + settling

    def append(self, first: int, signals: Floats) -> None:
        """signals: (n, 6), or (n, 3) without a gyroscope, at grid index ``first`` of the run begun last."""
        n, channels = signals.shape
        rows = self.room(first, n)
        rows[:, :channels] = signals
        self._run_end = self.end
        if channels == 3:
            rows[:, 3:] = np.nan
            self._known = self.end

    def samples(self, a: int, b: int) -> Floats:
        """acc and gyr alone, (b - a, 6)."""
        i = a - self.first
        if i >= 0 and b <= self.end:
            return self._rows[i : b - self.first, :6]
        return super().view(a, b)[:, :6]

    def view(self, a: int, b: int) -> Floats:
        if b > self._known:
            self._orient()
        return super().view(a, b)

    def forget_before(self, a: int) -> None:
        self._orient()
        super().forget_before(a)

    def _orient(self) -> None:
        if self._known >= self._run_end:
            return
        rows = super().view(self._known, self._run_end)
        acc_gyr = np.empty((2, len(rows), 3))
        _take_apart(rows, acc_gyr)
        quaternions = self._orientation.push(acc_gyr[0], acc_gyr[1], missing=self._missing)
        self._missing = 0
        see_vertical(quaternions, rows, max(self._settled - self._known, 0))
        self._known = self._run_end


@compiled("void(f8[:, ::1], f8[:, :, ::1])")
def _take_apart(rows: Floats, acc_gyr: Floats) -> None:
    """The orientation filter wants either in one piece of memory."""
    for i in range(len(rows)):
        for axis in range(3):
            acc_gyr[0, i, axis] = rows[i, axis]
            acc_gyr[1, i, axis] = rows[i, 3 + axis]
