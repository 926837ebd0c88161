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


@dataclass(slots=True)
class SideWitnesses:
    """Collects both phases over the straight strides of a segment.  Stateful."""

    _yaw: complex = 0j
    _roll: complex = 0j
    strides: int = 0
    _said: str = field(default="")

    def add(self, yaw: complex, roll: complex) -> None:
        self._yaw += yaw
        self._roll += roll
        self.strides += 1

    def disagreement_deg(self) -> tuple[float, float]:
        """How far each witness is from what the labels predict, 0..180 degrees."""
        return tuple(
            float(abs(np.angle(z * np.exp(-1j * np.radians(expected)), deg=True)))
            for z, expected in ((self._yaw, EXPECTED_YAW_DEG), (self._roll, EXPECTED_ROLL_DEG))
        )  # type: ignore[return-value]  # two elements, as written

    def verdict(self) -> Notice | None:
        """What a reader must know, once for each change of mind; None while the labels look right."""
        if self.strides < 6:
            return None
        yaw, roll = self.disagreement_deg()
        doubts = (yaw > DISAGREES_DEG) + (roll > DISAGREES_DEG)
        if doubts == 0:
            said = ""
        elif doubts == 2 and self.strides >= ENOUGH_STRIDES:
            said = "Left and right thigh sensors look swapped: check them; the sides below are as labelled."
        else:
            said = (
                "It cannot be told whether the thigh sensors are on the sides their labels say: check them."
            )
        if said == self._said:
            return None
        self._said = said
        return Notice(NoticeKind.SIDES, said) if said else None
