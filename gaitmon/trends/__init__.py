"""Days -> baseline -> change rules -> state of a wearer.  Pure decisions: what to do with one, and when,
is gaitmon.review's."""

from gaitmon.trends.baseline import Baseline, Direction, baseline
from gaitmon.trends.days import Day, DayParams, DayValue, day_bounds_utc_us, day_values, local_day
from gaitmon.trends.evaluate import DayVerdict, Evaluation, State, evaluate
from gaitmon.trends.evidence import Evidence, EvidenceDay, EvidenceMetric
from gaitmon.trends.ewma import DayCheck, MetricTrend, metric_trend
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

__all__ = [
    "CORE_METRICS",
    "DEFAULT_PARAMS",
    "MDC",
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
    "MetricRule",
    "MetricTrend",
    "State",
    "TrendParams",
    "baseline",
    "day_bounds_utc_us",
    "day_values",
    "evaluate",
    "local_day",
    "metric_trend",
    "volume_values",
]
