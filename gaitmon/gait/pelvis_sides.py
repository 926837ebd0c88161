"""Which foot landed, told from the pelvis sensor alone.

Two witnesses at each initial contact, both once a stride:

- lateral: the trunk falls away from the stance leg, so its mediolateral acceleration points to the
  landing side before the contact and away from it after.  Ben Mansour 2015: the sign of the derivative of
  this acceleration below 1 Hz.  Right in 89 % of free-living contacts (Mobilise-D).
- yaw: the landing side's half of the pelvis is still on its way forward.  McCamley 2012: the sign of the
  yaw rate.  Turning adds to it, so each contact is compared with the one before.  Right in 78 %.

Departure: not one contact's sign but the odds of a two-state Markov chain.  Sides alternate unless a
contact was missed; a contact whose odds are poor has no side.  The roll rate (Ullrich 2021) is left out:
it told the same side in one group of walkers and the opposite in another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median

import numpy as np

from gaitmon.model import Floats, Side


@dataclass(frozen=True, slots=True)
class SideParams:
    """Weights are log odds of a witness as loud as it usually is, from the published shares of right
    answers: ln(.89 / .11) = 2.1, ln(.78 / .22) = 1.3; the two are not independent, so yaw counts half."""

    half: int = 60  # grid samples on either side of a contact that the witnesses look at
    lateral_s: float = 0.2  # s.d. of the Gaussian: its derivative passes most at 0.8 Hz, a stride
    yaw_s: float = 0.15
    lateral_weight: float = 2.1
    yaw_weight: float = 0.65
    loudest: float = 1.5  # of the usual: a single loud contact shouts no louder
    missed: float = 0.05  # probability that a contact is missing or too many between two neighbours
    told_from: float = math.log(4.0)  # a side is told from odds of 4 to 1
    remembered: int = 12  # contacts over which "usual" is taken


@dataclass(frozen=True, slots=True)
class Landing:
    """An initial contact and what the witnesses said, + for left; NaN where they could not."""

    t_s: float
    lateral: float
    yaw: float


@lru_cache(maxsize=8)
def gaussian_kernel(sd_s: float, half: int, rate_hz: float) -> Floats:
    """Weighted mean: 2 * half + 1 taps of sum 1."""
    n = np.arange(-half, half + 1) / (sd_s * rate_hz)
    k = np.exp(-0.5 * n * n)
    return np.asarray(k / k.sum())


@lru_cache(maxsize=8)
def slope_kernel(sd_s: float, half: int, rate_hz: float) -> Floats:
    """Derivative per second of a signal smoothed by a Gaussian; exact on a straight line."""
    n = np.arange(-half, half + 1)
    k = n * np.exp(-0.5 * (n / (sd_s * rate_hz)) ** 2)
    return np.asarray(k * rate_hz / (n * k).sum())


def landing(t_s: float, left_m_s2: Floats, yaw_rate_rad_s: Floats, params: SideParams) -> Landing:
    """left_m_s2, yaw_rate_rad_s: shape (2 * half + 1,), 100 Hz, around the contact."""
    slope = slope_kernel(params.lateral_s, params.half, 100.0)
    mean = gaussian_kernel(params.yaw_s, params.half, 100.0)
    # fsum rounds once, whatever the order: the same bits for every cut of the stream.
    return Landing(t_s, -math.fsum(slope * left_m_s2), -math.fsum(mean * yaw_rate_rad_s))


@dataclass(slots=True)
class SideChain:
    """Log odds (left : right) of the latest contact, handed on from contact to contact.  Stateful."""

    params: SideParams = field(default_factory=SideParams)
    _odds: float = 0.0
    _last: Landing | None = None
    _told: Side | None = None
    _lateral: list[float] = field(default_factory=list)
    _yaw: list[float] = field(default_factory=list)
    _steps_s: list[float] = field(default_factory=list)

    def first(self, landings: Sequence[Landing]) -> list[Side | None]:
        """Sides of a sequence's first contacts, each from all of them."""
        pairs = list(zip([None, *landings], landings, strict=False))  # each with the one before
        for before, one in pairs:
            self._get_used_to(before, one)
        evidence = [self._evidence(before, one) for before, one in pairs]
        changes = [self._miss(before, one) for before, one in pairs]
        later = [0.0] * len(landings)
        for i in range(len(landings) - 2, -1, -1):
            later[i] = _handed_on(later[i + 1] + evidence[i + 1], changes[i + 1])
        out: list[Side | None] = []
        for i, one in enumerate(landings):
            self._odds = _handed_on(self._odds, changes[i]) + evidence[i]
            out.append(self._tell(self._odds + later[i], changes[i]))
            self._last = one
        return out

    def next(self, one: Landing) -> Side | None:
        """Side of the following contact, from it and all before it."""
        self._get_used_to(self._last, one)
        change = self._miss(self._last, one)
        self._odds = _handed_on(self._odds, change) + self._evidence(self._last, one)
        self._last = one
        return self._tell(self._odds, change)

    def _get_used_to(self, before: Landing | None, one: Landing) -> None:
        keep = self.params.remembered - 1
        if math.isfinite(one.lateral):
            self._lateral = [*self._lateral[-keep:], abs(one.lateral)]
        if before is not None:
            self._steps_s = [*self._steps_s[-keep:], one.t_s - before.t_s]
            if math.isfinite(one.yaw - before.yaw):
                self._yaw = [*self._yaw[-keep:], abs(one.yaw - before.yaw)]

    def _evidence(self, before: Landing | None, one: Landing) -> float:
        p = self.params
        said = p.lateral_weight * _loudness(one.lateral, self._lateral, p.loudest)
        if before is not None and self._miss(before, one) < 0.5:
            said += p.yaw_weight * _loudness(one.yaw - before.yaw, self._yaw, p.loudest)
        return said

    def _miss(self, before: Landing | None, one: Landing) -> float:
        """Probability that this contact is of the same side as the one before."""
        if before is None:
            return 0.5
        share = (one.t_s - before.t_s) / median(self._steps_s)
        return self.params.missed if 0.5 < share < 1.5 else 0.5

    def _tell(self, odds: float, change: float) -> Side | None:
        """None also where the same side would come twice in a row with no contact missing."""
        side = None if abs(odds) < self.params.told_from else Side.LEFT if odds > 0 else Side.RIGHT
        if side is not None and side is self._told and change < 0.5:
            side = None
        self._told = side
        return side


def _loudness(said: float, usual: list[float], loudest: float) -> float:
    if not usual or not math.isfinite(said):
        return 0.0
    return max(-loudest, min(loudest, said / (median(usual) + 1e-9)))


def _handed_on(odds: float, same: float) -> float:
    """Log odds one contact on: the side changes but for the probability ``same``."""
    if odds > 0:
        a, b = 1.0, math.exp(-odds)  # left, right, up to a factor
    else:
        a, b = math.exp(odds), 1.0
    return math.log((same * a + (1.0 - same) * b) / ((1.0 - same) * a + same * b))
