"""A wearer's own stride length on disk, from a timed walk to every later analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gaitmon.errors import ConfigError
from gaitmon.model_leg import Fit, LegLength, PersonalCalibration, SpatialParams


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Fit(_Frozen):
    factor: Annotated[float, Field(ge=0.5, le=2.0)]
    residual: Annotated[float, Field(ge=0.0)]


class _Calibration(_Frozen):
    format: Literal["gaitmon.calibration/1"] = "gaitmon.calibration/1"
    wearer: str
    session: str
    leg_length_m: float
    leg_length_assumed: bool
    speed_m_s: float
    n_strides: int
    thigh: _Fit | None
    pelvis: _Fit | None


def write_calibration(
    calibration: PersonalCalibration, leg: LegLength, path: Path, *, wearer: str, session: str
) -> None:
    """Raises ConfigError where it cannot be written."""
    fits = [
        None if f is None else _Fit(factor=f.factor, residual=f.residual)
        for f in (calibration.thigh, calibration.pelvis)
    ]
    content = _Calibration(
        wearer=wearer, session=session, leg_length_m=leg.length_m, leg_length_assumed=leg.assumed,
        speed_m_s=calibration.speed_m_s, n_strides=calibration.n_strides, thigh=fits[0], pelvis=fits[1],
    )  # fmt: skip
    try:
        path.write_text(content.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}.", "Choose another place.") from None


def read_calibration(path: Path, *, wearer: str | None = None) -> SpatialParams:
    """Raises ConfigError for a file that is none, or that is another's than this wearer's."""
    try:
        found = _Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}.", "gaitmon session analyse writes one.") from None
    except (ValidationError, UnicodeDecodeError):
        raise ConfigError(f"{path} is no calibration.", "gaitmon session analyse writes one.") from None
    if wearer is not None and found.wearer != wearer:
        raise ConfigError(
            f"{path} is the calibration of {found.wearer}, not of {wearer}.",
            "Take the file of this wearer's own timed walk.",
        )
    leg = LegLength(found.leg_length_m, assumed=found.leg_length_assumed)
    thigh, pelvis = (None if f is None else Fit(f.factor, f.residual) for f in (found.thigh, found.pelvis))
    return SpatialParams(
        leg, PersonalCalibration(found.leg_length_m, found.speed_m_s, found.n_strides, thigh, pelvis)
    )
