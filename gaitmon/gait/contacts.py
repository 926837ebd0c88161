"""Initial and final contacts of one leg, from that leg's own thigh and nothing else.

Every left-right figure gaitmon shows rests on the same feature found on each limb by itself: an event
taken from the angle between the thighs reverses the sign of an asymmetry (docs/units-and-frames.md).

A stride is anchored at the swing peak P of the thigh's flexion rate, low-passed at 6 Hz.
Final contact: the thigh begins to come forward a lag before the foot leaves the ground; where the rate
leaves zero on its way up to P, plus that lag for the stride time (Schwartz 2008: 49 ms in fast to 201 ms
in very slow walking).  A share of the peak, the usual choice, moves with the height of the swing and so
makes an asymmetry of stance 8-15 % larger than it is.
Initial contact, in two steps.  At the end of swing the thigh is already moving back when the landing
stops it: a peak of its forward acceleration (below 9 Hz), the first prominent one once flexion is
over, as Zijlstra 2003 looks for in the pelvis.  It says where to look, but the trunk's braking is in it
and with it the other limb.  The thigh's own rotation is not: after landing its backward turn sets in with
a shoulder in the flexion rate, and the centre of that shoulder's curvature is the event, less the 45 ms
that it lags.  Where neither shows, the model P + c T with c from the same curves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

import numpy as np
from scipy.signal import find_peaks

from gaitmon.model import Contact, ContactKind, Floats, Side


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
    swing_over_share: float = 0.15  # of the swing peak: below it flexion is over (it may never turn negative)
    ic_within: float = 0.28  # of the stride, after the end of flexion
    ic_height: float = 0.4  # of the highest forward peak there, above the level during swing
    ic_prominence: float = 0.2  # likewise: how far the signal must fall again on either side
    shoulder: tuple[int, int] = (14, 11)  # samples after that peak in which it bends: brisk, slow walking
    brisk_s: float = 1.2  # stride times up to this read the shoulder below 4 Hz,
    slow_s: float = 1.5  # from this below 6 Hz, in between both
    shoulder_reach_s: float = 0.04  # the contact lies within this of that peak
    shoulder_lag_s: float = 0.045  # between what simulated walkers (30 ms) and recorded ones (60 ms) show
    ic_model: float = 0.345  # of the stride after P, where no peak shows (0.276 very slow .. 0.350 free)


@dataclass(frozen=True, slots=True, eq=False)
class LimbSignals:
    """One thigh on the 100 Hz grid; row i is grid index first + i, NaN where samples are missing.

    rate_rad_s, slow_rate_rad_s: flexion rate below 6 Hz and below 4 Hz, forward +.
    forward_m_s2: specific force along the thigh's forward axis, below 9 Hz.
    """

    first: int
    rate_rad_s: Floats
    slow_rate_rad_s: Floats
    forward_m_s2: Floats


@dataclass(slots=True)
class _Swing:
    peak: int
    period: int
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
    _first: tuple[int, float] | None = None
    _waiting: list[_Swing] = field(default_factory=list)

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
            end = swing.peak + round(0.65 * swing.period)
            if end > upto and not final:
                break
            self._waiting.pop(0)
            ic = initial_contact_s(signals, swing.peak, swing.period, min(end, upto), self.params)
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
        w = s.rate_rad_s
        i = np.arange(a, b) - s.first
        now, before, after = w[i[0] : i[-1] + 1], w[i[0] - 1 : i[-1]], w[i[0] + 1 : i[-1] + 2]
        tops = i[(now > before) & (now >= after) & (now > p.min_swing_rad_s)]  # NaN compares as False
        self._next = b
        peaks: list[int] = []
        for j in tops:
            around = w[max(j - hood, 0) : j + hood + 1]
            if np.isnan(around).any() or w[j] < around.max():
                continue
            if _excursion(w, j) >= p.min_excursion_rad:
                peaks += self._accept(int(j) + s.first, float(w[j]))
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
        self._peaks = [*self._peaks[-4:], peak]
        own = [b - a for a, b in zip(self._peaks, self._peaks[1:], strict=False) if 50 <= b - a <= 250]
        period = round(median(own[-3:])) if own else round(100 * period_s)
        return _Swing(peak, period, final_contact_s(s, peak, period, self.params))


def _excursion(w: Floats, j: int) -> float:
    """Forward angle swept around the peak while the rate stays positive, rad."""
    before, after = w[max(j - 80, 0) : j + 1][::-1], w[j : j + 80]
    nb = int(np.argmax(before <= 0)) if (before <= 0).any() else len(before)
    na = int(np.argmax(after <= 0)) if (after <= 0).any() else len(after)
    return float(before[:nb].sum() + after[:na].sum()) / 100.0


def final_contact_s(s: LimbSignals, peak: int, period: int, p: ContactParams) -> float | None:
    """Where the rate last leaves zero before the peak, between two samples, plus the stride time's lag."""
    j = peak - s.first
    top = parabolic_top(s.rate_rad_s, j)[1]
    back = s.rate_rad_s[max(j - 80, 0) : j + 1][::-1] - p.fc_from_share * top
    below = np.flatnonzero(back < 0)
    if len(below) == 0:
        return None
    i = int(below[0])
    inside, outside = back[i - 1], back[i]
    if not np.isfinite(outside + inside):
        return None
    start_s = float(peak - i + outside / (outside - inside)) / 100.0
    return start_s + float(np.interp(period / 100.0, p.fc_period_s, p.fc_lag_s))


def initial_contact_s(s: LimbSignals, peak: int, period: int, upto: int, p: ContactParams) -> float | None:
    """The shoulder of the rate near the first prominent forward push after the swing, less its lag; the
    model where there is no push, None where samples are missing or the model lies after the last one."""
    j = peak - s.first
    end = min(j + round(0.65 * period), upto - s.first)
    rate, forward = s.rate_rad_s[j:end], s.forward_m_s2[j:end]
    if len(rate) < 8 or np.isnan(rate).any() or np.isnan(forward).any():
        return None
    turn = _swing_over(rate, p)
    if turn is not None and turn < 0.5 * period:
        window = forward[turn : turn + round(p.ic_within * period)]
        top = _first_prominent(window, float(np.median(forward[: turn + 1])), p)
        if top is not None:
            slow_walk = (period / 100.0 - p.brisk_s) / (p.slow_s - p.brisk_s)
            bend = _shoulder(rate, s.slow_rate_rad_s[j:end], turn + top, min(max(slow_walk, 0.0), 1.0), p)
            off_s = (bend - turn - top) / 100.0 - p.shoulder_lag_s
            return (peak + turn + top) / 100.0 + min(max(off_s, -p.shoulder_reach_s), p.shoulder_reach_s)
    model = peak + p.ic_model * period
    return model / 100.0 if model < upto else None  # not after the last sample


def _swing_over(rate: Floats, p: ContactParams) -> int | None:
    """Samples after the peak at which flexion is over: the rate has fallen to a small share of it, or, in
    fast walking, where it may stay up until the landing, to a low from which it rises again."""
    over = np.flatnonzero(rate < p.swing_over_share * rate[0])
    lows = (
        np.flatnonzero((rate[1:-1] < rate[:-2]) & (rate[1:-1] <= rate[2:]) & (rate[1:-1] < 0.5 * rate[0])) + 1
    )
    ends = [int(x[0]) for x in (over, lows) if len(x)]
    return min(ends) if ends else None


def _shoulder(rate: Floats, slow_rate: Floats, start: int, slow_walk: float, p: ContactParams) -> float:
    """Centre of the downward curvature from start on.

    slow_walk: 0 brisk, where soft tissue rings after landing and 4 Hz is what is left of the thigh's own
    turning, to 1 slow, where nothing rings and 4 Hz would smear the shoulder into the swing.
    """
    brisk = _bend(slow_rate, start, p.shoulder[0]) if slow_walk < 1.0 else 0.0
    slow = _bend(rate, start, p.shoulder[1]) if slow_walk > 0.0 else 0.0
    return (1.0 - slow_walk) * brisk + slow_walk * slow


def _bend(rate: Floats, start: int, length: int) -> float:
    """Centre of the downward curvature of the rate over ``length`` samples from start."""
    x = rate[start - 2 : start + length + 2]
    if start < 2 or len(x) < length + 4:
        return start + 0.5 * length
    bend = np.maximum(2.0 * x[2:-2] - x[4:] - x[:-4], 0.0)
    total = float(bend.sum())
    return start + (float((bend * np.arange(length)).sum()) / total if total > 0 else 0.5 * length)


def _first_prominent(x: Floats, floor: float, p: ContactParams) -> int | None:
    """Position of the first local maximum that stands out, next to the highest one above ``floor``."""
    if len(x) < 5:
        return None
    height = float(x.max()) - floor
    if height <= 0:
        return None
    tops, _ = find_peaks(x, height=floor + p.ic_height * height, prominence=p.ic_prominence * height)
    return int(tops[0]) if len(tops) else None


def parabolic_top(x: Floats, i: int) -> tuple[float, float]:
    """Position (samples) and height of the parabola through x[i-1], x[i], x[i+1]."""
    if i < 1 or i + 1 >= len(x):
        return float(i), float(x[i])
    left, mid, right = x[i - 1 : i + 2]
    bend = left - 2 * mid + right
    if bend >= 0:
        return float(i), float(mid)
    shift = 0.5 * (left - right) / bend
    return float(i + shift), float(mid - 0.25 * (left - right) * shift)
