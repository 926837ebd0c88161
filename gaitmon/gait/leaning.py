"""How sensors lean from tick to tick, how that differs from walking, and whether they move at all.

Gravity of a batch of ticks: shape (ticks, sensors, 3), m/s², sensor frame, NaN where samples are missing.
"""

from __future__ import annotations

from math import isnan, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from gaitmon.compiled import compiled, inner
from gaitmon.model import Bools, Floats

Ints = NDArray[np.int64]

ELSEWHERE, THIGH, PELVIS = range(3)  # where a sensor is worn
UNTOLD, STANDS, SITS = range(3)  # of one thigh
UNKNOWN, STANDING, SITTING, SITTING_OR_LYING, LYING = range(5)


@compiled("void(f8[:, :], i8, f8[:, :], f8[:])")
def gravity_of(acc: Floats, tick: int, gravity: Floats, spread: Floats) -> None:
    """Of each tick of one sensor: the mean acceleration, and the largest standard deviation of its axes.

    acc: shape (ticks * tick, 3 or more).  gravity: shape (ticks, 3).
    """
    for i in range(len(gravity)):
        x = y = z = xx = yy = zz = 0.0
        for row in range(i * tick, (i + 1) * tick):
            x += acc[row, 0]
            y += acc[row, 1]
            z += acc[row, 2]
        x, y, z = x / tick, y / tick, z / tick
        for row in range(i * tick, (i + 1) * tick):
            xx += (acc[row, 0] - x) ** 2
            yy += (acc[row, 1] - y) ** 2
            zz += (acc[row, 2] - z) ** 2
        gravity[i, 0], gravity[i, 1], gravity[i, 2] = x, y, z
        spread[i] = sqrt(max(xx, yy, zz) / tick)


@compiled("b1[::1](f8[:, :, ::1], f8[:, ::1], f8)")
def still(gravity: Floats, spread: Floats, limit: float) -> Bools:
    """Whether in each tick all sensors that are heard, at least one, have less than this spread."""
    out = np.zeros(len(gravity), np.bool_)
    for i in range(len(gravity)):
        heard = moving = 0
        for k in range(gravity.shape[1]):
            if not isnan(gravity[i, k, 0]):
                heard += 1
                moving += spread[i, k] >= limit
        out[i] = heard > 0 and moving == 0
    return out


@compiled("i8[::1](f8[:, :, ::1], b1[::1], f8[:, ::1], f8, i8)")
def stillness(gravity: Floats, still: Bools, since: Floats, drift: float, number: int) -> Ints:
    """Of each tick the number of the stillness that it belongs to, or after it: that, negative.

    A stillness ends where any sensor moves, or has come further than ``drift`` on any axis from where it
    began.  since: shape (sensors, 3), where that was; is written.  number: of the tick before.
    """
    out = np.empty(len(gravity), np.int64)
    for i in range(len(gravity)):
        drifted = number <= 0
        for k in range(len(since)):
            for axis in range(3):
                drifted = drifted or abs(gravity[i, k, axis] - since[k, axis]) > drift
        if not still[i]:
            number = -abs(number)
        elif drifted:
            number = abs(number) + 1
            since[:] = gravity[i]
        out[i] = number
    return out


@inner
def _cosine(x: float, y: float, z: float, unit: Floats) -> float:
    """Of the angle between any vector and a unit one."""
    length = sqrt(x * x + y * y + z * z) or 1.0
    return float((x * unit[0] + y * unit[1] + z * unit[2]) / length)


@inner
def _point(x: float, y: float, z: float, unit: Floats) -> None:
    length = sqrt(x * x + y * y + z * z) or 1.0
    unit[0], unit[1], unit[2] = x / length, y / length, z / length


@compiled("b1(f8[:, :, ::1], b1[::1], f8[:, ::1], i8, f8)")
def learn(gravity: Floats, walking: Bools, up: Floats, fewest: int, anew: float) -> bool:
    """How each sensor leans in walking: at once when it was put on anew, else slowly.  Whether any was seen.

    up: shape (sensors, 3), unit, NaN where not known; is written.  fewest: ticks of walking that show it.
    anew: cosine below which it was put on anew.
    """
    learned = False
    for k in range(len(up)):
        x = y = z = seen = 0.0
        for i in range(len(gravity)):
            if walking[i] and not isnan(gravity[i, k, 0]):
                x += gravity[i, k, 0]
                y += gravity[i, k, 1]
                z += gravity[i, k, 2]
                seen += 1.0
        if not seen or seen < fewest:
            continue
        learned = True
        known = not isnan(up[k, 0]) and _cosine(x, y, z, up[k]) > anew
        a, b, c = up[k, 0], up[k, 1], up[k, 2]
        _point(x, y, z, up[k])
        if known:
            u, v, w = up[k, 0], up[k, 1], up[k, 2]
            _point(0.8 * a + 0.2 * u, 0.8 * b + 0.2 * v, 0.8 * c + 0.2 * w, up[k])
    return learned


@inner
def _bent(now: Floats, before: Floats, up: Floats, limit: float) -> bool:
    """Whether a thigh sits, of this tick and the one before together."""
    if isnan(before[0]):
        before = now
    return _cosine(now[0] + before[0], now[1] + before[1], now[2] + before[2], up) < limit


@compiled("i8[::1](f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1], UniTuple(f8, 3), f8)")
def postures(
    gravity: Floats, lean: Floats, worn: Ints, bent_at: tuple[float, float, float], lying_at: float
) -> Ints:
    """Of each tick, from how far each sensor leans from how it does in walking.

    lean: shape (2, sensors, 3): in walking, unit, and in the tick before, which is written.  worn: shape
    (2, sensors): where, and of thighs what they did in the tick before, which is written.  bent_at: cosine
    below which a thigh sits of which that is UNTOLD, that STANDS, that SITS.  lying_at: the pelvis's.
    """
    up, last = lean
    out = np.empty(len(gravity), np.int64)
    for i in range(len(gravity)):
        thighs = bent = 0
        lying = nan  # where the pelvis cannot tell
        for k in range(len(up)):
            now = gravity[i, k]
            if not isnan(now[0]) and not isnan(up[k, 0]):
                if worn[0, k] == PELVIS:
                    lying = 1.0 if _cosine(now[0], now[1], now[2], up[k]) < lying_at else 0.0
                elif worn[0, k] == THIGH:
                    sits = _bent(now, last[k], up[k], bent_at[worn[1, k]])
                    worn[1, k] = SITS if sits else STANDS
                    thighs += 1
                    bent += sits
        last[:] = gravity[i]
        if bent < thighs:
            out[i] = STANDING
        elif lying == 1.0:
            out[i] = LYING
        elif thighs == 0:
            out[i] = UNKNOWN
        else:
            out[i] = SITTING_OR_LYING if isnan(lying) else SITTING
    return out
