"""Mean waveforms of a bout, and what they are compared with: the other side, the wearer before, the norm.

Each stride is taken over 101 points from its own initial contact; a stride whose distance (RMS) from the
median curve is more than 3 median absolute deviations above the usual is left out of that angle
(CLINICAL 2.7).  Only strides that count in the bout's values come here: straight, neither starting nor
stopping, not beside a turn; one with a hole in a sensor has no curve of that segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gaitmon.model import Angle, Floats, Side, Stride, Waveform
from gaitmon.symmetry.cycle import FLEXION_OF, OBLIQUITY, POINTS, TILT, YAW_RATE, rotation_deg

MIN_STRIDES = 6  # of a side
_OUTLIER_MADS = 3.0
_MAX_LAG = 20  # percent of the cycle


def waveforms(curves: Floats, strides: Sequence[Stride]) -> tuple[Waveform, ...]:
    """Per side and angle, for those with at least MIN_STRIDES strides.

    curves: (n, POINTS, COLUMNS) of gaitmon.symmetry.cycle, of the strides.
    """
    out = []
    for side in Side:
        own = [i for i, s in enumerate(strides) if s.side is side]
        if len(own) < MIN_STRIDES:
            continue
        duration_s = np.array([strides[i].duration_s for i in own])
        for angle, x in _ipsilateral_deg(curves[own], duration_s, side).items():
            kept = _without_outliers(x[np.isfinite(x).all(axis=1)])
            if len(kept) >= MIN_STRIDES:
                mean, sd = kept.mean(axis=0), kept.std(axis=0, ddof=1)
                out.append(Waveform.of(angle, side, len(kept), mean, sd))
    return tuple(out)


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


@dataclass(frozen=True, slots=True)
class Likeness:
    """The right side's mean waveform against the left's, each from its own initial contact.

    correlation: largest over a shift of up to 20 % of the cycle; lag_pct: that shift, + where the right is
    later in its cycle.  amplitude_ratio: slope of right on left at that shift.  rmsd_deg: unshifted.
    correlation and amplitude_ratio are 0 for a curve without any excursion.
    """

    correlation: float
    lag_pct: int
    amplitude_ratio: float
    rmsd_deg: float


def likeness(left: Waveform, right: Waveform) -> Likeness:
    """How alike the sides are; both waveforms of one angle."""
    a, b = left.mean_deg, right.mean_deg
    x, y = a[:-1] - a[:-1].mean(), b[:-1] - b[:-1].mean()
    lags = range(-_MAX_LAG, _MAX_LAG + 1)
    inner = [float(x @ np.roll(y, -lag)) for lag in lags]
    best = int(np.argmax(inner))
    norms = float(np.linalg.norm(x) * np.linalg.norm(y))
    return Likeness(
        correlation=inner[best] / norms if norms > 0.0 else 0.0,
        lag_pct=lags[best],
        amplitude_ratio=inner[best] / float(x @ x) if norms > 0.0 else 0.0,
        rmsd_deg=rms_deg(a - b),
    )


def change_deg(before: Waveform, now: Waveform) -> float:
    """RMS difference of two mean waveforms about their own means, degrees: the wearer against earlier.

    About their means, because a sensor that was put on anew shifts the whole curve.
    """
    d = now.mean_deg - before.mean_deg
    return rms_deg(d - d[:-1].mean())


def rms_deg(difference: Floats) -> float:
    """Over the cycle, (POINTS,); its last point is the first of the next."""
    return float(np.sqrt(np.mean(difference[: POINTS - 1] ** 2)))
