"""Held-out simulated walkers: who walks, how the sensors sit, what is done.  Drawn from stated ranges.

Every case is a function of its number alone.  Development looked at other seeds (tests/gait, tests/simulate:
below 6 000; sections/spatial.py: 6 100 on); none of the figures here was used to choose a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from gaitmon.simulate import SensorParams, Stand, Step, TissueParams, Turn, Walk, WalkerParams

FIRST_SEED = 910_000
SPEEDS_M_S = (0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7)
RATES_HZ = (60.0, 100.0, 120.0)
MOUNTINGS = 20
RANGES = (
    "Drawn evenly from: transient of the own limb's sensor at contact 0 to 10 m/s² (one walker in six: "
    "none, and "
    "no soft tissue), its onset -5 to +25 ms after the contact, share conducted to the other thigh 0 to 0.4, "
    "leg 0.78 to 1.00 m, cadence 0.95 to 1.05 of normal, stride-time CV 1.5 to 3 %, rise of the pelvis 1.0 "
    "to "
    "1.6 of the centre of mass; each limb's curve is bent by random Fourier terms within the published "
    "between-subject spread. Sensors: 60, 100 and 120 Hz, each sample the mean over its period, 20 mountings "
    "of each sensor in any orientation, "
    "noise "
    "and bias of a consumer chip."
)
PATHOLOGY = (
    "Pathological: limbs unlike, and on one side 3 to 15 degrees less extension, thigh range of motion 0.7 "
    "to "
    "1.4 right over left, pelvic drop -3 to +8 degrees on one side, stance and step asymmetry -10 to +10 % "
    "(-3 to +3 above 1.3 m/s, where more would leave no double support)."
)


class Limbs(StrEnum):
    ALIKE = "alike"
    UNLIKE = "unlike"
    PATHOLOGICAL = "pathological"


@dataclass(frozen=True, slots=True)
class Case:
    """number: the person; two cases of one number differ in their limbs only."""

    limbs: Limbs
    number: int
    walker: WalkerParams
    sensors: SensorParams
    script: tuple[Step, ...]

    @property
    def seed(self) -> int:
        return FIRST_SEED + self.number


def _rng(number: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([FIRST_SEED, number, purpose])


def case(limbs: Limbs, number: int, script: tuple[Step, ...], speed_m_s: float | None = None) -> Case:
    """A person who walks this script.  speed_m_s None: drawn from 0.5 to 1.7."""
    rng = _rng(number, 1)
    tissue = TissueParams(
        transient_m_s2=float(rng.uniform(0.0, 10.0)),
        onset_s=float(rng.uniform(-0.005, 0.025)),
        conducted_other=float(rng.uniform(0.0, 0.4)),
    )
    walker = WalkerParams(
        speed_m_s=float(rng.uniform(0.5, 1.7)),
        leg_length_m=float(rng.uniform(0.78, 1.0)),
        cadence_ratio=float(rng.uniform(0.95, 1.05)),
        stride_time_cv=float(rng.uniform(0.015, 0.03)),
        rise_ratio=float(rng.uniform(1.0, 1.6)),
        person_seed=FIRST_SEED + number,
        limbs_alike=limbs is Limbs.ALIKE,
        tissue=TissueParams.none() if rng.random() < 1.0 / 6.0 else tissue,
    )
    if speed_m_s is not None:
        walker = replace(walker, speed_m_s=speed_m_s)
    if limbs is Limbs.PATHOLOGICAL:
        walker = _with_pathology(walker, _rng(number, 2))
    sensors = SensorParams(
        rate_hz=RATES_HZ[number % len(RATES_HZ)],
        mounting_max_deg=180.0,
        mounting_seed=FIRST_SEED + number % MOUNTINGS,
    )
    return Case(limbs, number, walker, sensors, script)


def _with_pathology(walker: WalkerParams, rng: np.random.Generator) -> WalkerParams:
    loss, drop = float(rng.uniform(3.0, 15.0)), float(rng.uniform(-3.0, 8.0))
    right = bool(rng.integers(2))
    most = 10.0 if walker.speed_m_s <= 1.3 else 3.0
    return replace(
        walker,
        extension_loss_right_deg=loss if right else 0.0,
        extension_loss_left_deg=0.0 if right else loss,
        pelvic_drop_right_deg=drop if right else 0.0,
        pelvic_drop_left_deg=0.0 if right else drop,
        thigh_rom_ratio=float(np.exp(rng.uniform(np.log(0.7), np.log(1.4)))),
        stance_time_asymmetry_pct=float(rng.uniform(-most, most)),
        step_time_asymmetry_pct=float(rng.uniform(-most, most)),
    )


def errand(number: int) -> tuple[Step, ...]:
    """About 3.7 min: ten straight legs, six turns of 45-360 degrees either way in 1-3 s, two changes of
    heading of 15-40 degrees, which are no turns, and a pause in the middle."""
    rng = _rng(number, 3)
    steps: list[Step] = [Stand(6.0)]
    for leg in range(10):
        steps.append(Walk(seconds=float(rng.uniform(15.0, 26.0))))
        sign = 1.0 if rng.integers(2) else -1.0
        if leg == 4:
            steps.append(Stand(5.0))
        elif leg in (2, 7):
            steps.append(Turn(sign * float(rng.uniform(15.0, 40.0)), float(rng.uniform(1.0, 3.0))))
        elif leg < 9:
            steps.append(Turn(sign * float(rng.uniform(45.0, 360.0)), float(rng.uniform(1.0, 3.0))))
    return (*steps, Stand(5.0))


def grid(persons_per_speed: int) -> list[Case]:
    """Every speed with that many persons, each with limbs alike, unlike and pathological."""
    return [
        case(limbs, number, errand(number), SPEEDS_M_S[number % len(SPEEDS_M_S)])
        for number in range(persons_per_speed * len(SPEEDS_M_S))
        for limbs in Limbs
    ]
