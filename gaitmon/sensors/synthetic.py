"""What the simulator delivers, as a recording; marked as simulated."""

from __future__ import annotations

import numpy as np

from gaitmon.model import Floats, Placement
from gaitmon.sensors.recording import Recording, SampleStream
from gaitmon.simulate import ImuArrays, Simulated


def recording_of(simulated: Simulated, name: str, *, start_utc_us: int | None = None) -> Recording:
    """What the simulated sensors delivered, on their own clocks, as a recording.

    Samples that came twice or late are put in the order of their counter.
    """
    streams = [_stream(p, arrays) for p, arrays in simulated.streams.items()]
    return Recording.of(name, "simulator", streams, simulated=True, start_utc_us=start_utc_us)


def _stream(placement: Placement, a: ImuArrays) -> SampleStream:
    _, once = np.unique(a.counter, return_index=True)
    t: Floats = a.t_s[once]
    gyr = None if a.gyr_rad_s is None else a.gyr_rad_s[once]
    return SampleStream.from_arrays(placement, t, a.acc_m_s2[once], gyr, device="simulated")
