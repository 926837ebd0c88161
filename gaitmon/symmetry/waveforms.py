"""Mean waveforms of a bout, and what they are compared with: the other side, the wearer before, the norm.

Each stride is taken over 101 points from its own initial contact; a stride whose distance (RMS) from the
median curve is more than 3 median absolute deviations above the usual is left out of that angle
(CLINICAL 2.7).  Only strides that count in the bout's values come here: straight, neither starting nor
stopping, not beside a turn; one with a hole in a sensor has no curve of that segment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gaitmon.compiled import compiled
from gaitmon.model import Angle, Bools, Floats, Side, Stride, Waveform
from gaitmon.symmetry.cycle import OBLIQUITY, TILT, YAW_RATE, ipsilateral, own_flexion, rotation_deg

MIN_STRIDES = 6  # of a side
_OUTLIER_MADS = 3.0


# (n, POINTS) in degrees, C-contiguous, ipsilateral, in order of time.
Cycles = Mapping[tuple[Angle, Side], Floats]


def cycles(curves: Floats, strides: Sequence[Stride]) -> Cycles:
    """What the mean waveforms are made of, without outliers.

    curves: (n, POINTS, COLUMNS) of gaitmon.symmetry.cycle, of the strides in order of time.
    """
    angles = _ipsilateral_deg(curves, strides)
    out = {}
    for side in Side:
        own = [i for i, s in enumerate(strides) if s.side is side]
        for angle, of_all in angles.items():
            x = of_all.take(own, axis=0)
            known = _whole(x)
            out[angle, side] = _without_outliers(x if known.all() else x[known])
    return out


def waveforms(of: Cycles) -> tuple[Waveform, ...]:
    """Per side and angle, for those with at least MIN_STRIDES strides."""
    return tuple(
        Waveform.of(angle, side, len(x), *_mean_and_sd(x))
        for (angle, side), x in of.items()
        if len(x) >= MIN_STRIDES
    )


def _ipsilateral_deg(curves: Floats, strides: Sequence[Stride]) -> dict[Angle, Floats]:
    duration_s = np.array([s.duration_s for s in strides])
    up = ipsilateral([s.side for s in strides])
    flexion, tilt = own_flexion(curves, [s.side for s in strides]), curves[..., TILT]
    return {
        Angle.THIGH_FLEXION: flexion,
        Angle.HIP_FLEXION: flexion + tilt,
        Angle.PELVIC_TILT: tilt,
        Angle.PELVIC_OBLIQUITY: up * curves[..., OBLIQUITY],
        Angle.PELVIC_ROTATION: -up * rotation_deg(curves[..., YAW_RATE], duration_s),
    }


def _without_outliers(x: Floats) -> Floats:
    """Rows of (n, POINTS) that are no further from the median curve than their fellows."""
    if len(x) < MIN_STRIDES:
        return x
    kept = _usual(x, np.sort(x, axis=0))
    return x if kept.all() else x[kept]


@compiled("b1[::1](f8[:, ::1])")
def _whole(x: Floats) -> Bools:
    """Rows without a hole."""
    out = np.empty(len(x), dtype=np.bool_)
    for i in range(len(x)):
        out[i] = math.isfinite(np.sum(x[i]))
    return out


@compiled("b1[::1](f8[:, ::1], f8[:, ::1])")
def _usual(x: Floats, ordered: Floats) -> Bools:
    """Rows of x (n, P) whose distance from the median curve is as usual; ordered: each column of x."""
    n, points = x.shape
    median = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    far = np.empty(n)
    for i in range(n):
        squares = 0.0
        for p in range(points):
            squares += (x[i, p] - median[p]) ** 2
        far[i] = math.sqrt(squares / points)
    usual = np.median(far)
    mad = 1.4826 * np.median(np.abs(far - usual))
    kept: Bools = far <= usual + _OUTLIER_MADS * mad + 1e-9
    return kept


@compiled("UniTuple(f8[::1], 2)(f8[:, ::1])")
def _mean_and_sd(x: Floats) -> tuple[Floats, Floats]:
    """Of the columns of (n, P)."""
    n, points = x.shape
    mean, sd = np.zeros(points), np.zeros(points)
    for i in range(n):
        for p in range(points):
            mean[p] += x[i, p]
    mean /= n
    for i in range(n):
        for p in range(points):
            sd[p] += (x[i, p] - mean[p]) ** 2
    for p in range(points):
        sd[p] = math.sqrt(sd[p] / (n - 1))
    return mean, sd


def pool(bouts: Iterable[Sequence[Waveform]]) -> tuple[Waveform, ...]:
    """Several bouts' waveforms as one per angle and side, in the order of Angle and Side.

    The mean is weighted by strides; the SD is that of all strides about it, within bouts and between them.
    """
    by_kind: dict[tuple[Angle, Side], list[Waveform]] = {(a, side): [] for a in Angle for side in Side}
    for waveform in (w for bout in bouts for w in bout):
        by_kind[waveform.angle, waveform.side].append(waveform)
    return tuple(_pooled(own) for own in by_kind.values() if own)


def _pooled(own: Sequence[Waveform]) -> Waveform:
    if len(own) == 1:
        return own[0]
    n = np.array([w.n for w in own])[:, np.newaxis]
    means, sds = np.array([w.mean_deg for w in own]), np.array([w.sd_deg for w in own])
    mean = (n * means).sum(axis=0) / n.sum()
    squares = ((n - 1) * sds**2 + n * (means - mean) ** 2).sum(axis=0)
    return Waveform.of(own[0].angle, own[0].side, int(n.sum()), mean, np.sqrt(squares / (n.sum() - 1)))
