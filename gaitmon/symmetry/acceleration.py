"""Pieces of a sensor's acceleration around strides, and all of a bout's pieces in its segment's frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaitmon.model import Bools, Floats

HZ = 100.0
CONTEXT = 8  # grid samples kept on either side of what is asked for


class Piece(NamedTuple):
    """acc_m_s2: shape (n, 3), specific force in the sensor's frame on the 100 Hz grid from index first on,
    CONTEXT rows before and after the stretch it is for.  rotation: (3, 3), sensor to segment."""

    first: int
    acc_m_s2: Floats
    rotation: Floats

    def between(self, start_s: float, end_s: float) -> Piece:
        """The part for this stretch, of the same rows in memory."""
        a = math.floor(HZ * start_s) - CONTEXT
        b = math.ceil(HZ * end_s) + 1 + CONTEXT
        return Piece(a, self.acc_m_s2[a - self.first : b - self.first], self.rotation)


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """rows: (n, 3), all pieces one after the other; forward, left, up of the segment.

    at: (k,), the row that grid index 0 would have by each piece.
    """

    rows: Floats
    at: Floats

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> Pieces:
        """At least one piece.  Multiplied out, so that a row does not depend on its neighbours."""
        lengths = np.array([len(p.acc_m_s2) for p in pieces])
        begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        sensor = np.concatenate([p.acc_m_s2.T for p in pieces], axis=1)
        rows = np.empty_like(sensor)
        rotations = {id(p.rotation): p.rotation for p in pieces}.values()
        for rotation in rotations:
            own: slice | Bools = slice(None)
            if len(rotations) > 1:
                own = np.repeat([p.rotation is rotation for p in pieces], lengths)
            x, y, z = sensor[:, own]
            for axis, (rx, ry, rz) in enumerate(rotation.tolist()):
                rows[axis, own] = x * rx + y * ry + z * rz
        return cls(rows.T, begins - np.array([p.first for p in pieces]))

    def between(self, grid: Floats) -> Floats:
        """grid: (k, m), places on the 100 Hz grid within each piece -> (k, m, 3), linearly interpolated."""
        at = grid + self.at[:, np.newaxis]
        below = at.astype(np.intp)
        share = at - below
        axes = self.rows.T  # each in one piece
        low = axes.take(below, axis=1)
        return np.asarray(low + (axes.take(below + 1, axis=1) - low) * share).transpose(1, 2, 0)
