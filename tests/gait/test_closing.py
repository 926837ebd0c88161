"""What ends a walk, on pushes made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.gait.closing import ClosingParams, ClosingStep, carried_m_s2
from gaitmon.model import Floats

P = ClosingParams()
PEAK, PERIOD = 20, 110  # a push counts from 20 to 53 samples after the peak


def limb(push_m_s2: float, at: int = 35, up_m_s2: float = 9.0) -> Floats:
    rows = np.zeros((150, 3))
    rows[:, 1] = -1.0
    rows[PEAK + at, 1] = push_m_s2
    rows[:, 2] = up_m_s2
    return rows


def closes(step: ClosingStep, rows: Floats) -> bool:
    return step.is_one(rows, PEAK, PERIOD, P)


def test_a_push_below_a_quarter_of_the_usual_one_closes() -> None:
    step = ClosingStep()
    assert not any(closes(step, limb(2.0)) for _ in range(4))
    assert not closes(step, limb(0.6))
    assert closes(step, limb(0.4))


def test_the_first_landing_and_weak_ones_tell_nothing() -> None:
    step = ClosingStep()
    assert not closes(step, limb(0.0))
    assert not any(closes(step, limb(0.3)) for _ in range(3))
    assert not closes(step, limb(0.0)), "a usual push of 0.3 m/s2 is within its scatter"


@pytest.mark.parametrize("at", [19, 53])
def test_a_push_elsewhere_does_not_count(at: int) -> None:
    step = ClosingStep()
    for _ in range(3):
        closes(step, limb(2.0))
    assert closes(step, limb(2.0, at=at))


def test_the_usual_push_is_that_of_the_latest_landings() -> None:
    step = ClosingStep()
    for push in (*[8.0] * 6, *[1.0] * 6):
        closes(step, limb(push))
    assert not closes(step, limb(0.3))


def test_where_the_recording_ends_there_is_no_push() -> None:
    step = ClosingStep()
    for _ in range(3):
        closes(step, limb(2.0))
    assert closes(step, limb(2.0)[: PEAK + 10])


def test_what_is_carried_is_the_mean_of_the_last_samples() -> None:
    rows = limb(1.0)
    rows[90:100, 2] = np.arange(10.0)
    assert carried_m_s2(rows, 20, 100, 10) == 4.5
    assert carried_m_s2(rows, 0, 90, 10) == 9.0


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_whoever_is_not_seen_throughout_carries_nothing_known(channel: int) -> None:
    rows = limb(1.0)
    rows[21, channel] = np.nan
    assert np.isnan(carried_m_s2(rows, 20, 100, 10))
    assert carried_m_s2(rows, 22, 100, 10) == 9.0
    assert np.isnan(carried_m_s2(rows, -1, 20, 10))
    assert np.isnan(carried_m_s2(rows, 100, 151, 10))
