"""From the accepted straight strides of a bout, or of a whole recording, to metric values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from gaitmon.model import LENGTH_FLAGS, Floats, MetricValue, Side
from gaitmon.symmetry.definition import DIFFERENCE, PACE, SCATTER, Group, MetricDefinition
from gaitmon.symmetry.estimates import Estimate, Sides, error_of, of_both, of_mean, of_sides
from gaitmon.symmetry.indices import (
    ln_asymmetry_pct,
    normalised_symmetry_index_pct,
    phase_coordination_pct,
    variation_pct,
)
from gaitmon.symmetry.likeness import NORM_DISTANCE, between_sides, from_norm
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.smoothness import AXES, regularity
from gaitmon.symmetry.strides import BOTH, SIDED, MeasuredStride, PelvisStride, Strides
from gaitmon.symmetry.uncertainty import standard_error
from gaitmon.symmetry.waveforms import Cycles

__all__ = ["MeasuredStride", "PelvisStride", "pool", "summarise"]

STORED = tuple(m for m in METRICS.values() if m.stored)
_SIDED_H = [METRICS[f"{what}_left_{unit}"].persistence for what, unit in SIDED]
_COMPARED = [[f"{what}_ln_pct", f"{what}_asym_{unit}"] for what, unit in SIDED]
_DIFFERENCE_H = [next((METRICS[m].persistence for m in own if m in METRICS), DIFFERENCE) for own in _COMPARED]
_BOTH_H = [METRICS[metric].persistence for metric in BOTH]
_STANDING = ("standing_tilt_deg", "standing_obliquity_deg")
_SWING, _SPEED = SIDED.index(("swing_time", "s")), BOTH.index("walking_speed_m_s")


class _Found(NamedTuple):
    """n: what the metric's minimum of strides counts."""

    n_left: int
    n_right: int
    n: int
    value: float = math.nan
    error: float = math.nan
    note: str = ""


def summarise(
    strides: Sequence[MeasuredStride],
    stratum: str = "straight",
    cycles: Cycles = MappingProxyType({}),
    leg_length_m: float | None = None,
    *,
    standing: Floats | None = None,
) -> tuple[MetricValue, ...]:
    """Every stored metric of the table, in its order.

    strides: accepted, straight, any order, of one bout of this stratum.  cycles: of them.  standing: tilt and
    obliquity of the pelvis against calibration, (seconds, 2) deg, at rest before the bout.  A metric with
    fewer strides than its minimum, or not valid in the stratum, has value None and says so in its note.
    """
    table = Strides.of(strides)
    found = dict(_of_sides(table)) | dict(_of_both(table)) | dict(_of_phases(table)) | dict(_smooth(table))
    found |= dict(_of_curves(cycles, found["walking_speed_m_s"].value, leg_length_m))
    found |= dict(_of_standing(np.empty((0, 2)) if standing is None else standing))
    doubts = _length_doubts(strides)
    return tuple(_told(d, found[d.id], stratum, doubts) for d in STORED)


def _told(d: MetricDefinition, f: _Found, stratum: str, doubts: str) -> MetricValue:
    """The value if it may be given, else why not."""
    if f.n < d.min_strides:
        what = "seconds of standing" if d.id in _STANDING else "strides"
        note = f"not enough {what} ({f.n} of {d.min_strides})"
    elif stratum not in d.strata:
        note = f"not given for a bout of kind {stratum}"
    elif f.note or not math.isfinite(f.value):
        note = f.note or "not measured"
    else:
        error = f.error if math.isfinite(f.error) else None
        note = doubts if d.group is Group.SPATIAL or d.id == NORM_DISTANCE else ""
        return MetricValue(d.id, f.value, error, f.n_left, f.n_right, note)
    return MetricValue(d.id, None, None, f.n_left, f.n_right, note)


def _of_sides(t: Strides) -> Iterator[tuple[str, _Found]]:
    at = {side: t.of_side(side) for side in Side}
    found = of_sides(t.sided[at[Side.LEFT]], t.sided[at[Side.RIGHT]], _SIDED_H, _DIFFERENCE_H)
    for (what, unit), s in zip(SIDED, found, strict=True):
        yield f"{what}_left_{unit}", _Found(s.left.n, 0, s.left.n, s.left.value, s.left.error)
        yield f"{what}_right_{unit}", _Found(0, s.right.n, s.right.n, s.right.value, s.right.error)
        if f"{what}_ln_pct" in METRICS:
            yield f"{what}_ln_pct", _ratio(s)
        if f"{what}_asym_{unit}" in METRICS:
            yield f"{what}_asym_{unit}", _between(s, s.right.value - s.left.value, s.difference_error)
        if f"{what}_nsi_pct" in METRICS:
            yield f"{what}_nsi_pct", _normalised(s)
    for side in Side:
        x = (t.end_s - t.start_s)[at[side]]
        n = len(x) if side is Side.LEFT else 0, len(x) if side is Side.RIGHT else 0
        value, error = math.nan, math.nan
        if len(x) >= 2:
            value, parts = variation_pct(x)
            error = error_of(parts, SCATTER)
        yield f"stride_time_cv_{side}_pct", _Found(*n, len(x), value, error)


def _between(s: Sides, value: float, error: float, note: str = "") -> _Found:
    return _Found(s.left.n, s.right.n, min(s.left.n, s.right.n), value, error, note)


def _ratio(s: Sides) -> _Found:
    left, right = s.left.value, s.right.value
    if left > 0.0 and right > 0.0:
        return _between(s, ln_asymmetry_pct(left, right), 100.0 * s.ratio_error)
    return _between(s, math.nan, math.nan, "a side's value is not positive")


def _normalised(s: Sides) -> _Found:
    """Its error is that of the difference, and of the range: the largest of n normal values has an SD of
    about pi / sqrt(12 ln n) of theirs (Gumbel)."""
    if min(s.left.n, s.right.n) < 2:
        return _between(s, math.nan, math.nan)
    value = normalised_symmetry_index_pct(s.right.value - s.left.value, s.span)
    if value is None:
        return _between(s, math.nan, math.nan, "no motion at all")
    of_largest = math.pi / math.sqrt(12.0 * math.log(s.left.n + s.right.n))
    of_range = value * s.scatter * of_largest / s.span
    return _between(s, value, math.hypot(100.0 * s.difference_error / s.span, of_range))


def _of_both(t: Strides) -> Iterator[tuple[str, _Found]]:
    known, at = np.isfinite(t.both), {side: t.of_side(side) for side in Side}
    left, right = (known[at[side]].sum(axis=0).tolist() for side in Side)
    for column, (metric, e) in enumerate(zip(BOTH, of_both(t.both, _BOTH_H), strict=True)):
        yield metric, _Found(left[column], right[column], e.n, e.value, e.error)
    e = of_mean(t.end_s - t.start_s)
    n = (len(at[Side.LEFT]), len(at[Side.RIGHT]), e.n)
    yield "stride_time_s", _Found(*n, e.value, e.error)
    cadence = _Found(*n)
    if e.n:
        cadence = _Found(*n, 120.0 / e.value, 120.0 * e.error / e.value**2)
    yield "cadence_steps_min", cadence


def _of_phases(t: Strides) -> Iterator[tuple[str, _Found]]:
    """PCI, from the strides of the leg with the longer mean swing."""
    side = _longer_swing(t)
    at = t.of_side(side)
    phases = 360.0 * (t.opposite_ic_s - t.start_s)[at] / (t.end_s - t.start_s)[at]
    phases = phases[np.isfinite(phases)]
    n = len(phases)
    counts = (n, 0, n) if side is Side.LEFT else (0, n, n)
    speed = of_both(t.both[:, _SPEED : _SPEED + 1], [PACE])[0]
    if n < 2:
        yield "pci_pct", _Found(*counts)
        yield "pci_per_speed_pct_s_m", _Found(*counts)
        return
    pci, parts = phase_coordination_pct(phases)
    error = error_of(parts, SCATTER)
    yield "pci_pct", _Found(*counts, pci, error)
    yield "pci_per_speed_pct_s_m", _by_speed(_Found(*counts, pci, error), speed)


def _by_speed(pci: _Found, speed: Estimate) -> _Found:
    counts = (pci.n_left, pci.n_right, min(pci.n, speed.n))
    if not speed.value > 0.0:
        return _Found(*counts)
    value = pci.value / speed.value
    return _Found(*counts, value, math.hypot(pci.error / speed.value, value * speed.error / speed.value))


def _longer_swing(t: Strides) -> Side:
    swing = {side: t.sided[t.of_side(side), _SWING] for side in Side}
    mean = {side: float(x[np.isfinite(x)].mean()) for side, x in swing.items() if np.isfinite(x).any()}
    return max(mean, key=lambda side: mean[side]) if len(mean) == 2 else Side.LEFT


def _smooth(t: Strides) -> Iterator[tuple[str, _Found]]:
    """What needs the bout's acceleration as a whole."""
    at = [] if t.pelvis is None else t.pelvis.at
    sides = [t.strides[i].stride.side for i in at]
    left, right = sides.count(Side.LEFT), sides.count(Side.RIGHT)
    n = len(at) // 2 if left == right == 0 else min(left, right)  # the side may be unknown
    r = None
    if t.pelvis is not None and n >= 2:
        r = regularity(t.start_s[at], t.end_s[at], t.pelvis.pieces, n)
    if r is None:
        for what in ("step", "stride"):
            yield from ((f"pelvis_{axis}_{what}_regularity", _Found(left, right, n)) for axis in AXES)
        yield "gait_symmetry_index", _Found(left, right, n)
        return
    for what, value, parts in (("step", r.step, r.step_parts), ("stride", r.stride, r.stride_parts)):
        ids = [f"pelvis_{axis}_{what}_regularity" for axis in AXES]
        error = standard_error(parts, n, [METRICS[id_].persistence for id_ in ids])
        for i, id_ in enumerate(ids):
            yield id_, _Found(left, right, n, float(value[i]), float(error[i]))
    error = standard_error(
        r.symmetry_index_parts[:, np.newaxis], n, [METRICS["gait_symmetry_index"].persistence]
    )
    yield "gait_symmetry_index", _Found(left, right, n, r.symmetry_index, float(error[0]))


def _of_curves(cycles: Cycles, speed_m_s: float, leg_length_m: float | None) -> Iterator[tuple[str, _Found]]:
    for metric, left, right, e in between_sides(cycles):
        yield metric, _Found(left, right, min(left, right), e.value, e.error)
    leg_m = math.nan if leg_length_m is None else leg_length_m
    metric, left, right, e = from_norm(cycles, speed_m_s, leg_m)
    yield metric, _Found(left, right, min(left, right), e.value, e.error)


def _of_standing(standing: Floats) -> Iterator[tuple[str, _Found]]:
    """What is counted are seconds."""
    for metric, x in zip(_STANDING, standing.T, strict=True):
        e = of_mean(x)
        yield metric, _Found(e.n, 0, e.n, e.value, e.error)


def _length_doubts(strides: Sequence[MeasuredStride]) -> str:
    """What at least half of the strides with a length say against it."""
    flags = [m.stride.flags for m in strides if m.stride.length_m is not None]
    return "; ".join(f for f in LENGTH_FLAGS if 2 * sum(f in own for own in flags) >= len(flags) > 0)


# ---- several bouts


def pool(bouts: Sequence[Sequence[MetricValue]]) -> tuple[MetricValue, ...]:
    """Several bouts' values as one: the mean weighted by strides, signed, never of magnitudes.

    The standard error is that of the weighted mean, from the bouts' own; the strides are summed.
    """
    by_metric: dict[str, list[MetricValue]] = {d.id: [] for d in STORED}
    for bout in bouts:
        for m in bout:
            by_metric[m.metric].append(m)
    return tuple(_pooled(METRICS[metric], own) for metric, own in by_metric.items())


def _pooled(d: MetricDefinition, own: Sequence[MetricValue]) -> MetricValue:
    n_left, n_right = sum(m.n_left for m in own), sum(m.n_right for m in own)
    given = [m for m in own if m.value is not None]
    if not given:
        best = max((max(m.n_left, m.n_right) for m in own), default=0)
        note = f"not enough strides (at most {best} of {d.min_strides} in a bout)"
        if len({m.note for m in own}) == 1:
            note = own[0].note
        return MetricValue(d.id, None, None, n_left, n_right, note)
    weight = np.array([max(m.n_left + m.n_right, 1) for m in given], dtype=float)  # 0: side unknown
    weight /= weight.sum()
    value = float(sum(w * m.value for w, m in zip(weight, given, strict=True) if m.value is not None))
    errors = [m.standard_error for m in given]
    known = [e for e in errors if e is not None]
    error = float(np.linalg.norm(weight * np.array(known))) if len(known) == len(errors) else None
    notes = sorted({note for m in given for note in m.note.split("; ") if note})
    return MetricValue(d.id, value, error, n_left, n_right, "; ".join(notes))
