"""The codec: exact round trips, nothing but MessageError for garbage, documentation that is current."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gaitmon.errors import MessageError
from gaitmon.model import (
    MetricValue,
    Notice,
    NoticeKind,
    Placement,
    Side,
    Stride,
    StrideVerdict,
    Turn,
    WalkingBout,
)
from gaitmon.store.series import BoutRow, NoticeRow, SegmentRow, StrideRow, Verdict
from gaitmon.transport import schema_docs, topics
from gaitmon.transport.messages import (
    bout_message,
    claimed_delivery,
    decode,
    decode_as,
    encode,
    message_of,
    notice_message,
    rows_of,
    segment_message,
    stamp,
    stride_message,
    utc_us,
)
from gaitmon.transport.schema import AlertMessage, Message, StatusMessage, StoredMessage
from tests.transport import examples

OUTBOX = "01234567-89ab-cdef-0123-456789abcdef"

times = st.floats(min_value=0.0, max_value=1e6)
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
ids = st.from_regex(topics.ID_PATTERN, fullmatch=True)
sides = st.sampled_from([Side.LEFT, Side.RIGHT, None])
ordinals = st.integers(0, 2**53 - 1)
counts = st.integers(0, 10**6)

strides = st.builds(
    Stride, side=sides, ordinal=ordinals, start_s=times, fc_s=st.none() | times, end_s=times,
    opposite_ic_s=st.none() | times, thigh_rom_deg=st.none() | numbers,
    thigh_flexion_max_deg=st.none() | numbers, thigh_flexion_min_deg=st.none() | numbers,
    flags=st.lists(texts, max_size=3).map(tuple),
)  # fmt: skip
segments = st.builds(
    SegmentRow, wearer=ids, segment=ids, revision=counts, anchor_utc_us=st.integers(0, 2**52),
    time_sync=st.sampled_from(["ntp", "unsynchronised", "file", "simulated"]),
    origin=st.sampled_from(["live", "import", "replay"]), simulated=st.booleans(), gateway=ids,
    produced_by=texts, n_strides=st.none() | counts, n_bouts=st.none() | counts,
)  # fmt: skip
bouts = st.builds(
    WalkingBout, ordinal=ordinals, start_s=times, end_s=times, stratum=texts,
    strides=st.lists(
        st.builds(StrideVerdict, sides, ordinals, st.booleans(), st.booleans(), texts), max_size=4
    ).map(tuple),
    turns=st.lists(st.builds(Turn, times, times, numbers), max_size=2).map(tuple),
    metrics=st.lists(
        st.builds(MetricValue, texts, st.none() | numbers, st.none() | numbers, counts, counts, texts),
        max_size=3,
    ).map(tuple),
    quality=st.lists(texts, max_size=2).map(tuple),
)  # fmt: skip
notices = st.builds(
    Notice, st.sampled_from(NoticeKind), texts, st.none() | st.sampled_from(Placement), st.none() | times,
    st.none() | times,
)  # fmt: skip


def _travel(message: Message) -> Message:
    envelope = decode(stamp(encode(message), OUTBOX, 7, 3))
    assert (envelope.outbox, envelope.seq, envelope.base) == (OUTBOX, 7, 3)
    assert envelope.message == message
    return envelope.message


def _same(a: float | None, b: float | None) -> bool:
    return a is b if a is None or b is None else np.float64(a).tobytes() == np.float64(b).tobytes()


@given(strides, segments)
def test_a_stride_arrives_bit_for_bit(stride: Stride, segment: SegmentRow) -> None:
    (row,) = rows_of(_travel(stride_message(stride, segment)), segment.gateway)
    assert isinstance(row, StrideRow)
    assert (row.wearer, row.segment, row.revision) == (segment.wearer, segment.segment, segment.revision)
    assert row.start_utc_us == segment.anchor_utc_us + round(stride.start_s * 1e6)
    assert row.side == (stride.side.value if stride.side else "unknown")
    assert (row.ordinal, row.flags) == (stride.ordinal, stride.flags)
    for field in dataclasses.fields(Stride):
        if field.name.endswith(("_s", "_deg")):
            assert _same(getattr(row, field.name), getattr(stride, field.name)), field.name
    assert row.bout is None


@given(bouts, segments)
def test_a_bout_arrives_with_its_verdicts_turns_and_metrics(bout: WalkingBout, segment: SegmentRow) -> None:
    row, *verdicts = rows_of(_travel(bout_message(bout, segment)), segment.gateway)
    assert isinstance(row, BoutRow)
    assert (row.turns, row.metrics, row.quality) == (bout.turns, bout.metrics, bout.quality)
    assert (row.start_utc_us, row.end_utc_us) == (utc_us(segment, bout.start_s), utc_us(segment, bout.end_s))
    counted = [v.side for v in bout.strides if v.straight and v.accepted]
    assert (row.n_left, row.n_right) == (counted.count(Side.LEFT), counted.count(Side.RIGHT))
    assert row.simulated == segment.simulated
    assert [
        (v.side, v.ordinal, v.straight, v.accepted, v.reason) for v in verdicts if isinstance(v, Verdict)
    ] == [
        (v.side.value if v.side else "unknown", v.ordinal, v.straight, v.accepted, v.reason)
        for v in bout.strides
    ]


@given(segments)
def test_a_segment_arrives(segment: SegmentRow) -> None:
    assert rows_of(_travel(segment_message(segment)), segment.gateway) == [segment]


@given(notices, segments)
def test_a_notice_arrives(notice: Notice, segment: SegmentRow) -> None:
    (row,) = rows_of(_travel(notice_message(notice, segment)), segment.gateway)
    assert isinstance(row, NoticeRow)
    assert (row.kind, row.text, row.start_s, row.end_s) == (
        notice.kind, notice.text, notice.start_s, notice.end_s,
    )  # fmt: skip


@given(st.binary())
@example(b"")
@example(b"[" * 100_000)
@example(b'{"outbox":"x","outbox":1}')
@example(b"\xff\xfe")
@example(b"1e999")
def test_arbitrary_bytes_are_a_message_error(payload: bytes) -> None:
    for model in (StoredMessage, StatusMessage, AlertMessage):
        with pytest.raises(MessageError):
            decode_as(model, payload)
    with pytest.raises(MessageError):
        decode(payload)


@given(st.data())
def test_a_damaged_message_is_an_error_or_another_valid_message(data: st.DataObject) -> None:
    payload = bytearray(stamp(encode(stride_message(examples.stride(3), examples.segment())), OUTBOX, 7, 3))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        envelope = decode(bytes(payload))
    except MessageError:
        return
    assert decode(envelope.model_dump_json().encode()) == envelope


@given(
    st.recursive(
        st.none() | st.booleans() | numbers | texts, lambda x: st.lists(x) | st.dictionaries(texts, x)
    )
)
def test_arbitrary_json_is_a_message_error(value: object) -> None:
    with pytest.raises(MessageError):
        decode(json.dumps(value).encode())


def _as_json(message: Message) -> dict[str, object]:
    found = json.loads(stamp(encode(message), OUTBOX, 7, 3))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("message", "schema_version"), 2),
        (("message", "schema_version"), None),
        (("message", "surprise"), 1),
        (("message", "body", "surprise"), 1),
        (("message", "body", "start_s"), "10"),
        (("message", "body", "start_s"), None),
        (("message", "body", "side"), "both"),
        (("message", "body", "ordinal"), -1),
        (("message", "body", "ordinal"), 2**63),
        (("message", "body", "start_utc_us"), 1.5),
        (("message", "wearer"), "a/b"),
        (("message", "wearer"), "+"),
        (("message", "segment"), ""),
        (("message", "kind"), "bout"),
        (("seq",), 0),
        (("seq",), 2**63),
        (("outbox",), "x"),
    ],
)
def test_what_the_schema_does_not_allow_is_named(place: tuple[str, ...], value: object) -> None:
    message = _as_json(stride_message(examples.stride(3), examples.segment()))
    inner = message
    for name in place[:-1]:
        inner = inner[name]  # type: ignore[assignment]
    inner[place[-1]] = value
    with pytest.raises(MessageError):
        decode(json.dumps(message).encode())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_neither_sent_nor_accepted(bad: float) -> None:
    stride = dataclasses.replace(examples.stride(3), thigh_rom_deg=bad)
    with pytest.raises(MessageError, match="thigh_rom_deg"):
        stride_message(stride, examples.segment())
    message = _as_json(stride_message(examples.stride(3), examples.segment()))
    body = message["message"]["body"]  # type: ignore[index]
    body["thigh_rom_deg"] = bad
    with pytest.raises(MessageError):
        decode(json.dumps(message).encode())


def test_an_error_never_repeats_the_content() -> None:
    message = _as_json(stride_message(examples.stride(3), examples.segment()))
    message["message"]["body"]["side"] = "health data"  # type: ignore[index]
    with pytest.raises(MessageError) as raised:
        decode(json.dumps(message).encode())
    assert "health data" not in str(raised.value)
    assert "side" in str(raised.value)


@given(st.integers(1, 10**15 - 1), st.integers(1, 10**15 - 1), st.binary(max_size=30))
def test_the_delivery_of_a_damaged_message_can_still_be_read(seq: int, base: int, damage: bytes) -> None:
    claimed = claimed_delivery(stamp(damage, OUTBOX, seq, base), "gw-a")
    assert claimed is not None
    assert (claimed.outbox, claimed.seq, claimed.base, claimed.gateway) == (OUTBOX, seq, base, "gw-a")


@given(st.binary())
def test_no_delivery_is_read_from_garbage(payload: bytes) -> None:
    assert claimed_delivery(payload, "gw-a") is None


def test_a_message_no_broker_would_take_is_refused_at_once() -> None:
    verdicts = tuple(StrideVerdict(Side.LEFT, n, False, False, "x" * 1000) for n in range(9000))
    bout = dataclasses.replace(examples.bout(0, [examples.stride(0)]), strides=verdicts)
    with pytest.raises(MessageError, match="larger"):
        encode(bout_message(bout, examples.segment()))


def test_only_strides_bouts_postures_and_notices_leave_the_gateway() -> None:
    assert message_of(Turn(0.0, 1.0, 1.0), examples.segment()) is None
    message = message_of(examples.stride(0), examples.segment())
    assert message is not None
    assert message.kind == "stride"


def test_an_alert_message_round_trips() -> None:
    message = examples.alert_message()
    assert decode_as(AlertMessage, message.model_dump_json().encode()) == message


def test_the_documentation_is_current() -> None:
    written = (Path(__file__).parents[2] / "docs" / "messages.md").read_text()
    assert written == schema_docs.page(), "run: python -m gaitmon.transport.schema_docs > docs/messages.md"


@pytest.mark.parametrize("bad", ["", "a/b", "+", "#", "a+b", ".a", "-a", "a b", "ä", "a" * 65, "a\n", "$SYS"])
def test_an_id_that_could_leave_its_topic_is_refused(bad: str) -> None:
    with pytest.raises(MessageError, match="valid id"):
        topics.up("gw", bad, "stride")
    with pytest.raises(MessageError, match="valid id"):
        topics.stored(bad)
    with pytest.raises(MessageError):
        segment_message(examples.segment(wearer=bad))


@given(ids, ids)
def test_topics_are_parsed_as_they_are_made(gateway: str, wearer: str) -> None:
    assert topics.parse_up(topics.up(gateway, wearer, "stride")) == topics.Up(gateway, wearer, "stride")
    assert topics.parse_up(topics.status(gateway)) == topics.Up(gateway, None, "status")


@given(st.text())
@example("gaitmon/1/up/a")
@example("gaitmon/1/up/a/b/c/d")
@example("gaitmon/1/up//w/stride")
@example("gaitmon/2/up/a/b/stride")
def test_other_topics_are_a_message_error(topic: str) -> None:
    with pytest.raises(MessageError):
        topics.parse_up(topic)
