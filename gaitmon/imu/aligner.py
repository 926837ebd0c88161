"""Finds the alignment of all worn sensors together, once there has been enough walking.  Stateful."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import acos, cos, degrees, isfinite, isnan, nan, radians, sqrt

import numpy as np

from gaitmon.compiled import compiled, inner
from gaitmon.imu.alignment import (
    FlexionAxis,
    along,
    flexion_axis,
    horizontal_basis,
    pelvis_left,
    segment_rotation,
    unit,
    walking_frame_acc,
)
from gaitmon.imu.axis_sign import SURE, signed, taking_turns
from gaitmon.imu.chain import SensorChain
from gaitmon.imu.pelvis_axis import GUESS, pelvis_axis, sharpened
from gaitmon.model import Alignment, Bools, Floats, Placement

MIN_WALK = 400  # grid samples: 4 s of walking find the axis within 2 degrees
ENOUGH_WALK = 800  # 8 s within 1 degree
SETTLED_WALK = 2000  # 20 s: steady walking, not the few steps to a chair; not asked for again
STILL = 100  # grid samples looked at for stillness, of which half must be there
_NEAR_WALKING = cos(radians(35.0))  # standing is the stillness nearest to the posture of walking
_REST_M_S2, _REST_RAD_S = 0.6, 0.25  # at rest: within these, about the mean, on each axis
_AT_ONCE = 10  # seconds without walking looked at together
_FIRST_RESTS, _RESTS = 5, 30  # of STILL each: those taken as they are, and those that may be added
_SAME_STANCE = cos(radians(2.0))
MOVED_DEG = 10.0  # a strap that gave way by less is within how differently a person stands
_MOVED, _STEADY = cos(radians(MOVED_DEG)), cos(radians(8.0))
STANDING_DEG = 20.0  # a person who stands leans less from how she stood, a thigh that sits more
_STANDING = cos(radians(STANDING_DEG))
STOOD = 6  # rests on end
_THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.THIGH)


@dataclass(slots=True)
class Aligner:
    """still: the sensors' verticals, (sensors, 3), in recent seconds of rest, sitting and lying among them;
    NaN where one was not at rest.  worn: whose they are."""

    _worn: tuple[Placement, ...] = ()
    _still: deque[tuple[int, Floats]] = field(default_factory=lambda: deque(maxlen=240))
    _to_see: list[int] = field(default_factory=list)  # ends of seconds without walking, not looked at yet
    _count: int = 0
    _suspicious: int = 0
    _walking_up: dict[Placement, Floats] = field(default_factory=dict)

    def no_walking(self, now: int) -> bool:
        """Nobody walks at this tick.  Whether it is time to look, with ``see``: together they cost less."""
        if now % STILL == 0:
            self._to_see.append(now)
        return len(self._to_see) >= _AT_ONCE

    def see(self, chains: Mapping[Placement, SensorChain], alignments: Mapping[Placement, Alignment]) -> bool:
        """Look at the seconds without walking since the last call, before there is any walking again:
        remember the sensors' verticals of those in which everything worn was at rest.

        Whether for 4 s of this rest one sensor leaned otherwise than when it was aligned and all others
        leaned as they did.  Sitting tilts more than one; then it cannot be told.
        """
        if not self._to_see:
            return False
        ends, self._to_see = self._to_see, []
        self._worn = tuple(chains)
        up = _rests(ends[0] - STILL, ends[-1], chains)
        rested = np.asarray(np.isfinite(up[..., 0]).any(axis=0))
        self._still += [(now, up[:, i]) for i, now in enumerate(ends) if rested[i]]
        if not alignments:
            return False
        self._suspicious, moved = _suspicion(self._suspicious, up, self._aligned(alignments))
        return moved

    def _aligned(self, alignments: Mapping[Placement, Alignment]) -> Floats:
        """Verticals of those worn when they were aligned, (sensors, 3); NaN: they were not."""
        out = np.full((len(self._worn), 3), np.nan)
        for k, p in enumerate(self._worn):
            if p in alignments:
                out[k] = alignments[p].rotation[2]
        return out

    def moved_in_walk(self, start: int, end: int, chains: Mapping[Placement, SensorChain]) -> bool:
        """Whether a sensor's mean vertical over this walk differs from that of the walk it was aligned on."""
        for p, before in self._walking_up.items():
            n, *acc = _mean_acc(chains[p].raw.samples(start, end))
            if n >= MIN_WALK // 2 and _angle_deg(unit(np.array(acc)), before) > MOVED_DEG:
                return True
        return False

    def stood(self, first: int, last: int, alignments: Mapping[Placement, Alignment]) -> Floats:
        """The pelvis' vertical in its segment's own frame, (n, 3), in each second of standing at rest in grid
        indices (first, last], as far back as rests are remembered.

        Standing: pelvis and at least one thigh lean within STANDING_DEG of the standing of calibration, for
        STOOD seconds on end; of rests after the alignments in force only, which the earlier ones have made.
        """
        pelvis = alignments.get(Placement.PELVIS)
        if pelvis is None or not pelvis.flexion_known or not self._still:
            return np.empty((0, 3))
        first = max(first, *(round(100 * a.effective_s) for a in alignments.values()))
        aligned = self._aligned(alignments)
        k = self._worn.index(Placement.PELVIS)
        runs: list[list[Floats]] = []
        before = 0
        for at, up in self._still:
            if first < at <= last and _stands(up, aligned, k):
                if not runs or at - before > STILL:
                    runs.append([])
                runs[-1].append(up[k])
                before = at
        stood = np.array([up for run in runs if len(run) >= STOOD for up in run]).reshape(-1, 3)
        return np.stack([along(stood, axis) for axis in pelvis.rotation], axis=1)

    def align(
        self, start: int, end: int, chains: Mapping[Placement, SensorChain], effective: int
    ) -> list[Alignment]:
        """Alignments from the walk in grid indices [start, end), to be used from ``effective`` on."""
        walk = {p: c.raw.view(start, end) for p, c in chains.items()}
        good = _walked(start, end, chains)
        gravity = _gravity(good)
        self._walking_up.update(gravity)
        standing = self._standing(gravity)
        up = gravity | {p: u for p, u in standing.items() if p in gravity}
        self._count += 1
        out: list[Alignment] = []
        axes: dict[Placement, FlexionAxis] = {}
        for p in (q for q in good if q in _THIGHS):
            axes[p] = signed(flexion_axis(good[p][:, :3], good[p][:, 3:6], up[p]), p, walk, up)
        axes = taking_turns(axes, walk)
        for p, found in axes.items():
            quality = {"share": found.share, "sign": found.sign_score, "standing": float(p in standing)}
            rotation = segment_rotation(up[p], found.axis)
            known = found.sign_score >= SURE
            out.append(Alignment(p, self._count, effective / 100.0, rotation, known, quality))
        if Placement.PELVIS in good:
            p = Placement.PELVIS
            left, known, quality = _pelvis_left(walk, up[p], axes)
            quality["standing"] = float(p in standing)
            out.append(
                Alignment(p, self._count, effective / 100.0, segment_rotation(up[p], left), known, quality)
            )
        return out

    def _standing(self, gravity: Mapping[Placement, Floats]) -> dict[Placement, Floats]:
        """Mean vertical of the most recent rest in which each sensor leaned as it does in walking.

        A person who stands sways, 0.1 to 0.2 deg about the mean of 5 s: earlier rests count too, as long as
        every sensor leaned the same way in them.
        """
        picked: list[dict[Placement, Floats]] = []
        for _, up in reversed(self._still):
            ups = {p: u for p, u in zip(self._worn, up, strict=True) if not np.isnan(u[0])}
            shared = [p for p in ups if p in gravity]
            if shared and all(float(ups[p] @ gravity[p]) > _NEAR_WALKING for p in shared):
                same = all(
                    float(ups[p] @ picked[0][p]) > _SAME_STANCE for p in shared if picked and p in picked[0]
                )
                if len(picked) >= _FIRST_RESTS and not same:
                    break
                picked.append(ups)
                if len(picked) == _RESTS:
                    break
        found = {p for ups in picked for p in ups}
        return {p: unit(np.mean([u[p] for u in picked if p in u], axis=0)) for p in found}


def _rests(a: int, b: int, chains: Mapping[Placement, SensorChain]) -> Floats:
    """Of each sensor in each second of grid indices [a, b) its mean vertical, unit, shape (sensors, seconds,
    3); NaN where it was not heard, or something worn moved."""
    n = (b - a) // STILL
    up, moves = np.empty((len(chains), n, 3)), np.zeros(n, bool)
    for k, chain in enumerate(chains.values()):
        _second_by_second(chain.raw.samples(a, b), up[k], moves)
    up[:, moves] = np.nan
    return up


@compiled("Tuple((i8, f8, f8, f8))(f8[:, :])")
def _mean_acc(rows: Floats) -> tuple[int, float, float, float]:
    """How many of the rows (n, 6) were heard, and their mean acceleration along x, y and z."""
    n, x, y, z = 0, 0.0, 0.0, 0.0
    for i in range(len(rows)):
        if isfinite(rows[i, 0]):
            n, x, y, z = n + 1, x + rows[i, 0], y + rows[i, 1], z + rows[i, 2]
    heard = max(n, 1)
    return n, x / heard, y / heard, z / heard


@compiled("void(f8[:, :], f8[:, ::1], b1[::1])")
def _second_by_second(rows: Floats, up: Floats, moves: Bools) -> None:
    """rows: acc and gyr of one sensor, (n STILL, 6); without a gyroscope NaN, which is never too much.
    Writes up, (n, 3), NaN where too little was heard; marks in moves, (n,), where it moves."""
    for k in range(len(up)):
        second = rows[k * STILL : (k + 1) * STILL]
        n, x, y, z = _mean_acc(second)
        up[k] = nan
        if n < STILL // 2:
            continue
        length = max(sqrt(x * x + y * y + z * z), 1e-9)
        up[k, 0], up[k, 1], up[k, 2] = x / length, y / length, z / length
        for i in range(STILL):
            a, w = second[i, :3], second[i, 3:]
            if max(abs(a[0] - x), abs(a[1] - y), abs(a[2] - z)) > _REST_M_S2:
                moves[k] = True
            if abs(w[0]) > _REST_RAD_S or abs(w[1]) > _REST_RAD_S or abs(w[2]) > _REST_RAD_S:
                moves[k] = True


@inner
def _cosine(a: Floats, b: Floats) -> float:
    """Between unit vectors (3,); NaN where one is not known."""
    cosine: float = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return cosine


@compiled("Tuple((i8, b1))(i8, f8[:, :, ::1], f8[:, ::1])")
def _suspicion(seconds: int, up: Floats, aligned: Floats) -> tuple[int, bool]:
    """seconds: for how many on end, before these, one sensor has leaned otherwise than when it was aligned,
    and all others as they did.  Gives how many there are now, and whether they have become 4.

    up: (sensors, seconds, 3); aligned: (sensors, 3), up when they were aligned; NaN where not known.
    """
    moved = False
    for i in range(up.shape[1]):
        n, lean, steady = 0, 0, 0
        for k in range(len(up)):
            cosine = _cosine(up[k, i], aligned[k])
            n, lean, steady = n + (not isnan(cosine)), lean + (cosine < _MOVED), steady + (cosine > _STEADY)
        seconds = seconds + 1 if lean == 1 and n > 1 and steady == n - 1 else 0
        moved = moved or seconds == 4
    return seconds, moved


@compiled("b1(f8[:, :], f8[:, ::1], i8)")
def _stands(up: Floats, aligned: Floats, pelvis: int) -> bool:
    """Whether pelvis and at least one thigh, and all that is known, lean as they did when aligned."""
    known = 0
    for k in range(len(up)):
        cosine = _cosine(up[k], aligned[k])
        if cosine < _STANDING:
            return False
        known += not isnan(cosine)
    return known > 1 and not isnan(_cosine(up[pelvis], aligned[pelvis]))


def _walked(start: int, end: int, chains: Mapping[Placement, SensorChain]) -> dict[Placement, Floats]:
    """Rows of each sensor over grid indices [start, end) that were heard, where there are enough of them;
    their vertical may be missing."""
    good: dict[Placement, Floats] = {}
    for p, c in chains.items():
        if c.has_gyroscope or p is Placement.PELVIS:  # an accelerometer will do for the pelvis
            v = c.raw.view(start, end)
            good[p] = v[np.isfinite(v[:, : 6 if c.has_gyroscope else 3]).all(axis=1)]
    return {p: v for p, v in good.items() if len(v) >= MIN_WALK // 2}


def _gravity(walked: Mapping[Placement, Floats]) -> dict[Placement, Floats]:
    return {p: _up(v) for p, v in walked.items()}


def _up(rows: Floats) -> Floats:
    return unit(rows[:, :3].mean(axis=0))


def _angle_deg(a: Floats, b: Floats) -> float:
    return degrees(acos(max(-1.0, min(1.0, float(a @ b)))))


def moved_deg(before: Alignment, after: Alignment) -> float:
    """How far the sensor's vertical differs between two alignments, degrees."""
    return _angle_deg(before.rotation[2], after.rotation[2])


def _pelvis_left(
    walk: Mapping[Placement, Floats], up: Floats, axes: Mapping[Placement, FlexionAxis]
) -> tuple[Floats, bool, dict[str, float]]:
    """Leftward axis of the pelvis sensor, whether it is more than a guess, and how sure it is.

    From the pelvis alone where that is clear, else from both thighs.  walk: rows of SensorChain.raw per
    sensor over the same samples.
    """
    own = walk[Placement.PELVIS]
    alone = pelvis_axis(own[:, :3], own[:, 6:9], up)
    if alone is not None and alone.agreement >= GUESS:
        sharp = sharpened(alone, own[:, :3], own[:, 6:9], up)
        return sharp.left, True, {"agreement": alone.agreement}
    thighs = [p for p in (Placement.LEFT_THIGH, Placement.RIGHT_THIGH) if p in axes]
    rows = {p: walk[p] for p in (Placement.PELVIS, *thighs)}
    complete = np.logical_and.reduce([np.isfinite(r).all(axis=1) for r in rows.values()])
    if len(thighs) == 2 and complete.sum() >= MIN_WALK // 2:
        rows = {p: r[complete] for p, r in rows.items()}
        trunk = [walking_frame_acc(rows[p][:, :3], rows[p][:, 6:9], axes[p].axis) for p in thighs]
        own = rows[Placement.PELVIS]
        left, agreement = pelvis_left(own[:, :3], own[:, 6:9], up, trunk)
        return left, True, {"agreement_with_thighs": agreement}
    guess = horizontal_basis(up)[1] if alone is None else alone.left
    return guess, False, {"agreement": 0.0 if alone is None else alone.agreement}
