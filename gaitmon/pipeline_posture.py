"""Posture beside the walking: which ticks were walked, and what the accelerometers say of the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from gaitmon.gait.posture import BATCH, DELAY, PostureParams, PostureTracker
from gaitmon.gait.sequences import TICK, GaitSequence
from gaitmon.imu.chain import SensorChain
from gaitmon.model import Placement, PostureSpan


class PostureWatch:
    """Stateful: every tick in order; ticks are judged in batches on the fixed grid."""

    def __init__(self, chains: Mapping[Placement, SensorChain], params: PostureParams) -> None:
        self._chains = chains
        self._tracker = PostureTracker(params)
        self._walked: deque[GaitSequence] = deque(maxlen=BATCH)  # none is shorter than a tick
        self._next: int | None = None

    def on_tick(
        self, tick: int, closed: GaitSequence | None, current: GaitSequence | None
    ) -> list[PostureSpan]:
        """closed: the sequence that ended with this tick.  current: the one under way."""
        if self._next is None:
            self._next = tick - 1
        if closed is not None:
            self._walked.append(closed)
        return [] if tick % BATCH else self._judge(tick - DELAY, current)

    def finish(self, end: int, last: GaitSequence | None) -> list[PostureSpan]:
        """The recording ends before grid index ``end``.  last: the sequence that its end closed."""
        if last is not None:
            self._walked.append(last)
        return self._judge(end // TICK, None) + self._tracker.flush()

    def _judge(self, upto: int, current: GaitSequence | None) -> list[PostureSpan]:
        first = self._next
        if first is None or upto <= first:
            return []
        self._next = upto
        walking = np.zeros(upto - first, bool)
        for walk in (*self._walked, current):
            if walk is not None:
                walking[_tick_from(walk.start, first) : _tick_from(walk.end, first)] = True
        acc = {p: c.raw.samples(first * TICK, upto * TICK) for p, c in self._chains.items()}
        return self._tracker.push(first, acc, walking)


def _tick_from(grid_index: int, first: int) -> int:
    """How many ticks after ``first`` the first one is whose middle is not before this grid index."""
    return max(-((TICK // 2 - grid_index) // TICK) - first, 0)
