"""A thigh's swings: where its flexion rate peaks, and what is read off the rate around a peak.

rows: as in gaitmon.gait.contacts.LimbSignals, of which only the flexion rate is read here.
"""

from __future__ import annotations

from math import isnan, nan

from gaitmon.compiled import compiled, inner
from gaitmon.model import Floats

_RATE = 0
_BACK, _ON = 80, 80  # grid samples around a peak: its forward sweep
_RISE, _FALL = 60, 40  # and what may belong to its middle


@inner
def _is_highest(rows: Floats, peak: int, hood: int) -> bool:
    """Within hood samples on either side, of which none is missing."""
    for i in range(max(peak - hood, 0), min(peak + hood + 1, len(rows))):
        if not rows[i, _RATE] <= rows[peak, _RATE]:
            return False
    return True


@inner
def _sweep_rad(rows: Floats, peak: int) -> float:
    """Forward angle swept around the peak while the rate stays positive, rad; NaN where samples are missing.
    The peak counts for both halves of the swing."""
    swept = 0.0
    for i in range(peak, max(peak - _BACK, 0) - 1, -1):
        if rows[i, _RATE] <= 0.0:
            break
        swept += rows[i, _RATE]
    for i in range(peak, min(peak + _ON, len(rows))):
        if rows[i, _RATE] <= 0.0:
            break
        swept += rows[i, _RATE]
    return swept / 100.0


@compiled("i8(f8[:, ::1], i8, i8, i8, UniTuple(f8, 2))")
def peak_or_hole(rows: Floats, start: int, end: int, hood: int, least: tuple[float, float]) -> int:
    """The first row from start on, and before end, that is a swing peak or the last missing one of a hole;
    end where there is none.

    start: at least 1; end: at most the last row.  A swing peak is the highest within hood samples on either
    side and, at least, of this rate (rad/s) and in a forward sweep of this angle (rad).
    """
    least_rad_s, least_rad = least
    for i in range(start, end):
        rate = rows[i, _RATE]
        if isnan(rate):
            if not isnan(rows[i + 1, _RATE]):
                return i
        elif (
            rate > least_rad_s
            and rows[i - 1, _RATE] < rate >= rows[i + 1, _RATE]
            and _is_highest(rows, i, hood)
            and _sweep_rad(rows, i) >= least_rad
        ):
            return i
    return end


@inner
def _height_rad_s(rows: Floats, peak: int) -> float:
    """Of the parabola through the peak and its two neighbours."""
    left, mid, right = rows[peak - 1, _RATE], rows[peak, _RATE], rows[peak + 1, _RATE]
    bend = left - 2.0 * mid + right
    if bend >= 0.0:
        return float(mid)
    return float(mid - 0.125 * (left - right) * (left - right) / bend)


@inner
def _begins(rows: Floats, peak: int, share: float) -> float:
    """Where the rate last rises through this share of its height before the peak, grid samples from there
    (< 0, between two samples); NaN where it does not, or samples are missing."""
    level = share * _height_rad_s(rows, peak)
    for i in range(peak, max(peak - _BACK, 0) - 1, -1):
        outside = rows[i, _RATE] - level
        if outside < 0.0:
            inside = rows[i + 1, _RATE] - level
            return float(i - peak + outside / (outside - inside))
    return nan


@inner
def _middle(rows: Floats, peak: int) -> float:
    """Centre of what is above half of the peak, grid samples from there."""
    least = 0.5 * rows[peak, _RATE]
    moment = total = 0.0
    for i in range(peak - 1, max(peak - _RISE, 0) - 1, -1):
        if not rows[i, _RATE] > least:
            break
        moment += (i - peak) * (rows[i, _RATE] - least)
        total += rows[i, _RATE] - least
    for i in range(peak, min(peak + _FALL, len(rows))):
        if not rows[i, _RATE] > least:
            break
        moment += (i - peak) * (rows[i, _RATE] - least)
        total += rows[i, _RATE] - least
    return moment / total


@compiled("UniTuple(f8, 2)(f8[:, ::1], i8, f8)")
def begin_and_middle(rows: Floats, peak: int, share: float) -> tuple[float, float]:
    """Of the swing with this peak, grid samples from it: where the thigh begins to come forward (the rate
    rises through this share of its height; NaN where it does not), and the middle of the swing, for the peak
    of a slow one is flat, or two."""
    return _begins(rows, peak, share), _middle(rows, peak)
