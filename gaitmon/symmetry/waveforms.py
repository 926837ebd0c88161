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
from gaitmon.symmetry.cycle import FLEXION_OF, OBLIQUITY, TILT, YAW_RATE, rotation_deg

MIN_STRIDES = 6  # of a side
_OUTLIER_MADS = 3.0


Cycles = Mapping[tuple[Angle, Side], Floats]  # (n, POINTS) in degrees, ipsilateral, in order of time


def cycles(curves: Floats, strides: Sequence[Stride]) -> Cycles:
    """What the mean waveforms are made of, without outliers.

    curves: (n, POINTS, COLUMNS) of gaitmon.symmetry.cycle, of the strides in order of time.
    """
    out = {}
    for side in Side:
        own = [i for i, s in enumerate(strides) if s.side is side]
        duration_s = np.array([strides[i].duration_s for i in own])
        for angle, x in _ipsilateral_deg(curves[own], duration_s, side).items():
            out[angle, side] = _without_outliers(x[np.isfinite(x).all(axis=1)])
    return out


def waveforms(of: Cycles) -> tuple[Waveform, ...]:
    """Per side and angle, for those with at least MIN_STRIDES strides."""
    return tuple(
        Waveform.of(angle, side, len(x), x.mean(axis=0), x.std(axis=0, ddof=1))
        for (angle, side), x in of.items()
        if len(x) >= MIN_STRIDES
    )


def _ipsilateral_deg(curves: Floats, duration_s: Floats, side: Side) -> dict[Angle, Floats]:
    up = 1.0 if side is Side.LEFT else -1.0
    flexion, tilt = curves[..., FLEXION_OF[side]], curves[..., TILT]
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
    far = np.sqrt(np.mean((x - np.median(x, axis=0)) ** 2, axis=1))
    usual = float(np.median(far))
    mad = 1.4826 * float(np.median(np.abs(far - usual)))
    return np.asarray(x[far <= usual + _OUTLIER_MADS * mad + 1e-9])


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
