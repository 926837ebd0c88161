"""Where a limb's mean landing bends: on curves made by hand, and on persons on whom single strides failed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gaitmon.gait.initial_contact import InitialContactParams, Landings, samples_needed
from gaitmon.model import ContactKind, Floats, Side
from gaitmon.simulate import Stand, Walk, WalkerParams
from tests.gait.walks import Walked, match, times, walked

P = InitialContactParams()
PACE = 100  # brisk: the rate alone is read
SHOULDER = 38  # grid samples after the swing peak


def stride(shoulder: float = SHOULDER, other: float = 0.0, size: float = 1.0) -> Floats:
    """A swing, whose rate falls with a rounded shoulder, and a second one 15 samples before it."""
    t = np.arange(-1.0, samples_needed(PACE, P))

    def knee(at: float) -> Floats:
        return -np.logaddexp(0.0, (t - at) / 2.0)

    swing = 3.0 * np.exp(-((t / 10.0) ** 2))
    rate = size * (swing + 0.1 * knee(shoulder) + other * 0.1 * knee(shoulder - 15.0))
    push = np.exp(-(((t - shoulder + 4.0) / 8.0) ** 2))
    return np.array([rate, push, np.zeros_like(t)])


def told(landings: Landings, low: Floats) -> float:
    at = landings.contact(low, 0.0, PACE, P)
    assert at is not None
    return at + 100 * P.lag_s


def test_the_centre_of_the_bend_less_its_lag() -> None:
    assert told(Landings(), stride()) == pytest.approx(SHOULDER, abs=0.2)
    assert told(Landings(), stride(41.3)) == pytest.approx(41.3, abs=0.2)


def test_each_stride_is_dated_by_itself() -> None:
    """The mean says which bend, the stride when: no lag behind a limb that is early or late."""
    rng = np.random.default_rng(1)
    landings = Landings()
    true = SHOULDER + rng.uniform(-4.0, 4.0, 20)
    found = [told(landings, stride(float(at))) for at in true]
    assert np.abs(np.array(found) - true).max() < 0.3


def test_a_bend_that_is_higher_in_one_stride_is_not_its_landing() -> None:
    landings = Landings()
    for _ in range(8):
        told(landings, stride(other=0.5))
    assert told(landings, stride(other=1.6)) == pytest.approx(SHOULDER, abs=3.0)


def test_a_stride_that_jolts_counts_no_more_than_another() -> None:
    landings = Landings()
    for k in range(8):
        told(landings, stride(SHOULDER - 12.0, size=20.0) if k == 4 else stride())
    assert told(landings, stride()) == pytest.approx(SHOULDER, abs=0.3)


def test_nothing_bends_or_nothing_pushes() -> None:
    flat = np.zeros(samples_needed(PACE, P) + 1)
    rate, push, _ = stride()
    assert Landings().contact(np.array([flat, push, flat]), 0.0, PACE, P) is None
    assert Landings().contact(np.array([rate, flat, flat]), 0.0, PACE, P) is None


@cache
def between_brisk_and_slow(person: int) -> Walked:
    """1.16 s a stride: both bends are read, and in one stride by itself neither stands out."""
    script = (Stand(6.0), Walk(seconds=45.0), Stand(5.0))
    walker = WalkerParams(speed_m_s=1.1, leg_length_m=0.93, person_seed=person)
    return walked(script, walker, seed=person)


@pytest.mark.parametrize("person", [40_002, 40_007, 40_021, 40_024])
def test_both_limbs_of_a_person_in_between_are_dated_alike(person: int) -> None:
    """Limbs alike: the same bend left and right, in every stride from the third on."""
    walk = between_brisk_and_slow(person)
    means = {}
    for side in Side:
        true = times(walk.simulated.truth.contacts, side, ContactKind.IC)
        m = match(times(walk.contacts(), side, ContactKind.IC), true[3:-3], 0.15)
        assert m.recall == 1.0
        assert m.error_s.std() < 0.008
        means[side] = float(m.error_s.mean())
    assert abs(means[Side.LEFT] - means[Side.RIGHT]) < 0.0015


def test_a_swing_that_slows_down_in_two_steps_is_no_landing() -> None:
    """Person 44 shows next to no bend at the landing, and one while the thigh still comes forward."""
    walker = WalkerParams(speed_m_s=1.4, leg_length_m=0.9, person_seed=44)
    walk = walked((Stand(8.0), Walk(strides=40), Stand(3.0)), walker, seed=44)
    for side in Side:
        true = times(walk.simulated.truth.contacts, side, ContactKind.IC)
        assert match(times(walk.contacts(), side, ContactKind.IC), true[3:-3], 0.15).recall > 0.9
