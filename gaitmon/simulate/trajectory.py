"""Where every segment is at any moment, with exact derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from gaitmon.model import Floats, Side
from gaitmon.simulate.calculus import Jet
from gaitmon.simulate.normative import GRAVITY_M_S2, LOWEST_SPEED, SPEED_CENTRE, SPEED_SCALE, normative
from gaitmon.simulate.params import WalkerParams
from gaitmon.simulate.person import Person, make_person, stance_window
from gaitmon.simulate.plan import Plan
from gaitmon.simulate.steps import Walked

BLOCK = 8192  # samples at a time: the arrays stay in the cache
_SWAY_HZ = ((0.11, 0.31, 0.73), (0.09, 0.27, 0.61))  # sagittal, frontal sway of standing (R)
_WANDER_HZ = (0.043, 0.117)
_SOFT_M_S = 0.02
_YAW_SHARED = 0.6  # of the pelvis' rotation that the thigh takes part in (R)


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Orientation Rz(heading + yaw) Ry(pitch) Rx(roll) of a segment; pitch is + forward (thigh: -flexion)."""

    roll: Jet
    pitch: Jet
    yaw: Jet


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """The whole lower body over one block of times.

    heading: rad, left +.  speed: along the heading.  offset: displacement of the pelvis (midpoint of
    the hips) from a point that moves along the heading with that speed: forward, left, up in m.
    """

    t_s: Floats
    heading: Jet
    speed: Jet
    offset: tuple[Jet, Jet, Jet]
    pelvis: Segment
    thigh: dict[Side, Segment]
    gain: Jet


@dataclass(slots=True, eq=False)
class _Gait:
    """What walking adds, summed over the walks of a block."""

    pelvis: Jet  # (6, n)
    limb: dict[Side, Jet]  # (3, n)
    drop: Jet
    sway: Jet


class Trajectory:
    """The motion of one walker through one plan; times in s on the common clock."""

    def __init__(self, plan: Plan, walker: WalkerParams, seed: int) -> None:
        self.plan, self.walker = plan, walker
        self._person: Person = make_person(walker, normative())
        rng = np.random.default_rng(np.random.SeedSequence([seed, 7002]))
        self._sway_phase = rng.uniform(0.0, 2.0 * np.pi, (2, 3))
        self._wander_phase = rng.uniform(0.0, 2.0 * np.pi, 2)

    def blocks(self, t_s: Floats, offsets_s: Floats | None = None) -> Iterator[tuple[slice, Body]]:
        """The motion at sorted times, some thousand at a time: which of them, and the motion there.

        offsets_s: (k,) sorted, closer together than the times: each time becomes k around it, in a row.
        """
        offsets = np.zeros(1) if offsets_s is None else offsets_s
        size = BLOCK // len(offsets)
        for start in range(0, len(t_s), size):
            where = slice(start, min(start + size, len(t_s)))
            yield where, self.body((t_s[where, np.newaxis] + offsets).ravel())

    def body(self, t_s: Floats) -> Body:
        """t_s: (n,), sorted."""
        plan = self.plan
        gain, speed = plan.gain(t_s), plan.speed(t_s)
        gait = self._gait(t_s, speed)
        sagittal, frontal = self._standing_sway(t_s)
        pose = {name: profile(t_s) for name, profile in plan.posture.items()}
        leg = self.walker.leg_length_m

        yaw = gait.pelvis.row(2) * gain
        pelvis = Segment(
            roll=gait.pelvis.row(1) * gain + gait.drop * gain + pose["roll"] + frontal,
            pitch=gait.pelvis.row(0) * gain + pose["tilt"] + plan.lean(t_s) + sagittal,
            yaw=yaw,
        )
        inner = plan.inner(t_s)
        thigh = {}
        for side in Side:
            excursion = gain + (gain * inner) * (1.0 if side is Side.RIGHT else -1.0)
            flexion = gait.limb[side].row(0) * excursion + pose[f"{side.value}_flexion"] - sagittal
            thigh[side] = Segment(
                roll=gait.limb[side].row(1) * gain + frontal,
                pitch=-flexion,
                yaw=yaw * _YAW_SHARED + gait.limb[side].row(2) * gain,
            )
        offset = (
            gait.pelvis.row(3) * gain + pose["forward"] + sagittal * leg,
            gait.pelvis.row(4) * gain + gait.sway * gain - frontal * leg,
            gait.pelvis.row(5) * gain + pose["up"],
        )
        heading = plan.heading(t_s) + self._wander(t_s) * gain
        return Body(t_s, heading, speed, offset, pelvis, thigh, gain)

    def _gait(self, t_s: Floats, speed: Jet) -> _Gait:
        n = len(t_s)
        gait = _Gait(
            Jet.zeros((6, n)), {side: Jet.zeros((3, n)) for side in Side}, Jet.zeros(n), Jet.zeros(n)
        )
        for walked in self.plan.walks:
            where = slice(*(int(i) for i in np.searchsorted(t_s, (walked.start_s, walked.end_s))))
            if where.stop > where.start:
                self._add_walk(gait, walked, t_s[where], speed.at(where), where)
        return gait

    def _add_walk(self, gait: _Gait, walked: Walked, t_s: Floats, speed: Jet, where: slice) -> None:
        u = self._centred(walked, speed)
        phase = _phase(walked.pelvis_phase, t_s)
        gait.pelvis.add_at(where, self._person.pelvis(phase, u))
        stairs = self.plan.stairs(t_s)
        for side in Side:
            phase = _phase(walked.limb_phase[side], t_s)
            limb = self._person.limb[side](phase, u)
            flexion = self._person.extension[side](limb.row(0))
            if stairs.value.any():
                climbing = self._person.stairs(phase, u)
                flexion = flexion + (climbing.row(0) - flexion) * stairs
            limb.value[0], limb.rate[0], limb.accel[0] = flexion.value, flexion.rate, flexion.accel
            gait.limb[side].add_at(where, limb)
            drop_deg, sway_m = self.walker.pelvic_drop_deg(side), self.walker.sway_m(side)
            if drop_deg or sway_m:
                window = stance_window(phase)
                left_up = 1.0 if side is Side.LEFT else -1.0
                gait.drop.add_at(where, window * (left_up * float(np.radians(drop_deg))))
                gait.sway.add_at(where, window * (left_up * sway_m))

    def _centred(self, walked: Walked, speed: Jet) -> Jet:
        """Centred speed for the curves.

        In starting and stopping it stays (softplus, C²) at the slowest speed of this walk: towards rest
        the curves mean nothing, and the gain shrinks them instead.
        """
        pace = float(np.sqrt(GRAVITY_M_S2 * self.walker.leg_length_m))
        floor = max(0.98 * float(np.min(walked.speed_m_s)), LOWEST_SPEED * pace)
        x = (speed.value - floor) / _SOFT_M_S
        sigmoid = 0.5 * (1.0 + np.tanh(0.5 * x))
        above = speed.compose(
            floor + _SOFT_M_S * np.logaddexp(0.0, x), sigmoid, sigmoid * (1.0 - sigmoid) / _SOFT_M_S
        )
        return above * (1.0 / (pace * SPEED_SCALE)) + -SPEED_CENTRE / SPEED_SCALE

    def _standing_sway(self, t_s: Floats) -> tuple[Jet, Jet]:
        """Small slow rotation about the ankles, sagittal (forward +) and frontal (left up +)."""
        amplitude = float(np.radians(self.walker.standing_sway_deg)) / np.sqrt(1.5)
        out = []
        for frequencies, phases in zip(_SWAY_HZ, self._sway_phase, strict=True):
            out.append(_sines(t_s, amplitude, frequencies, phases))
        return out[0], out[1]

    def _wander(self, t_s: Floats) -> Jet:
        amplitude = float(np.radians(self.walker.heading_wander_deg))
        return _sines(t_s, amplitude, _WANDER_HZ, self._wander_phase)


def _phase(spline: CubicSpline, t_s: Floats) -> Jet:
    return Jet(spline(t_s), spline(t_s, 1), spline(t_s, 2))


def _sines(t_s: Floats, amplitude: float, frequencies_hz: tuple[float, ...], phases: Floats) -> Jet:
    out = Jet.zeros(len(t_s))
    if amplitude == 0.0:
        return out
    for frequency, phase in zip(frequencies_hz, phases, strict=True):
        omega = 2.0 * np.pi * frequency
        s, c = np.sin(omega * t_s + phase), np.cos(omega * t_s + phase)
        out.add_at(slice(None), Jet(s * amplitude, c * (amplitude * omega), s * (-amplitude * omega**2)))
    return out
