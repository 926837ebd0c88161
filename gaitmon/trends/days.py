"""Bout values -> one signed value per local day, stratum and metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import sqrt
from typing import Protocol

import numpy as np

from gaitmon.model import MetricValue
from gaitmon.trends.rules import MDC

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Bout(Protocol):
    """What a day needs of a walking bout; gaitmon.store.series.BoutRow has it."""

    @property
    def start_utc_us(self) -> int: ...
    @property
    def stratum(self) -> str: ...
    @property
    def metrics(self) -> tuple[MetricValue, ...]: ...
    @property
    def simulated(self) -> bool: ...


class Day(Protocol):
    """What a trend needs of a day's value; DayValue and gaitmon.store.series.DayRow have it."""

    @property
    def day(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def n_strides(self) -> int: ...
    @property
    def valid(self) -> bool: ...
    @property
    def simulated(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class DayValue:
    """One metric on one local day in one stratum.

    value: stride-weighted mean of the bouts' signed values, in the metric's unit.
    standard_error: the larger of the bouts' own standard errors carried through and the scatter between
    bouts; None when neither is known.
    n_strides: straight strides behind the value, both sides together.
    """

    day: str
    stratum: str
    metric: str
    value: float | None
    standard_error: float | None
    n_strides: int
    n_bouts: int
    valid: bool
    simulated: bool


@dataclass(frozen=True, slots=True)
class DayParams:
    """When a day's value is good enough for baseline and alert.

    min_strides: straight strides that suffice by themselves.
    max_se_mdc: or a standard error of at most this share of the MDC,
    min_strides_se: from at least so many strides, as a standard error of fewer is itself a guess.
    min_bouts_scatter: bouts from which the scatter between them says anything.
    """

    min_strides: int = 150
    max_se_mdc: float = 0.5
    min_strides_se: int = 20
    min_bouts_scatter: int = 3


def local_day(utc_us: int, zone: tzinfo) -> str:
    """ISO date of this instant in the wearer's zone."""
    return (_EPOCH + timedelta(microseconds=utc_us)).astimezone(zone).date().isoformat()


def day_bounds_utc_us(day: str, zone: tzinfo) -> tuple[int, int]:
    """[start, end) of a local day; 23 or 25 hours long when the clocks change."""
    first = date.fromisoformat(day)
    return _midnight_utc_us(first, zone), _midnight_utc_us(first + timedelta(days=1), zone)


def _midnight_utc_us(day: date, zone: tzinfo) -> int:
    # fold=0: the first of two midnights; where there is none, the instant of the change.
    instant = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    return (instant - _EPOCH) // timedelta(microseconds=1)


def day_values(
    bouts: Iterable[Bout],
    zone: tzinfo,
    params: DayParams = DayParams(),
    mdc: Mapping[str, float] = MDC,
) -> list[DayValue]:
    """One value per (day, stratum, metric), ordered by them.

    A bout belongs to the local day on which it starts, also across midnight and a change of the clocks.
    """
    groups: dict[tuple[str, str, str], list[tuple[MetricValue, bool]]] = {}
    for bout in bouts:
        day = local_day(bout.start_utc_us, zone)
        for value in bout.metrics:
            groups.setdefault((day, bout.stratum, value.metric), []).append((value, bout.simulated))
    return [
        _day_value(key, [value for value, _ in group], any(s for _, s in group), params, mdc.get(key[2]))
        for key, group in sorted(groups.items())
    ]


def _day_value(
    key: tuple[str, str, str],
    values: Sequence[MetricValue],
    simulated: bool,
    params: DayParams,
    mdc: float | None,
) -> DayValue:
    day, stratum, metric = key
    used = [v for v in values if v.value is not None and np.isfinite(v.value) and v.n_left + v.n_right > 0]
    if not used:
        return DayValue(day, stratum, metric, None, None, 0, 0, False, simulated)
    weights = np.array([v.n_left + v.n_right for v in used], dtype=float)
    x = np.array([v.value for v in used], dtype=float)
    mean = float(np.average(x, weights=weights))
    error = _standard_error(used, params.min_bouts_scatter)
    n_strides = int(weights.sum())
    precise = (
        mdc is not None
        and error is not None
        and n_strides >= params.min_strides_se
        and error <= params.max_se_mdc * mdc
    )
    valid = n_strides >= params.min_strides or precise
    return DayValue(day, stratum, metric, mean, error, n_strides, len(used), valid, simulated)


def _standard_error(used: Sequence[MetricValue], min_bouts_scatter: int) -> float | None:
    weights = np.array([v.n_left + v.n_right for v in used], dtype=float)
    share = weights / weights.sum()
    own = [v.standard_error for v in used if v.standard_error is not None]
    errors = []
    if len(own) == len(used):
        errors.append(sqrt(float(np.sum((share * np.array(own)) ** 2))))
    n = len(used)
    if n >= min_bouts_scatter:
        x = np.array([v.value for v in used], dtype=float)
        residual = x - np.sum(share * x)
        errors.append(sqrt(float(np.sum((share * residual) ** 2)) * n / (n - 1)))
    return max(errors, default=None)
