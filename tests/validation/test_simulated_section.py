"""The simulated section: that it counts what it says it counts, and that its least version holds together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gaitmon.model import ContactKind, Placement, Side, Stride
from gaitmon.simulate import Stand, Walk, simulate
from tests.validation.sections import simulated_report
from tests.validation.sections.simulated_bars import recovery
from tests.validation.sections.simulated_cases import FIRST_SEED, SPEEDS_M_S, Limbs, case, errand, grid
from tests.validation.sections.simulated_causes import cause
from tests.validation.sections.simulated_faults import (
    WORN,
    degraded,
    invented_strides,
    swap,
    swap_case,
)
from tests.validation.sections.simulated_loss import loss, loss_case
from tests.validation.sections.simulated_score import Score, pairs, score, stride_errors, turn_pairs
from tests.validation.sections.simulated_tables import differences_s, events, f1, within_sd

SHORT = (Stand(6.0), Walk(seconds=20.0), Stand(5.0))


def test_pairs_are_each_others_nearest_and_within_the_tolerance() -> None:
    i, j = pairs(np.array([1.0, 1.04, 2.3, 5.0]), np.array([1.01, 2.0, 5.1]), 0.15)
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(0, 0), (3, 2)]
    assert len(pairs(np.zeros(0), np.array([1.0]), 0.15)[0]) == 0


def test_the_truth_scores_without_a_mistake_and_a_false_stride_is_counted() -> None:
    of = case(Limbs.ALIKE, 9000, SHORT, 1.2)
    simulated_walk = simulate(of.script, of.walker, of.sensors, of.seed)
    truth = simulated_walk.truth
    given = [Stride(s.side, s.ordinal, s.start_s, s.fc_s, s.end_s) for s in truth.strides]
    errors, times, extra = stride_errors(given, truth)
    assert extra == 0
    assert np.abs(errors).max() == 0.0
    assert len(times) == sum(len(truth.own(side)) for side in Side)
    # A stride over two strides, and one whose side is wrong, are none.
    double = replace(given[0], end_s=given[0].end_s + given[0].duration_s)
    other = replace(given[2], side=given[2].side.other if given[2].side else None)
    assert invented_strides([double], simulated_walk) == (1, 1)
    assert invented_strides([other], simulated_walk) == (1, 1)
    assert stride_errors([*given, replace(given[0], start_s=0.5, end_s=1.5)], truth)[2] == 1


def test_a_walk_is_scored_through_the_real_pipeline() -> None:
    of = case(Limbs.ALIKE, 9001, SHORT, 1.2)
    seen = score(of)
    assert seen.minutes == pytest.approx(31.0 / 60.0, abs=0.05)
    for kind in ContactKind:
        many = events([seen], kind)
        assert f1(many, everything=True) > 0.9
        assert 0.0 < within_sd(many) < 0.03
        assert f1(many, tight=True) <= f1(many)
    assert len(differences_s([seen], ContactKind.IC)) == 1
    assert len(turn_pairs([], simulate(of.script, of.walker, of.sensors, of.seed).truth)) == 0


def test_cases_are_reproducible_and_differ_in_limbs_only() -> None:
    some = grid(3)
    assert [(c.walker, c.script) for c in some] == [(c.walker, c.script) for c in grid(3)]
    assert {c.walker.speed_m_s for c in some} == set(SPEEDS_M_S)
    assert {c.sensors.rate_hz for c in some} == {60.0, 100.0, 120.0}
    assert len({c.sensors.mounting_seed for c in some}) == 20
    for alike, unlike, _ in zip(some[::3], some[1::3], some[2::3], strict=True):
        assert replace(alike.walker, limbs_alike=False) == unlike.walker
        assert alike.script == unlike.script == errand(alike.number)
        assert alike.seed == unlike.seed >= FIRST_SEED


def test_a_slopes_error_is_that_of_its_events() -> None:
    """Right initial contacts 0.3 ms later for every per cent: less stance, and more of a step."""
    plain = replace(score(case(Limbs.ALIKE, 9002, SHORT, 1.6)), stance_s=0.6, stride_times_s=np.full(9, 1.0))

    def shifted(level: float) -> Score:
        events = dict(plain.events)
        for kind, per_pct_s in ((ContactKind.IC, 0.0003), (ContactKind.FC, 0.0001)):
            for side in Side:
                late = per_pct_s * level if side is Side.RIGHT else 0.0
                events[kind, side] = replace(plain.events[kind, side], errors_s=np.full(5, 0.01 + late))
        return replace(plain, events=events)

    levels = (-10.0, 0.0, 5.0, 10.0)
    walks = [shifted(level) for level in levels]
    stance, step = (cause(metric, levels, walks) for metric in ("stance_time", "step_time"))
    assert stance.from_ic == pytest.approx(-0.03 / 0.6)
    assert stance.from_fc == pytest.approx(0.01 / 0.6)
    assert step.from_ic == pytest.approx(4 * 0.03)
    assert stance.bend_s == pytest.approx(0.01 + 0.045)
    assert stance.stretched == pytest.approx(-0.055 / 0.6)


def test_recovery_takes_slope_and_offset_per_person() -> None:
    levels = np.array([-10.0, 0.0, 10.0])
    first = np.column_stack([np.full(3, 1.0), np.ones(3), levels, 1.02 * levels + 0.1, levels])
    second = np.column_stack([np.full(3, 2.0), np.ones(3), levels, 0.9 * levels, levels])
    r = recovery(np.vstack([first, second]))
    assert r.slopes == pytest.approx([1.02, 0.9])
    assert r.offsets_pct == pytest.approx([0.1, 0.0])
    assert not r.held


def test_what_goes_wrong_is_measured() -> None:
    swapped = swap(swap_case(0))
    assert swapped.straight_strides <= 60
    assert swapped.right_labels == ""
    assert swapped.swapped_labels in ("swapped", "cannot tell")
    lossy = loss(loss_case(0, 4.0))
    assert 0.15 < lossy.share_lost < 0.45
    assert 0 < lossy.outside.strides[1] <= lossy.outside.strides[0] < lossy.outside.contacts[0]
    assert lossy.inside.contacts[0] > lossy.inside.contacts[1]
    alone = degraded(0, next(w for w in WORN if w.absent == (Placement.PELVIS, Placement.RIGHT_THIGH)))
    assert alone.recall[Side.LEFT] > 0.8
    assert alone.recall[Side.RIGHT] == 0.0
    assert not alone.step_time


def test_the_section_says_which_part_of_it_is_a_circle() -> None:
    text = simulated_report.introduction(1, 1.0)
    assert text.startswith("## ")
    assert "proves arithmetic, not clinical accuracy" in text
    assert "partly a circle" in text
