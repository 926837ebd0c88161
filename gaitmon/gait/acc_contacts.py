"""Initial contacts of one leg from an accelerometer alone, on that thigh or in that side's pocket.

Nothing is known of how the sensor sits, and there is no angular rate to anchor a stride on.

- *Anchor.*  Both legs shake the sensor alike at every step; what the own leg does otherwise repeats once
  a stride and is opposite half a stride later: the odd harmonics.  Their mean shape over the last strides,
  on all three axes, is sought again in the signal (a matched filter): one top a stride, none for the
  other leg.
- *Phase.*  At the frequency of the stride, the specific force of a thigh along gravity is least around
  the own initial contact and largest half a stride later, in single support: within a sixteenth of a
  stride in recorded and in normative walking at 0.5 to 1.7 m/s.  That is where the anchor is put.
- *Contact.*  There the landing pushes the thigh forward: the highest peak of its forward acceleration
  below 9 Hz within a fifth of a stride (Zijlstra 2003 uses the pelvis' likewise).  Forward is the
  horizontal direction of that very push, so no axis and no sign has to be guessed.

There is no final contact: nothing in an accelerometer on the thigh marks it well.  The other leg is heard
but weakly: steps are counted as twice the own strides.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import correlate1d

from gaitmon.gait.peaks import parabolic_top
from gaitmon.imu.alignment import along
from gaitmon.model import Contact, ContactKind, Floats, Side

_DECIMATE = 4  # the anchor is sought at 25 Hz
_LONGEST = 220  # grid samples of the longest stride
_WORTH_A_LOOK = 100  # grid samples: less than a stride at a time costs more than it tells
_MARGIN = 330  # hood, kernel and decimation of the longest stride


@dataclass(frozen=True, slots=True)
class AccContactParams:
    """Lengths in grid samples of 10 ms, shares of the stride period."""

    learn: int = 600  # the axes are found anew every 6 s
    learn_from: int = 1200  # from the last 12 s
    hood: float = 0.35  # an anchor is the highest within this on either side
    height: float = 0.3  # an anchor's, of the median one's, above the mean
    push_before: float = 0.15  # where the forward push is looked at, around the anchor
    push_after: float = 0.20
    reach: float = 0.2  # the contact is at most this far from its anchor


@dataclass(frozen=True, slots=True, eq=False)
class AccSignals:
    """One sensor on the 100 Hz grid; row i is grid index first + i, NaN where samples are missing.

    acc_m_s2: shape (n, 3), sensor frame, low-passed 9 Hz (SensorChain.smooth).
    """

    first: int
    acc_m_s2: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Stride:
    """What the own leg's strides look like from this sensor.

    mean: specific force, shape (3,), m/s²; forward: unit, sensor frame; period: grid samples; shape: odd
    harmonics of the stride around its anchor, at 25 Hz, shape (3, taps); least: how well an anchor fits.
    """

    mean: Floats
    forward: Floats
    period: int
    shape: Floats
    least: float

    @property
    def half(self) -> int:
        """Grid samples that the shape needs on either side."""
        return int(self.shape.shape[1]) // 2 * _DECIMATE


@dataclass(slots=True)
class AccLimbContacts:
    """Finds the own leg's initial contacts in one gait sequence, each committed once.  Stateful.

    Drop-in for gait.contacts.LimbContacts: same methods, other signals.  side: None where it is unknown.
    A sequence is worked through in blocks of ``learn`` samples, each with its own axes; which these are
    depends on the samples alone, not on when it is called.
    """

    side: Side | None
    start: int
    params: AccContactParams = field(default_factory=AccContactParams)
    _block: int = 0  # number of the block in work
    _own: _Stride | None = None  # of that block; of the one before until it is learned
    _learned: bool = False
    _judged: int = 0  # grid samples after start that were looked at for anchors
    _last: int | None = None  # grid index of the last anchor

    def needs_from(self) -> int:
        """Oldest grid index that a later call may look at."""
        learn = self.start if self._block < 3 else self.start + (self._block - 2) * self.params.learn
        return min(self.start + self._judged, learn) - _MARGIN

    def complete_until(self, upto: int) -> int:
        """No contact before this grid index will be added by later calls."""
        reach = round(self.params.reach * (_LONGEST if self._own is None else self._own.period))
        return min(upto, self.start + self._judged - reach - 1)

    def advance(self, signals: AccSignals, upto: int, period_s: float, *, final: bool) -> list[Contact]:
        """Contacts that the samples before grid index ``upto`` complete, in order of time.

        period_s: the sequence's stride period.  final: nothing more will come.
        """
        out: list[Contact] = []
        while self._ready(signals, upto, period_s, final=final):
            end = self.start + (self._block + 1) * self.params.learn
            if self._own is not None:
                margin = 0 if final else round(self.params.hood * self._own.period) + self._own.half
                until = min(end, upto - margin)
                if until < end and until - self.start - self._judged < _WORTH_A_LOOK and not final:
                    break
                out += self._contacts(signals, self._own, until, upto)
            else:
                until = min(end, upto)  # nothing could be learned here
            self._judged = max(self._judged, until - self.start)
            if until < end:
                break
            self._block, self._learned = self._block + 1, False
        return out

    def _ready(self, s: AccSignals, upto: int, period_s: float, *, final: bool) -> bool:
        """Learn the block's axes if their samples are there.  The first block's are its own."""
        if self._learned:
            return True
        if self._block == 1 and self._own is not None:  # the same stretch again
            self._learned = True
            return True
        at = self.start + max(self._block, 1) * self.params.learn
        if upto < at and not final:
            return False
        a = max(self.start, at - self.params.learn_from)
        rows = s.acc_m_s2[a - s.first : min(at, upto) - s.first]
        self._own = _learn(rows, period_s, self._own, self.params) or self._own
        self._learned = True
        return True

    def _contacts(self, s: AccSignals, own: _Stride, until: int, upto: int) -> list[Contact]:
        """Contacts of the anchors from where it was left up to grid index ``until``."""
        a, hood = self.start + self._judged, round(self.params.hood * own.period)
        if until <= a:
            return []
        first = (a - hood - own.half) // _DECIMATE * _DECIMATE
        x = s.acc_m_s2[first - s.first : min(until + hood + own.half, upto) - s.first]
        x = x[::_DECIMATE] - own.mean
        fit = _fit(np.where(np.isfinite(x), x, 0.0), own.shape)
        out: list[Contact] = []
        for i in _tops(fit, hood // _DECIMATE, own.least):
            p = first + i * _DECIMATE
            if not a <= p < until or (self._last is not None and p - self._last < 0.55 * own.period):
                continue
            self._last = p
            if (t_s := self._push_s(s, own, p, upto)) is not None:
                out.append(Contact(ContactKind.IC, self.side, t_s))
        return out

    def _push_s(self, s: AccSignals, own: _Stride, anchor: int, upto: int) -> float | None:
        """The highest forward push near the anchor, between two samples."""
        reach = round(self.params.reach * own.period)
        a = anchor - reach
        forward = along(s.acc_m_s2[a - s.first : min(anchor + reach + 1, upto) - s.first], own.forward)
        if len(forward) < reach or np.isnan(forward).any():
            return None
        return (a + parabolic_top(forward, int(np.argmax(forward)))[0]) / 100.0


def _learn(acc_m_s2: Floats, period_s: float, before: _Stride | None, p: AccContactParams) -> _Stride | None:
    """The own leg's stride in a stretch of walking, None if it is too short.  before: what it looked like
    until now, so that it stays the same leg."""
    rows = acc_m_s2[np.isfinite(acc_m_s2).all(axis=1)]
    period = round(100.0 * period_s) if before is None else before.period
    if len(rows) < 1.2 * period:
        return None
    mean = np.round(rows.mean(axis=0), 9)
    up = mean / np.linalg.norm(mean)
    x = rows[::_DECIMATE] - mean
    taps = period // (2 * _DECIMATE) * 2 + 1
    hood = round(p.hood * period) // _DECIMATE
    if before is not None:
        starts = [_fit(x, before.shape)]
    else:
        slow = _stride_frequency(x, taps)
        axis = np.round(np.linalg.eigh(slow.T @ slow)[1][:, 2], 9)
        starts = [along(slow, axis), -along(slow, up)]
    shapes = [_settled(x, _tops(start, hood, 0.0), taps, hood) for start in starts]
    shape = max(shapes, key=lambda each: float((each * each).sum()))
    late = _falls_at(along(shape.T, up))
    if before is None or abs(late) * _DECIMATE < p.reach * period:
        tops = [i + late for i in _tops(_fit(x, shape), hood, 0.0)]
        shape = _shape(x, tops, taps)
    shape = np.round(shape, 9)
    fit = _fit(x, shape)
    tops = _tops(fit, hood, 0.0)
    if not tops:
        return None
    least = round(p.height * float(np.median(fit[tops])), 9)
    return _Stride(mean, _forward(x, up, tops, period, p), period, shape, least)


def _settled(x: Floats, tops: list[int], taps: int, hood: int) -> Floats:
    """The shape that finds itself again, starting from these anchors."""
    shape = _shape(x, tops, taps)
    for _ in range(3):
        shape = _shape(x, _tops(_fit(x, shape), hood, 0.0), taps)
    return shape


def _stride_frequency(x: Floats, taps: int) -> Floats:
    """What of x, shape (n, 3), is at the frequency of the stride."""
    k = np.arange(-taps, taps + 1)
    kernel = np.hanning(2 * taps + 1) * np.cos(2.0 * np.pi * k / taps)  # two strides: no other harmonic
    kernel -= kernel.mean()
    return np.column_stack([correlate1d(c, kernel, mode="nearest") for c in x.T])


def _shape(x: Floats, tops: list[int], taps: int) -> Floats:
    """Odd harmonics of the mean stride around these samples of x: shape (3, taps)."""
    half = taps // 2
    strides = [x[i - half : i + half + 1] for i in tops if half <= i < len(x) - half]
    if not strides:
        return np.zeros((3, taps))
    whole = np.mean(strides, axis=0).T
    spectrum = np.fft.rfft(whole, axis=1)
    kept = np.zeros_like(spectrum)
    kept[:, 1] = spectrum[:, 1]
    return np.asarray(np.fft.irfft(kept, taps, axis=1))


def _fit(x: Floats, shape: Floats) -> Floats:
    """How much of the shape is in x around each of its samples."""
    # Each output is a sum over the taps in a fixed order, whatever the length of the call.
    fits = [correlate1d(c, own, mode="nearest") for c, own in zip(x.T, shape, strict=True)]
    return np.asarray(fits[0] + fits[1] + fits[2])


def _falls_at(vertical: Floats) -> int:
    """Where in this stride, from its middle, the fundamental of the vertical is least."""
    n = len(vertical)
    turns = 2.0 * np.pi * (np.arange(n) - n // 2) / n
    phase = np.arctan2((vertical * np.sin(turns)).sum(), (vertical * np.cos(turns)).sum())
    lowest = (phase + np.pi + np.pi) % (2.0 * np.pi) - np.pi
    return round(float(lowest) / (2.0 * np.pi) * n)


def _forward(x: Floats, up: Floats, tops: list[int], period: int, p: AccContactParams) -> Floats:
    """Horizontal axis along which x moves most around the anchors, in the direction that comes first: the
    landing pushes the thigh forward, then it is thrown back."""
    before, after = round(p.push_before * period) // _DECIMATE, round(p.push_after * period) // _DECIMATE
    inside = [i for i in tops if before <= i < len(x) - after] or [len(x) // 2]
    near = np.array([x[i - before : i + after + 1] for i in inside])
    mean = near.mean(axis=0)
    flat = near.reshape(-1, 3)
    flat = flat - along(flat, up)[:, np.newaxis] * up
    axis = np.linalg.eigh(flat.T @ flat)[1][:, 2]
    push = along(mean, axis)
    return np.asarray(np.round(axis if push.argmax() < push.argmin() else -axis, 9))


def _tops(x: Floats, hood: int, least: float) -> list[int]:
    """Where x is the highest within ``hood`` on either side (as far as it goes), and above ``least``."""
    local = np.flatnonzero((x[1:-1] > x[:-2]) & (x[1:-1] >= x[2:]) & (x[1:-1] > least)) + 1
    return [int(i) for i in local if x[i] >= x[max(i - hood, 0) : i + hood + 1].max()]
