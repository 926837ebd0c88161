"""The InfluxDB sink against a real influxd (tests/peers/influx.py)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from gaitmon.errors import ConfigError, StoreError
from gaitmon.store.influx import InfluxSettings, InfluxSink
from gaitmon.store.series import BoutRow, DayRow, NoticeRow, Row, StrideRow
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport.broker import EmbeddedBroker
from gaitmon.transport.ingest import Ingest
from gaitmon.transport.messages import rows_of
from gaitmon.transport.mqtt import Publisher
from gaitmon.transport.outbox import Outbox
from tests.peers.influx import InfluxPeer, influx
from tests.transport import examples
from tests.transport.stored import content, expected, wait_for

pytestmark = pytest.mark.server


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[InfluxPeer]:
    folder = tmp_path / "influx"
    folder.mkdir()
    with influx(folder) as running:
        yield running


def _rows(count: int) -> list[Row]:
    return [row for message in examples.walk(count) for row in rows_of(message, "gw-a")]


def _check_strides(peer: InfluxPeer, rows: list[Row]) -> None:
    """Every stride is there once, every number bit for bit."""
    fields = (
        "start_s", "fc_s", "end_s", "opposite_ic_s",
        "thigh_rom_deg", "thigh_flexion_max_deg", "thigh_flexion_min_deg",
    )  # fmt: skip
    found = {
        (p["side"], p["ordinal"]): (p["time"], *(p[name] for name in fields), p["flags"])
        for p in peer.query("SELECT * FROM stride")
    }
    strides = [row for row in rows if isinstance(row, StrideRow)]
    assert found == {
        (s.side, s.ordinal): (
            s.start_utc_us * 1000,
            *(getattr(s, name) for name in fields),
            ",".join(s.flags) or None,
        )
        for s in strides
    }
    counted = peer.query("SELECT count(start_s) FROM stride")
    assert counted[0]["count"] == len(strides)


def test_values_come_back_exactly_and_writing_again_changes_nothing(peer: InfluxPeer) -> None:
    sink = InfluxSink(peer.settings)
    rows = _rows(200)
    for _ in range(2):
        sink.write(rows)
        _check_strides(peer, rows)
    bouts = [row for row in rows if isinstance(row, BoutRow)]
    metrics = peer.query("SELECT * FROM metric WHERE metric = 'stride_time_ln_asymmetry_pct'")
    assert [(m["time"], m["value"], m["standard_error"], m["n_left"]) for m in metrics] == [
        (b.start_utc_us * 1000, b.metrics[0].value, b.metrics[0].standard_error, b.metrics[0].n_left)
        for b in bouts
    ]
    absent = peer.query("SELECT * FROM metric WHERE metric = 'cadence_steps_min'")
    assert [m["value"] for m in absent] == [None] * len(bouts)
    assert {m["note"] for m in absent} == {"too few strides"}
    sink.close()


def test_a_whole_number_stays_a_float_and_a_changed_day_is_replaced(peer: InfluxPeer) -> None:
    sink = InfluxSink(peer.settings)
    first = DayRow("w1", "2026-11-22", "straight", "cadence_steps_min", 110.0, 1.0, 300, 9, True, True)
    second = dataclasses.replace(first, value=110.25, n_strides=320)
    sink.write([first])
    sink.write([second])
    found = peer.query("SELECT * FROM day")
    assert [(d["value"], d["n_strides"], d["valid"]) for d in found] == [(110.25, 320, True)]
    assert found[0]["time"] == 1_795_305_600_000_000_000  # 2026-11-22T00:00:00Z
    sink.close()


def test_text_that_means_something_to_the_line_protocol_survives(peer: InfluxPeer) -> None:
    sink = InfluxSink(peer.settings)
    odd = 'a "quoted" text, with = and \\ and ä'
    row = DayRow("w1", "2026-11-22", "stairs, a=b c", "m", 1.0, None, 1, 1, False, False)
    notice = next(r for r in _rows(1) if isinstance(r, NoticeRow))
    sink.write([row, dataclasses.replace(notice, text=odd)])
    assert peer.query("SELECT stratum, value FROM day")[0]["stratum"] == "stairs, a=b c"
    assert peer.query("SELECT text FROM notice")[0]["text"] == odd
    sink.close()


def test_a_type_conflict_is_a_store_error_with_the_reason(peer: InfluxPeer) -> None:
    sink = InfluxSink(peer.settings)
    _write_line(peer, "day,wearer=other value=3i 1795305600000000001")
    with pytest.raises(StoreError, match="field type conflict") as raised:
        sink.write([DayRow("w1", "2026-11-22", "straight", "m", 1.0, None, 1, 1, True, False)])
    assert "bucket" in raised.value.remedy
    sink.close()


def _write_line(peer: InfluxPeer, line: str) -> None:
    sink = InfluxSink(peer.settings)
    sink._writer.write(bucket="gaitmon", org="clinic", record=line)
    sink.close()


def test_a_wrong_token_is_named_without_being_shown(peer: InfluxPeer) -> None:
    settings = dataclasses.replace(peer.settings, token="not-the-token")
    sink = InfluxSink(settings)
    with pytest.raises(StoreError, match="Check the token") as raised:
        sink.write(_rows(1))
    assert "not-the-token" not in str(raised.value) + repr(settings)
    sink.close()


def test_plaintext_beyond_loopback_is_refused() -> None:
    with pytest.raises(ConfigError, match="https"):
        InfluxSink(InfluxSettings("http://influx.example:8086", "t", "o", "b"))
    InfluxSink(InfluxSettings("http://influxdb:8086", "t", "o", "b", allow_plaintext=True)).close()


def test_influx_away_and_back_loses_nothing_and_nothing_counts_as_stored_meanwhile(
    tmp_path: Path, peer: InfluxPeer
) -> None:
    messages = examples.walk(600)
    store = SqliteSeriesStore(tmp_path / "series.db")
    outbox = Outbox(tmp_path / "gw-a.outbox")
    with EmbeddedBroker() as broker:
        sink = InfluxSink(peer.settings)
        ingest = Ingest(broker.settings, store, sinks=[sink])
        publisher = Publisher(broker.settings, outbox, "gw-a")
        ingest.start()
        publisher.start()
        outbox.append(messages[:200])
        assert publisher.drain(10.0)
        peer.kill()
        outbox.append(messages[200:])
        wait_for(lambda: "InfluxDB" in ingest.progress.problem, "the problem shows")
        assert store.watermark(outbox.uuid) == 200
        assert not publisher.drain(0.5)
        peer.start()
        assert publisher.drain(20.0)
        publisher.stop()
        ingest.stop()
        sink.close()
    assert content(store, "w1", "seg-1") == expected(messages)
    _check_strides(peer, [row for message in messages for row in rows_of(message, "gw-a")])
    store.close()
    outbox.close()


def test_the_server_out_of_reach_is_a_store_error() -> None:
    sink = InfluxSink(InfluxSettings("http://127.0.0.1:9", "t", "o", "b"))
    with pytest.raises(StoreError, match="cannot be reached"):
        sink.write(_rows(1))
    sink.close()
