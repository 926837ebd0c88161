"""All metrics of one wearer -> the wearer's state on every day, and the evidence for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gaitmon.trends.days import Day
from gaitmon.trends.evidence import Evidence, evidence
from gaitmon.trends.ewma import DayCheck, MetricTrend, metric_trend
from gaitmon.trends.rules import DEFAULT_PARAMS, TrendParams


class State(StrEnum):
    LEARNING = "learning"  # no metric has its baseline yet
    STABLE = "stable"
    WATCH = "watch"  # something moves, too little agrees for an alert
    ALERT = "alert"
    RECOVERING = "recovering"  # the alert's condition is gone, calm is not yet back


@dataclass(frozen=True, slots=True)
class DayVerdict:
    """The wearer's state at the end of a day with at least one valid value.

    since_day: first day of this state; of an alert and its recovery, the day the alert began.
    moving: metrics that were candidates or severe, in the order of the rules.
    """

    day: str
    state: State
    since_day: str
    moving: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything the rule says about one wearer in one stratum.

    state, since_day: of the newest valid day; LEARNING and None when there was none.
    evidence: what the state rests on; None while no metric has a baseline.
    """

    metrics: tuple[MetricTrend, ...]
    verdicts: tuple[DayVerdict, ...]
    state: State
    since_day: str | None
    evidence: Evidence | None

    @property
    def newest_valid_day(self) -> str | None:
        return self.verdicts[-1].day if self.verdicts else None

    def metric(self, name: str) -> MetricTrend | None:
        return next((trend for trend in self.metrics if trend.rule.metric == name), None)


def evaluate(days_by_metric: Mapping[str, Iterable[Day]], params: TrendParams = DEFAULT_PARAMS) -> Evaluation:
    """Decide for every day.  A decision never changes when later days arrive.

    days_by_metric: one stratum of one wearer; metrics without a rule are passed over.
    """
    days = {rule.metric: list(days_by_metric.get(rule.metric, ())) for rule in params.metrics}
    trends = tuple(metric_trend(days[rule.metric], rule, params) for rule in params.metrics)
    verdicts = tuple(_verdicts(trends, _wearer_days(days, params), params))
    if not verdicts:
        return Evaluation(trends, (), State.LEARNING, None, None)
    last = verdicts[-1]
    return Evaluation(
        trends, verdicts, last.state, last.since_day, evidence(trends, days, last.day, last.moving, params)
    )


def _wearer_days(days: Mapping[str, Sequence[Day]], params: TrendParams) -> list[str]:
    from_day = params.baseline.from_day or ""
    valid = {d.day for series in days.values() for d in series if d.valid and d.value is not None}
    return sorted(day for day in valid if day >= from_day)


@dataclass(slots=True)
class _Episode:
    """An alert from its first day until it is left.  calm_days: per metric that was ever part of it."""

    since_day: str
    calm_days: dict[str, int]


def _verdicts(
    trends: Sequence[MetricTrend], days: Sequence[str], params: TrendParams
) -> Iterable[DayVerdict]:
    checks = {t.rule.metric: {c.day: c for c in t.checks} for t in trends}
    baseline_day = min((t.baseline.last_day for t in trends if t.baseline is not None), default=None)
    latest: dict[str, DayCheck] = {}
    episode: _Episode | None = None
    state, since_day = State.LEARNING, days[0] if days else ""
    for day in days:
        today = {metric: by_day[day] for metric, by_day in checks.items() if day in by_day}
        latest.update(today)
        moving = [c for c in latest.items() if _counts(c[1], day, params)]
        alerting = _alerts([check for _, check in moving], params)
        if episode is None and alerting:
            episode = _Episode(day, {})
        if episode is not None:
            _count_calm(episode, moving, today)
            if not alerting and all(n >= params.leave_days for n in episode.calm_days.values()):
                episode = None
        before = state
        state = _state(baseline_day is None or day < baseline_day, episode, alerting, bool(moving))
        if episode is not None:
            since_day = episode.since_day
        elif state is not before:
            since_day = day
        names = {metric for metric, _ in moving}
        yield DayVerdict(
            day, state, since_day, tuple(t.rule.metric for t in trends if t.rule.metric in names)
        )


def _counts(check: DayCheck, day: str, params: TrendParams) -> bool:
    age = date.fromisoformat(day) - date.fromisoformat(check.day)
    return (check.candidate or check.severe) and age.days <= params.fresh_days


def _alerts(moving: Sequence[DayCheck], params: TrendParams) -> bool:
    agreeing = sum(check.candidate for check in moving)
    return agreeing >= params.agreeing_metrics or any(check.severe for check in moving)


def _count_calm(
    episode: _Episode, moving: Sequence[tuple[str, DayCheck]], today: Mapping[str, DayCheck]
) -> None:
    """Only a day with a value can be calm: silence neither opens nor closes anything."""
    for metric, _ in moving:
        episode.calm_days.setdefault(metric, 0)
    for metric in episode.calm_days:
        if metric in today:
            episode.calm_days[metric] = episode.calm_days[metric] + 1 if today[metric].calm else 0


def _state(learning: bool, episode: _Episode | None, alerting: bool, moving: bool) -> State:
    if learning:
        return State.LEARNING
    if episode is not None:
        return State.ALERT if alerting else State.RECOVERING
    return State.WATCH if moving else State.STABLE
