"""One thigh's samples from within a walk, without its quiet beginning: as they should be and as they come."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from gaitmon.model import ImuBlock, Placement
from gaitmon.simulate import SensorParams, Walk, WalkerParams, simulate
from tests.gait.walks import between, whole

THIGH = Placement.LEFT_THIGH


@cache
def in_motion(rate_hz: float, jitter_s: float = 0.0) -> ImuBlock:
    sensors = {THIGH: SensorParams(rate_hz=rate_hz, stamp_jitter_s=jitter_s)}
    simulated = simulate((Walk(seconds=22.0),), WalkerParams(speed_m_s=1.1), sensors, seed=3)
    return between(whole(simulated)[THIGH], 6.3, 21.0)


def regular(rate_hz: float) -> ImuBlock:
    return in_motion(rate_hz)


def jittered() -> ImuBlock:
    return in_motion(100.0, 0.0015)


def jittered_at_the_limit() -> ImuBlock:
    """Just above and below 150 Hz by turns: averaged or not is for the run's first samples to say."""
    return in_motion(152.0, 0.0008)


def jittered_fast() -> ImuBlock:
    return in_motion(333.0, 0.0004)


def damaged(jitter_s: float) -> ImuBlock:
    """Holes from one sample to seconds, NaN, samples that come twice, late, or out of order."""
    block = in_motion(100.0, jitter_s)
    keep = np.ones(len(block), dtype=bool)
    for a, b in ((200, 201), (300, 306), (400, 408), (600, 830), (840, 845), (1000, 1003)):
        keep[a:b] = False
    index = np.flatnonzero(keep)
    index = np.insert(index, [50, 51, 333], index[[49, 40, 332]])  # twice, late, twice
    index[[120, 121]] = index[[121, 120]]  # swapped
    index[700:720] = index[700:720][::-1]  # a packet turned round
    acc, gyr = block.acc_m_s2[index].copy(), block.gyr_rad_s
    assert gyr is not None
    gyr = gyr[index].copy()
    acc[[10, 11, 260], 1] = np.nan
    gyr[555, 2] = np.inf
    t = block.t_s[index].copy()
    t[77] = np.nan
    return ImuBlock(THIGH, t, acc, gyr)


STREAMS: dict[str, Callable[[], ImuBlock]] = {
    "60 Hz": lambda: regular(60.0),
    "100 Hz": lambda: regular(100.0),
    "120 Hz": lambda: regular(120.0),
    "333 Hz": lambda: regular(333.0),
    "100 Hz, jitter": jittered,
    "152 Hz, jitter": jittered_at_the_limit,
    "333 Hz, jitter": jittered_fast,
    "100 Hz, damaged": lambda: damaged(0.0),
    "100 Hz, jitter, damaged": lambda: damaged(0.001),
}
