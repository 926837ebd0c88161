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

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isnan
from statistics import median
from typing import NamedTuple

import numpy as np

from gaitmon.compiled import compiled
from gaitmon.gait.closing import ClosingParams, ClosingStep, carried_m_s2
from gaitmon.gait.initial_contact import InitialContactParams, Landings, samples_needed
from gaitmon.gait.peaks import along_lines
from gaitmon.gait.swing import begin_and_middle, peak_or_hole
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Contact, ContactKind, Floats, Side

HALF = 15  # half length of the kernels that take what was below 6 and 9 Hz below 4 and 5 Hz
PACE = 7  # strides whose median is the limb's pace
CHANGED = 0.15  # of it: three strides that differ by more are another pace
_LOWPASS = np.array([lowpass_kernel(hz, HALF, GRID_HZ) for hz in (4.0, 5.0, 5.0)])  # of rate, forward, up


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


class LimbSignals(NamedTuple):
    """One thigh on the 100 Hz grid; row i is grid index first + i, NaN where samples are missing.

    rows: shape (n, 3), contiguous: flexion rate below 6 Hz, forward + (rad/s); specific force along the
    thigh's forward and upward axes, below 9 Hz (m/s2).
    """

    first: int
    rows: Floats


@dataclass(slots=True)
class _Swing:
    """peak: grid index; middle: of the swing, grid samples from there.  pace: median of the latest periods,
    three to PACE, where period is that of the last three.  told_from: grid index before which the samples
    must be there for its initial contact."""

    peak: int
    middle: float
    period: int
    pace: int
    told_from: int


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
    _peak: int | None = None  # the latest swing's
    _periods: list[int] = field(default_factory=list)  # from one to the next; 0 if it is not known
    _hole: int = -(10**12)  # the latest missing sample that has a successor
    _first: tuple[int, float] | None = None
    _waiting: list[_Swing] = field(default_factory=list)
    _closing: ClosingStep = field(default_factory=ClosingStep)
    _landings: Landings = field(default_factory=Landings)

    def needs_from(self) -> int:
        """Oldest grid index that a later call may look at."""
        oldest = self._waiting[0].peak if self._waiting else max(self._next, self.start)
        return min(oldest, oldest if self._first is None else self._first[0]) - 120

    def complete_until(self, upto: int) -> int:
        """No contact before this grid index will be added by later calls."""
        waiting = self._waiting[0].peak if self._waiting else upto
        held = upto if self._first is None else self._first[0] - 60
        return min(waiting, held, upto - self.params.neighbourhood)

    def advance(self, signals: LimbSignals, upto: int, period_s: float, *, final: bool) -> list[Contact]:
        """Contacts that the samples before grid index ``upto`` complete, in order of time.

        period_s: the sequence's stride period, used until this limb has shown its own.
        final: nothing more will come; what waits is settled with what there is.
        """
        rows, first = signals.rows[: upto - signals.first], signals.first
        out: list[Contact] = []
        for peak in self._new_peaks(rows, first, final=final):
            swing, fc_s = self._swing_at(rows, first, peak, period_s)
            if fc_s is not None:
                out.append(Contact(ContactKind.FC, self.side, fc_s))
            self._waiting.append(swing)
        while self._waiting and (final or self._waiting[0].told_from <= upto):
            ic_s = self._initial_contact_s(rows, first, self._waiting.pop(0))
            if ic_s is not None:
                out.append(Contact(ContactKind.IC, self.side, ic_s))
        if len(out) > 1:
            out.sort(key=lambda c: c.t_s)
        return out

    def _new_peaks(self, rows: Floats, first: int, *, final: bool) -> Iterator[int]:
        """Swing peaks whose neighbourhood is complete; of the holes those before a peak are known with it.

        first: grid index of row 0."""
        p = self.params
        i = max(self._next, self.start, first + 1) - first
        end = len(rows) - 1 - (0 if final else p.neighbourhood)
        self._next = max(self._next, first + end)
        least = p.min_swing_rad_s, p.min_excursion_rad
        while (i := peak_or_hole(rows, i, end, p.neighbourhood, least)) < end:
            rate = rows.item(i, 0)
            if isnan(rate):
                self._hole = first + i
            else:
                yield from self._accept(first + i, rate)
            i += 1
        if final and self._first is not None:
            yield self._first[0]
            self._first = None

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

    def _swing_at(self, rows: Floats, first: int, peak: int, period_s: float) -> tuple[_Swing, float | None]:
        """The swing with this peak, and its final contact."""
        if self._peak is not None:
            apart = peak - self._peak
            known = 50 <= apart <= 250 and self._hole < self._peak
            self._periods = [*self._periods[-14:], apart if known else 0]
        self._peak = peak
        own = [period for period in self._periods if period]
        # The sequence's for want of three: the first step is shorter than a stride to come.
        own = [round(100 * period_s)] * (3 - len(own)) + own
        period, pace = round(median(own[-3:])), round(median(own[-PACE:]))
        if abs(period - pace) > CHANGED * pace:
            pace = period
        p = self.params
        begin, middle = begin_and_middle(rows, peak - first, p.fc_from_share)
        lag_s = along_lines(period / 100.0, p.fc_period_s, p.fc_lag_s)
        fc_s = None if isnan(begin) else (peak + begin) / 100.0 + lag_s
        return _Swing(peak, middle, period, pace, peak + samples_needed(pace, p.initial) + HALF), fc_s

    def _initial_contact_s(self, rows: Floats, first: int, swing: _Swing) -> float | None:
        """The model's where no landing shows; None where samples are missing, somebody sits down, or the
        model lies after the last sample."""
        p, peak = self.params, swing.peak - first
        start, end = peak - HALF - 1, min(swing.told_from - first, len(rows))
        if end - start <= 2 * HALF + 2:
            return None
        if not carried_m_s2(rows, start, end, HALF) >= p.closing.seated_m_s2:  # not so for NaN
            return None
        found = None
        if not self._closing.is_one(rows, peak, swing.period, p.closing):
            low = _lowpassed(rows, start, end, _LOWPASS)
            found = self._landings.contact(low, swing.middle, swing.pace, p.initial)
        at = swing.peak + (p.initial.model * swing.period if found is None else found)
        return at / GRID_HZ if at < first + len(rows) else None


@compiled("f8[:, ::1](f8[:, ::1], i8, i8, f8[:, ::1])")
def _lowpassed(rows: Floats, start: int, end: int, kernels: Floats) -> Floats:
    """The channels of rows start to end, as far as their kernels reach: shape (3, end - start - 2 * HALF)."""
    taps = kernels.shape[1]
    out = np.zeros((3, end - start - taps + 1))
    for channel in range(3):
        x, low = rows[start:end, channel].copy(), out[channel]
        for k in range(taps):  # outside: the samples then go side by side
            weight = kernels[channel, k]
            for i in range(len(low)):
                low[i] += weight * x[i + k]
    return out
