"""Initial contacts of one leg, from that leg's own thigh: where its mean landing bends.

Two things bend downwards at a landing.  The thigh, already turning back, is held: its flexion rate has a
shoulder.  And the leg takes the weight: the thigh sinks into the end of swing, is pushed up from the landing
on, and that push is over at once.  Brisk walking shows the first (the second lies 0.1 s apart on the two
legs of qmt); in slow walking the first may lie anywhere and the second stays.  So both downward curvatures
are added, the second by the limb's pace: what is sharp in this person counts most.

One stride by itself may have two such bends, and which is higher would flip from stride to stride.  In the
mean of the limb's latest strides one stands out, the nearer to the push that stops the swing (a peak of
forward acceleration; Zijlstra 2003 looks for it in the pelvis) the more, and the less the thigh still comes
forward (a swing may slow down in two steps): that one is *looked for*.  *When* it
was in this stride says the stride's own curvature around it.  4 and 5 Hz: soft tissue rings after landing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, floor

import numpy as np

from gaitmon.gait.peaks import parabolic_top
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Floats

SHARES = 48  # points of the mean landing
HALF = 7  # what is nearer than this to the centre of a bend, grid samples, belongs to it
_BELL = 1.0 - (np.arange(-HALF, HALF + 1) / (HALF + 1.0)) ** 2  # what enters at the edges enters gently
_MIDDLE = np.linspace(0.0, 1.0, SHARES) * np.linspace(1.0, 0.0, SHARES)
_SETTLE = (2 * HALF, HALF, HALF, HALF)  # reach of the moves of the centre onto its own mass


@dataclass(frozen=True, slots=True)
class InitialContactParams:
    """Shares are of the stride, from the middle of the swing on."""

    landing: tuple[float, float] = (0.18, 0.54)  # the bend is looked for in here, rather in the middle of it
    rate_m_s: float = 1.0  # what a bend of the rate, rad/s, counts in one of the acceleration, m/s2
    brisk_s: float = 1.10  # paces up to this read the rate alone, from
    slow_s: float = 1.25  # this on the acceleration in full
    landed: float = 0.5  # who lands comes forward no faster than this share of the swing's peak
    pushed: float = 0.6  # and is held by at least this share of the highest push
    lag_s: float = 0.045  # bend after push and contact: simulated walkers show 36 ms, recorded ones 70
    lag: float = 0.042  # of the stride, where the acceleration is read (simulated 0.034-0.043, recorded 0.05)
    first: float = 0.3  # what the first stride, from standing, counts in the mean
    memory: int = 10  # strides
    model: float = 0.345  # where nothing shows (0.276 very slow .. 0.350 free)


@dataclass(frozen=True, slots=True, eq=False)
class LandingSignals:
    """One thigh; the first row is one grid sample before the swing peak.

    rate_rad_s: flexion rate below 4 Hz.  forward_m_s2, up_m_s2: specific force along its axes below 5 Hz.
    """

    rate_rad_s: Floats
    forward_m_s2: Floats
    up_m_s2: Floats


def samples_needed(pace: int, p: InitialContactParams) -> int:
    """How many grid samples from the swing peak on are looked at in a stride of this length."""
    return round(p.landing[1] * pace) + 2 * HALF


@dataclass(slots=True)
class Landings:
    """The initial contacts of one limb, stride by stride.  Stateful: remembers its mean landing."""

    _mean: Floats = field(default_factory=lambda: np.zeros(SHARES))
    _strides: int = 0

    def contact(self, s: LandingSignals, middle: float, pace: int, p: InitialContactParams) -> float | None:
        """Grid samples from the swing peak to the initial contact; None where it does not show.

        middle: of the swing, grid samples from its peak: the peak of a slow swing is flat, or two.
        pace: usual stride of the limb lately, grid samples.
        """
        slow = _slow(pace, p)
        bend = p.rate_m_s * _bend(s.rate_rad_s)
        if slow > 0.0:
            bend += slow * _bend(s.up_m_s2)
        at = self._usual(bend, s, middle, pace, p)
        if at is None:
            return None
        at = _settled(bend.tolist(), at)
        if at is None:
            return None
        at -= (1.0 - slow) * p.lag_s * GRID_HZ + slow * p.lag * pace
        return at if at > 0.0 else None

    def _usual(
        self, bend: Floats, s: LandingSignals, middle: float, pace: int, p: InitialContactParams
    ) -> float | None:
        """Where the bend of the mean landing, this stride in it, would be in this stride."""
        grid = np.arange(len(bend))
        at = middle + pace * _shares(*p.landing)
        near = np.interp(at, grid, np.correlate(bend, _BELL, "full")[HALF:-HALF], right=0.0)
        push = np.interp(at - GRID_HZ * p.lag_s, grid, s.forward_m_s2[1:-1])
        coming = np.interp(at, grid, s.rate_rad_s[1:-1]) / (s.rate_rad_s.max() or 1.0)
        push, brisk = push - push.min(), 1.0 - _slow(pace, p)
        push = np.maximum(push - brisk * p.pushed * push.max(), 0.0)
        seen = near * push * np.clip(1.0 - brisk * coming / p.landed, 0.0, 1.0) * _MIDDLE
        total = float(seen.sum())
        if total <= 0.0:
            return None
        self._strides += 1
        weight = 1.0 / min(self._strides - 1 + p.first, p.memory)
        self._mean = self._mean + min(weight, 1.0) * (seen / total - self._mean)  # each counts alike
        top = int(np.argmax(self._mean))
        return float(at[0] + (at[1] - at[0]) * parabolic_top(self._mean, top)[0])


def _slow(pace: int, p: InitialContactParams) -> float:
    """How far the acceleration is read: 0 in brisk walking, 1 in slow."""
    return min(max((pace / GRID_HZ - p.brisk_s) / (p.slow_s - p.brisk_s), 0.0), 1.0)


@lru_cache(maxsize=4)
def _shares(first: float, last: float) -> Floats:
    return np.linspace(first, last, SHARES)


def _settled(bend: list[float], at: float) -> float | None:
    """The centre of the bend nearest to at; None where there is none."""
    for reach in _SETTLE:
        total = moment = 0.0
        for i in range(max(ceil(at - reach), 0), min(floor(at + reach) + 1, len(bend))):
            away = (i - at) / (reach + 1.0)
            near = bend[i] * (1.0 - away * away)
            total += near
            moment += near * i
        if total <= 0.0:
            return None
        at = moment / total
    return at


def _bend(x: Floats) -> Floats:
    """Downward curvature of what rows 1 to the last but one hold."""
    return np.maximum(2.0 * x[1:-1] - x[2:] - x[:-2], 0.0)
