"""Proxies of loading: how hard a foot lands, seen from pelvis and thigh, and how far a walk is from usual.

Accelerations are not forces.  A peak at the pelvis is what is left of the impact after leg and hip.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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
    up = pieces.rows[:, 2][first[:, np.newaxis] + np.arange(-_HALF, _ROWS + _HALF)]
    smooth = np.zeros((len(up), _ROWS))
    for tap, weight in enumerate(_LOW_PASS.tolist()):
        smooth += weight * up[:, tap : tap + _ROWS]
    return np.asarray(smooth.max(axis=1) - GRAVITY_M_S2)


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
