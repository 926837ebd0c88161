"""What ends a walk: one foot set beside the other, or sitting down; how the thigh tells both from a step.

In walking the foot lands in front: the thigh leans, so that gravity has a forward part along it, and braking
adds to that.  A foot that is set beside the other has its thigh upright above it and nothing to brake, and
neither feature of a landing is one then.  On simulated walks at 0.4 to 1.7 m/s, outside the validation, the
forward push of 179 of 180 last steps was below a quarter of the limb's usual one, of the 5,597 others on
straight ground none was, of 566 in turns 23.

Who sits down brings both thighs forward as in a swing, but there they stay, and carry little of gravity:
2 m/s² and less along the thigh where a walking one, stairs included, has 7.8 and more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isnan, nan
from statistics import median

from gaitmon.compiled import compiled
from gaitmon.model import Floats

_FORWARD, _UP = 1, 2  # columns of rows, which are gaitmon.gait.contacts.LimbSignals'


@dataclass(frozen=True, slots=True)
class ClosingParams:
    window: tuple[float, float] = (0.18, 0.48)  # shares of the stride after the swing peak: where the push is
    share: float = 0.25  # of the usual push
    least_m_s2: float = 0.4  # a usual push, to tell: a single one scatters by 0.12
    memory: int = 6  # landings that say what is usual
    seated_m_s2: float = 6.0  # of gravity along a thigh that sits, at most: it leans by 52 degrees


@dataclass(slots=True)
class ClosingStep:
    """Of one limb in one gait sequence.  Stateful: landings in order, each once."""

    _pushes: list[float] = field(default_factory=list)

    def is_one(self, rows: Floats, peak: int, period: int, p: ClosingParams) -> bool:
        """rows: of the thigh; peak: the row of its swing peak.  period: of the stride, grid samples."""
        a, b = p.window
        push = _push_m_s2(rows, peak + round(a * period), peak + round(b * period))
        usual = median(self._pushes) if self._pushes else 0.0
        self._pushes = [*self._pushes[1 - p.memory :], push]
        return usual > p.least_m_s2 and push < p.share * usual


@compiled("f8(f8[:, ::1], i8, i8)")
def _push_m_s2(rows: Floats, start: int, end: int) -> float:
    """The highest specific force forward in rows start to end, as far as they go; 0 without any."""
    highest = -inf
    for i in range(start, min(end, len(rows))):
        highest = max(highest, rows[i, _FORWARD])
    return highest if highest > -inf else 0.0


@compiled("f8(f8[:, ::1], i8, i8, i8)")
def carried_m_s2(rows: Floats, start: int, end: int, last: int) -> float:
    """Mean specific force along the thigh over the last so many of rows start to end: in early stance, had
    there been a landing.  NaN where any of rows start to end is missing."""
    if start < 0 or end > len(rows) or end - last < start:
        return nan
    for i in range(start, end):
        if isnan(rows[i, 0] + rows[i, _FORWARD] + rows[i, _UP]):
            return nan
    total = 0.0
    for i in range(end - last, end):
        total += rows[i, _UP]
    return total / last
