"""Initial contacts, with their side, from the pelvis sensor alone: the fallback without a usable thigh.

Initial contact.  The landing leg takes the body's weight and brakes it: the pelvis' acceleration jumps
upward and backward at once.  The *loading rate* is the derivative of (vertical - forward) acceleration,
smoothed by a Gaussian as long as loading response takes; a contact is its highest point, one a step.
Sources: McCamley 2012 and Paraschiv-Ionescu 2019 take the extremes of the same Gaussian derivative of
the vertical acceleration alone (their wavelet of the integrated signal; s.d. 0.16 s), Zijlstra 2003 the
forward acceleration's peak, after which braking begins.  Departures: both axes in one signal, which lies
steadier in time than either (tests/validation); a shorter kernel; causal, of finite support; a contact
has to stand out from the fall before it as recent ones did, so that no fixed threshold decides.

Side: gait/pelvis_sides.py.

No final contacts: what is published from the pelvis alone scatters too much (tests/validation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import numpy as np
from scipy.ndimage import correlate1d

from gaitmon.gait.peaks import parabolic_top
from gaitmon.gait.pelvis_sides import Landing, SideChain, SideParams, landing, slope_kernel
from gaitmon.imu.alignment import along
from gaitmon.model import Contact, ContactKind, Floats, Side

RATE_HZ = 100.0


@dataclass(frozen=True, slots=True)
class PelvisContactParams:
    """Lags in grid samples of 10 ms where not said otherwise."""

    loading_s: float = 0.07  # s.d.: loading response, 10-12 % of a stride, is 0.10-0.15 s long
    kernel_half: int = 25  # 3.5 s.d.
    neighbourhood: int = 30  # 0.3 s: no two contacts, of peaks so near the highest; 3.3 steps a second run
    alike: float = 0.4  # unless another has this share of its height: then the stride tells
    fall: int = 40  # the fall before a contact is looked for within 0.4 s
    min_rise_m_s3: float = 1.5  # of the loading rate from there; at 0.5 m/s it is 3 to 4
    level_of: int = 6  # recent contacts, whose median rise is the level
    # A contact rises to a share of the level that depends on the time since the one before, in recent
    # step times: steps in a turn are soft, but they come in time.
    too_soon: float = 0.6  # in no walk is one side's step so short (an asymmetry of 85 %) ...
    too_soon_share: float = 0.7  # ... unless it was the other side's steps that were missed
    due: float = 0.75
    early_share: float = 0.35
    due_share: float = 0.15
    late: float = 1.5  # a step was missed, or there was none
    seed: int = 400  # 4 s, the least that is called walking: nothing is committed before
    sides: SideParams = field(default_factory=SideParams)


@dataclass(frozen=True, slots=True, eq=False)
class PelvisSignals:
    """The pelvis on the 100 Hz grid; row i is grid index first + i, NaN where samples are missing.

    Specific force along the momentary vertical, forward and left, not smoothed;
    yaw_rate_rad_s about the vertical, left turn +, NaN throughout without a gyroscope.
    """

    first: int
    vertical_m_s2: Floats
    forward_m_s2: Floats
    left_m_s2: Floats
    yaw_rate_rad_s: Floats


def pelvis_signals(first: int, raw: Floats, rotation: Floats) -> PelvisSignals:
    """The signals from the rows of SensorChain.raw and the pelvis' alignment.

    raw: shape (n, 10): acc (3), gyr (3), up (3), yaw rate; sensor frame; row 0 is grid index first.
    rotation: shape (3, 3), rows forward, left, up of the segment in the sensor frame (Alignment).
    Where the momentary up is NaN (no gyroscope, or not settled after a gap) the alignment's holds.
    """
    acc, up = raw[:, :3], raw[:, 6:9]
    forward, left, mean_up = rotation
    u = np.where(np.isnan(up), mean_up, up)
    vertical = _dot(acc, u)
    lean_forward, lean_left = along(u, forward), along(u, left)
    # Horizontal axes: forward and left made square to u, not to each other; they differ by the product
    # of two small tilts.
    f = (along(acc, forward) - lean_forward * vertical) / _cosine(lean_forward)
    s = (along(acc, left) - lean_left * vertical) / _cosine(lean_left)
    return PelvisSignals(first, vertical, f, s, raw[:, 9])


@dataclass(frozen=True, slots=True)
class _Peak:
    """A possible contact.  index: its grid sample; height, rise: of the loading rate, from 0 and from the
    fall before it."""

    index: int
    t_s: float
    height_m_s3: float
    rise_m_s3: float


@dataclass(slots=True)
class PelvisContacts:
    """Finds both feet's initial contacts in one gait sequence, each committed once.  Stateful.

    A contact is committed once 0.6 s after it are known, those of the first 4 s together.
    sided: False where it is not known which way is forward (pelvis_axis.GUESS): no side is told.
    """

    start: int
    params: PelvisContactParams = field(default_factory=PelvisContactParams)
    sided: bool = True
    _next: int = -1  # first index not yet looked at
    _begun: bool = False  # the first seconds are settled
    _peaks: list[_Peak] = field(default_factory=list)  # not yet settled
    _levels: list[float] = field(default_factory=list)
    _latest: list[int] = field(default_factory=list)  # contacts, two
    _steps: list[int] = field(default_factory=list)  # recent step times
    _waiting: list[_Peak] = field(default_factory=list)  # contacts whose side is not known yet
    _sides: SideChain = field(default_factory=SideChain)

    def __post_init__(self) -> None:
        self._sides = SideChain(self.params.sides)

    def needs_from(self) -> int:
        """Oldest grid index that a later call may look at."""
        p = self.params
        unseen = max(self._next, self.start)
        oldest = min((r.index for r in (*self._peaks, *self._waiting)), default=unseen)
        return min(unseen - p.fall - p.kernel_half, oldest - p.sides.half)

    def complete_until(self, upto: int) -> int:
        """No contact before this grid index will be added by later calls."""
        oldest = min((r.index for r in (*self._peaks, *self._waiting)), default=upto)
        return min(max(self._next, self.start), oldest, upto) - 1  # a parabola's top is beside its sample

    def advance(self, signals: PelvisSignals, upto: int, period_s: float, *, final: bool) -> list[Contact]:  # noqa: ARG002  (LimbContacts' interface; the pelvis shows its own step time)
        """Contacts before grid index ``upto`` that the samples complete, in order of time.

        signals: from needs_from() on.  Those at ``upto`` and later are looked at only when final, as
        surroundings of the last contacts; what is missing there is taken as constant.
        final: nothing more will come; what waits is settled with what there is.
        """
        p = self.params
        known = upto + p.sides.half + 1 if final else upto
        s = _cut(signals, self.needs_from(), upto, known)
        self._peaks += self._new_peaks(s, min(upto, known - p.kernel_half - 1))
        landings: list[Landing] = []
        sides: list[Side | None] = []
        if not self._begun:
            if not final and known <= self.start + p.seed + p.sides.half:
                return []
            landings = [self._landing(s, r) for r in self._begin()]
            sides = self._sides.first(landings)
        self._waiting += self._settle(math.inf if final else self._next - p.neighbourhood)
        ready = [r for r in self._waiting if r.index + p.sides.half < known]
        self._waiting = self._waiting[len(ready) :]
        later = [self._landing(s, r) for r in ready]
        sides += [self._sides.next(one) for one in later]
        return [
            Contact(ContactKind.IC, side if self.sided else None, one.t_s)
            for one, side in zip([*landings, *later], sides, strict=True)
        ]

    def _new_peaks(self, s: PelvisSignals, until: int) -> list[_Peak]:
        """Local maxima of the loading rate from the first index not yet looked at."""
        p, begin = self.params, max(self._next, self.start)
        if until <= begin:
            return []
        self._next = until
        a = begin - p.fall  # index of the first loading rate that is looked at; the last one is until
        cut = slice(a - p.kernel_half - s.first, until + 1 + p.kernel_half - s.first)
        jolt = s.vertical_m_s2[cut] - s.forward_m_s2[cut]
        kernel = slope_kernel(p.loading_s, p.kernel_half, RATE_HZ)
        rate = correlate1d(jolt, kernel)[p.kernel_half : -p.kernel_half]
        now, before, after = (rate[p.fall + d : p.fall + d + until - begin] for d in (0, -1, 1))
        out: list[_Peak] = []
        for j in np.flatnonzero((now > before) & (now >= after) & (now > 0)) + p.fall:  # NaN: False
            rise = float(rate[j] - rate[j - p.fall : j].min())
            if rise >= p.min_rise_m_s3:  # not where it is NaN
                # Of three numbers, so that it rounds the same wherever the array begins.
                top, height = parabolic_top(rate[j - 1 : j + 2], 1)
                out.append(_Peak(int(a + j), (int(a + j) + (top - 1.0)) / RATE_HZ, height, rise))
        return out

    def _begin(self) -> list[_Peak]:
        """The contacts of the first seconds.  What they rise to is the level that others are held to:
        the median of those at least half as high as the highest, so that fidgets before walking do
        not count."""
        self._begun = True
        end = self.start + self.params.seed
        first = [r for r in self._peaks if r.index < end]
        if first:
            highest = max(r.rise_m_s3 for r in first)
            self._levels = [median(r.rise_m_s3 for r in first if r.rise_m_s3 >= 0.5 * highest)]
        contacts = self._settle(end)
        return [*self._soft_start(first, contacts), *contacts]

    def _soft_start(self, rises: list[_Peak], contacts: list[_Peak]) -> list[_Peak]:
        """The steps that set the body in motion, softer than the first contact found but in time."""
        p, out = self.params, list[_Peak]()
        if len(contacts) < 2:
            return out
        earliest, usual = contacts[0].index, median(self._steps)
        for r in reversed([r for r in rises if r.index < earliest]):
            step = earliest - r.index
            if p.due * usual <= step <= p.late * usual and (
                r.rise_m_s3 >= p.due_share * median(self._levels)
            ):
                out.insert(0, r)
                earliest = r.index
        return out

    def _settle(self, until: float) -> list[_Peak]:
        """The contacts among the peaks before grid index ``until``: far enough from the one before, as
        high as recent ones, and the right one of several."""
        p, out = self.params, list[_Peak]()
        while self._peaks and self._peaks[0].index < until:
            peak = self._peaks.pop(0)
            step = peak.index - self._latest[-1] if self._latest else None
            usual = median(self._steps) if self._steps else p.neighbourhood
            if step is not None and step < p.neighbourhood:
                continue
            share = self._share_needed(None if step is None else step / usual)
            if self._levels and peak.rise_m_s3 < share * median(self._levels):
                continue
            if self._another_is_right(peak):
                continue
            self._levels = [*self._levels[1 - p.level_of :], peak.rise_m_s3]
            if step is not None:
                self._steps = [*self._steps[1 - p.level_of :], step]
            self._latest = [*self._latest[-1:], peak.index]
            out.append(peak)
        return out

    def _share_needed(self, steps_since: float | None) -> float:
        p = self.params
        if steps_since is not None and steps_since >= p.due:
            return p.due_share
        return p.early_share if steps_since is None or steps_since >= p.too_soon else p.too_soon_share

    def _another_is_right(self, peak: _Peak) -> bool:
        """Whether a later peak is much higher, or alike and nearer to where the stride, as long as recent
        ones, would end."""
        p = self.params
        rivals = [r for r in self._peaks if r.index < peak.index + p.neighbourhood]
        highest = max((r.height_m_s3 for r in rivals), default=0.0)
        if peak.height_m_s3 < p.alike * highest:
            return True
        strides = [a + b for a, b in pairwise(self._steps)]
        if not strides:
            return peak.height_m_s3 < highest
        due = self._latest[0] + median(strides)
        alike = [r for r in rivals if r.height_m_s3 >= p.alike * peak.height_m_s3]
        return any(abs(r.index - due) < abs(peak.index - due) for r in alike)

    def _landing(self, s: PelvisSignals, r: _Peak) -> Landing:
        i, half = r.index - s.first, self.params.sides.half
        window = slice(i - half, i + half + 1)
        return landing(r.t_s, s.left_m_s2[window], s.yaw_rate_rad_s[window], self.params.sides)


def _dot(a: Floats, b: Floats) -> Floats:
    """Row by row, written out for the reason that alignment.along gives."""
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])


def _cosine(sine: Floats) -> Floats:
    """Of a lean of the trunk; nobody walks lying down, where the horizontal axes end."""
    return np.asarray(np.sqrt(np.maximum(1.0 - sine * sine, 0.01)))


def _cut(s: PelvisSignals, begin: int, upto: int, known: int) -> PelvisSignals:
    """The signals of grid indices [begin, known): what was not given is NaN before ``upto``, and the
    last value before it from there on."""
    columns = (s.vertical_m_s2, s.forward_m_s2, s.left_m_s2, s.yaw_rate_rad_s)
    return PelvisSignals(begin, *(_column(c, s.first, begin, upto, known) for c in columns))


def _column(x: Floats, first: int, begin: int, upto: int, known: int) -> Floats:
    out = np.full(known - begin, np.nan)
    low, high = max(begin, first), min(known, first + len(x))
    if high > low:
        out[low - begin : high - begin] = x[low - first : high - first]
    if known > upto:
        beyond = out[upto - begin :]
        missing = np.flatnonzero(np.isnan(beyond))
        if len(missing):
            beyond[missing[0] :] = out[upto - begin + missing[0] - 1]
    return out
