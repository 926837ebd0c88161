"""Bouts drawn stride by stride, thousands in a second: no sensor, no walker, only the statistics of strides.

Every component of a stride (pace, how it is shared out, each angle) is fractional Gaussian noise with the
Hurst exponent of stride times, 0.75 (Hausdorff 1995), of a normal size; contacts have independent errors of
6 ms (IC) and 9 ms (FC), angles of about half a degree.  The acceleration of the pelvis is a Fourier series of
the stride, whose amplitudes wander from step to step, and white noise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gaitmon.model import Floats, Side, Stride
from gaitmon.symmetry.acceleration import CONTEXT, Piece
from gaitmon.symmetry.strides import LimbStride, MeasuredStride, PelvisStride

STRIDE_S, STANCE = 1.10, 0.60
_SIDES = (Side.LEFT, Side.RIGHT)
_UPRIGHT = np.eye(3)


@dataclass(frozen=True, slots=True)
class Asked:
    """100 ln(R/L) in per cent, but for drop and extension: R - L in degrees."""

    step_pct: float = 0.0
    rom_pct: float = 0.0
    rise_pct: float = 0.0
    drop_deg: float = 0.0
    extension_deg: float = 0.0


@dataclass(slots=True)
class Noise:
    """persistent: (bouts, landings) of unit variance."""

    shape: tuple[int, int]
    hurst: float
    rng: np.random.Generator
    _root: Floats = field(init=False)

    def __post_init__(self) -> None:
        m = np.arange(self.shape[1] + 2, dtype=float) ** (2.0 * self.hurst)
        g = 0.5 * (m[2:] - 2.0 * m[1:-1] + m[:-2])
        row = np.concatenate([[1.0], g])[: self.shape[1] + 1]
        self._root = np.sqrt(np.fft.fft(np.concatenate([row, row[-2:0:-1]])).real.clip(0.0))

    def persistent(self) -> Floats:
        """Circulant embedding (Davies & Harte 1987)."""
        n = len(self._root)
        size = (self.shape[0], n)
        white = self.rng.standard_normal(size) + 1j * self.rng.standard_normal(size)
        noise = np.fft.fft(white * (self._root / np.sqrt(n)), axis=1).real
        return np.asarray(noise[:, : self.shape[1]])

    def white(self) -> Floats:
        return self.rng.standard_normal(self.shape)


def bouts(
    n: int,
    strides: int,
    seed: int,
    asked: Asked = Asked(),
    *,
    hurst: float = 0.75,
    acceleration: bool = False,
) -> list[list[MeasuredStride]]:
    """n bouts of so many strides a side."""
    landings = 2 * strides + 3  # left first
    noise = Noise((n, landings), hurst, np.random.default_rng(seed))
    right = np.where(np.arange(landings) % 2 == 1, 1.0, -1.0)
    pace = noise.persistent()

    def between(sd: float) -> Floats:
        """What one side has more than the other; sd: of the difference of two neighbours."""
        return np.asarray(0.5 * sd * right * noise.persistent())

    def value(mean: float, common: float, differing: float, error: float, asked_ln: float = 0.0) -> Floats:
        of_pace = 0.7 * pace + np.sqrt(1.0 - 0.49) * noise.persistent()
        own = mean * np.exp(0.5 * asked_ln * right) * (1.0 + common * of_pace + between(differing))
        return np.asarray(own + error * noise.white())

    share = 1.0 / (1.0 + np.exp(-right * asked.step_pct / 100.0))
    true_ic = np.cumsum(STRIDE_S * share * (1.0 + 0.02 * pace + between(0.026)), axis=1)
    stride = np.full_like(true_ic, STRIDE_S)
    stride[:, :-2] = true_ic[:, 2:] - true_ic[:, :-2]
    stance = stride * STANCE * (1.0 + 0.012 * noise.persistent() + between(0.015))
    drop = 4.0 + 0.5 * asked.drop_deg * right + 0.3 * pace + 0.8 * noise.persistent() + between(0.8)
    extension = 5.0 + 0.5 * asked.extension_deg * right + 1.2 * noise.persistent() + between(1.2)
    drawn = {
        "ic": true_ic + 0.006 * noise.white(),
        "fc": true_ic + stance + 0.009 * noise.white(),
        "rom": value(42.0, 0.03, 0.035, 0.6, asked.rom_pct / 100.0),
        "length": value(1.25, 0.03, 0.01, 0.02),
        "step_length": value(0.625, 0.03, 0.03, 0.02, asked.rom_pct / 100.0),
        "rise": value(0.03, 0.06, 0.06, 0.002, asked.rise_pct / 100.0),
        "tilt": value(4.6, 0.1, 0.0, 0.4),
        "drop": drop + 0.4 * noise.white(),
        "extension": extension + 0.5 * noise.white(),
    }
    felt = _pelvis(true_ic, noise) if acceleration else None
    return [_bout({k: v[i] for k, v in drawn.items()}, None if felt is None else felt[i]) for i in range(n)]


def _bout(d: dict[str, Floats], felt: tuple[int, Floats] | None) -> list[MeasuredStride]:
    own = {k: v.tolist() for k, v in d.items()}
    ic = own["ic"]
    out = []
    for j in range(1, len(ic) - 2):
        stride = Stride(
            _SIDES[j % 2], j // 2, ic[j], own["fc"][j], ic[j + 2], ic[j + 1], own["rom"][j], 20.0,
            -own["extension"][j], (), own["length"][j],
        )  # fmt: skip
        pelvis = PelvisStride(
            tilt_rom_deg=own["tilt"][j], obliquity_rom_deg=2.0 * own["drop"][j], drop_deg=own["drop"][j],
            rise_m=own["rise"][j],
        )  # fmt: skip
        piece = None if felt is None else _piece(*felt, ic[j], ic[j + 2])
        out.append(
            MeasuredStride(
                stride, pelvis, own["fc"][j - 1],
 LimbStride(own["rom"][j], own["extension"][j], own["step_length"][j]), piece,
            )
        )  # fmt: skip
    return out


def _piece(first: int, rows: Floats, start_s: float, end_s: float) -> Piece:
    a = int(np.floor(100.0 * start_s)) - CONTEXT
    return Piece(a, rows[a - first : int(np.ceil(100.0 * end_s)) + 1 + CONTEXT - first], _UPRIGHT)


# Amplitudes (m/s²) of the first six harmonics of the stride, and phases, per axis: forward, left, up.
_AMPLITUDE = np.array(
    [[0.15, 1.1, 0.1, 0.6, 0.05, 0.3], [1.0, 0.1, 0.5, 0.05, 0.2, 0.02], [0.2, 1.9, 0.15, 0.3, 0.05, 0.3]]
)
_PHASE = np.array(
    [[0.3, 0.7, 1.1, 0.1, 0.0, 0.5], [0.0, 0.4, 0.2, 0.6, 0.9, 0.1], [0.5, 0.1, 0.9, 0.2, 0.3, 0.7]]
)


def _pelvis(ic: Floats, noise: Noise) -> list[tuple[int, Floats]]:
    """Per bout: grid index of row 0, rows (m, 3) from before its first landing on."""
    size = 1.0 + 0.08 * np.stack([noise.persistent() for _ in range(3)], axis=2)  # per landing and axis
    odd = 1.0 + 0.3 * np.stack([noise.persistent() for _ in range(3)], axis=2)
    out = []
    k = np.arange(1, 7)
    for at, even_size, odd_size in zip(ic, size, odd, strict=True):
        first, last = int(100.0 * at[0]) - 20, int(100.0 * at[-1]) + 20
        t = np.arange(first, last) / 100.0
        landing = np.interp(t, at, np.arange(len(at)))
        turns = np.exp(2j * np.pi * 0.5 * landing[:, np.newaxis] * k)
        series = (_AMPLITUDE * np.exp(2j * np.pi * _PHASE)).T
        j = landing.astype(np.intp)
        rows = (turns[:, 1::2] @ series[1::2]).real * even_size[j] + (
            turns[:, 0::2] @ series[0::2]
        ).real * odd_size[j]
        rows += 0.25 * noise.rng.standard_normal(rows.shape)
        rows[:, 2] += 9.81
        out.append((first, rows))
    return out
