"""Days -> what a trend chart shows: points, the baseline's band, the days on which the rule alerted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gaitmon.store.series import DayRow
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.uncertainty import interval_of
from gaitmon.trends import LIMP_INDEX, WAVEFORM_CHANGE, Evaluation, State, evaluate, limp_days
from gaitmon.web.definitions import MetricInfo, core_metrics, metric_info
from gaitmon.web.formats import margin, quantity

STRAIGHT = "straight"  # the stratum that alerts are decided in


@dataclass(frozen=True, slots=True)
class Band:
    """mean ± half_width: the wearer's baseline and what the *smoothed* trend may deviate from it.

    Single days scatter more widely than that, which is no finding.
    """

    mean: float
    half_width: float
    n_days: int
    first_day: str = ""
    last_day: str = ""


@dataclass(frozen=True, slots=True)
class TrendChart:
    """One metric over time.  points: oldest first.  alert_days: ISO dates of its days in an alert.

    smoothed: (day, level) of the exponentially weighted mean that the rule compares with the band.
    """

    info: MetricInfo
    points: tuple[DayRow, ...]
    band: Band | None
    smoothed: tuple[tuple[str, float], ...]
    alert_days: tuple[str, ...]
    simulated: bool
    parts: tuple[str, ...] = ()  # in words, of the newest day: what this metric is made of

    @property
    def latest(self) -> DayRow | None:
        return next((p for p in reversed(self.points) if p.valid and p.value is not None), None)

    @property
    def against_own(self) -> bool:
        return self.info.id in _AGAINST_OWN

    @property
    def outside(self) -> bool:
        """The newest smoothed value lies outside the band."""
        if self.band is None or not self.smoothed:
            return False
        return abs(self.smoothed[-1][1] - self.band.mean) > self.band.half_width


def day_margin(row: DayRow) -> str:
    """The 95 % interval of a day's value in words.  Its strides are of both sides."""
    limits = interval_of(row.metric, row.value, row.standard_error, row.n_strides // 2)
    return margin(row.value, limits, metric_info(row.metric).unit)


@dataclass(frozen=True, slots=True)
class Trends:
    """All days of one wearer in one stratum, and what the change rule says of them."""

    days: dict[str, list[DayRow]]
    stratum: str
    strata: tuple[str, ...]
    evaluation: Evaluation
    n_days: int
    n_valid: int

    @property
    def last_day(self) -> str | None:
        return max((row.day for rows in self.days.values() for row in rows), default=None)

    @property
    def simulated(self) -> bool:
        return any(row.simulated for rows in self.days.values() for row in rows)

    @property
    def moving_names(self) -> list[str]:
        verdicts = self.evaluation.verdicts
        return [metric_info(m).name for m in verdicts[-1].moving] if verdicts else []

    def band(self, metric: str) -> Band | None:
        trend = self.evaluation.metric(metric)
        if trend is None or trend.baseline is None:
            return None
        base = trend.baseline
        return Band(base.mean, base.half_width, base.n_days, base.first_day, base.last_day)

    def smoothed(self, metric: str) -> tuple[tuple[str, float], ...]:
        trend = self.evaluation.metric(metric)
        if trend is None or trend.baseline is None:
            return ()
        return tuple((check.day, trend.baseline.mean + check.ewma_change) for check in trend.checks)

    def alert_days(self, metric: str) -> tuple[str, ...]:
        return tuple(v.day for v in self.evaluation.verdicts if v.state is State.ALERT and metric in v.moving)

    def chart(self, metric: str, n_days: int | None = None) -> TrendChart:
        """n_days: the newest calendar days only, counted from the wearer's newest day."""
        rows = self.days.get(metric, [])
        if n_days is not None and self.last_day is not None:
            first = (date.fromisoformat(self.last_day) - timedelta(days=n_days - 1)).isoformat()
            rows = [row for row in rows if row.day >= first]
        alert_days = self.alert_days(metric)
        shown = {row.day for row in rows}
        return TrendChart(
            info=metric_info(metric),
            points=tuple(rows),
            band=self.band(metric),
            smoothed=tuple(s for s in self.smoothed(metric) if s[0] in shown),
            alert_days=tuple(day for day in alert_days if day in shown),
            simulated=any(row.simulated for row in rows),
            parts=self.parts(metric),
        )

    def parts(self, metric: str) -> tuple[str, ...]:
        """What a metric that is made of others is made of, on its newest day."""
        if metric == LIMP_INDEX:
            limps = limp_days({m: self.days.get(m, []) for m in METRICS[metric].parts})
            found = limps[-1].parts if limps else {}
            return tuple(f"{_brief(m)} {quantity(z, 'SD', signed=True)}" for m, z in found.items())
        newest = next((r.day for r in reversed(self.days.get(metric, [])) if r.value is not None), None)
        return tuple(
            f"{_brief(part)} {quantity(row.value, metric_info(part).unit)}"
            for part in (METRICS[metric].parts if metric in METRICS else ())
            for row in self.days.get(part, [])
            if row.day == newest and row.value is not None
        )


# Shown with the metric they are a part of, not by themselves.
_ONLY_PARTS = {p for m in METRICS.values() if not m.stored for p in m.parts if not METRICS[p].stored}
_AGAINST_OWN = {LIMP_INDEX, *WAVEFORM_CHANGE}  # begin with the baseline that they are held against


def wearer_trends(rows: Sequence[DayRow], stratum: str | None = None) -> Trends:
    """stratum: None for straight walking, else the one with the most valid days."""
    strata = _by_valid_days(rows)
    chosen = stratum if stratum in strata else next(iter(strata), "")
    days: dict[str, list[DayRow]] = {}
    for row in rows:
        if row.stratum == chosen:
            days.setdefault(row.metric, []).append(row)
    for series in days.values():
        series.sort(key=lambda row: row.day)
    core = set(core_metrics())
    return Trends(
        days=days,
        stratum=chosen,
        strata=tuple(strata),
        evaluation=evaluate(days),
        n_days=len({row.day for row in rows}),
        n_valid=len({row.day for row in rows if row.valid and row.stratum == chosen and row.metric in core}),
    )


def _by_valid_days(rows: Sequence[DayRow]) -> list[str]:
    valid: dict[str, set[str]] = {}
    for row in rows:
        days = valid.setdefault(row.stratum, set())
        if row.valid:
            days.add(row.day)
    return sorted(valid, key=lambda s: (s != STRAIGHT, -len(valid[s]), s))


def trend_charts(trends: Trends, n_days: int | None) -> tuple[list[TrendChart], list[TrendChart]]:
    """The core metrics, and the rest that has days (without per-side values: the bout shows those)."""
    core = core_metrics()
    others = sorted(m for m in trends.days if m not in core and not is_per_side(m) and m not in _ONLY_PARTS)
    return (
        [trends.chart(metric, n_days) for metric in core if trends.days.get(metric)],
        [trends.chart(metric, n_days) for metric in others],
    )


def _brief(metric: str) -> str:
    return metric_info(metric).name.partition(",")[0]


def is_per_side(metric: str) -> bool:
    return "_left_" in metric or "_right_" in metric
