"""Contacts of one leg as soon as they have happened, for somebody who is watching.  Never stored.

The flexion rate of the own thigh, below 6 Hz over 17 samples, is looked at once, sample by sample.  Final
contact: the rate comes up through zero, and goes on up.  Initial contact: a lag after the swing's peak.  Both
lags are the limb's own, learned from the contacts that were committed lately (gaitmon.gait.contacts); before
there are any, those of the mean curves of Schwartz 2008.  A committed contact is found with a second and more
of what follows it and replaces what was said here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from math import isnan
from statistics import median

import numpy as np

from gaitmon.gait.contacts import ContactParams
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Contact, ContactKind, Floats, Side

HALF = 6  # grid samples of the kernel's support on either side: what it costs in time
KERNEL = lowpass_kernel(6.0, HALF, GRID_HZ)
_LANDING = (
    0.345  # of the stride, from the swing's peak to the initial contact, until the limb has shown its own
)
_PERIOD_S = 1.1  # likewise
_LEVEL_RAD_S = 1.3  # likewise, of the swing's peak: that of very slow walking
_LEAST_RAD_S = 0.6  # peaks below are no swings (ContactParams.min_swing_rad_s)
_RISING = 0.4  # of the level: from here on the thigh is on its way,
_TOO_SOON = 0.65  # of the stride after the last swing began; there it takes the whole level: landing bumps
_FORGET_S = 3.0  # without a swing: who walks slowly now is not held against the level of before
_FALLEN = 12  # grid samples without a higher one after which a peak was the peak
_REMEMBERED = 8
_FC = ContactParams()


@dataclass(slots=True)
class _Swing:
    """Seconds.  start: where the rate came up through zero.  peak: None until it is known."""

    start_s: float
    peak_s: float | None = None


@dataclass(slots=True)
class ProvisionalLimb:
    """Stateful: one limb's smoothed flexion rate in order of time, each sample once."""

    side: Side | None
    swings: deque[_Swing] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _level: float = _LEVEL_RAD_S
    _last: float = float("nan")
    _open: _Swing | None = None
    _told_fc: bool = False
    _top: tuple[int, float] = (0, 0.0)
    _pending: list[Contact] = field(default_factory=list)
    _landing: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _leaving_s: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    @property
    def rate_rad_s(self) -> float:
        """The newest one."""
        return self._last

    @property
    def last_peak_s(self) -> float:
        return next((s.peak_s for s in reversed(self.swings) if s.peak_s is not None), -1e9)

    def push(self, first: int, rate_rad_s: Floats) -> None:
        """rate: flexion rate from grid index first on, forward +, through KERNEL; NaN where missing."""
        for k, w in enumerate(rate_rad_s.tolist(), start=first):
            self._sample(k, w)

    def happened(self, now_s: float) -> list[Contact]:
        """Contacts that have happened by now and were not told before."""
        out = [c for c in self._pending if c.t_s <= now_s]
        self._pending = [c for c in self._pending if c.t_s > now_s]
        return out

    def learn(self, contact: Contact) -> None:
        """A committed contact of this limb: how long after the features seen here it came."""
        t = contact.t_s
        if contact.kind is ContactKind.IC:
            peak_s = next((s.peak_s for s in reversed(self.swings) if s.peak_s and s.peak_s < t), None)
            if peak_s is not None and 0.1 < (share := (t - peak_s) / self._period_s()) < 0.6:
                self._landing.append(share)
        else:
            start_s = min((s.start_s for s in self.swings), key=lambda s: abs(t - s - 0.1), default=-1e9)
            if -0.1 < t - start_s < 0.4:
                self._leaving_s.append(t - start_s)

    def _sample(self, k: int, w: float) -> None:
        last, self._last = self._last, w
        if isnan(w):  # missing: what was under way cannot be told
            self._open = None
            return
        if self._level != _LEVEL_RAD_S and k / GRID_HZ - self.last_peak_s > _FORGET_S:
            self._level = _LEVEL_RAD_S
        if last < 0.0 <= w:
            self._open = _Swing((k - w / (w - last)) / GRID_HZ)
            self._told_fc, self._top = False, (k, w)
        if self._open is None:
            return
        if w > self._top[1]:
            self._top = k, w
        if not self._told_fc and w > self._enough(self._open.start_s):
            self._told_fc = True
            self.swings.append(self._open)
            self._pending.append(Contact(ContactKind.FC, self.side, self._open.start_s + self._leaving()))
        if self._told_fc and self._open.peak_s is None and k - self._top[0] >= _FALLEN:
            self._peaked()

    def _enough(self, start_s: float) -> float:
        """Rate above which what began then is a swing."""
        before_s = self.swings[-1].start_s if self.swings else -1e9
        soon = start_s - before_s < _TOO_SOON * self._period_s()
        return max(self._level * (1.0 if soon else _RISING), 0.5 * _LEAST_RAD_S)

    def _peaked(self) -> None:
        at, height = self._top
        if self._open is None or height < _LEAST_RAD_S:
            return
        self._open.peak_s = at / GRID_HZ
        self._level += 0.3 * (height - self._level)
        share = median(self._landing) if self._landing else _LANDING
        self._pending.append(Contact(ContactKind.IC, self.side, self._open.peak_s + share * self._period_s()))

    def _leaving(self) -> float:
        if self._leaving_s:
            return median(self._leaving_s)
        return float(np.interp(self._period_s(), _FC.fc_period_s, _FC.fc_lag_s))

    def _period_s(self) -> float:
        peaks = [s.peak_s for s in self.swings if s.peak_s is not None]
        own = [b - a for a, b in pairwise(peaks) if 0.5 < b - a < 2.5]
        return median(own[-3:]) if own else _PERIOD_S
