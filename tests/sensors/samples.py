"""Sample streams for tests of recordings: shaped like a sensor's, with every awkward float in them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gaitmon.model import Floats, Placement
from gaitmon.sensors.recording import Recording, SampleStream

# Anything a sensor could say in SI, NaN where it said nothing; one sample is always whole.
ACC = st.one_of(st.floats(5, 20), st.floats(-20, -5), st.sampled_from([np.nan, -0.0, 5e-324, 9.81]))
GYR = st.one_of(st.floats(-30, 30), st.sampled_from([np.nan, -0.0, 1e-310]))


@st.composite
def streams(draw: st.DrawFn, placement: Placement) -> SampleStream:
    n = draw(st.integers(1, 30))
    steps = draw(arrays(np.float64, n, elements=st.floats(1e-4, 5.0)))
    t_s = draw(st.floats(-1e3, 1e6)) + np.cumsum(steps)
    acc = draw(arrays(np.float64, (n, 3), elements=ACC))
    acc[0] = [0.1, -9.81, 9.7]
    gyr = draw(st.none() | arrays(np.float64, (n, 3), elements=GYR))
    if gyr is not None:
        gyr[0] = 0.0
    return SampleStream.from_arrays(
        placement,
        t_s,
        acc,
        gyr,
        nominal_rate_hz=draw(st.none() | st.just(60.0)),
        acc_range_m_s2=draw(st.none() | st.just(156.9064)),
        device=draw(st.sampled_from(["", "00b45c2d", "é;,\n"])),
    )


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    worn = draw(st.lists(st.sampled_from(Placement), min_size=1, max_size=3, unique=True))
    return Recording.of(
        draw(st.sampled_from(["walk", "ä b"])),
        "test",
        [draw(streams(placement)) for placement in worn],
        simulated=draw(st.booleans()),
        start_utc_us=draw(st.none() | st.just(1_607_605_743_815_000)),
        notes={"pelvis: lost": "3 packets"},
    )


def steady(placement: Placement, seconds: float = 10.0, rate_hz: float = 100.0) -> SampleStream:
    """A sensor at rest with a little noise."""
    rng = np.random.default_rng(3)
    t_s = np.arange(round(seconds * rate_hz)) / rate_hz
    acc: Floats = rng.normal([0.0, 0.0, 9.81], 0.05, (len(t_s), 3))
    return SampleStream.from_arrays(
        placement, t_s, acc, rng.normal(0, 0.01, (len(t_s), 3)), nominal_rate_hz=rate_hz
    )


def assert_same_samples(one: Recording, other: Recording) -> None:
    """Bit for bit, NaN included."""
    assert one.streams.keys() == other.streams.keys()
    for placement, stream in one.streams.items():
        for mine, theirs in zip(stream.arrays(), other.streams[placement].arrays(), strict=True):
            if mine is None or theirs is None:
                assert mine is theirs
            else:
                assert mine.tobytes() == theirs.tobytes()
