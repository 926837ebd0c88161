"""Walking, tick by tick, from all sensors worn together: who is asked, and who can overrule whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, isnan, nan, radians, sqrt
from statistics import median

from gaitmon.gait.rhythm import evidence
from gaitmon.gait.sequences import (
    CELLS,
    PAUSE,
    TICK,
    WINDOW,
    SequenceParams,
    Thresholds,
    Verdict,
    looks_like_walking,
    never_walks,
)
from gaitmon.gait.windows import Window, quiet, windows
from gaitmon.model import Floats, Placement

_Up = tuple[float, float, float]


@dataclass(slots=True)
class _WalkingPosture:
    """How one thigh leans in walking, as seen from its own sensor.  Stateful.

    Learned from clear walking only, and given up for another posture after half a minute of clear
    walking in that one: the sensor was put on anew.
    """

    limit: float  # cosine of the largest lean
    _up: _Up | None = None
    _against: int = 0

    def fits(self, up: _Up, *, clear: bool) -> bool:
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
_SIZES = TICK, CELLS, PAUSE // TICK  # of a cell, a window and a pause
_THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.THIGH)


@dataclass(frozen=True, slots=True)
class _Sensor:
    placement: Placement
    thigh: bool
    trunk: bool
    gyroscope: bool  # whether its angular rate is what is looked at
    first: int  # column of what is looked at, in rows of acc and gyr
    limits: Thresholds
    lags: tuple[int, int]  # shortest and longest of its period, in LAG_S
    moving: tuple[float, float]  # share and least of gaitmon.gait.windows.edges
    least: float  # the mean square of walking, at least
    enough: float  # that at least one of them has


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
        self._swing = cos(radians(self._params.swing_deg))
        self._resting: Placement | None = None  # who showed last that nobody walks
        self._busy = False
        self._worn: list[_Sensor] = []
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
            return [_NO] * n_ticks
        if not all(s.gyroscope for s in first):  # who may be overruled
            first = sensors
        rows = [smoothed(s.placement) for s in first]
        seen = self._windows(first, rows)
        asked = [self._asked(first, each) for each in seen]
        others = sensors[len(first) :]
        if others and None in asked:  # no thigh is heard
            rows += [smoothed(s.placement) for s in others]
            seen = self._windows(sensors, rows)
            asked = [self._asked(sensors, each) for each in seen]
        self._busy = bool(asked[-1])  # and hardly quiet in the next second: spares looking
        return [
            self._verdict(asked[i], [x[i * TICK : i * TICK + WINDOW] for x in rows], seen[i])
            for i in range(n_ticks)
        ]

    def _windows(self, sensors: list[_Sensor], rows: list[Floats]) -> list[tuple[Window, ...]]:
        """Of each tick every sensor's."""
        each = [
            [Window(*row) for row in windows(x, s.first, _SIZES, s.moving).tolist()]
            for s, x in zip(sensors, rows, strict=True)
        ]
        return list(zip(*each, strict=True))

    def _at_rest(self, sensors: list[_Sensor], raw: Callable[[Placement], Floats]) -> bool:
        """Whether one of them has, in every window, less than half of a walk's energy: what smoothing would
        have to bring in from beyond the window's edges.  Who was so last is asked first."""
        for sensor in sorted(sensors, key=lambda s: s.placement is not self._resting):
            if quiet(raw(sensor.placement), sensor.first, TICK, CELLS, 0.5 * sensor.least):
                self._resting = sensor.placement
                return True
        return False

    def _sensors(self, worn: Mapping[Placement, bool]) -> list[_Sensor]:
        """Thighs first."""
        if self._worn_of != worn:
            self._worn_of = dict(worn)
            sensors = (self._sensor(p, gyroscope=known) for p, known in worn.items())
            self._worn = sorted(sensors, key=lambda s: not s.thigh)
        return self._worn

    def _sensor(self, p: Placement, *, gyroscope: bool) -> _Sensor:
        trunk, thigh = p is Placement.PELVIS, p in _THIGHS
        gyroscope = thigh and gyroscope
        limits = self._params.of(gyroscope=gyroscope, trunk=trunk)
        first = 3 if gyroscope else 0
        enough = limits.walking**2
        least = enough * self._params.weaker_share**2 if gyroscope else enough
        lags, moving = self._params.lags(limits), (self._params.moving_share, limits.moving)
        return _Sensor(p, thigh, trunk, gyroscope, first, limits, lags, moving, least, enough)

    def _asked(self, worn: list[_Sensor], seen: tuple[Window, ...]) -> list[int] | None:
        """The sensors that must all walk, if none of them is too quiet for it; else none.  None where too
        much of all of them is missing."""
        heard = [k for k, window in enumerate(seen) if not isnan(window.mean_square)]
        if not heard:
            return None
        asked = [k for k in heard if worn[k].thigh] or heard
        enough = False
        for k in asked:
            if seen[k].mean_square <= worn[k].least:
                return []
            enough |= seen[k].mean_square > worn[k].enough
        return asked if enough else []

    def _verdict(self, asked: list[int] | None, rows: list[Floats], seen: tuple[Window, ...]) -> Verdict:
        """Of one tick, from each sensor's rows of the window before it."""
        if not asked:
            return _UNHEARD if asked is None else _NO
        periods, voters, walking, unsure = [], [], True, False
        for k in asked:
            sensor = self._worn[k]
            unsure |= sensor.thigh and not sensor.gyroscope
            e = evidence(rows[k], sensor.first, sensor.lags, not sensor.gyroscope)
            looks = looks_like_walking(e, sensor.limits, self._params, gyroscope=sensor.gyroscope)
            if not looks and not e.told:
                continue  # holes may hide that it walks
            clear = e.periodicity > self._params.clear_periodicity
            voters.append(seen[k])
            walking &= looks and self._in_posture(sensor, seen[k], clear=clear)
            if not isnan(e.period_s):
                periods.append(e.period_s)
        if not voters:
            return _UNHEARD
        if not walking or (unsure and self._overruled(rows)):
            return _NO
        period_s = median(periods) if periods else nan
        lead, rest = min([w.lead for w in voters]), min([w.rest for w in voters])
        return Verdict(True, period_s, int(lead) * TICK, int(rest) * TICK)

    def _overruled(self, rows: list[Floats]) -> bool:
        """Whether a trunk rules out what a thigh without a gyroscope takes for walking."""
        return any(
            never_walks(evidence(x, sensor.first, sensor.lags, True), sensor.limits, self._params)
            for sensor, x in zip(self._worn, rows, strict=True)
            if sensor.trunk
        )

    def _in_posture(self, sensor: _Sensor, window: Window, *, clear: bool) -> bool:
        """Whether gravity stays put in this walking window, and where it is in walking."""
        if window.settled < self._settled or window.swings <= self._swing:
            return False
        if not sensor.thigh:
            return True
        posture = self._postures.get(sensor.placement)
        if posture is None:
            limit = cos(radians(self._params.lean_deg))
            posture = self._postures[sensor.placement] = _WalkingPosture(limit)
        return posture.fits((window.up_x, window.up_y, window.up_z), clear=clear)
