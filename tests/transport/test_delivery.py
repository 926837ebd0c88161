"""From the outbox to the store, each result exactly once, whatever is killed on the way.

Real processes, a real broker, a real store; nothing is mocked.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gaitmon.store import database
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport.broker import EmbeddedBroker
from gaitmon.transport.ingest import Ingest
from gaitmon.transport.mqtt import Publisher
from gaitmon.transport.outbox import Outbox
from tests.transport import examples
from tests.transport.processes import kill, launch
from tests.transport.stored import content, expected, wait_for

COUNT = 4000


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteSeriesStore]:
    opened = SqliteSeriesStore(tmp_path / "series.db")
    yield opened
    opened.close()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / "gw-a.outbox")
    yield opened
    opened.close()


def _check_everything_once(store: SqliteSeriesStore, outbox: Outbox, count: int = COUNT) -> None:
    messages = examples.walk(count)
    total = len(messages)
    wait_for(lambda: outbox.last_seq == total and outbox.base() == total + 1, "empty outbox", 60.0)
    assert store.watermark(outbox.uuid) == total
    assert content(store, "w1", "seg-1") == expected(messages)
    assert store.dead_letters() == []
    assert store.losses() == []


def test_everything_arrives_once_and_the_outbox_is_emptied(
    broker: EmbeddedBroker, store: SqliteSeriesStore, outbox: Outbox
) -> None:
    ingest = Ingest(broker.settings, store)
    ingest.start()
    publisher = Publisher(broker.settings, outbox, "gw-a")
    publisher.start()
    outbox.append(examples.walk(500))
    assert publisher.drain(20.0)
    _check_everything_once(store, outbox, 500)
    assert [g.state for g in store.gateways()] == ["ready"]
    assert publisher.progress.stored == outbox.last_seq
    publisher.stop()
    wait_for(lambda: [g.state for g in store.gateways()] == ["sleeping"], "goodbye")
    ingest.stop()


@pytest.mark.parametrize("victim", ["ingest", "publish"])
def test_a_killed_process_loses_and_repeats_nothing(
    victim: str, tmp_path: Path, broker: EmbeddedBroker, store: SqliteSeriesStore, outbox: Outbox
) -> None:
    options = {"publish": {"gateway": "gw-a", "count": COUNT, "chunk": 40}, "ingest": {}}
    running = {role: launch(role, tmp_path, broker.settings, **o) for role, o in options.items()}
    try:
        for stage in (500, 1500):
            wait_for(lambda stage=stage: store.watermark(outbox.uuid) > stage, f"{stage} stored")  # type: ignore[misc]
            kill(running[victim])
            assert store.watermark(outbox.uuid) < COUNT, "it was killed too late to prove anything"
            running[victim] = launch(victim, tmp_path, broker.settings, **options[victim])
        _check_everything_once(store, outbox)
    finally:
        for process in running.values():
            kill(process)


def test_a_killed_broker_that_forgets_everything(
    tmp_path: Path, broker: EmbeddedBroker, store: SqliteSeriesStore, outbox: Outbox
) -> None:
    settings = broker.settings
    running = [
        launch("publish", tmp_path, settings, gateway="gw-a", count=COUNT, chunk=40),
        launch("ingest", tmp_path, settings),
    ]
    again = EmbeddedBroker(settings.port, settings.password)
    try:
        wait_for(lambda: store.watermark(outbox.uuid) > 500, "500 stored")
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        assert store.watermark(outbox.uuid) < COUNT
        time.sleep(0.3)
        again.start()
        _check_everything_once(store, outbox)
    finally:
        for process in running:
            kill(process)
        again.stop()


def test_a_locked_store_holds_up_delivery_and_loses_nothing(
    tmp_path: Path,
    broker: EmbeddedBroker,
    store: SqliteSeriesStore,
    outbox: Outbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.1)
    ingest_store = SqliteSeriesStore(tmp_path / "series.db")
    ingest = Ingest(broker.settings, ingest_store)
    publisher = Publisher(broker.settings, outbox, "gw-a")
    publisher.start()
    ingest.start()
    outbox.append(examples.walk(2000)[:500])
    assert publisher.drain(10.0)
    other = sqlite3.connect(tmp_path / "series.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    outbox.append(examples.walk(2000)[500:])
    wait_for(lambda: "locked" in ingest.progress.problem, "the problem shows")
    time.sleep(1.0)
    assert store.watermark(outbox.uuid) == 500
    assert ingest.progress.connected
    other.execute("ROLLBACK")
    other.close()
    _check_everything_once(store, outbox, 2000)
    wait_for(lambda: ingest.progress.problem == "", "the problem is over")
    publisher.stop()
    ingest.stop()
    ingest_store.close()


def test_results_sent_while_no_server_ever_ran_arrive_when_it_comes(
    broker: EmbeddedBroker, store: SqliteSeriesStore, outbox: Outbox
) -> None:
    """The broker takes and drops them: nobody has subscribed yet."""
    publisher = Publisher(broker.settings, outbox, "gw-a")
    publisher.start()
    outbox.append(examples.walk(300))
    wait_for(lambda: publisher.progress.published == outbox.last_seq, "sent")
    assert publisher.progress.stored == 0
    ingest = Ingest(broker.settings, store)
    ingest.start()
    start_s = time.monotonic()
    _check_everything_once(store, outbox, 300)
    assert time.monotonic() - start_s < 3.0, "it waited for the stall instead of the server's word"
    publisher.stop()
    ingest.stop()


def test_a_lost_gateway_shows_and_so_does_its_return(
    tmp_path: Path, broker: EmbeddedBroker, store: SqliteSeriesStore
) -> None:
    ingest = Ingest(broker.settings, store)
    ingest.start()

    def state() -> list[str]:
        return [g.state for g in store.gateways()]

    def gateway_process() -> subprocess.Popen[bytes]:
        return launch("publish", tmp_path, broker.settings, gateway="gw-a", count=10, chunk=10, stay=True)

    first = gateway_process()
    try:
        wait_for(lambda: state() == ["ready"], "ready")
    finally:
        kill(first)
    wait_for(lambda: state() == ["lost"], "lost")
    second = gateway_process()
    try:
        wait_for(lambda: state() == ["ready"], "ready again")
    finally:
        kill(second)
    ingest.stop()
