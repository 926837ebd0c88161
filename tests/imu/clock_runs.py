"""A sensor clock run over a simulated link in pushes of 1 s, and what a pair of them gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaitmon.imu.clock import ClockParams, ClockRestart, SensorClock, Timed
from gaitmon.imu.clock_quality import P95, ClockQuality, pair_uncertainty_s
from gaitmon.imu.device_clock import Ticks
from gaitmon.model import Floats
from tests.imu.ble_link import Link, Sent, send


def ticks_of(sent: Sent) -> Ticks:
    """Its stamps as u32 microseconds."""
    micros: Ticks = np.round(sent.device_s * 1e6).astype(np.uint64) % np.uint64(2**32)
    return micros


def concat(out: Sequence[Timed | ClockRestart]) -> list[Timed]:
    """One Timed per segment."""
    parts: list[list[Timed]] = [[]]
    for item in out:
        if isinstance(item, Timed):
            parts[-1].append(item)
        else:
            parts.append([])
    return [
        Timed(np.concatenate([p.t_s for p in part]), np.concatenate([p.rows for p in part]))
        for part in parts
        if part
    ]


@dataclass(frozen=True)
class Run:
    """t_s: (n,) common time of every packet; qualities: after each push, with the host time of its end."""

    t_s: Floats
    pushed_s: Floats
    qualities: list[ClockQuality | None]

    def quality(self, at_s: float) -> ClockQuality | None:
        """What was known at host time at_s."""
        i = int(np.searchsorted(self.pushed_s, at_s, side="right")) - 1
        return self.qualities[i] if i >= 0 else None

    def bound_s(self, packet: int) -> float:
        at = float(self.t_s[packet])
        quality = self.quality(at)
        return float("inf") if quality is None else P95 * quality.standard_s(at) + abs(quality.lag_at_s(at))


def run(sent: Sent, params: ClockParams) -> Run:
    clock = SensorClock(params)
    ends = np.arange(sent.arrival_s[0], sent.arrival_s[-1] + 1.0, 1.0) + 1.0
    cuts = np.searchsorted(sent.arrival_s, ends)
    ticks, rows = ticks_of(sent), np.zeros((len(sent.true_s), 1))
    out: list[Timed | ClockRestart] = []
    qualities: list[ClockQuality | None] = []
    start = 0
    for stop in cuts.tolist():
        if stop > start:
            out += clock.push(ticks[start:stop], sent.arrival_s[start:stop], rows[start:stop])
        qualities.append(clock.quality)
        start = stop
    (part,) = concat(out + clock.flush())
    return Run(part.t_s, ends, qualities)


@dataclass(frozen=True)
class PairErrors:
    """On a grid of common time at_s: error of the difference of two sensors' times, its bound, and what the
    device clocks alone give, each set by its first arrival."""

    at_s: Floats
    error_s: Floats
    bound_s: Floats
    uncorrected_s: Floats
    links: tuple[Sent, Sent]


def pair_errors(
    link: Link, duration_s: float, seed: int, ppm: tuple[float, float] | None = None
) -> PairErrors:
    rng = np.random.default_rng(1000 + seed)
    skews = ppm or (float(rng.uniform(-50.0, 50.0)), float(rng.uniform(-50.0, 50.0)))
    sent = [send(replace(link, ppm=p), duration_s, 2 * seed + k) for k, p in enumerate(skews)]
    runs = [run(s, ClockParams.stamped(32, 1e-6, 1.0 / link.rate_hz)) for s in sent]
    at = np.arange(3.0, duration_s - 3.0, 1.0)
    error = [np.interp(at, s.true_s, r.t_s - s.true_s) for s, r in zip(sent, runs, strict=True)]
    plain = [np.interp(at, s.true_s, s.arrival_s[0] - s.device_s[0] + s.device_s - s.true_s) for s in sent]
    bound = [pair_uncertainty_s(runs[0].quality(t), runs[1].quality(t), t) for t in at.tolist()]
    return PairErrors(at, error[0] - error[1], np.array(bound), plain[0] - plain[1], (sent[0], sent[1]))
