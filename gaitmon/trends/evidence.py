"""What an alert rests on, in the form that the page, the message and the report show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import exp
from typing import TypedDict

from gaitmon.trends.baseline import Baseline, Direction
from gaitmon.trends.days import Day
from gaitmon.trends.ewma import DayCheck, MetricTrend
from gaitmon.trends.rules import Harm, TrendParams

SHOWN_DAYS = 28  # calendar days of values that go with an alert

DISCLAIMER = "This is not a diagnosis."
SUGGESTION = "Suggested action: contact the patient; consider pain, footwear, strap position, recent therapy."


class EvidenceDay(TypedDict):
    day: str
    value: float | None
    valid: bool
    n_strides: int


class EvidenceMetric(TypedDict):
    """limit: half-width of the band around the baseline mean.  All values in ``unit``."""

    metric: str
    unit: str
    baseline_mean: float
    baseline_sd: float
    baseline_days: int
    latest: float
    ewma_change: float
    limit: float
    floor: float
    direction: str
    candidate: bool
    days: list[EvidenceDay]


class Evidence(TypedDict):
    """days: the valid days over which the change is described.  n_strides: straight strides on them,
    of the metric with the most."""

    rule: str
    days: list[str]
    metrics: list[EvidenceMetric]
    n_strides: int
    simulated: bool
    text: str


def evidence(
    trends: Sequence[MetricTrend],
    days: Mapping[str, Sequence[Day]],
    day: str,
    moving: Sequence[str],
    params: TrendParams,
) -> Evidence | None:
    """The case as it stands on ``day``; None while no metric has been checked against a baseline."""
    checked = [(t, t.baseline) for t in trends if t.baseline is not None and t.checks]
    if not checked:
        return None
    runs = {t.rule.metric: _run(t) for t, _ in checked}
    described = sorted({c.day for name in moving for c in runs[name]} or {day})
    strides = [sum(c.n_strides for c in t.checks if c.day in set(described)) for t, _ in checked]
    moved = [_phrase(t, base, runs[t.rule.metric]) for t, base in checked if t.rule.metric in moving]
    return Evidence(
        rule=params.rule_name,
        days=described,
        metrics=[_metric(t, base, days[t.rule.metric], day, moving) for t, base in checked],
        n_strides=max(strides),
        simulated=any(d.simulated for series in days.values() for d in series),
        text=_text(moved, len(described), max(strides)),
    )


def _run(trend: MetricTrend) -> list[DayCheck]:
    """The days since this metric was last calm: those on which the change shows."""
    run: list[DayCheck] = []
    for check in reversed(trend.checks):
        if check.calm and run:
            break
        run.insert(0, check)
    return run


def _metric(
    trend: MetricTrend, base: Baseline, days: Sequence[Day], day: str, moving: Sequence[str]
) -> EvidenceMetric:
    first = (date.fromisoformat(day) - timedelta(days=SHOWN_DAYS - 1)).isoformat()
    last = trend.checks[-1]
    return EvidenceMetric(
        metric=trend.rule.metric,
        unit=trend.rule.unit,
        baseline_mean=base.mean,
        baseline_sd=base.sd,
        baseline_days=base.n_days,
        latest=last.value,
        ewma_change=last.ewma_change,
        limit=base.half_width,
        floor=base.floor,
        direction=base.direction.value,
        candidate=trend.rule.metric in moving,
        days=[
            EvidenceDay(day=d.day, value=d.value, valid=d.valid, n_strides=d.n_strides)
            for d in sorted(days, key=lambda d: d.day)
            if first <= d.day <= day
        ],
    )


def _text(moved: Sequence[str], n_days: int, n_strides: int) -> str:
    if not moved:
        return f"No walking change to review. {DISCLAIMER}"
    span = f"Over the last {n_days} valid day{'s' if n_days > 1 else ''} ({n_strides:,} straight strides)"
    return f"Walking change to review (low priority). {span} {'; '.join(moved)}. {DISCLAIMER} {SUGGESTION}"


def _phrase(trend: MetricTrend, base: Baseline, run: Sequence[DayCheck]) -> str:
    level = sum(c.value * c.n_strides for c in run) / max(sum(c.n_strides for c in run), 1)
    change = level - base.mean
    rule = trend.rule
    if rule.harm is Harm.LOWER or base.direction is Direction.LOWER:
        return (
            f"{rule.phrase} is {level:.0f} {rule.unit} against a baseline of {base.mean:.0f} {rule.unit} "
            f"(usual day-to-day ±{base.sd:.1f})"
        )
    side = "right" if change > 0 else "left"
    if rule.unit == "%":
        now, usual = exp(-level / 100), exp(-base.mean / 100)
        return (
            f"{rule.phrase} has shifted toward the {side} leg: left/right ratio {now:.2f} against a "
            f"baseline of {usual:.2f} (usual day-to-day ±{usual * base.sd / 100:.2f})"
        )
    unit = "°" if rule.unit == "deg" else f" {rule.unit}"
    return (
        f"{rule.phrase} has shifted by {abs(change):.1f}{unit} toward the {side}: right minus left "
        f"{level:+.1f}{unit} against a baseline of {base.mean:+.1f}{unit} "
        f"(usual day-to-day ±{base.sd:.1f}{unit})"
    )
