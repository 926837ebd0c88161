"""The guided tests there are: how each is done, what it needs, and what must be said before it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    QUIET_STANCE = "quiet-stance"
    TEN_METRE_WALK = "10m-walk"
    TWO_MINUTE_WALK = "2min-walk"
    SINGLE_LEG_STANCE = "single-leg-stance"
    SIT_TO_STAND = "5x-sit-to-stand"


@dataclass(frozen=True, slots=True)
class Guide:
    """What a therapist reads before the test.  safety: shown before anything else."""

    name: str
    usual_s: float
    how: str
    gives: str
    safety: str
    sided: bool = False
    distance: str = ""  # "needed", "optional", or "" where it does not apply


STOP = "Stop at once for pain, dizziness or unsteadiness; skip the test if in doubt."

GUIDES: dict[Kind, Guide] = {
    Kind.QUIET_STANCE: Guide(
        "Quiet stance",
        30.0,
        "Stand still on both feet, in the usual way, arms hanging, looking ahead, for 30 s. Do it first: it "
        "sets the zero of the angles.",
        "tilt and obliquity of the pelvis against the standing of calibration, sway",
        f"Stand near a support. {STOP}",
    ),
    Kind.TEN_METRE_WALK: Guide(
        "10-metre walk",
        10.0,
        "Mark two lines 10 m apart, with nothing in the way beyond. Stand with the toes at the first line, "
        "stand still for 2 s, walk at the usual pace, stop with the toes at the second line, stand still. "
        "Three walks are better than one: symmetry takes 6 strides a side.",
        "speed, time, steps, cadence, symmetry; the wearer's own stride length (calibration)",
        f"Walk with the usual aid; somebody walks along where there is a risk of falling. {STOP}",
        distance="needed",
    ),
    Kind.TWO_MINUTE_WALK: Guide(
        "2-minute walk",
        120.0,
        "Walk as far as possible in 2 minutes, on a long straight way, turning at its ends. Measure the way "
        "if you can: distance= gives metres.",
        "distance, change of speed from the first to the second half, symmetry, every metric of walking",
        f"Resting is allowed; a chair is near. {STOP}",
        distance="optional",
    ),
    Kind.SINGLE_LEG_STANCE: Guide(
        "Single-leg stance",
        30.0,
        "Stand on the named leg and lift the other knee forward, about 30 degrees or more at the hip, for up "
        "to 30 s. side= is the leg that stands. Stand on both feet for 3 s before and after.",
        "time held, drop of the pelvis on the lifted side (largest, mean, at the end), sway",
        "Do it only if the wearer agrees and is steady enough: at a rail or the back of a firm chair, a hand "
        f"just above it, somebody beside. {STOP}",
        sided=True,
    ),
    Kind.SIT_TO_STAND: Guide(
        "Five times sit-to-stand",
        15.0,
        "A firm chair of 43 to 45 cm against a wall, arms crossed on the chest. Sit still for 3 s, then rise "
        "to full standing and sit down again five times as quickly as is safe.",
        "time of five rises, time of each, lean of the pelvis, left thigh against right",
        "The chair cannot slide; somebody stands beside. After a hip operation ask first whether bending "
        f"this far is allowed. {STOP}",
    ),
}

NOT_A_DIAGNOSIS = (
    "Measured values, not a diagnosis; the therapist decides. gaitmon cannot detect emergencies."
)
