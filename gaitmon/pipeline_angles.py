"""Angles of pelvis and thighs on the grid, computed where there are strides, each sample once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gaitmon.imu.chain import SensorChain
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.imu.track import Track
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
_AHEAD = 200  # grid samples computed beyond what is asked for, where they are known
_OUT_OF_ORDER = 800  # grid samples by which strides of one walk may begin before one another
_UNKNOWN = np.full((3, 3), np.nan)


class AngleTrack:
    """Rows of gaitmon.symmetry.cycle's columns.  Stateful, but for speed alone: a row depends on the sensors'
    samples and the alignment, never on what was asked before."""

    def __init__(
        self, chains: Mapping[Placement, SensorChain], alignment: Mapping[Placement, Alignment]
    ) -> None:
        """alignment: the pipeline's own, as it changes."""
        self._chains = {p: c for p, c in chains.items() if p in _COLUMN}
        self._has_pelvis = Placement.PELVIS in chains
        self._columns = [_COLUMN[p] for p in self._chains]
        if self._has_pelvis:
            self._columns += [cycle.OBLIQUITY, cycle.YAW_RATE]
        self._alignment = alignment
        self._rows = Track(cycle.COLUMNS)
        self._used: dict[Placement, Alignment] = {}
        self._rotation = np.empty((0, 3, 3))

    def over(self, a: int, upto: int) -> Floats:
        """Rows of grid indices [a, upto).  The sensors' rows up to upto + CONTEXT must be known."""
        b = upto
        if (
            self._used != self._alignment
            or not self._rows.begun
            or not self._rows.first <= a <= self._rows.end
        ):
            self._begin()
        start = self._rows.end if self._rows.begun else a
        if start < b:
            known = min((c.raw.end for c in self._chains.values()), default=b) - CONTEXT
            b = max(b, min(known, b + _AHEAD))  # the next stride will ask for it: fewer calls, same rows
            self._rows.extend(start, self._computed(start, b))
        self._rows.forget_before(a - _OUT_OF_ORDER)
        return self._rows.view(a, upto)

    def _begin(self) -> None:
        self._rows = Track(cycle.COLUMNS)
        self._used = dict(self._alignment)
        known = {p: a.rotation for p, a in self._used.items() if a.flexion_known}
        self._rotation = np.array([known.get(p, _UNKNOWN) for p in self._chains])

    def _computed(self, a: int, b: int) -> Floats:
        out = np.full((b - a, cycle.COLUMNS), np.nan)
        if not self._chains:
            return out
        seen = np.stack([c.raw.view(a - CONTEXT, b + CONTEXT) for c in self._chains.values()])
        x, y, z = np.einsum("sij,snj->isn", self._rotation, seen[:, :, 6:9])  # of the vertical
        angles = np.arctan2(x, z)  # of the thighs, flexion
        smooth = [angles]
        if self._has_pelvis:
            at = list(self._chains).index(Placement.PELVIS)
            np.arctan2(-x[at], np.hypot(y[at], z[at]), out=angles[at])
            smooth += [np.arctan2(y[at], z[at])[np.newaxis], seen[at, np.newaxis, :, 9]]
            force, up = seen[at, CONTEXT:-CONTEXT, :3], seen[at, CONTEXT:-CONTEXT, 6:9]
            vertical, lean = np.einsum("nj,nj->n", force, up), y[at, CONTEXT:-CONTEXT]
            leftward = np.einsum("nj,j->n", force, self._rotation[at, 1]) - vertical * lean
            out[:, cycle.VERTICAL] = vertical
            out[:, cycle.LEFTWARD] = leftward / np.sqrt(1.0 - lean * lean)
        out[:, self._columns] = _smoothed(np.concatenate(smooth)).T
        out[:, : cycle.YAW_RATE] *= 180.0 / np.pi
        return out


def _smoothed(wide: Floats) -> Floats:
    """Rows of (k, n + 2 CONTEXT) -> (k, n): one correlation for all; what mixes two rows is left out."""
    out = np.empty(wide.size)
    out[: wide.size - 2 * CONTEXT] = np.correlate(wide.ravel(), SMOOTH, "valid")  # a symmetric kernel
    return np.asarray(out.reshape(wide.shape)[:, : -2 * CONTEXT])
