"""What charts.js draws: plain data, embedded in the page.  The table beside it says the same."""

from __future__ import annotations

from typing import TypedDict

from gaitmon.web.formats import quantity, unit_symbol
from gaitmon.web.trend_view import TrendChart, day_margin


class PointJson(TypedDict):
    day: str
    value: float | None
    margin: str  # 95 % interval in words, empty where it is not known
    n_strides: int
    valid: bool


class SmoothedJson(TypedDict):
    day: str
    value: float


class ChartJson(TypedDict):
    title: str
    unit: str
    up: str
    down: str
    mean: float | None
    half_width: float | None
    least_span: float
    points: list[PointJson]
    smoothed: list[SmoothedJson]
    alert_days: list[str]
    simulated: bool
    summary: str


def least_span(chart: TrendChart) -> float:
    """An axis at least so long that the usual noise of a stable wearer does not look like a cliff; 0: any."""
    return 4 * (chart.band.half_width if chart.band else chart.info.mdc or 0.0)


def trend_json(chart: TrendChart) -> ChartJson:
    return ChartJson(
        title=chart.info.name,
        unit=unit_symbol(chart.info.unit),
        up=chart.info.up,
        down=chart.info.down,
        mean=chart.band.mean if chart.band else None,
        half_width=chart.band.half_width if chart.band else None,
        least_span=least_span(chart),
        points=[
            PointJson(
                day=p.day,
                value=p.value,
                margin="" if p.standard_error is None else day_margin(p),
                n_strides=p.n_strides,
                valid=p.valid,
            )
            for p in chart.points
        ],
        smoothed=[SmoothedJson(day=day, value=value) for day, value in chart.smoothed],
        alert_days=list(chart.alert_days),
        simulated=chart.simulated,
        summary=_summary(chart),
    )


def _summary(chart: TrendChart) -> str:
    """The chart in words, for a reader who does not see it."""
    valid = [p for p in chart.points if p.valid and p.value is not None]
    signed = bool(chart.info.up)
    parts = [f"{'Simulated data. ' if chart.simulated else ''}Trend of {chart.info.name}"]
    if valid:
        parts.append(f"{len(valid)} valid of {len(chart.points)} days, {valid[0].day} to {valid[-1].day}")
        parts.append(f"latest {quantity(valid[-1].value, chart.info.unit, signed=signed)}")
    else:
        parts.append("no valid day")
    if chart.band:
        mean = quantity(chart.band.mean, chart.info.unit, signed=signed)
        parts.append(f"baseline {mean} plus or minus {quantity(chart.band.half_width, chart.info.unit)}")
    if chart.outside:
        parts.append("the smoothed trend lies outside that")
    if chart.alert_days:
        parts.append(f"part of an alert on {len(chart.alert_days)} days since {chart.alert_days[0]}")
    return "; ".join(parts) + ". The table below has every day."
