"""Whether the clocks of a recording's sensors agree, and what is to be done where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.signal import correlate

from gaitmon.model import Floats, Placement, SyncBound
from gaitmon.sensors.clock_check import ClockFault
from gaitmon.sensors.inspection_pass import BIN_S, Seen

LAG_BINS = 300
LAG_WINDOW_BINS = 36_000
WITHHELD = (
    "left and right cannot be compared in time, and what does so is withheld. "
    "Synchronise the sensors and record again."
)


@dataclass(frozen=True, slots=True)
class Clocks:
    """text: what is wrong with them, "" while nothing is.  apart_s: of the thighs, None if not concerned.
    left_out: a sensor that cannot be used for it.  placement: the one that is off, where known."""

    text: str = ""
    apart_s: float | None = None
    left_out: Placement | None = None
    placement: Placement | None = None

    def bound(self, at_s: float) -> SyncBound | None:
        return None if self.apart_s is None else SyncBound(at_s, self.apart_s)

    def __bool__(self) -> bool:
        return self.text != ""


def told(fault: ClockFault | None) -> Clocks:
    if fault is None:
        return Clocks()
    if fault.pelvis_s is not None:
        text = f"its clock seems to be {abs(fault.pelvis_s):.2f} s from that of both thighs"
        return Clocks(text, left_out=Placement.PELVIS)
    how = "drift apart, by up to" if fault.drifts else "be apart by"
    return Clocks(
        f"The clocks of left_thigh and right_thigh seem to {how} {fault.apart_s:.2f} s: {WITHHELD}",
        fault.apart_s,
    )


def late_clocks(alive: Sequence[Seen]) -> Clocks:
    """Sensors on one body start and stop moving together; one that does so later has another clock.

    Finds seconds, not milliseconds: starts and stops must be in the recording.
    """
    motion = {s.placement: _envelope(s, alive) for s in alive}
    lags = {
        (a, b): lag_s
        for a, b in combinations(motion, 2)
        if (lag_s := _lag_s(motion[a], motion[b])) is not None
    }
    if not lags:
        return Clocks()
    everywhere = [p for p in motion if all(p in pair for pair in lags)] if len(lags) > 1 else []
    (a, b), lag_s = max(lags.items(), key=lambda item: abs(item[1]))
    if everywhere == [Placement.PELVIS]:
        text = f"its clock seems to be {abs(lag_s):.1f} s from that of the other sensors"
        return Clocks(text, left_out=Placement.PELVIS)
    return Clocks(
        f"The clocks of {a} and {b} seem to be {abs(lag_s):.1f} s apart"
        f"{f' ({everywhere[0]} differs from the others too)' if everywhere else ''}: {WITHHELD}",
        abs(lag_s),
        placement=everywhere[0] if everywhere else None,
    )


def _envelope(s: Seen, alive: Sequence[Seen]) -> Floats:
    """Logarithm of the mean motion in each bin, smoothed over 1 s; NaN where nothing was measured.

    Bin 0 is where the sensors have their first time in common; at most the first hour.
    """
    first = np.floor(max(x.start_s for x in alive) / BIN_S)
    last = np.floor(min(x.end_s for x in alive) / BIN_S)
    n = int(min(max(last - first, 0.0), LAG_WINDOW_BINS))
    bins = np.concatenate([b for b, _ in s.motion]) - first
    effort = np.concatenate([e for _, e in s.motion])
    inside = (bins >= 0) & (bins < n)
    where = bins[inside].astype(np.int64)
    total = np.bincount(where, effort[inside], minlength=n)
    count = np.bincount(where, minlength=n)
    with np.errstate(invalid="ignore"):
        level: Floats = np.log(total / count + 0.1)
    if n < 10:
        return level
    return np.convolve(level, np.full(10, 0.1), mode="same")


def _lag_s(a: Floats, b: Floats) -> float | None:
    """How much later b moves than a, where that is beyond doubt and at least 0.5 s; else None."""
    n = len(a)
    reach = min(LAG_BINS, n // 3)
    if reach < 10:
        return None
    alike = _correlations(a, b, reach)
    best = int(np.argmax(alike))
    lag_s = (best - reach) * BIN_S
    gain = alike[best] - alike[reach]
    # Both thighs move so much alike, 0.98 and more, that little is to be gained even from half a second.
    much = gain > 0.05 or (alike[best] > 0.97 and gain > 0.008 and abs(lag_s) <= 1.0)
    clear = alike[best] > 0.7 and much and gain > 0.5 * (1.0 - alike[reach])
    return lag_s if clear and abs(lag_s) >= 0.5 else None


def _correlations(a: Floats, b: Floats, reach: int) -> Floats:
    """Of a[i] and b[i + lag] where both are known, lags -reach to reach; 0 where either does not change."""
    known_a, known_b = np.isfinite(a), np.isfinite(b)
    x, y = (
        np.where(known, v - v[known].mean(), 0.0) if known.any() else np.zeros(len(v))
        for v, known in ((a, known_a), (b, known_b))
    )
    ones_a, ones_b = known_a.astype(np.float64), known_b.astype(np.float64)

    def sums(u: Floats, v: Floats) -> Floats:
        return np.asarray(correlate(v, u, mode="full", method="fft")[len(u) - 1 - reach : len(u) + reach])

    n = np.maximum(np.round(sums(ones_a, ones_b)), 1.0)
    sum_x, sum_y = sums(x, ones_b), sums(ones_a, y)
    power = (sums(x * x, ones_b) - sum_x**2 / n) * (sums(ones_a, y * y) - sum_y**2 / n)
    scale = np.sqrt(np.maximum(power, 0.0))
    useful = (n >= 50) & (scale > 1e-6)
    return np.asarray(np.where(useful, (sums(x, y) - sum_x * sum_y / n) / np.where(useful, scale, 1.0), 0.0))
