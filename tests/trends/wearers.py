"""Days of made-up wearers for the tests of trends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from gaitmon.trends import DayValue

FIRST_DAY = date(2026, 3, 1)


def iso(index: int) -> str:
    return (FIRST_DAY + timedelta(days=index)).isoformat()


def series(
    metric: str, values: Sequence[float | None], first: int = 0, valid: bool = True, n_strides: int = 400
) -> list[DayValue]:
    """One day each, beginning at day ``first``; None is a day that is not there."""
    return [
        DayValue(iso(first + i), "straight", metric, value, 0.3, n_strides, 4, valid, False)
        for i, value in enumerate(values)
        if value is not None
    ]


def usual(mean: float, sd: float, n: int = 14, seed: int = 0) -> list[float]:
    """n values with exactly this mean and SD, in random order."""
    x = np.random.default_rng(seed).standard_normal(n)
    x = (x - x.mean()) / x.std(ddof=1)
    return [float(v) for v in mean + sd * x]
