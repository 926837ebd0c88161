"""What a stored value gives exactly and no bout keeps: further indices, and metrics made of one part."""

from __future__ import annotations

from gaitmon.model import MetricValue
from gaitmon.symmetry import indices
from gaitmon.symmetry.metrics import METRICS


def derived(m: MetricValue) -> dict[str, float]:
    """Index -> value, as the metric's definition names them; empty where there are none or no value."""
    if m.value is None:
        return {}
    return {name: getattr(indices, name)(m.value) for name in METRICS[m.metric].derived}


def stance_load_ratio(stance_time_ln: MetricValue) -> MetricValue:
    """The metric of that name from stance_time_ln_pct, its standard error carried through."""
    n_left, n_right, note = stance_time_ln.n_left, stance_time_ln.n_right, stance_time_ln.note
    if stance_time_ln.value is None:
        return MetricValue("stance_load_ratio", None, None, n_left, n_right, note)
    ratio = indices.symmetry_ratio(stance_time_ln.value)
    error = stance_time_ln.standard_error
    error = None if error is None else ratio * error / 100.0
    return MetricValue("stance_load_ratio", ratio, error, n_left, n_right, note)
