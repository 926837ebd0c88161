"""The daily values of what was stored since: of bouts, of postures, and against the wearer's own usual.

What is held against a baseline (limp index, waveform change) has no value before there is one, and is never
watched by the alert rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from gaitmon.store.registry import Wearer
from gaitmon.store.series import BoutRow, DayRow, SeriesStore, Touched
from gaitmon.symmetry.loading import LIMP_PARTS
from gaitmon.trends import (
    LIMP_INDEX,
    WAVEFORM_CHANGE,
    DayValue,
    TrendParams,
    UsualCurves,
    baseline_window,
    day_bounds_utc_us,
    day_values,
    limp_days,
    local_day,
    usual_curves,
    valid_days,
    volume_values,
    waveform_changes,
)

STRATUM = "straight"  # turns and stairs change symmetry by themselves; see docs/alerts.md for speed
_ANCHOR = "thigh_rom_ln_pct"  # on whose baseline days the curves are those usual for the wearer
_AGAINST_OWN = (LIMP_INDEX, *WAVEFORM_CHANGE)


@dataclass(frozen=True, slots=True, eq=False)
class _Baseline:
    first_day: str
    last_day: str
    curves: UsualCurves


class DayWriter:
    """Remembers each wearer's usual curves, which the store could give again."""

    def __init__(self, store: SeriesStore, params: TrendParams) -> None:
        self._store = store
        self._params = params
        self._usual: dict[str, _Baseline] = {}

    def write(self, wearer: Wearer, marks: Iterable[Touched]) -> list[DayRow]:
        """Compute the days of these marks again and store them; returns what was written."""
        days = {local_day(mark.start_utc_us, wearer.zone) for mark in marks}
        bouts = self._bouts(wearer, days)
        rows = _rows(wearer, self._values(wearer, days, bouts))
        there = {(row.day, row.stratum, row.metric) for row in rows}
        # The bouts behind such a value are gone (a re-analysis moved them): so is the value.
        rows += [
            _gone(old)
            for old in self._store.days(wearer.id, since_day=min(days))
            if old.day in days
            and old.metric not in _AGAINST_OWN
            and (old.day, old.stratum, old.metric) not in there
        ]
        self._store.write(rows)
        own = self._against_own(wearer, days, bouts)
        self._store.write(own)
        return rows + own

    def _values(self, wearer: Wearer, days: set[str], bouts: Sequence[BoutRow]) -> list[DayValue]:
        volume = []
        for first, last in _spans(days):
            start_us, end_us = _bounds(wearer, first, last)
            postures = self._store.postures(wearer.id, start_us, end_us)
            own = [b for b in bouts if start_us <= b.start_utc_us < end_us]
            volume += [v for v in volume_values(postures, own, wearer.zone) if first <= v.day <= last]
        return day_values(bouts, wearer.zone) + volume

    def _bouts(self, wearer: Wearer, days: Iterable[str]) -> list[BoutRow]:
        return [b for span in _spans(days) for b in self._store.bouts(wearer.id, *_bounds(wearer, *span))]

    # -- against the wearer's own usual

    def _against_own(self, wearer: Wearer, days: set[str], bouts: Sequence[BoutRow]) -> list[DayRow]:
        """Rows that are new, other than stored, or no longer there."""
        changes, looked_at = self._changes(wearer, days, bouts)
        new = {(row.day, row.metric): row for row in _rows(wearer, self._limps(wearer) + changes)}
        stored = {
            (row.day, row.metric): row
            for metric in _AGAINST_OWN
            for row in self._store.days(wearer.id, metric)
            if metric == LIMP_INDEX or row.day in looked_at
        }
        gone = [_gone(old) for key, old in stored.items() if key not in new and old.value is not None]
        return [row for key, row in new.items() if stored.get(key) != row] + gone

    def _limps(self, wearer: Wearer) -> list[DayValue]:
        by_metric = {m: self._straight(wearer, m) for m in LIMP_PARTS}
        return [
            DayValue(d.day, STRATUM, LIMP_INDEX, d.index, d.standard_error, d.n_strides, 0, True, d.simulated)
            for d in limp_days(by_metric, self._params)
        ]

    def _changes(
        self, wearer: Wearer, days: set[str], bouts: Sequence[BoutRow]
    ) -> tuple[list[DayValue], set[str]]:
        """Waveform changes, and the days that were looked at: those touched, or all when the baseline has
        become another."""
        had = self._usual.get(wearer.id)
        usual = self._usual_of(wearer, days)
        if usual is None:
            return [], days if had is None else self._every_day(wearer)
        if had is not None and had is not usual:
            days = self._every_day(wearer)
            bouts = self._bouts(wearer, [d for d in days if d > usual.last_day])
        after = [b for b in bouts if local_day(b.start_utc_us, wearer.zone) > usual.last_day]
        return waveform_changes(after, usual.curves, wearer.zone), days

    def _usual_of(self, wearer: Wearer, touched: set[str]) -> _Baseline | None:
        usable = valid_days(self._straight(wearer, _ANCHOR), self._params.baseline.from_day)
        window = baseline_window(usable, self._params)
        had = self._usual.pop(wearer.id, None)
        if not window:
            return None
        first, last = window[0][0], window[-1][0]
        fits = had is not None and (had.first_day, had.last_day) == (first, last)
        if had is None or not fits or any(first <= day <= last for day in touched):
            bouts = self._store.bouts(wearer.id, *_bounds(wearer, first, last))
            had = _Baseline(first, last, usual_curves(bouts, wearer.zone, first, last))
        self._usual[wearer.id] = had
        return had

    def _straight(self, wearer: Wearer, metric: str) -> list[DayRow]:
        return [row for row in self._store.days(wearer.id, metric) if row.stratum == STRATUM]

    def _every_day(self, wearer: Wearer) -> set[str]:
        return {row.day for row in self._straight(wearer, _ANCHOR)}


def _rows(wearer: Wearer, values: Iterable[DayValue]) -> list[DayRow]:
    return [
        DayRow(
            wearer=wearer.id,
            day=v.day,
            stratum=v.stratum,
            metric=v.metric,
            value=v.value,
            standard_error=v.standard_error,
            n_strides=v.n_strides,
            n_bouts=v.n_bouts,
            valid=v.valid,
            simulated=v.simulated or wearer.simulated,
        )
        for v in values
    ]


def _gone(old: DayRow) -> DayRow:
    return DayRow(old.wearer, old.day, old.stratum, old.metric, None, None, 0, 0, False, old.simulated)


def _bounds(wearer: Wearer, first_day: str, last_day: str) -> tuple[int, int]:
    return day_bounds_utc_us(first_day, wearer.zone)[0], day_bounds_utc_us(last_day, wearer.zone)[1]


def _spans(days: Iterable[str]) -> list[tuple[str, str]]:
    """Runs of consecutive days, so that a month that arrives at once is one query."""
    ordered = sorted(days)
    if not ordered:
        return []
    breaks = [
        (a, b) for a, b in pairwise(ordered) if date.fromisoformat(b) - date.fromisoformat(a) > timedelta(1)
    ]
    firsts = [ordered[0], *(b for _, b in breaks)]
    lasts = [*(a for a, _ in breaks), ordered[-1]]
    return list(zip(firsts, lasts, strict=True))
