"""Angles of pelvis and thighs on the grid, computed where there are strides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gaitmon.imu.chain import SensorChain
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.model import Alignment, Floats, Placement
from gaitmon.symmetry import cycle

CONTEXT = 15  # grid samples on either side that an angle takes part in
SMOOTH = lowpass_kernel(8.0, CONTEXT, 100.0)  # soft tissue rings above
_COLUMN = {
    Placement.PELVIS: cycle.TILT,
    Placement.LEFT_THIGH: cycle.LEFT_FLEXION,
    Placement.RIGHT_THIGH: cycle.RIGHT_FLEXION,
    Placement.THIGH: cycle.FLEXION,
}
_UNKNOWN = np.full((3, 3), np.nan)
_DEG = 180.0 / np.pi


def angles(
    chains: Mapping[Placement, SensorChain], alignment: Mapping[Placement, Alignment], a: int, b: int
) -> Floats:
    """Rows of gaitmon.symmetry.cycle's columns, (b - a, COLUMNS), of grid indices [a, b).

    The sensors' rows up to b + CONTEXT must be known.  A row depends on their samples and on the alignment,
    never on what it is asked together with.  In memory one column after the other.
    """
    chains = {p: c for p, c in chains.items() if p in _COLUMN}
    out = np.full((cycle.COLUMNS, b - a), np.nan)
    if not chains:
        return out.T
    seen = np.stack([c.raw.view(a - CONTEXT, b + CONTEXT) for c in chains.values()])
    rotation = np.array([_rotation(alignment.get(p)) for p in chains])
    x, y, z = np.einsum("sij,snj->isn", rotation, seen[:, :, 6:9])  # of the vertical
    tilts = np.arctan2(x, z)  # of the thighs, flexion
    columns, smooth = [_COLUMN[p] for p in chains], [tilts]
    if Placement.PELVIS in chains:
        at = list(chains).index(Placement.PELVIS)
        np.arctan2(-x[at], np.hypot(y[at], z[at]), out=tilts[at])
        smooth += [np.arctan2(y[at], z[at])[np.newaxis], seen[at, np.newaxis, :, 9]]
        columns += [cycle.OBLIQUITY, cycle.YAW_RATE]
        force, up = seen[at, CONTEXT:-CONTEXT, :3], seen[at, CONTEXT:-CONTEXT, 6:9]
        vertical, lean = np.einsum("nj,nj->n", force, up), y[at, CONTEXT:-CONTEXT]
        leftward = np.einsum("nj,j->n", force, rotation[at, 1]) - vertical * lean
        out[cycle.VERTICAL] = vertical
        out[cycle.LEFTWARD] = leftward / np.sqrt(1.0 - lean * lean)
    out[columns] = _smoothed(np.concatenate(smooth))
    out[: cycle.YAW_RATE] *= _DEG
    return out.T


def flexion(chain: SensorChain, alignment: Alignment | None, a: int, b: int) -> Floats:
    """That column of angles which is this thigh's, (b - a,)."""
    up = chain.raw.view(a - CONTEXT, b + CONTEXT)[:, 6:9]
    x, z = np.einsum("ij,nj->in", _rotation(alignment)[::2], up)
    return np.asarray(np.correlate(np.arctan2(x, z), SMOOTH, "valid") * _DEG)


def _rotation(alignment: Alignment | None) -> Floats:
    return alignment.rotation if alignment is not None and alignment.flexion_known else _UNKNOWN


def _smoothed(wide: Floats) -> Floats:
    """Rows of (k, n + 2 CONTEXT) -> (k, n): one correlation for all; what mixes two rows is left out."""
    out = np.empty(wide.size)
    out[: wide.size - 2 * CONTEXT] = np.correlate(wide.ravel(), SMOOTH, "valid")  # a symmetric kernel
    return np.asarray(out.reshape(wide.shape)[:, : -2 * CONTEXT])
