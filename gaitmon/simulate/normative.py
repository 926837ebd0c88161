"""How people walk at each speed: joint curves, cadence, foot-off, as functions of speed and phase.

Source: Schwartz, Rozumalski & Trost 2008 (normative_schwartz2008.json says where from and what it is).
Curves at five speeds become one smooth function by a cubic polynomial in speed for every Fourier
coefficient (departure from the data <= 0.6 deg anywhere), because a walker changes speed smoothly.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from gaitmon.model import Floats
from gaitmon.simulate.calculus import Jet

GRAVITY_M_S2 = 9.81
HARMONICS = 8
SPEED_DEGREE = 3
# Plateau speeds are kept where the polynomials were seen to behave (0.33 .. 2.2 m/s at 0.9 m leg length).
LOWEST_SPEED, HIGHEST_SPEED = 0.11, 0.75
SPEED_CENTRE, SPEED_SCALE = 0.43, 0.26


@dataclass(frozen=True, slots=True, eq=False)
class CurveSet:
    """Fourier curves y(p, u): coefficients shape (2 * HARMONICS + 1, curves, SPEED_DEGREE + 1).

    Row 0 is the mean, then cosines k = 1.., then sines.  u is the centred dimensionless speed.
    """

    coefficients: Floats

    @classmethod
    def stack(cls, sets: Sequence[CurveSet]) -> CurveSet:
        return cls(np.concatenate([s.coefficients for s in sets], axis=1))

    def __sub__(self, other: CurveSet) -> CurveSet:
        return CurveSet(self.coefficients - other.coefficients)

    def __mul__(self, factor: float) -> CurveSet:
        return CurveSet(self.coefficients * factor)

    def scaled(self, factor: float) -> CurveSet:
        """Excursions about the mean times factor; the mean stays."""
        out = self.coefficients.copy()
        out[1:] *= factor
        return CurveSet(out)

    def shifted(self, cycle_fraction: float) -> CurveSet:
        """y(p + cycle_fraction): a negative fraction makes the curve later."""
        out = self.coefficients.copy()
        for k in range(1, HARMONICS + 1):
            a, b = self.coefficients[k], self.coefficients[HARMONICS + k]
            c, s = np.cos(2 * np.pi * k * cycle_fraction), np.sin(2 * np.pi * k * cycle_fraction)
            out[k], out[HARMONICS + k] = a * c + b * s, b * c - a * s
        return CurveSet(out)

    def with_added(self, mean: float, cos: Sequence[float], sin: Sequence[float]) -> CurveSet:
        """The same perturbation at every speed, for every curve of the set."""
        out = self.coefficients.copy()
        out[0, :, 0] += mean
        out[1 : 1 + len(cos), :, 0] += np.asarray(cos)[:, None]
        out[1 + HARMONICS : 1 + HARMONICS + len(sin), :, 0] += np.asarray(sin)[:, None]
        return CurveSet(out)

    def at_speed(self, dimensionless_speed: float, phase: Floats) -> Floats:
        """Values of shape (curves, len(phase)) at one steady speed."""
        zero = np.zeros(len(phase))
        u = np.full(len(phase), centred_speed(dimensionless_speed))
        return self(Jet(phase, zero, zero), Jet(u, zero, zero)).value

    def __call__(self, phase: Jet, u: Jet) -> Jet:
        """Jet of shape (curves, n) at phase (cycles) and centred speed u, both shape (n,)."""
        orders = np.stack([_d_dphase(self.coefficients, order) for order in range(3)], axis=1)
        columns = orders.transpose(3, 1, 2, 0)  # power of u, derivative by phase, curve, Fourier term
        table = (columns.reshape(-1, columns.shape[-1]) @ _fourier_basis(phase.value)).reshape(
            *columns.shape[:3], -1
        )
        # Horner in u, with the derivatives by u: y and y' of a polynomial p: p' = p' u + p, p = p u + c.
        value = np.zeros_like(table[0])  # by phase: 0, 1, 2
        by_u = np.zeros_like(table[0, :2])
        by_u2 = np.zeros_like(table[0, 0])
        for power in range(SPEED_DEGREE, -1, -1):
            by_u2 = by_u2 * u.value + 2.0 * by_u[0]
            by_u = by_u * u.value + value[:2]
            value = value * u.value + table[power]
        return Jet(
            value[0],
            value[1] * phase.rate + by_u[0] * u.rate,
            value[2] * phase.rate**2
            + (2.0 * phase.rate * u.rate) * by_u[1]
            + by_u2 * u.rate**2
            + value[1] * phase.accel
            + by_u[0] * u.accel,
        )


def _fourier_basis(phase: Floats) -> Floats:
    """Rows 1, cos 2 pi k p (k = 1..HARMONICS), sin 2 pi k p: shape (2 * HARMONICS + 1, n)."""
    basis = np.empty((2 * HARMONICS + 1, len(phase)))
    basis[0] = 1.0
    unit = np.exp(2j * np.pi * phase)
    power = np.ones_like(unit)
    for k in range(1, HARMONICS + 1):
        power = power * unit
        basis[k], basis[HARMONICS + k] = power.real, power.imag
    return basis


def _d_dphase(coefficients: Floats, order: int) -> Floats:
    """Coefficients of the order-th derivative with respect to phase (cycles)."""
    k = 2.0 * np.pi * np.arange(1, HARMONICS + 1)[:, None, None]
    out = coefficients
    for _ in range(order):
        cos, sin = out[1 : HARMONICS + 1], out[HARMONICS + 1 :]
        out = np.concatenate([np.zeros_like(out[:1]), k * sin, -k * cos])
    return out


def centred_speed(dimensionless_speed: float) -> float:
    """Speed as the polynomials want it, about -1 .. 1."""
    return (float(np.clip(dimensionless_speed, LOWEST_SPEED, HIGHEST_SPEED)) - SPEED_CENTRE) / SPEED_SCALE


@dataclass(frozen=True, slots=True, eq=False)
class Normative:
    """Angle curves in rad; pelvis displacement curves in leg lengths (of the frequency they belong to)."""

    pelvic_tilt: CurveSet
    pelvic_obliquity: CurveSet
    pelvic_rotation: CurveSet
    hip_flexion: CurveSet
    hip_adduction: CurveSet
    rise: CurveSet
    surge: CurveSet
    speeds: tuple[float, ...]
    cadences: tuple[float, ...]
    foot_off: tuple[float, ...]
    hip_flexion_sd_rad: float

    def step_rate(self, dimensionless_speed: float) -> float:
        """Steps per sqrt(l / g), linear between the five speeds and beyond them."""
        slowest = (self.cadences[1] - self.cadences[0]) / (self.speeds[1] - self.speeds[0])
        below = max(0.0, self.speeds[0] - dimensionless_speed) * slowest
        return float(np.interp(dimensionless_speed, self.speeds, self.cadences)) - min(below, 0.12)

    def foot_off_fraction(self, dimensionless_speed: float) -> float:
        return float(np.interp(dimensionless_speed, self.speeds, self.foot_off))


def _fit(speeds: Sequence[float], mean: Floats, cos: Floats, sin: Floats) -> CurveSet:
    """One curve from its coefficients at several speeds: mean (s,), cos and sin (s, k)."""
    rows = np.zeros((len(speeds), 2 * HARMONICS + 1))
    rows[:, 0] = mean
    rows[:, 1 : 1 + cos.shape[1]] = cos
    rows[:, 1 + HARMONICS : 1 + HARMONICS + sin.shape[1]] = sin
    u = [centred_speed(v) for v in speeds]
    fitted = np.asarray(np.polynomial.polynomial.polyfit(u, rows, SPEED_DEGREE), dtype=np.float64)
    return CurveSet(fitted.T[:, None, :])


def _displacement(
    published: Sequence[Sequence[Sequence[float]]], speeds: Sequence[float], cad: Floats
) -> CurveSet:
    """Double integral of the pelvis acceleration harmonics, in leg lengths.

    No force data were read for the very slow speed: there the slow curve is scaled by 0.383, which gives
    the published very slow excursion of the centre of mass (14.6 mm at 0.9 m leg length).
    """
    table = np.array(published)  # (3 speeds, 4 even harmonics, cos | sin)
    table = np.concatenate([0.383 * table[:1], table])
    k = np.arange(2, 9, 2)
    stride_rate = 0.5 * cad[:4]  # per sqrt(l / g)
    displacement = -table / (2.0 * np.pi * k * stride_rate[:, None])[..., None] ** 2 / GRAVITY_M_S2
    cos, sin = np.zeros((4, HARMONICS)), np.zeros((4, HARMONICS))
    cos[:, k - 1], sin[:, k - 1] = displacement[..., 0], displacement[..., 1]
    return _fit(list(speeds[:4]), np.zeros(4), cos, sin)


@cache
def normative() -> Normative:
    """Read the packaged coefficients once."""
    text = resources.files("gaitmon.simulate").joinpath("normative_schwartz2008.json").read_text("utf-8")
    data = json.loads(text)
    speeds = [float(v) for v in data["dimensionless_speed"]]
    cadences = np.array(data["dimensionless_cadence"])

    def angle(name: str) -> CurveSet:
        at = data["angles_deg"][name]
        mean = np.radians([c["a0"] for c in at])
        return _fit(speeds, mean, np.radians([c["cos"] for c in at]), np.radians([c["sin"] for c in at]))

    acc = data["pelvis_acceleration"]
    return Normative(
        pelvic_tilt=angle("pelvic_tilt"),
        pelvic_obliquity=angle("pelvic_obliquity"),
        pelvic_rotation=angle("pelvic_rotation"),
        hip_flexion=angle("hip_flexion"),
        hip_adduction=angle("hip_adduction"),
        rise=_displacement(acc["vertical"], speeds, cadences),
        surge=_displacement(acc["forward"], speeds, cadences),
        speeds=tuple(speeds),
        cadences=tuple(float(c) for c in cadences),
        foot_off=tuple(float(f) / 100.0 for f in data["foot_off_pct"]),
        hip_flexion_sd_rad=float(np.radians(data["angles_deg"]["hip_flexion"][2]["sd_between_subjects_deg"])),
    )
