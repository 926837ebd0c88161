"""Walking, tick by tick, from all sensors worn together: who is asked, and who can overrule whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, isnan, nan, radians, sqrt
from statistics import median
from typing import NamedTuple

from gaitmon.gait.sequences import (
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
from gaitmon.gait.windows import Stir, Up, Window, Windows, cells, quiet
from gaitmon.model import Floats, Placement


@dataclass(slots=True)
class _WalkingPosture:
    """How one thigh leans in walking, as seen from its own sensor.  Stateful.

    Learned from clear walking only, and given up for another posture after half a minute of clear
    walking in that one: the sensor was put on anew.
    """

    limit: float  # cosine of the largest lean
    _up: Up | None = None
    _against: int = 0

    def fits(self, up: Up, *, clear: bool) -> bool:
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
    first: int  # column of what is looked at, in rows of acc and gyr
    limits: Thresholds
    least: float  # the mean square of walking, at least
    enough: float  # that at least one of them has


class _Seen(NamedTuple):
    """silent: whether holes may hide that it walks."""

    walking: bool
    silent: bool
    period_s: float


_NOTHING = _Seen(False, False, nan)


class WalkingDetector:
    """One verdict a tick from all sensors worn.  Stateful: ticks in order, each once.

    All thighs that are seen must walk, one of them with a walk's energy: a stiff leg may have less.  Without
    a thigh, all others must.  A trunk that is still, or runs, overrules a thigh that has no gyroscope.  Only
    windows with that much energy are looked at closely, and signals are smoothed only where the raw ones
    may hold it: most of a day is rest.
    """

    def __init__(self, params: SequenceParams | None = None) -> None:
        self._params = params or SequenceParams()
        self._postures: dict[Placement, _WalkingPosture] = {}
        self._settled = cos(radians(self._params.settled_deg))
        self._swing = cos(radians(self._params.swing_deg)), cos(radians(0.5 * self._params.swing_deg))
        self._windows_of: dict[Placement, Windows] = {}  # of those looked at; empty after rest
        self._rest: tuple[Placement | None, list[Stir]] = None, []  # who showed last that nobody walks
        self._busy = False
        self._worn: list[_Sensor] = []
        self._kinds: list[tuple[tuple[bool, bool], list[int]]] = []  # trunk, gyroscope: who of those worn
        self._worn_of: dict[Placement, bool] = {}

    def push(
        self,
        worn: Mapping[Placement, bool],
        raw: Callable[[Placement], Floats],
        smoothed: Callable[[Placement], Floats],
        n_ticks: int,
    ) -> list[Verdict]:
        """The next n_ticks verdicts.

        worn: everything that is, and whether it has a gyroscope.  raw, smoothed: give acc and gyr of one from
        WINDOW before the first of these ticks to the last, as measured and as SensorChain.smooth has them.
        """
        sensors = self._sensors(worn)
        first = [s for s in sensors if s.thigh] or sensors  # one of these too quiet is enough: nobody walks
        if not self._busy and self._at_rest(first, raw):
            self._windows_of = {}
            return [_NO] * n_ticks
        if not all(s.gyroscope for s in first):  # who may be overruled
            first = sensors
        smooth = [smoothed(s.placement) for s in first]
        windows = self._windows(first, smooth, n_ticks)
        asked = [self._asked(first, [each[i] for each in windows]) for i in range(n_ticks)]
        others = sensors[len(first) :]
        if others and None in asked:  # no thigh is heard
            more = [smoothed(s.placement) for s in others]
            smooth, windows = smooth + more, windows + self._windows(others, more, n_ticks)
            asked = [self._asked(sensors, [each[i] for each in windows]) for i in range(n_ticks)]
        else:
            for sensor in others:
                self._windows_of.pop(sensor.placement, None)
        self._busy = bool(asked[-1])  # and hardly quiet in the next second: spares looking
        if not any(asked):
            return [_UNHEARD if voters is None else _NO for voters in asked]
        seen = self._look(sensors, smooth, [each or [] for each in asked], windows)
        return [
            self._verdict(each, [one[i] for one in seen], [w[i] for w in windows], sensors)
            for i, each in enumerate(asked)
        ]

    def _at_rest(self, sensors: list[_Sensor], raw: Callable[[Placement], Floats]) -> bool:
        """Whether one of them has, in every window, less than half of a walk's energy: what smoothing would
        have to bring in from beyond the window's edges.  Who was so last is asked first."""
        last, known = self._rest
        for sensor in sorted(sensors, key=lambda s: s.placement is not last):
            p = sensor.placement
            rows = raw(p)[:, sensor.first : sensor.first + 3]
            if (seen := quiet(rows, 0.5 * sensor.least, known if p is last else [])) is not None:
                self._rest = p, seen
                return True
        self._rest = None, []
        return False

    def _verdict(
        self, asked: list[int] | None, seen: list[_Seen], windows: list[Window], worn: list[_Sensor]
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

    def _sensors(self, worn: Mapping[Placement, bool]) -> list[_Sensor]:
        """Thighs first."""
        if self._worn_of != worn:
            self._worn_of = dict(worn)
            sensors = (self._sensor(p, gyroscope=known) for p, known in worn.items())
            self._worn = sorted(sensors, key=lambda s: not s.thigh)
            self._kinds = [
                (kind, [k for k, s in enumerate(self._worn) if (s.trunk, s.gyroscope) == kind])
                for kind in ((False, True), (False, False), (True, False))  # who may overrule last
            ]
        return self._worn

    def _sensor(self, p: Placement, *, gyroscope: bool) -> _Sensor:
        trunk, thigh = p is Placement.PELVIS, p in _THIGHS
        gyroscope = thigh and gyroscope
        limits = self._params.of(gyroscope=gyroscope, trunk=trunk)
        first = 3 if gyroscope else 0
        enough = limits.walking**2
        least = enough * self._params.weaker_share**2 if gyroscope else enough
        return _Sensor(p, thigh, trunk, gyroscope, first, limits, least, enough)

    def _windows(self, sensors: list[_Sensor], smooth: list[Floats], n_ticks: int) -> list[list[Window]]:
        """Per sensor its windows, from the cells that are new and those remembered."""
        for sensor, rows in zip(sensors, smooth, strict=True):
            if sensor.placement not in self._windows_of:
                windows = self._windows_of[sensor.placement] = Windows()
                for cell in cells([rows[: WINDOW - TICK]], [sensor.first])[0]:
                    windows.push(cell)
        new = cells([rows[-n_ticks * TICK :] for rows in smooth], [s.first for s in sensors])
        return [
            [self._windows_of[sensor.placement].push(cell) for cell in own]
            for sensor, own in zip(sensors, new, strict=True)
        ]

    def _asked(self, worn: list[_Sensor], windows: list[Window]) -> list[int] | None:
        """The sensors that must all walk, if none of them is too quiet for it; else none.  None where too
        much of all of them is missing."""
        energy = [w.mean_square() for w in windows]
        seen = [k for k, e in enumerate(energy) if not isnan(e)]
        if not seen:
            return None
        asked = [k for k in seen if worn[k].thigh] or seen
        if any(energy[k] <= worn[k].least for k in asked):
            return []
        return asked if any(energy[k] > worn[k].enough for k in asked) else []

    def _look(
        self,
        worn: list[_Sensor],
        smooth: list[Floats],
        asked: list[list[int]],
        windows: list[list[Window]],
    ) -> list[list[_Seen]]:
        """What each sensor shows in each window; only of those asked, and of who may overrule them."""
        params, n = self._params, len(asked)
        seen = [[_NOTHING] * n for _ in worn]
        voters = {k for each in asked for k in each}
        unsure = any(worn[k].thigh and not worn[k].gyroscope for k in voters)
        if unsure:
            voters |= {k for k, s in enumerate(worn) if s.trunk}
        for (trunk, gyroscope), kind in self._kinds:
            alike = [k for k in kind if k in voters]
            if not alike:
                continue
            first = worn[alike[0]].first
            signals = [smooth[k][:, first : first + 3] for k in alike]
            e = evidence(signals, n, params, gyroscope=gyroscope, trunk=trunk)
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

    def _in_posture(self, sensor: _Sensor, window: Window, *, clear: bool) -> bool:
        """Whether gravity stays put in this walking window, and where it is in walking."""
        up, settled = window.vertical()
        if settled < self._settled or not window.swings_less(up, *self._swing):
            return False
        if not sensor.thigh:
            return True
        posture = self._postures.get(sensor.placement)
        if posture is None:
            limit = cos(radians(self._params.lean_deg))
            posture = self._postures[sensor.placement] = _WalkingPosture(limit)
        return posture.fits(up, clear=clear)
