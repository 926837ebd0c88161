"""What happens to three sensors on a walk, for pipelines that are fed in pieces."""

from __future__ import annotations

from functools import cache

import numpy as np

from gaitmon.model import Gap, ImuBlock, Placement
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.replay import deliveries
from gaitmon.simulate import RadioParams, SensorParams, Sit, Stand, Turn, Walk, WalkerParams, simulate
from tests.gait.cuts import Streams
from tests.gait.walks import between, whole, without


@cache
def eventful() -> Streams:
    """Two walks: different rates, one sensor late, one ending early, one dropping out twice."""
    sensors = {
        Placement.PELVIS: SensorParams(rate_hz=60.0),
        Placement.LEFT_THIGH: SensorParams(rate_hz=100.0, stamp_jitter_s=0.001),
        Placement.RIGHT_THIGH: SensorParams(rate_hz=120.0),
    }
    script = (
        Walk(seconds=24.0),
        Turn(120.0, 2.0),
        Walk(seconds=8.0),
        Stand(7.0),
        Walk(seconds=13.0),
        Sit(6.0),
    )
    s = whole(simulate(script, WalkerParams(), sensors, seed=3))
    pelvis, left, right = s[Placement.PELVIS], s[Placement.LEFT_THIGH], s[Placement.RIGHT_THIGH]
    end = float(left.t_s[-1])
    return {
        Placement.PELVIS: [between(pelvis, 9.0, end - 6.0), Gap(Placement.PELVIS, end - 6.0, end, "empty")],
        Placement.LEFT_THIGH: [
            between(left, 4.3, 15.0),
            Gap(Placement.LEFT_THIGH, 15.0, 17.5, "out of reach"),
            *without(between(left, 17.5, np.inf), 44.0, 45.4, silent=True),
        ],
        Placement.RIGHT_THIGH: [between(right, 4.3, np.inf)],
    }


@cache
def two_thighs_one_silent() -> Streams:
    """The pelvis never says anything, and one thigh is an accelerometer without gyroscope."""
    s = whole(simulate((Walk(seconds=25.0), Stand(8.0)), seed=8))
    right = s[Placement.RIGHT_THIGH]
    return {
        Placement.PELVIS: [Gap(Placement.PELVIS, 5.0, 34.0, "never heard")],
        Placement.LEFT_THIGH: [between(s[Placement.LEFT_THIGH], 5.0, 34.0)],
        Placement.RIGHT_THIGH: [
            between(ImuBlock(right.placement, right.t_s, right.acc_m_s2, None), 5.0, 34.0)
        ],
    }


@cache
def bursts() -> Streams:
    """Three tenths lost: in bursts that are bridged, in bursts that are not, and for seconds."""
    sensors = {
        Placement.PELVIS: SensorParams(rate_hz=60.0, radio=RadioParams(loss_fraction=0.3, burst_s=0.3)),
        Placement.LEFT_THIGH: SensorParams(radio=RadioParams(loss_fraction=0.3, burst_s=0.06)),
        Placement.RIGHT_THIGH: SensorParams(radio=RadioParams(loss_fraction=0.3, burst_s=2.0)),
    }
    script = (Stand(5.0), Walk(seconds=32.0), Stand(4.0), Walk(seconds=12.0), Stand(3.0))
    return {p: [b] for p, b in whole(simulate(script, WalkerParams(), sensors, seed=6)).items()}


def of_recording(recording: Recording, start_s: float, end_s: float) -> Streams:
    out: Streams = {p: [] for p in recording.streams if not p.is_reference}
    for item in deliveries(recording, 1000.0):
        out[item.placement].append(item if isinstance(item, Gap) else between(item, start_s, end_s))
    return out
