"""How much of a day was sat, stood, walked: volume of activity, from postures and walking bouts.

Sedentary behaviour as activPAL users count it: sitting or lying in stretches of 30 or 60 minutes that no two
minutes upright interrupt, and how often an hour of sitting is broken.  Walking bouts by length class and the
values per class as Mobilise-D aggregates them (10-30 s, over 30 s).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import pairwise
from typing import Protocol

import numpy as np

from gaitmon.model import MetricValue, Posture, Turn
from gaitmon.trends.days import DayValue, day_bounds_utc_us, local_day

STRATUM = "day"  # of values that belong to no kind of walking
ENOUGH_WORN_MIN = 600.0  # ten hours: less is not a day
UPRIGHT_BREAK_S = 120.0  # shorter does not interrupt a sedentary stretch
JOINED_S = 1.0  # spans of one segment follow each other without a hole
_MINUTES = {
    Posture.SITTING: "day_sitting_min",
    Posture.LYING: "day_lying_min",
    Posture.SITTING_OR_LYING: "day_sitting_or_lying_min",
    Posture.STANDING: "day_standing_min",
    Posture.WALKING: "day_walking_min",
    Posture.UNWORN: "day_unworn_min",
}
_DOWN = (Posture.SITTING, Posture.LYING, Posture.SITTING_OR_LYING)
_UPRIGHT = (Posture.STANDING, Posture.WALKING)
_WORN = (*_DOWN, *_UPRIGHT)


class Span(Protocol):
    """gaitmon.store.series.PostureRow has it."""

    @property
    def posture(self) -> str: ...
    @property
    def start_utc_us(self) -> int: ...
    @property
    def end_utc_us(self) -> int: ...
    @property
    def simulated(self) -> bool: ...


class Bout(Protocol):
    """gaitmon.store.series.BoutRow has it."""

    @property
    def start_utc_us(self) -> int: ...
    @property
    def end_utc_us(self) -> int: ...
    @property
    def n_steps(self) -> int: ...
    @property
    def turns(self) -> tuple[Turn, ...]: ...
    @property
    def metrics(self) -> tuple[MetricValue, ...]: ...
    @property
    def simulated(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One posture without a break, seconds since the day began."""

    posture: Posture
    start_s: float
    end_s: float

    @property
    def s(self) -> float:
        return self.end_s - self.start_s


def volume_values(spans: Iterable[Span], bouts: Iterable[Bout], zone: tzinfo) -> list[DayValue]:
    """One value per (local day, metric), ordered by them.

    A span that crosses midnight counts on both days; a bout on the day on which it starts.  A day is valid
    when the sensors were worn for ten hours.
    """
    by_day: dict[str, list[_Stretch]] = defaultdict(list)
    simulated: set[str] = set()
    for span in sorted(spans, key=lambda s: s.start_utc_us):
        for day, stretch in _cut_at_midnight(span, zone):
            by_day[day].append(stretch)
            simulated |= {day} if span.simulated else set()
    walks: dict[str, list[Bout]] = defaultdict(list)
    for bout in bouts:
        day = local_day(bout.start_utc_us, zone)
        walks[day].append(bout)
        simulated |= {day} if bout.simulated else set()
    out = []
    for day in sorted(by_day.keys() | walks.keys()):
        stretches = _joined(by_day[day])
        values = {**_postures(stretches), **_bouts(walks[day])}
        valid = values.get("day_worn_min", 0.0) >= ENOUGH_WORN_MIN
        n = len(walks[day])
        out += [
            DayValue(day, STRATUM, metric, value, None, 0, n, valid, day in simulated)
            for metric, value in sorted(values.items())
        ]
    return out


def _cut_at_midnight(span: Span, zone: tzinfo) -> list[tuple[str, _Stretch]]:
    out, start = [], span.start_utc_us
    while start < span.end_utc_us:
        day = local_day(start, zone)
        midnight, next_midnight = day_bounds_utc_us(day, zone)
        end = min(span.end_utc_us, next_midnight)
        out.append((day, _Stretch(Posture(span.posture), (start - midnight) / 1e6, (end - midnight) / 1e6)))
        start = end
    return out


def _joined(stretches: Sequence[_Stretch]) -> list[_Stretch]:
    """Consecutive stretches of one posture as one."""
    out: list[_Stretch] = []
    for s in stretches:
        if out and out[-1].posture is s.posture and s.start_s - out[-1].end_s < JOINED_S:
            out[-1] = _Stretch(s.posture, out[-1].start_s, s.end_s)
        else:
            out.append(s)
    return out


def _postures(stretches: Sequence[_Stretch]) -> dict[str, float]:
    if not stretches:
        return {}
    seconds = {p: sum(s.s for s in stretches if s.posture is p) for p in Posture}
    out = {metric: seconds[p] / 60.0 for p, metric in _MINUTES.items()}
    out["day_worn_min"] = sum(seconds[p] for p in _WORN) / 60.0
    if out["day_worn_min"] == 0.0:
        return out
    rises = sum(
        a.posture in _DOWN and b.posture in _UPRIGHT and b.start_s - a.end_s < JOINED_S
        for a, b in pairwise(stretches)
    )
    out["day_rises_n"] = float(rises)
    down_s = sum(seconds[p] for p in _DOWN)
    sat = [end - start for start, end in _down(stretches, 0.0)]
    out["day_longest_sit_min"] = max(sat, default=0.0) / 60.0
    if down_s > 0:
        out["day_sitting_breaks_per_h"] = 3600.0 * rises / down_s
    sedentary = [end - start for start, end in _down(stretches, UPRIGHT_BREAK_S)]
    for minutes in (30, 60):
        out[f"day_sits_over_{minutes}_min_n"] = float(sum(s >= 60.0 * minutes for s in sedentary))
    return out


def _down(stretches: Sequence[_Stretch], upright_s: float) -> list[tuple[float, float]]:
    """Stretches of sitting or lying, s; time upright shorter than upright_s does not end one."""
    out: list[tuple[float, float]] = []
    for s in (s for s in stretches if s.posture in _DOWN):
        if out and _bridged(stretches, out[-1][1], s.start_s, upright_s):
            out[-1] = out[-1][0], s.end_s
        else:
            out.append((s.start_s, s.end_s))
    return out


def _bridged(stretches: Sequence[_Stretch], a: float, b: float, upright_s: float) -> bool:
    """Whether all of [a, b) is known to be upright and shorter than upright_s, or nothing."""
    upright = sum(s.s for s in stretches if s.posture in _UPRIGHT and a <= s.start_s and s.end_s <= b)
    return b - a - upright < JOINED_S and (upright < upright_s or b - a < JOINED_S)


def _bouts(bouts: Sequence[Bout]) -> dict[str, float]:
    length_s = np.array([(b.end_utc_us - b.start_utc_us) / 1e6 for b in bouts])
    out = {
        "day_bouts_n": float(len(bouts)),
        "day_bouts_under_10_s_n": float((length_s < 10).sum()),
        "day_bouts_10_30_s_n": float(((length_s >= 10) & (length_s < 30)).sum()),
        "day_bouts_30_60_s_n": float(((length_s >= 30) & (length_s < 60)).sum()),
        "day_bouts_over_60_s_n": float((length_s >= 60).sum()),
        "day_steps_n": float(sum(b.n_steps for b in bouts)),
    }
    if not bouts:
        return out
    out["day_bout_median_s"] = float(np.median(length_s))
    out["day_bout_p90_s"] = float(np.percentile(length_s, 90))
    turns = [t for b in bouts for t in b.turns]
    out["day_turns_n"] = float(len(turns))
    if turns:
        out["day_turns_leftward_pct"] = 100.0 * sum(t.angle_rad > 0 for t in turns) / len(turns)
    for name, a, b in (("10_30_s", 10.0, 30.0), ("over_30_s", 30.0, np.inf)):
        chosen = [w for w, s in zip(bouts, length_s, strict=True) if a <= s < b]
        for metric, own in (
            ("walking_speed_m_s", f"day_speed_{name}_m_s"),
            ("cadence_steps_min", f"day_cadence_{name}_steps_min"),
            ("stride_length_m", f"day_stride_length_{name}_m"),
        ):
            if values := _values(chosen, metric):
                out[own] = float(np.mean(values))
    over_10 = [w for w, s in zip(bouts, length_s, strict=True) if s >= 10.0]
    if speeds := _values(over_10, "walking_speed_m_s"):
        out["day_speed_p90_m_s"] = float(np.percentile(speeds, 90))
    return out


def _values(bouts: Sequence[Bout], metric: str) -> list[float]:
    return [m.value for b in bouts for m in b.metrics if m.metric == metric and m.value is not None]
