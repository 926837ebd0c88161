"""One metric, day by day: EWMA of the change from baseline, its limit, and whether it is a candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gaitmon.trends.baseline import Baseline, baseline_of, valid_days
from gaitmon.trends.days import Day
from gaitmon.trends.rules import DEFAULT_PARAMS, MetricRule, TrendParams


@dataclass(frozen=True, slots=True)
class DayCheck:
    """The rule's word on one valid day after the baseline.

    ewma_change: smoothed signed change from the baseline's mean, in the metric's unit.
    z: how much worse that is, in baseline SDs; negative is better.  limit: what z is held against.
    candidate: over the limit and the practical floor, and was so the day before.
    severe: by far over, day by day, and has been for some days.
    calm: below the share of the limit at which an alert may be left.
    """

    day: str
    value: float
    n_strides: int
    ewma_change: float
    z: float
    limit: float
    candidate: bool
    severe: bool
    calm: bool


@dataclass(frozen=True, slots=True)
class MetricTrend:
    """One metric's baseline and every decision after it."""

    rule: MetricRule
    baseline: Baseline | None
    checks: tuple[DayCheck, ...]


def metric_trend(days: Iterable[Day], rule: MetricRule, params: TrendParams = DEFAULT_PARAMS) -> MetricTrend:
    """Days may come in any order; invalid and missing ones are passed over and count as nothing.

    The check of a day depends on that day and earlier ones only.
    """
    usable = valid_days(days, params.baseline.from_day)
    base = baseline_of(usable, rule, params)
    if base is None:
        return MetricTrend(rule, None, ())
    later = [item for item in usable if item[0] > base.last_day]
    return MetricTrend(rule, base, tuple(_checks(later, base, params)))


def _checks(later: list[tuple[str, float, Day]], base: Baseline, params: TrendParams) -> Iterable[DayCheck]:
    reach = params.innovation_sd * base.sd
    ewma, over_days, over_side, severe_days, severe_side = 0.0, 0, 0, 0, 0
    for day, value, point in later:
        change = value - base.mean
        ewma += params.smoothing * min(max(change - ewma, -reach), reach)
        harm = base.harm(base.mean + ewma)
        z = harm / base.sd
        side = 1 if ewma > 0 else -1
        over = z > base.limit_sd
        over_days = over_days + 1 if over and side == over_side else int(over)
        over_side = side
        side = 1 if change > 0 else -1
        far = base.harm(value) > base.severe
        severe_days = severe_days + 1 if far and side == severe_side else int(far)
        severe_side = side
        yield DayCheck(
            day=day,
            value=value,
            n_strides=point.n_strides,
            ewma_change=ewma,
            z=z,
            limit=base.limit_sd,
            candidate=over_days >= params.persist_days and harm >= base.floor,
            severe=severe_days >= params.severe_days,
            calm=z < params.leave_share * base.limit_sd,
        )
