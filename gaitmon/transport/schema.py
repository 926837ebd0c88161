"""The messages on the wire: JSON, one schema version, nothing unknown, nothing that is not a number.

``python -m gaitmon.transport.schema_docs`` prints docs/messages.md.  Times of a result are seconds on its
segment's clock; ``*_utc_us`` is UTC in microseconds since 1970, computed once, on the gateway, as
``anchor_utc_us + round(t_s * 1e6)``, and travels with the row.  Floats come back bit for bit.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from gaitmon.transport import topics

SCHEMA_VERSION = 1
MAX_MESSAGE_BYTES = 8 * 2**20  # a closed bout of eight hours of walking is about 4 MB

Version = Literal[1]
Id = Annotated[str, Field(pattern=f"^{topics.ID_PATTERN}$")]
Segment = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$")]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
Seq = Annotated[int, Field(ge=1, le=2**53 - 1)]
UtcUs = Annotated[int, Field(ge=0, le=2**53 - 1, description="UTC, microseconds since 1970")]
Text = Annotated[str, Field(max_length=1000)]
Word = Annotated[str, Field(max_length=100)]
SideName = Literal["left", "right", "unknown"]


class Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SegmentBody(Frozen):
    """A stretch of recording with one clock, announced before its results."""

    anchor_utc_us: UtcUs = Field(description="UTC of t_s = 0, microseconds since 1970")
    time_sync: Literal["ntp", "unsynchronised", "file", "simulated"]
    gateway: Id
    n_strides: Count | None = Field(
        default=None, description="strides of a replacing revision, which takes effect when all are stored"
    )
    n_bouts: Count | None = Field(default=None, description="bouts of a replacing revision, likewise")


class StrideBody(Frozen):
    """Initial contact to the next initial contact of the same side; final when sent."""

    side: SideName
    ordinal: Count = Field(description="number of the opening contact among this side's in the segment")
    start_utc_us: UtcUs
    start_s: float
    fc_s: float | None = Field(description="final contact in between, null where not found")
    end_s: float
    opposite_ic_s: float | None = Field(description="the other side's initial contact in between")
    thigh_rom_deg: float | None
    thigh_flexion_max_deg: float | None
    thigh_flexion_min_deg: float | None
    flags: tuple[Word, ...] = Field(description="why it is less than perfect; empty when clean")


class VerdictBody(Frozen):
    """What only the closed bout knows of a stride."""

    side: SideName
    ordinal: Count
    straight: bool
    accepted: bool
    reason: Text = Field(description="why not accepted, empty when accepted")


class TurnBody(Frozen):
    """A change of heading of at least 45 degrees."""

    start_s: float
    end_s: float
    angle_rad: float = Field(description="left turn +")


class MetricBody(Frozen):
    """One value of one metric with its uncertainty."""

    metric: Word
    value: float | None = Field(description="null when there were too few strides")
    standard_error: float | None = Field(description="in the metric's unit")
    n_left: Count
    n_right: Count
    note: Text


class WaveformBody(Frozen):
    """Mean and SD of an angle over the cycle of one side, ipsilateral signs (gaitmon.model.Waveform)."""

    angle: Literal["thigh_flexion", "hip_flexion", "pelvic_tilt", "pelvic_obliquity", "pelvic_rotation"]
    side: Literal["left", "right"]
    n: Count = Field(description="strides")
    packed: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{539}=$")] = Field(
        description="base64 of 101 means and 101 SDs over the cycle, 1/100 degree, int16 little-endian"
    )


class BoutBody(Frozen):
    """A closed walking bout: the verdict on each of its strides, its turns, its metrics and waveforms."""

    ordinal: Count
    start_utc_us: UtcUs
    end_utc_us: UtcUs
    start_s: float
    end_s: float
    stratum: Word
    strides: tuple[VerdictBody, ...]
    turns: tuple[TurnBody, ...]
    metrics: tuple[MetricBody, ...]
    quality: tuple[Word, ...]
    waveforms: tuple[WaveformBody, ...] = ()


class NoticeBody(Frozen):
    """What is missing or doubtful, and why."""

    notice: Word = Field(description="gaitmon.model.NoticeKind")
    text: Text
    placement: Word | None
    start_s: float | None
    end_s: float | None
    at_utc_us: UtcUs


class PostureBody(Frozen):
    """One posture over a stretch of time; a long one comes in several, one after the other."""

    posture: Literal["walking", "standing", "sitting", "lying", "sitting_or_lying", "unworn", "unknown"]
    start_utc_us: UtcUs
    end_utc_us: UtcUs
    start_s: float
    end_s: float


class _Message(Frozen):
    """What every result says of itself."""

    schema_version: Version = 1
    wearer: Id
    segment: Segment
    revision: Count = Field(description="a higher one replaces the whole segment")
    origin: Literal["live", "replay", "import"]
    simulated: bool
    produced_by: Word = Field(description="version + hashes of parameters and core + profile")


class SegmentMessage(_Message):
    kind: Literal["segment"] = "segment"
    body: SegmentBody


class StrideMessage(_Message):
    kind: Literal["stride"] = "stride"
    body: StrideBody


class BoutMessage(_Message):
    kind: Literal["bout"] = "bout"
    body: BoutBody


class NoticeMessage(_Message):
    kind: Literal["notice"] = "notice"
    body: NoticeBody


class PostureMessage(_Message):
    kind: Literal["posture"] = "posture"
    body: PostureBody


Message = SegmentMessage | StrideMessage | BoutMessage | NoticeMessage | PostureMessage


class Envelope(Frozen):
    """One message with its delivery identity (outbox, seq), assigned once."""

    TOPIC: ClassVar[str] = f"{topics.ROOT}/up/<gateway>/<wearer>/<kind>"
    outbox: Uuid = Field(description="identity of the gateway's outbox for life")
    seq: Seq = Field(description="contiguous from 1 within the outbox")
    base: Seq = Field(description="the publisher's lowest seq that is not confirmed as stored")
    message: Annotated[Message, Field(discriminator="kind")]


class StatusMessage(Frozen):
    """A gateway's presence.  "lost" comes from its last will, "sleeping" is a goodbye."""

    TOPIC: ClassVar[str] = f"{topics.ROOT}/up/<gateway>/status (retained)"
    schema_version: Version = 1
    kind: Literal["status"] = "status"
    gateway: Id
    state: Literal["ready", "lost", "sleeping"]
    outbox: Uuid = Field(description="its current outbox; the server answers with the watermark")
    connection: Uuid = Field(description="which connection says so; an older one's last will is ignored")
    at_utc_us: UtcUs = Field(description="for lost: when that connection began")
    pending: Count = Field(description="messages in the outbox")
    version: Word


class SensorHealthBody(Frozen):
    """How one sensor fares on the radio, since the session began where nothing else is said."""

    sensor: Id = Field(description="pseudonym, never a radio address")
    placement: Word
    profile: Word
    state: Literal["searching", "waiting for a slot", "connecting", "streaming", "stalled", "stopped"]
    message: Text = Field(description="what a person should know or do, empty when all is well")
    packets: Count
    packet_hz: float = Field(description="packets a second, over the last seconds")
    connections: Count
    gaps: Count = Field(description="stretches without samples")
    missing_s: float = Field(description="their seconds together")
    missing_share: float | None = Field(default=None, description="of the time that was to be heard, 0 to 1")
    packet_age_s: float | None = Field(default=None, description="since its last packet, when this was sent")
    connect_s: float | None = Field(
        default=None, description="from being heard to the stream, of the last link"
    )
    drift_ppm: float | None = Field(description="of its clock against the gateway's, fast is positive")
    rssi_dbm: int | None
    battery_percent: int | None
    errors: dict[Word, Count] = Field(description="by kind")


class HealthMessage(Frozen):
    """How a gateway hears the sensors of the wearer it is listening to; sent every few seconds."""

    TOPIC: ClassVar[str] = f"{topics.ROOT}/up/<gateway>/health (retained)"
    schema_version: Version = 1
    kind: Literal["health"] = "health"
    gateway: Id
    wearer: Id
    at_utc_us: UtcUs
    sensors: tuple[SensorHealthBody, ...]


class StoredMessage(Frozen):
    """The watermark: the gateway may delete seq 1..seq of this outbox, and of no other."""

    TOPIC: ClassVar[str] = f"{topics.ROOT}/down/<gateway>/stored (retained)"
    schema_version: Version = 1
    kind: Literal["stored"] = "stored"
    outbox: Uuid
    seq: Count
    epoch: Uuid = Field(description="a new one means that messages in flight may be lost: send again")


class AlertBody(Frozen):
    """One alert: what changed since when, the rule that says so, and where it stands."""

    alert: Word = Field(description="identity of the alert")
    topic: Word
    state: Literal["open", "acknowledged", "recovering", "closed"]
    since_day: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    active: bool
    acknowledged: bool
    headline: Text
    text: Text
    rule: Text
    simulated: bool


class AlertMessage(Frozen):
    """Every alert of a wearer that is active or not yet acknowledged, from the server."""

    TOPIC: ClassVar[str] = f"{topics.ROOT}/alerts/<wearer> (retained)"
    schema_version: Version = 1
    kind: Literal["alert"] = "alert"
    wearer: Id
    alerts: tuple[AlertBody, ...]
