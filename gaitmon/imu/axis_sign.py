"""Which way along its flexion axis a thigh swings forward: what several witnesses say together.

Two are in flexion_axis itself: the swing is faster than the way back, and the jolt of landing comes when the
thigh is flexed.  Here two of the trunk's, and one that joins both thighs: while one comes forward the other
goes back, so what is sure of one is sure of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gaitmon.imu.alignment import FlexionAxis, correlation, same_way, swing_angle, walking_frame_acc
from gaitmon.imu.pelvis_axis import pelvis_axis
from gaitmon.model import Floats, Placement

MIN_ROWS = 200  # grid samples that both of two sensors must have
SURE = 0.2  # sum of the witnesses of a flexion axis' sign; below, forward and backward are not told apart
_TURNS = 0.5  # correlation of both thighs' angles: -0.55 or less, -0.8 from 0.9 m/s on, where signs are right
# Kinetic and potential energy hardly change places in very slow walking: on 210 simulated walkers at 0.5 to
# 0.6 m/s the trunk's witnesses were wrong in places up to an agreement of 0.44, and never above.
_EXCHANGE = (
    0.4,
    0.6,
)  # agreement of pelvis_axis from which the trunk is heard, and from which it counts in full


def signed(
    found: FlexionAxis, thigh: Placement, walk: Mapping[Placement, Floats], up: Mapping[Placement, Floats]
) -> FlexionAxis:
    """The axis with two more witnesses of its sign: the thigh's own exchange of energy, as the pelvis has
    it, and, where the pelvis knows its forward, the trunk's motion that both share.

    walk: rows of SensorChain.raw per sensor over the same samples.
    """
    rows = walk[thigh]
    score = found.sign_score
    alone = pelvis_axis(rows[:, :3], rows[:, 6:9], up[thigh])
    if alone is not None:
        score += float(alone.left @ found.axis) * alone.agreement * _heard(alone.agreement)
    if (pelvis := walk.get(Placement.PELVIS)) is not None and Placement.PELVIS in up:
        axis = pelvis_axis(pelvis[:, :3], pelvis[:, 6:9], up[Placement.PELVIS])
        both = np.isfinite(rows).all(axis=1) & np.isfinite(pelvis[:, :9]).all(axis=1)
        if axis is not None and _heard(axis.agreement) > 0.0 and both.sum() >= MIN_ROWS:
            mine = walking_frame_acc(rows[both, :3], rows[both, 6:9], found.axis)
            theirs = walking_frame_acc(pelvis[both, :3], pelvis[both, 6:9], axis.left)
            score += same_way(mine, theirs) * _heard(axis.agreement)
    return _with_score(found, score)


def taking_turns(
    axes: Mapping[Placement, FlexionAxis], walk: Mapping[Placement, Floats]
) -> dict[Placement, FlexionAxis]:
    """Both thighs' axes with one verdict on both signs, where their swings take turns clearly enough."""
    thighs = Placement.LEFT_THIGH, Placement.RIGHT_THIGH
    if not all(p in axes for p in thighs):
        return dict(axes)
    both = np.logical_and.reduce([np.isfinite(walk[p][:, :6]).all(axis=1) for p in thighs])
    if both.sum() < MIN_ROWS:
        return dict(axes)
    left, right = (axes[p] for p in thighs)
    together = correlation(*(swing_angle(walk[p][both, 3:6], axes[p].axis) for p in thighs))
    if abs(together) < _TURNS:
        return dict(axes)
    if together < 0.0:
        score = left.sign_score + right.sign_score
        return {
            **axes,
            thighs[0]: replace(left, sign_score=score),
            thighs[1]: replace(right, sign_score=score),
        }
    score = left.sign_score - right.sign_score  # one of them is the wrong way round
    return {**axes, thighs[0]: _with_score(left, score), thighs[1]: _with_score(right, -score)}


def _heard(agreement: float) -> float:
    low, high = _EXCHANGE
    return min(max((agreement - low) / (high - low), 0.0), 1.0)


def _with_score(found: FlexionAxis, score: float) -> FlexionAxis:
    return FlexionAxis(found.axis if score >= 0 else -found.axis, found.share, abs(score))
