"""Between samples: maxima, and values along straight lines."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from gaitmon.model import Floats


def parabolic_top(x: Floats, i: int) -> tuple[float, float]:
    """Position (samples) and height of the parabola through x[i-1], x[i], x[i+1]."""
    if i < 1 or i + 1 >= len(x):
        return float(i), float(x[i])
    left, mid, right = x[i - 1 : i + 2].tolist()
    bend = left - 2 * mid + right
    if bend >= 0:
        return float(i), mid
    shift = 0.5 * (left - right) / bend
    return i + shift, mid - 0.25 * (left - right) * shift


def along_lines(x: float, at: Sequence[float], values: Sequence[float]) -> float:
    """numpy.interp of one number, in a tenth of its time: values at places that ascend, level beyond."""
    i = bisect_right(at, x)
    if i in (0, len(at)):
        return values[max(i - 1, 0)]
    slope = (values[i] - values[i - 1]) / (at[i] - at[i - 1])
    return slope * (x - at[i - 1]) + values[i - 1]
