"""From the pipeline's results to messages, to bytes and back, and to the store's rows.

The schema itself is gaitmon.transport.schema.  No I/O here.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from gaitmon.errors import MessageError
from gaitmon.model import (
    FROM_PELVIS,
    Angle,
    MetricValue,
    Notice,
    PostureSpan,
    Result,
    Side,
    Stride,
    StrideVerdict,
    Turn,
    WalkingBout,
    Waveform,
    steps_of,
)
from gaitmon.store.series import BoutRow, Delivery, NoticeRow, PostureRow, Row, SegmentRow, StrideRow, Verdict
from gaitmon.transport.schema import (
    MAX_MESSAGE_BYTES,
    BoutBody,
    BoutMessage,
    Envelope,
    Frozen,
    Message,
    MetricBody,
    NoticeBody,
    NoticeMessage,
    PostureBody,
    PostureMessage,
    SegmentBody,
    SegmentMessage,
    StrideBody,
    StrideMessage,
    TurnBody,
    VerdictBody,
    WaveformBody,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

F = TypeVar("F", bound=Frozen)

_STAMP = re.compile(
    rb'\{"outbox":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})","seq":([1-9]\d{0,14}),"base":([1-9]\d{0,14}),'
)


# -- from the pipeline's results


def utc_us(segment: SegmentRow, t_s: float) -> int:
    """UTC of a time on the segment's clock.  Called on the gateway only, once per row."""
    return segment.anchor_utc_us + round(t_s * 1e6)


def segment_message(segment: SegmentRow) -> SegmentMessage:
    body = _made(
        SegmentBody,
        anchor_utc_us=segment.anchor_utc_us,
        time_sync=segment.time_sync,
        gateway=segment.gateway,
        n_strides=segment.n_strides,
        n_bouts=segment.n_bouts,
    )
    return _made(SegmentMessage, **_head(segment), body=body)


def stride_message(stride: Stride, segment: SegmentRow) -> StrideMessage:
    body = _made(
        StrideBody,
        side=_side(stride.side),
        ordinal=stride.ordinal,
        start_utc_us=utc_us(segment, stride.start_s),
        start_s=stride.start_s,
        fc_s=stride.fc_s,
        end_s=stride.end_s,
        opposite_ic_s=stride.opposite_ic_s,
        thigh_rom_deg=stride.thigh_rom_deg,
        thigh_flexion_max_deg=stride.thigh_flexion_max_deg,
        thigh_flexion_min_deg=stride.thigh_flexion_min_deg,
        flags=stride.flags,
    )
    return _made(StrideMessage, **_head(segment), body=body)


def bout_message(bout: WalkingBout, segment: SegmentRow) -> BoutMessage:
    body = _made(
        BoutBody,
        ordinal=bout.ordinal,
        start_utc_us=utc_us(segment, bout.start_s),
        end_utc_us=utc_us(segment, bout.end_s),
        start_s=bout.start_s,
        end_s=bout.end_s,
        stratum=bout.stratum,
        strides=tuple(_verdict(v) for v in bout.strides),
        turns=tuple(_made(TurnBody, **_fields(t)) for t in bout.turns),
        metrics=tuple(_made(MetricBody, **_fields(m)) for m in bout.metrics),
        quality=bout.quality,
        waveforms=tuple(_waveform(w) for w in bout.waveforms),
    )
    return _made(BoutMessage, **_head(segment), body=body)


def notice_message(notice: Notice, segment: SegmentRow) -> NoticeMessage:
    """A notice without a time is stamped with the beginning of its segment."""
    body = _made(
        NoticeBody,
        notice=notice.kind.value,
        text=notice.text,
        placement=None if notice.placement is None else notice.placement.value,
        start_s=notice.start_s,
        end_s=notice.end_s,
        at_utc_us=utc_us(segment, notice.start_s or 0.0),
    )
    return _made(NoticeMessage, **_head(segment), body=body)


def posture_message(span: PostureSpan, segment: SegmentRow) -> PostureMessage:
    body = _made(
        PostureBody,
        posture=span.posture.value,
        start_utc_us=utc_us(segment, span.start_s),
        end_utc_us=utc_us(segment, span.end_s),
        start_s=span.start_s,
        end_s=span.end_s,
    )
    return _made(PostureMessage, **_head(segment), body=body)


def message_of(result: Result, segment: SegmentRow) -> Message | None:
    """The message of a pipeline's result; None for what does not leave the gateway (contacts, turns
    outside a bout, alignments)."""
    match result:
        case Stride():
            return stride_message(result, segment)
        case WalkingBout():
            return bout_message(result, segment)
        case Notice():
            return notice_message(result, segment)
        case PostureSpan():
            return posture_message(result, segment)
        case _:
            return None


# -- to the store's rows


def rows_of(message: Message, gateway: str) -> list[Row]:
    """What the store keeps of a message that ``gateway`` published."""
    key = (message.wearer, message.segment, message.revision)
    match message:
        case SegmentMessage(body=s):
            return [
                SegmentRow(
                    *key,
                    anchor_utc_us=s.anchor_utc_us,
                    time_sync=s.time_sync,
                    origin=message.origin,
                    simulated=message.simulated,
                    gateway=gateway,
                    produced_by=message.produced_by,
                    n_strides=s.n_strides,
                    n_bouts=s.n_bouts,
                )
            ]
        case StrideMessage(body=body):
            return [StrideRow(*key, **_fields(body))]
        case NoticeMessage(body=n):
            return [NoticeRow(*key, n.notice, n.text, n.placement, n.start_s, n.end_s, n.at_utc_us)]
        case PostureMessage(body=p):
            return [PostureRow(*key, **_fields(p), simulated=message.simulated)]
        case BoutMessage(body=b):
            return _bout_rows(message, b)


def _bout_rows(message: BoutMessage, b: BoutBody) -> list[Row]:
    key = (message.wearer, message.segment, message.revision)
    counted = [v.side for v in b.strides if v.accepted and v.straight]
    bout = BoutRow(
        *key,
        ordinal=b.ordinal,
        start_utc_us=b.start_utc_us,
        end_utc_us=b.end_utc_us,
        start_s=b.start_s,
        end_s=b.end_s,
        stratum=b.stratum,
        n_steps=steps_of(
            ((_side_of(v.side), v.ordinal) for v in b.strides), both_feet=FROM_PELVIS in b.quality
        ),
        n_left=counted.count("left"),
        n_right=counted.count("right"),
        turns=tuple(Turn(t.start_s, t.end_s, t.angle_rad) for t in b.turns),
        metrics=tuple(MetricValue(**_fields(m)) for m in b.metrics),
        quality=b.quality,
        simulated=message.simulated,
        waveforms=tuple(
            Waveform(Angle(w.angle), Side(w.side), w.n, b64decode(w.packed)) for w in b.waveforms
        ),
    )
    verdicts = (
        Verdict(*key, v.side, v.ordinal, b.ordinal, v.straight, v.accepted, v.reason) for v in b.strides
    )
    return [bout, *verdicts]


# -- to bytes and back


def encode(message: Message) -> bytes:
    """What the outbox keeps.  Raises MessageError when it is larger than a broker would take."""
    payload = message.model_dump_json().encode()
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MessageError(
            f"a {message.kind} message of {len(payload)} bytes is larger than {MAX_MESSAGE_BYTES}.",
            "Close walking bouts earlier.",
        )
    return payload


def stamp(payload: bytes, outbox: str, seq: int, base: int) -> bytes:
    """The Envelope around an encoded message, as bytes."""
    return b'{"outbox":"%s","seq":%d,"base":%d,"message":%s}' % (outbox.encode(), seq, base, payload)


def decode(payload: bytes) -> Envelope:
    """Raises MessageError, and nothing else, for whatever is not an Envelope."""
    return decode_as(Envelope, payload)


def decode_as(model: type[F], payload: bytes) -> F:
    """Raises MessageError, which names the place but never repeats the content (health data)."""
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise MessageError(f"not a valid {model.__name__}: {_first(error)}.") from None


def claimed_delivery(payload: bytes, gateway: str) -> Delivery | None:
    """The delivery identity at the head of a message whose rest may be damaged or unknown."""
    found = _STAMP.match(payload)
    if found is None:
        return None
    return Delivery(found[1].decode(), int(found[2]), gateway, int(found[3]))


def delivery_of(envelope: Envelope, gateway: str) -> Delivery:
    return Delivery(envelope.outbox, envelope.seq, gateway, envelope.base)


def _head(segment: SegmentRow) -> dict[str, Any]:
    return {
        "wearer": segment.wearer,
        "segment": segment.segment,
        "revision": segment.revision,
        "origin": segment.origin,
        "simulated": segment.simulated,
        "produced_by": segment.produced_by,
    }


def _side(side: Side | None) -> str:
    return "unknown" if side is None else side.value


def _side_of(name: str) -> Side | None:
    return None if name == "unknown" else Side(name)


def _verdict(verdict: StrideVerdict) -> VerdictBody:
    return _made(VerdictBody, **{**_fields(verdict), "side": _side(verdict.side)})


def _waveform(waveform: Waveform) -> WaveformBody:
    return _made(
        WaveformBody,
        angle=waveform.angle.value,
        side=waveform.side.value,
        n=waveform.n,
        packed=b64encode(waveform.packed).decode(),
    )


def _fields(value: DataclassInstance | Frozen) -> dict[str, Any]:
    """Its fields by name, one level deep."""
    if isinstance(value, Frozen):
        return dict(value)
    return {f.name: getattr(value, f.name) for f in fields(value)}


def _made(model: type[F], **values: Any) -> F:
    """A validated instance.  Raises MessageError for a value that the schema does not allow, e.g. NaN."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise MessageError(f"cannot make a {model.__name__}: {_first(error)}.") from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
