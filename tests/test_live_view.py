"""The live view: nothing depends on it, and it tells what has just happened."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest

from gaitmon.model import ContactKind, Gap, ImuBlock, Placement, Side
from gaitmon.pipeline import GaitPipeline
from gaitmon.pipeline_live import STEP, LiveFrame
from gaitmon.simulate import Simulated, Stand, Walk, WalkerParams, simulate
from tests.bench_live_view import Tally, Watched, watched
from tests.gait.cuts import Streams, cut
from tests.gait.walks import Item, as_text, between, in_order, whole

LEFT, RIGHT, PELVIS = Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.PELVIS


@cache
def walk() -> Simulated:
    return simulate((Stand(6.0), Walk(seconds=34.0), Stand(4.0)), WalkerParams(speed_m_s=1.1), seed=31)


def items(simulated: Simulated, size: int = 20) -> list[Item]:
    streams: Streams = {p: [b] for p, b in whole(simulated).items()}
    return in_order(i for each in streams.values() for i in cut(each, [size]))


def frames(things: Iterable[Item]) -> list[LiveFrame]:
    pipeline = GaitPipeline((LEFT, RIGHT, PELVIS))
    view = pipeline.live()
    return [frame for item in things for frame in view.news(pipeline.push(item)).frames]


@cache
def seen() -> Watched:
    return watched(walk().streams, items(walk()))


@pytest.mark.parametrize("size", [1, 20, 333])
def test_results_are_the_same_push_by_push_with_and_without_it(size: int) -> None:
    """Bit for bit, and so is what a checkpoint would keep."""
    plain, viewed = GaitPipeline(walk().streams), GaitPipeline(walk().streams)
    view = viewed.live()
    for item in items(walk(), size)[: 40_000 // size]:
        expected, got = plain.push(item), viewed.push(item)
        view.news(got)
        if expected or got:
            assert as_text(got) == as_text(expected)
    assert as_text(viewed.flush()) == as_text(plain.flush())
    assert b"LiveView" not in pickle.dumps(viewed)


def test_a_contact_is_told_within_400_ms_and_once() -> None:
    truth = walk().truth
    for kind in ContactKind:
        tally = Tally()
        for side in Side:
            true = np.array([c.t_s for c in truth.contacts if (c.kind, c.side) == (kind, side)])
            tally.add(seen(), kind, side, true)
        assert min(tally.late_s) >= -0.1, "nobody foresees a contact by much"
        assert max(tally.late_s) <= 0.4
        assert len(tally.errors_s) > 25
        assert tally.told == tally.committed == len(tally.errors_s)
        assert np.std(tally.errors_s) < 0.03


def test_standing_tells_nothing() -> None:
    first, last = walk().truth.contacts[0].t_s, walk().truth.contacts[-1].t_s
    assert not [c for c, _ in seen().contacts if not first < c.t_s < last + 0.1]


def test_frames_come_25_times_a_second_and_agree_with_the_truth() -> None:
    many = frames(items(walk()))
    t = np.array([f.t_s for f in many])
    np.testing.assert_allclose(np.diff(t), STEP / 100.0, atol=1e-9)
    motion = walk().truth.motion
    true = np.degrees(np.interp(t, motion.t_s, motion.thigh_flexion_rad[Side.LEFT]))
    found = np.array([np.nan if f.thigh_flexion_left_deg is None else f.thigh_flexion_left_deg for f in many])
    known = np.isfinite(found)
    assert not known[t < 13.0].any(), "angles before the sensors were aligned"
    assert known[t > 17.0].all()
    error = (found - true)[known]
    assert np.std(error) < 3.0


def test_a_silent_sensor_holds_nobody_back() -> None:
    streams = {p: [b] for p, b in whole(walk()).items()}
    pelvis = streams[PELVIS][0]
    assert isinstance(pelvis, ImuBlock)
    streams[PELVIS] = [between(pelvis, 0.0, 25.0)]
    things = in_order(i for each in streams.values() for i in cut(each, [20]))
    late = [f for f in frames(things) if f.t_s > 26.0]
    assert len(late) > 300
    assert all(f.pelvic_tilt_deg is None and f.thigh_flexion_right_deg is not None for f in late)


def test_a_gap_is_no_contact() -> None:
    """Nothing is told of a thigh while it is silent, and it is told of again afterwards."""
    streams: Streams = {p: [b] for p, b in whole(walk()).items()}
    left = streams[LEFT][0]
    assert isinstance(left, ImuBlock)
    streams[LEFT] = [
        between(left, 0.0, 24.0), Gap(LEFT, 24.0, 28.0, "out of reach"), between(left, 28.0, 99.0)
    ]  # fmt: skip
    things = in_order(i for each in streams.values() for i in cut(each, [20]))
    told = [c.t_s for c, _ in watched(streams, things).contacts if c.side is Side.LEFT]
    assert not [t for t in told if 24.3 < t < 28.0]
    assert [t for t in told if t > 29.0]
