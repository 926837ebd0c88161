"""A recorded walk through three virtual DOTs at 60 Hz, against the file analysed directly.

The samples go through the maker's payload, GATT, bleak, a radio with connection events and errors, the
sensors' own clocks (skewed, wandering), and come back through profile, clock mapping and pipeline.
"""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.analysis import analyse
from gaitmon.model import Gap, ImuBlock, Placement, Side, Stride, SyncBound
from gaitmon.pipeline import GaitPipeline
from gaitmon.sensors.profile import load_profiles, profiles_folder
from gaitmon.sensors.raw import SessionClosed, SessionOpened
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.stream import EventStream
from gaitmon.virtual import ClockModel, LinkModel, Motion
from tests.gait.walks import match
from tests.loaders import qmt
from tests.sensors.ble.bed import Bed, bed, now_s, run

CUT_OFF_S = 1.5  # the file ends in mid stride, where a sensor goes on: what only one of them can see
SKEW_PPM = (20.0, 50.0, -50.0)


async def _played(of: Recording) -> tuple[Bed, float]:
    """What the collector heard, and when the recording's first sample was."""
    link = LinkModel(interval_s=0.03, pdu_error=0.05)
    clocks = [ClockModel(skew_ppm=ppm, wander_ppm=2.0) for ppm in SKEW_PPM]
    async with bed(link=link, clocks=clocks) as b:
        for sensor, assignment in zip(b.sensors, b.assignments, strict=True):
            sensor.motion = Motion.of_recording(of, assignment.sensor.placement)
        async with b.collecting():
            await b.all_stream()
            begin_s = b.radio.play(after_s=1.0)
            await b.until(lambda: now_s() > begin_s + of.end_s - of.start_s + 2.0, within_s=1e6)
    return b, begin_s


def strides_over_the_air(of: Recording) -> list[Stride]:
    """On the recording's own clock."""
    heard, begin_s = run(_played(of))
    opened_ns = heard.events[0].monotonic_ns
    sensors = tuple(a.sensor for a in heard.assignments)
    session = SessionOpened("s-1", "anna", "g-1", sensors, opened_ns, 0, "simulated")
    decoder = EventStream(load_profiles(profiles_folder()))
    pipeline = GaitPipeline(s.placement for s in sensors)
    results = []
    for event in [session, *heard.events, SessionClosed(heard.events[-1].monotonic_ns, "stopped")]:
        for item in decoder.push(event):
            if isinstance(item, ImuBlock | Gap | SyncBound):
                results += pipeline.push(item)
    results += pipeline.flush()
    origin_s = begin_s - opened_ns * 1e-9 - of.start_s
    moved = [r for r in results if isinstance(r, Stride)]
    return [_moved(s, -origin_s) for s in moved]


def _moved(s: Stride, by_s: float) -> Stride:
    return Stride(s.side, s.ordinal, s.start_s + by_s, None, s.end_s + by_s, flags=s.flags)


@pytest.mark.data
def test_qmt_over_the_air_gives_the_strides_of_the_file() -> None:
    of = qmt()
    worn = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
    last_s = of.end_s - CUT_OFF_S
    direct = [s for s in analyse(of).strides if s.end_s < last_s]
    assert set(worn) <= set(of.streams)
    over_the_air = [s for s in strides_over_the_air(of) if s.end_s < last_s]
    matched = found = 0
    apart_ms: list[float] = []
    for side in Side:
        file = [s for s in direct if s.side is side]
        air = [s for s in over_the_air if s.side is side]
        matched += len(match([s.start_s for s in air], [s.start_s for s in file], 0.15).error_s)
        found += len(air)
        pairs = [(a, f) for a in air for f in file if abs(a.start_s - f.start_s) < 0.15]
        apart_ms += [1000.0 * abs(a.duration_s - f.duration_s) for a, f in pairs]
    recall, precision = matched / len(direct), matched / found
    late_ms = np.percentile(apart_ms, 95)
    print(f"recall {recall:.3f}, precision {precision:.3f}, stride time {late_ms:.1f} ms apart (p95)")
    assert recall >= 0.98
    assert precision >= 0.98
    assert late_ms <= 10.0
