"""What a guided test gives: values with their uncertainty, and what is doubtful about them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gaitmon.model import Floats, MetricValue
from gaitmon.sessions.record import GuidedTest
from gaitmon.symmetry.metrics import METRICS


@dataclass(frozen=True, slots=True)
class Value:
    """standard_error: of the value, in its unit, None where it cannot be said.  n: what it rests on
    (strides, rises, seconds).  value None: not given, and note says why."""

    metric: str
    value: float | None
    standard_error: float | None = None
    n: int = 0
    note: str = ""

    @property
    def unit(self) -> str:
        return METRICS[self.metric].unit

    @classmethod
    def of(cls, m: MetricValue) -> Value:
        return cls(m.metric, m.value, m.standard_error, m.n_left + m.n_right, m.note)

    @classmethod
    def missing(cls, metric: str, note: str) -> Value:
        return cls(metric, None, None, 0, note)


@dataclass(frozen=True, slots=True)
class Outcome:
    """found_s: what of the recording the values rest on, None where nothing was found.
    flags: what a reader must know before the values."""

    test: GuidedTest
    found_s: tuple[float, float] | None
    values: tuple[Value, ...]
    flags: tuple[str, ...] = ()

    def __getitem__(self, metric: str) -> Value:
        """Raises KeyError for what this test does not give."""
        for v in self.values:
            if v.metric == metric:
                return v
        raise KeyError(metric)


def error_of_mean(x: Floats, rate_hz: float, batch_s: float = 3.0) -> float:
    """Standard error of the mean of a slow signal, from the scatter of its stretches of batch_s.

    Sway hangs together over a second or two: single samples would make it look far too certain.  Fewer than
    three stretches: its own standard deviation, as if it were one value.
    """
    n = int(len(x) / (batch_s * rate_hz))
    if n < 3:
        return float(np.std(x))
    means = [float(part.mean()) for part in np.array_split(x, n)]
    return float(np.std(means, ddof=1) / math.sqrt(n))


def of_repeats(metric: str, x: list[float], what: str, besides: float = 0.0, least: int = 2) -> Value:
    """Mean of repeats with its standard error.  besides: error that they share."""
    if len(x) < least:
        return Value(metric, None, None, len(x), f"not enough {what} ({len(x)} of {least})")
    own = float(np.std(x, ddof=1)) / math.sqrt(len(x))
    return Value(metric, float(np.mean(x)), math.hypot(own, besides), len(x))
