"""Symmetry indices.  X_left, X_right: any positive per-side value, such as a median stance time."""

from __future__ import annotations

import math


def ln_asymmetry_pct(left: float, right: float) -> float:
    """Signed asymmetry, 100 ln(right / left).  0 is symmetric, positive is right-larger.

    Additive and antisymmetric under swapping sides, unlike Robinson's index; close to it when small
    (the signed form of Plotnik's gait asymmetry, 2005).  Both must be > 0.
    """
    return 100.0 * math.log(right / left)


def symmetry_index_pct(left: float, right: float) -> float:
    """Robinson 1987: 100 (R - L) / (0.5 (R + L)).  For strictly positive values only."""
    return 100.0 * (right - left) / (0.5 * (right + left))
