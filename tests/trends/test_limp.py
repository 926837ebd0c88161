"""The limp index of a day: against the own baseline, with its parts, and nothing before."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gaitmon.symmetry.loading import LIMP_PARTS
from gaitmon.trends import CORE_METRICS, LIMP_INDEX, DayValue, limp_days
from tests.trends.wearers import iso, series, usual

AFTER = 14


def days(changes: dict[str, float], n: int = 14) -> dict[str, list[DayValue]]:
    """n usual days of mean 5 and SD 2, then one on which some parts are other by so many SDs."""
    return {m: series(m, [*usual(5.0, 2.0, n, seed=3), 5.0 + 2.0 * changes.get(m, 0.0)]) for m in LIMP_PARTS}


def test_it_is_the_root_mean_square_of_its_parts() -> None:
    (found,) = limp_days(days({"stance_time_ln_pct": -3.0, "impact_ln_pct": 4.0}))
    assert found.day == iso(AFTER)
    assert found.parts["stance_time_ln_pct"] == pytest.approx(-3.0)
    assert found.parts["impact_ln_pct"] == pytest.approx(4.0)
    assert set(found.parts) == set(LIMP_PARTS)
    assert found.index == pytest.approx(5.0 / math.sqrt(5.0))
    # Each part's error is 0.3 / 2 SD, along (-3, 4) / 5 of five: 0.15 / sqrt(5).
    assert found.standard_error == pytest.approx(0.15 / math.sqrt(5.0))


def test_nothing_before_there_is_a_baseline_of_every_part() -> None:
    assert limp_days(days({}, n=12)) == []
    whole = days({})
    assert len(limp_days(whole)) == 1
    for part in LIMP_PARTS:
        assert limp_days({m: x for m, x in whole.items() if m != part}) == []


def test_a_day_without_a_valid_part_has_none() -> None:
    whole = days({})
    last = whole["drop_asym_deg"].pop()
    assert limp_days(whole) == []
    whole["drop_asym_deg"].append(replace(last, valid=False))
    assert limp_days(whole) == []
    whole["drop_asym_deg"][-1] = replace(last, standard_error=None)
    (found,) = limp_days(whole)
    assert found.standard_error is None


def test_it_is_never_watched() -> None:
    assert LIMP_INDEX not in {rule.metric for rule in CORE_METRICS}
