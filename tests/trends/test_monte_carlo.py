"""The published false-alarm figures, checked on a small seeded sample; the tables are made by
``python -m tests.trends.monte_carlo``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gaitmon.trends import DEFAULT_PARAMS
from tests.trends.monte_carlo import (
    Scenario,
    alerts,
    median_delay,
    no_change,
    noise,
    params_for,
    ramp,
    share_alerted,
    step,
    wilson,
)

BUDGET_90_DAYS = 0.10  # docs/alerts.md: what we promise for ordinary wearers


@pytest.mark.parametrize("mean", [10.0, 0.0], ids=["one-sided", "two-sided"])
def test_false_alerts_stay_within_the_promise(mean: float) -> None:
    """300 wearers for 90 days at ρ = 0.6: the whole 95 % interval has to lie below the promise.

    Planted mistakes that this sees: no baseline error in the limit, one agreeing metric, no persistence
    together with a smaller limit.
    """
    scenario = Scenario(rho=0.6, mean=mean)
    days = alerts(scenario, no_change(scenario, 90), 300, seed=11)
    assert wilson(share_alerted(days, 90), 300)[1] <= BUDGET_90_DAYS


def test_the_promise_is_broken_by_the_textbook_limit() -> None:
    """The test above can fail: a textbook limit on any one metric alerts for every other wearer."""
    scenario = Scenario(rho=0.6)
    textbook = replace(
        params_for(scenario), agreeing_metrics=1, persist_days=1, limit_one_sided=2.0, floor_sd=0.0
    )
    days = alerts(scenario, no_change(scenario, 90), 60, seed=11, params=textbook)
    assert wilson(share_alerted(days, 90), 60)[0] > BUDGET_90_DAYS


def test_a_noisy_wearer_is_not_alerted_by_the_one_metric_branch() -> None:
    """With an MDC far below the wearer's own scatter, "more than two MDCs" alone would be every week."""
    scenario = Scenario(rho=0.6, mdc=0.25)
    days = alerts(scenario, no_change(scenario, 90), 250, seed=12)
    assert wilson(share_alerted(days, 90), 250)[1] <= 0.15
    unguarded = replace(params_for(scenario), severe_sd=0.0)
    days = alerts(scenario, no_change(scenario, 90), 30, seed=12, params=unguarded)
    assert share_alerted(days, 90) > 0.5


def test_changes_are_found_in_time() -> None:
    scenario = Scenario(rho=0.6)
    for change, latest in ((step(scenario, 2), 9), (step(scenario, 3), 5), (ramp(scenario, 3), 21)):
        days = alerts(scenario, change, 60, seed=13)
        assert share_alerted(days, 90) > 0.95
        assert median_delay(days) <= latest


def test_the_noise_is_what_it_says() -> None:
    x = noise(Scenario(rho=0.6, phi=0.3), 20_000, np.random.default_rng(1))
    assert x.std(axis=0) == pytest.approx(np.ones(5), abs=0.03)
    assert float(np.mean(x[:, 0] * x[:, 1])) == pytest.approx(0.6, abs=0.03)
    assert float(np.mean(x[1:, 0] * x[:-1, 0])) == pytest.approx(0.3, abs=0.03)


def test_the_default_rule_is_the_one_that_was_measured() -> None:
    assert DEFAULT_PARAMS.smoothing == 0.2
    assert (DEFAULT_PARAMS.limit_one_sided, DEFAULT_PARAMS.limit_two_sided) == (3.0, 3.3)
    assert (DEFAULT_PARAMS.persist_days, DEFAULT_PARAMS.agreeing_metrics) == (2, 2)
