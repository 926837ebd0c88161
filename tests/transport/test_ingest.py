"""What the ingest does with messages that are wrong, foreign, or from a past that never was."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from gaitmon.store.series import BoutRow, Loss
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport import topics
from gaitmon.transport.broker import EmbeddedBroker
from gaitmon.transport.connection import Connection
from gaitmon.transport.ingest import Ingest, Reader, retry_dead_letters
from gaitmon.transport.messages import decode_as, encode, rows_of, segment_message, stamp, stride_message
from gaitmon.transport.mqtt import Publisher
from gaitmon.transport.outbox import Outbox
from gaitmon.transport.schema import AlertMessage, HealthMessage, SensorHealthBody
from tests.transport import examples
from tests.transport.stored import content, expected, wait_for

OUTBOX_A = "aaaaaaaa-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteSeriesStore]:
    opened = SqliteSeriesStore(tmp_path / "series.db")
    yield opened
    opened.close()


def _stride(seq: int, outbox: str = OUTBOX_A, wearer: str = "w1") -> bytes:
    message = stride_message(examples.stride(seq), examples.segment(wearer=wearer))
    return stamp(encode(message), outbox, seq, 1)


def test_what_cannot_be_decoded_is_kept_counted_and_does_not_block(
    broker: EmbeddedBroker, store: SqliteSeriesStore
) -> None:
    ingest = Ingest(broker.settings, store)
    ingest.start()
    gateway = Connection(broker.settings, "gw-a", session_expiry_s=0, on_message=lambda _message: None)
    wait_for(lambda: ingest.progress.connected, "ingest is there")
    topic = topics.up("gw-a", "w1", "stride")
    sent = [
        (topic, _stride(1)),
        (topic, _stride(2).replace(b'"schema_version":1', b'"schema_version":2')),
        (topic, b"\xff garbage without a number"),
        (topics.up("gw-a", "w2", "stride"), _stride(3)),  # of another wearer than it says
        (topics.up("gw-a", "w1", "bout"), _stride(4)),  # of another kind
        (topics.up("gw-b", "w1", "stride"), _stride(5)),  # somebody else's outbox
        (topic, _stride(5)),
    ]
    time.sleep(0.2)
    for where, payload in sent:
        gateway.publish(where, payload)
    wait_for(lambda: gateway.step(0.01) and store.watermark(OUTBOX_A) == 5, "all counted")
    assert [(d.topic, d.payload) for d in store.dead_letters()] == sent[1:6]
    reasons = [d.reason for d in store.dead_letters()]
    assert "schema_version" in reasons[0]
    assert "another wearer" in reasons[2]
    assert "another gateway" in reasons[4]
    assert [s.ordinal for s in store.strides("w1", "seg-1")] == [0, 2]
    gateway.close()
    ingest.stop()


def test_a_gateway_may_only_write_for_its_wearers_and_the_rest_can_be_retried(
    store: SqliteSeriesStore,
) -> None:
    messages = [(topics.up("gw-a", w, "stride"), _stride(n, wearer=w)) for n, w in enumerate(("w1", "w2"), 1)]
    batch = Reader(lambda _gateway, wearer: wearer == "w1").read(messages)
    store.write_delivered(batch.rows, batch.deliveries, batch.dead)
    assert store.watermark(OUTBOX_A) == 2
    assert store.wearers() == ["w1"]
    assert retry_dead_letters(store, may_write=lambda _gateway, _wearer: False) == 0
    assert retry_dead_letters(store) == 1
    assert store.wearers() == ["w1", "w2"]
    assert store.dead_letters() == []


def test_health_is_kept_per_sensor_the_newest_and_only_of_one_s_own_wearers(tmp_path: Path) -> None:
    def heard(gateway: str, wearer: str, at_utc_us: int) -> tuple[str, bytes]:
        sensor = SensorHealthBody(
            sensor="s-1", placement="pelvis", profile="movella-dot", state="streaming", message="", packets=9,
            packet_hz=60.0, connections=1, gaps=0, missing_s=0.0, drift_ppm=None, rssi_dbm=-60,
            battery_percent=80, errors={"timeout": 1},
        )  # fmt: skip
        message = HealthMessage(gateway=gateway, wearer=wearer, at_utc_us=at_utc_us, sensors=(sensor,))
        return topics.health("gw-a"), message.model_dump_json().encode()

    reader = Reader(lambda _gateway, wearer: wearer != "w2")
    told = [heard("gw-a", "w1", 5), heard("gw-a", "w1", 3), heard("gw-b", "w1", 9), heard("gw-a", "w2", 9)]
    batch = reader.read([*told, (topics.health("gw-a"), b"")])
    assert len(batch.health) == 2
    assert [letter.reason.split(" ")[2] for letter in batch.dead] == ["names", "may"]
    store = SqliteSeriesStore(tmp_path / "series.sqlite")
    store.write_health(batch.health)
    assert [(row.sensor, row.at_utc_us) for row in store.health("w1")] == [("s-1", 5)]
    assert store.health("w2") == []
    assert store.health() == store.health("w1")
    store.close()


def test_a_segment_cannot_name_another_gateway() -> None:
    payload = stamp(encode(segment_message(examples.segment(gateway="gw-b"))), OUTBOX_A, 1, 1)
    batch = Reader().read([(topics.up("gw-a", "w1", "segment"), payload)])
    assert batch.rows == []
    assert len(batch.dead) == 1


def test_changed_bouts_are_told_at_least_once_and_again_after_a_failure(
    broker: EmbeddedBroker, store: SqliteSeriesStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gaitmon.transport.ingest.RETRY_S", 0.2)
    told: list[tuple[str, frozenset[int]]] = []

    def on_committed(wearer: str, starts: frozenset[int]) -> None:
        told.append((wearer, starts))
        if len(told) == 1:
            raise RuntimeError("the first attempt fails")

    outbox = Outbox(tmp_path / "gw-a.outbox")
    messages = examples.walk(100)
    ingest = Ingest(broker.settings, store, on_committed=on_committed)
    publisher = Publisher(broker.settings, outbox, "gw-a")
    ingest.start()
    publisher.start()
    outbox.append(messages)
    wait_for(lambda: len(told) >= 2 and store.touched() == [], "told again")
    bouts = {r.start_utc_us for m in messages for r in rows_of(m, "gw-a") if isinstance(r, BoutRow)}
    assert {start for _, starts in told[1:] for start in starts} | told[0][1] == bouts
    assert told[0][1] <= {start for _, starts in told[1:] for start in starts}, "a failed telling was dropped"
    publisher.stop()
    ingest.stop()
    outbox.close()


def test_a_restored_gateway_takes_a_new_identity_and_loses_nothing(
    broker: EmbeddedBroker, store: SqliteSeriesStore, tmp_path: Path
) -> None:
    """Its file is older than the server's record, and new results have got numbers that are taken."""
    messages = examples.walk(200)
    path = tmp_path / "gw-a.outbox"
    outbox = Outbox(path)
    outbox.append(messages[:50])
    outbox.close()
    shutil.copy(path, tmp_path / "backup")
    ingest = Ingest(broker.settings, store)
    ingest.start()
    outbox = Outbox(path)
    publisher = Publisher(broker.settings, outbox, "gw-a")
    publisher.start()
    outbox.append(messages[50:120])
    assert publisher.drain(10.0)
    publisher.stop()
    first = outbox.uuid
    outbox.close()

    shutil.copy(tmp_path / "backup", path)
    outbox = Outbox(path)
    assert outbox.uuid == first
    outbox.append(messages[120:])  # 51..., which the server knows as something else
    publisher = Publisher(broker.settings, outbox, "gw-a")
    publisher.start()
    assert publisher.drain(10.0)
    publisher.stop()
    ingest.stop()
    assert outbox.uuid != first
    assert content(store, "w1", "seg-1") == expected(messages)
    outbox.close()


def test_a_restored_store_goes_on_and_says_what_it_lost(
    broker: EmbeddedBroker, store: SqliteSeriesStore, tmp_path: Path
) -> None:
    outbox = Outbox(tmp_path / "gw-a.outbox")
    messages = examples.walk(100)
    publisher = Publisher(broker.settings, outbox, "gw-a")
    publisher.start()
    before = SqliteSeriesStore(tmp_path / "before.db")
    ingest = Ingest(broker.settings, before)
    ingest.start()
    outbox.append(messages[:60])
    assert publisher.drain(10.0)
    ingest.stop()
    before.close()
    ingest = Ingest(broker.settings, store)  # empty: nothing of the first 60 is in it
    ingest.start()
    outbox.append(messages[60:])
    assert publisher.drain(10.0)
    assert store.losses() == [Loss(outbox.uuid, "gw-a", 1, 60)]
    assert store.watermark(outbox.uuid) == len(messages)
    publisher.stop()
    ingest.stop()
    outbox.close()


def test_a_message_that_got_lost_unseen_is_sent_again_after_a_stall(
    broker: EmbeddedBroker, store: SqliteSeriesStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thief takes over the ingest's session for a moment and acknowledges what it never stores."""
    monkeypatch.setattr("gaitmon.transport.mqtt.STALL_S", 0.5)
    messages = examples.walk(60)
    outbox = Outbox(tmp_path / "gw-a.outbox")
    ingest = Ingest(broker.settings, store)
    publisher = Publisher(broker.settings, outbox, "gw-a")
    ingest.start()
    publisher.start()
    outbox.append(messages[:10])
    assert publisher.drain(10.0)
    stolen: list[paho.MQTTMessage] = []
    thief = Connection(broker.settings, "gaitmon-ingest", session_expiry_s=60, on_message=stolen.append)
    assert thief.session_present
    outbox.append(messages[10:])
    taken = 0
    while thief.step(0.01):  # until the ingest comes back and takes its place again
        for message in stolen[taken:]:
            thief.acknowledge(message)
        taken = len(stolen)
    thief.abort()
    assert taken > 0, "nothing was stolen, nothing is proved"
    assert publisher.drain(10.0)
    assert content(store, "w1", "seg-1") == expected(messages)
    publisher.stop()
    ingest.stop()
    outbox.close()


def test_alerts_are_retained_and_published_again_for_a_broker_that_forgot(
    broker: EmbeddedBroker, store: SqliteSeriesStore
) -> None:
    message = examples.alert_message()
    ingest = Ingest(broker.settings, store)
    ingest.publish_alerts(message)
    ingest.start()
    settings = broker.settings
    _check_alert(broker, message)
    broker.stop()
    again = EmbeddedBroker(settings.port, settings.password)
    again.start()
    _check_alert(again, message)
    ingest.stop()
    again.stop()


def _check_alert(broker: EmbeddedBroker, message: AlertMessage) -> None:
    heard: list[paho.MQTTMessage] = []
    page = Connection(broker.settings, "page", session_expiry_s=0, on_message=heard.append)
    page.ask_for(topics.alerts("w1"))
    wait_for(lambda: page.step(0.01) and heard, "the alert")
    assert decode_as(AlertMessage, bytes(heard[0].payload)) == message
    page.close()
