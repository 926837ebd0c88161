"""Symmetry indices.  X_left, X_right: any positive per-side value, such as a median stance time.

A bout stores one of them, the ln ratio; symmetry_ratio, symmetry_index_pct and symmetry_angle_pct follow from
it exactly and are worked out when they are shown.  None of them ever meets a mean of magnitudes.
"""

from __future__ import annotations

import math

import numpy as np

from gaitmon.compiled import compiled
from gaitmon.model import Floats


def ln_asymmetry_pct(left: float, right: float) -> float:
    """Signed asymmetry, 100 ln(right / left).  0 is symmetric, positive is right-larger.

    Additive and antisymmetric under swapping sides, unlike Robinson's index; close to it when small
    (the signed form of Plotnik's gait asymmetry, 2005).  Both must be > 0.
    """
    return 100.0 * math.log(right / left)


def symmetry_ratio(ln_pct: float) -> float:
    """X_right / X_left, 1 is symmetric; from the ln ratio."""
    return math.exp(ln_pct / 100.0)


def symmetry_index_pct(ln_pct: float) -> float:
    """Robinson 1987, 100 (R - L) / (0.5 (R + L)), within ±200; from the ln ratio: 200 tanh(ln / 200)."""
    return 200.0 * math.tanh(ln_pct / 200.0)


def symmetry_angle_pct(ln_pct: float) -> float:
    """Zifchock 2008, 100 (45° - atan2(X_left, X_right)) / 90°, within ±50 for positive values; from the ln
    ratio.  About 0.32 of Robinson's index when small."""
    return 100.0 * (45.0 - math.degrees(math.atan(math.exp(-ln_pct / 100.0)))) / 90.0


def normalised_symmetry_index_pct(difference: float, span: float) -> float | None:
    """Queen 2020: 100 (R - L) over the range of zero and every value of both sides, within ±100.

    For values that cross zero, such as an angle.  None if every value is zero.
    """
    return 100.0 * difference / span if span > 0.0 else None


def phase_coordination_pct(phase_deg: Floats) -> tuple[float, Floats]:
    """PCI of steps' phases (n,), n >= 2, 180 when they alternate evenly, and each one's part in its error.

    Plotnik 2007: 100 SD / mean + 100 mean|phase - 180| / 180.
    """
    mean = phase_deg.mean()
    off = np.abs(phase_deg - 180.0)
    cv, of_cv = variation_pct(phase_deg)
    pci = cv + 100.0 * float(off.mean()) / 180.0
    return (pci, of_cv + 100.0 * (off - off.mean()) / 180.0) if mean > 0.0 else (math.nan, of_cv)


@compiled("Tuple((f8, f8[::1]))(f8[::1])")
def variation_pct(x: Floats) -> tuple[float, Floats]:
    """Coefficient of variation, 100 SD / mean, of x (n,), n >= 2, and each value's part in its error."""
    n = len(x)
    mean = float(np.mean(x))
    off = x - mean
    square = float(np.mean(off * off))
    sd = math.sqrt(square * n / (n - 1))
    if sd == 0.0:
        return 0.0, np.zeros(n)
    for i in range(n):
        spread = (off[i] ** 2 - square) / (2.0 * sd)
        off[i] = 100.0 * (spread - sd * off[i] / mean) / mean
    return 100.0 * sd / mean, off
