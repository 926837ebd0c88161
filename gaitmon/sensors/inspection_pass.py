"""One pass over one sensor's samples: what gaitmon.sensors.inspection judges."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from gaitmon.model import Bools, Floats, ImuBlock, Placement
from gaitmon.sensors.recording import SampleStream

BIN_S = 0.1
FROZEN_S = 5.0  # the very same values for as long as this; 2.6 s of them are in HAR70+, of someone who sat
FAR_M_S2 = 60.0  # three equal values are an accident near gravity, and a code for "none" from here on
BUNCH_S, BUNCH = 0.5, 100  # steps of a recording that tell whether its time stamps come in bunches
OVERFLOW = 1.6  # of the largest value: a jump by more, from one end of the scale to the other


@dataclass(slots=True, eq=False)
class Seen:
    """n, good: samples, and those that are measurements.  low, high: (6,) or (3,) extremes of each channel,
    acc then gyr.  at_limit, overflows: how many samples of each channel are part of a plateau at its greatest
    magnitude, or a jump across it.  moving, held: samples in motion, and those that repeat the one before.
    impossible: samples with codes for values.  frozen: stretches [start, end) of the very same values.
    motion: bins of BIN_S, and the effort of each sample.  same_as: digest of the acceleration.
    bunched: most time stamps follow the one before at once.
    """

    placement: Placement
    n: int = 0
    good: int = 0
    start_s: float = np.nan
    end_s: float = np.nan
    gap_s: float = 0.0
    gap_at_s: float = 0.0
    acc_sum: float = 0.0
    rate_hz: float = np.nan
    bunched: bool = False
    low: Floats = field(default_factory=lambda: np.empty(0))
    high: Floats = field(default_factory=lambda: np.empty(0))
    at_limit: Floats = field(default_factory=lambda: np.empty(0))
    overflows: Floats = field(default_factory=lambda: np.empty(0))
    moving: int = 0
    held: int = 0
    impossible: int = 0
    frozen: list[tuple[float, float]] = field(default_factory=list)
    motion: list[tuple[Floats, Floats]] = field(default_factory=list)
    same_as: bytes = b""
    _last: Floats | None = None
    _since_s: float = np.nan  # when the last value was first seen
    _last_s: float = np.nan

    @property
    def limit(self) -> Floats:
        return np.maximum(-self.low, self.high)

    def forget_frozen(self) -> None:
        """Take the frozen stretches out of the motion: they are none of the wearer's."""
        for start_s, end_s in self.frozen:
            kept = [(bins < np.floor(start_s / BIN_S)) | (bins * BIN_S >= end_s) for bins, _ in self.motion]
            self.motion = [(b[k], effort[k]) for (b, effort), k in zip(self.motion, kept, strict=True)]


def look(stream: SampleStream) -> Seen:
    s = Seen(stream.placement, rate_hz=stream.rate_hz)
    digest = hashlib.sha256()
    for block in stream.chunks():
        if len(block):
            digest.update(block.acc_m_s2.tobytes())
            _take(s, block)
    _thaw(s)
    s.same_as = digest.digest()
    return s


def impossible(acc_m_s2: Floats) -> Bools:
    """(n,): three zeros, or three equal values at the end of a scale, as converters write for "nothing"."""
    first = acc_m_s2[:, 0]
    equal = (acc_m_s2[:, 1] == first) & (acc_m_s2[:, 2] == first)
    return np.asarray(equal & ((first == 0.0) | (np.abs(first) > FAR_M_S2)))


def cleaned(stream: SampleStream, seen: Seen, *, gyroscope: bool) -> SampleStream:
    """The stream with NaN for what is no measurement, and without its gyroscope if that is not to be used."""
    if not seen.impossible and not seen.frozen and gyroscope:
        return stream

    def chunks() -> Iterator[ImuBlock]:
        for block in stream.chunks():
            bad = impossible(block.acc_m_s2)
            for start_s, end_s in seen.frozen:
                bad |= (block.t_s >= start_s) & (block.t_s < end_s)
            acc = np.where(bad[:, np.newaxis], np.nan, block.acc_m_s2)
            yield ImuBlock(block.placement, block.t_s, acc, block.gyr_rad_s if gyroscope else None)

    return replace(stream, chunks=chunks, has_gyroscope=stream.has_gyroscope and gyroscope)


def _take(s: Seen, block: ImuBlock) -> None:
    t = block.t_s if s.n == 0 else np.concatenate([[s.end_s], block.t_s])
    steps = np.diff(t)
    if len(steps) and steps.max() > s.gap_s:
        s.gap_s, s.gap_at_s = float(steps.max()), float(t[int(steps.argmax())])
    if s.n == 0:
        s.start_s, s.bunched = float(block.t_s[0]), _bunched(steps)
    s.end_s = float(block.t_s[-1])
    s.n += len(block)
    x = block.acc_m_s2 if block.gyr_rad_s is None else np.hstack([block.acc_m_s2, block.gyr_rad_s])
    code = impossible(block.acc_m_s2)
    s.impossible += int(code.sum())
    good = np.isfinite(x).all(axis=1) & ~code
    if not good.any():
        return
    x, t_good = x[good], block.t_s[good]
    norm = np.linalg.norm(x[:, :3], axis=1)
    s.good += len(x)
    s.acc_sum += float(norm.sum())
    effort = np.abs(norm - 9.81) if x.shape[1] == 3 else np.linalg.norm(x[:, 3:], axis=1)
    s.motion.append((np.floor(t_good / BIN_S), effort))
    _repeats(s, t_good, x, effort)
    _extremes(s, x)


def _bunched(steps_s: Floats) -> bool:
    """Whether more than half of the steps, holes aside, are below a quarter of their mean."""
    near = steps_s[steps_s < BUNCH_S]
    return len(near) >= BUNCH and bool(np.mean(near < 0.25 * near.mean()) > 0.5)


def _extremes(s: Seen, x: Floats) -> None:
    if len(s.low) == 0:
        s.low, s.high = x[0], x[0]
        s.at_limit, s.overflows = np.zeros((2, x.shape[1]))
    before = s.limit
    s.low, s.high = np.minimum(s.low, x.min(axis=0)), np.maximum(s.high, x.max(axis=0))
    s.at_limit = np.where(s.limit > before, 0.0, s.at_limit)
    s.overflows = np.where(s.limit > 1.1 * before, 0.0, s.overflows)
    at = np.abs(x) >= s.limit
    s.at_limit += (at[:-2] & at[1:-1] & at[2:]).sum(axis=0)
    s.overflows += (np.abs(np.diff(x, axis=0)) > OVERFLOW * s.limit).sum(axis=0)


def _repeats(s: Seen, t_s: Floats, x: Floats, effort: Floats) -> None:
    """Samples that repeat the one before, across blocks."""
    before = x[:1] if s._last is None else s._last
    same = np.empty(len(x), dtype=np.bool_)
    same[0] = s._last is not None and bool((x[0] == before).all())
    same[1:] = (x[1:] == x[:-1]).all(axis=1)
    moving = effort > 0.5
    s.moving += int(moving.sum())
    s.held += int((same & moving).sum())
    changes = np.flatnonzero(~same)
    if len(changes):
        first = int(changes[0])
        s._last_s = float(t_s[first - 1]) if first else s._last_s
        _thaw(s)
        ends = t_s[changes[1:] - 1]
        long = ends - t_s[changes[:-1]] >= FROZEN_S
        s.frozen += zip(t_s[changes[:-1]][long].tolist(), t_s[changes[1:]][long].tolist(), strict=True)
        s._since_s = float(t_s[changes[-1]])
    s._last, s._last_s = x[-1].copy(), float(t_s[-1])


def _thaw(s: Seen) -> None:
    """The values change, or the stream ends."""
    if s._last_s - s._since_s >= FROZEN_S:
        s.frozen.append((s._since_s, float(np.nextafter(s._last_s, np.inf))))
