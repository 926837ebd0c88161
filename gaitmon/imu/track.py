"""What is remembered of one sensor: rows on the 100 Hz grid, NaN where samples are missing."""

from __future__ import annotations

import numpy as np

from gaitmon.model import Floats


class Track:
    """Rows at consecutive grid indices; old ones can be forgotten.  Reading outside gives NaN."""

    def __init__(self, columns: int) -> None:
        self._rows = np.empty((1024, columns))
        self._used = 0
        self.first = 0  # grid index of row 0
        self._begun = False
        self._holes: list[tuple[int, int]] = []  # of rows that were skipped, each [first, last)

    def __getstate__(self) -> dict[str, object]:
        """For a checkpoint: without the room for rows to come."""
        return {**self.__dict__, "_rows": self._rows[: self._used]}

    @property
    def end(self) -> int:
        """Grid index after the newest row; 0 before the first one."""
        return self.first + self._used

    @property
    def begun(self) -> bool:
        return self._begun

    def extend(self, at: int, rows: Floats) -> None:
        """Append rows at grid index ``at``, which must not be before ``end``; a hole becomes NaN."""
        if not self._begun:
            self.first, self._begun = at, True
        hole = at - self.end
        if hole < 0:
            raise ValueError(f"row {at} was already written (end is {self.end})")
        need = self._used + hole + len(rows)
        if need > len(self._rows):
            bigger = np.empty((max(2 * len(self._rows), need), self._rows.shape[1]))
            bigger[: self._used] = self._rows[: self._used]
            self._rows = bigger
        if hole:
            self._holes.append((self.end, at))
            self._rows[self._used : self._used + hole] = np.nan
        self._rows[self._used + hole : need] = rows
        self._used = need

    def skip_to(self, end: int) -> None:
        """Nothing is known from here up to grid index ``end``; a track that had not begun begins there."""
        if end > self.end or not self._begun:
            self.extend(end, self._rows[:0])

    def view(self, a: int, b: int) -> Floats:
        """Rows of grid indices [a, b): shape (b - a, columns)."""
        i, j = a - self.first, b - self.first
        if i >= 0 and j <= self._used:
            return self._rows[i:j]
        out = np.full((max(b - a, 0), self._rows.shape[1]), np.nan)
        lo, hi = max(i, 0), min(j, self._used)
        if hi > lo:
            out[lo - i : hi - i] = self._rows[lo:hi]
        return out

    def skipped(self, a: int, b: int) -> bool:
        """Whether any of the rows of grid indices [a, b) was skipped, or is not there."""
        if a >= b:
            return False
        return a < self.first or b > self.end or any(x < b and y > a for x, y in self._holes)

    def forget_before(self, a: int) -> None:
        drop = min(a - self.first, self._used)
        if drop > 4096:  # moving rows is cheap only when it is rare
            self._rows[: self._used - drop] = self._rows[drop : self._used].copy()
            self._used -= drop
            self.first += drop
            self._holes = [hole for hole in self._holes if hole[1] > self.first]
