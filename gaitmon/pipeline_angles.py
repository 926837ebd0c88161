"""Angles of pelvis and thighs on the grid, computed where there are strides."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

import numpy as np

from gaitmon.imu.chain import SensorChain
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.model import Alignment, Floats, Placement
from gaitmon.symmetry import cycle

CONTEXT = 15  # grid samples on either side that an angle takes part in
SMOOTH = lowpass_kernel(8.0, CONTEXT, 100.0)  # soft tissue rings above
_COLUMN = {
    Placement.LEFT_THIGH: cycle.LEFT_FLEXION,
    Placement.RIGHT_THIGH: cycle.RIGHT_FLEXION,
    Placement.THIGH: cycle.FLEXION,
}
_UNKNOWN = np.full((3, 3), np.nan)


def angles(
    chains: Mapping[Placement, SensorChain], alignment: Mapping[Placement, Alignment], a: int, b: int
) -> Floats:
    """Rows of gaitmon.symmetry.cycle's columns, (b - a, COLUMNS), of grid indices [a, b).

    The sensors' rows up to b + CONTEXT must be known.  A row depends on their samples and on the alignment,
    never on what it is asked together with.  In memory one column after the other.
    """
    out = np.full((cycle.COLUMNS, b - a), np.nan)
    for placement, chain in chains.items():
        rows, rotation = chain.raw.view(a - CONTEXT, b + CONTEXT), _rotation(alignment.get(placement))
        if placement is Placement.PELVIS:
            cycle.pelvis_angles(rows, rotation, SMOOTH, out)
        elif placement in _COLUMN:
            cycle.thigh_angle(rows, rotation, SMOOTH, out[_COLUMN[placement]])
    return out.T


def flexion_range_deg(
    chain: SensorChain, alignment: Alignment | None, start_s: float, end_s: float
) -> tuple[float, float]:
    """Lowest and highest of the column of angles that is this thigh's, over one cycle; NaN if not known."""
    a, b = floor(100 * start_s), floor(100 * end_s) + 2
    rows = chain.raw.view(a - CONTEXT, b + CONTEXT)
    return cycle.flexion_range_deg(rows, _rotation(alignment), SMOOTH, start_s, end_s)


def _rotation(alignment: Alignment | None) -> Floats:
    return alignment.rotation if alignment is not None and alignment.flexion_known else _UNKNOWN
