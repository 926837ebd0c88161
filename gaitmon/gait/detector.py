"""Walking, tick by tick, from all sensors worn together: who is asked, and who can overrule whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, isnan, nan, radians, sqrt
from statistics import median
from typing import NamedTuple

import numpy as np

from gaitmon.gait.sequences import (
    CELLS,
    TICK,
    WINDOW,
    SequenceParams,
    Thresholds,
    Verdict,
    edges,
    evidence,
    looks_like_walking,
    never_walks,
)
from gaitmon.model import Floats, Placement


@dataclass(slots=True)
class _WalkingPosture:
    """How one thigh leans in walking, as seen from its own sensor.  Stateful.

    Learned from clear walking only, and given up for another posture after half a minute of clear
    walking in that one: the sensor was put on anew.
    """

    limit: float  # cosine of the largest lean
    _up: tuple[float, float, float] | None = None
    _against: int = 0

    def fits(self, up: tuple[float, float, float], *, clear: bool) -> bool:
        """Whether a walking window with this vertical agrees with what walking has looked like."""
        if self._up is None:
            self._up = up if clear else None
            return True
        x, y, z = self._up
        fits = x * up[0] + y * up[1] + z * up[2] > self.limit * sqrt(x * x + y * y + z * z)
        if clear and fits:
            self._up = (0.98 * x + 0.02 * up[0], 0.98 * y + 0.02 * up[1], 0.98 * z + 0.02 * up[2])
            self._against = 0
        elif clear:
            self._against += 1
            if self._against >= 60:
                self._up, self._against = up, 0
        return fits


_NO, _UNHEARD = Verdict(False), Verdict(False, heard=False)
_THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.THIGH)


@dataclass(frozen=True, slots=True)
class _Sensor:
    placement: Placement
    thigh: bool
    trunk: bool
    gyroscope: bool  # whether its angular rate is what is looked at
    limits: Thresholds

    @property
    def least(self) -> float:
        """The mean square of walking, at least."""
        return self.limits.walking * self.limits.walking


class _Seen(NamedTuple):
    """silent: whether holes may hide that it walks."""

    walking: bool
    silent: bool
    period_s: float


_NOTHING = _Seen(False, False, nan)


class _Sum(NamedTuple):
    """Of some cells of half a second of one sensor, without those of which more than half is missing.

    n: how many.  ax, ay, az: sum of their mean accelerations.  x, y, z: of the means of what is looked at,
    acceleration or angular rate; energy: of its mean squares.
    """

    n: int
    ax: float
    ay: float
    az: float
    x: float
    y: float
    z: float
    energy: float

    def plus(self, o: _Sum) -> _Sum:
        a, b, c, d, e, f, g, h = self
        return _Sum(a + o[0], b + o[1], c + o[2], d + o[3], e + o[4], f + o[5], g + o[6], h + o[7])


_MISSING = _Sum(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class _Window(NamedTuple):
    """squares: of each cell the mean square about its mean, NaN where missing.  cells: their sums.  early,
    late: its halves."""

    squares: tuple[float, ...]
    cells: tuple[_Sum, ...]
    early: _Sum
    late: _Sum

    def mean_square(self) -> float:
        """About the window's mean; NaN where more than half of the window is missing."""
        a, b = self.early, self.late
        n = a.n + b.n
        if 2 * n < CELLS:
            return nan
        x, y, z = a.x + b.x, a.y + b.y, a.z + b.z
        return (a.energy + b.energy) / n - (x * x + y * y + z * z) / (n * n)

    def vertical(self) -> tuple[tuple[float, float, float], float]:
        """Which way is up in the mean of the window, unit, and the cosine between the means of its halves; 0
        where one of them is missing."""
        (_, ax, ay, az, *_), (_, bx, by, bz, *_) = self.early, self.late
        x, y, z = ax + bx, ay + by, az + bz
        length = sqrt(x * x + y * y + z * z) or 1.0
        product = sqrt((ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz))
        settled = (ax * bx + ay * by + az * bz) / product if product else 0.0
        return (x / length, y / length, z / length), settled

    def swings_less(self, up: tuple[float, float, float], params: SequenceParams) -> bool:
        """Whether no two cells see gravity further apart than swing_deg.  up: that of the window."""
        seen = [_unit(c.ax, c.ay, c.az) for c in self.cells if c.n]
        x, y, z = up
        half = cos(radians(0.5 * params.swing_deg))
        if all(x * a + y * b + z * c > half for a, b, c in seen):
            return True  # so they are from each other: most walking is settled here
        least = cos(radians(params.swing_deg))
        return all(
            a * x + b * y + c * z > least for i, (a, b, c) in enumerate(seen) for x, y, z in seen[i + 1 :]
        )


def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = sqrt(x * x + y * y + z * z) or 1.0
    return x / length, y / length, z / length


class _Cells:
    """The latest cells of one sensor, and their sums: each half window is summed up once.  Stateful."""

    def __init__(self) -> None:
        self._squares: deque[float] = deque(maxlen=CELLS)
        self._cells: deque[_Sum] = deque(maxlen=CELLS)
        self._last = _MISSING
        self._pairs: deque[_Sum] = deque([_MISSING] * 3, maxlen=3)
        self._halves: deque[_Sum] = deque([_MISSING] * 5, maxlen=5)

    def push(self, square: float, cell: _Sum) -> _Window:
        """The window that ends with this cell."""
        self._squares.append(square)
        self._cells.append(cell)
        self._pairs.append(self._last.plus(cell))
        self._halves.append(self._pairs[0].plus(self._pairs[2]))
        self._last = cell
        return _Window(tuple(self._squares), tuple(self._cells), self._halves[0], self._halves[4])


class WalkingDetector:
    """One verdict a tick from all sensors worn.  Stateful: ticks in order, each once.

    All thighs that are seen must walk.  Without one, all others must.  A trunk that is still, or runs,
    overrules a thigh that has no gyroscope.  Only windows with a walk's energy are looked at closely, and
    signals are smoothed only where the raw ones may hold that much: most of a day is rest.
    """

    def __init__(self, params: SequenceParams | None = None) -> None:
        self._params = params or SequenceParams()
        self._postures: dict[Placement, _WalkingPosture] = {}
        self._settled = cos(radians(self._params.settled_deg))
        self._cells: dict[Placement, _Cells] = {}  # of those looked at; empty after rest
        self._busy = False
        self._worn: list[_Sensor] = []
        self._worn_of: tuple[tuple[Placement, ...], frozenset[Placement]] = (), frozenset()

    def push(
        self,
        raw: Mapping[Placement, Floats],
        smoothed: Callable[[Placement], Floats],
        gyroscopes: frozenset[Placement],
        n_ticks: int,
    ) -> list[Verdict]:
        """The next n_ticks verdicts.

        raw: per placement acc and gyr from WINDOW before the first of these ticks to the last.  smoothed:
        gives the rows of SensorChain.smooth for the same time.  gyroscopes: who has one.
        """
        worn = self._sensors(tuple(raw), gyroscopes)
        first = [s for s in worn if s.thigh] or worn  # one of these too quiet is enough: nobody walks
        if not self._busy and any(_quiet(s, raw[s.placement]) for s in first):
            self._cells = {}
            return [_NO] * n_ticks
        if not all(s.gyroscope for s in first):  # who may be overruled
            first = worn
        smooth = [smoothed(s.placement) for s in first]
        windows = self._windows(first, smooth, n_ticks)
        asked = [self._asked(first, [each[i] for each in windows]) for i in range(n_ticks)]
        others = worn[len(first) :]
        if others and None in asked:  # no thigh is heard
            more = [smoothed(s.placement) for s in others]
            smooth, windows = smooth + more, windows + self._windows(others, more, n_ticks)
            asked = [self._asked(worn, [each[i] for each in windows]) for i in range(n_ticks)]
        else:
            for sensor in others:
                self._cells.pop(sensor.placement, None)
        self._busy = bool(asked[-1])  # and hardly quiet in the next second: spares looking
        if not any(asked):
            return [_UNHEARD if voters is None else _NO for voters in asked]
        seen = self._look(worn, smooth, [each or [] for each in asked], windows)
        return [
            self._verdict(each, [one[i] for one in seen], [w[i] for w in windows], worn)
            for i, each in enumerate(asked)
        ]

    def _verdict(
        self, asked: list[int] | None, seen: list[_Seen], windows: list[_Window], worn: list[_Sensor]
    ) -> Verdict:
        """Of one tick."""
        if asked is None:
            return _UNHEARD
        voters = [k for k in asked if not seen[k].silent]
        if not voters or not all(seen[k].walking for k in voters):
            return _UNHEARD if asked and not voters else _NO
        ends = [edges(windows[k].squares, worn[k].limits, self._params) for k in voters]
        periods = [seen[k].period_s for k in voters if not isnan(seen[k].period_s)]
        period_s = median(periods) if periods else nan
        return Verdict(True, period_s, min(a for a, _ in ends), min(b for _, b in ends))

    def _sensors(self, placements: tuple[Placement, ...], gyroscopes: frozenset[Placement]) -> list[_Sensor]:
        """Those worn, thighs first."""
        if self._worn_of != (placements, gyroscopes):
            self._worn_of = placements, gyroscopes
            worn = (self._sensor(p, gyroscopes) for p in placements)
            self._worn = sorted(worn, key=lambda s: not s.thigh)
        return self._worn

    def _sensor(self, p: Placement, gyroscopes: frozenset[Placement]) -> _Sensor:
        trunk, thigh = p is Placement.PELVIS, p in _THIGHS
        gyroscope = thigh and p in gyroscopes
        return _Sensor(p, thigh, trunk, gyroscope, self._params.of(gyroscope=gyroscope, trunk=trunk))

    def _windows(self, sensors: list[_Sensor], smooth: list[Floats], n_ticks: int) -> list[list[_Window]]:
        """Per sensor its windows, from the cells that are new and those remembered."""
        for sensor, rows in zip(sensors, smooth, strict=True):
            if sensor.placement not in self._cells:
                cells = self._cells[sensor.placement] = _Cells()
                for square, cell in _cells([sensor], [rows[: WINDOW - TICK]])[0]:
                    cells.push(square, cell)
        new = _cells(sensors, [rows[-n_ticks * TICK :] for rows in smooth])
        return [
            [self._cells[sensor.placement].push(square, cell) for square, cell in own]
            for sensor, own in zip(sensors, new, strict=True)
        ]

    def _asked(self, worn: list[_Sensor], windows: list[_Window]) -> list[int] | None:
        """The sensors that must all walk, if none of them is too quiet for it; else none.  None where too
        much of all of them is missing."""
        energy = [w.mean_square() for w in windows]
        seen = [k for k, e in enumerate(energy) if not isnan(e)]
        if not seen:
            return None
        asked = [k for k in seen if worn[k].thigh] or seen
        return asked if all(energy[k] > worn[k].least for k in asked) else []

    def _look(
        self,
        worn: list[_Sensor],
        smooth: list[Floats],
        asked: list[list[int]],
        windows: list[list[_Window]],
    ) -> list[list[_Seen]]:
        """What each sensor shows in each window; only of those asked, and of who may overrule them."""
        params, n = self._params, len(asked)
        seen = [[_NOTHING] * n for _ in worn]
        voters = {k for each in asked for k in each}
        unsure = any(worn[k].thigh and not worn[k].gyroscope for k in voters)
        voters |= {k for k, s in enumerate(worn) if unsure and s.trunk}
        for trunk, gyroscope in ((False, True), (False, False), (True, False)):
            alike = [k for k in sorted(voters) if (worn[k].trunk, worn[k].gyroscope) == (trunk, gyroscope)]
            if not alike:
                continue
            columns = slice(3, 6) if gyroscope else slice(0, 3)
            e = evidence([smooth[k][:, columns] for k in alike], n, params, gyroscope=gyroscope, trunk=trunk)
            looks = looks_like_walking(e, gyroscope=gyroscope, trunk=trunk, params=params)
            silent, period_s = (~looks & ~e.told).tolist(), e.period_s.tolist()
            clear = (e.periodicity > params.clear_periodicity).tolist()
            for j, k in enumerate(alike):
                for i, like in enumerate(looks[j].tolist()):
                    walks = (
                        like and k in asked[i] and self._in_posture(worn[k], windows[k][i], clear=clear[j][i])
                    )
                    seen[k][i] = _Seen(walks, silent[j][i], period_s[j][i])
            if trunk and unsure:
                ruled_out = never_walks(e, params.trunk_acc, params).tolist()
                never = [any(each) for each in zip(*ruled_out, strict=True)]
                seen = [
                    [s._replace(walking=s.walking and not no) for s, no in zip(own, never, strict=True)]
                    for own in seen
                ]
        return seen

    def _in_posture(self, sensor: _Sensor, window: _Window, *, clear: bool) -> bool:
        """Whether gravity stays put in this walking window, and where it is in walking."""
        up, settled = window.vertical()
        if settled < self._settled or not window.swings_less(up, self._params):
            return False
        if not sensor.thigh:
            return True
        posture = self._postures.get(sensor.placement)
        if posture is None:
            limit = cos(radians(self._params.lean_deg))
            posture = self._postures[sensor.placement] = _WalkingPosture(limit)
        return posture.fits(up, clear=clear)


def _quiet(sensor: _Sensor, rows: Floats) -> bool:
    """Whether the raw signal has, in every window, less than half of a walk's energy: what smoothing would
    have to bring in from beyond the window's edges.  False where samples are missing."""
    cells = (rows[:, 3:6] if sensor.gyroscope else rows[:, :3]).reshape(-1, TICK, 3)
    mean = cells.mean(axis=1)
    means, squares = mean.tolist(), (cells * cells).mean(axis=1).sum(axis=1).tolist()
    limit = 0.5 * sensor.limits.walking**2
    for i in range(len(squares) - CELLS + 1):
        x, y, z = (sum(axis) / CELLS for axis in zip(*means[i : i + CELLS], strict=True))
        if not sum(squares[i : i + CELLS]) / CELLS - (x * x + y * y + z * z) < limit:
            return False
    return True


def _cells(sensors: list[_Sensor], rows: list[Floats]) -> list[list[tuple[float, _Sum]]]:
    """rows: of each sensor as many of SensorChain.smooth, whole cells.  Of each cell the mean square about
    its mean, and itself."""
    x = np.array(rows).reshape(-1, TICK, 6)
    mean, squares = np.add.reduce(x, axis=1) / TICK, np.add.reduce(x * x, axis=1) / TICK
    n = len(x) // len(sensors)
    out = []
    for k, sensor in enumerate(sensors):
        own, first = range(k * n, (k + 1) * n), 3 if sensor.gyroscope else 0
        if np.isnan(mean[own, first]).any():
            _without_missing(x, mean, squares, own, first)
        m, q = mean[own].tolist(), squares[own].tolist()
        out.append([_cell(m[i], q[i], first) for i in range(n)])
    return out


def _without_missing(x: Floats, mean: Floats, squares: Floats, own: range, first: int) -> None:
    """The means of cells of which at least half is known are of that."""
    for i in own:
        there = x[i][np.isfinite(x[i][:, first])]
        if TICK > len(there) >= TICK // 2:
            mean[i], squares[i] = there.mean(axis=0), (there * there).mean(axis=0)


def _cell(mean: list[float], squares: list[float], first: int) -> tuple[float, _Sum]:
    x, y, z = mean[first : first + 3]
    if isnan(x):
        return nan, _MISSING
    energy = squares[first] + squares[first + 1] + squares[first + 2]
    return energy - (x * x + y * y + z * z), _Sum(1, mean[0], mean[1], mean[2], x, y, z, energy)
