"""What the simulated person does, as a tuple of steps.

Getting up and sitting down happen by themselves between steps that need it and take their own time.
Walk, Turn and Stairs that follow each other are one walk without a stop.
"""

from __future__ import annotations

from dataclasses import dataclass

from gaitmon.errors import ConfigError
from gaitmon.model import Side


@dataclass(frozen=True, slots=True)
class Stand:
    """Quiet standing, with sway."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Sit:
    """Thighs about horizontal, with now and then a small change of posture."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lie:
    """On the back, knees up."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SingleLegStance:
    """Standing on one leg, the other thigh lifted; drop_deg: the pelvis drops on the lifted side."""

    side: Side
    seconds: float
    drop_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class SitToStand:
    """Up and down again, that many times, starting and ending seated.  seconds: one up and down."""

    repetitions: int = 5
    seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Walk:
    """Walking straight on for that long, or that many strides.  speed None: the walker's own."""

    seconds: float | None = None
    strides: int | None = None
    speed_m_s: float | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of heading while walking on, left +, with a raised-cosine yaw rate and shorter inner steps."""

    angle_deg: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Stairs:
    """Up a staircase."""

    seconds: float


Posture = Stand | Sit | Lie | SingleLegStance | SitToStand
Walking = Walk | Turn | Stairs
Step = Posture | Walking


def check(script: tuple[Step, ...]) -> None:
    """Raises ConfigError for a step that cannot be done."""
    if not script:
        raise ConfigError("The script is empty.", "Give at least one step, such as Stand(5.0).")
    for step in script:
        match step:
            case Walk(seconds=None, strides=None) | Walk(seconds=float() | int(), strides=int()):
                raise ConfigError(f"{step} is not clear.", "Give either seconds or strides.")
            case Walk(strides=int(n)) if n < 2:
                raise ConfigError(f"{step} is too short.", "Give at least 2 strides.")
            case Walk(speed_m_s=float(v)) if not 0.2 <= v <= 2.2:
                raise ConfigError(f"{step} cannot be walked.", "Speeds from 0.2 to 2.2 m/s.")
            case SitToStand(repetitions=n, seconds=s) if n < 1 or s < 1.5:
                raise ConfigError(f"{step} cannot be done.", "At least one repetition of at least 1.5 s.")
            case Turn(angle_deg=a, seconds=s) if s < 0.5 or abs(a) > 720.0:
                raise ConfigError(f"{step} cannot be walked.", "At least 0.5 s and at most 720 degrees.")
        if isinstance(step.seconds, float | int) and step.seconds <= 0.0:
            raise ConfigError(f"{step} lasts no time.", "Give a positive number of seconds.")
