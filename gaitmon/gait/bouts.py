"""Walking bouts: strides joined, judged and summed up once no more can come.

A bout is at least 4 strides with no pause above 3 s between them (Mobilise-D).  What only the whole
bout can tell of a stride is decided here, once: whether it was straight, and whether it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from statistics import median

from gaitmon.gait.turns import MAX_STRIDE_TURN_RAD, find_turns, heading_change_rad
from gaitmon.model import Floats, Side, Stride, StrideVerdict, Turn

MAX_PAUSE_S = 3.0
MIN_STRIDES = 4
SHORT_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Heading:
    """yaw_rate_rad_s: shape (n,), left +, NaN where unknown; row 0 is grid index first."""

    first: int
    yaw_rate_rad_s: Floats


def judge(strides: Sequence[Stride], heading: Heading) -> tuple[tuple[StrideVerdict, ...], tuple[Turn, ...]]:
    """Verdicts in the order of the strides, and the bout's turns.

    strides: of one bout, both sides, any order.  A stride whose heading is unknown is not straight.
    """
    turns = find_turns(heading.yaw_rate_rad_s, heading.first)
    by_side: dict[Side | None, list[Stride]] = {}
    for s in sorted(strides, key=lambda s: s.start_s):
        by_side.setdefault(s.side, []).append(s)
    verdicts: dict[tuple[Side | None, int], StrideVerdict] = {}
    for side, own in by_side.items():
        curved = [_why_not_straight(s, turns, heading) for s in own]
        usual_s = median([s.duration_s for s in own])
        for i, s in enumerate(own):
            why = curved[i] or ("beside a turn" if "turn" in curved[max(i - 1, 0) : i + 2] else "")
            fault = why or _fault(own, i, usual_s)
            verdicts[side, s.ordinal] = StrideVerdict(side, s.ordinal, not why, not fault, fault)
    return tuple(verdicts[s.side, s.ordinal] for s in strides), tuple(turns)


def _why_not_straight(s: Stride, turns: Sequence[Turn], heading: Heading) -> str:
    if any(t.start_s < s.end_s and s.start_s < t.end_s for t in turns):
        return "turn"
    change = heading_change_rad(heading.yaw_rate_rad_s, heading.first, s.start_s, s.end_s)
    if isnan(change):
        return "heading unknown"
    return "curved" if abs(change) > MAX_STRIDE_TURN_RAD else ""


def _fault(own: Sequence[Stride], i: int, usual_s: float) -> str:
    """Why a straight stride does not count, "" if it does."""
    s = own[i]
    if "gap" in s.flags:
        return "gap"
    before = i > 0 and own[i - 1].end_s == s.start_s
    after = i + 1 < len(own) and own[i + 1].start_s == s.end_s
    if not (before and after):
        return "start or stop"
    if not 0.5 <= s.duration_s / usual_s <= 1.5:
        return "outlier"
    if s.stance_s is not None and not 0.45 <= s.stance_s / s.duration_s <= 0.80:
        return "implausible stance"
    return ""


def stratum(strides: Sequence[Stride], start_s: float, end_s: float) -> str:
    """What this bout may be compared with; excluded ones never mix with straight level walking.

    Stairs: thighs lifted above 45 degrees at less than 110 steps/min; running: above 150 steps/min.
    """
    cadence = 120.0 / median([s.duration_s for s in strides])
    lifted = [s.thigh_flexion_max_deg for s in strides if s.thigh_flexion_max_deg is not None]
    if cadence > 150.0:
        return "excluded:running"
    if lifted and median(lifted) > 45.0 and cadence < 110.0:
        return "excluded:stairs"
    return "straight" if end_s - start_s >= SHORT_S else "short"
