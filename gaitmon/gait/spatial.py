"""How far a stride went: from the range of the thighs, from the rise of the pelvis, and from both.

Neither sensor sees the ground, so both estimators are models of a leg of known length l:

* **Thigh range**: L = k l ROM, ROM in rad of the thighs over this stride.  k comes from the mean curves of
  Schwartz, Rozumalski & Trost 2008 at five speeds (children; dimensionless, so usable for any leg; on
  adults checked with two walks only, docs/validation.md).  k depends on speed, and speed is L / T: since
  v* = v / sqrt(g l) = k ROM sqrt(l / g) / T, it is read at v* / k = ROM sqrt(l / g) / T, which is known.
* **Inverted pendulum**: L_step = 2 A sqrt(2 l h - h²), h the vertical excursion of the pelvis within the
  step (Zijlstra & Hof 2003, A = 1.25).  Departures: displacement by integrating the stride's own Fourier
  series twice instead of a running high-pass filter, because one stride is cyclic and its samples are
  all it then depends on; the harmonic of the stride itself is left out, which carries what the two
  steps differ in and what drifts (mobgap's 1 Hz high-pass does the same).  A was fitted to nothing here.

Before calibration both count alike.  One timed walk (``calibrate``) ties both to the wearer; then each
counts by the inverse square of its residual.  Turning strides have no length.
Published for a pelvis sensor alone: 0.12-0.14 m stride length error (mobgap, free-living).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan, radians, sqrt

import numpy as np

from gaitmon.compiled import compiled
from gaitmon.errors import ConfigError
from gaitmon.model import LEG_LENGTH_ASSUMED, LENGTH_NOT_CALIBRATED, SPEED_UNCERTAIN, Floats
from gaitmon.model_leg import Fit, LegLength, PersonalCalibration, SpatialParams

GRAVITY_M_S2 = 9.81
PENDULUM_A = 1.25  # Zijlstra & Hof 2003; mobgap's 1.147-1.185 belong to its own filter
_SPEEDS = (0.172, 0.290, 0.429, 0.560, 0.694)  # v / sqrt(g l), Schwartz 2008
_K = (1.88, 1.99, 2.06, 2.02, 2.03)  # stride length / (l ROM) at these speeds
_SPEED_PER_K = tuple(v / k for v, k in zip(_SPEEDS, _K, strict=True))

MAX_TURN_RAD = radians(15.0)  # as for the verdict "straight"
DISAGREE = 0.20  # of their mean, between the two estimators
MIN_CALIBRATION = 6  # strides, both sides together
PLAUSIBLE_M = (0.15, 2.19)  # Mobilise-D accepts these stride lengths
# What a walk at one speed cannot show: how either estimator goes astray at other speeds (judgement).
UNSEEN_RESIDUAL = 0.03

_HARMONICS = slice(2, 24)  # of the stride; above, integrating twice leaves nothing
_PER_OMEGA2 = -1.0 / (2.0 * np.pi * np.arange(2, 24)) ** 2  # of one stride a second


@dataclass(frozen=True, slots=True)
class StrideLength:
    """thigh_m, pelvis_m: each estimator's own, before calibration.  length_m: the one to use.

    All three None in a turn; flags says what is doubtful.
    """

    duration_s: float
    thigh_m: float | None
    pelvis_m: float | None
    length_m: float | None
    flags: tuple[str, ...] = ()

    @property
    def speed_m_s(self) -> float | None:
        return None if self.length_m is None else self.length_m / self.duration_s


def measure_length(
    duration_s: float,
    thigh_flexion_deg: Sequence[Floats | None],
    pelvis_up_m_s2: Floats | None,
    params: SpatialParams,
    *,
    heading_change_rad: float | None = None,
) -> StrideLength:
    """Length of one stride from whatever there is of it.

    thigh_flexion_deg: per thigh, either or both, its flexion on the 100 Hz grid from IC to next IC.
    pelvis_up_m_s2: the pelvis' specific force along the vertical over the same rows, gravity included
    or not (only its changes count).  NaN or None: not there.  Yaw of more than 15 degrees: no length.
    With thighs of unlike range, one alone is wrong by half of what they differ in.
    """
    if heading_change_rad is not None and abs(heading_change_rad) > MAX_TURN_RAD:
        return StrideLength(duration_s, None, None, None)
    rom = [float(np.ptp(x)) for x in thigh_flexion_deg if x is not None and len(x)]
    rises = None
    if pelvis_up_m_s2 is not None and len(pelvis_up_m_s2) > 1:
        rises = step_rises_m(pelvis_up_m_s2, duration_s)
    return _length(duration_s, rom, rises, params)


def measure_lengths(
    duration_s: Floats, thigh_flexion_deg: Floats, pelvis_up_m_s2: Floats, params: SpatialParams
) -> list[StrideLength]:
    """measure_length of many straight strides at once.

    duration_s: (n,).  thigh_flexion_deg: (n, thighs, points), pelvis_up_m_s2: (n, points), evenly over each
    cycle; NaN: not there.
    """
    roms, rises = np.ptp(thigh_flexion_deg, axis=2), _step_rises_m(pelvis_up_m_s2, duration_s)
    of_each = zip(duration_s.tolist(), roms.tolist(), *rises.T.tolist(), strict=True)
    return [_length(t, rom, (first, second), params) for t, rom, first, second in of_each]


def _length(
    duration_s: float, rom_deg: Sequence[float], rises_m: tuple[float, float] | None, params: SpatialParams
) -> StrideLength:
    leg = params.leg.length_m
    rom = [r for r in rom_deg if not isnan(r)]
    thigh = thigh_length_m(radians(sum(rom) / len(rom)), duration_s, leg) if rom else None
    pelvis = None if rises_m is None else pendulum_length_m(rises_m, leg)
    return fuse(duration_s, _plausible(thigh), _plausible(pelvis), params)


@compiled("f8(f8, f8, f8)")
def thigh_length_m(rom_rad: float, duration_s: float, leg_length_m: float) -> float:
    """Stride length from the thigh's range of motion over the stride, mean of the thighs there are."""
    v = rom_rad * sqrt(leg_length_m / GRAVITY_M_S2) / duration_s
    k = _K[0] if v < _SPEED_PER_K[0] else _K[-1]
    for i in range(1, len(_K)):
        low, high = _SPEED_PER_K[i - 1], _SPEED_PER_K[i]
        if low <= v < high:
            k = (_K[i] - _K[i - 1]) / (high - low) * (v - low) + _K[i - 1]
    return k * leg_length_m * rom_rad


def step_rises_m(pelvis_up_m_s2: Floats, duration_s: float) -> tuple[float, float]:
    """Vertical excursion of the pelvis in the first and in the second half of a stride; NaN for NaN.

    pelvis_up_m_s2: shape (n,), evenly over one whole cycle, last row = first of the next; any offset.
    """
    first, second = _step_rises_m(pelvis_up_m_s2[np.newaxis], np.array([duration_s]))[0]
    return float(first), float(second)


def _step_rises_m(pelvis_up_m_s2: Floats, duration_s: Floats) -> Floats:
    """step_rises_m of many strides: (m, n) and (m,) -> (m, 2)."""
    n = pelvis_up_m_s2.shape[1] - 1
    spectrum = np.fft.rfft(pelvis_up_m_s2[:, :-1], axis=1)
    kept = np.zeros_like(spectrum)
    factors = _PER_OMEGA2[: spectrum.shape[1] - _HARMONICS.start]
    kept[:, _HARMONICS] = spectrum[:, _HARMONICS] * factors * duration_s[:, np.newaxis] ** 2
    rise = np.fft.irfft(kept, n, axis=1)
    closed = np.concatenate([rise, rise[:, :1]], axis=1)
    return np.stack([np.ptp(closed[:, : n // 2 + 1], axis=1), np.ptp(closed[:, n // 2 :], axis=1)], axis=1)


@compiled("f8(UniTuple(f8, 2), f8)")
def pendulum_length_m(step_rise_m: tuple[float, float], leg_length_m: float) -> float:
    """Stride length from the pelvis' rise in each of its two steps; NaN where one is."""
    length = 0.0
    for h in step_rise_m:
        if isnan(h):
            return nan
        length += 2.0 * PENDULUM_A * sqrt(max(h * (2.0 * leg_length_m - h), 0.0))
    return length


def calibrate(
    distance_m: float, duration_s: float, strides: Sequence[StrideLength], leg: LegLength
) -> PersonalCalibration:
    """What a timed walk of known distance tells: each estimator's factor and residual.

    strides: of both sides, straight ones between the marks, measured with this leg length.  Each is
    taken to have had the walk's mean speed, so the residual holds the wearer's own unsteadiness too.
    Raises ConfigError when the walk cannot serve, and says why.
    """
    speed = distance_m / duration_s if duration_s > 0.0 else 0.0
    if not (distance_m >= 4.0 and 0.2 <= speed <= 2.2):
        raise ConfigError(
            f"{distance_m:g} m in {duration_s:g} s cannot calibrate walking speed.",
            "Walk 10 m straight ahead, at least 4 m, and time it between the marks.",
        )
    thigh = _fit([(s.thigh_m, s.duration_s * speed) for s in strides])
    pelvis = _fit([(s.pelvis_m, s.duration_s * speed) for s in strides])
    if thigh is None and pelvis is None:
        raise ConfigError(
            f"Too few straight strides for a calibration ({len(strides)}; it takes {MIN_CALIBRATION}).",
            "Walk 10 m straight ahead with the sensors on.",
        )
    return PersonalCalibration(leg.length_m, speed, len(strides), thigh, pelvis)


def _fit(pairs: Sequence[tuple[float | None, float]]) -> Fit | None:
    """(estimated, true) lengths of single strides -> factor and residual; None if they are too few."""
    known = np.array([(x, true) for x, true in pairs if x is not None])
    if len(known) < MIN_CALIBRATION:
        return None
    estimated, true = known.T
    factor = float(true.sum() / estimated.sum())
    if not 0.5 <= factor <= 2.0:
        raise ConfigError(
            f"The timed walk does not fit the sensors: they see {1.0 / factor:.2f} of its length.",
            "Check distance, time and leg length, and walk again.",
        )
    return Fit(factor, float(np.sqrt(np.mean((factor * estimated / true - 1.0) ** 2))))


def _plausible(length_m: float | None) -> float | None:
    low, high = PLAUSIBLE_M
    return length_m if length_m is not None and low <= length_m <= high else None


def fuse(
    duration_s: float, thigh_m: float | None, pelvis_m: float | None, params: SpatialParams
) -> StrideLength:
    """One length of two estimates: the mean, weighed by 1 / residual² after calibration.

    An estimator that was not calibrated is left out while one that was is there.
    """
    c = params.calibration
    weighed: list[tuple[float, float]] = []
    if c is not None:
        for x, fit in ((thigh_m, c.thigh), (pelvis_m, c.pelvis)):
            if x is not None and fit is not None:
                weighed.append((x * fit.factor, 1.0 / (fit.residual**2 + UNSEEN_RESIDUAL**2)))
    calibrated = bool(weighed)
    if not calibrated:
        weighed = [(x, 1.0) for x in (thigh_m, pelvis_m) if x is not None]
    if not weighed:
        return StrideLength(duration_s, thigh_m, pelvis_m, None)
    (x, weight), (y, other) = weighed[0], weighed[-1]
    length = x if len(weighed) == 1 else (x * weight + y * other) / (weight + other)
    flags: tuple[str, ...] = (SPEED_UNCERTAIN,) if abs(x - y) > DISAGREE * length else ()
    if not calibrated:
        flags += (LEG_LENGTH_ASSUMED,) if params.leg.assumed else ()
        flags += (LENGTH_NOT_CALIBRATED,) if c is not None else ()
    return StrideLength(duration_s, thigh_m, pelvis_m, length, flags)
