"""Contacts of one leg from an accelerometer alone: against simulated truth, foot sensors, foot switches."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaitmon.imu.chain import SensorChain
from gaitmon.model import Contact, ContactKind, Floats, Placement, Side
from gaitmon.sensors.recording import Recording
from gaitmon.simulate import Stand, Turn, Walk, WalkerParams, simulate
from tests.gait.daily import (
    PHONE_WALKS,
    chain_of,
    own_contacts,
    phone_walk,
    sequences_of,
    stride_times,
    switch_steps,
    turned,
)
from tests.gait.walks import THIGH, Matched, match, whole
from tests.loaders import foot_samples, mtw, qmt
from tests.validation.foot_rule import foot_contacts, initial_s

ROTATIONS = [np.linalg.qr(np.random.default_rng(k).standard_normal((3, 3)))[0] for k in range(3)]


@cache
def simulated(speed_m_s: float, side: Side) -> tuple[Floats, Floats, list[float]]:
    """t_s and acc_m_s2 of a thigh, and its own true initial contacts."""
    script = (Stand(6.0), Walk(seconds=20.0), Turn(180.0, 3.0), Walk(seconds=10.0), Stand(6.0))
    walk = simulate(script, WalkerParams(speed_m_s=speed_m_s), seed=3)
    block = whole(walk)[THIGH[side]]
    own = [c.t_s for c in walk.truth.contacts if c.side is side and c.kind is ContactKind.IC]
    return block.t_s, block.acc_m_s2, own


def found_in(chain: SensorChain, side: Side | None = None) -> list[Contact]:
    return own_contacts(chain, sequences_of({chain.placement: chain}), side)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("speed_m_s", [0.5, 0.7, 0.9, 1.2, 1.5, 1.7])
def test_own_strides_of_a_simulated_thigh(speed_m_s: float, side: Side) -> None:
    t_s, acc, true_s = simulated(speed_m_s, side)
    found = match([c.t_s for c in found_in(chain_of(Placement.THIGH, t_s, acc))], true_s, 0.25)
    assert found.n_true - 2 <= len(found.error_s)  # the first and the last of a walk may be missed
    assert found.n_found - len(found.error_s) <= 1
    assert abs(np.median(found.error_s)) <= 0.06
    assert np.percentile(np.abs(found.error_s - np.median(found.error_s)), 80) <= 0.03


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_the_mounting_does_not_matter(rotation: Floats) -> None:
    t_s, acc, _ = simulated(1.2, Side.LEFT)
    straight = [c.t_s for c in found_in(chain_of(Placement.THIGH, t_s, acc))]
    other = [c.t_s for c in found_in(chain_of(Placement.THIGH, t_s, turned(acc, rotation)))]
    assert other == pytest.approx(straight, abs=1e-3)


def test_a_side_is_told_on_and_never_invented() -> None:
    t_s, acc, _ = simulated(1.2, Side.RIGHT)
    chain = chain_of(Placement.THIGH, t_s, acc)
    assert {c.side for c in found_in(chain)} == {None}
    assert {c.side for c in found_in(chain, Side.RIGHT)} == {Side.RIGHT}
    assert {c.kind for c in found_in(chain)} == {ContactKind.IC}


@settings(max_examples=10, derandomize=True, deadline=None, database=None)
@given(st.lists(st.sampled_from([50, 100, 150, 350, 1000]), min_size=100, max_size=100))
def test_contacts_do_not_depend_on_the_cuts(steps: list[int]) -> None:
    t_s, acc, _ = simulated(0.9, Side.LEFT)
    chain = chain_of(Placement.THIGH, t_s, turned(acc, ROTATIONS[0]))
    sequences = sequences_of({Placement.THIGH: chain})
    assert own_contacts(chain, sequences, steps=steps) == own_contacts(chain, sequences)


def test_nothing_is_found_where_samples_are_missing() -> None:
    t_s, acc, _ = simulated(1.2, Side.LEFT)
    chain = chain_of(Placement.THIGH, t_s, acc)
    sequences = sequences_of({Placement.THIGH: chain})
    a, b = 15.0, 17.0
    there = (t_s < a) | (t_s >= b)
    holed = chain_of(Placement.THIGH, t_s[there], acc[there])
    complete, left = own_contacts(chain, sequences), own_contacts(holed, sequences)
    assert not [c for c in left if a <= c.t_s < b]
    outside = [c.t_s for c in complete if not a - 1.2 <= c.t_s < b + 1.2]
    assert match([c.t_s for c in left], outside, 0.03).recall == 1.0


def test_a_contact_comes_in_order_and_once() -> None:
    t_s, acc, _ = simulated(1.2, Side.LEFT)
    times = stride_times(found_in(chain_of(Placement.THIGH, t_s, acc)))
    assert (times > 0.5).all()


def recorded(of: Recording, side: Side, start_s: float, end_s: float) -> Matched:
    """A thigh's accelerometer alone against the foot sensor of its side."""
    t_s, acc, _ = of.streams[THIGH[side]].arrays()
    found = [c.t_s for c in found_in(chain_of(Placement.THIGH, t_s, acc)) if start_s <= c.t_s <= end_s]
    foot = initial_s(foot_contacts(*foot_samples(of, side), side))
    return match(found, [t for t in foot if start_s <= t <= end_s], 0.15)


@pytest.mark.data
@pytest.mark.parametrize("side", list(Side))
def test_recorded_thighs_find_their_own_strides(side: Side) -> None:
    for of, start_s, end_s in ((qmt(), 95.0, 140.0), (mtw(), 5.5, 18.0)):
        seen = recorded(of, side, start_s, end_s)
        assert seen.n_true - len(seen.error_s) <= 1
        assert seen.n_found - len(seen.error_s) <= 1
        assert abs(np.median(seen.error_s)) <= 0.04


@pytest.mark.data
@pytest.mark.parametrize("name", PHONE_WALKS)
def test_steps_of_a_phone_in_a_pocket(name: str) -> None:
    """Steps are twice the own strides."""
    counted, stepped = 2 * len(found_in(phone_walk(name))), switch_steps(name)
    assert abs(counted - stepped) <= 0.03 * stepped, (counted, stepped)
