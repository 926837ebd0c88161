"""Two sessions of one wearer: what differs, by how much, and whether that is more than measuring does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gaitmon.errors import ConfigError
from gaitmon.model import Side
from gaitmon.sessions.kinds import Kind
from gaitmon.sessions.results import SessionResults
from gaitmon.sessions.values import Error, Value
from gaitmon.symmetry.metrics import METRICS

Key = tuple[Kind, Side | None, str]
Ends = tuple[float, float]


class Verdict(StrEnum):
    WITHIN = "within measurement error"
    CHANGED = "changed by more than the MDC"
    DIFFERS = "differs by more than the measurement error; no MDC is known"
    UNKNOWN = "cannot be compared"


@dataclass(frozen=True, slots=True)
class Difference:
    """later - earlier.  interval: 95 %, of the difference, None where it is not known.
    mdc: of the table of metrics, None where there is none.  note: why there is no difference."""

    kind: Kind
    side: Side | None
    metric: str
    earlier: float | None
    later: float | None
    difference: float | None
    interval: Ends | None
    mdc: float | None
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """conditions: (name, earlier, later) of those that differ; they come first."""

    earlier_id: str
    later_id: str
    conditions: tuple[tuple[str, str, str], ...]
    differences: tuple[Difference, ...]
    not_in_both: tuple[str, ...]


def compare(earlier: SessionResults, later: SessionResults) -> Comparison:
    """Raises ConfigError for two wearers."""
    a, b = earlier.session, later.session
    if a.wearer != b.wearer:
        raise ConfigError(
            f"{a.id} is of {a.wearer}, {b.id} of {b.wearer}.", "Compare two sessions of one wearer."
        )
    first, second = _values(earlier), _values(later)
    both = [k for k in first if k in second]
    alone = sorted({_title(k) for k in (*first, *second)} - {_title(k) for k in both})
    return Comparison(
        a.id,
        b.id,
        tuple(a.conditions.differing(b.conditions)),
        tuple(_difference(k, first[k], second[k]) for k in both),
        tuple(alone),
    )


def _title(key: Key) -> str:
    return f"{key[0]}, {key[1]}" if key[1] else str(key[0])


def _values(results: SessionResults) -> dict[Key, Value]:
    """Of each kind and side; a test done more than once counts by its mean."""
    repeats: dict[Key, list[Value]] = {}
    for result in results.results:
        for v in result.values:
            repeats.setdefault((result.test.kind, result.test.side, v.metric), []).append(v)
    found = {key: mean_of(own) for key, own in repeats.items()}
    kind = Kind.TEN_METRE_WALK
    return found | {(kind, None, v.metric): v for v in results.together}


def mean_of(own: Sequence[Value]) -> Value:
    given = [(v.value, v.standard_error) for v in own if v.value is not None]
    if len(given) < 2:
        return next((v for v in own if v.value is not None), own[0])
    n = len(given)
    mean = sum(x for x, _ in given) / n
    errors = [e for _, e in given if e is not None]
    scatter = math.sqrt(sum((x - mean) ** 2 for x, _ in given) / (n - 1) / n)
    if len(errors) < n:
        return Value(own[0].metric, mean, None, sum(v.n for v in own), f"mean of {n}")
    # Of few repeats the scatter itself is hardly known.
    error = max(Error(scatter, n - 1.0), Error(math.hypot(*errors) / n))
    return Value.within(own[0].metric, mean, error, sum(v.n for v in own), f"mean of {n}")


def _difference(key: Key, earlier: Value, later: Value) -> Difference:
    kind, side, metric = key
    mdc = METRICS[metric].mdc
    if earlier.value is None or later.value is None:
        why = "; ".join(
            f"{when}: {v.note}" for when, v in (("earlier", earlier), ("later", later)) if v.value is None
        )
        return Difference(
            kind, side, metric, earlier.value, later.value, None, None, mdc, Verdict.UNKNOWN, why
        )  # fmt: skip
    difference = later.value - earlier.value
    interval = apart(earlier, later)
    return Difference(
        kind, side, metric, earlier.value, later.value, difference, interval, mdc,
        verdict(difference, interval, mdc),
    )  # fmt: skip


def apart(earlier: Value, later: Value) -> Ends | None:
    """95 % interval of later - earlier from the intervals of both, whose arms may differ (Zou & Donner 2008,
    doi:10.1002/sim.3095)."""
    if earlier.value is None or later.value is None or earlier.interval is None or later.interval is None:
        return None
    x, y = earlier.value, later.value
    (x_low, x_high), (y_low, y_high) = earlier.interval, later.interval
    return y - x - math.hypot(y - y_low, x_high - x), y - x + math.hypot(y_high - y, x - x_low)


def verdict(difference: float, interval: Ends | None, mdc: float | None) -> Verdict:
    """A change counts when it is more than the MDC and these two measurements are sure that there is one."""
    sure = interval is None or not interval[0] <= 0.0 <= interval[1]
    if mdc is not None:
        return Verdict.CHANGED if abs(difference) > mdc and sure else Verdict.WITHIN
    if interval is None:
        return Verdict.UNKNOWN
    return Verdict.DIFFERS if sure else Verdict.WITHIN
