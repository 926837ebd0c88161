"""Timed walks: which steps lie between the marks, how far and how fast they went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gaitmon.analysis import Analysis
from gaitmon.errors import ConfigError
from gaitmon.gait.bouts import MAX_PAUSE_S
from gaitmon.gait.spatial import StrideLength, calibrate, measure_lengths
from gaitmon.gait.strides import StrideTimes
from gaitmon.model import ContactKind, Floats, Side, Stride
from gaitmon.model_leg import PersonalCalibration, SpatialParams
from gaitmon.pipeline_strides import StrideMeter, Walked
from gaitmon.sessions.body import HZ, THIGH_OF, Body, Span, runs
from gaitmon.sessions.record import GuidedTest
from gaitmon.sessions.standing import HEARD, MARK_S
from gaitmon.sessions.values import Error, Outcome, Value
from gaitmon.symmetry.cycle import FLEXION_OF, VERTICAL

FEWEST_STEPS = 4
STEPPING_RAD_S = 0.5  # a thigh that turns faster than this swings; sway stays below a tenth of it
FIRST_STEP = 0.75  # of a step time, from foot off to foot down in the first step (judgement)
TIME_ERROR_S = 0.2  # of the first foot off and of the last foot down together (docs/validation.md)
DISTANCE_ERROR_M = 0.15  # half a foot: how well toes are put on a line (judgement)
STRIDE_S = 0.6  # by which a first and a last step that were not seen change the time (one SD)
MARKS_ERROR_S = 0.5  # of a time that a person marked (judgement)
# The first step and the last, which closes up, together carry the body this much less than two whole ones
# (judgement; checked with simulated walks, docs/validation.md).
SHORT_STEPS = 1.25
LENGTH_ERROR, CALIBRATED_ERROR = 0.10, 0.04  # of a distance from stride lengths, fraction

TEN_METRES = (
    "test_walk_time_s", "test_walk_speed_m_s", "test_walk_steps_n", "test_walk_cadence_steps_min",
)  # fmt: skip
TWO_MINUTES = (
    "test_walk_time_s", "test_walk_distance_m", "test_walk_steps_n", "test_walk_speed_change_pct",
    "test_walk_cadence_change_pct",
)  # fmt: skip
BOTH_LEGS = "both thighs are needed"
NO_WALK = "no walk of at least four steps found between the marks"


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """span_s: first foot off to last foot down.  ic_s: (n,) contacts found.  steps: those missed, too.
    through: the walk goes on beyond the marks, and span_s is theirs.  both_legs: both thighs were heard, so
    that every step can be seen."""

    span_s: Span
    ic_s: Floats
    steps: int
    through: bool
    both_legs: bool

    @property
    def step_s(self) -> float:
        return float(np.median(np.diff(self.ic_s)))

    @property
    def seconds(self) -> float:
        return self.span_s[1] - self.span_s[0]


def find_walk(analysis: Analysis, body: Body, test: GuidedTest, *, pauses: bool = False) -> Walk | None:
    """The walk between a person's marks.  pauses: several walks with rests in between are one."""
    side_of = {c.t_s: c.side for c in analysis.contacts if c.kind is ContactKind.IC}
    ic = np.array(list(side_of))
    groups = np.split(ic, np.flatnonzero(np.diff(ic) > MAX_PAUSE_S) + 1)
    a, b = test.start_s - MARK_S, test.stop_s + MARK_S
    inside = [g for g in groups if len(g) and g[-1] > a and g[0] < b and _overlap(g, a, b) >= FEWEST_STEPS]
    if not inside:
        return None
    own = np.concatenate(inside) if pauses else max(inside, key=lambda g: _overlap(g, a, b))
    start, end = _moved(body, own)
    through = start < a or end > b
    if through:
        start, end = float(max(start, test.start_s)), float(min(end, test.stop_s))
        own = own[(own >= start) & (own <= end)]
        if len(own) < FEWEST_STEPS:
            return None
    step = float(np.median(np.diff(own)))
    steps, one_leg = 1, len({side_of[t] for t in own.tolist()}) == 1
    for t, after in pairwise(own.tolist()):
        passed = 1.0 if after - t > MAX_PAUSE_S else (after - t) / step
        steps += _steps_between(passed, None if one_leg else side_of[t], side_of[after])
    if not through:
        steps += max(0, round((own[0] - start) / step - FIRST_STEP)) + round((end - own[-1]) / step)
    return Walk((start, end), own, steps, through, _both_legs(body, start, end))


def _steps_between(passed: float, side: Side | None, after: Side | None) -> int:
    """Steps from one contact found to the next, about this many step times later: legs take turns, so the
    same leg again is an even number, the other one an odd, however late one of them was dated."""
    if side is None or after is None:
        return max(round(passed), 1)
    if side is after:
        return max(2 * round(passed / 2.0), 2)
    return max(2 * round((passed - 1.0) / 2.0) + 1, 1)


def _both_legs(body: Body, start_s: float, end_s: float) -> bool:
    where = body.at(start_s, end_s)
    heard = [p in body.turning and np.isfinite(body.turning[p][where]).mean() for p in THIGH_OF.values()]
    return min(heard) > HEARD


def _overlap(ic: Floats, a: float, b: float) -> int:
    return int(np.sum((ic >= a) & (ic <= b)))


def _moved(body: Body, ic: Floats) -> Span:
    """When the thighs began to swing before the first contact found, and ended after the last: a first or
    closing step is small, and its contact may not be found."""
    before, after = 2.0, 1.2
    where = body.at(float(ic[0]) - before, float(ic[-1]) + after)
    thighs = [body.turning[p][where] for p in THIGH_OF.values() if p in body.turning]
    if not thighs:
        return float(ic[0]), float(ic[-1])
    moving = np.max(np.nan_to_num(thighs), axis=0) > STEPPING_RAD_S
    steps = [r for r in runs(moving, 40) if r.stop - r.start > 10]
    first, last = (round(HZ * float(t)) - body.first - where.start for t in (ic[0], ic[-1]))
    start = next((r.start for r in steps if r.start <= first <= r.stop + 40), first)
    stop = next((r.stop for r in steps if r.start - 40 <= last <= r.stop), last)
    stop = stop if stop - last > 45 else last  # the limb rings for a while after the last foot is down
    return body.time_s(where.start + start), body.time_s(where.start + stop)


# ---- strides between the marks


@dataclass(frozen=True, slots=True, eq=False)
class Strided:
    """The strides inside a walk: every one, which of them count, and what kind of walking it was."""

    walked: tuple[Walked, ...]
    counted: tuple[Walked, ...]
    stratum: str


def strides_of(analysis: Analysis, meter: StrideMeter, walk: Walk) -> Strided:
    a, b = walk.span_s
    inside = sorted(
        (s for s in analysis.strides if s.start_s >= a and s.end_s <= b), key=lambda s: (s.start_s, s.end_s)
    )
    for s in inside:
        meter.measure(_times(analysis, s), blind="gap" in s.flags)
    walked = tuple(meter.walked())
    verdict = [analysis.verdicts.get((s.side, s.ordinal)) for s in inside]
    counted = tuple(w for w, v in zip(walked, verdict, strict=True) if v is not None and v.accepted)
    bouts = [x for x in analysis.bouts if x.start_s < b and x.end_s > a]
    kinds = {x.stratum for x in bouts}
    excluded = sorted(k for k in kinds if k.startswith("excluded"))
    return Strided(
        walked, counted, excluded[0] if excluded else "straight" if "straight" in kinds else "short"
    )


def _times(analysis: Analysis, s: Stride) -> StrideTimes:
    lifted = (
        c.t_s
        for c in analysis.contacts
        if c.kind is ContactKind.FC and s.side is not None and c.side is s.side.other
        and s.opposite_ic_s is not None and s.start_s < c.t_s < s.opposite_ic_s
    )  # fmt: skip
    return StrideTimes(s.side, s.ordinal, s.start_s, s.fc_s, s.end_s, s.opposite_ic_s, next(lifted, None))


def lengths(walked: Sequence[Walked], params: SpatialParams) -> list[StrideLength]:
    if not walked:
        return []
    curves = np.stack([w.curves for w in walked]).astype(np.float64)
    flexion = curves[..., list(FLEXION_OF.values())].transpose(0, 2, 1)
    duration_s = np.array([w.stride.duration_s for w in walked])
    return measure_lengths(duration_s, flexion, curves[..., VERTICAL], params)


def metrics(meter: StrideMeter, parts: Sequence[Strided]) -> tuple[Value, ...]:
    """Every metric of walking over the strides that count of one walk or several alike."""
    counted = [w for p in parts if not p.stratum.startswith("excluded") for w in p.counted]
    kind = "straight" if any(p.stratum == "straight" for p in parts) else "short"
    return tuple(Value.of(m) for m in meter.summed_up(counted, kind)[0])


# ---- 10 metres


def ten_metres(walk: Walk | None, test: GuidedTest) -> Outcome:
    """Speed of the whole way, starting and stopping included, as a stopwatch gives it."""
    distance = test.distance_m or math.nan
    if walk is None:
        return Outcome(test, None, tuple(Value.missing(m, NO_WALK) for m in TEN_METRES))
    error = MARKS_ERROR_S * math.sqrt(2.0) if walk.through else TIME_ERROR_S
    flags: tuple[str, ...] = ("walked through the marks: the time is theirs",) if walk.through else ()
    if not walk.both_legs:
        flags += ("first and last step are seen by both thighs only: time and speed are good to a stride",)
        error = math.hypot(error, STRIDE_S)
    speed = distance / walk.seconds
    relative = math.hypot(error / walk.seconds, DISTANCE_ERROR_M / distance)
    values = (
        Value.within("test_walk_time_s", walk.seconds, error, walk.steps),
        Value.within("test_walk_speed_m_s", speed, speed * relative, walk.steps),
        _steps(walk),
        _cadence(walk),
    )
    return Outcome(test, walk.span_s, values, flags)


def _steps(walk: Walk) -> Value:
    if not walk.both_legs:
        return Value.missing("test_walk_steps_n", BOTH_LEGS)
    return Value.within("test_walk_steps_n", float(walk.steps), 0.5, walk.steps)


def _cadence(walk: Walk) -> Value:
    if not walk.both_legs:
        return Value.missing("test_walk_cadence_steps_min", BOTH_LEGS)
    steps = np.diff(walk.ic_s)
    error = Error.of_mean(steps).times(1.25 * 60.0 / walk.step_s**2)  # 1.25: of a median
    return Value.within("test_walk_cadence_steps_min", 60.0 / walk.step_s, error, len(steps))


def steady_speed(walk: Walk, distance_m: float) -> float:
    """Of the strides in between, without starting and stopping."""
    if walk.through:
        return distance_m / walk.seconds
    return distance_m / (walk.steps - SHORT_STEPS) / walk.step_s


def personal(
    walks: Sequence[tuple[Walk, GuidedTest, Strided]], params: SpatialParams
) -> tuple[PersonalCalibration | None, str]:
    """What the timed walks together say of this wearer's stride length; else why not."""
    good = [
        (w, t, s)
        for w, t, s in walks
        if t.distance_m is not None and w.both_legs and not s.stratum.startswith("excluded")
    ]
    if not good:
        return None, "no timed walk that was found, with both thighs heard"
    uncalibrated = replace(params, calibration=None)
    seconds = sum(w.seconds for w, _, _ in good)
    metres = sum(w.seconds * steady_speed(w, t.distance_m or 0.0) for w, t, _ in good)
    found = lengths([x for _, _, s in good for x in s.counted], uncalibrated)
    try:
        return calibrate(metres, seconds, found, params.leg), ""
    except ConfigError as error:
        return None, str(error)


# ---- 2 minutes


def two_minutes(
    walk: Walk | None,
    strided: Strided | None,
    test: GuidedTest,
    params: SpatialParams,
    of_walking: tuple[Value, ...],
) -> Outcome:
    if walk is None or strided is None:
        return Outcome(test, None, tuple(Value.missing(m, NO_WALK) for m in TWO_MINUTES))
    found = [
        (w.stride, x.speed_m_s, x.length_m)
        for w, x in zip(strided.walked, lengths(strided.walked, params), strict=True)
    ]
    half = 0.5 * (walk.span_s[0] + walk.span_s[1])
    halves = ([v for s, v, _ in found if v is not None and s.end_s <= half],
              [v for s, v, _ in found if v is not None and s.start_s >= half])  # fmt: skip
    flags = () if abs(walk.seconds - 120.0) <= 5.0 else (f"walked {walk.seconds:.0f} s, not 120",)
    values = (
        Value.within("test_walk_time_s", walk.seconds, TIME_ERROR_S, walk.steps),
        _distance(walk, found, test, params),
        _steps(walk),
        _change("test_walk_speed_change_pct", *halves),
        _change(
            "test_walk_cadence_change_pct",
            [1.0 / s.duration_s for s, _, _ in found if s.end_s <= half],
            [1.0 / s.duration_s for s, _, _ in found if s.start_s >= half],
        ),
    )
    return Outcome(test, walk.span_s, (*values, *of_walking), flags)


def _distance(
    walk: Walk,
    found: Sequence[tuple[Stride, float | None, float | None]],
    test: GuidedTest,
    params: SpatialParams,
) -> Value:
    metric = "test_walk_distance_m"
    if test.distance_m is not None:
        return Value.within(metric, test.distance_m, 1.0, walk.steps, "as told")
    known = [(length, s.duration_s) for s, _, length in found if length is not None]
    if len(known) < 2 * FEWEST_STEPS:
        return Value(
            metric, None, None, len(known), f"not enough strides ({len(known)} of {2 * FEWEST_STEPS})"
        )
    covered = sum(t for _, t in known)
    metres = sum(length for length, _ in known) / covered * walk.seconds
    if params.calibration is not None:
        error, note = CALIBRATED_ERROR * metres, "calibrated by the timed walk"
        return Value.within(metric, metres, error, len(known), note)
    note = "not calibrated: add a 10-metre walk, or tell the distance"
    return Value.within(metric, metres, LENGTH_ERROR * metres, len(known), note)


def _change(metric: str, first: Sequence[float], second: Sequence[float]) -> Value:
    n = min(len(first), len(second))
    if n < 2 * FEWEST_STEPS:
        return Value(metric, None, None, n, f"not enough strides ({n} of {2 * FEWEST_STEPS} in a half)")
    x, y = np.array(first), np.array(second)
    value = 100.0 * math.log(float(y.mean() / x.mean()))
    # Strides hang together: as if every fourth one told something new.
    errors = [
        Error(100.0 * float(np.std(h, ddof=1) / h.mean() / math.sqrt(len(h) / 4.0)), len(h) / 4.0 - 1.0)
        for h in (x, y)
    ]
    return Value.within(metric, value, errors[0].and_(errors[1]), n)
