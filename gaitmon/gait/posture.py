"""Sitting, standing, lying, walking, or not worn: from where gravity points in each sensor.

A thigh more than 45 degrees from how it leans in walking is one that sits or lies (Lugade 2013; two thighs:
sitting only when both do).  A pelvis more than 75 degrees from how it leans in walking lies: a slouched one
reaches 65, a lying one 88 and more.  Nothing is known of posture before the first walk has shown how the
sensors sit; what came before is kept back until then.  Sensors that have not moved at all for half an hour
are not worn: a sleeper breathes and turns (limit of stillness: van Hees 2011, 13 mg).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import acos, cos, degrees, isnan, radians, sqrt
from typing import NamedTuple

import numpy as np

from gaitmon.gait.sequences import TICK
from gaitmon.model import Floats, Placement, Posture, PostureSpan

BATCH = 20  # ticks judged together, for speed
DELAY = 10  # ticks after which nothing can become walking any more
_THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.THIGH)
_Up = tuple[float, float, float]


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


class _Cell(NamedTuple):
    """One tick: where gravity points in each sensor that was heard."""

    tick: int
    walking: bool
    gravity: dict[Placement, _Up]
    still: bool


@dataclass(slots=True)
class PostureTracker:
    """Stateful: batches of ticks in order, each once."""

    params: PostureParams = field(default_factory=PostureParams)
    _up: dict[Placement, _Up] = field(default_factory=dict)  # in walking
    _waiting: list[_Cell] = field(default_factory=list)  # until there is any reference
    _still: list[tuple[int, Posture]] = field(default_factory=list)  # may turn out not to be worn
    _unworn: bool = False  # it did
    _still_from: dict[Placement, _Up] = field(default_factory=dict)
    _last: dict[Placement, _Up] = field(default_factory=dict)
    _sits: dict[Placement, bool] = field(default_factory=dict)
    _span: tuple[int, int, Posture] | None = None  # ticks [from, to) of the span under way
    _out: list[PostureSpan] = field(default_factory=list)
    _bent_at: dict[bool | None, float] = field(init=False)  # cosine below which a thigh sits that sat or not
    _lying_at: float = field(init=False)

    def __post_init__(self) -> None:
        bent, margin = self.params.thigh_deg, self.params.hysteresis_deg
        angles = {None: bent, True: bent - margin, False: bent + margin}
        self._bent_at = {sits: cos(radians(angle)) for sits, angle in angles.items()}
        self._lying_at = cos(radians(self.params.lying_deg))

    def push(
        self, first_tick: int, acc_m_s2: Mapping[Placement, Floats], walking: Sequence[bool]
    ) -> list[PostureSpan]:
        """The next ticks: tick k covers grid indices [k TICK, (k + 1) TICK).

        acc_m_s2: shape (ticks * TICK, 3) per sensor, sensor frame, NaN where samples are missing.
        walking: whether each tick lies in a gait sequence.
        """
        cells = self._cells(first_tick, acc_m_s2, walking)
        self._learn(cells)
        if not self._up:
            self._waiting += cells
            too_long = max(len(self._waiting) - self.params.longest_wait, 0)
            for cell in self._waiting[:too_long]:
                self._settle(cell, Posture.UNKNOWN)
            self._waiting = self._waiting[too_long:]
            return self._taken()
        for cell in (*self._waiting, *cells):
            self._settle(cell, self._posture(cell))
        self._waiting = []
        return self._taken()

    def flush(self) -> list[PostureSpan]:
        """Nothing more will come."""
        for cell in self._waiting:
            self._settle(cell, Posture.UNKNOWN)
        self._waiting = []
        self._end_stillness()
        self._close_span()
        return self._taken()

    def _taken(self) -> list[PostureSpan]:
        out, self._out = self._out, []
        return out

    # ---- what a tick shows

    def _cells(
        self, first_tick: int, acc_m_s2: Mapping[Placement, Floats], walking: Sequence[bool]
    ) -> list[_Cell]:
        n = len(walking)
        # Samples of a tick first, as sums over the first axis go: several times faster.
        x = np.empty((TICK, len(acc_m_s2), n, 3))
        for k, acc in enumerate(acc_m_s2.values()):
            x[:, k] = acc.reshape(n, TICK, 3).swapaxes(0, 1)
        mean = np.add.reduce(x, axis=0) / TICK
        x -= mean
        x *= x
        spread = np.sqrt(np.maximum.reduce(np.add.reduce(x, axis=0) / TICK, axis=2))
        means = mean.swapaxes(0, 1).tolist()
        quiet = (spread < self.params.still_m_s2).T.tolist()
        out = []
        for i, walks in enumerate(walking):
            gravity: dict[Placement, _Up] = dict(zip(acc_m_s2, map(tuple, means[i]), strict=True))
            still = all(quiet[i])
            if any(isnan(x) for x, _, _ in gravity.values()):
                still = all(q for q, (x, _, _) in zip(quiet[i], means[i], strict=True) if not isnan(x))
                gravity = {p: up for p, up in gravity.items() if not isnan(up[0])}
            out.append(_Cell(first_tick + i, walks, gravity, still and bool(gravity) and not walks))
        return out

    def _learn(self, cells: Sequence[_Cell]) -> None:
        """How each sensor leans in walking; at once when it was put on anew, else slowly."""
        walked = [c for c in cells if c.walking]
        for p in {p for c in walked for p in c.gravity}:
            seen = [c.gravity[p] for c in walked if p in c.gravity]
            if len(seen) < self.params.learning:
                continue
            new = _unit(tuple(sum(axis) for axis in zip(*seen, strict=True)))
            known = self._up.get(p)
            if known is not None and _angle_deg(new, known) < self.params.put_on_anew_deg:
                new = _unit(tuple(0.8 * a + 0.2 * b for a, b in zip(known, new, strict=True)))
            self._up[p] = new

    def _posture(self, cell: _Cell) -> Posture:
        thighs = [self._bent(p, cell) for p in _THIGHS if p in cell.gravity and p in self._up]
        lying = self._lying(cell)
        self._last = cell.gravity
        if cell.walking:
            return Posture.WALKING
        if not thighs:
            return Posture.LYING if lying else Posture.UNKNOWN
        if not all(thighs):
            return Posture.STANDING
        if lying is None:
            return Posture.SITTING_OR_LYING
        return Posture.LYING if lying else Posture.SITTING

    def _lying(self, cell: _Cell) -> bool | None:
        """None where the pelvis cannot tell."""
        now, upright = cell.gravity.get(Placement.PELVIS), self._up.get(Placement.PELVIS)
        if now is None or upright is None:
            return None
        return _cosine(now, upright) < self._lying_at

    def _bent(self, thigh: Placement, cell: _Cell) -> bool:
        """Whether this thigh sits, of this tick and the one before together."""
        now, before = cell.gravity[thigh], self._last.get(thigh, cell.gravity[thigh])
        both = now[0] + before[0], now[1] + before[1], now[2] + before[2]
        bent = self._sits[thigh] = _cosine(both, self._up[thigh]) < self._bent_at[self._sits.get(thigh)]
        return bent

    # ---- stillness, spans

    def _settle(self, cell: _Cell, posture: Posture) -> None:
        """Give the tick's posture out, unless it belongs to a stillness that may mean not worn."""
        if not cell.still or self._drifted(cell):
            self._end_stillness()
        if not self._still and not self._unworn:
            self._still_from = cell.gravity
        if not cell.still or self._unworn:
            self._add(cell.tick, Posture.UNWORN if cell.still else posture)
            return
        self._still.append((cell.tick, posture))
        if len(self._still) >= self.params.unworn:
            for tick, _ in self._still:
                self._add(tick, Posture.UNWORN)
            self._still, self._unworn = [], True

    def _drifted(self, cell: _Cell) -> bool:
        limit = self.params.drift_m_s2
        for p, (x, y, z) in cell.gravity.items():
            if p in self._still_from:
                a, b, c = self._still_from[p]
                if abs(x - a) > limit or abs(y - b) > limit or abs(z - c) > limit:
                    return True
        return False

    def _end_stillness(self) -> None:
        held, self._still, self._unworn = self._still, [], False
        for tick, posture in held:
            self._add(tick, posture)

    def _add(self, tick: int, posture: Posture) -> None:
        if self._span is not None:
            start, end, before = self._span
            if before is posture and end == tick and tick - start < self.params.longest_span:
                self._span = start, tick + 1, posture
                return
            self._close_span()
        self._span = tick, tick + 1, posture

    def _close_span(self) -> None:
        if self._span is not None:
            start, end, posture = self._span
            self._out.append(PostureSpan(start * TICK / 100.0, end * TICK / 100.0, posture))
        self._span = None


def _unit(v: Sequence[float]) -> _Up:
    x, y, z = v
    length = sqrt(x * x + y * y + z * z) or 1.0
    return x / length, y / length, z / length


def _cosine(a: _Up, unit: _Up) -> float:
    """Of the angle between any vector and a unit one."""
    x, y, z = a
    length = sqrt(x * x + y * y + z * z) or 1.0
    return (x * unit[0] + y * unit[1] + z * unit[2]) / length


def _angle_deg(a: _Up, unit: _Up) -> float:
    return degrees(acos(max(-1.0, min(1.0, _cosine(a, unit)))))
