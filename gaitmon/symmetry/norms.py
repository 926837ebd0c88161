"""How typically developing walkers move at this speed: context for a waveform, never a judgement.

Schwartz, Rozumalski & Trost 2008 (norms_schwartz2008.json says where from and what it is): children, five
speeds, made usable for any leg by dimensionless speed.  CLINICAL 1.5: marker models alone move the range of
obliquity from 8 to 13 degrees, so no cut-off is given here, and the wearer is her own control.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import sqrt

import numpy as np

from gaitmon.model import Angle, Floats
from gaitmon.symmetry.cycle import GRAVITY_M_S2, POINTS

_BEYOND = 0.10  # dimensionless speed by which the slowest and fastest curve may stand in


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """mean_deg: (101,), ipsilateral as a Waveform.  sd_deg: between subjects, over the whole cycle."""

    angle: Angle
    mean_deg: Floats
    sd_deg: float


def norm(angle: Angle, speed_m_s: float, leg_length_m: float) -> Norm | None:
    """The curve at this speed, between the published ones; None far outside of them."""
    speeds, curves, sds = _published()[angle]
    v = speed_m_s / sqrt(GRAVITY_M_S2 * leg_length_m)
    if not speeds[0] - _BEYOND <= v <= speeds[-1] + _BEYOND:
        return None
    i = int(np.searchsorted(speeds, v, side="right")) - 1
    if 0 <= i < len(speeds) - 1:
        slope = (curves[i + 1] - curves[i]) / (speeds[i + 1] - speeds[i])
        mean = slope * (v - speeds[i]) + curves[i]
    else:
        mean = curves[max(i, 0)]
    return Norm(angle, mean, float(np.interp(v, speeds, sds)))


@cache
def _published() -> dict[Angle, tuple[Floats, Floats, Floats]]:
    """Per angle: dimensionless speeds (5,), curves (5, POINTS), SDs (5,)."""
    text = resources.files("gaitmon.symmetry").joinpath("norms_schwartz2008.json").read_text("utf-8")
    data = json.loads(text)
    speeds = np.array(data["dimensionless_speed"])
    phase = 2.0 * np.pi * np.arange(POINTS) / (POINTS - 1)

    def curve(c: dict[str, list[float]]) -> Floats:
        k = np.arange(1, len(c["cos"]) + 1)[:, np.newaxis]
        return np.asarray(
            c["mean"] + np.array(c["cos"]) @ np.cos(k * phase) + np.array(c["sin"]) @ np.sin(k * phase)
        )

    out = {}
    for name, at in data["angles"].items():
        sds = np.array([c["sd_between_subjects_deg"] for c in at])
        out[Angle(name)] = speeds, np.array([curve(c) for c in at]), sds
    _, hip, sds = out[Angle.HIP_FLEXION]
    out[Angle.THIGH_FLEXION] = speeds, hip - out[Angle.PELVIC_TILT][1], sds
    return out
