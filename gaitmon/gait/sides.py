"""Are the two thigh sensors where their labels say?  Two independent witnesses, never a silent swap.

In walking the pelvis turns and rolls once a stride in a known phase to the legs.  With swapped labels
both phases turn by half a cycle.  Either alone is unsafe: pelvic rotation's phase runs from -29 deg
(fast, Schwartz 2008) to -138 deg (slow, turning: a real recording with right labels).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gaitmon.model import Notice, NoticeKind

EXPECTED_YAW_DEG = -70.0  # middle of what was published and recorded, against right minus left thigh flexion
EXPECTED_ROLL_DEG = 130.0
DISAGREES_DEG = 120.0
ENOUGH_STRIDES = 50
FEWEST_STRIDES = 6


@dataclass(slots=True)
class _Phases:
    yaw: complex = 0j
    roll: complex = 0j
    strides: int = 0

    def doubts(self) -> int:
        """How many of the two witnesses disagree with the labels."""
        return sum(
            abs(np.angle(z * np.exp(-1j * np.radians(expected)), deg=True)) > DISAGREES_DEG
            for z, expected in ((self.yaw, EXPECTED_YAW_DEG), (self.roll, EXPECTED_ROLL_DEG))
        )


@dataclass(slots=True)
class SideWitnesses:
    """Collects both phases over the strides of a segment.  Stateful.

    Only straight strides can say "swapped"; a walk of nothing but turns can at least raise the doubt.
    """

    _straight: _Phases = field(default_factory=_Phases)
    _all: _Phases = field(default_factory=_Phases)
    _said: str = ""

    def add(self, yaw: complex, roll: complex, *, straight: bool) -> None:
        for phases in (self._all, self._straight) if straight else (self._all,):
            phases.yaw += yaw
            phases.roll += roll
            phases.strides += 1

    def verdict(self) -> Notice | None:
        """What a reader must know, once for each change of mind; None while the labels look right."""
        best = self._straight if self._straight.strides >= ENOUGH_STRIDES else self._all
        if best.strides < FEWEST_STRIDES:
            return None
        doubts = best.doubts()
        said = ""
        if doubts == 2 and best is self._straight:
            said = (
                "Left and right thigh sensors look swapped, or all accelerations have the wrong sign: check "
                "them; the sides below are as labelled."
            )
        elif doubts:
            said = "It cannot be told whether the thigh sensors are where their labels say: check them."
        if said == self._said:
            return None
        self._said = said
        return Notice(NoticeKind.SIDES, said) if said else None
