"""Intervals of guided tests: of repeats, of slow signals, and of the difference of two sessions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gaitmon.sessions.compare import apart, mean_of
from gaitmon.sessions.values import Error, Value, error_of_mean, of_repeats

WALKS = 2000


def covered(hits: list[bool]) -> None:
    """95 % of them, to 4 standard errors."""
    assert abs(np.mean(hits) - 0.95) < 4.0 * math.sqrt(0.95 * 0.05 / len(hits))


def holds(value: Value, true: float) -> bool:
    assert value.interval is not None
    return value.interval[0] <= true <= value.interval[1]


@pytest.mark.parametrize("n", [2, 3, 5])
def test_few_repeats_are_covered_as_often_as_many(n: int) -> None:
    """With 1.96 standard errors two repeats would be covered in 70 of 100."""
    rng = np.random.default_rng(n)
    x = 1.2 + 0.1 * rng.standard_normal((WALKS, n))
    covered([holds(of_repeats("test_rising_one_s", row.tolist(), "rises"), 1.2) for row in x])


def test_a_known_error_that_repeats_share_is_in_the_interval() -> None:
    rng = np.random.default_rng(7)
    x = 1.2 + 0.1 * rng.standard_normal((WALKS, 5)) + 0.1 * rng.standard_normal((WALKS, 1))
    hits = [holds(of_repeats("test_rising_one_s", row.tolist(), "rises", Error(0.1)), 1.2) for row in x]
    covered(hits)


def test_the_mean_of_a_slow_sway_is_covered() -> None:
    """Noise of about a second's memory, 15 s of it: five stretches."""
    rng = np.random.default_rng(8)
    box = np.full(50, 1.0 / 50)
    hits = []
    for _ in range(WALKS):
        x = np.convolve(rng.standard_normal(1549), box, "valid")
        hits.append(
            holds(Value.within("test_stance_tilt_deg", float(x.mean()), error_of_mean(x, 100.0), 15), 0)
        )
    assert np.mean(hits) > 0.92


def test_the_arms_of_a_difference_are_those_of_its_two_values() -> None:
    """Zou & Donner 2008: later's lower arm goes with the earlier's upper one."""
    earlier = Value("pci_pct", 4.0, 0.5, 40, "", (3.0, 6.0))
    later = Value("pci_pct", 5.0, 0.5, 40, "", (4.5, 7.0))
    found = apart(earlier, later)
    assert found == pytest.approx((1.0 - math.hypot(0.5, 2.0), 1.0 + math.hypot(2.0, 1.0)))


@pytest.mark.parametrize("n", [2, 3])
def test_the_mean_of_a_test_done_again_is_covered_where_repeats_differ_most(n: int) -> None:
    """What each measurement is uncertain by is small beside how repeats differ: 1.96 of their scatter would
    cover 70 of 100 with two."""
    rng = np.random.default_rng(9)
    hits = []
    for x in 10.0 + rng.standard_normal((WALKS, n)):
        own = [Value.within("test_walk_time_s", float(v), 0.001, 17) for v in x]
        hits.append(holds(mean_of(own), 10.0))
    covered(hits)
