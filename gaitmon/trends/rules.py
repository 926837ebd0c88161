"""Which metrics are watched, what counts as a change, and the numbers of the rule.

Default rule and its corrections: EWMA after Baldewijns 2016, with limits that carry autocorrelation and
the error of the baseline; where it departs from that, docs/adr/0009-alerts.md says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gaitmon.symmetry.metrics import METRICS


class Harm(StrEnum):
    """Which way a metric gets worse."""

    ASYMMETRY = "asymmetry"  # signed right versus left: worse is further from zero
    LOWER = "lower"  # worse is smaller


@dataclass(frozen=True, slots=True)
class MetricRule:
    """One watched metric.

    mdc: minimal detectable change of a day's value, in the metric's unit.  A starting value chosen by
    judgement: no free-living figure for thigh and pelvis sensors is published.
    phrase: what changed, for the alert's text.
    """

    metric: str
    unit: str
    mdc: float
    harm: Harm
    phrase: str


def _rule(metric: str, harm: Harm, phrase: str) -> MetricRule:
    """Unit and MDC are the table's."""
    definition = METRICS[metric]
    return MetricRule(metric, definition.unit, MDC[metric], harm, phrase)


# Minimal detectable change of every metric that has one.
MDC: dict[str, float] = {m.id: m.mdc for m in METRICS.values() if m.mdc is not None}

CORE_METRICS: tuple[MetricRule, ...] = (
    _rule("step_time_ln_pct", Harm.ASYMMETRY, "step time"),
    _rule("stance_time_ln_pct", Harm.ASYMMETRY, "stance time"),
    _rule("thigh_rom_ln_pct", Harm.ASYMMETRY, "thigh range of motion"),
    _rule("drop_asym_deg", Harm.ASYMMETRY, "contralateral pelvic drop"),
    # Bounded 0..100; no MDC is published, 5 points is a placeholder that the 1.5 SD bound usually undercuts.
    _rule("pelvis_v_ihr_pct", Harm.LOWER, "vertical pelvis symmetry (iHR)"),
)


@dataclass(frozen=True, slots=True)
class BaselineParams:
    """The reference baseline is the first ``days`` valid days that lie within ``window_days``.

    from_day: days before it are ignored; set when a clinician starts a new baseline.
    autocorrelation_floor, _ceiling: fourteen values say little about the lag-1 autocorrelation.
    sd_floor_mdc: the SD is at least this share of the MDC, so that a very even baseline does not turn
    a change nobody could use into an alert.
    """

    days: int = 14
    window_days: int = 28
    from_day: str | None = None
    autocorrelation_floor: float = 0.2
    autocorrelation_ceiling: float = 0.8
    sd_floor_mdc: float = 1 / 6


@dataclass(frozen=True, slots=True)
class TrendParams:
    """The numbers of the rule.

    smoothing: weight of the newest day in the EWMA.
    limit_one_sided, limit_two_sided: control limit in standard errors of the EWMA.
    persist_days: consecutive valid days over the limit that make a candidate.
    floor_sd: the practical floor is the MDC, but never more than this many baseline SDs; 1.96·√2 SD would
    make a shift of two SDs undetectable.
    innovation_sd: a day moves the EWMA as if it were at most this many baseline SDs away from it, so that
    one day with a slipped strap cannot stay over the limit for a week; a change that lasts is followed.
    severe_mdc, severe_sd, severe_days: one metric alone alerts when its day values are worse by more than
    this many MDCs, and by more than this many SDs of a single day, on so many consecutive valid days.
    leave_share, leave_days: an alert is left once every metric in it was below this share of its limit
    on so many valid days.
    fresh_days: a metric's last word counts no longer than this; silence is not evidence.
    """

    metrics: tuple[MetricRule, ...] = CORE_METRICS
    baseline: BaselineParams = BaselineParams()
    smoothing: float = 0.2
    limit_one_sided: float = 3.0
    limit_two_sided: float = 3.3
    persist_days: int = 2
    agreeing_metrics: int = 2
    floor_sd: float = 1.5
    innovation_sd: float = 4.0
    severe_mdc: float = 2.0
    severe_sd: float = 3.0
    severe_days: int = 3
    leave_share: float = 0.5
    leave_days: int = 3
    fresh_days: int = 7

    @property
    def rule_name(self) -> str:
        return (
            f"EWMA λ={self.smoothing:g}, L={self.limit_one_sided:g} ({self.limit_two_sided:g} two-sided), "
            f"{self.persist_days} valid days, ≥{self.agreeing_metrics} of {len(self.metrics)} metrics, "
            f"or one worse by >{self.severe_mdc:g} MDC on {self.severe_days} valid days"
        )


DEFAULT_PARAMS = TrendParams()
