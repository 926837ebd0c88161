"""What a guided test gives: values with their uncertainty, and what is doubtful about them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from gaitmon.model import Floats, MetricValue
from gaitmon.sessions.record import GuidedTest
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.uncertainty import interval


class Error(NamedTuple):
    """A standard error; freedom: the degrees of freedom it was found with, infinite for a known one."""

    size: float
    freedom: float = math.inf

    @classmethod
    def of_mean(cls, x: Floats) -> Error:
        """Of independent values, at least two."""
        return cls(float(np.std(x, ddof=1)) / math.sqrt(len(x)), len(x) - 1.0)

    def times(self, factor: float) -> Error:
        return Error(factor * self.size, self.freedom)

    def and_(self, *others: Error) -> Error:
        """Of the sum of both, which have nothing to do with each other (Satterthwaite 1946)."""
        each = (self, *others)
        square = sum(e.size**2 for e in each)
        shaky = sum(e.size**4 / e.freedom for e in each)
        return Error(math.sqrt(square), square**2 / shaky if shaky > 0.0 else math.inf)

    @property
    def half(self) -> float:
        """Of the 95 % interval."""
        return self.size * float(stdtrit(min(self.freedom, 1e6), 0.975))


@dataclass(frozen=True, slots=True)
class Value:
    """standard_error: of the value, in its unit, None where it cannot be said.  interval: 95 %, its ends.
    n: what it rests on (strides, rises, seconds).  value None: not given, and note says why."""

    metric: str
    value: float | None
    standard_error: float | None = None
    n: int = 0
    note: str = ""
    interval: tuple[float, float] | None = None

    @property
    def unit(self) -> str:
        return METRICS[self.metric].unit

    @classmethod
    def of(cls, m: MetricValue) -> Value:
        return cls(m.metric, m.value, m.standard_error, m.n_left + m.n_right, m.note, interval(m))

    @classmethod
    def within(cls, metric: str, value: float, error: Error | float, n: int, note: str = "") -> Value:
        """error: a number is a known one."""
        known = error if isinstance(error, Error) else Error(error)
        ends = value - known.half, value + known.half
        return cls(metric, value, known.size, n, note, ends)

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


def error_of_mean(x: Floats, rate_hz: float, batch_s: float = 3.0) -> Error:
    """Standard error of the mean of a slow signal, from the scatter of its stretches of batch_s.

    Sway hangs together over a second or two: single samples would make it look far too certain.  Fewer than
    three stretches: its own standard deviation, as if it were one value.
    """
    n = int(len(x) / (batch_s * rate_hz))
    if n < 3:
        return Error(float(np.std(x)))
    return Error.of_mean(np.array([part.mean() for part in np.array_split(x, n)]))


def of_repeats(metric: str, x: list[float], what: str, besides: Error | None = None, least: int = 2) -> Value:
    """Mean of repeats.  besides: error that they share."""
    if len(x) < least:
        return Value(metric, None, None, len(x), f"not enough {what} ({len(x)} of {least})")
    error = Error.of_mean(np.array(x))
    return Value.within(metric, float(np.mean(x)), error.and_(besides) if besides else error, len(x))
