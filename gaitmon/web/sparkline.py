"""A trend in a table's cell: a small SVG's coordinates are computed here, its template draws them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from gaitmon.store.registry import Alert
from gaitmon.web.chart_json import least_span
from gaitmon.web.definitions import MetricInfo, core_metrics
from gaitmon.web.evidence import read_evidence
from gaitmon.web.formats import quantity
from gaitmon.web.trend_view import TrendChart, Trends

WIDTH, HEIGHT, MARGIN = 132.0, 34.0, 4.0
DAYS = 28


@dataclass(frozen=True, slots=True)
class Sparkline:
    """path: SVG path of the valid days.  band_y, band_height: baseline ± limit, None before a baseline.

    text: the same in words, for a reader who does not see it.
    """

    info: MetricInfo
    path: str
    last_x: float
    last_y: float
    band_y: float | None
    band_height: float | None
    latest: str
    outside: bool
    text: str


def sparkline(trends: Trends, alert: Alert | None) -> Sparkline | None:
    """Of the metric the alert is about, else of the first watched metric that has valid days."""
    for metric in [*_alert_metrics(alert), *core_metrics()]:
        if not trends.days.get(metric):
            continue
        chart = trends.chart(metric, DAYS)
        if drawn := _draw(chart, trends.last_day):
            return drawn
    return None


def _alert_metrics(alert: Alert | None) -> list[str]:
    evidence = read_evidence(alert.evidence) if alert else None
    return [m.metric for m in evidence.metrics if m.candidate] if evidence else []


def _draw(chart: TrendChart, last_day: str | None) -> Sparkline | None:
    points = [(date.fromisoformat(p.day), p.value) for p in chart.points if p.valid and p.value is not None]
    if not points or last_day is None:
        return None
    values = [value for _, value in points]
    if chart.band:
        values += [chart.band.mean - chart.band.half_width, chart.band.mean + chart.band.half_width]
    low, high = _range(values, chart)
    span = high - low
    first = date.fromisoformat(last_day) - timedelta(days=DAYS - 1)

    def x(day: date) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (day - first).days / (DAYS - 1), 1)

    def y(value: float) -> float:
        return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / span, 1)

    top = y(chart.band.mean + chart.band.half_width) if chart.band else None
    bottom = y(chart.band.mean - chart.band.half_width) if chart.band else None
    latest = quantity(points[-1][1], chart.info.unit, signed=bool(chart.info.up))
    return Sparkline(
        info=chart.info,
        path="M" + " L".join(f"{x(day)} {y(value)}" for day, value in points),
        last_x=x(points[-1][0]),
        last_y=y(points[-1][1]),
        band_y=top,
        band_height=None if top is None or bottom is None else round(bottom - top, 1),
        latest=latest,
        outside=chart.outside,
        text=_words(chart, latest),
    )


def _range(values: list[float], chart: TrendChart) -> tuple[float, float]:
    low, high = min(values), max(values)
    least = least_span(chart) or abs(high) or 1.0
    missing = max(least - (high - low), 0.0)
    return low - missing / 2, high + missing / 2


def _words(chart: TrendChart, latest: str) -> str:
    usual = ""
    if chart.band:
        mean = quantity(chart.band.mean, chart.info.unit, signed=bool(chart.info.up))
        usual = f"; baseline {mean} ± {quantity(chart.band.half_width, chart.info.unit)}"
    if chart.outside:
        usual += "; smoothed trend outside"
    return f"{chart.info.name}, last {DAYS} days: latest {latest}{usual}"
