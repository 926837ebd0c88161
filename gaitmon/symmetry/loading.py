"""Proxies of loading: how hard a foot lands, seen from pelvis and thigh, and how far a walk is from usual.

Accelerations are not forces.  A peak at the pelvis is what is left of the impact after leg and hip.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaitmon.compiled import compiled
from gaitmon.model import Floats
from gaitmon.symmetry.acceleration import CONTEXT, HZ, Pieces
from gaitmon.symmetry.metrics import METRICS

GRAVITY_M_S2 = 9.81
IMPACT_S = 0.15  # from the initial contact on
_ROWS = round(IMPACT_S * HZ) + 1
_HALF = CONTEXT - 1
_TAPS = np.arange(-_HALF, _HALF + 1)
_LOW_PASS = np.sinc(2.0 * 20.0 / HZ * _TAPS) * np.hamming(2 * _HALF + 1)
_LOW_PASS /= _LOW_PASS.sum()
LIMP_PARTS = METRICS["limp_index"].parts


def impact_peaks_m_s2(start_s: Floats, pieces: Pieces) -> Floats:
    """Largest acceleration along the segment's long axis, below 20 Hz and less 1 g, within 150 ms of each
    initial contact: (k,).  NaN where a sample is missing.  At the thigh the axis is not quite vertical.
    """
    first = np.ceil(HZ * start_s).astype(int) + pieces.at
    out = np.empty(len(first))
    _peaks(pieces.rows[:, 2], first, _ROWS, _LOW_PASS, out)
    return out


@compiled("void(f8[:], i8[::1], i8, f8[::1], f8[::1])")
def _peaks(up: Floats, first: NDArray[np.int64], rows: int, low_pass: Floats, out: Floats) -> None:
    half = len(low_pass) // 2
    for k in range(len(out)):
        highest = -math.inf
        for i in range(first[k], first[k] + rows):
            smooth = 0.0
            for tap in range(len(low_pass)):
                smooth += low_pass[tap] * up[i + tap - half]
            if math.isnan(smooth) or smooth > highest:  # nothing is larger than NaN
                highest = smooth
        out[k] = highest - GRAVITY_M_S2


@dataclass(frozen=True, slots=True)
class Usual:
    """A metric's own baseline: mean and SD of its valid days, in its unit."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Limp:
    """index: about 1 when nothing changed.  parts: each metric's distance from its baseline in SDs, signed,
    positive to the right.  Never shown without them."""

    index: float
    parts: dict[str, float]


def limp_index(values: Mapping[str, float], usual: Mapping[str, Usual]) -> Limp | None:
    """Root mean square of the parts' distances from the wearer's own baseline.

    values: by metric, of one day or bout.  None if one of the parts, or its baseline, is missing: an
    index of fewer parts is another index.
    """
    parts = {}
    for metric in LIMP_PARTS:
        own, base = values.get(metric), usual.get(metric)
        if own is None or base is None or base.sd <= 0.0:
            return None
        parts[metric] = (own - base.mean) / base.sd
    return Limp(math.sqrt(sum(z * z for z in parts.values()) / len(parts)), parts)
