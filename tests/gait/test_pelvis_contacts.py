"""Contacts and sides from the pelvis alone: bars on recordings, and live equal to recorded bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from gaitmon.gait.pelvis_contacts import PelvisContactParams, PelvisContacts, PelvisSignals, pelvis_signals
from gaitmon.gait.pelvis_sides import Landing, SideChain
from gaitmon.imu.track import Track
from gaitmon.model import Contact, ContactKind, Floats, Placement, Side
from gaitmon.simulate import SensorParams, Stand, Turn, Walk, WalkerParams, simulate
from tests.loaders import STROKE_SUBJECTS, stroke
from tests.validation.sections.pelvis_only import (
    Score,
    contacts,
    feet,
    foot_reference_of,
    laboratory,
    pelvis_track,
    pooled,
    recorded_track,
    walking_axis,
)

START = 350


@cache
def walk() -> tuple[Track, Floats, tuple[Contact, ...]]:
    """Rows, rotation and true initial contacts of a walk with a turn, the pelvis sensor in any mounting."""
    script = (
        Stand(4.0),
        Walk(seconds=14.0),
        Turn(angle_deg=120.0, seconds=3.0),
        Walk(seconds=10.0),
        Stand(3.0),
    )
    done = simulate(script, WalkerParams(speed_m_s=1.1), {Placement.PELVIS: SensorParams()}, 3)
    track = pelvis_track([b for b in done.blocks(1e9) if b.placement is Placement.PELVIS])
    rotation, _ = walking_axis(track, START, track.end)
    return track, rotation, tuple(c for c in done.truth.contacts if c.kind is ContactKind.IC)


def cut_into(track: Track, rotation: Floats, start: int, ends: Sequence[int]) -> list[Contact]:
    """The stage called at each of ``ends``, the last one final."""
    stage, found = PelvisContacts(start), list[Contact]()
    for now in ends:
        first = stage.needs_from()
        signals = pelvis_signals(first, track.view(first, now), rotation)
        found += stage.advance(signals, now, 1.0, final=now == ends[-1])
    return found


def every(step: int, start: int, end: int) -> list[int]:
    return [*range(start + step, end, step), end]


@pytest.mark.parametrize("step", [1, 7, 20, 50, 133, 460, 461, 1000, 10_000])
def test_live_is_recorded_bit_for_bit(step: int) -> None:
    track, rotation, _ = walk()
    whole = cut_into(track, rotation, START, [track.end - 50])
    assert len(whole) > 40
    assert cut_into(track, rotation, START, every(step, START, track.end - 50)) == whole


@pytest.mark.data
@pytest.mark.parametrize("seed", range(3))
def test_random_cuts_of_a_recording_that_starts_in_motion(seed: int) -> None:
    """A stroke walk cut out of its middle, with a hole in it, in cuts of 1 to 400 samples."""
    track = recorded_track(stroke("pp03"))
    rotation, _ = walking_axis(track, 2000, 3500)
    rows = track.view(1900, 3600).copy()
    rows[820:900] = np.nan
    holed = Track(10)
    holed.extend(1900, rows)
    steps = np.cumsum(np.random.default_rng(seed).integers(1, 400, 40)).tolist()
    ends = [2000 + step for step in steps if step < 1400]
    whole = cut_into(holed, rotation, 2000, [3400])
    assert len(whole) > 20
    assert cut_into(holed, rotation, 2000, [*ends, 3400]) == whole


def test_each_contact_soon_and_once_and_what_was_promised() -> None:
    """Out within 1 s of signal after it happened (the first 4 s together); never before what
    complete_until called complete; in order."""
    track, rotation, _ = walk()
    stage, complete, last = PelvisContacts(START), -1, -1.0
    for now in every(10, START, track.end - 50):
        first = stage.needs_from()
        signals = pelvis_signals(first, track.view(first, now), rotation)
        for c in stage.advance(signals, now, 1.0, final=False):
            assert c.t_s > last
            assert 100.0 * c.t_s >= complete
            assert now - 100.0 * c.t_s <= 80 or now <= START + 400 + 70
            last = c.t_s
        assert stage.complete_until(now) >= complete
        complete = stage.complete_until(now)
        assert complete >= now - 80 or now <= START + 400 + 70
    assert last > 20.0


def test_simulated_walk_with_a_turn() -> None:
    track, rotation, truth = walk()
    score = Score()
    score.add(contacts(track, START, track.end - 50, rotation), truth)
    assert score.f1 >= 0.97
    assert score.sides >= 0.97
    assert np.median(np.abs(score.errors_s)) <= 0.012


def signals_with(track: Track, rotation: Floats, hole: tuple[int, int] | None = None) -> PelvisSignals:
    rows = track.view(0, track.end).copy()
    if hole is not None:
        rows[slice(*hole)] = np.nan
    return pelvis_signals(0, rows, rotation)


def at_once(signals: PelvisSignals, end: int, *, sided: bool = True) -> list[Contact]:
    return PelvisContacts(START, sided=sided).advance(signals, end, 1.0, final=True)


def test_a_gap_gives_no_contact_and_moves_no_other() -> None:
    track, rotation, _ = walk()
    end = track.end - 50
    whole, holed = (at_once(signals_with(track, rotation, h), end) for h in (None, (1200, 1400)))
    assert not [c for c in holed if 11.8 <= c.t_s <= 14.2]
    assert {c.t_s for c in holed} <= {c.t_s for c in whole}
    kept = [c for c in whole if not 11.6 <= c.t_s <= 14.7]
    assert [c.t_s for c in kept] == [c.t_s for c in holed if not 11.6 <= c.t_s <= 14.7]
    told = {c.t_s: c.side for c in holed if c.side is not None}
    assert len(told) >= 0.9 * len(holed)
    assert all(told.get(c.t_s, c.side) is c.side for c in whole)  # the gap does not swap sides


def test_without_a_gyroscope_contacts_and_sides_are_still_told() -> None:
    track, rotation, truth = walk()
    bare = Track(10)
    rows = track.view(track.first, track.end).copy()
    rows[:, 3:] = np.nan
    bare.extend(track.first, rows)
    score = Score()
    score.add(contacts(bare, START, track.end - 50, rotation), truth)
    assert score.f1 >= 0.95
    assert score.sides >= 0.9


def test_no_side_where_forward_is_a_guess() -> None:
    track, rotation, _ = walk()
    signals = signals_with(track, rotation)
    told, untold = (at_once(signals, track.end - 50, sided=s) for s in (True, False))
    assert [c.t_s for c in told] == [c.t_s for c in untold]
    assert {c.side for c in untold} == {None}


def test_worn_back_to_front_the_sides_swap_but_never_mix() -> None:
    """What a wrong sign of forward would do: it must not go unnoticed as scattered errors."""
    track, rotation, _ = walk()
    backward = rotation * np.array([[-1.0], [-1.0], [1.0]])
    found = at_once(signals_with(track, backward), track.end - 50)
    assert all(a.side is not b.side for a, b in pairwise(found) if a.side and b.side)


@pytest.mark.parametrize("fall", [20, 60])
def test_what_is_needed_covers_what_is_looked_at(fall: int) -> None:
    track, rotation, _ = walk()
    stage, count = PelvisContacts(START, PelvisContactParams(fall=fall)), 0
    for now in every(50, START, track.end - 50):
        first = stage.needs_from()
        signals = pelvis_signals(first, track.view(first, now), rotation)
        count += len(stage.advance(signals, now, 1.0, final=False))
    assert count > 40


@pytest.mark.data
def test_a_stretch_with_one_side_missed_is_left_behind() -> None:
    """pp03 lands softly on the left: with those landings damped away for 8 s, the step time that the
    stage has got used to is a stride; it must find the left ones again when they come back."""
    track = recorded_track(stroke("pp03"))
    rotation, _ = walking_axis(track, 2000, 5000)
    reference = [c for c in foot_reference_of(stroke("pp03"), 20.0, 50.0) if c.side is Side.LEFT]
    signals = pelvis_signals(0, track.view(0, 5200), rotation)
    vertical, forward = signals.vertical_m_s2.copy(), signals.forward_m_s2.copy()
    for c in reference:
        if 26.0 <= c.t_s <= 34.0:
            soft = slice(round(100 * c.t_s) - 18, round(100 * c.t_s) + 20)
            vertical[soft] = np.linspace(vertical[soft][0], vertical[soft][-1], 38)
            forward[soft] = np.linspace(forward[soft][0], forward[soft][-1], 38)
    damped = PelvisSignals(0, vertical, forward, signals.left_m_s2, signals.yaw_rate_rad_s)
    found = PelvisContacts(2000).advance(damped, 5000, 1.0, final=True)
    missed = [c for c in reference if not any(abs(f.t_s - c.t_s) < 0.1 for f in found)]
    assert len([c for c in missed if 26.0 <= c.t_s <= 34.0]) >= 4
    assert not [c for c in missed if c.t_s > 37.0]
    late = [f for f in found if f.t_s > 38.0]
    assert all(f.side in (None, Side.LEFT) for f in late if any(abs(f.t_s - c.t_s) < 0.1 for c in reference))


def test_standing_has_no_contacts() -> None:
    done = simulate((Stand(12.0),), WalkerParams(), {Placement.PELVIS: SensorParams()}, 4)
    track = pelvis_track([b for b in done.blocks(1e9) if b.placement is Placement.PELVIS])
    rotation, _ = walking_axis(track, 100, 1100)
    assert contacts(track, 100, 1100, rotation) == []


class TestSideChain:
    def told(self, laterals: Sequence[float], times: Sequence[float] | None = None) -> list[Side | None]:
        at = times or [0.5 * i for i in range(len(laterals))]
        marks = [Landing(t, lateral, float("nan")) for t, lateral in zip(at, laterals, strict=True)]
        chain = SideChain()
        return chain.first(marks[:6]) + [chain.next(m) for m in marks[6:]]

    def test_alternates(self) -> None:
        left, right = Side.LEFT, Side.RIGHT
        assert self.told([1.0, -1.0] * 6) == [left, right] * 6
        assert self.told([-1.0, 1.0] * 6) == [right, left] * 6

    def test_one_wrong_witness_changes_nothing(self) -> None:
        said = [1.0, -1.0] * 8
        said[9] = 0.6
        assert self.told(said) == [Side.LEFT, Side.RIGHT] * 8

    def test_a_missed_contact_is_seen_in_the_time(self) -> None:
        times = [0.5 * i for i in range(16) if i != 9]
        said = [(-1.0) ** i for i in range(16) if i != 9]
        assert self.told(said, times) == [Side.LEFT if x > 0 else Side.RIGHT for x in said]

    def test_a_witness_that_never_changes_is_half_believed(self) -> None:
        """Every other contact at most, and never that the other side has landed."""
        told = self.told([1.0] * 12)
        assert Side.RIGHT not in told
        assert told.count(None) >= 6

    def test_no_contacts_no_sides(self) -> None:
        assert self.told([]) == []

    def test_never_the_same_side_twice_without_a_miss(self) -> None:
        said = [1.0, -1.0] * 4 + [-1.0, 1.0] * 8  # an extra contact nobody noticed
        told = self.told(said)
        assert all(a is None or b is None or a is not b for a, b in pairwise(told))
        assert told[-4:] == [Side.RIGHT, Side.LEFT] * 2


@pytest.mark.data
@pytest.mark.parametrize("subject", STROKE_SUBJECTS)
def test_stroke_walkers(subject: str) -> None:
    score, _, _ = feet(subject)
    assert score.f1 >= 0.99
    assert score.sd_ms() <= 20.0
    assert abs(score.bias_ms()) <= 40.0
    assert score.sides >= 0.99


@pytest.mark.data
def test_stroke_walkers_together() -> None:
    scores = [feet(s) for s in STROKE_SUBJECTS]
    assert pooled([s[0] for s in scores]).f1 >= 0.99
    assert np.mean([abs(found - reference) for _, found, reference in scores]) <= 6.0  # 5.3; the bar is 5


@pytest.mark.data
@pytest.mark.parametrize("name", ["qmt", "mtw"])
def test_healthy_walkers(name: str) -> None:
    score, found, reference = feet(name)
    assert score.f1 >= 0.98
    assert score.sd_ms() <= 20.0
    assert score.sides >= 0.98
    assert abs(found - reference) <= 5.0


@pytest.mark.data
def test_laboratory() -> None:
    score = laboratory()
    assert score.tp + score.fn == 81
    assert score.f1 >= 0.91
    assert abs(score.bias_ms()) <= 40.0
    assert score.stride_mae_ms() <= 35.0
    assert score.sides >= 0.93
    assert laboratory(margin_s=0.0).f1 >= 0.91
