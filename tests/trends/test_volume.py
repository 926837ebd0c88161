"""Volume of a day: postures added up, sitting broken or not, bouts by length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gaitmon.model import MetricValue, Posture, Turn
from gaitmon.trends.days import DayValue
from gaitmon.trends.volume import volume_values

BERLIN = ZoneInfo("Europe/Berlin")
MORNING_US = int(datetime(2026, 11, 20, 8, 0, tzinfo=BERLIN).timestamp()) * 10**6


@dataclass(frozen=True)
class Span:
    posture: str
    start_utc_us: int
    end_utc_us: int
    simulated: bool = False


@dataclass(frozen=True)
class Bout:
    start_utc_us: int
    end_utc_us: int
    n_steps: int = 0
    turns: tuple[Turn, ...] = ()
    metrics: tuple[MetricValue, ...] = ()
    simulated: bool = False


def spans(*parts: tuple[Posture, float], start_us: int = MORNING_US) -> list[Span]:
    """Postures and minutes, one after the other."""
    out = []
    for posture, minutes in parts:
        end = start_us + round(60e6 * minutes)
        out.append(Span(posture.value, start_us, end))
        start_us = end
    return out


def day(values: Sequence[DayValue], name: str = "2026-11-20") -> dict[str, float]:
    return {v.metric: v.value for v in values if v.day == name and v.value is not None}


SIT, STAND, WALK, LIE = Posture.SITTING, Posture.STANDING, Posture.WALKING, Posture.LYING


def test_minutes_are_added_up_and_rises_counted() -> None:
    of = day(
        volume_values(spans((SIT, 20), (SIT, 20), (STAND, 3), (WALK, 5), (SIT, 20), (STAND, 1)), [], BERLIN)
    )
    assert of["day_sitting_min"] == 60.0
    assert of["day_walking_min"] == 5.0
    assert of["day_worn_min"] == 69.0
    assert of["day_rises_n"] == 2
    assert of["day_longest_sit_min"] == 40.0
    assert of["day_sitting_breaks_per_h"] == pytest.approx(2.0)


def test_a_minute_upright_does_not_break_a_sedentary_hour_and_two_do() -> None:
    short = day(volume_values(spans((SIT, 31), (STAND, 1.9), (SIT, 30)), [], BERLIN))
    assert (short["day_sits_over_30_min_n"], short["day_sits_over_60_min_n"]) == (1, 1)
    long = day(volume_values(spans((SIT, 31), (STAND, 2), (SIT, 30)), [], BERLIN))
    assert (long["day_sits_over_30_min_n"], long["day_sits_over_60_min_n"]) == (2, 0)


def test_time_that_is_not_known_is_never_sitting() -> None:
    of = day(volume_values(spans((SIT, 31), (Posture.UNKNOWN, 1), (SIT, 31)), [], BERLIN))
    assert of["day_sits_over_60_min_n"] == 0
    assert of["day_longest_sit_min"] == 31.0
    assert of["day_rises_n"] == 0


def test_a_night_counts_on_both_days_and_not_worn_is_no_day() -> None:
    evening_us = int(datetime(2026, 11, 20, 22, 0, tzinfo=BERLIN).timestamp()) * 10**6
    values = volume_values(spans((LIE, 60 * 11), start_us=evening_us), [], BERLIN)
    assert day(values)["day_lying_min"] == 120.0
    assert day(values, "2026-11-21")["day_lying_min"] == 540.0
    assert not any(v.valid for v in values)


def test_ten_hours_worn_make_a_valid_day() -> None:
    assert all(v.valid for v in volume_values(spans((SIT, 500), (STAND, 101)), [], BERLIN))
    assert not any(v.valid for v in volume_values(spans((SIT, 500), (Posture.UNWORN, 101)), [], BERLIN))


def test_the_clocks_change_and_the_day_has_25_hours() -> None:
    start_us = int(datetime(2026, 10, 25, 0, 0, tzinfo=BERLIN).timestamp()) * 10**6
    assert day(volume_values(spans((LIE, 1500), start_us=start_us), [], BERLIN), "2026-10-25") == {
        **day(volume_values(spans((LIE, 1500), start_us=start_us), [], UTC), "2026-10-25"),
        "day_lying_min": 1500.0,
        "day_worn_min": 1500.0,
        "day_longest_sit_min": 1500.0,
    }


def walk(seconds: float, speed: float | None = None, turns: tuple[Turn, ...] = ()) -> Bout:
    metrics = () if speed is None else (MetricValue("walking_speed_m_s", speed, 0.1, 9, 9),)
    return Bout(MORNING_US, MORNING_US + round(seconds * 1e6), round(2 * seconds), turns, metrics)


def test_bouts_by_length_and_what_mobilise_d_makes_of_them() -> None:
    left, right = Turn(1.0, 2.0, 1.5), Turn(1.0, 2.0, -1.5)
    bouts = [walk(5), walk(20, 1.0, (left, left, left, right)), walk(40, 1.2), walk(90, 1.4)]
    of = day(volume_values([], bouts, BERLIN))
    classes = [of[f"day_bouts_{c}_n"] for c in ("under_10_s", "10_30_s", "30_60_s", "over_60_s")]
    assert classes == [1, 1, 1, 1]
    assert of["day_steps_n"] == 310
    assert of["day_turns_leftward_pct"] == 75.0
    assert of["day_speed_10_30_s_m_s"] == 1.0
    assert of["day_speed_over_30_s_m_s"] == pytest.approx(1.3)
    assert of["day_bout_median_s"] == 30.0
    assert 1.3 < of["day_speed_p90_m_s"] < 1.4
    assert "day_cadence_over_30_s_steps_min" not in of


def test_nothing_gives_nothing() -> None:
    assert volume_values([], [], BERLIN) == []
