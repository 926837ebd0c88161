"""A recording's volume of sitting, standing and walking, per 24 hours from its first sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date

from gaitmon.model import MetricValue, Posture, PostureSpan, Turn, WalkingBout
from gaitmon.sensors.recording import Recording
from gaitmon.trends.volume import volume_values

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Volume:
    """values: metric of the group volume -> what these up to 24 hours hold of it."""

    from_s: float
    to_s: float
    values: dict[str, float]


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


def volume(
    recording: Recording,
    postures: Sequence[PostureSpan],
    bouts: Sequence[WalkingBout],
) -> tuple[Volume, ...]:
    """As a day's (gaitmon.trends.volume), but a recording knows no midnight: its first sample begins the
    first day."""

    def us(t_s: float) -> int:
        return round(1e6 * (t_s - recording.start_s))

    simulated = recording.simulated
    spans = [_Span(p.posture, us(p.start_s), us(p.end_s), simulated) for p in postures]
    walks = [_Bout(us(b.start_s), us(b.end_s), b.n_steps, b.turns, b.metrics, simulated) for b in bouts]
    days: dict[str, dict[str, float]] = {}
    for v in volume_values(spans, walks, UTC):
        if v.value is not None:
            days.setdefault(v.day, {})[v.metric] = v.value
    return tuple(_volume(recording, day, values) for day, values in days.items())


def _volume(recording: Recording, day: str, values: dict[str, float]) -> Volume:
    from_s = recording.start_s + DAY_S * (date.fromisoformat(day) - date(1970, 1, 1)).days
    return Volume(from_s, min(from_s + DAY_S, recording.end_s), values)
