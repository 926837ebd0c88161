"""Bouts as curves over the cycle, drawn like tests.symmetry.drawn: no sensor, only the statistics of strides.

A stride's curve is the norm's, larger or smaller, shifted, and bent by five harmonics; each of these wanders
persistently, in part together with the other side, in part against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaitmon.model import Angle, Floats, Side
from gaitmon.symmetry.cycle import POINTS
from gaitmon.symmetry.norms import norm
from gaitmon.symmetry.waveforms import Cycles
from tests.symmetry.drawn import Noise

SPEED_M_S, LEG_M = 1.25, 0.9
_PHASE = np.arange(POINTS) / (POINTS - 1)
_SCATTER_DEG = {Angle.THIGH_FLEXION: 1.0, Angle.HIP_FLEXION: 1.0}  # of the offset, and of each harmonic by k
_PELVIS_DEG = 0.5


@dataclass(frozen=True, slots=True)
class AskedCurves:
    """Of the right thigh and hip against the left."""

    ratio: float = 1.0
    lag_pct: float = 0.0


def drawn_cycles(
    n: int, strides: int, seed: int, asked: AskedCurves = AskedCurves(), *, hurst: float = 0.75
) -> list[Cycles]:
    """n bouts of so many strides a side."""
    noise = Noise((n, 2 * strides), hurst, np.random.default_rng(seed))
    right = np.where(np.arange(2 * strides) % 2 == 1, 1.0, -1.0)

    def wander(sd: float) -> Floats:
        return np.asarray(sd * (0.7 * noise.persistent() + 0.35 * right * noise.persistent()))

    out: list[dict[tuple[Angle, Side], Floats]] = [{} for _ in range(n)]
    for angle in Angle:
        usual = norm(angle, SPEED_M_S, LEG_M)
        assert usual is not None
        sided = angle in _SCATTER_DEG
        sd = _SCATTER_DEG.get(angle, _PELVIS_DEG)
        size, shift = 1.0 + wander(0.03), wander(0.5)
        if sided:
            size = size * np.where(right > 0, asked.ratio, 1.0)
            shift = shift + np.where(right > 0, asked.lag_pct, 0.0)
        at = _PHASE - shift[..., np.newaxis] / 100.0
        x = size[..., np.newaxis] * np.interp(at, _PHASE, usual.mean_deg, period=1.0)
        x += wander(sd)[..., np.newaxis]
        for k in range(1, 6):
            turned = 2.0 * np.pi * k * _PHASE
            x += wander(sd / k)[..., np.newaxis] * np.cos(turned)
            x += wander(sd / k)[..., np.newaxis] * np.sin(turned)
        for bout, own in zip(out, x, strict=True):
            for first, side in enumerate((Side.LEFT, Side.RIGHT)):
                bout[angle, side] = own[first::2].copy()
    return list(out)
