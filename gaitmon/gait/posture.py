"""Sitting, standing, lying, walking, or not worn: from where gravity points in each sensor.

A thigh more than 45 degrees from how it leans in walking is one that sits or lies (Lugade 2013; two thighs:
sitting only when both do).  A pelvis more than 75 degrees from how it leans in walking lies: a slouched one
reaches 65, a lying one 88 and more.  Nothing is known of posture before the first walk has shown how the
sensors sit; what came before is kept back until then.  Sensors that have not moved at all for half an hour
are not worn: a sleeper breathes and turns (limit of stillness: van Hees 2011, 13 mg).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby, repeat
from math import cos, radians
from typing import NamedTuple

import numpy as np

from gaitmon.gait.leaning import (
    ELSEWHERE,
    PELVIS,
    THIGH,
    UNTOLD,
    gravity_of,
    learn,
    postures,
    still,
    stillness,
)
from gaitmon.gait.sequences import TICK
from gaitmon.model import Bools, Floats, Placement, Posture, PostureSpan

BATCH = 20  # ticks judged together, for speed
DELAY = 10  # ticks after which nothing can become walking any more
_WORN_AT = {
    **dict.fromkeys((Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.THIGH), THIGH),
    Placement.PELVIS: PELVIS,
}
_POSTURES = Posture.UNKNOWN, Posture.STANDING, Posture.SITTING, Posture.SITTING_OR_LYING, Posture.LYING


@dataclass(frozen=True, slots=True)
class PostureParams:
    """Times in ticks of 0.5 s."""

    thigh_deg: float = 45.0  # from how it leans in walking: beyond it sits or lies
    hysteresis_deg: float = 5.0  # who sits must come this far below to stand, and the other way round
    lying_deg: float = 75.0  # of the pelvis
    still_m_s2: float = 0.13  # 13 mg: standard deviation of each axis over a tick
    drift_m_s2: float = 0.4  # how far the mean may wander within one stillness
    unworn: int = 3600  # half an hour
    longest_wait: int = 7200  # an hour without any walk: posture stays unknown
    longest_span: int = 1200  # ten minutes: a span is told at least as often as that
    learning: int = 8  # ticks of walking in a batch that show how a sensor leans
    put_on_anew_deg: float = 30.0


class _Batch(NamedTuple):
    """Ticks from ``first`` on.  gravity: as in gaitmon.gait.leaning.  still: whether no sensor moves."""

    first: int
    gravity: Floats
    still: Bools
    walking: Bools

    def part(self, a: int, b: int) -> _Batch:
        return _Batch(self.first + a, self.gravity[a:b], self.still[a:b], self.walking[a:b])


class PostureTracker:
    """Stateful: batches of ticks in order, each once, of the same sensors."""

    def __init__(self, params: PostureParams | None = None) -> None:
        p = self.params = params or PostureParams()
        bent, margin = p.thigh_deg, p.hysteresis_deg
        angles = bent, bent + margin, bent - margin
        self._bent_at = cos(radians(angles[0])), cos(radians(angles[1])), cos(radians(angles[2]))
        self._lying_at = cos(radians(p.lying_deg))
        self._anew = cos(radians(p.put_on_anew_deg))
        self._lean = np.empty((2, 0, 3))  # of the sensors in walking, and in the last tick
        self._worn = np.empty((2, 0), np.int64)  # where they are, and what thighs did in the last tick
        self._learned = False  # how any of them leans in walking
        self._waiting: list[_Batch] = []  # until then
        self._since = np.empty((0, 3))  # gravity where the last stillness began
        self._number = 0  # of that, negative after it
        self._held: list[tuple[int, int, Posture]] = []  # ticks [from, to) that may turn out not to be worn
        self._unworn = False  # they did
        self._span: tuple[int, int, Posture] | None = None  # ticks [from, to) of the span under way
        self._out: list[PostureSpan] = []

    def push(
        self, first_tick: int, acc_m_s2: Mapping[Placement, Floats], walking: Bools
    ) -> list[PostureSpan]:
        """The next ticks: tick k covers grid indices [k TICK, (k + 1) TICK).

        acc_m_s2: shape (ticks * TICK, 3 or more) per sensor, sensor frame, NaN where samples are missing.
        walking: shape (ticks,), whether each lies in a gait sequence.
        """
        if self._lean.shape[1] != len(acc_m_s2):
            self._begin(acc_m_s2)
        batch = self._batch(first_tick, acc_m_s2, walking)
        p = self.params
        self._learned |= learn(batch.gravity, walking, self._lean[0], p.learning, self._anew)
        self._waiting.append(batch)
        if self._learned:
            for each in self._waiting:
                self._settle(each, self._postures(each))
            self._waiting = []
        else:
            self._give_up(sum(len(each.walking) for each in self._waiting) - p.longest_wait)
        return self._taken()

    def flush(self) -> list[PostureSpan]:
        """Nothing more will come."""
        self._give_up(sum(len(each.walking) for each in self._waiting))
        self._end_stillness()
        self._close_span()
        return self._taken()

    def _taken(self) -> list[PostureSpan]:
        out, self._out = self._out, []
        return out

    # ---- what a tick shows

    def _begin(self, worn: Iterable[Placement]) -> None:
        where = [_WORN_AT.get(p, ELSEWHERE) for p in worn]
        self._worn = np.array([where, [UNTOLD] * len(where)])
        self._lean = np.full((2, len(where), 3), np.nan)
        self._since = np.full((len(where), 3), np.nan)

    def _batch(self, first_tick: int, acc_m_s2: Mapping[Placement, Floats], walking: Bools) -> _Batch:
        n = len(walking)
        gravity, spread = np.empty((n, len(acc_m_s2), 3)), np.empty((n, len(acc_m_s2)))
        for k, acc in enumerate(acc_m_s2.values()):
            gravity_of(acc, TICK, gravity[:, k], spread[:, k])
        return _Batch(first_tick, gravity, still(gravity, spread, self.params.still_m_s2) & ~walking, walking)

    def _postures(self, batch: _Batch) -> Iterable[Posture]:
        found = postures(batch.gravity, self._lean, self._worn, self._bent_at, self._lying_at)
        for walks, posture in zip(batch.walking.tolist(), found.tolist(), strict=True):
            yield Posture.WALKING if walks else _POSTURES[posture]

    def _give_up(self, ticks: int) -> None:
        """Posture stays unknown in so many of those that wait."""
        while ticks > 0 and self._waiting:
            batch = self._waiting.pop(0)
            n = len(batch.walking)
            self._settle(batch.part(0, min(n, ticks)), repeat(Posture.UNKNOWN))
            if ticks < n:
                self._waiting.insert(0, batch.part(ticks, n))
            ticks -= n

    # ---- stillness, spans

    def _settle(self, batch: _Batch, found: Iterable[Posture]) -> None:
        """Give the ticks' postures out, unless they belong to a stillness that may mean not worn."""
        drift, first = self.params.drift_m_s2, batch.first
        numbers = stillness(batch.gravity, batch.still, self._since, drift, self._number).tolist()
        for (number, posture), ticks in groupby(zip(numbers, found, strict=False)):
            end = first + sum(1 for _ in ticks)
            if number != self._number:
                self._end_stillness()
                self._number = number
            if number <= 0 or self._unworn:
                self._add(first, end, Posture.UNWORN if number > 0 else posture)
            else:
                self._held.append((first, end, posture))
                if end - self._held[0][0] >= self.params.unworn:
                    self._add(self._held[0][0], end, Posture.UNWORN)
                    self._held, self._unworn = [], True
            first = end

    def _end_stillness(self) -> None:
        held, self._held, self._unworn = self._held, [], False
        for each in held:
            self._add(*each)

    def _add(self, first: int, end: int, posture: Posture) -> None:
        while first < end:
            start, upto, before = self._span or (first, first, posture)
            full = upto - start >= self.params.longest_span
            if before is not posture or upto != first or full:
                self._close_span()
                start = first
            first = min(end, start + self.params.longest_span)
            self._span = start, first, posture

    def _close_span(self) -> None:
        if self._span is not None:
            start, end, posture = self._span
            self._out.append(PostureSpan(start * TICK / 100.0, end * TICK / 100.0, posture))
        self._span = None
