"""Walking, tick by tick, from all sensors worn together: who is asked, and who can overrule whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, radians, sqrt
from statistics import median

import numpy as np

from gaitmon.gait.sequences import (
    SequenceParams,
    Verdict,
    evidence,
    looks_like_walking,
    never_walks,
    verticals,
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


_NO = Verdict(False)
_THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.THIGH)


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """Of one sensor, per tick.  seen: no sample is missing.  never: it rules walking out."""

    seen: Bools
    walking: Bools
    never: Bools
    period_s: Floats
    lead: Floats
    rest: Floats


class WalkingDetector:
    """One verdict a tick from all sensors worn.  Stateful: ticks in order, each once.

    All thighs that are seen must walk.  Without one, all others must.  A trunk that is still, or runs,
    overrules a thigh that has no gyroscope.
    """

    def __init__(self, params: SequenceParams | None = None) -> None:
        self._params = params or SequenceParams()
        self._postures: dict[Placement, _WalkingPosture] = {}

    def push(
        self, smooth: Mapping[Placement, Floats], gyroscopes: frozenset[Placement], n_ticks: int
    ) -> list[Verdict]:
        """The next n_ticks verdicts.

        smooth: per placement the rows of SensorChain.smooth (acc, gyr) from WINDOW before the first of
        these ticks to the last.  gyroscopes: who has one.
        """
        thighs = self._votes([p for p in smooth if p in _THIGHS], smooth, gyroscopes, n_ticks)
        rest = [p for p in smooth if p not in _THIGHS]
        others: list[_Votes] = []
        unsure = any(p in _THIGHS and p not in gyroscopes for p in smooth)
        if unsure or not thighs or not np.logical_or.reduce([v.seen for v in thighs]).all():
            others = self._votes(rest, smooth, gyroscopes, n_ticks)
        return [self._verdict(i, thighs, others, overrule=unsure) for i in range(n_ticks)]

    def _verdict(self, i: int, thighs: list[_Votes], others: list[_Votes], *, overrule: bool) -> Verdict:
        voters = [v for v in thighs if v.seen[i]]
        if not voters:
            voters = [v for v in others if v.seen[i]]
        elif overrule and any(v.never[i] for v in others):
            return _NO
        if not voters or not all(v.walking[i] for v in voters):
            return _NO
        return Verdict(
            True,
            median(float(v.period_s[i]) for v in voters),
            min(int(v.lead[i]) for v in voters),
            min(int(v.rest[i]) for v in voters),
        )

    def _votes(
        self,
        placements: list[Placement],
        smooth: Mapping[Placement, Floats],
        gyroscopes: frozenset[Placement],
        n_ticks: int,
    ) -> list[_Votes]:
        out: list[_Votes] = []
        params = self._params
        for trunk, gyroscope in ((False, True), (False, False), (True, False)):
            alike = [
                p
                for p in placements
                if (p is Placement.PELVIS) == trunk and (p in gyroscopes and p in _THIGHS) == gyroscope
            ]
            if not alike:
                continue
            columns = slice(3, 6) if gyroscope else slice(0, 3)
            signals = [smooth[p][:, columns] for p in alike]
            e = evidence(signals, n_ticks, params, gyroscope=gyroscope, trunk=trunk)
            walking = looks_like_walking(e, gyroscope=gyroscope, trunk=trunk, params=params)
            never = never_walks(e, params.of(gyroscope=gyroscope, trunk=trunk), params)
            for k, p in enumerate(alike):
                clear = e.periodicity[k] > params.clear_periodicity
                walking[k] = self._in_posture(p, walking[k], clear, smooth[p][:, :3])
                seen = np.isfinite(e.rms[k])
                out.append(_Votes(seen, walking[k], never[k], e.period_s[k], e.lead[k], e.rest[k]))
        return out

    def _in_posture(self, p: Placement, walking: Bools, clear: Bools, acc: Floats) -> Bools:
        """The walking windows during which gravity stays where it is in walking."""
        if not walking.any():
            return walking
        up, settled = verticals(acc, len(walking))
        out = walking & (settled > cos(radians(self._params.settled_deg)))
        if p in _THIGHS:
            limit = cos(radians(self._params.lean_deg))
            posture = self._postures.setdefault(p, _WalkingPosture(limit))
            for i in np.flatnonzero(out):
                x, y, z = up[i].tolist()
                out[i] = posture.fits((x, y, z), clear=bool(clear[i]))
        return np.asarray(out)
