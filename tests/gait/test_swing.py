"""Swing peaks, their beginnings and middles, on rates made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.gait.swing import begin_and_middle, peak_or_hole
from gaitmon.model import Floats

HOOD, LEAST = 40, (0.6, 0.14)  # of gaitmon.gait.contacts.ContactParams


def limb(rate: Floats) -> Floats:
    return np.column_stack([rate, np.zeros_like(rate), np.zeros_like(rate)])


def swings(*at: float, height: float = 3.0, width: float = 10.0, n: int = 400) -> Floats:
    t = np.arange(float(n))
    return np.asarray(sum(height * np.exp(-0.5 * ((t - k) / width) ** 2) for k in at) - 0.4)


def found(rate: Floats, start: int = 1, end: int = 399) -> list[int]:
    """Every peak and hole, one after the other."""
    out: list[int] = []
    while (start := peak_or_hole(limb(rate), start, end, HOOD, LEAST)) < end:
        out.append(start)
        start += 1
    return out


def test_a_peak_is_the_highest_of_its_neighbourhood() -> None:
    assert found(swings(100, 210)) == [100, 210]
    assert found(swings(100) + swings(135, height=1.0)) == [100]


@pytest.mark.parametrize(("height", "width"), [(0.9, 10.0), (1.5, 4.0)])
def test_neither_a_slow_motion_nor_a_short_one_is_a_swing(height: float, width: float) -> None:
    """0.5 rad/s at most, or 8 deg at most."""
    assert found(swings(100, 210, height=height, width=width)) == []


def test_of_two_equal_samples_the_first_is_the_peak() -> None:
    assert found(swings(100.5)) == [100]


def test_no_peak_is_told_before_start_or_from_end_on() -> None:
    rate = swings(100, 210)
    assert found(rate, start=101) == [210]
    assert found(rate, end=210) == [100]
    assert peak_or_hole(limb(rate), 300, 200, HOOD, LEAST) == 200  # nothing to judge yet


def test_a_hole_is_told_where_it_ends_and_hides_a_peak_beside_it() -> None:
    rate = swings(100, 210)
    rate[150:160] = np.nan
    assert found(rate) == [100, 159, 210]
    rate[120] = np.nan
    assert found(rate) == [120, 159, 210]


def test_the_swing_begins_where_the_rate_leaves_zero() -> None:
    """A ramp of 0.1 rad/s a sample up to 3 at row 100: 3 % of that lies 29.1 samples before."""
    rate = 3.0 - 0.1 * np.abs(np.arange(400.0) - 100.0)
    begin, middle = begin_and_middle(limb(rate), 100, 0.03)
    assert begin == pytest.approx(-29.1)
    assert middle == pytest.approx(0.0, abs=1e-12)


def test_a_swing_whose_beginning_is_missing_has_none() -> None:
    rate = swings(100)
    rate[75:85] = np.nan
    begin, middle = begin_and_middle(limb(rate), 100, 0.03)
    assert np.isnan(begin)
    assert middle == pytest.approx(0.0, abs=0.01)
    assert np.isnan(begin_and_middle(limb(np.full(400, 1.0)), 100, 0.03)[0]), "it never leaves zero"


def test_the_middle_of_a_lopsided_swing_lies_on_its_long_side() -> None:
    t = np.arange(400.0)
    rate = 3.0 * np.exp(-0.5 * ((t - 100.0) / np.where(t < 100.0, 5.0, 15.0)) ** 2)
    assert begin_and_middle(limb(rate), 100, 0.03)[1] > 3.0
