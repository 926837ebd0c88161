"""Gait sequences: which stretches look like walking, before anything is known of the mounting.

Nothing here depends on how a sensor is turned in its pouch, so it works on the first step after
strapping on.  Of each window of 4 s, every 0.5 s:

- *Energy and rhythm* (gaitmon.gait.rhythm): walking repeats itself once a stride and moves with more than a
  fidget's energy; with accelerometers it rises twice a stride, and neither runs nor shakes.
- *Posture* (gravity, in the accelerometer's own frame): the same in both halves of the window, or somebody
  is sitting down or getting up; and nowhere in it as far apart as sitting from standing, or somebody gets
  up and down again and again.  And, once a thigh has seen clear walking, no more than 40 degrees from how
  it leans in walking: sitting and lying lie beyond, and so does the mean of a pedalling thigh.

Where the walk begins and ends is read off cells of 0.5 s: the window says that there is walking, the
cells say from when until when.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan, nan
from statistics import median
from typing import NamedTuple

from gaitmon.gait.rhythm import LAG_S, Evidence

TICK = 50  # grid samples between decisions, and of a cell: 0.5 s
WINDOW = 400  # grid samples looked at, 4 s
PAUSE = 200  # grid samples without movement that end a sequence, 2 s
CELLS = WINDOW // TICK
USUAL_PERIOD_S = 1.1  # of a stride, free walking: only until holes let one be seen


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of one kind of signal, in its unit (rad/s or m/s²): root mean squares about the mean.

    walking: at least, over a window.  vigorous: above it the periodicity is not asked for, so that
    turning and uneven steps stay in.  moving: at least, over a cell.  running: more than this at a
    running cadence, or more than ``airborne`` at any.  min_lag_s: the shortest period looked for.
    """

    walking: float
    vigorous: float
    moving: float
    running: float = inf
    airborne: float = inf
    min_lag_s: float = 0.7


@dataclass(frozen=True, slots=True)
class SequenceParams:
    thigh_gyr: Thresholds = Thresholds(walking=0.45, vigorous=1.0, moving=0.2)
    # A thigh's period is searched from below what walking can have, so that running shows as running.
    thigh_acc: Thresholds = Thresholds(1.0, 3.0, 0.5, running=8.0, airborne=12.0, min_lag_s=0.5)
    trunk_acc: Thresholds = Thresholds(0.5, 1.5, 0.25, running=5.5, airborne=7.0)
    max_lag_s: float = 2.2  # the longest stride period
    periodicity: float = 0.45
    moving_share: float = 0.3  # of the level in the livelier half of the window
    step_share: float = 0.4  # walking has 0.5 to 0.9, a pedalling thigh 0.2
    shaking_share: float = 0.75  # walking has at most 0.6
    running_period_s: float = 0.85
    min_period_s: float = 0.75  # 160 steps/min: above the fastest walking
    weaker_share: float = 0.8  # of a walk's level: of a thigh clearly periodic, beside one that walks
    clear_periodicity: float = 0.6  # from here on a walking window shows how the thigh leans in walking
    lean_deg: float = 40.0
    settled_deg: float = 30.0  # between the means of the window's halves
    swing_deg: float = 60.0  # between those of any two cells: walking and stairs have 45, sit-to-stand 80

    def of(self, *, gyroscope: bool, trunk: bool) -> Thresholds:
        if trunk:
            return self.trunk_acc
        return self.thigh_gyr if gyroscope else self.thigh_acc

    def lags(self, limits: Thresholds) -> tuple[int, int]:
        """Shortest and longest period looked for, in LAG_S."""
        return round(limits.min_lag_s / LAG_S), round(self.max_lag_s / LAG_S)


def looks_like_walking(e: Evidence, limits: Thresholds, params: SequenceParams, *, gyroscope: bool) -> bool:
    """Whether a window of one kind of sensor looks like walking; not where samples are missing."""
    periodic, clear = e.periodicity > params.periodicity, e.periodicity > params.clear_periodicity
    walking = (e.rms > limits.walking and periodic) or e.rms > limits.vigorous
    if gyroscope:
        return walking or (clear and e.rms > params.weaker_share * limits.walking)
    return walking and not (
        e.step_share < params.step_share
        or e.shaking_share > params.shaking_share
        or (periodic and e.period_s < params.min_period_s)
        or not (e.told or clear)  # holes blur the shares
        or _runs(e, limits, params)
    )


def never_walks(e: Evidence, limits: Thresholds, params: SequenceParams) -> bool:
    """Whether this sensor alone rules walking out: it is still, or runs."""
    return e.rms < limits.moving or _runs(e, limits, params)


def _runs(e: Evidence, limits: Thresholds, params: SequenceParams) -> bool:
    fast = e.period_s < params.running_period_s
    return (e.rms > limits.running and fast) or e.rms > limits.airborne


class Verdict(NamedTuple):
    """Of one tick: whether all who can tell see walking in the window before it.

    heard: False where nobody can tell, because too many samples are missing.
    lead, rest: grid samples at the window's beginning and end that are not part of the walk (a pause of
    more than PAUSE cuts off what was before it; rest is WINDOW when nothing moves).
    """

    walking: bool
    period_s: float = nan
    lead: int = 0
    rest: int = 0
    heard: bool = True


@dataclass(frozen=True, slots=True)
class GaitSequence:
    """Grid indices [start, end).  end is where walking has been seen so far while closed is False.

    period_s: median period of the windows seen so far; of the sequence before where holes hide it.
    """

    start: int
    end: int
    closed: bool
    period_s: float


class SequenceTracker:
    """Joins the windows' verdicts into gait sequences.  Stateful; one verdict a tick, in order.

    A window that looks like walking marks all of itself but its lead and rest; sequences never overlap.
    A pause of PAUSE ends the sequence, and so do more than ``patience`` windows in a row that do not
    look like walking.  Windows of which nobody can tell count neither way, but end it after PAUSE, too.
    """

    def __init__(self, patience: int = 3) -> None:
        self._patience = patience
        self._quiet = 0
        self._start: int | None = None
        self._end = 0
        self._floor = -(10**12)  # before every recording; no sequence starts before the last one's end
        self._periods: list[float] = []
        self._usual_s = USUAL_PERIOD_S  # then, of the last sequence
        self.current: GaitSequence | None = None  # the one under way

    def push(
        self, tick: int, walking: bool, period_s: float, lead: int = 0, rest: int = 0, *, heard: bool = True
    ) -> GaitSequence | None:
        """The sequence that this tick's verdict closes, if it does.  The rest: as in Verdict."""
        t = tick * TICK
        if walking and rest < PAUSE:
            self._quiet = 0
            if self._start is None:
                self._start = max(t - WINDOW + lead, self._floor)
                self._end = self._start
                self._periods = []
            self._end = max(self._end, t - rest)
            if not isnan(period_s):
                self._periods = [*self._periods[-8:], period_s]
            self.current = GaitSequence(self._start, self._end, False, self._period())
            return None
        self._quiet += heard
        if self._start is None or (self._quiet <= self._patience and t - self._end < PAUSE):
            return None
        return self.close()

    def close(self) -> GaitSequence | None:
        if self._start is None:
            return None
        done = GaitSequence(self._start, self._end, True, self._period())
        self.current = None
        self._start, self._floor, self._quiet = None, self._end, 0
        self._usual_s = done.period_s
        return done

    def _period(self) -> float:
        return median(self._periods) if self._periods else self._usual_s
