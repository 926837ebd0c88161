"""Which way along its axis a thigh swings: what the witnesses say together, and when nothing is said."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.imu.alignment import FlexionAxis
from gaitmon.imu.axis_sign import taking_turns
from gaitmon.model import Alignment, Floats, Placement
from gaitmon.simulate import Stand, Walk, WalkerParams
from tests.gait.walks import SENSORS, walked

LEFT, RIGHT = SENSORS[1:]
Y = np.array([0.0, 1.0, 0.0])


def swinging(phase: float) -> Floats:
    """Rows of SensorChain.raw, worn straight: a thigh that turns about y, 1.2 s a stride."""
    t = np.arange(1200) / 100.0
    rows = np.zeros((len(t), 10))
    rows[:, 2] = rows[:, 8] = 1.0
    rows[:, 4] = -2.0 * np.sin(2 * np.pi * t / 1.2 + phase)
    return rows


def axis(sign: float, score: float) -> FlexionAxis:
    return FlexionAxis(sign * Y, 0.9, score)


@pytest.mark.parametrize("doubtful", [LEFT, RIGHT])
def test_the_thigh_that_is_in_doubt_follows_the_other(doubtful: Placement) -> None:
    """Both found to come forward together: one is the wrong way round, the one less sure."""
    walk = {LEFT: swinging(0.0), RIGHT: swinging(np.pi)}
    axes = {p: axis(-1.0, 0.1) if p is doubtful else axis(1.0, 0.9) for p in walk}
    both = taking_turns(axes, walk)
    for p in walk:
        np.testing.assert_array_equal(both[p].axis, Y)
        assert both[p].sign_score == pytest.approx(0.8)


def test_thighs_that_take_turns_make_each_other_sure() -> None:
    walk = {LEFT: swinging(0.0), RIGHT: swinging(np.pi)}
    both = taking_turns({LEFT: axis(1.0, 0.1), RIGHT: axis(1.0, 0.9)}, walk)
    assert [both[p].sign_score for p in walk] == [pytest.approx(1.0)] * 2
    np.testing.assert_array_equal(both[LEFT].axis, Y)


def test_thighs_that_do_neither_say_nothing_of_each_other() -> None:
    walk = {LEFT: swinging(0.0), RIGHT: swinging(0.5 * np.pi)}
    axes = {LEFT: axis(-1.0, 0.1), RIGHT: axis(1.0, 0.9)}
    assert taking_turns(axes, walk) == axes


def test_one_thigh_stands_alone() -> None:
    axes = {LEFT: axis(-1.0, 0.1)}
    assert taking_turns(axes, {LEFT: swinging(0.0)}) == axes


def test_nothing_wrong_is_said_of_very_slow_walkers() -> None:
    """24 people at 0.5 m/s, limbs unlike: their trunk tells little, and some swing no faster than they
    extend.  No thigh is turned round; few are held back (measured: none at the end of 20 s)."""
    held = 0
    for seed in range(8100, 8124):
        walker = WalkerParams(speed_m_s=0.5, person_seed=seed, limbs_alike=False)
        walk = walked((Stand(5.0), Walk(seconds=22.0), Stand(4.0)), walker, seed=seed)
        for p in (LEFT, RIGHT):
            true = walk.simulated.truth.mounts[p][0].rotation[1]
            found = [r for r in walk.results if isinstance(r, Alignment) and r.placement is p]
            assert all(a.rotation[1] @ true > 0.0 for a in found if a.flexion_known)
            held += not found[-1].flexion_known
    assert held <= 2
