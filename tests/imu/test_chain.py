"""One sensor's way from blocks to signals: when it makes rows.  What they are: test_live_is_batch.py."""

from __future__ import annotations

import numpy as np

from gaitmon.imu.chain import CELL, SensorChain
from gaitmon.imu.smooth import HALF
from gaitmon.model import Gap, ImuBlock, Placement


def still(a: int, b: int) -> ImuBlock:
    """Samples of grid indices [a, b)."""
    t = np.arange(a, b) / 100.0
    return ImuBlock(Placement.PELVIS, t, np.full((b - a, 3), 5.0), np.zeros((b - a, 3)))


def test_small_pushes_wait_until_they_bring_the_next_decision_nearer() -> None:
    chain = SensorChain(Placement.PELVIS)
    for a in range(0, 1000, 20):
        before = chain.frontier
        due = chain.push(still(a, a + 20))
        reached = max(a + 20 - HALF, 0)
        assert due == (reached // CELL > before // CELL)
        assert chain.frontier == (reached if due else before)


def test_whoever_wants_the_newest_rows_need_not_wait() -> None:
    chain = SensorChain(Placement.PELVIS)
    assert not chain.push(still(0, 40))
    chain.release()
    assert (chain.raw.end, chain.smooth.end, chain.frontier) == (40, 40 - HALF, 0)


def test_the_frontier_tells_of_gaps_and_of_the_end() -> None:
    chain = SensorChain(Placement.PELVIS)
    chain.push(still(100, 300))
    assert chain.frontier == 300 - HALF
    chain.gap(Gap(Placement.PELVIS, 3.0, 5.0, "radio"))
    assert chain.frontier == 500
    chain.push(still(500, 600))
    assert chain.frontier == 600 - HALF
    chain.close_run()
    assert chain.frontier == 600
    chain.skip_to(700)
    assert chain.frontier == 700


def test_a_decision_comes_with_the_same_push_whoever_has_looked_before() -> None:
    plain, watched = SensorChain(Placement.PELVIS), SensorChain(Placement.PELVIS)
    for a in range(0, 400, 5):
        assert plain.push(still(a, a + 5)) == watched.push(still(a, a + 5))
        watched.release()
        assert watched.frontier == plain.frontier
        assert watched.raw.end == (a + 5 if a >= 15 else 0)  # the first 20 samples tell the rate
