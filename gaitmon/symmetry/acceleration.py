"""Pieces of a sensor's acceleration around strides, and all of a bout's pieces in its segment's frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gaitmon.compiled import compiled
from gaitmon.model import Floats

HZ = 100.0
CONTEXT = 8  # grid samples kept on either side of what is asked for


class Piece(NamedTuple):
    """acc_m_s2: shape (n, 3), specific force in the sensor's frame on the 100 Hz grid from index first on,
    with at least CONTEXT rows before and after the stride it is for; several strides may share one.
    rotation: (3, 3), sensor to segment."""

    first: int
    acc_m_s2: Floats
    rotation: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """rows: (n, 3), all different pieces one after the other; forward, left, up of the segment.

    at: (k,), the row that grid index 0 would have by each piece.
    """

    rows: Floats
    at: NDArray[np.intp]

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> Pieces:
        """At least one piece."""
        begins: dict[int, int] = {}  # of each one its first row
        n, different = 0, []
        for p in pieces:
            if id(p) not in begins:
                begins[id(p)] = n
                n += len(p.acc_m_s2)
                different.append(p)
        rows = np.empty((3, n))
        for p in different:
            begin = begins[id(p)]
            _turned(p.acc_m_s2, p.rotation, rows[:, begin : begin + len(p.acc_m_s2)])
        return cls(rows.T, np.array([begins[id(p)] - p.first for p in pieces]))

    def between(self, grid: Floats) -> Floats:
        """grid: (k, m), places on the 100 Hz grid within each piece -> (k, m, 3), linearly interpolated;
        in memory one axis after the other: spectra are taken of them."""
        out = np.empty((len(grid), 3, grid.shape[1]))
        _between(self.rows.T, grid, self.at, out)
        return out.transpose(0, 2, 1)


@compiled("void(f8[:, :], f8[:, :], f8[:, :])")
def _turned(acc: Floats, rotation: Floats, out: Floats) -> None:
    """(n, 3) in the sensor's frame -> (3, n) in the segment's."""
    for axis in range(3):
        rx, ry, rz = rotation[axis, 0], rotation[axis, 1], rotation[axis, 2]
        for i in range(len(acc)):
            out[axis, i] = acc[i, 0] * rx + acc[i, 1] * ry + acc[i, 2] * rz


@compiled("void(f8[:, :], f8[:, :], i8[:], f8[:, :, ::1])")
def _between(axes: Floats, grid: Floats, first: NDArray[np.intp], out: Floats) -> None:
    for k in range(len(grid)):
        for i in range(grid.shape[1]):
            at = grid[k, i] + first[k]
            below = int(at)
            for axis in range(3):
                low, high = axes[axis, below], axes[axis, below + 1]
                out[k, axis, i] = low + (high - low) * (at - below)
