"""Quiet stance and single-leg stance: what the pelvis does while the body stays where it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gaitmon.model import Floats, Placement, Side
from gaitmon.sessions.body import HZ, THIGH_OF, Body, longest, runs
from gaitmon.sessions.record import GuidedTest
from gaitmon.sessions.values import Error, Outcome, Value, error_of_mean

MARK_S = 2.0  # how far off a person marks
MIN_STANCE_S = 5.0  # CLINICAL 1.7
SEATED_DEG = 45.0  # a thigh flexed further sits or lies (Lugade 2013)
LIFTED_DEG = 12.0  # flexion of the other thigh above standing: no sway reaches it
LEFT_GROUND_DEG = 4.0  # where that lift is taken to have begun
TOUCH_S = 0.3  # a thigh that comes down for less has not stood on its foot
MIN_HOLD_S = 3.0
HEARD = 0.9  # of the samples; a value from less is not given
SETTLING_S = 0.7  # after the lift and before the foot comes down: weight still shifts
END_S = 3.0
# What a vertical from gyroscope and accelerometer is off by over half a minute of standing, RMS, on simulated
# walkers (docs/validation.md, sessions).
VERTICAL_DEG = 0.25

STANCE = ("test_stance_tilt_deg", "test_stance_obliquity_deg", "test_stance_sway_deg")
DROPS = tuple(f"test_single_leg_drop_{when}_deg" for when in ("mean", "max", "end"))
SWAY = "test_single_leg_sway_deg"
WALK_FIRST = "walk ten steps first: angles need it"


@dataclass(frozen=True, slots=True, eq=False)
class Zero:
    """How this person stood on both feet: what angles are told against.

    up: per sensor the vertical in its own frame.  error_deg: of the means.  source: for the reader.
    """

    tilt_deg: float
    obliquity_deg: float
    flexion_deg: dict[Side, float]
    up: dict[Placement, Floats]
    error_deg: Error
    source: str


def zero_of(body: Body, where: slice, source: str) -> Zero:
    up = {p: x[where].mean(axis=0) for p, x in body.up.items()}
    return Zero(
        float(body.tilt(where).mean()),
        float(body.obliquity(where).mean()),
        {s: float(body.flexion(s, where).mean()) for s in Side},
        {p: u / np.linalg.norm(u) for p, u in up.items()},
        error_of_mean(body.obliquity(where), HZ),
        source,
    )


def quietest(body: Body, start_s: float, stop_s: float) -> slice:
    """The longest stretch in a span without a movement."""
    where = body.at(start_s, stop_s)
    found = longest(body.quiet(where))
    return slice(where.start + found.start, where.start + found.stop)


def quiet_stance(body: Body, test: GuidedTest) -> tuple[Outcome, Zero | None]:
    """The zero of the session, too, where there was enough standing."""
    where = quietest(body, test.start_s, test.stop_s)
    seconds = (where.stop - where.start) / HZ
    quiet = Value.within("test_stance_quiet_s", seconds, 1.0 / HZ, round(seconds))
    if seconds < MIN_STANCE_S:
        why = f"not enough quiet standing ({seconds:.1f} of {MIN_STANCE_S:.0f} s)"
        return Outcome(test, None, (quiet, *(Value.missing(m, why) for m in STANCE))), None
    span = body.time_s(where.start), body.time_s(where.stop)
    zero = zero_of(body, where, "quiet stance of this session")
    flexed = [x for x in zero.flexion_deg.values() if abs(x) > SEATED_DEG]
    if flexed:
        why = f"not standing: the thighs are flexed by {max(flexed):.0f} degrees"
        return Outcome(
            test, span, tuple(Value.missing(m, why) for m in ("test_stance_quiet_s", *STANCE))
        ), None
    flags = (
        ()
        if seconds > 0.8 * (test.stop_s - test.start_s) - MARK_S
        else ("moved: the longest stretch counts",)
    )
    why = _no_pelvis(body)
    if not why and not np.isfinite(body.tilt(where)).all():
        why = "angles of the pelvis are not known: samples are missing, or the sensor has no gyroscope"
    if why:
        return Outcome(test, span, (quiet, *(Value.missing(m, why) for m in STANCE)), flags), zero
    tilt, obliquity = body.tilt(where), body.obliquity(where)
    means = (
        Value.within(metric, float(x.mean()), error_of_mean(x, HZ).and_(Error(VERTICAL_DEG)), round(seconds))
        for metric, x in zip(STANCE, (tilt, obliquity), strict=False)
    )
    sway = Value.within(STANCE[2], *_sway(tilt, obliquity), round(seconds))
    return Outcome(test, span, (quiet, *means, sway), flags), zero


def _no_pelvis(body: Body) -> str:
    if Placement.PELVIS not in body.chains:
        return "no pelvis sensor"
    return "" if body.aligned(Placement.PELVIS) else WALK_FIRST


def _sway(tilt: Floats, obliquity: Floats) -> tuple[float, Error]:
    """Root of the summed variances about a straight line, and its error from stretches of the time."""
    parts = []
    for x in (tilt, obliquity):
        t = np.arange(len(x)) - 0.5 * (len(x) - 1)
        parts.append(x - x.mean() - t * (t @ x) / (t @ t))
    square = parts[0] ** 2 + parts[1] ** 2
    sway = math.sqrt(float(square.mean()))
    return sway, error_of_mean(square, HZ).times(0.5 / sway) if sway > 0.0 else Error(0.0)


# ---- on one leg


def single_leg(body: Body, test: GuidedTest, zero: Zero | None) -> Outcome:
    """zero: of the session; without one, of the standing on both feet just before the lift."""
    stands = test.side or Side.LEFT  # the record does not let it be missing
    where = body.at(test.start_s - 2.0 * MARK_S, test.stop_s + 2.0 * MARK_S)
    lifted, other = (_lifted(body, s, where, zero) for s in (stands.other, stands))
    if lifted is None:
        return _nothing(test, f"no {THIGH_OF[stands.other].replace('_', ' ')} sensor that was heard")
    holds = [h for h in runs(lifted > LIFTED_DEG, round(TOUCH_S * HZ)) if h.stop - h.start >= 0.5 * HZ]
    up, wrong = (0 if x is None else int((x > LIFTED_DEG).sum()) for x in (lifted, other))
    if wrong > max(up, HZ):
        return _nothing(test, f"the {stands} thigh was lifted, and the {stands} leg should have stood")
    marked = body.at(test.start_s, test.stop_s)  # a step beside the marks is none of it
    holds = [h for h in holds if marked.start <= where.start + (h.start + h.stop) // 2 < marked.stop]
    if not holds:
        return _nothing(
            test, f"the {stands.other} thigh was not lifted by {LIFTED_DEG:.0f} degrees between the marks"
        )
    hold = _whole_lift(lifted, max(holds, key=lambda h: h.stop - h.start))
    flags: tuple[str, ...] = (
        () if len(holds) == 1 else (f"foot down in between: the longest of {len(holds)} holds counts",)
    )
    if hold.start == 0 or hold.stop == len(lifted):
        flags += ("begins or ends beyond what was marked: held at least this long",)
    held = slice(where.start + hold.start, where.start + hold.stop)
    seconds = (held.stop - held.start) / HZ
    span = body.time_s(held.start), body.time_s(held.stop)
    time = Value.within("test_single_leg_held_s", seconds, 0.1, round(seconds))
    inside = slice(held.start + round(SETTLING_S * HZ), held.stop - round(SETTLING_S * HZ))
    why = _no_pelvis(body)
    if not why and (inside.stop - inside.start) < MIN_HOLD_S * HZ:
        why = f"not enough time on one leg ({seconds:.1f} s)"
    if not why and np.isfinite(body.obliquity(inside)).mean() < HEARD:
        why = "samples of the pelvis sensor are missing"
    if why:
        return Outcome(test, span, (time, *(Value.missing(m, why) for m in (*DROPS, SWAY))), flags)
    zero = zero or _zero_before(body, held.start)
    note = f"against {zero.source}"
    return Outcome(test, span, (time, *_drops(body, inside, stands, zero, note)), flags)


def _nothing(test: GuidedTest, why: str) -> Outcome:
    metrics = ("test_single_leg_held_s", *DROPS, SWAY)
    return Outcome(test, None, tuple(Value.missing(m, why) for m in metrics))


def _lifted(body: Body, side: Side, where: slice, zero: Zero | None) -> Floats | None:
    """Flexion of a thigh above that in standing, deg; without alignment its unsigned lean from standing."""
    placement = THIGH_OF[side]
    if placement not in body.chains or where.stop - where.start < HZ:
        return None
    if body.aligned(placement):
        level = zero.flexion_deg[side] if zero else 0.0
        flexion = body.flexion(side, where) - level
        return np.nan_to_num(flexion) if np.isfinite(flexion).mean() > HEARD else None
    standing = slice(where.start, where.start + HZ)
    reference = zero.up[placement] if zero else body.up[placement][standing].mean(axis=0)
    if not np.isfinite(reference).all():
        return None
    return np.nan_to_num(body.leaning_deg(placement, where, reference / np.linalg.norm(reference)))


def _whole_lift(lifted: Floats, hold: slice) -> slice:
    """From where the thigh began to leave standing to where it is back, at most a second away."""
    down = lifted < LEFT_GROUND_DEG
    before = np.flatnonzero(down[max(hold.start - HZ, 0) : hold.start])
    after = np.flatnonzero(down[hold.stop : hold.stop + HZ])
    start = max(hold.start - HZ, 0) + int(before[-1]) + 1 if len(before) else hold.start
    return slice(start, hold.stop + int(after[0]) if len(after) else hold.stop)


def _zero_before(body: Body, lift: int) -> Zero:
    """Of the last seconds on both feet, weight not yet shifted; else of the calibration."""
    found = quietest(body, body.time_s(lift) - 4.0, body.time_s(lift) - 0.5)
    if found.stop - found.start >= HZ:
        return zero_of(body, found, "the standing just before")
    return Zero(0.0, 0.0, dict.fromkeys(Side, 0.0), {}, Error(0.5), "the standing of calibration")


def _drops(body: Body, inside: slice, stands: Side, zero: Zero, note: str) -> tuple[Value, ...]:
    sign = 1.0 if stands is Side.LEFT else -1.0
    tilt, obliquity = body.tilt(inside), body.obliquity(inside)
    tilt, obliquity = tilt[np.isfinite(tilt)], obliquity[np.isfinite(obliquity)]
    drop = sign * (obliquity - zero.obliquity_deg)
    n = round(len(drop) / HZ)
    shared = zero.error_deg.and_(Error(VERTICAL_DEG))
    box = np.full(30, 1.0 / 30)
    smooth = np.convolve(drop, box, "valid")
    end = drop[-round(END_S * HZ) :]
    errors = (error_of_mean(drop, HZ), Error(float(np.std(drop)) / 2.0), Error(float(np.std(end))))
    found = (float(drop.mean()), float(smooth.max()), float(end.mean()))
    values = (
        Value.within(metric, x, own.and_(shared), n, note)
        for metric, x, own in zip(DROPS, found, errors, strict=True)
    )
    return (*values, Value.within(SWAY, *_sway(tilt, obliquity), n))
