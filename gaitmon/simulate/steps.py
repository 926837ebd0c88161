"""When the feet meet and leave the ground in one walk, from standing to standing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.interpolate import CubicSpline

from gaitmon.errors import ConfigError
from gaitmon.model import Contact, ContactKind, Floats, Side
from gaitmon.simulate.normative import GRAVITY_M_S2, Normative
from gaitmon.simulate.params import WalkerParams
from gaitmon.simulate.script import Stairs, Turn, Walk, Walking

STAIRS_STRIDE_S, STAIRS_SPEED_M_S, STAIRS_FOOT_OFF = 1.25, 0.50, 0.62  # R
GATHERING_S = 0.30  # from the decision to walk to the first foot leaving the ground


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """One step of the script as it was walked.  yaw_rad: change of heading, only of a Turn."""

    step: Walking
    start_s: float
    end_s: float
    yaw_rad: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """One walk.  ic_s, speed_m_s: per landing, in order, sides alternate from first_side.

    speed_m_s[j] is aimed at from landing j on.  fc_s[side]: one per own landing, before it.
    """

    start_s: float
    end_s: float
    first_side: Side
    ic_s: Floats
    speed_m_s: Floats
    nominal_speed_m_s: Floats
    on_stairs: Floats
    fc_s: dict[Side, Floats]
    legs: tuple[Leg, ...]
    pelvis_phase: CubicSpline
    limb_phase: dict[Side, CubicSpline] = field(default_factory=dict)

    def own(self, side: Side) -> slice:
        """Which landings are this side's."""
        return slice(0 if side is self.first_side else 1, None, 2)

    def contacts(self) -> list[Contact]:
        found = [
            Contact(kind, side, float(t))
            for side in Side
            for kind, times in (
                (ContactKind.IC, self.ic_s[self.own(side)]),
                (ContactKind.FC, self.fc_s[side]),
            )
            for t in times
        ]
        return sorted(found, key=lambda c: c.t_s)


def long_range_noise(n: int, rng: np.random.Generator, dfa_exponent: float = 0.75) -> Floats:
    """n values, one per step, whose power falls as 1 / f^(2 alpha - 1): stride times of healthy people.

    The mean of two neighbours, a stride, has unit variance over some 250 strides.
    """
    length = max(64, 2 * n)
    frequency = np.arange(1, length // 2 + 1) / length
    amplitude = frequency ** -(dfa_exponent - 0.5)
    spectrum = amplitude * (rng.standard_normal(len(frequency)) + 1j * rng.standard_normal(len(frequency)))
    noise = np.fft.irfft(np.concatenate([[0.0], spectrum]), length)[:n]
    seen = np.where(frequency >= 1.0 / 512.0, (amplitude * np.cos(np.pi * frequency)) ** 2, 0.0)
    out: Floats = noise * np.sqrt(length**2 / (4.0 * np.sum(seen)))
    return out


class _Landings:
    """Landing after landing, as the walk goes on."""

    def __init__(
        self, walker: WalkerParams, norm: Normative, start_s: float, rng: np.random.Generator
    ) -> None:
        self._walker, self._norm, self._rng = walker, norm, rng
        self.first_side = Side.LEFT if rng.random() < 0.5 else Side.RIGHT
        self.start_s = start_s
        self.ic_s: list[float] = []
        self.speed: list[float] = []
        self.nominal: list[float] = []
        self.stairs: list[float] = []
        self._slow = long_range_noise(4096, rng)
        self._wander = long_range_noise(4096, rng)

    def stride_s(self, speed_m_s: float, *, stairs: bool) -> float:
        if stairs:
            return STAIRS_STRIDE_S
        froude_rate = np.sqrt(GRAVITY_M_S2 / self._walker.leg_length_m)
        v = speed_m_s / np.sqrt(GRAVITY_M_S2 * self._walker.leg_length_m)
        return float(2.0 / (self._norm.step_rate(v) * froude_rate * self._walker.cadence_ratio))

    def foot_off(self, speed_m_s: float, *, stairs: bool) -> float:
        v = speed_m_s / np.sqrt(GRAVITY_M_S2 * self._walker.leg_length_m)
        share = STAIRS_FOOT_OFF if stairs else self._norm.foot_off_fraction(v)
        return share + self._walker.foot_off_shift_pct / 100.0

    def land(self, speed_m_s: float, *, stairs: bool = False) -> float:
        """One more initial contact; returns its time."""
        j, walker = len(self.ic_s), self._walker
        stride = self.stride_s(speed_m_s, stairs=stairs)
        if j == 0:
            swing = (1.0 - self.foot_off(speed_m_s, stairs=stairs)) * stride
            self.ic_s.append(self.start_s + GATHERING_S + swing)
        else:
            side = self.first_side if j % 2 == 0 else self.first_side.other
            sign = 1.0 if side is Side.RIGHT else -1.0
            share = 1.0 / (1.0 + np.exp(-sign * walker.step_time_asymmetry_pct / 100.0))
            slow = 1.0 + walker.stride_time_cv * self._slow[j % 4096]
            quick = walker.step_time_sd_s * self._rng.standard_normal()
            self.ic_s.append(float(self.ic_s[-1] + np.clip(slow, 0.6, 1.6) * stride * share + quick))
        self.speed.append(
            speed_m_s * float(np.clip(1.0 + walker.speed_cv * self._wander[j % 4096], 0.6, 1.4))
        )
        self.nominal.append(speed_m_s)
        self.stairs.append(float(stairs))
        return self.ic_s[-1]


def _leg_speed(step: Walking, before: float, walker: WalkerParams) -> float:
    """People slow down in a turn, the more the sharper it is (R)."""
    match step:
        case Stairs():
            return STAIRS_SPEED_M_S
        case Walk():
            return walker.speed_m_s if step.speed_m_s is None else step.speed_m_s
        case Turn():
            sharpness = min(1.0, abs(step.angle_deg) / step.seconds / 90.0)
            return max(0.25, before * (1.0 - 0.35 * sharpness))


def walk(
    steps: tuple[Walking, ...],
    start_s: float,
    walker: WalkerParams,
    norm: Normative,
    rng: np.random.Generator,
) -> Walked:
    """Walk these steps without a stop, from standing at start_s."""
    landings = _Landings(walker, norm, start_s, rng)
    first_walk = next((s for s in steps if isinstance(s, Walk)), None)
    speed = 0.45 if first_walk is None else _leg_speed(first_walk, 0.0, walker)
    legs: list[Leg] = []
    t = start_s
    for step in steps:
        before = speed if isinstance(step, Turn) else 0.0
        aim = _leg_speed(step, before, walker)
        begun, begun_at = (t if landings.ic_s else start_s + GATHERING_S), len(landings.ic_s)
        stairs = isinstance(step, Stairs)
        while not _done(step, t - begun, len(landings.ic_s) - begun_at):
            t = landings.land(aim, stairs=stairs)
        if isinstance(step, Turn):
            legs.append(Leg(step, begun, begun + step.seconds, float(np.radians(step.angle_deg))))
        else:
            legs.append(Leg(step, begun, t))
            speed = aim
    last_speed, last_stairs = landings.nominal[-1], bool(landings.stairs[-1])
    for _ in range(max(1, 4 - len(landings.ic_s))):  # the closing step, shorter because the walk ends
        t = landings.land(last_speed, stairs=last_stairs)
    return _finish(landings, legs, walker, rng)


def _done(step: Walking, elapsed_s: float, landed: int) -> bool:
    if isinstance(step, Walk) and step.strides is not None:
        return landed >= 2 * step.strides
    return landed >= 1 and elapsed_s >= (step.seconds or 0.0)


def _finish(landings: _Landings, legs: list[Leg], walker: WalkerParams, rng: np.random.Generator) -> Walked:
    ic = np.array(landings.ic_s)
    nominal, stairs = np.array(landings.nominal), np.array(landings.stairs)
    stride = np.array([landings.stride_s(v, stairs=bool(s)) for v, s in zip(nominal, stairs, strict=True)])
    share = np.array([landings.foot_off(v, stairs=bool(s)) for v, s in zip(nominal, stairs, strict=True)])
    fc: dict[Side, Floats] = {}
    phase: dict[Side, CubicSpline] = {}
    for side in Side:
        own = slice(0 if side is landings.first_side else 1, None, 2)
        fc[side], phase[side] = _limb(side, ic[own], stride[own], share[own], walker, rng=rng)
    pad_a = ic[0] - 0.5 * stride[0] * np.arange(3, 0, -1)
    pad_b = ic[-1] + 0.5 * stride[-1] * np.arange(1, 4)
    first = 0.0 if landings.first_side is Side.LEFT else 0.5
    pelvis = CubicSpline(np.concatenate([pad_a, ic, pad_b]), first + 0.5 * np.arange(-3, len(ic) + 3))
    walked = Walked(
        start_s=landings.start_s,
        end_s=float(ic[-1] + 0.35 * 0.5 * stride[-1]),
        first_side=landings.first_side,
        ic_s=ic,
        speed_m_s=np.array(landings.speed),
        nominal_speed_m_s=nominal,
        on_stairs=stairs,
        fc_s=fc,
        legs=tuple(legs),
        pelvis_phase=pelvis,
        limb_phase=phase,
    )
    _check_order(walked)
    return walked


def _limb(
    side: Side,
    ic: Floats,
    stride: Floats,
    template: Floats,
    walker: WalkerParams,
    *,
    rng: np.random.Generator,
) -> tuple[Floats, CubicSpline]:
    """Final contacts before each own landing, and the limb's phase: k at its k-th landing.

    The phase passes the template's own foot-off where this limb's foot leaves the ground, so that the
    curve is warped, twice continuously differentiable, with the contacts where the truth says.
    """
    sign = 0.5 if side is Side.RIGHT else -0.5
    ics = np.concatenate(
        [ic[0] - stride[0] * np.array([2.0, 1.0]), ic, ic[-1] + stride[-1] * np.array([1.0, 2.0])]
    )
    at = np.concatenate([np.repeat(template[0], 2), template, [template[-1]]])
    noise = 1.0 + walker.stance_cv * rng.standard_normal(len(at))
    noise[:1], noise[-1:] = 1.0, 1.0
    duty = at * np.exp(sign * walker.stance_time_asymmetry_pct / 100.0) * noise
    fcs = ics[:-1] + duty * np.diff(ics)
    if np.any(duty <= 0.40) or np.any(duty >= 0.85):
        raise ConfigError(
            f"stance_time_asymmetry_pct = {walker.stance_time_asymmetry_pct} asks for a {side.value} "
            f"stance of {100 * duty.min():.0f} .. {100 * duty.max():.0f} % of the stride.",
            "Stay between 40 and 85 %.",
        )
    k = np.arange(-2, len(ic) + 2)
    knots = np.empty(2 * len(ics) - 1)
    phases = np.empty_like(knots)
    knots[0::2], knots[1::2] = ics, fcs
    phases[0::2], phases[1::2] = k, k[:-1] + at - walker.foot_off_shift_pct / 100.0
    return fcs[1 : 1 + len(ic)], CubicSpline(knots, phases)


def _check_order(walked: Walked) -> None:
    """Walking has double support: each foot leaves after the other has landed."""
    for side in Side:
        other = walked.ic_s[walked.own(side.other)]
        fc = walked.fc_s[side]
        for t_fc, t_ic in zip(fc[1:], walked.ic_s[walked.own(side)][1:], strict=True):
            before = other[other < t_ic]
            if t_fc >= t_ic or (len(before) and t_fc <= before[-1]):
                raise ConfigError(
                    "These step and stance asymmetries leave no double support: that is running.",
                    "Choose smaller ones, or a slower walk, which has more double support.",
                )
