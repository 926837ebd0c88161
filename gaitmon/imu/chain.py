"""One sensor from its blocks to signals on the common grid.  Stateful, causal but for fixed delays."""

from __future__ import annotations

import math

from gaitmon.imu.motion import MotionTrack
from gaitmon.imu.orientation import PASSED
from gaitmon.imu.resample import GRID_HZ, GridRun, Resampler
from gaitmon.imu.smooth import HALF, Smoothed
from gaitmon.model import Gap, ImuBlock, Placement

_SETTLE_FIRST = 50  # rows after the start in which the vertical is not trusted yet
_SETTLE_GAP = 200  # and after a gap over which it did not go on (gaitmon.imu.orientation)


CELL = 50  # grid samples between decisions: small pushes wait until they bring the next one nearer


class SensorChain:
    """raw: what was measured, and where up is (gaitmon.imu.motion); sensor frame, SI.

    smooth: the same acc and gyr, low-passed, made when they are looked at (gaitmon.imu.smooth).
    Without a gyroscope gyr, up and yaw rate are NaN.
    """

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        self.raw = MotionTrack()
        self.smooth = Smoothed(self.raw)
        self.resampler = Resampler()
        self.has_gyroscope: bool | None = None
        self.frontier = 0  # grid index: decisions may rest on what is before it, known or known to be missing
        self._run_end = 0
        self._heard = False
        self._held: list[ImuBlock] = []  # samples that complete no cell of the grid's decisions yet
        self._need = CELL + HALF  # grid index that does: raw rows before it make it known
        self.holes: list[tuple[int, int]] = []  # grid indices [a, b) without samples, longer than 1 s

    @property
    def begun(self) -> bool:
        return self.raw.begun

    @property
    def last_sample(self) -> int | None:
        """Grid index after the newest sample there was; None when there was none."""
        return self._run_end if self._heard else None

    def push(self, block: ImuBlock) -> bool:
        """Whether rows were made of it, so that more may be known than before."""
        t = block.t_s
        self._held.append(block)
        if len(t):
            if self.has_gyroscope is None:
                self.has_gyroscope = block.gyr_rad_s is not None
            if t.item(-1) * GRID_HZ < self._need:
                return False
        self.release()
        self._look_ahead()
        return True

    def release(self) -> None:
        """Make rows of what was pushed, without waiting for the grid's next decision.

        That one still comes with the push that brings it: the frontier stays where it was.
        """
        held = self._held
        if held:
            self._held = []
            for run in self.resampler.push(*held):
                self._run(run)

    def skip_to(self, end: int) -> None:
        """Nothing more is known up to grid index ``end``."""
        self.raw.skip_to(end)
        self._look_ahead()

    def _look_ahead(self) -> None:
        self.frontier = end = self.smooth.end
        self._need = (end // CELL + 1) * CELL + HALF

    def gap(self, gap: Gap) -> None:
        self.close_run()
        end = math.floor(gap.end_s * GRID_HZ)
        if not self.raw.begun:  # this sensor starts with a gap: its track begins where the gap does
            start = math.floor(gap.start_s * GRID_HZ)
            self.raw.skip_to(start)
        self.skip_to(end)

    def close_run(self) -> None:
        """The run ends here: give out what resampler and kernels hold back."""
        self.release()
        for run in self.resampler.flush():
            self._run(run)
        self.smooth.close()
        self._look_ahead()

    def _run(self, run: GridRun) -> None:
        x = run.signals
        first = run.first
        if self.raw.begun and first < self.raw.end:  # older than a gap that was already declared
            x, first = x[self.raw.end - first :], self.raw.end
            if len(x) == 0:
                return
        if run.starts or not self.smooth.open:
            again = self.raw.begun and self.raw.end > self.raw.first
            missing = first - self._run_end if self._heard else 0
            if missing > PASSED:
                self.smooth.close()
            self.raw.begin_run(first, _SETTLE_GAP if again else _SETTLE_FIRST, missing)
        if self._heard and first - self._run_end > GRID_HZ:
            self.holes.append((self._run_end, first))
        self.raw.append(first, x)
        self._run_end = first + len(x)
        self._heard = True
        self.smooth.grow(first, self._run_end)
