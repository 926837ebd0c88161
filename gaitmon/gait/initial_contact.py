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
from math import ceil, floor, nan

import numpy as np

from gaitmon.compiled import compiled, inner
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Floats

SHARES = 48  # points of the mean landing
HALF = 7  # what is nearer than this to the centre of a bend, grid samples, belongs to it
_SETTLE = (2 * HALF, HALF, HALF, HALF)  # reach of the moves of the centre onto its own mass
_RATE, _FORWARD, _UP = 0, 1, 2  # channels of a landing


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


def samples_needed(pace: int, p: InitialContactParams) -> int:
    """How many grid samples from the swing peak on are looked at in a stride of this length."""
    return round(p.landing[1] * pace) + 2 * HALF


@dataclass(slots=True)
class Landings:
    """The initial contacts of one limb, stride by stride.  Stateful: remembers its mean landing."""

    _mean: Floats = field(default_factory=lambda: np.zeros(SHARES))
    _strides: int = 0

    def contact(self, low: Floats, middle: float, pace: int, p: InitialContactParams) -> float | None:
        """Grid samples from the swing peak to the initial contact; None where it does not show.

        low: shape (3, n), the first column one grid sample before the swing peak: flexion rate below 4 Hz
        (rad/s), specific force along the thigh's forward and upward axes below 5 Hz (m/s2).
        middle: of the swing, grid samples from its peak: the peak of a slow swing is flat, or two.
        pace: usual stride of the limb lately, grid samples.
        """
        pace_s = pace / GRID_HZ
        slow = min(max((pace_s - p.brisk_s) / (p.slow_s - p.brisk_s), 0.0), 1.0)  # how far acc is read
        lag = (1.0 - slow) * p.lag_s * GRID_HZ + slow * p.lag * pace
        first, last = p.landing
        begin, step = middle + pace * first, pace * (last - first) / (SHARES - 1)
        weight = min(1.0 / min(self._strides + p.first, p.memory), 1.0)
        numbers = slow, p.rate_m_s, GRID_HZ * p.lag_s, p.pushed, p.landed, weight
        shows, bend = _landing(low, self._mean, begin, step, numbers)
        self._strides += shows
        return bend - lag if bend > lag else None  # not so for NaN


@inner
def _bend(x: Floats, i: int) -> float:
    """Downward curvature at row i + 1: of a landing's columns 1 to the last but one."""
    return float(max(2.0 * x[i + 1] - x[i + 2] - x[i], 0.0))


@inner
def _between(x: Floats, at: float) -> float:
    """The value at a place between two samples, level beyond the ends."""
    i = floor(at)
    if i < 0:
        return float(x[0])
    if i >= len(x) - 1:
        return float(x[-1])
    return float(x[i] + (x[i + 1] - x[i]) * (at - i))


@inner
def _near(bend: Floats) -> Floats:
    """The bend within HALF of each sample; what enters at the edges enters gently."""
    out = np.zeros(len(bend))
    for j in range(-HALF, HALF + 1):
        share = 1.0 - (j / (HALF + 1.0)) * (j / (HALF + 1.0))
        into, of = out[max(-j, 0) :], bend[max(j, 0) :]
        for i in range(len(bend) - abs(j)):
            into[i] += share * of[i]
    return out


@inner
def _pushes(forward: Floats, at: Floats, lag: float, least: float) -> Floats:
    """Forward acceleration, a lag before each of these places, above its least, less this share of its
    greatest."""
    out = np.empty(SHARES)
    for k in range(SHARES):
        out[k] = _between(forward, at[k] - lag)
    out -= out.min()
    base = least * out.max()
    for k in range(SHARES):
        out[k] = max(out[k] - base, 0.0)
    return out


@inner
def _weigh(seen: Floats, rate: Floats, bend: Floats, at: Floats, coming: float) -> float:
    """Multiplies what is seen at the mean's points, whose places are at, by the bend near each, by how little
    the thigh still comes forward (coming: what counts of its rate), and by how far the point lies from the
    ends.  Gives the sum."""
    near = _near(bend)
    total = 0.0
    for k in range(SHARES):
        if at[k] > len(bend) - 1:
            seen[k] = 0.0
        held = 1.0 - coming * _between(rate, at[k])
        share = k / (SHARES - 1.0)
        seen[k] *= _between(near, at[k]) * min(max(held, 0.0), 1.0) * share * (1.0 - share)
        total += seen[k]
    return total


@inner
def _top(x: Floats) -> float:
    """Where the parabola through the highest value and its neighbours has its top."""
    i = int(np.argmax(x))
    if i < 1 or i + 1 >= len(x):
        return float(i)
    bend = x[i - 1] - 2.0 * x[i] + x[i + 1]
    return i + 0.5 * (x[i - 1] - x[i + 1]) / bend if bend < 0.0 else float(i)


@inner
def _settled(bend: Floats, at: float) -> float:
    """The centre of the bend nearest to at; NaN where there is none."""
    for reach in _SETTLE:
        total = moment = 0.0
        for i in range(max(ceil(at - reach), 0), min(floor(at + reach) + 1, len(bend))):
            away = (i - at) / (reach + 1.0)
            near = bend[i] * (1.0 - away * away)
            total += near
            moment += near * i
        if total <= 0.0:
            return nan
        at = moment / total
    return at


@compiled("Tuple((b1, f8))(f8[:, ::1], f8[::1], f8, f8, UniTuple(f8, 6))")
def _landing(
    low: Floats, mean: Floats, begin: float, step: float, numbers: tuple[float, ...]
) -> tuple[bool, float]:
    """Whether a landing shows, which then counts in the mean landing; and where the stride bends nearest to
    where the mean does, grid samples from the swing peak, NaN if nowhere.

    low: see Landings.contact.  begin, step: of the mean's points, grid samples from the swing peak.
    """
    slow, rate_m_s, lag, pushed, landed, weight = numbers
    brisk = 1.0 - slow
    bend = np.empty(low.shape[1] - 2)
    for i in range(len(bend)):
        bend[i] = rate_m_s * _bend(low[_RATE], i)
        if slow > 0.0:
            bend[i] += slow * _bend(low[_UP], i)
    at = np.empty(SHARES)
    for k in range(SHARES):
        at[k] = begin + step * k
    seen = _pushes(low[_FORWARD, 1:-1], at, lag, brisk * pushed)
    highest = low[_RATE].max()
    coming = brisk / (landed * (highest if highest != 0.0 else 1.0))
    total = _weigh(seen, low[_RATE, 1:-1], bend, at, coming)
    if total <= 0.0:
        return False, nan
    for k in range(SHARES):
        mean[k] += weight * (seen[k] / total - mean[k])  # each counts alike
    return True, _settled(bend, begin + step * _top(mean))
