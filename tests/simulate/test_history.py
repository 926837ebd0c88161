"""Simulated days: reproducible one by one, varying as stated, worsening when told to."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gaitmon.model import Placement, Side
from gaitmon.simulate import (
    Deterioration,
    SensorParams,
    Variation,
    Wearer,
    daily_walk,
    day_walker,
    history,
)


def test_a_day_does_not_depend_on_which_days_were_made_before() -> None:
    wearer = Wearer(seed=4, walks_per_day=1, strides_per_leg=6, sensors=SensorParams(rate_hz=60.0))
    third = list(history(wearer, days=4))[3]
    alone = daily_walk(wearer, 3)
    assert third.walker == alone.walker
    for a, b in zip(third.walks, alone.walks, strict=True):
        assert_array_equal(a.streams[Placement.PELVIS].acc_m_s2, b.streams[Placement.PELVIS].acc_m_s2)
    other = daily_walk(wearer, 2)
    mounts = [day.walks[0].truth.mounts[Placement.PELVIS][0].rotation for day in (alone, other)]
    assert not np.allclose(mounts[0], mounts[1])  # worn anew every day


def test_a_day_has_enough_straight_strides_and_turns_both_ways() -> None:
    wearer = Wearer(seed=1, sensors=SensorParams(rate_hz=50.0))
    day = daily_walk(wearer, 0)
    assert min(day.straight_strides()) >= 200
    turns = [t.angle_rad for w in day.walks for t in w.truth.turns]
    assert sum(a > 0 for a in turns) == sum(a < 0 for a in turns) == 4
    left = [s.step_s for w in day.walks for s in w.truth.own(Side.LEFT)]
    right = [s.step_s for w in day.walks for s in w.truth.own(Side.RIGHT)]
    measured = 100.0 * np.log(np.mean(right) / np.mean(left))
    assert measured == pytest.approx(day.walker.step_time_asymmetry_pct, abs=1.0)


def test_day_to_day_variation_is_as_stated() -> None:
    values = []
    for seed in range(40):
        wearer = Wearer(seed=seed)
        values.append([day_walker(wearer, day).stance_time_asymmetry_pct for day in range(40)])
    series = np.array(values)
    assert series.std() == pytest.approx(1.2, rel=0.08)
    lagged = np.mean(series[:, 1:] * series[:, :-1]) / np.mean(series**2)
    assert lagged == pytest.approx(0.3, abs=0.08)
    assert abs(series.mean()) < 0.15


def test_deterioration_starts_when_told_and_is_the_stated_size() -> None:
    worse = Deterioration(
        start_day=10, ramp_days=10, stance_time_pct=8.0, thigh_rom_pct=-12.0, pelvic_drop_left_deg=3.0
    )
    sick, well = (Wearer(seed=2, deterioration=d) for d in (worse, None))
    for day in (0, 5, 10, 15, 20, 30):
        a, b = day_walker(sick, day), day_walker(well, day)
        share = np.clip((day - 10) / 10, 0.0, 1.0)
        assert a.stance_time_asymmetry_pct - b.stance_time_asymmetry_pct == pytest.approx(8.0 * share)
        assert 100 * np.log(a.thigh_rom_ratio / b.thigh_rom_ratio) == pytest.approx(-12.0 * share)
        assert a.pelvic_drop_left_deg - b.pelvic_drop_left_deg == pytest.approx(3.0 * share)
        assert a.step_time_asymmetry_pct == b.step_time_asymmetry_pct
    sudden = Wearer(
        seed=2, deterioration=Deterioration(start_day=3, step_time_pct=5.0), variation=Variation()
    )
    assert day_walker(sudden, 3).step_time_asymmetry_pct - day_walker(
        well, 3
    ).step_time_asymmetry_pct == pytest.approx(5.0)
    assert day_walker(sudden, 2) == day_walker(well, 2)
