from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaitmon.model import MetricValue
from gaitmon.store.series import BoutRow, DayRow
from gaitmon.trends import DayValue, day_bounds_utc_us, day_values, local_day
from gaitmon.trends.days import Bout, Day

BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class OneBout:
    start_utc_us: int
    metrics: tuple[MetricValue, ...]
    stratum: str = "straight"
    simulated: bool = False


def utc_us(text: str, zone: tzinfo = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000


def step(value: float | None, n: int, error: float | None = None) -> MetricValue:
    return MetricValue("step_time_ln_pct", value, error, n // 2, n - n // 2)


def only(values: list[DayValue]) -> DayValue:
    assert len(values) == 1
    return values[0]


def test_rows_of_the_store_are_bouts_and_days() -> None:
    bout: Bout = BoutRow("w", "s", 0, 0, 0, 1, 0.0, 1.0, "straight", 4, 1, 1, (), (), (), False)
    day: Day = DayRow("w", "2026-03-01", "straight", "m", 1.0, None, 200, 1, True, False)
    assert bout.stratum == day.stratum if isinstance(day, DayRow) else False


def test_a_day_is_the_stride_weighted_signed_mean() -> None:
    noon = utc_us("2026-03-01T12:00")
    day = only(day_values([OneBout(noon, (step(-4.0, 300),)), OneBout(noon + 1, (step(4.0, 100),))], UTC))
    assert day.value == pytest.approx(-2.0)
    assert (day.n_strides, day.n_bouts, day.valid) == (400, 2, True)


def test_bouts_without_a_value_count_for_nothing() -> None:
    noon = utc_us("2026-03-01T12:00")
    bouts = [OneBout(noon, (step(None, 900),)), OneBout(noon, (step(float("nan"), 900),))]
    day = only(day_values(bouts, UTC))
    assert (day.value, day.n_strides, day.valid) == (None, 0, False)
    day = only(day_values([*bouts, OneBout(noon, (step(1.0, 10),))], UTC))
    assert (day.value, day.n_strides, day.n_bouts, day.valid) == (1.0, 10, 1, False)


@pytest.mark.parametrize(
    ("n_strides", "error", "valid"),
    [
        (150, None, True),
        (149, None, False),
        (149, 1.5, True),  # half of the MDC of 3
        (149, 1.51, False),
        (19, 0.1, False),  # too few to know their own error
        (150, 9.0, True),
    ],
)
def test_valid_by_strides_or_by_precision(n_strides: int, error: float | None, valid: bool) -> None:
    noon = utc_us("2026-03-01T12:00")
    assert only(day_values([OneBout(noon, (step(1.0, n_strides, error),))], UTC)).valid is valid


def test_a_metric_without_an_mdc_is_valid_by_strides_only() -> None:
    value = MetricValue("something_else", 1.0, 0.001, 60, 60)
    assert not only(day_values([OneBout(0, (value,))], UTC)).valid


def test_scatter_between_bouts_overrules_an_optimistic_error() -> None:
    bouts = [OneBout(i, (step(x, 40, 0.1),)) for i, x in enumerate((-6.0, 0.0, 6.0))]
    day = only(day_values(bouts, UTC))
    assert day.standard_error == pytest.approx(6.0 / 3**0.5)
    assert not day.valid
    two = only(day_values(bouts[:2], UTC))
    assert two.standard_error == pytest.approx(0.1 / 2**0.5)


def test_strata_stay_apart() -> None:
    bouts = [OneBout(0, (step(1.0, 200),)), OneBout(1, (step(9.0, 200),), stratum="excluded:stairs")]
    assert [(d.stratum, d.value) for d in day_values(bouts, UTC)] == [
        ("excluded:stairs", 9.0),
        ("straight", 1.0),
    ]


def test_simulated_if_any_bout_is() -> None:
    bouts = [OneBout(0, (step(1.0, 200),)), OneBout(1, (step(1.0, 200),), simulated=True)]
    assert only(day_values(bouts, UTC)).simulated


def test_a_bout_across_midnight_belongs_to_the_day_it_starts() -> None:
    late = utc_us("2026-03-01T23:59:50", BERLIN)
    assert only(day_values([OneBout(late, (step(1.0, 200),))], BERLIN)).day == "2026-03-01"
    assert only(day_values([OneBout(late, (step(1.0, 200),))], ZoneInfo("Asia/Tokyo"))).day == "2026-03-02"


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-25", "Europe/Berlin", 25),
        ("2026-06-01", "Europe/Berlin", 24),
        ("2018-11-04", "America/Sao_Paulo", 23),  # there was no midnight
        ("2018-02-17", "America/Sao_Paulo", 25),  # 23:00 to 24:00 came twice
        ("2026-11-01", "America/Havana", 25),  # midnight came twice
    ],
)
def test_days_on_which_the_clocks_change(day: str, zone: str, hours: int) -> None:
    where = ZoneInfo(zone)
    start, end = day_bounds_utc_us(day, where)
    assert (end - start) / 3.6e9 == hours
    assert local_day(start, where) == local_day(end - 1, where) == day
    assert local_day(start - 1, where) < day < local_day(end, where)


@given(
    st.integers(0, 2_000_000_000_000_000),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_every_instant_lies_in_its_own_day(instant_us: int, zone: str) -> None:
    where = ZoneInfo(zone)
    day = local_day(instant_us, where)
    start, end = day_bounds_utc_us(day, where)
    assert start <= instant_us < end
    tomorrow = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    assert day_bounds_utc_us(tomorrow, where)[0] == end
