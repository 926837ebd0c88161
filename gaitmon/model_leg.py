"""A wearer's leg, and what a timed walk told: what lengths and speeds rest on of a person."""

from __future__ import annotations

from dataclasses import dataclass, field

from gaitmon.errors import ConfigError

LEG_PER_STATURE = 0.53  # as in skdh
ASSUMED_STATURE_M = 1.70


@dataclass(frozen=True, slots=True)
class LegLength:
    """Hip joint to ground, in shoes.  assumed: nobody measured the leg or told the stature."""

    length_m: float
    assumed: bool = False

    def __post_init__(self) -> None:
        if not 0.4 <= self.length_m <= 1.3:
            raise ConfigError(f"A leg length of {self.length_m} m cannot be.", "Give metres, 0.4 to 1.3.")

    @classmethod
    def of(cls, *, stature_m: float | None = None, leg_length_m: float | None = None) -> LegLength:
        """The measured length, else 0.53 of the stature, else that of a stature of 1.70 m, assumed."""
        if leg_length_m is not None:
            return cls(leg_length_m)
        if stature_m is None:
            return cls(LEG_PER_STATURE * ASSUMED_STATURE_M, assumed=True)
        if not 0.8 <= stature_m <= 2.4:
            raise ConfigError(f"A stature of {stature_m} m cannot be.", "Give metres, 0.8 to 2.4.")
        return cls(LEG_PER_STATURE * stature_m)


@dataclass(frozen=True, slots=True)
class Fit:
    """One estimator in personal calibration: true length is factor times its own.

    residual: RMS error of single strides after that, as a fraction of their length.
    """

    factor: float
    residual: float


@dataclass(frozen=True, slots=True)
class PersonalCalibration:
    """What one timed walk told of this wearer; None for an estimator that was not there.

    leg_length_m: the length the factors belong to.  speed_m_s: of that walk.
    """

    leg_length_m: float
    speed_m_s: float
    n_strides: int
    thigh: Fit | None
    pelvis: Fit | None


@dataclass(frozen=True, slots=True)
class SpatialParams:
    """Of one wearer.  By default nothing is known: the leg is assumed."""

    leg: LegLength = field(default_factory=LegLength.of)
    calibration: PersonalCalibration | None = None

    def __post_init__(self) -> None:
        c = self.calibration
        if c is not None and abs(c.leg_length_m - self.leg.length_m) > 1e-6:
            raise ConfigError(
                f"The calibration was made with a leg length of {c.leg_length_m:.3f} m, "
                f"now it is {self.leg.length_m:.3f} m.",
                "Repeat the timed walk, or use the leg length of then.",
            )
