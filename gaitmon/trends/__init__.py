"""Days -> baseline -> change rules -> state of a wearer.  Pure decisions: what to do with one, and when,
is gaitmon.review's."""

from gaitmon.trends.baseline import Baseline, Direction, baseline, baseline_window, valid_days
from gaitmon.trends.days import Day, DayParams, DayValue, day_bounds_utc_us, day_values, local_day
from gaitmon.trends.evaluate import DayVerdict, Evaluation, State, evaluate
from gaitmon.trends.evidence import Evidence, EvidenceDay, EvidenceMetric
from gaitmon.trends.ewma import DayCheck, MetricTrend, metric_trend
from gaitmon.trends.limp import LIMP_INDEX, LimpDay, limp_days
from gaitmon.trends.rules import (
    CORE_METRICS,
    DEFAULT_PARAMS,
    MDC,
    BaselineParams,
    Harm,
    MetricRule,
    TrendParams,
)
from gaitmon.trends.volume import volume_values
from gaitmon.trends.waveform_change import WAVEFORM_CHANGE, UsualCurves, usual_curves, waveform_changes

__all__ = [
    "CORE_METRICS",
    "DEFAULT_PARAMS",
    "LIMP_INDEX",
    "MDC",
    "WAVEFORM_CHANGE",
    "Baseline",
    "BaselineParams",
    "Day",
    "DayCheck",
    "DayParams",
    "DayValue",
    "DayVerdict",
    "Direction",
    "Evaluation",
    "Evidence",
    "EvidenceDay",
    "EvidenceMetric",
    "Harm",
    "LimpDay",
    "MetricRule",
    "MetricTrend",
    "State",
    "TrendParams",
    "UsualCurves",
    "baseline",
    "baseline_window",
    "day_bounds_utc_us",
    "day_values",
    "evaluate",
    "limp_days",
    "local_day",
    "metric_trend",
    "usual_curves",
    "valid_days",
    "volume_values",
    "waveform_changes",
]
