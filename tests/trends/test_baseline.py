from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from gaitmon.trends import DEFAULT_PARAMS, BaselineParams, Direction, Harm, MetricRule, baseline
from gaitmon.trends.baseline import lag1_autocorrelation
from tests.trends.wearers import iso, series, usual

RULE = MetricRule("step_time_ln_pct", "%", 3.0, Harm.ASYMMETRY, "step time")


def test_thirteen_days_are_too_few_and_the_fourteenth_settles_it() -> None:
    values = usual(5.0, 1.0, 14)
    assert baseline(series("step_time_ln_pct", values[:13]), RULE) is None
    base = baseline(series("step_time_ln_pct", values), RULE)
    assert base is not None
    assert base.mean == pytest.approx(5.0)
    assert base.sd == pytest.approx(1.0)
    assert (base.first_day, base.last_day, base.n_days, base.n_strides) == (iso(0), iso(13), 14, 14 * 400)
    assert baseline(series("step_time_ln_pct", [*values, 50.0, 60.0]), RULE) == base


def test_invalid_days_are_no_part_of_it() -> None:
    days = series("m", usual(5.0, 1.0, 14), first=1)
    base = baseline([*series("m", [99.0], valid=False), *days], RULE)
    assert base is not None
    assert base.first_day == iso(1)


def test_fourteen_days_must_lie_within_twenty_eight() -> None:
    every_other: list[float | None] = [v for x in usual(5.0, 1.0, 14) for v in (x, None)]
    base = baseline(series("m", every_other), RULE)
    assert base is not None
    assert base.last_day == iso(26)
    # The first day lies too far back: the window moves on until fourteen fit.
    early = series("m", [5.0])
    base = baseline([*early, *series("m", every_other, first=4)], RULE)
    assert base is not None
    assert (base.first_day, base.last_day) == (iso(4), iso(30))
    every_third: list[float | None] = [v for x in usual(5.0, 1.0, 40) for v in (x, None, None)]
    assert baseline(series("m", every_third), RULE) is None


def test_a_new_baseline_from_a_day_on() -> None:
    days = series("m", [*usual(0.0, 1.0), *usual(8.0, 1.0)])
    params = replace(DEFAULT_PARAMS, baseline=BaselineParams(from_day=iso(14)))
    base = baseline(days, RULE, params)
    assert base is not None
    assert base.mean == pytest.approx(8.0)
    assert base.first_day == iso(14)


@pytest.mark.parametrize(
    ("mean", "harm", "direction"),
    [
        (3.2, Harm.ASYMMETRY, Direction.RIGHT),
        (-3.2, Harm.ASYMMETRY, Direction.LEFT),
        (2.9, Harm.ASYMMETRY, Direction.BOTH),
        (80.0, Harm.LOWER, Direction.LOWER),
    ],
)
def test_direction_of_harm(mean: float, harm: Harm, direction: Direction) -> None:
    base = baseline(series("m", usual(mean, 1.0)), replace(RULE, harm=harm))
    assert base is not None
    assert base.direction is direction


def test_the_limit_is_the_formula_of_the_reference() -> None:
    values = usual(5.0, 2.0)
    base = baseline(series("m", values), RULE)
    assert base is not None
    phi = max(lag1_autocorrelation(np.array(values)), 0.2)
    assert base.autocorrelation == phi
    inflation = (1 + phi) / (1 - phi)
    assert base.half_width == pytest.approx(2.0 * 3.0 * sqrt(0.2 / 1.8 * inflation + inflation / 14))
    symmetric = baseline(series("m", [v - 5.0 for v in values]), RULE)
    assert symmetric is not None
    assert symmetric.half_width == pytest.approx(base.half_width * 3.3 / 3.0)


def test_harm_is_further_from_zero_on_either_side() -> None:
    base = baseline(series("m", usual(-5.0, 1.0)), RULE)
    assert base is not None
    assert base.harm(-8.0) == pytest.approx(3.0)
    assert base.harm(0.0) == pytest.approx(-5.0)
    assert base.harm(9.0) == pytest.approx(4.0)


def test_floors() -> None:
    steady = baseline(series("m", [5.0] * 14), RULE)
    assert steady is not None
    assert (steady.sd, steady.floor, steady.autocorrelation) == (0.5, 0.75, 0.2)
    noisy = baseline(series("m", usual(20.0, 10.0)), RULE)
    assert noisy is not None
    assert noisy.floor == 3.0  # the MDC
    inflation = (1 + noisy.autocorrelation) / (1 - noisy.autocorrelation)
    assert noisy.severe == pytest.approx(30.0 * sqrt(1 + inflation / 14))  # two MDCs are a usual day
    assert steady.severe == 6.0  # two MDCs
    # A trend over the baseline looks like autocorrelation; the ceiling keeps the limit finite.
    drifting = baseline(series("m", [float(i) for i in range(14)]), RULE)
    assert drifting is not None
    assert 0.2 < drifting.autocorrelation <= 0.8


def test_autocorrelation_of_a_long_series() -> None:
    rng = np.random.default_rng(3)
    x = np.zeros(20_000)
    for i in range(1, len(x)):
        x[i] = 0.6 * x[i - 1] + rng.standard_normal()
    assert lag1_autocorrelation(x) == pytest.approx(0.6, abs=0.02)
    assert lag1_autocorrelation(np.array([1.0, -1.0] * 50)) == pytest.approx(-1.0, abs=0.02)


def test_a_day_given_twice_is_refused() -> None:
    days = series("m", usual(0.0, 1.0))
    with pytest.raises(ValueError, match=iso(0)):
        baseline([*days, days[0]], RULE)
