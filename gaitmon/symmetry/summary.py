"""From the accepted straight strides of a bout, or of a whole recording, to metric values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaitmon.model import LENGTH_FLAGS, MetricValue, Side, Stride
from gaitmon.symmetry.indices import ln_asymmetry_pct
from gaitmon.symmetry.metrics import METRICS

_PER_SIDE = (
    ("stride_time", "s"),
    ("step_time", "s"),
    ("stance_time", "s"),
    ("swing_time", "s"),
    ("single_support", "s"),
    ("initial_double_support", "s"),
    ("terminal_double_support", "s"),
    ("thigh_rom", "deg"),
    ("stride_length", "m"),
)


_SPATIAL = ("walking_speed_m_s", "stride_length_m", "stride_length_left_m", "stride_length_right_m")


@dataclass(frozen=True, slots=True)
class PelvisStride:
    """The pelvis over one stride.  None where it cannot be known.

    drop_deg: largest ipsilateral obliquity in the single support of the stride's side, against standing;
    drop_mean_deg: its mean there; drop_at_30_pct_deg: at 30 % of the cycle, which needs no final contact.
    rise_m: vertical excursion in the step from the own initial contact to the other side's.
    sway_m: mediolateral excursion over the stride.
    """

    tilt_rom_deg: float | None = None
    obliquity_rom_deg: float | None = None
    rotation_rom_deg: float | None = None
    drop_deg: float | None = None
    drop_mean_deg: float | None = None
    drop_at_30_pct_deg: float | None = None
    rise_m: float | None = None
    sway_m: float | None = None


@dataclass(frozen=True, slots=True)
class MeasuredStride:
    """opposite_fc_s: the other side's final contact in between, None where it is not known or the two
    sensors' clocks agree too badly to compare them."""

    stride: Stride
    pelvis: PelvisStride
    opposite_fc_s: float | None = None


def pool(bouts: Sequence[Sequence[MetricValue]]) -> tuple[MetricValue, ...]:
    """Several bouts' values as one: the mean weighted by strides, signed, never of magnitudes.

    The standard error is that of the weighted mean, from the bouts' own; the strides are summed.
    """
    out: list[MetricValue] = []
    for metric in METRICS:
        own = [m for bout in bouts for m in bout if m.metric == metric]
        n_left, n_right = sum(m.n_left for m in own), sum(m.n_right for m in own)
        given = [m for m in own if m.value is not None]
        if not given:
            need = METRICS[metric].min_strides
            best = max((max(m.n_left, m.n_right) for m in own), default=0)
            note = f"not enough strides (at most {best} of {need} in a bout)"
            note = own[0].note if len(own) == 1 else note
            out.append(MetricValue(metric, None, None, n_left, n_right, note))
            continue
        weight = np.array([max(m.n_left + m.n_right, 1) for m in given], dtype=float)  # 0: side unknown
        weight /= weight.sum()
        value = float(sum(w * m.value for w, m in zip(weight, given, strict=True) if m.value is not None))
        errors = [m.standard_error for m in given]
        known = [e for e in errors if e is not None]
        error = float(np.linalg.norm(weight * np.array(known))) if len(known) == len(errors) else None
        notes = sorted({note for m in given for note in m.note.split("; ") if note})
        out.append(MetricValue(metric, value, error, n_left, n_right, "; ".join(notes)))
    return tuple(out)


@dataclass(frozen=True, slots=True)
class _Spread:
    """Median of a side's values, its standard error, and how many there were."""

    n: int
    median: float
    standard_error: float


def summarise(strides: Sequence[MeasuredStride]) -> tuple[MetricValue, ...]:
    """Every metric of the table that these strides can give.

    strides: accepted, straight, any order.  A metric with fewer strides than its minimum has value
    None and says so in its note.  Standard errors are analytic: that of a median, 1.2533 SD / sqrt(n)
    with SD from the median absolute deviation, propagated to ratios and differences as if the sides
    were independent.
    """
    left = [m for m in strides if m.stride.side is Side.LEFT]
    right = [m for m in strides if m.stride.side is Side.RIGHT]
    out: list[MetricValue] = []
    for what, unit in _PER_SIDE:
        ls, rs = _spread(left, what), _spread(right, what)
        out.append(_one_side(f"{what}_left_{unit}", Side.LEFT, ls))
        out.append(_one_side(f"{what}_right_{unit}", Side.RIGHT, rs))
        if f"{what}_ln_pct" in METRICS:
            out.append(_ratio(f"{what}_ln_pct", ls, rs))
    out += _drops(left, right)
    out += _cadence(strides, len(left), len(right))
    out += [_variation("stride_time_cv_left_pct", left), _variation("stride_time_cv_right_pct", right)]
    out += [_pooled(metric, strides, value) for metric, value in _BOTH_SIDES.items()]
    doubts = _length_doubts(strides)
    return tuple(replace(m, note=doubts) if m.value is not None and m.metric in _SPATIAL else m for m in out)


def _step_time(s: Stride) -> float | None:
    return None if s.opposite_ic_s is None else s.end_s - s.opposite_ic_s


def _supports(m: MeasuredStride) -> tuple[float, float, float] | None:
    """Initial double, single and terminal double support, s.

    None unless all four contacts are known and in the order of walking.
    """
    s = m.stride
    if s.fc_s is None or m.opposite_fc_s is None or s.opposite_ic_s is None:
        return None
    if not s.start_s < m.opposite_fc_s < s.opposite_ic_s < s.fc_s < s.end_s:
        return None
    return m.opposite_fc_s - s.start_s, s.opposite_ic_s - m.opposite_fc_s, s.fc_s - s.opposite_ic_s


def _support(which: int) -> Callable[[MeasuredStride], float | None]:
    def one(m: MeasuredStride) -> float | None:
        found = _supports(m)
        return None if found is None else found[which]

    return one


def _double_support_pct(m: MeasuredStride) -> float | None:
    found = _supports(m)
    return None if found is None else 100.0 * (found[0] + found[2]) / m.stride.duration_s


def _speed_m_s(m: MeasuredStride) -> float | None:
    return None if m.stride.length_m is None else m.stride.length_m / m.stride.duration_s


_VALUE: dict[str, Callable[[MeasuredStride], float | None]] = {
    "stride_time": lambda m: m.stride.duration_s,
    "step_time": lambda m: _step_time(m.stride),
    "stance_time": lambda m: m.stride.stance_s,
    "swing_time": lambda m: m.stride.swing_s,
    "initial_double_support": _support(0),
    "single_support": _support(1),
    "terminal_double_support": _support(2),
    "thigh_rom": lambda m: m.stride.thigh_rom_deg,
    "stride_length": lambda m: m.stride.length_m,
    "drop": lambda m: m.pelvis.drop_deg,
}

_BOTH_SIDES: dict[str, Callable[[MeasuredStride], float | None]] = {
    "pelvis_tilt_rom_deg": lambda m: m.pelvis.tilt_rom_deg,
    "pelvis_obliquity_rom_deg": lambda m: m.pelvis.obliquity_rom_deg,
    "pelvis_rotation_rom_deg": lambda m: m.pelvis.rotation_rom_deg,
    "double_support_pct": _double_support_pct,
    "stride_length_m": lambda m: m.stride.length_m,
    "walking_speed_m_s": _speed_m_s,
}


def _spread(strides: Sequence[MeasuredStride], what: str) -> _Spread:
    return _spread_of([v for m in strides if (v := _VALUE[what](m)) is not None])


def _spread_of(values: Sequence[float]) -> _Spread:
    if not values:
        return _Spread(0, math.nan, math.nan)
    x = np.asarray(values)
    median = float(np.median(x))
    sd = 1.4826 * float(np.median(np.abs(x - median)))
    return _Spread(len(x), median, 1.2533 * sd / math.sqrt(len(x)))


def _short(metric: str, n_left: int, n_right: int) -> MetricValue | None:
    need = METRICS[metric].min_strides
    n = min(n_left, n_right)
    if n >= need:
        return None
    return MetricValue(metric, None, None, n_left, n_right, f"not enough strides ({n} of {need})")


def _one_side(metric: str, side: Side, s: _Spread) -> MetricValue:
    n_left, n_right = (s.n, 0) if side is Side.LEFT else (0, s.n)
    need = METRICS[metric].min_strides
    if s.n < need:
        return MetricValue(metric, None, None, n_left, n_right, f"not enough strides ({s.n} of {need})")
    return MetricValue(metric, s.median, s.standard_error, n_left, n_right)


def _ratio(metric: str, left: _Spread, right: _Spread) -> MetricValue:
    if (short := _short(metric, left.n, right.n)) is not None:
        return short
    if left.median <= 0 or right.median <= 0:
        return MetricValue(metric, None, None, left.n, right.n, "a side's value is not positive")
    error = 100.0 * math.hypot(left.standard_error / left.median, right.standard_error / right.median)
    return MetricValue(metric, ln_asymmetry_pct(left.median, right.median), error, left.n, right.n)


def _drops(left: Sequence[MeasuredStride], right: Sequence[MeasuredStride]) -> list[MetricValue]:
    ls, rs = _spread(left, "drop"), _spread(right, "drop")
    both = _short("drop_asym_deg", ls.n, rs.n) or MetricValue(
        "drop_asym_deg", rs.median - ls.median, math.hypot(ls.standard_error, rs.standard_error), ls.n, rs.n
    )
    return [_one_side("drop_left_deg", Side.LEFT, ls), _one_side("drop_right_deg", Side.RIGHT, rs), both]


def _pooled(
    metric: str, strides: Sequence[MeasuredStride], value: Callable[[MeasuredStride], float | None]
) -> MetricValue:
    """Median over both sides' strides that have the value."""
    known = [(m.stride.side, v) for m in strides if (v := value(m)) is not None]
    n_left, n_right = (sum(side is s for side, _ in known) for s in Side)
    s = _spread_of([v for _, v in known])
    need = METRICS[metric].min_strides
    if s.n < need:
        return MetricValue(metric, None, None, n_left, n_right, f"not enough strides ({s.n} of {need})")
    return MetricValue(metric, s.median, s.standard_error, n_left, n_right)


def _cadence(strides: Sequence[MeasuredStride], n_left: int, n_right: int) -> list[MetricValue]:
    x = np.asarray([m.stride.duration_s for m in strides])
    need = METRICS["stride_time_s"].min_strides
    if len(x) < need:
        note = f"not enough strides ({len(x)} of {need})"
        return [
            MetricValue(m, None, None, n_left, n_right, note) for m in ("stride_time_s", "cadence_steps_min")
        ]
    mean, error = float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x)))
    return [
        MetricValue("stride_time_s", mean, error, n_left, n_right),
        MetricValue("cadence_steps_min", 120.0 / mean, 120.0 * error / mean**2, n_left, n_right),
    ]


def _variation(metric: str, own: Sequence[MeasuredStride]) -> MetricValue:
    """Coefficient of variation of one side's stride times; error as of independent normal values."""
    n_left = sum(m.stride.side is Side.LEFT for m in own)
    n, need = len(own), METRICS[metric].min_strides
    if n < need:
        note = f"not enough strides ({n} of {need})"
        return MetricValue(metric, None, None, n_left, n - n_left, note)
    x = np.asarray([m.stride.duration_s for m in own])
    cv = 100.0 * float(x.std(ddof=1) / x.mean())
    return MetricValue(metric, cv, cv / math.sqrt(2.0 * (n - 1)), n_left, n - n_left)


def _length_doubts(strides: Sequence[MeasuredStride]) -> str:
    """What at least half of the strides with a length say against it."""
    flags = [m.stride.flags for m in strides if m.stride.length_m is not None]
    return "; ".join(f for f in LENGTH_FLAGS if 2 * sum(f in own for own in flags) >= len(flags) > 0)
