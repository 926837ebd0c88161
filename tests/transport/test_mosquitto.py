"""The same publisher and ingest against the broker that a clinic would run, with its ACL."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from gaitmon.errors import BrokerError
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport import topics
from gaitmon.transport.connection import Connection, MqttSettings
from gaitmon.transport.ingest import Ingest
from gaitmon.transport.mqtt import Publisher
from gaitmon.transport.outbox import Outbox
from tests.peers.mosquitto import mosquitto
from tests.transport import examples
from tests.transport.stored import content, expected, wait_for

pytestmark = pytest.mark.server


@pytest.fixture
def users(tmp_path: Path) -> Iterator[dict[str, MqttSettings]]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder, ["gw-a", "gw-b"]) as settings:
        yield settings


def test_two_gateways_deliver_everything_once(tmp_path: Path, users: dict[str, MqttSettings]) -> None:
    store = SqliteSeriesStore(tmp_path / "series.db")
    ingest = Ingest(users["server"], store)
    ingest.start()
    publishers = []
    for gateway, wearer in (("gw-a", "w1"), ("gw-b", "w2")):
        outbox = Outbox(tmp_path / f"{gateway}.outbox")
        outbox.append(examples.walk(1500, examples.segment(wearer=wearer, gateway=gateway)))
        publishers.append(Publisher(users[gateway], outbox, gateway))
        publishers[-1].start()
        outbox.close()  # the publisher has its own
    for publisher, (gateway, wearer) in zip(publishers, (("gw-a", "w1"), ("gw-b", "w2")), strict=True):
        assert publisher.drain(20.0)
        messages = examples.walk(1500, examples.segment(wearer=wearer, gateway=gateway))
        assert content(store, wearer, "seg-1") == expected(messages, gateway)
        publisher.stop()
    assert store.dead_letters() == []
    ingest.stop()
    store.close()


def test_a_gateway_can_neither_write_as_another_nor_read_its_topics(users: dict[str, MqttSettings]) -> None:
    at_server: list[paho.MQTTMessage] = []
    at_gateway: list[paho.MQTTMessage] = []
    server = Connection(users["server"], "server", session_expiry_s=0, on_message=at_server.append)
    gateway = Connection(users["gw-a"], "gw-a", session_expiry_s=0, on_message=at_gateway.append)
    server.ask_for(topics.UP_ALL)
    gateway.ask_for("gaitmon/1/#")
    wait_for(lambda: server.step(0.02) and server.granted, "server subscribed")
    wait_for(lambda: gateway.step(0.02) and gateway.granted, "gateway subscribed")
    gateway.publish(topics.up("gw-b", "w1", "stride"), b"forged")
    gateway.publish(topics.stored("gw-b"), b"forged", retain=True)
    gateway.publish(topics.alerts("w1"), b"forged", retain=True)
    gateway.publish(topics.up("gw-a", "w1", "stride"), b"own")
    wait_for(lambda: gateway.step(0.02) and not gateway.unconfirmed, "confirmed")
    wait_for(lambda: server.step(0.02) and at_server, "received")
    server.publish(topics.stored("gw-b"), b"for b")
    server.publish(topics.alerts("w1"), b"for others")
    server.publish(topics.stored("gw-a"), b"for a")
    wait_for(lambda: server.step(0.02) and not server.unconfirmed, "published")
    wait_for(lambda: gateway.step(0.02) and at_gateway, "heard")
    server.step(0.1)
    gateway.step(0.1)
    assert [m.payload for m in at_server] == [b"own"]
    assert [m.payload for m in at_gateway] == [b"for a"]
    assert "Not authorized" in gateway.refusal
    server.close()
    gateway.close()


def test_a_refused_publisher_says_why_and_keeps_everything(
    tmp_path: Path, users: dict[str, MqttSettings]
) -> None:
    outbox = Outbox(tmp_path / "gw-b.outbox")
    outbox.append(examples.walk(40))
    publisher = Publisher(users["gw-a"], outbox, "gw-b")  # gw-a's user, gw-b's topics
    publisher.start()
    wait_for(lambda: "ACL" in publisher.progress.problem, "the reason shows")
    assert len(outbox.pending()) == outbox.last_seq
    publisher.stop()
    outbox.close()


def test_a_wrong_password_is_named_without_being_shown(users: dict[str, MqttSettings]) -> None:
    wrong = MqttSettings("127.0.0.1", users["gw-a"].port, "gw-a", "not-the-password")
    with pytest.raises(BrokerError, match="Check user and password") as raised:
        Connection(wrong, "gw-a", session_expiry_s=0, on_message=lambda _message: None)
    assert "not-the-password" not in str(raised.value) + repr(wrong)


# paho leaves the socket of a refused handshake to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_encrypted_broker_is_used_only_when_its_certificate_is_trusted(tmp_path: Path) -> None:
    with mosquitto(tmp_path, ["gw-a"], tls=True) as users:
        store = SqliteSeriesStore(tmp_path / "series.db")
        outbox = Outbox(tmp_path / "gw-a.outbox")
        outbox.append(examples.walk(100))
        ingest = Ingest(users["server"], store)
        publisher = Publisher(users["gw-a"], outbox, "gw-a")
        ingest.start()
        publisher.start()
        assert publisher.drain(20.0)
        assert content(store, "w1", "seg-1") == expected(examples.walk(100))
        publisher.stop()
        ingest.stop()
        untrusted = dataclasses.replace(users["gw-a"], ca_file=None)  # the system's authorities
        with pytest.raises(BrokerError, match="certificate"):
            Connection(untrusted, "gw-a", session_expiry_s=0, on_message=lambda _message: None)
        gc.collect()
        outbox.close()
        store.close()
