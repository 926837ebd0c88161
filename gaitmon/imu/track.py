"""What is remembered of one sensor: rows on the 100 Hz grid, NaN where samples are missing."""

from __future__ import annotations

import numpy as np

from gaitmon.model import Floats


class Track:
    """Rows at consecutive grid indices; old ones can be forgotten.  Reading outside gives NaN."""

    def __init__(self, columns: int) -> None:
        self._rows = np.empty((1024, columns))
        self.begun = False
        self.first = 0  # grid index of row 0
        self.end = 0  # grid index after the newest row; 0 before the first one
        self._holes: list[tuple[int, int]] = []  # of rows that were skipped, each [first, last)

    def __getstate__(self) -> dict[str, object]:
        """For a checkpoint: without the room for rows to come."""
        return {**self.__dict__, "_rows": self._rows[: self.end - self.first]}

    def extend(self, at: int, rows: Floats) -> None:
        """Append rows at grid index ``at``, which must not be before ``end``; a hole becomes NaN."""
        self.room(at, len(rows))[:] = rows

    def room(self, at: int, n: int) -> Floats:
        """As extend, but gives the n new rows, for the caller to write."""
        if not self.begun:
            self.first = self.end = at
            self.begun = True
        used, hole = self.end - self.first, at - self.end
        if hole < 0:
            raise ValueError(f"row {at} was already written (end is {self.end})")
        need = used + hole + n
        if need > len(self._rows):
            bigger = np.empty((max(2 * len(self._rows), need), self._rows.shape[1]))
            bigger[:used] = self._rows[:used]
            self._rows = bigger
        if hole:
            self._holes.append((self.end, at))
            self._rows[used : used + hole] = np.nan
        self.end = at + n
        return self._rows[used + hole : need]

    def skip_to(self, end: int) -> None:
        """Nothing is known from here up to grid index ``end``; a track that had not begun begins there."""
        if end > self.end or not self.begun:
            self.room(end, 0)

    def view(self, a: int, b: int) -> Floats:
        """Rows of grid indices [a, b): shape (b - a, columns)."""
        i, j = a - self.first, b - self.first
        if i >= 0 and b <= self.end:
            return self._rows[i:j]
        out = np.full((max(b - a, 0), self._rows.shape[1]), np.nan)
        lo, hi = max(i, 0), min(b, self.end) - self.first
        if hi > lo:
            out[lo - i : hi - i] = self._rows[lo:hi]
        return out

    def skipped(self, a: int, b: int) -> bool:
        """Whether any of the rows of grid indices [a, b) was skipped, or is not there."""
        if a >= b:
            return False
        if not self._holes:
            return a < self.first or b > self.end
        return a < self.first or b > self.end or any(x < b and y > a for x, y in self._holes)

    def forget_before(self, a: int) -> None:
        used = self.end - self.first
        drop = min(a - self.first, used)
        if drop > 4096:  # moving rows is cheap only when it is rare
            self._rows[: used - drop] = self._rows[drop:used]
            self.first += drop
            self._holes = [hole for hole in self._holes if hole[1] > self.first]
