"""A metric's name, unit and sign for a reader; also for a metric this version has never heard of."""

from __future__ import annotations

from dataclasses import dataclass

from gaitmon.symmetry.metrics import METRICS
from gaitmon.trends import CORE_METRICS


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """up, down: what a larger or smaller value means, "" where the name says it.

    min_strides: straight strides per side a bout needs before the value is given, None if not known.
    """

    id: str
    name: str
    unit: str
    sign: str
    up: str
    down: str
    min_strides: int | None
    core: bool
    known: bool
    mdc: float | None = None

    @property
    def short(self) -> str:
        """Without the words that say how the sides are compared."""
        return self.name.partition(", right")[0]


def metric_info(metric: str) -> MetricInfo:
    up, down = _directions(metric)
    if definition := METRICS.get(metric):
        return MetricInfo(
            id=metric,
            name=definition.name,
            unit=definition.unit,
            sign=definition.sign,
            up=up,
            down=down,
            min_strides=definition.min_strides,
            core=definition.core,
            known=True,
            mdc=definition.mdc,
        )
    return MetricInfo(metric, metric, _unit_of_suffix(metric), "", up, down, None, False, False)


def _directions(metric: str) -> tuple[str, str]:
    if metric.endswith("_ln_pct"):
        longer = any(word in metric for word in ("_time_", "_support_", "_length_"))
        return ("right longer", "left longer") if longer else ("right greater", "left greater")
    if metric.endswith(("_asym_deg", "_nsi_pct")):
        return "more on the right", "more on the left"
    return "", ""


_SUFFIX_UNITS = (("_pct", "%"), ("_deg", "°"), ("_m_s", "m/s"), ("_steps_min", "steps/min"), ("_s", "s"))


def _unit_of_suffix(metric: str) -> str:
    return next((unit for suffix, unit in _SUFFIX_UNITS if metric.endswith(suffix)), "")


def core_metrics() -> list[str]:
    """The metrics whose trend is shown first: those that are watched."""
    return [rule.metric for rule in CORE_METRICS]
