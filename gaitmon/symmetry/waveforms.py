"""Mean waveforms of a bout, and what they are compared with: the other side, the wearer before, the norm.

Each stride is taken over 101 points from its own initial contact; a stride whose distance (RMS) from the
median curve is more than 3 median absolute deviations above the usual is left out of that angle
(CLINICAL 2.7).  Only strides that count in the bout's values come here: straight, neither starting nor
stopping, not beside a turn; one with a hole in a sensor has no curve of that segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gaitmon.model import Angle, Floats, Side, Stride, Waveform
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
            x = of_all[own]
            known = np.isfinite(x).all(axis=1)
            out[angle, side] = _without_outliers(x if known.all() else x[known])
    return out


def waveforms(of: Cycles) -> tuple[Waveform, ...]:
    """Per side and angle, for those with at least MIN_STRIDES strides."""
    return tuple(
        Waveform.of(angle, side, len(x), x.mean(axis=0), x.std(axis=0, ddof=1))
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
    far = np.sqrt(np.mean((x - _median(x)) ** 2, axis=1))
    usual = _median(far)
    mad = 1.4826 * _median(np.abs(far - usual))
    kept = far <= usual + _OUTLIER_MADS * mad + 1e-9
    return x if kept.all() else x[kept]


def _median(x: Floats) -> Floats:
    """Along the first axis, of finite values; numpy's own, which looks for NaN, takes twice as long."""
    ordered = np.sort(x, axis=0)
    return np.asarray(0.5 * (ordered[(len(x) - 1) // 2] + ordered[len(x) // 2]))


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
