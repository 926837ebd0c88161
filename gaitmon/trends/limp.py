"""The limp index of each day: how far its five asymmetries lie from the wearer's own baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from gaitmon.symmetry.loading import LIMP_PARTS, Usual, limp_index
from gaitmon.symmetry.metrics import METRICS
from gaitmon.trends.baseline import Baseline, baseline_of, valid_days
from gaitmon.trends.days import Day
from gaitmon.trends.rules import DEFAULT_PARAMS, MDC, Harm, MetricRule, TrendParams

LIMP_INDEX = "limp_index"


class Part(Day, Protocol):
    """DayValue and gaitmon.store.series.DayRow have it."""

    @property
    def standard_error(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class LimpDay:
    """parts: each metric's distance from its baseline in its SDs, signed, + to the right.

    standard_error: from the parts' own; the baseline's error is not in it.  None where a part has none.
    """

    day: str
    index: float
    standard_error: float | None
    parts: dict[str, float]
    n_strides: int
    simulated: bool


def limp_days(days: Mapping[str, Sequence[Part]], params: TrendParams = DEFAULT_PARAMS) -> list[LimpDay]:
    """Oldest first, of the days after the baseline on which every part is valid.

    days: by metric, of one wearer in one stratum.  Empty while a part has no baseline.
    """
    usual: dict[str, Baseline] = {}
    for metric in LIMP_PARTS:
        usable = valid_days(days.get(metric, ()), params.baseline.from_day)
        found = baseline_of(usable, _rule(metric), params)
        if found is None:
            return []
        usual[metric] = found
    after = max(b.last_day for b in usual.values())
    by_day: dict[str, dict[str, Part]] = {}
    for metric in LIMP_PARTS:
        for d in days[metric]:
            if d.valid and d.value is not None and d.day > after:
                by_day.setdefault(d.day, {})[metric] = d
    found_days = (_limp_day(day, own, usual) for day, own in sorted(by_day.items()))
    return [d for d in found_days if d is not None]


def _limp_day(day: str, own: Mapping[str, Part], usual: Mapping[str, Baseline]) -> LimpDay | None:
    limp = limp_index(
        {m: d.value for m, d in own.items() if d.value is not None},
        {m: Usual(b.mean, b.sd) for m, b in usual.items()},
    )
    if limp is None:
        return None
    errors = [
        None if d.standard_error is None else limp.parts[m] * d.standard_error / usual[m].sd
        for m, d in own.items()
    ]
    known = [e for e in errors if e is not None]
    error = None
    if len(known) == len(errors) and limp.index > 0.0:
        error = sqrt(sum(e * e for e in known)) / (len(known) * limp.index)
    return LimpDay(
        day, limp.index, error, limp.parts,
        min(d.n_strides for d in own.values()), any(d.simulated for d in own.values()),
    )  # fmt: skip


def _rule(metric: str) -> MetricRule:
    """As if it were watched: its baseline is made like that of those that are."""
    d = METRICS[metric]
    return MetricRule(metric, d.unit, MDC[metric], Harm.ASYMMETRY, d.name)
