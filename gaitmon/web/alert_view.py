"""An alert with its evidence, ready to be read."""

from __future__ import annotations

from dataclasses import dataclass

from gaitmon.store.registry import Alert, AlertState
from gaitmon.store.series import DayRow
from gaitmon.web.chart_json import ChartJson, trend_json
from gaitmon.web.definitions import MetricInfo, metric_info
from gaitmon.web.evidence import Evidence, EvidenceMetric, read_evidence
from gaitmon.web.trend_view import Band, TrendChart

# The rule as one may read it aloud; the rule's own name with its numbers stands beside it.
PLAIN_RULE = (
    "Every valid day is compared with this wearer's own baseline, recent days counting more than old ones. "
    "A metric counts as changed when that smoothed change leaves the usual day-to-day variation on two valid "
    "days in a row and is large enough to matter. An alert opens when at least two of the watched metrics "
    "have changed, or when one has changed by far on three valid days. Missing days never count."
)
_DIRECTIONS = {
    "right": "further to the right",
    "left": "further to the left",
    "lower": "lower",
    "both": "either side",
}


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    info: MetricInfo
    metric: EvidenceMetric
    direction: str
    chart: TrendChart
    json: ChartJson

    @property
    def unit(self) -> str:
        return self.metric.unit or self.info.unit


@dataclass(frozen=True, slots=True)
class AlertView:
    alert: Alert
    evidence: Evidence | None
    moved: tuple[EvidenceRow, ...]
    unmoved: tuple[EvidenceRow, ...]
    plain_rule: str

    @property
    def acknowledged(self) -> bool:
        return self.alert.acknowledged_utc is not None

    @property
    def state_text(self) -> str:
        if self.alert.state is AlertState.RECOVERING and not self.acknowledged:
            return "recovering, not acknowledged"
        return self.alert.state.value


def alert_view(alert: Alert) -> AlertView:
    evidence = read_evidence(alert.evidence)
    rows = [_row(alert, evidence, metric) for metric in evidence.metrics] if evidence else []
    return AlertView(
        alert=alert,
        evidence=evidence,
        moved=tuple(row for row in rows if row.metric.candidate),
        unmoved=tuple(row for row in rows if not row.metric.candidate),
        plain_rule=PLAIN_RULE,
    )


def _smoothed(evidence: Evidence, metric: EvidenceMetric) -> tuple[tuple[str, float], ...]:
    """The one smoothed value that the evidence keeps: the last."""
    if metric.baseline_mean is None or metric.ewma_change is None or not evidence.days:
        return ()
    return ((evidence.days[-1], metric.baseline_mean + metric.ewma_change),)


def _row(alert: Alert, evidence: Evidence, metric: EvidenceMetric) -> EvidenceRow:
    info = metric_info(metric.metric)
    band = None
    if metric.baseline_mean is not None and metric.limit is not None:
        band = Band(metric.baseline_mean, metric.limit, metric.baseline_days)
    shown = {day.day for day in metric.days}
    chart = TrendChart(
        info=info,
        points=tuple(
            DayRow(
                wearer=alert.wearer,
                day=day.day,
                stratum="",
                metric=metric.metric,
                value=day.value,
                standard_error=None,
                n_strides=day.n_strides,
                n_bouts=0,
                valid=day.valid,
                simulated=evidence.simulated,
            )
            for day in metric.days
        ),
        band=band,
        smoothed=_smoothed(evidence, metric),
        alert_days=tuple(day for day in evidence.days if day in shown) if metric.candidate else (),
        simulated=evidence.simulated,
    )
    direction = _DIRECTIONS.get(metric.direction, metric.direction)
    return EvidenceRow(info, metric, direction, chart, trend_json(chart))
