"""The nouns of gaitmon: every value that flows between stages.

Everything here is immutable, does no I/O and needs numpy only.  Units are SI and stand in the
name (``_s``, ``_m_s2``, ``_rad_s``, ``_rad``); ``_deg`` and ``_pct`` only where a clinician's unit is
stored on purpose.  Frames and signs are written down in docs/units-and-frames.md; in short, a
segment's frame in neutral standing is x forward, y left, z up, and every signed asymmetry is
right versus left, ``100 ln(R / L)``.

Times (``t_s``, ``start_s``) are seconds on the segment's own clock.  UTC exists only at the edges
(gaitmon.transport.messages).  Intervals are half open, ``[start, end)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> Side:
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Placement(StrEnum):
    """Where a sensor is worn.  Feet serve as reference only and never enter the pipeline."""

    PELVIS = "pelvis"
    LEFT_THIGH = "left_thigh"
    RIGHT_THIGH = "right_thigh"
    THIGH = "thigh"  # one thigh, side not known
    PHONE = "phone"  # somewhere in a pocket
    LEFT_FOOT = "left_foot"
    RIGHT_FOOT = "right_foot"

    @property
    def side(self) -> Side | None:
        match self:
            case Placement.LEFT_THIGH | Placement.LEFT_FOOT:
                return Side.LEFT
            case Placement.RIGHT_THIGH | Placement.RIGHT_FOOT:
                return Side.RIGHT
            case _:
                return None

    @property
    def is_reference(self) -> bool:
        return self in (Placement.LEFT_FOOT, Placement.RIGHT_FOOT)


class ContactKind(StrEnum):
    IC = "ic"  # initial contact
    FC = "fc"  # final contact


@dataclass(frozen=True, slots=True, eq=False)
class ImuBlock:
    """Consecutive samples of one sensor, in its own mounting frame.

    t_s: shape (n,), strictly increasing, on the segment's common clock.
    acc_m_s2: shape (n, 3), specific force: +9.81 along the axis that points up at rest.
    gyr_rad_s: shape (n, 3), or None for an accelerometer-only sensor.
    """

    placement: Placement
    t_s: Floats
    acc_m_s2: Floats
    gyr_rad_s: Floats | None

    def __len__(self) -> int:
        return len(self.t_s)

    @classmethod
    def joined(cls, blocks: Sequence[ImuBlock]) -> ImuBlock:
        """Consecutive blocks of one sensor as one; at least one."""
        if len(blocks) == 1:
            return blocks[0]
        gyr = [b.gyr_rad_s for b in blocks if b.gyr_rad_s is not None]
        return cls(
            blocks[0].placement,
            np.concatenate([b.t_s for b in blocks]),
            np.concatenate([b.acc_m_s2 for b in blocks]),
            np.concatenate(gyr) if gyr else None,
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """No samples of this sensor in [start_s, end_s); what is missing is never filled in."""

    placement: Placement
    start_s: float
    end_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class SyncBound:
    """From at_s on, how far the two thighs' clocks may be apart: a 95 % bound (gaitmon.imu.clock).

    Comes before the samples of that time.  A recording whose sensors share a clock has none.
    """

    at_s: float
    left_right_s: float


@dataclass(frozen=True, slots=True)
class Contact:
    """One foot meets (IC) or leaves (FC) the ground.  Committed once, never revised.

    side is None when no sensor can tell it.
    """

    kind: ContactKind
    side: Side | None
    t_s: float


FROM_PELVIS = "contacts from the pelvis alone: sides are less certain"  # of a bout
SPEED_UNCERTAIN = "speed uncertain"  # thighs and pelvis disagree on the length by more than 20 %
LEG_LENGTH_ASSUMED = "leg length assumed"
LENGTH_NOT_CALIBRATED = "length not calibrated"  # the calibrated sensor was not there for this stride
LENGTH_FLAGS = (SPEED_UNCERTAIN, LEG_LENGTH_ASSUMED, LENGTH_NOT_CALIBRATED)


@dataclass(frozen=True, slots=True)
class Stride:
    """IC to the next IC of the same side.  Final at most 2.0 s after its closing contact.

    ordinal: number of the opening contact among this side's initial contacts in the segment.
    fc_s: final contact in between, None where it could not be found.
    opposite_ic_s: the other side's initial contact in between, None where it is not known or where
    the two sensors' clocks agree too badly to compare them.
    thigh_*_deg: own thigh's flexion over the stride, forward +; None before alignment.
    flags: why this stride is less than perfect, e.g. "gap", "clipped"; empty when clean.
    length_m: way of the body over the stride (gaitmon.gait.spatial); only the closed bout's summary knows it
    (None in the stride that is given out): what is sent and stored is the bout's stride length and speed.
    """

    side: Side | None
    ordinal: int
    start_s: float
    fc_s: float | None
    end_s: float
    opposite_ic_s: float | None = None
    thigh_rom_deg: float | None = None
    thigh_flexion_max_deg: float | None = None
    thigh_flexion_min_deg: float | None = None
    flags: tuple[str, ...] = ()
    length_m: float | None = None

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def stance_s(self) -> float | None:
        return None if self.fc_s is None else self.fc_s - self.start_s

    @property
    def swing_s(self) -> float | None:
        return None if self.fc_s is None else self.end_s - self.fc_s


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of heading of at least 45 degrees.  angle_rad: left turn +."""

    start_s: float
    end_s: float
    angle_rad: float


@dataclass(frozen=True, slots=True)
class StrideVerdict:
    """What only the closed bout knows of a stride.

    straight: no turn and no more than 15 degrees of heading change, and not beside a turn.
    accepted: counts in the bout's values.  reason says why not, "" when accepted.
    """

    side: Side | None
    ordinal: int
    straight: bool
    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One value of one metric (gaitmon.symmetry.metrics holds the definitions) with its uncertainty.

    value: None when there were too few strides; n_left and n_right say how many there were.
    standard_error: in the metric's unit, None when it cannot be said.
    """

    metric: str
    value: float | None
    standard_error: float | None
    n_left: int
    n_right: int
    note: str = ""


class Angle(StrEnum):
    """What has a waveform.  Ipsilateral: obliquity own side up +, rotation own side forward +."""

    THIGH_FLEXION = "thigh_flexion"
    HIP_FLEXION = "hip_flexion"  # thigh flexion + pelvic tilt
    PELVIC_TILT = "pelvic_tilt"
    PELVIC_OBLIQUITY = "pelvic_obliquity"
    PELVIC_ROTATION = "pelvic_rotation"  # about its own mean: the heading has no zero


@dataclass(frozen=True, slots=True)
class Waveform:
    """An angle over the cycle of one side, 0 to 100 % from its initial contact: mean and SD of n strides.

    packed: 101 means, then 101 SDs, in 1/100 degree, as little-endian 16-bit integers.
    """

    angle: Angle
    side: Side
    n: int
    packed: bytes

    @classmethod
    def of(cls, angle: Angle, side: Side, n: int, mean_deg: Floats, sd_deg: Floats) -> Waveform:
        both = np.rint(100.0 * np.concatenate([mean_deg, sd_deg]))
        return cls(angle, side, n, both.astype("<i2").tobytes())

    @property
    def mean_deg(self) -> Floats:
        """Shape (101,)."""
        return np.frombuffer(self.packed, "<i2")[:101] / 100.0

    @property
    def sd_deg(self) -> Floats:
        """Shape (101,)."""
        return np.frombuffer(self.packed, "<i2")[101:] / 100.0


def steps_of(strides: Iterable[tuple[Side | None, int]], *, both_feet: bool) -> int:
    """Initial contacts of both feet in a bout, from side and ordinal of its strides, accepted or not.

    A run of one leg's strides has one contact more than strides.  Where only one leg is told, the other has
    made as many.  both_feet: strides without a side overlap, one for each foot in turn (a pelvis that does
    not know its forward), and have two contacts more.
    """
    of: dict[Side | None, int] = {}
    last: dict[Side | None, int] = {}
    for side, ordinal in sorted(strides, key=lambda s: (str(s[0]), s[1])):
        begins = last.get(side) != ordinal - 1
        of[side] = of.get(side, 0) + 1 + begins * (2 if both_feet and side is None else 1)
        last[side] = ordinal
    one_leg = len(of) == 1 and not both_feet
    return sum(of.values()) * (2 if one_leg else 1)


@dataclass(frozen=True, slots=True)
class WalkingBout:
    """Accepted strides without a pause of more than 3 s, final once closed.

    stratum: what it may be compared with, e.g. "straight" or "excluded:stairs".
    waveforms: of the strides that count, see gaitmon.symmetry.waveforms.
    """

    ordinal: int
    start_s: float
    end_s: float
    stratum: str
    strides: tuple[StrideVerdict, ...]
    turns: tuple[Turn, ...]
    metrics: tuple[MetricValue, ...]
    quality: tuple[str, ...] = ()
    waveforms: tuple[Waveform, ...] = ()

    @property
    def n_steps(self) -> int:
        return steps_of(((v.side, v.ordinal) for v in self.strides), both_feet=FROM_PELVIS in self.quality)

    def waveform(self, angle: Angle, side: Side) -> Waveform | None:
        return next((w for w in self.waveforms if w.angle is angle and w.side is side), None)

    def metric(self, name: str) -> MetricValue | None:
        return next((m for m in self.metrics if m.metric == name), None)


class NoticeKind(StrEnum):
    """Things a reader of the results must know; ordinary results, not errors."""

    RECORDING = "recording"  # what reading the file did or left out; nothing to worry about
    SENSOR_MISSING = "sensor_missing"
    GAP = "gap"
    BAD_SAMPLES = "bad_samples"
    CLIPPED = "clipped"
    NO_WALKING = "no_walking"
    SIDES = "sides"
    ALIGNMENT = "alignment"
    UNSYNCHRONISED = "unsynchronised"  # the thighs' clocks agree too badly to compare sides
    TOO_SHORT = "too_short"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is missing or doubtful, and why.  text is one sentence for a person."""

    kind: NoticeKind
    text: str
    placement: Placement | None = None
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """How a sensor sits on its segment: an immutable, versioned value.

    rotation: shape (3, 3); ``v_segment = rotation @ v_sensor``.
    effective_s: from this time on; never within a bout.
    flexion_known: whether the horizontal axes were found from walking; without them only the
    direction of gravity is right.
    """

    placement: Placement
    alignment_id: int
    effective_s: float
    rotation: Floats
    flexion_known: bool
    quality: dict[str, float] = field(default_factory=dict)


class Posture(StrEnum):
    WALKING = "walking"
    STANDING = "standing"
    SITTING = "sitting"
    LYING = "lying"
    SITTING_OR_LYING = "sitting_or_lying"  # a thigh alone cannot tell which
    UNWORN = "unworn"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PostureSpan:
    """One posture in [start_s, end_s).  A long one comes in several, one after the other."""

    start_s: float
    end_s: float
    posture: Posture


Result = Contact | Stride | WalkingBout | Turn | Notice | Alignment | PostureSpan
