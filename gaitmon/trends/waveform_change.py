"""A day's mean waveforms against the wearer's own of the baseline, at the same speed.

Curves change with speed, so each bout is compared with the baseline's mean curve of its speed band; what is
left is the difference that the wearer would see at any one speed.  Curves are taken about their own means:
a sensor that was put on anew shifts the whole curve.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from math import sqrt
from typing import Protocol

import numpy as np

from gaitmon.model import Angle, Floats, Side, Waveform
from gaitmon.symmetry.cycle import POINTS
from gaitmon.trends import days
from gaitmon.trends.days import DayParams, DayValue, local_day

STRATUM = "straight"
SPEED_BAND_M_S = 0.2
MIN_BASELINE_STRIDES = 100  # of each side in a speed band
MIN_BOUTS_SCATTER = DayParams().min_bouts_scatter
ENOUGH_STRIDES = DayParams().min_strides
# Daily metrics, and the mean curves that each is made of.
PARTS: dict[str, tuple[tuple[Angle, Side], ...]] = {
    "left_thigh_flexion_deviation_deg": ((Angle.THIGH_FLEXION, Side.LEFT),),
    "right_thigh_flexion_deviation_deg": ((Angle.THIGH_FLEXION, Side.RIGHT),),
    **{
        f"{angle}_deviation_deg": tuple((angle, side) for side in Side)
        for angle in (Angle.PELVIC_TILT, Angle.PELVIC_OBLIQUITY, Angle.PELVIC_ROTATION)
    },
}
WHOLE = "waveform_deviation_deg"
WAVEFORM_CHANGE = (WHOLE, *PARTS)
_KEYS = tuple(key for keys in PARTS.values() for key in keys)
# Share of each curve in the mean square of all.
_WEIGHT = np.array([0.2 / len(keys) for keys in PARTS.values() for _ in keys])


class Bout(days.Bout, Protocol):
    """What a day needs, and its curves; gaitmon.store.series.BoutRow has it."""

    @property
    def waveforms(self) -> tuple[Waveform, ...]: ...


@dataclass(frozen=True, slots=True, eq=False)
class UsualCurves:
    """Mean curves of the baseline: per speed band, (8, POINTS - 1) about their own means, degrees."""

    bands: Mapping[int, Floats]


def usual_curves(bouts: Iterable[Bout], zone: tzinfo, first_day: str, last_day: str) -> UsualCurves:
    """Of the straight bouts from first_day to last_day, both included."""
    sums: dict[int, tuple[Floats, Floats]] = {}
    for bout in bouts:
        if (curves := _curves(bout)) is None or not (
            first_day <= local_day(bout.start_utc_us, zone) <= last_day
        ):
            continue
        band, n, x = curves
        had_n, had_x = sums.get(band, (0.0, 0.0))
        sums[band] = had_n + n, had_x + n[:, np.newaxis] * x
    return UsualCurves(
        {band: x / n[:, np.newaxis] for band, (n, x) in sums.items() if n.min() >= MIN_BASELINE_STRIDES}
    )


def waveform_changes(bouts: Iterable[Bout], usual: UsualCurves, zone: tzinfo) -> list[DayValue]:
    """One value per (local day, metric of WAVEFORM_CHANGE), ordered by day.

    Bouts of a speed band that the baseline does not have are left out.  standard_error: from the scatter
    between three bouts or more, along the difference found; the baseline's error is not in it.
    """
    by_day: dict[str, list[tuple[Floats, Floats, bool]]] = {}
    for bout in bouts:
        if (curves := _curves(bout)) is None or curves[0] not in usual.bands:
            continue
        band, n, x = curves
        own = by_day.setdefault(local_day(bout.start_utc_us, zone), [])
        own.append((n, x - usual.bands[band], bout.simulated))
    return [value for day, own in sorted(by_day.items()) for value in _of_day(day, own)]


def _of_day(day: str, bouts: Sequence[tuple[Floats, Floats, bool]]) -> Iterable[DayValue]:
    n = np.array([b[0] for b in bouts])  # (bouts, 8) strides
    off = np.array([b[1] for b in bouts])  # (bouts, 8, POINTS - 1) degrees
    simulated = any(b[2] for b in bouts)
    share = n / n.sum(axis=0)
    mean = (share[..., np.newaxis] * off).sum(axis=0)
    square = np.mean(mean**2, axis=1)
    # What each bout adds to each curve's mean square, linearised.
    added = 2.0 * share * np.mean((off - mean) * mean, axis=2)
    strides = int(n[:, :2].sum())
    for metric in WAVEFORM_CHANGE:
        weight = _WEIGHT if metric == WHOLE else _weights(metric)
        value = sqrt(float(weight @ square))
        error = None
        if len(bouts) >= MIN_BOUTS_SCATTER and value > 0.0:
            scatter = added @ weight / (2.0 * value)
            error = sqrt(float(np.sum(scatter**2)) * len(bouts) / (len(bouts) - 1))
        valid = strides >= ENOUGH_STRIDES
        yield DayValue(day, STRATUM, metric, value, error, strides, len(bouts), valid, simulated)


def _weights(metric: str) -> Floats:
    own = PARTS[metric]
    return np.array([1.0 / len(own) if key in own else 0.0 for key in _KEYS])


def _curves(bout: Bout) -> tuple[int, Floats, Floats] | None:
    """Speed band, strides (8,) and mean curves (8, POINTS - 1) of a straight bout that has all of them."""
    speed = next((m.value for m in bout.metrics if m.metric == "walking_speed_m_s"), None)
    by_key = {(w.angle, w.side): w for w in bout.waveforms}
    if bout.stratum != STRATUM or speed is None or not all(key in by_key for key in _KEYS):
        return None
    own = [by_key[key] for key in _KEYS]
    x = np.array([w.mean_deg[: POINTS - 1] for w in own])
    n = np.array([float(w.n) for w in own])
    return int(speed / SPEED_BAND_M_S), n, x - x.mean(axis=1, keepdims=True)
