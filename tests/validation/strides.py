"""Strides of one foot found by two methods, paired one to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from gaitmon.model import Bools

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class StridePairs:
    """found, reference: shape (n,), indices into the two inputs that belong together, in order of time.
    fp, fn: how many of either have no partner."""

    found: Indices
    reference: Indices
    fp: int
    fn: int

    @property
    def n(self) -> int:
        return len(self.found)


def pair_strides(
    found: Sequence[tuple[float, float]], reference: Sequence[tuple[float, float]], tolerance_s: float = 0.15
) -> StridePairs:
    """(start_s, end_s) each; a pair agrees within the tolerance at both ends.  The most pairs possible, and
    of those the least total error."""
    a = np.array(found, dtype=np.float64).reshape(-1, 2)
    b = np.array(reference, dtype=np.float64).reshape(-1, 2)
    error_s = np.abs(a[:, None, :] - b[None, :, :])
    allowed: Bools = np.asarray((error_s <= tolerance_s).all(axis=2))
    forbidden = 2.0 * tolerance_s * (min(allowed.shape, default=0) + 1)
    rows, columns = linear_sum_assignment(np.where(allowed, error_s.sum(axis=2), forbidden))
    kept = allowed[rows, columns]
    return StridePairs(
        rows[kept].astype(np.int64),
        columns[kept].astype(np.int64),
        len(a) - int(kept.sum()),
        len(b) - int(kept.sum()),
    )
