"""Maxima between samples."""

from __future__ import annotations

from gaitmon.model import Floats


def parabolic_top(x: Floats, i: int) -> tuple[float, float]:
    """Position (samples) and height of the parabola through x[i-1], x[i], x[i+1]."""
    if i < 1 or i + 1 >= len(x):
        return float(i), float(x[i])
    left, mid, right = x[i - 1 : i + 2]
    bend = left - 2 * mid + right
    if bend >= 0:
        return float(i), float(mid)
    shift = 0.5 * (left - right) / bend
    return float(i + shift), float(mid - 0.25 * (left - right) * shift)
