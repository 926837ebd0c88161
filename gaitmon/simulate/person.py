"""A person's own curves: the normative ones, bent by who this is and what hurts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaitmon.model import Side
from gaitmon.simulate.calculus import Jet
from gaitmon.simulate.normative import GRAVITY_M_S2, CurveSet, Normative
from gaitmon.simulate.params import WalkerParams

# Between-subject spread shared out over the mean and the harmonics of the thigh curve, in degrees (R).
# Together sqrt(sum of squares) = 6.0, the published between-subject SD of hip flexion at free speed.
_SPREAD_MEAN_DEG = 5.5
_SPREAD_HARMONICS_DEG = (2.0, 1.1, 0.7, 0.35, 0.2)
# Side-to-side motion of the pelvis: toward the stance side at mid stance (R; 0.8 m/s² at free speed).
_SWAY_M, _SWAY_THIRD_M, _SWAY_PEAK = 0.022, 0.0015, 0.28
_AXIAL_DEG, _AXIAL_PEAK = 3.0, 0.10  # rotation of the thigh about its long axis, internal + (R)
# Thigh in stair climbing: mean and harmonics 1..3 as (cos, sin), degrees (R; peak about 58, least 6).
_STAIRS_MEAN_DEG = 29.0
_STAIRS_COS_DEG, _STAIRS_SIN_DEG = (22.0, -2.5, -1.0), (-12.0, -3.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class ExtensionLoss:
    """Terminal extension is smaller by loss_rad, flexion unchanged: x + loss (1 - (x - least) / rom)²."""

    loss_rad: float
    least_rad: float
    rom_rad: float

    def __call__(self, angle: Jet) -> Jet:
        if self.loss_rad == 0.0:
            return angle
        rest = 1.0 - (angle.value - self.least_rad) / self.rom_rad
        slope = 1.0 - 2.0 * self.loss_rad / self.rom_rad * rest
        curvature = np.full_like(rest, 2.0 * self.loss_rad / self.rom_rad**2)
        return angle.compose(angle.value + self.loss_rad * rest**2, slope, curvature)


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """pelvis: columns tilt, roll, yaw, surge, sway, rise over the left cycle (rad, m).

    limb[side]: columns thigh flexion, thigh roll about +x, thigh yaw about +z over the own cycle (rad);
    stairs: thigh flexion in climbing.
    """

    pelvis: CurveSet
    limb: dict[Side, CurveSet]
    stairs: CurveSet
    extension: dict[Side, ExtensionLoss]


def _constant(
    mean_deg: float, cos_deg: tuple[float, ...], sin_deg: tuple[float, ...], like: CurveSet
) -> CurveSet:
    """A curve that does not depend on speed."""
    return (like * 0.0).with_added(
        float(np.radians(mean_deg)),
        [float(np.radians(c)) for c in cos_deg],
        [float(np.radians(s)) for s in sin_deg],
    )


def _own_shape(walker: WalkerParams, side: Side) -> tuple[float, list[float], list[float]]:
    """Perturbation of the thigh curve, rad: mean, cosines, sines.  Alike limbs share one draw."""
    if walker.person_seed is None:
        return 0.0, [0.0], [0.0]
    who = 0 if walker.limbs_alike or side is Side.LEFT else 1
    rng = np.random.default_rng(np.random.SeedSequence([walker.person_seed, 7001, who]))
    spread = np.radians(walker.person_spread * np.array(_SPREAD_HARMONICS_DEG))
    mean = float(np.radians(walker.person_spread * _SPREAD_MEAN_DEG) * rng.standard_normal())
    return mean, list(spread * rng.standard_normal(5)), list(spread * rng.standard_normal(5))


def make_person(walker: WalkerParams, norm: Normative) -> Person:
    """Curves of this walker in body axes (model signs), from the ipsilateral normative ones."""
    zero = norm.pelvic_tilt * 0.0
    tilt = norm.pelvic_tilt.scaled(1.0)
    tilt.coefficients[0] = 0.0  # tilt is told against standing
    sway = zero.with_added(
        0.0,
        [_SWAY_M * float(np.cos(2 * np.pi * _SWAY_PEAK)), 0.0, _SWAY_THIRD_M],
        [_SWAY_M * float(np.sin(2 * np.pi * _SWAY_PEAK)), 0.0, 0.0],
    )
    leg = walker.leg_length_m
    pelvis = CurveSet.stack(
        [
            tilt.with_added(float(np.radians(walker.walking_tilt_deg)), [], []),
            norm.pelvic_obliquity,
            norm.pelvic_rotation * -1.0,  # left forward turns the body to the right: - about z
            norm.surge * leg,
            sway,
            norm.rise * (leg * walker.rise_ratio),
        ]
    )
    limb: dict[Side, CurveSet] = {}
    extension: dict[Side, ExtensionLoss] = {}
    thigh = norm.hip_flexion - norm.pelvic_tilt
    # An adducted hip on a pelvis that is up on its side is a thigh that hangs straight down.
    adduction = norm.hip_adduction - norm.pelvic_obliquity
    axial = _constant(0.0, (_AXIAL_DEG,), (0.0,), zero).shifted(-_AXIAL_PEAK)
    p = np.linspace(0.0, 1.0, 401)
    for side in Side:
        outward = 1.0 if side is Side.RIGHT else -1.0
        flexion = thigh.scaled(walker.thigh_rom_ratio ** (0.5 * outward)).with_added(
            *_own_shape(walker, side)
        )
        limb[side] = CurveSet.stack([flexion, adduction * outward, axial * outward])
        own = flexion.at_speed(walker.speed_m_s / float(np.sqrt(GRAVITY_M_S2 * leg)), p)
        loss = float(np.radians(walker.extension_loss_deg(side)))
        extension[side] = ExtensionLoss(loss, float(own.min()), float(np.ptp(own)))
    stairs = _constant(_STAIRS_MEAN_DEG, _STAIRS_COS_DEG, _STAIRS_SIN_DEG, zero)
    return Person(pelvis, limb, stairs, extension)


_EDGE, _FALL = 0.14, 0.36


def stance_window(phase: Jet) -> Jet:
    """1 through most of the own single support, 0 in swing, C²: up over 0-14 %, down over 36-50 %."""
    p = phase.value % 1.0
    value, slope, curvature = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    for start, sign in ((0.0, 1.0), (_FALL, -1.0)):
        x = np.clip((p - start) / _EDGE, 0.0, 1.0)
        sin, cos = np.sin(2 * np.pi * x), np.cos(2 * np.pi * x)
        value += sign * (x - sin / (2 * np.pi))
        slope += sign * (1.0 - cos) / _EDGE
        curvature += sign * 2 * np.pi * sin / _EDGE**2
    return phase.compose(value, slope, curvature)
