"""From the motion of the segments to what a perfect sensor on them would measure.

Angular rate and specific force follow in closed form from the pose: no numerical differentiation.
Everything is computed in the heading frame (x along the walker's heading, z up), which turns with the
heading and moves with the walking speed; its own motion is part of the acceleration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaitmon.model import Floats, Placement, Side
from gaitmon.simulate.calculus import Jet, Ring
from gaitmon.simulate.normative import GRAVITY_M_S2
from gaitmon.simulate.params import DEFAULT_POSITION_M, SensorParams, TissueParams
from gaitmon.simulate.trajectory import Body, Segment

HALF_HIP_WIDTH_M = 0.085
WOBBLE_AXIS = np.array([0.15, 0.95, 0.27]) / np.linalg.norm([0.15, 0.95, 0.27])  # mostly flexion (R)
LIMB_PULSE = np.array([-0.6, 0.1, 1.0])  # up along the limb and backward: braking (R)
_RIPPLE_HZ = (3.7, 5.3, 8.9)


@dataclass(frozen=True, slots=True, eq=False)
class Spin:
    """Angular rate and acceleration of a segment in its own axes, and its rotation to the heading frame."""

    rate: Floats
    accel: Floats
    rotation: Floats  # (n, 3, 3): v_heading = rotation @ v_segment

    def carry(self, r: Floats) -> Floats:
        """Acceleration of a point fixed at r (3,) of the segment against its origin, segment axes."""
        return np.cross(self.accel, r) + np.cross(self.rate, np.cross(self.rate, r))

    def to_heading(self, v: Floats) -> Floats:
        out: Floats = np.einsum("nij,nj->ni", self.rotation, v)
        return out

    def to_segment(self, v: Floats) -> Floats:
        out: Floats = np.einsum("nji,nj->ni", self.rotation, v)
        return out


def spin(segment: Segment, heading: Jet) -> Spin:
    """Angular rate in segment axes: x roll' - yaw' sin, y pitch' cos + yaw' cos sin, z likewise."""
    roll, pitch = segment.roll, segment.pitch
    yaw1, yaw2 = segment.yaw.rate + heading.rate, segment.yaw.accel + heading.accel
    sp, cp = np.sin(pitch.value), np.cos(pitch.value)
    sr, cr = np.sin(roll.value), np.cos(roll.value)
    sy, cy = np.sin(segment.yaw.value), np.cos(segment.yaw.value)
    r1, p1 = roll.rate, pitch.rate
    rate = np.stack([r1 - yaw1 * sp, p1 * cr + yaw1 * cp * sr, -p1 * sr + yaw1 * cp * cr], axis=1)
    accel = np.stack(
        [
            roll.accel - yaw2 * sp - yaw1 * p1 * cp,
            pitch.accel * cr - p1 * r1 * sr + yaw2 * cp * sr - yaw1 * p1 * sp * sr + yaw1 * r1 * cp * cr,
            -pitch.accel * sr - p1 * r1 * cr + yaw2 * cp * cr - yaw1 * p1 * sp * cr - yaw1 * r1 * cp * sr,
        ],
        axis=1,
    )
    rotation = np.empty((len(sp), 3, 3))
    rotation[:, 0, 0], rotation[:, 0, 1], rotation[:, 0, 2] = (
        cy * cp,
        cy * sp * sr - sy * cr,
        cy * sp * cr + sy * sr,
    )
    rotation[:, 1, 0], rotation[:, 1, 1], rotation[:, 1, 2] = (
        sy * cp,
        sy * sp * sr + cy * cr,
        sy * sp * cr - cy * sr,
    )
    rotation[:, 2, 0], rotation[:, 2, 1], rotation[:, 2, 2] = -sp, cp * sr, cp * cr
    return Spin(rate, accel, rotation)


def pelvis_acceleration(body: Body) -> Floats:
    """Acceleration of the midpoint of the hips, in heading axes (n, 3)."""
    x, y, z = body.offset
    w, w1 = body.heading.rate, body.heading.accel
    return np.stack(
        [
            body.speed.rate + x.accel - 2.0 * w * y.rate - w1 * y.value - w**2 * x.value,
            body.speed.value * w + y.accel + 2.0 * w * x.rate + w1 * x.value - w**2 * y.value,
            z.accel,
        ],
        axis=1,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Impacts:
    """Onsets of the contact transients of one side and their amplitudes relative to the walker's own."""

    onset_s: Floats
    amplitude: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Shaking:
    """What soft tissue adds to one sensor over one block: m along the limb, rad about the wobble axis."""

    along: Jet
    about: Jet


class Tissue:
    """The ringing after each contact.  A block sees the impacts of the whole recording."""

    def __init__(self, params: TissueParams, impacts: dict[Side, Impacts], phases: Floats) -> None:
        self._params, self._impacts, self._phases = params, impacts, phases
        decay = 1.0 / (params.wobble_damping * 2.0 * np.pi * params.wobble_hz)
        self._pulse = Ring(params.transient_hz, params.transient_decay_s, 0.012)
        self._wobble = Ring(params.wobble_hz, decay, 0.035)

    def shaking(self, placement: Placement, body: Body) -> Shaking:
        n, params = len(body.t_s), self._params
        along, about = Jet.zeros(n), Jet.zeros(n)
        for side, impacts in self._impacts.items():
            own = placement.side is side
            share = 1.0 if own else params.conducted_other
            if placement is Placement.PELVIS:
                share = params.conducted_pelvis
            near = (impacts.onset_s < body.t_s[-1]) & (impacts.onset_s > body.t_s[0] - self._wobble.length_s)
            onset, amplitude = impacts.onset_s[near], impacts.amplitude[near]
            if params.transient_m_s2 > 0.0:
                size = params.transient_m_s2 * share
                self._pulse.add(along, body.t_s, onset, amplitude * size, of_accel=True)
            if params.wobble_deg > 0.0:
                share = params.wobble_pelvis if placement is Placement.PELVIS else share
                angle = float(np.radians(params.wobble_deg)) * share
                self._wobble.add(about, body.t_s, onset, amplitude * angle, of_accel=False)
        if params.ripple_deg > 0.0 and placement is not Placement.PELVIS:
            about = about + self._ripple(placement, body)
        return Shaking(along, about)

    def _ripple(self, placement: Placement, body: Body) -> Jet:
        amplitude = float(np.radians(self._params.ripple_deg)) / np.sqrt(1.5)
        row = 0 if placement is Placement.LEFT_THIGH else 1
        out = Jet.zeros(len(body.t_s))
        for frequency, phase in zip(_RIPPLE_HZ, self._phases[row], strict=True):
            w = 2.0 * np.pi * frequency
            s, c = np.sin(w * body.t_s + phase), np.cos(w * body.t_s + phase)
            out = out + Jet(s * amplitude, c * (amplitude * w), s * (-amplitude * w * w))
        return out * body.gain


def measured(
    placement: Placement,
    sensor: SensorParams,
    body: Body,
    *,
    pelvis: Spin,
    pelvis_acc: Floats,
    shaking: Shaking,
) -> tuple[Floats, Floats]:
    """Specific force and angular rate (n, 3) in segment axes, soft tissue included."""
    r = np.array(DEFAULT_POSITION_M[placement] if sensor.position_m is None else sensor.position_m)
    side = placement.side
    if side is None:
        segment, origin_acc, pulse = pelvis, pelvis_acc, np.array([-0.5, 0.0, 1.0])
    else:
        outward = 1.0 if side is Side.LEFT else -1.0
        hip = np.array([0.0, outward * HALF_HIP_WIDTH_M, 0.0])
        segment = spin(body.thigh[side], body.heading)
        origin_acc = pelvis_acc + pelvis.to_heading(pelvis.carry(hip))
        pulse = LIMB_PULSE * np.array([1.0, outward, 1.0])
    force = segment.to_segment(origin_acc + np.array([0.0, 0.0, GRAVITY_M_S2])) + segment.carry(r)
    rate = segment.rate
    if shaking.along.value.any():
        u, u1, u2 = (
            part[:, None] * pulse for part in (shaking.along.value, shaking.along.rate, shaking.along.accel)
        )
        moved = np.cross(segment.accel, u) + np.cross(rate, np.cross(rate, u))
        force = force + u2 + 2.0 * np.cross(rate, u1) + moved
    if shaking.about.value.any():
        return turned(force, rate, WOBBLE_AXIS, shaking.about)
    return force, rate


def turned(force: Floats, rate: Floats, axis: Floats, angle: Jet) -> tuple[Floats, Floats]:
    """The same motion seen by a sensor that itself turns about a fixed axis of the segment by angle."""
    c, s = np.cos(angle.value)[:, None], np.sin(angle.value)[:, None]

    def back(v: Floats) -> Floats:
        along = (v @ axis)[:, None] * axis
        out: Floats = along + c * (v - along) - s * np.cross(axis, v)
        return out

    return back(force), back(rate) + angle.rate[:, None] * axis
