"""Standing at rest against the standing of calibration: a lean that is put in comes out, sitting is none."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from gaitmon.model import ImuBlock, MetricValue, Placement, WalkingBout
from gaitmon.pipeline import run
from gaitmon.simulate import Sit, Stand, Step, Walk
from tests.gait.walks import Item, Walked, walked, whole

BEFORE = (Stand(10.0), Walk(seconds=25.0))
LEAN_DEG = 4.0


@cache
def stood(*between: Step) -> Walked:
    return walked((*BEFORE, *between, Walk(seconds=10.0), Stand(4.0)), seed=5)


def value(bout: WalkingBout, what: str) -> MetricValue:
    return next(m for m in bout.metrics if m.metric == f"standing_{what}_deg")


def test_who_stands_as_before_leans_by_nothing() -> None:
    first, second = stood(Stand(20.0)).bouts
    for what in ("tilt", "obliquity"):
        assert value(first, what).value is None  # the standing that the angles are told from
        found = value(second, what)
        assert found.value == pytest.approx(0.0, abs=0.5)
        assert found.standard_error is not None
        assert 10 <= found.n_left <= 20
        assert found.n_right == 0


@pytest.mark.parametrize(("what", "axis"), [("tilt", 1), ("obliquity", 0)])
def test_a_lean_comes_out_with_its_sign(what: str, axis: int) -> None:
    """The pelvis sensor's readings turn about the segment's own axis while the wearer stands: about the left
    that is forward, about forward it is left side up."""
    of = stood(Stand(20.0))
    streams = whole(of.simulated)
    about = of.alignment(Placement.PELVIS).rotation[axis]
    last = of.bouts[0].end_s + 2.0
    leaning = lean_of(streams[Placement.PELVIS], about, LEAN_DEG, last, of.bouts[1].start_s - 1.0)
    items: list[Item] = [leaning, *(b for p, b in streams.items() if p is not Placement.PELVIS)]
    _, second = Walked(of.simulated, run(items, streams)).bouts
    assert value(second, what).value == pytest.approx(LEAN_DEG, abs=0.8)


def lean_of(block: ImuBlock, about: np.ndarray, deg: float, start_s: float, end_s: float) -> ImuBlock:
    """As if the segment had turned by deg about this axis of it: what is fixed in the world turns back."""
    k = np.array([[0, -about[2], about[1]], [about[2], 0, -about[0]], [-about[1], about[0], 0]])
    angle = -np.radians(deg)
    turned = np.eye(3) + np.sin(angle) * k + (1.0 - np.cos(angle)) * k @ k
    own = (block.t_s >= start_s) & (block.t_s < end_s)
    acc = block.acc_m_s2.copy()
    acc[own] = acc[own] @ turned.T
    return replace(block, acc_m_s2=acc)


def test_sitting_is_not_standing() -> None:
    _, second = stood(Sit(20.0)).bouts
    found = value(second, "tilt")
    assert found.value is None
    assert found.note == "not enough seconds of standing (0 of 6)"
