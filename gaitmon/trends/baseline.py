"""The wearer's own baseline: mean, day-to-day SD and autocorrelation of the first valid days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from math import isfinite, sqrt

import numpy as np

from gaitmon.model import Floats
from gaitmon.trends.days import Day
from gaitmon.trends.rules import DEFAULT_PARAMS, Harm, MetricRule, TrendParams


class Direction(StrEnum):
    """Which change of this wearer's metric counts as worse."""

    RIGHT = "right"  # more positive: away from symmetry on the side where the baseline is
    LEFT = "left"  # more negative
    LOWER = "lower"
    BOTH = "both"  # the baseline is symmetric: either way


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual for this wearer, in the metric's unit.

    sd: between days, not below a share of the MDC.
    half_width: the control limit of the EWMA around the mean, drawn as the band.
    floor: a smaller change is never a candidate, however regular the wearer walks.
    severe: a day that is worse by more than this may alert by itself, if others follow.
    """

    metric: str
    mean: float
    sd: float
    n_days: int
    autocorrelation: float
    direction: Direction
    limit_sd: float
    floor: float
    severe: float
    first_day: str
    last_day: str
    n_strides: int

    @property
    def half_width(self) -> float:
        return self.limit_sd * self.sd

    def harm(self, level: float) -> float:
        """How much worse than baseline this level is, in the metric's unit; negative is better.

        For a wearer who is asymmetric to begin with, worse is further from zero than before, on
        either side: passing through zero is an improvement only as far as the mirror image.
        """
        match self.direction:
            case Direction.BOTH:
                return abs(level - self.mean)
            case Direction.LOWER:
                return self.mean - level
            case _:
                return abs(level) - abs(self.mean)


def valid_days(days: Iterable[Day], from_day: str | None = None) -> list[tuple[str, float, Day]]:
    """(day, value, the day), oldest first: what baseline and EWMA see.  A day counts once."""
    usable = [
        (d.day, d.value, d)
        for d in days
        if d.valid and d.value is not None and isfinite(d.value) and (from_day is None or d.day >= from_day)
    ]
    usable.sort(key=lambda item: item[0])
    for (earlier, _, _), (later, _, _) in pairwise(usable):
        if earlier == later:
            raise ValueError(f"two values for {earlier}: pass one metric of one wearer in one stratum")
    return usable


def baseline(days: Iterable[Day], rule: MetricRule, params: TrendParams = DEFAULT_PARAMS) -> Baseline | None:
    """The fixed reference baseline of one metric, None while there are too few valid days.

    It depends on nothing after its own last day, so it never moves under a decision already taken.
    """
    return baseline_of(valid_days(days, params.baseline.from_day), rule, params)


def baseline_of(
    usable: Sequence[tuple[str, float, Day]], rule: MetricRule, params: TrendParams
) -> Baseline | None:
    """As baseline, from the result of valid_days."""
    window = baseline_window(usable, params)
    return _describe(window, rule, params) if window else None


def baseline_window(
    usable: Sequence[tuple[str, float, Day]], params: TrendParams
) -> Sequence[tuple[str, float, Day]]:
    """Those of the result of valid_days that make the baseline; empty while there are too few."""
    n = params.baseline.days
    for end in range(n, len(usable) + 1):
        window = usable[end - n : end]
        span = date.fromisoformat(window[-1][0]) - date.fromisoformat(window[0][0])
        if span.days < params.baseline.window_days:
            return window
    return ()


def _describe(window: Sequence[tuple[str, float, Day]], rule: MetricRule, params: TrendParams) -> Baseline:
    x = np.array([value for _, value, _ in window])
    n = len(x)
    mean = float(x.mean())
    sd = max(float(x.std(ddof=1)), params.baseline.sd_floor_mdc * rule.mdc)
    phi = lag1_autocorrelation(x)
    phi = min(max(phi, params.baseline.autocorrelation_floor), params.baseline.autocorrelation_ceiling)
    direction = _direction(mean, rule)
    limit = params.limit_two_sided if direction is Direction.BOTH else params.limit_one_sided
    inflation = (1 + phi) / (1 - phi)
    steady = params.smoothing / (2 - params.smoothing)
    return Baseline(
        metric=rule.metric,
        mean=mean,
        sd=sd,
        n_days=n,
        autocorrelation=phi,
        direction=direction,
        limit_sd=limit * sqrt(steady * inflation + inflation / n),
        floor=min(rule.mdc, params.floor_sd * sd),
        severe=max(params.severe_mdc * rule.mdc, params.severe_sd * sd * sqrt(1 + inflation / n)),
        first_day=window[0][0],
        last_day=window[-1][0],
        n_strides=sum(day.n_strides for _, _, day in window),
    )


def _direction(mean: float, rule: MetricRule) -> Direction:
    if rule.harm is Harm.LOWER:
        return Direction.LOWER
    if abs(mean) <= rule.mdc:
        return Direction.BOTH
    return Direction.RIGHT if mean > 0 else Direction.LEFT


def lag1_autocorrelation(x: Floats) -> float:
    """Of consecutive valid days, whatever lies between them; 0 for a constant series."""
    centred = x - x.mean()
    power = float(np.dot(centred, centred))
    return float(np.dot(centred[1:], centred[:-1])) / power if power > 0 else 0.0
