"""Initial and final contacts of one leg, from that leg's own thigh and nothing else.

Every left-right figure gaitmon shows rests on the same feature found on each limb by itself: an event
taken from the angle between the thighs reverses the sign of an asymmetry (docs/units-and-frames.md).

A stride is anchored at the swing peak P of the thigh's flexion rate, low-passed at 6 Hz.
Final contact: the thigh begins to come forward a lag before the foot leaves the ground; where the rate
leaves zero on its way up to P, plus that lag for the stride time (Schwartz 2008: 49 ms in fast to 201 ms
in very slow walking).  A share of the peak, the usual choice, moves with the height of the swing and so
makes an asymmetry of stance 8-15 % larger than it is.
Initial contact: initial_contact.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, isnan
from statistics import median

import numpy as np

from gaitmon.gait.closing import ClosingParams, ClosingStep, sits
from gaitmon.gait.initial_contact import (
    InitialContactParams,
    Landings,
    LandingSignals,
    samples_needed,
)
from gaitmon.gait.peaks import along_lines, parabolic_top
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Contact, ContactKind, Floats, Side

HALF = 15  # half length of the kernels that take what was below 6 and 9 Hz below 4 and 5 Hz
PACE = 7  # strides whose median is the limb's pace
CHANGED = 0.15  # of it: three strides that differ by more are another pace
_TURNING, _PUSHED = lowpass_kernel(4.0, HALF, GRID_HZ), lowpass_kernel(5.0, HALF, GRID_HZ)


@dataclass(frozen=True, slots=True)
class ContactParams:
    """Lags in grid samples of 10 ms where not said otherwise."""

    min_swing_rad_s: float = 0.6  # 34 deg/s; a very slow walker's peak is 77 (Schwartz 2008, table 1.5)
    min_excursion_rad: float = 0.14  # 8 deg of forward thigh motion around a peak
    min_share_of_level: float = 0.4  # of the recent swing peaks; the landing's own bump stays below
    level_memory: int = 300  # grid samples: who slows down is judged anew after 3 s without a swing
    neighbourhood: int = 40  # a swing peak is the highest within 0.4 s on either side
    fc_from_share: float = 0.03  # of the swing peak: where the thigh begins to come forward
    fc_period_s: tuple[float, ...] = (0.80, 0.92, 1.07, 1.33, 1.79)
    fc_lag_s: tuple[float, ...] = (0.044, 0.059, 0.070, 0.104, 0.196)  # from there, at those stride times
    closing: ClosingParams = field(default_factory=ClosingParams)
    initial: InitialContactParams = field(default_factory=InitialContactParams)


@dataclass(frozen=True, slots=True, eq=False)
class LimbSignals:
    """One thigh on the 100 Hz grid; row i is grid index first + i, NaN where samples are missing.

    rate_rad_s: flexion rate below 6 Hz, forward +.
    forward_m_s2, up_m_s2: specific force along the thigh's forward and upward axes, below 9 Hz.
    """

    first: int
    rate_rad_s: Floats
    forward_m_s2: Floats
    up_m_s2: Floats

    @property
    def channels(self) -> tuple[Floats, Floats, Floats]:
        return self.rate_rad_s, self.forward_m_s2, self.up_m_s2


@dataclass(slots=True)
class _Swing:
    """pace: median of the latest periods, three to PACE, where period is that of the last three."""

    peak: int
    period: int
    pace: int
    fc_s: float | None


@dataclass(slots=True)
class LimbContacts:
    """Finds one limb's contacts in one gait sequence, each committed once.  Stateful.

    side: None for a thigh whose side is not known.
    """

    side: Side | None
    start: int
    params: ContactParams = field(default_factory=ContactParams)
    _next: int = -(10**12)  # first index not yet judged as a peak
    _levels: list[tuple[int, float]] = field(default_factory=list)  # accepted peaks and their rates
    _peaks: list[int] = field(default_factory=list)
    _holes: list[int] = field(default_factory=list)  # last missing sample of each, since the oldest of those
    _first: tuple[int, float] | None = None
    _waiting: list[_Swing] = field(default_factory=list)
    _closing: ClosingStep = field(default_factory=ClosingStep)
    _landings: Landings = field(default_factory=Landings)

    def needs_from(self) -> int:
        """Oldest grid index that a later call may look at."""
        oldest = min((s.peak for s in self._waiting), default=max(self._next, self.start))
        return min(oldest, oldest if self._first is None else self._first[0]) - 120

    def complete_until(self, upto: int) -> int:
        """No contact before this grid index will be added by later calls."""
        waiting = min((s.peak for s in self._waiting), default=upto)
        held = upto if self._first is None else self._first[0] - 60
        return min(waiting, held, upto - self.params.neighbourhood)

    def advance(self, signals: LimbSignals, upto: int, period_s: float, *, final: bool) -> list[Contact]:
        """Contacts that the samples before grid index ``upto`` complete, in order of time.

        period_s: the sequence's stride period, used until this limb has shown its own.
        final: nothing more will come; what waits is settled with what there is.
        """
        out: list[Contact] = []
        for p in self._new_peaks(signals, upto, final=final):
            swing = self._swing_at(signals, p, period_s)
            if swing.fc_s is not None:
                out.append(Contact(ContactKind.FC, self.side, swing.fc_s))
            self._waiting.append(swing)
        while self._waiting:
            swing = self._waiting[0]
            if swing.peak + self._reach(swing) > upto and not final:
                break
            self._waiting.pop(0)
            ic = self._initial_contact_s(signals, swing, upto)
            if ic is not None:
                out.append(Contact(ContactKind.IC, self.side, ic))
        return sorted(out, key=lambda c: c.t_s)

    def _new_peaks(self, s: LimbSignals, upto: int, *, final: bool) -> list[int]:
        """Swing peaks whose neighbourhood is complete."""
        p, hood = self.params, self.params.neighbourhood
        a = max(self._next, self.start, s.first + 1)
        b = (upto if final else upto - hood) - 1
        if b <= a:
            return []
        self._next = b
        w = s.rate_rad_s[: upto - s.first]
        i = a - s.first
        x = w[i - 1 : b - s.first + 1].tolist()  # few: in plain numbers sooner looked through than as arrays
        if isnan(sum(x)):
            oldest = self._peaks[0] if self._peaks else a
            ends = [a + k - 1 for k in range(1, len(x) - 1) if isnan(x[k]) and not isnan(x[k + 1])]
            self._holes = [h for h in [*self._holes, *ends] if h > oldest]
        least = p.min_swing_rad_s
        peaks: list[int] = []
        for k in range(1, len(x) - 1):
            if x[k] > least and x[k - 1] < x[k] >= x[k + 1]:  # not so for NaN
                j = i + k - 1
                around = w[max(j - hood, 0) : j + hood + 1].tolist()
                if isnan(sum(around)) or x[k] < max(around):
                    continue
                if _excursion(w, j) >= p.min_excursion_rad:
                    peaks += self._accept(j + s.first, x[k])
        if final and self._first is not None:
            peaks.append(self._first[0])
            self._first = None
        return peaks

    def _accept(self, peak: int, rate: float) -> list[int]:
        """The peaks that are now known to be swings.  The first of a sequence waits for its successor:
        a shift of weight before the first step is not one."""
        share = self.params.min_share_of_level
        if self._levels:
            recent = [r for p, r in self._levels[-6:] if p > peak - self.params.level_memory]
            if recent and rate < share * median(recent):
                return []
            self._levels = [*self._levels[-6:], (peak, rate)]
            return [peak]
        held, self._first = self._first, (peak, rate)
        if held is None or held[1] < share * rate:
            return []
        if rate < share * held[1]:
            self._first = held
            return []
        self._levels, self._first = [held, (peak, rate)], None
        return [held[0], peak]

    def _swing_at(self, s: LimbSignals, peak: int, period_s: float) -> _Swing:
        self._peaks = [*self._peaks[-15:], peak]
        own = [
            b - a
            for a, b in pairwise(self._peaks)
            if 50 <= b - a <= 250 and not (self._holes and any(a < hole < b for hole in self._holes))
        ]
        known = [*[round(100 * period_s)] * 3, *own]  # the first step is shorter than a stride to come
        period, pace = round(median(known[-3:])), round(median(known[min(len(own), 3) :][-PACE:]))
        if abs(period - pace) > CHANGED * pace:
            pace = period
        return _Swing(peak, period, pace, final_contact_s(s, peak, period, self.params))

    def _reach(self, swing: _Swing) -> int:
        """Grid samples from the swing peak on without which its initial contact is not told."""
        return samples_needed(swing.pace, self.params.initial) + HALF

    def _initial_contact_s(self, s: LimbSignals, swing: _Swing, upto: int) -> float | None:
        """From the samples before upto; the model's where no landing shows, None where samples are missing,
        somebody sits down, or the model lies after the last sample."""
        a = swing.peak - s.first - HALF - 1
        b = min(a + HALF + 1 + self._reach(swing), upto - s.first)
        n = b - a
        seen = np.concatenate([s.rate_rad_s[a:b], s.forward_m_s2[a:b], s.up_m_s2[a:b]])
        if len(seen) != 3 * n or n <= 2 * HALF + 2 or isnan(seen.sum()):
            return None
        if sits(s.up_m_s2[b - HALF : b], self.params.closing):
            return None
        p = self.params.initial
        forward = s.forward_m_s2[swing.peak - s.first :]
        closes = self._closing.is_one(forward, swing.period, self.params.closing)
        found = None if closes else self._landing(s, swing, seen)
        at = swing.peak + (p.model * swing.period if found is None else found)
        return at / GRID_HZ if at < upto else None

    def _landing(self, s: LimbSignals, swing: _Swing, seen: Floats) -> float | None:
        """Grid samples from the swing peak to the contact.  seen: rate, forward and up, HALF + 1 before the
        peak on, end to end."""
        n = len(seen) // 3
        rate = np.correlate(seen[:n], _TURNING, "valid")
        # Two channels end to end in one call; what mixes them is left out.
        acc = np.correlate(seen[n:], _PUSHED, "valid")
        low = LandingSignals(rate, acc[: len(rate)], acc[n:])
        middle = _middle(s.rate_rad_s, swing.peak - s.first)
        return self._landings.contact(low, middle, swing.pace, self.params.initial)


def _middle(w: Floats, j: int) -> float:
    """Of the swing around its peak, grid samples from that: centre of what is above half of it."""
    least = 0.5 * float(w[j])
    moment = total = 0.0
    for step, side in ((-1, w[max(j - 60, 0) : j][::-1]), (1, w[j : j + 40])):
        for k, rate in enumerate(side.tolist()):
            if not rate > least:
                break
            moment += step * (k if step > 0 else k + 1) * (rate - least)
            total += rate - least
    return moment / total


def _excursion(w: Floats, j: int) -> float:
    """Forward angle swept around the peak while the rate stays positive, rad."""
    swept = 0.0
    for side in (w[max(j - 80, 0) : j + 1][::-1], w[j : j + 80]):
        for rate in side.tolist():
            if rate <= 0.0:
                break
            swept += rate
    return swept / 100.0


def final_contact_s(s: LimbSignals, peak: int, period: int, p: ContactParams) -> float | None:
    """Where the rate last leaves zero before the peak, between two samples, plus the stride time's lag."""
    j = peak - s.first
    level = p.fc_from_share * parabolic_top(s.rate_rad_s, j)[1]
    back = s.rate_rad_s[max(j - 80, 0) : j + 1][::-1].tolist()
    i = next((i for i, rate in enumerate(back) if rate - level < 0.0), None)
    if i is None:
        return None
    inside, outside = back[i - 1] - level, back[i] - level
    if not isfinite(outside + inside):
        return None
    start_s = float(peak - i + outside / (outside - inside)) / 100.0
    return start_s + along_lines(period / 100.0, p.fc_period_s, p.fc_lag_s)
