"""Five times sit-to-stand: rises from the thighs, lean from the pelvis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gaitmon.model import Floats, Side
from gaitmon.sessions.body import HZ, THIGH_OF, Body, longest
from gaitmon.sessions.record import GuidedTest
from gaitmon.sessions.standing import MARK_S, WALK_FIRST, Zero
from gaitmon.sessions.values import Error, Outcome, Value, of_repeats

RISES = 5
LEAST_DEG = 40.0  # between sitting and standing
SEATED, STOOD = 0.65, 0.30  # of that range, from standing: hysteresis
EDGE = 0.03  # of the range, of the lean: where a movement begins and ends
LEAN_BEFORE_S = 2.0  # within which the lean began before the thighs moved
TIME_ERROR_S = 0.15  # of a start or an end, against when a movement really begins (docs/validation.md)
METRICS = (
    "test_rising_time_s", "test_rising_n", "test_rising_one_s", "test_rising_lean_deg",
    "test_rising_rate_ln_pct", "test_rising_flexion_asym_deg",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rise:
    """Rows: start of leaning, thighs leave sitting, standing reached."""

    start: int
    off: int
    stood: int


def rising(body: Body, test: GuidedTest, zero: Zero | None) -> Outcome:
    where = _heard(body, body.at(test.start_s - MARK_S, test.stop_s + MARK_S))
    thighs, signed = _thighs(body, where)
    if not thighs:
        return _nothing(test, "no thigh sensor that was heard")
    flexion = np.mean(list(thighs.values()), axis=0)
    tilt = body.tilt(where)
    rises = find_rises(flexion, tilt)
    flags: tuple[str, ...] = () if signed else (f"{WALK_FIRST}; times are known without",)
    if len(rises) > RISES:
        flags += (f"{len(rises)} rises found, the first {RISES} count",)
        rises = rises[:RISES]
    if not rises:
        return _nothing(test, "no rise from sitting to standing found")
    span = body.time_s(where.start + rises[0].start), body.time_s(where.start + rises[-1].stood)
    n = len(rises)
    note = "" if np.isfinite(tilt).all() else "from the first movement of the thighs: the lean is not known"
    time = Value.within("test_rising_time_s", span[1] - span[0], math.sqrt(2.0) * TIME_ERROR_S, n, note)
    if n < RISES:
        time = Value("test_rising_time_s", None, None, n, f"not enough rises ({n} of {RISES})")
    each = [(r.stood - r.start) / HZ for r in rises]
    values = (
        time,
        Value.within("test_rising_n", float(n), 0.0, n),
        of_repeats("test_rising_one_s", each, "rises", Error(TIME_ERROR_S)),
        _lean(rises, tilt, zero),
        *_compared(rises, thighs if signed else {}, zero),
    )
    return Outcome(test, span, values, flags)


def _nothing(test: GuidedTest, why: str) -> Outcome:
    return Outcome(test, None, tuple(Value.missing(m, why) for m in METRICS))


def _heard(body: Body, where: slice) -> slice:
    """The longest part of a span in which every thigh that is worn was heard."""
    known = np.ones(where.stop - where.start, dtype=bool)
    for side, p in THIGH_OF.items():
        if p in body.chains:
            x = body.flexion(side, where) if body.aligned(p) else body.up[p][where, 0]
            known &= np.isfinite(x) if np.isfinite(x).any() else True
    found = longest(known)
    return slice(where.start + found.start, where.start + found.stop)


def _thighs(body: Body, where: slice) -> tuple[dict[Side, Floats], bool]:
    """Flexion of each thigh that was heard, deg; and whether it is that.  Without alignment it is 90 degrees
    less the lean from the first second of the span, in which the wearer sits."""
    worn = {s: p for s, p in THIGH_OF.items() if p in body.chains and where.stop - where.start > 2 * HZ}
    if worn and body.aligned(*worn.values()):
        found = {s: body.flexion(s, where) for s in worn}
        return {s: x for s, x in found.items() if np.isfinite(x).all()}, True
    out = {}
    for side, p in worn.items():
        seated = body.up[p][where.start : where.start + HZ].mean(axis=0)
        lean = body.leaning_deg(p, where, seated / np.linalg.norm(seated))
        if np.isfinite(lean).all():
            out[side] = 90.0 - lean
    return out, False


def find_rises(flexion_deg: Floats, tilt_deg: Floats) -> list[Rise]:
    """flexion_deg: (n,) of the thighs together, 100 Hz.  tilt_deg: (n,) of the pelvis, NaN: not known."""
    low, high = np.percentile(flexion_deg, (3.0, 97.0))
    reach = float(high - low)
    if reach < LEAST_DEG:
        return []
    seated = flexion_deg > low + SEATED * reach
    stood = flexion_deg < low + STOOD * reach
    out: list[Rise] = []
    sits, sat_down, left_seat = False, 0, 0
    for i in np.flatnonzero(seated | stood).tolist():
        if seated[i]:
            sat_down = sat_down if sits else i
            sits, left_seat = True, i
        elif sits:
            sits = False
            back = max(left_seat - round(LEAN_BEFORE_S * HZ), sat_down)
            out.append(_rise(flexion_deg, tilt_deg, (back, left_seat, i), reach))
    return out


def _rise(flexion: Floats, tilt: Floats, rows: tuple[int, int, int], reach: float) -> Rise:
    """rows: the first that may be its, the last above the upper limit, the first below the lower one."""
    back, left_seat, stood = rows
    level = float(flexion[max(left_seat - HZ, back) : left_seat + 1].max())
    still = np.flatnonzero(flexion[back:left_seat] > level - EDGE * reach)
    off = back + int(still[-1]) + 1 if len(still) else left_seat
    lowest = float(flexion[stood : stood + HZ].min())
    there = np.flatnonzero(flexion[stood : stood + HZ] <= lowest + EDGE * reach)
    end = stood + int(there[0])
    start = off
    lean = tilt[back:end]
    if len(lean) and np.isfinite(lean).all():
        peak = off - back + int(lean[off - back :].argmax())
        least = int(lean[: peak + 1].argmin())
        edge = lean[least] + EDGE * (lean[peak] - lean[least])
        start = min(off, back + least + int(np.flatnonzero(lean[least : peak + 1] >= edge)[0]))
    return Rise(start, off, end)


def _lean(rises: list[Rise], tilt: Floats, zero: Zero | None) -> Value:
    if not np.isfinite(tilt).all():
        return Value.missing("test_rising_lean_deg", "pelvis not known: no sensor, or " + WALK_FIRST)
    level = zero.tilt_deg if zero else 0.0
    leans = [float(tilt[r.start : r.stood].max()) - level for r in rises]
    return of_repeats("test_rising_lean_deg", leans, "rises", zero.error_deg if zero else Error(0.5))


def _compared(rises: list[Rise], thighs: dict[Side, Floats], zero: Zero | None) -> tuple[Value, Value]:
    rate, angle = METRICS[-2:]
    if len(thighs) < 2:
        why = "both thighs are needed, and " + WALK_FIRST
        return Value.missing(rate, why), Value.missing(angle, why)
    fastest: dict[Side, list[float]] = {}
    for side, x in thighs.items():
        extension = -np.gradient(x) * HZ
        fastest[side] = [float(extension[r.off : r.stood + 1].max()) for r in rises]
    ratios = [
        100.0 * math.log(r / left) for left, r in zip(fastest[Side.LEFT], fastest[Side.RIGHT], strict=True)
    ]
    apart = thighs[Side.RIGHT] - thighs[Side.LEFT]
    level = zero.flexion_deg[Side.RIGHT] - zero.flexion_deg[Side.LEFT] if zero else 0.0
    on_the_way = [float(apart[r.off : r.stood].mean()) - level for r in rises]
    return of_repeats(rate, ratios, "rises"), of_repeats(angle, on_the_way, "rises", Error(0.5))
