"""What is called a change, and what is not."""

from __future__ import annotations

import pytest

from gaitmon.errors import ConfigError
from gaitmon.model import Side
from gaitmon.sessions.compare import Verdict, compare, verdict
from gaitmon.sessions.kinds import Kind
from gaitmon.sessions.record import Conditions
from gaitmon.sessions.results import SessionResults, session_results
from tests.sessions.practice import Practice, practice


@pytest.mark.parametrize(
    ("difference", "interval", "mdc", "said"),
    [
        (0.1, (0.05, 0.15), 0.18, Verdict.WITHIN),  # below the MDC, however sure
        (0.2, (0.15, 0.25), 0.18, Verdict.CHANGED),
        (-0.2, (-0.25, -0.15), 0.18, Verdict.CHANGED),
        (0.2, (-0.1, 0.5), 0.18, Verdict.WITHIN),  # above it, but these two measurements are too uncertain
        (0.2, None, 0.18, Verdict.CHANGED),
        (0.2, (0.1, 0.3), None, Verdict.DIFFERS),
        (0.05, (-0.05, 0.15), None, Verdict.WITHIN),
        (0.05, None, None, Verdict.UNKNOWN),
    ],
)
def test_a_change_is_more_than_the_mdc_and_more_than_the_uncertainty(
    difference: float, interval: tuple[float, float] | None, mdc: float | None, said: Verdict
) -> None:
    assert verdict(difference, interval, mdc) is said


def results(p: Practice, **changes: object) -> SessionResults:
    return session_results(p.session(marks_s=1.0).model_copy(update=changes), p.recording)


def test_a_slower_walk_and_a_larger_drop_are_found_and_nothing_is_invented() -> None:
    before = results(practice(), conditions=Conditions(footwear="trainers", pain=3))
    after = results(
        practice(seed=8, speed_m_s=0.8, drop_deg=4.0),
        id="s2",
        conditions=Conditions(footwear="barefoot", pain=3),
    )
    found = compare(before, after)
    assert found.conditions == (("footwear", "trainers", "barefoot"),)
    said = {(d.kind, d.side, d.metric): d for d in found.differences}
    speed = said[Kind.TEN_METRE_WALK, None, "test_walk_speed_m_s"]
    assert speed.verdict is Verdict.CHANGED
    assert speed.difference == pytest.approx(-0.3, abs=0.06)
    drop = said[Kind.SINGLE_LEG_STANCE, Side.LEFT, "test_single_leg_drop_mean_deg"]
    assert drop.verdict is Verdict.CHANGED
    assert drop.difference == pytest.approx(4.0, abs=0.7)
    assert said[Kind.SIT_TO_STAND, None, "test_rising_time_s"].verdict is Verdict.WITHIN
    assert said[Kind.TEN_METRE_WALK, None, "pci_pct"].verdict is Verdict.UNKNOWN
    assert found.not_in_both == ()


def test_the_same_session_differs_in_nothing() -> None:
    one = results(practice())
    assert {d.verdict for d in compare(one, one).differences} <= {Verdict.WITHIN, Verdict.UNKNOWN}
    assert {d.difference for d in compare(one, one).differences} <= {0.0, None}


def test_two_wearers_are_not_compared() -> None:
    one = results(practice())
    with pytest.raises(ConfigError, match="of one wearer"):
        compare(one, results(practice(), wearer="w2"))
