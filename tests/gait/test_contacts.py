"""Contacts of one limb from its own thigh, against the simulator's truth."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from gaitmon.model import Contact, ContactKind, Side
from gaitmon.simulate import SensorParams, Sit, Stand, StateKind, TissueParams, Walk, WalkerParams
from tests.gait.walks import Matched, Walked, match, plain_walk, times, walked

SPEEDS = (0.5, 0.7, 0.9, 1.1, 1.25, 1.5, 1.7)
IC, FC = ContactKind.IC, ContactKind.FC
EDGE_S = 2.5  # the first and last steps differ from the rest, and are asked for below


def steady(walk: Walked, kind: ContactKind, side: Side, within_s: float = 0.25) -> Matched:
    """Contacts of this limb away from the ends of the walk."""
    (state,) = [s for s in walk.simulated.truth.states if s.kind is StateKind.WALK]
    a, b = state.start_s + EDGE_S, state.end_s - EDGE_S
    found = times(walk.contacts(), side, kind)
    true = [t for t in times(walk.simulated.truth.contacts, side, kind) if a <= t <= b]
    matched = match(found, true, within_s)
    inside = sum(a + within_s <= t <= b - within_s for t in found)
    assert inside <= len(true), "a contact too many"
    return matched


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_contact_of_a_steady_walk_is_found(speed: float, seed: int) -> None:
    """And no other: within 0.05 s of the truth.  Measured largest errors: 20 ms (IC), 39 ms (FC, 0.7 m/s)."""
    walk = plain_walk(speed, seed=seed)
    for side in Side:
        for kind in ContactKind:
            matched = steady(walk, kind, side, within_s=0.05)
            assert matched.recall == 1.0, (kind, side)


@pytest.mark.parametrize("speed", [0.7, 1.25, 1.7])
def test_the_first_and_last_contacts_too(speed: float) -> None:
    """At most one contact of each limb and kind is missing or invented over a whole walk, ends included.

    0.25 s: the first final contact and the last initial contact are those of half steps."""
    walk = plain_walk(speed)
    for side in Side:
        for kind in ContactKind:
            m = match(
                times(walk.contacts(), side, kind), times(walk.simulated.truth.contacts, side, kind), 0.25
            )
            assert m.n_true - len(m.error_s) <= 1
            assert m.n_found - len(m.error_s) <= 1


@pytest.mark.parametrize("person", [51, 53, 57, 59])
@pytest.mark.parametrize("speed", [0.7, 0.9, 1.25, 1.7])
def test_the_foot_set_beside_the_other_is_dated(speed: float, person: int) -> None:
    """There is no landing to see.  Measured 36 ms at most; taken for a landing, 70 to 195."""
    walker = WalkerParams(speed_m_s=speed, person_seed=person, limbs_alike=False)
    walk = walked((Stand(6.0), Walk(seconds=12.0), Stand(5.0)), walker, seed=person)
    last = max((c for c in walk.simulated.truth.contacts if c.kind is IC), key=by_time)
    assert min(abs(t - last.t_s) for t in times(walk.contacts(), last.side, IC)) < 0.06


@pytest.mark.parametrize("speed", [0.9, 1.3])
def test_sitting_down_from_walking_is_no_step(speed: float) -> None:
    """Both thighs come forward as in a swing, and stay."""
    walk = walked((Stand(6.0), Walk(seconds=12.0), Sit(8.0)), WalkerParams(speed_m_s=speed), seed=5)
    last_s = max(c.t_s for c in walk.simulated.truth.contacts)
    assert max(c.t_s for c in walk.contacts(kind=IC)) < last_s + 0.15
    assert max(s.end_s for s in walk.strides) < last_s + 0.15


@cache
def spread(speed: float) -> dict[ContactKind, float]:
    """Standard deviation of the timing error about each limb's own mean, s; both limbs, two walks."""
    out = {}
    for kind in ContactKind:
        errors = [steady(plain_walk(speed, seed=s), kind, side).error_s for s in (1, 2) for side in Side]
        out[kind] = float(np.sqrt(np.mean([e.var() for e in errors])))
    return out


@pytest.mark.parametrize("speed", SPEEDS)
def test_timing_scatters_little(speed: float) -> None:
    """Measured IC 5.7 ms at 0.5 m/s, 2.2 .. 4.1 above; FC 9.1, 7.0, and 2.0 .. 4.6 from 0.9 m/s up."""
    assert spread(speed)[IC] < 0.008
    assert spread(speed)[FC] < 0.012


@pytest.mark.parametrize("person", [41, 43, 47])
@pytest.mark.parametrize("speed", [0.5, 0.7, 0.9])
def test_whatever_a_slow_walkers_own_curve_the_landing_is_found(speed: float, person: int) -> None:
    """Both limbs another curve: the forward push comes up to 0.16 s early or late, taking the weight does
    not.  Every contact within 0.1 s, and those of one limb alike."""
    script = (Stand(6.0), Walk(seconds=25.0), Stand(5.0))
    walker = WalkerParams(speed_m_s=speed, person_seed=person, limbs_alike=False)
    walk = walked(script, walker, seed=person)
    for side in Side:
        matched = steady(walk, IC, side, within_s=0.1)
        assert matched.recall == 1.0
        assert matched.error_s.std() < 0.010


@pytest.mark.parametrize("speed", SPEEDS)
def test_contacts_are_not_biased_by_more_than_a_frame_or_two(speed: float) -> None:
    """Mean error of both limbs.  Measured IC -13 .. +5 ms, FC -2 .. -9 ms over the speeds."""
    for kind, most_s in ((IC, 0.020), (FC, 0.015)):
        errors = [steady(plain_walk(speed, seed=s), kind, side).error_s for s in (1, 2) for side in Side]
        assert abs(np.concatenate(errors).mean()) < most_s


@pytest.mark.parametrize("seed", [3, 4])
def test_a_limb_that_swings_half_as_far_is_seen_as_well(seed: int) -> None:
    """Each limb has its own level: 0.5 times the other's range of motion, at 0.9 m/s."""
    script = (Stand(6.0), Walk(seconds=25.0), Stand(5.0))
    walk = walked(script, WalkerParams(speed_m_s=0.9, thigh_rom_ratio=0.5), seed=seed)
    for side in Side:
        assert steady(walk, IC, side, within_s=0.15).recall == 1.0
        assert steady(walk, FC, side, within_s=0.15).recall == 1.0


def test_sensors_on_the_bones_or_on_loose_skin() -> None:
    """Nothing to hear of a landing at all, and a hard one that rings: contacts are found either way."""
    script = (Stand(6.0), Walk(seconds=25.0), Stand(5.0))
    for tissue in (TissueParams.none(), TissueParams(transient_m_s2=12.0, wobble_deg=3.0, onset_s=0.02)):
        walk = walked(script, WalkerParams(tissue=tissue), seed=7)
        for side in Side:
            assert steady(walk, IC, side, within_s=0.15).recall == 1.0


@pytest.mark.parametrize("rate_hz", [60.0, 120.0])
def test_other_rates(rate_hz: float) -> None:
    script = (Stand(6.0), Walk(seconds=25.0), Stand(5.0))
    walk = walked(script, WalkerParams(speed_m_s=1.1), SensorParams(rate_hz=rate_hz), seed=9)
    for side in Side:
        assert steady(walk, IC, side, within_s=0.15).recall == 1.0
        assert steady(walk, FC, side, within_s=0.15).recall == 1.0


def test_slowing_down_loses_no_contact() -> None:
    """The recent swings must not keep a limb's own level up for good: 12 s fast, then 20 s slow."""
    script = (Stand(5.0), Walk(seconds=12.0), Walk(seconds=20.0, speed_m_s=0.6), Stand(5.0))
    walk = walked(script, WalkerParams(speed_m_s=1.6), seed=1)
    for side in Side:
        assert steady(walk, IC, side).recall > 0.9


def test_none_in_standing_before_between_and_after() -> None:
    script = (Stand(10.0), Walk(seconds=15.0), Stand(12.0), Walk(seconds=15.0), Stand(10.0))
    walk = walked(script, WalkerParams(standing_sway_deg=0.8), seed=2)
    walks = [(s.start_s, s.end_s) for s in walk.simulated.truth.states if s.kind is StateKind.WALK]
    assert len(walks) == 2
    assert all(any(a - 0.3 < c.t_s < b + 0.3 for a, b in walks) for c in walk.contacts())


@pytest.mark.parametrize("speed", [0.5, 1.25])
def test_each_limbs_contacts_take_turns(speed: float) -> None:
    walk = plain_walk(speed)
    for side in Side:
        kinds = [c.kind for c in sorted(walk.contacts(side), key=by_time)]
        assert all(a is not b for a, b in pairwise(kinds))


def by_time(c: Contact) -> float:
    return c.t_s
