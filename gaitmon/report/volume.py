"""A recording's volume of sitting, standing and walking, per 24 hours from its first sample."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from gaitmon.analysis import Analysis
from gaitmon.model import ContactKind, MetricValue, Posture, Turn, WalkingBout
from gaitmon.trends.volume import volume_values


@dataclass(frozen=True, slots=True)
class _Span:
    posture: Posture
    start_utc_us: int
    end_utc_us: int
    simulated: bool


@dataclass(frozen=True, slots=True)
class _Bout:
    start_utc_us: int
    end_utc_us: int
    n_steps: int
    turns: tuple[Turn, ...]
    metrics: tuple[MetricValue, ...]
    simulated: bool


def volume(a: Analysis) -> list[dict[str, float]]:
    """Metric of the group volume -> value, one such table per 24 hours that hold something.

    As a day's (gaitmon.trends.volume), but a recording knows no midnight: its first sample begins the first.
    """
    r = a.recording

    def us(t_s: float) -> int:
        return round(1e6 * (t_s - r.start_s))

    spans = [_Span(p.posture, us(p.start_s), us(p.end_s), r.simulated) for p in a.postures]
    bouts = [
        _Bout(us(b.start_s), us(b.end_s), _steps(a, b), b.turns, b.metrics, r.simulated) for b in a.bouts
    ]
    days: dict[str, dict[str, float]] = {}
    for v in volume_values(spans, bouts, UTC):
        if v.value is not None:
            days.setdefault(v.day, {})[v.metric] = v.value
    return list(days.values())


def _steps(a: Analysis, bout: WalkingBout) -> int:
    return sum(c.kind is ContactKind.IC and bout.start_s <= c.t_s <= bout.end_s for c in a.contacts)
