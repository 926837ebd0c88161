"""Walking, tick by tick, from all sensors worn together: who is asked, and who can overrule whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, isnan, nan, radians, sqrt
from statistics import median

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
from gaitmon.model import Bools, Floats, Placement


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
    trunk: bool
    gyroscope: bool  # whether its angular rate is what is looked at
    limits: Thresholds

    @property
    def thigh(self) -> bool:
        return self.placement in _THIGHS


@dataclass(frozen=True, slots=True)
class _Cell:
    """Half a second of one sensor: mean acceleration; and of what is looked at, acceleration or angular
    rate, the mean, and the mean square about it.  NaN where more than half of the samples are missing."""

    acc: tuple[float, float, float]
    mean: tuple[float, float, float]
    square: float


_Window = tuple[_Cell, ...]


class WalkingDetector:
    """One verdict a tick from all sensors worn.  Stateful: ticks in order, each once.

    All thighs that are seen must walk.  Without one, all others must.  A trunk that is still, or runs,
    overrules a thigh that has no gyroscope.  Only windows with a walk's energy are looked at closely, and
    signals are smoothed only where the raw ones may hold that much: most of a day is rest.
    """

    def __init__(self, params: SequenceParams | None = None) -> None:
        self._params = params or SequenceParams()
        self._postures: dict[Placement, _WalkingPosture] = {}
        self._cells: dict[Placement, deque[_Cell]] = {}  # empty after rest
        self._busy = False

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
        worn = [self._sensor(p, gyroscopes) for p in raw]
        if not self._busy and any(_quiet(s, raw[s.placement]) for s in _asked_first(worn)):
            self._cells = {}
            return [_NO] * n_ticks
        smooth = {p: smoothed(p) for p in raw}
        windows = self._windows(worn, smooth, n_ticks)
        asked = [self._asked(worn, [each[i] for each in windows]) for i in range(n_ticks)]
        self._busy = bool(asked[-1])  # and hardly quiet in the next second: spares looking
        if not any(asked):
            return [_UNHEARD if voters is None else _NO for voters in asked]
        walking, silent, period_s = self._look(worn, smooth, [each or [] for each in asked], windows)
        out = []
        for i, each in enumerate(asked):
            voters = [k for k in each or () if not silent[k, i]]
            if not voters or not all(walking[k, i] for k in voters):
                out.append(_UNHEARD if each is None or (each and not voters) else _NO)
                continue
            ends = [edges([c.square for c in windows[k][i]], worn[k].limits, self._params) for k in voters]
            seen = [float(p) for p in period_s[voters, i] if not isnan(p)]
            period = median(seen) if seen else nan
            out.append(Verdict(True, period, min(a for a, _ in ends), min(b for _, b in ends)))
        return out

    def _sensor(self, p: Placement, gyroscopes: frozenset[Placement]) -> _Sensor:
        trunk, gyroscope = p is Placement.PELVIS, p in gyroscopes and p in _THIGHS
        return _Sensor(p, trunk, gyroscope, self._params.of(gyroscope=gyroscope, trunk=trunk))

    def _windows(
        self, worn: list[_Sensor], smooth: Mapping[Placement, Floats], n_ticks: int
    ) -> list[list[_Window]]:
        """Per sensor its windows, from the cells that are new and those remembered."""
        out: list[list[_Window]] = []
        for sensor in worn:
            cells = self._cells.get(sensor.placement)
            if cells is None:
                cells = self._cells[sensor.placement] = deque(maxlen=CELLS)
                cells += _cells(smooth[sensor.placement][: WINDOW - TICK], gyroscope=sensor.gyroscope)
            each: list[_Window] = []
            for cell in _cells(smooth[sensor.placement][-n_ticks * TICK :], gyroscope=sensor.gyroscope):
                cells.append(cell)
                each.append(tuple(cells))
            out.append(each)
        return out

    def _asked(self, worn: list[_Sensor], windows: list[_Window]) -> list[int] | None:
        """The sensors that must all walk, if none of them is too quiet for it; else none.  None where too
        much of all of them is missing."""
        energy = [_mean_square(w) for w in windows]
        seen = [k for k, e in enumerate(energy) if not isnan(e)]
        if not seen:
            return None
        asked = [k for k in seen if worn[k].thigh] or seen
        return asked if all(energy[k] > worn[k].limits.walking ** 2 for k in asked) else []

    def _look(
        self,
        worn: list[_Sensor],
        smooth: Mapping[Placement, Floats],
        asked: list[list[int]],
        windows: list[list[_Window]],
    ) -> tuple[Bools, Bools, Floats]:
        """Who walks in which window, who may, behind holes, and with which period, all of shape (sensors,
        windows); only where asked."""
        params, shape = self._params, (len(worn), len(asked))
        walking, silent = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        period_s = np.full(shape, np.nan)
        never = np.zeros(shape[1], dtype=bool)
        voters = {k for each in asked for k in each}
        unsure = any(worn[k].thigh and not worn[k].gyroscope for k in voters)
        voters |= {k for k, s in enumerate(worn) if unsure and s.trunk}
        for trunk, gyroscope in ((False, True), (False, False), (True, False)):
            alike = [k for k in sorted(voters) if (worn[k].trunk, worn[k].gyroscope) == (trunk, gyroscope)]
            if not alike:
                continue
            columns = slice(3, 6) if gyroscope else slice(0, 3)
            signals = [smooth[worn[k].placement][:, columns] for k in alike]
            e = evidence(signals, shape[1], params, gyroscope=gyroscope, trunk=trunk)
            looks = looks_like_walking(e, gyroscope=gyroscope, trunk=trunk, params=params)
            for j, k in enumerate(alike):
                for i in np.flatnonzero(looks[j]).tolist():
                    clear = bool(e.periodicity[j, i] > params.clear_periodicity)
                    walking[k, i] = k in asked[i] and self._in_posture(worn[k], windows[k][i], clear=clear)
            silent[alike] = ~looks & ~e.told
            period_s[alike] = e.period_s
            if trunk and unsure:
                never |= never_walks(e, params.trunk_acc, params).any(axis=0)
        return walking & ~never, silent, period_s

    def _in_posture(self, sensor: _Sensor, window: _Window, *, clear: bool) -> bool:
        """Whether gravity stays put in this walking window, and where it is in walking."""
        up, settled = _vertical(window)
        if settled < cos(radians(self._params.settled_deg)):
            return False
        if not sensor.thigh:
            return True
        limit = cos(radians(self._params.lean_deg))
        posture = self._postures.setdefault(sensor.placement, _WalkingPosture(limit))
        return posture.fits(up, clear=clear)


def _asked_first(worn: list[_Sensor]) -> list[_Sensor]:
    """One of these too quiet is enough: nobody walks."""
    return [s for s in worn if s.thigh] or worn


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


def _cells(rows: Floats, *, gyroscope: bool) -> list[_Cell]:
    """rows: of SensorChain.smooth, whole cells."""
    x = rows[:, :6].reshape(-1, TICK, 6)
    mean = x.mean(axis=1)
    square = (x * x).mean(axis=1) - mean * mean
    first = 3 if gyroscope else 0
    for i in np.flatnonzero(np.isnan(mean[:, first])).tolist():
        there = x[i][np.isfinite(x[i][:, first])]
        if len(there) >= TICK // 2:
            mean[i] = there.mean(axis=0)
            square[i] = (there * there).mean(axis=0) - mean[i] * mean[i]
    return [
        _Cell(
            (m[0], m[1], m[2]), (m[first], m[first + 1], m[first + 2]), q[first] + q[first + 1] + q[first + 2]
        )
        for m, q in zip(mean.tolist(), square.tolist(), strict=True)
    ]


def _mean_square(window: _Window) -> float:
    """About the window's mean; NaN where more than half of the window is missing."""
    x = y = z = total = 0.0
    n = 0
    for cell in window:
        if isnan(cell.square):
            continue
        a, b, c = cell.mean
        x, y, z = x + a, y + b, z + c
        total += cell.square + a * a + b * b + c * c
        n += 1
    return nan if 2 * n < CELLS else total / n - (x * x + y * y + z * z) / (n * n)


def _vertical(window: _Window) -> tuple[tuple[float, float, float], float]:
    """Which way is up in the mean of the window, unit, and the cosine between the means of its halves; 0
    where one of them is missing."""
    half = len(window) // 2
    a, b = (
        [sum(cell.acc[axis] for cell in part if not isnan(cell.acc[axis])) for axis in range(3)]
        for part in (window[:half], window[half:])
    )
    x, y, z = (p + q for p, q in zip(a, b, strict=True))
    length = sqrt(x * x + y * y + z * z) or 1.0
    product = sqrt(sum(p * p for p in a) * sum(q * q for q in b))
    settled = sum(p * q for p, q in zip(a, b, strict=True)) / product if product else 0.0
    return (x / length, y / length, z / length), settled
