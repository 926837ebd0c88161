"""The SQLite store: any order, any repetition, one content; nothing half replaced; nothing lost."""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaitmon.errors import StoreError
from gaitmon.store.series import (
    BoutRow,
    DayRow,
    DeadLetter,
    Delivery,
    GatewayRow,
    Loss,
    NoticeRow,
    OutboxRow,
    PostureRow,
    Row,
    SegmentRow,
    StrideRow,
    Verdict,
)
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport.messages import rows_of
from tests.transport import examples
from tests.transport.stored import FOREVER_UTC_US, content

_names = itertools.count()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteSeriesStore]:
    opened = SqliteSeriesStore(tmp_path / "series.db")
    yield opened
    opened.close()


def _rows(count: int, revision: int = 0, counted: bool = False) -> list[Row]:
    """counted: the segment says how many strides and bouts belong to it."""
    segment = examples.segment(revision=revision)
    if counted:
        segment = dataclasses.replace(
            segment, n_strides=count, n_bouts=count // examples.BOUT_STRIDES, anchor_utc_us=10**15 + revision
        )
    return [row for message in examples.walk(count, segment) for row in rows_of(message, "gw-a")]


def _ask(path: Path, query: str) -> list[int]:
    """The first column, from the file itself."""
    with closing(sqlite3.connect(path)) as connection:
        return [int(r[0]) for r in connection.execute(query)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_with_any_repetition_gives_the_same_content(data: st.DataObject, tmp_path: Path) -> None:
    rows = _rows(40)
    sent = data.draw(st.permutations(rows + data.draw(st.lists(st.sampled_from(rows), max_size=30))))
    store = SqliteSeriesStore(tmp_path / f"{next(_names)}.db")
    while sent:
        cut = data.draw(st.integers(1, len(sent)))
        store.write(sent[:cut])
        sent = sent[cut:]
    assert content(store, "w1", "seg-1") == set(rows)
    store.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_reader_sees_one_revision_whole_or_the_other(data: st.DataObject, tmp_path: Path) -> None:
    """Old first, then old and new mixed in any order: never half of each, in the end only the new."""
    old, new = _rows(20), _rows(40, revision=1, counted=True)
    late = data.draw(st.lists(st.sampled_from(old), max_size=10))
    sent = data.draw(st.permutations(new + late))
    store = SqliteSeriesStore(tmp_path / f"{next(_names)}.db")
    store.write(old)
    store.clear_touched(store.touched())
    while sent:
        cut = data.draw(st.integers(1, 8))
        store.write(sent[:cut])
        sent = sent[cut:]
        seen = content(store, "w1", "seg-1")
        if seen == set(old):
            assert store.touched() == []
            continue
        # In force, with every stride and bout; verdicts and notices may follow with their messages.
        assert seen <= set(new)
        for kind in (SegmentRow, StrideRow, BoutRow):
            assert {r for r in seen if isinstance(r, kind)} == {r for r in new if isinstance(r, kind)}
        starts = {r.start_utc_us for r in (*old, *new) if isinstance(r, BoutRow)}
        assert {t.start_utc_us for t in store.touched()} == starts
    assert content(store, "w1", "seg-1") == set(new)
    store.close()


def test_a_revision_without_counts_replaces_when_its_segment_arrives(store: SqliteSeriesStore) -> None:
    old, new = _rows(20), _rows(40, revision=2)
    store.write(old)
    segment = [row for row in new if isinstance(row, SegmentRow)]
    store.write([row for row in new if row not in segment])
    assert content(store, "w1", "seg-1") == set(old)
    store.write(segment)
    assert content(store, "w1", "seg-1") == set(new)
    store.write(_rows(60, revision=1))
    assert content(store, "w1", "seg-1") == set(new), "a lower revision was not ignored"


def test_a_verdict_before_its_stride_is_not_lost(store: SqliteSeriesStore) -> None:
    rows = _rows(20)
    store.write([row for row in rows if isinstance(row, Verdict)])
    assert store.strides("w1", "seg-1") == []
    store.write([row for row in rows if isinstance(row, StrideRow)])
    found = store.strides("w1", "seg-1", bout=0)
    assert len(found) == 20
    assert all(row.bout == 0 for row in found)
    assert found == store.strides("w1", "seg-1")
    assert store.strides("w1", "seg-1", bout=1) == []


def test_strides_come_in_order_of_time_and_only_of_the_bout(store: SqliteSeriesStore) -> None:
    store.write(_rows(60))
    everything = store.strides("w1", "seg-1")
    assert [s.start_s for s in everything] == sorted(s.start_s for s in everything)
    assert store.strides("w1", "seg-1", bout=1) == everything[20:40]
    assert store.strides("w1", "another") == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seqs=st.lists(st.lists(st.integers(1, 12), max_size=6), max_size=12))
def test_the_watermark_is_the_contiguous_prefix(seqs: list[list[int]], tmp_path: Path) -> None:
    store = SqliteSeriesStore(tmp_path / f"{next(_names)}.db")
    seen: set[int] = set()
    for batch in seqs:
        store.write_delivered([], [Delivery("o", seq, "gw") for seq in batch])
        seen |= set(batch)
        prefix = next(n for n in itertools.count() if n + 1 not in seen)
        assert store.watermark("o") == prefix
        kept = _ask(store.path, "SELECT seq FROM delivered ORDER BY seq")
        assert kept == sorted(s for s in seen if s > prefix), "it remembers too much"
    store.close()


def test_an_outbox_belongs_to_its_first_gateway(store: SqliteSeriesStore) -> None:
    store.write_delivered([], [Delivery("o", 1, "gw-a")])
    store.write_delivered([], [Delivery("o", 2, "gw-b"), Delivery("o", 3, "gw-b", base=1000)])
    assert store.watermark("o") == 1
    assert store.losses() == []
    store.write_delivered([], [Delivery("p", 1, "gw-b"), Delivery("p", 2, "gw-b")])
    store.write_delivered([], [Delivery("o", 2, "gw-a")])
    assert store.outboxes() == [OutboxRow("p", "gw-b", 2), OutboxRow("o", "gw-a", 2)]


def test_what_was_confirmed_and_is_gone_is_recorded_and_does_not_block(store: SqliteSeriesStore) -> None:
    store.write_delivered([], [Delivery("o", seq, "gw") for seq in (1, 2, 3)])
    store.write_delivered([], [Delivery("o", 11, "gw", base=10)])
    assert store.watermark("o") == 9
    assert store.losses() == [Loss("o", "gw", 4, 9)]
    store.write_delivered([], [Delivery("o", 10, "gw", base=10)])
    assert store.watermark("o") == 11


def test_rows_and_deliveries_are_one_transaction(store: SqliteSeriesStore) -> None:
    rows = _rows(20)
    broken = dataclasses.replace(rows[3], wearer=object())  # type: ignore[arg-type] # what SQLite cannot bind
    with pytest.raises(StoreError):
        store.write_delivered([*rows, broken], [Delivery("o", 1, "gw")], [DeadLetter("t", b"p", "r")])
    assert store.watermark("o") == 0
    assert content(store, "w1", "seg-1") == set()
    assert store.dead_letters() == []
    assert store.wearers() == []


def test_dead_letters_are_kept_whole_counted_and_removable(store: SqliteSeriesStore) -> None:
    letter = DeadLetter("gaitmon/1/up/x", b"\x00\xff", "why")
    other = DeadLetter("gaitmon/1/up/y", b"\x00\xff", "why")
    for _ in range(3):
        store.write_delivered([], [], [letter])
    store.write_delivered([], [], [other])
    assert store.dead_letters() == [dataclasses.replace(letter, times=3), other]
    store.remove_dead_letter(letter)
    assert store.dead_letters() == [other]


def test_only_a_real_change_touches_a_bout_and_a_newer_mark_is_not_cleared(store: SqliteSeriesStore) -> None:
    bout = next(row for row in _rows(20) if isinstance(row, BoutRow))
    store.write([bout])
    (first,) = store.touched()
    assert (first.wearer, first.start_utc_us) == ("w1", bout.start_utc_us)
    store.write([bout])
    assert store.touched() == [first]
    store.write([dataclasses.replace(bout, stratum="excluded:stairs")])
    store.clear_touched([first])
    (second,) = store.touched()
    assert second.mark > first.mark
    store.clear_touched([second])
    assert store.touched() == []


def test_a_bout_that_changes_its_time_leaves_nothing_behind(store: SqliteSeriesStore) -> None:
    bout = next(row for row in _rows(20) if isinstance(row, BoutRow))
    moved = dataclasses.replace(bout, start_utc_us=bout.start_utc_us + 10, metrics=bout.metrics[:1])
    store.write([bout])
    store.write([moved])
    assert store.bouts("w1", 0, FOREVER_UTC_US) == [moved]
    assert {t.start_utc_us for t in store.touched()} == {bout.start_utc_us, moved.start_utc_us}
    assert _ask(store.path, "SELECT count(*) FROM metrics") == [1]


def test_bouts_of_a_span_and_the_latest_with_both_sides(store: SqliteSeriesStore) -> None:
    rows = [row for row in _rows(60) if isinstance(row, BoutRow)]
    one_sided = dataclasses.replace(rows[2], n_left=0)
    store.write([rows[0], rows[1], one_sided])
    assert store.bouts("w1", rows[0].start_utc_us, rows[2].start_utc_us) == rows[:2]
    assert store.latest_bout("w1") == rows[1]
    assert store.latest_bout("nobody") is None
    only = dataclasses.replace(one_sided, wearer="w2")
    store.write([only])
    assert store.latest_bout("w2") == only
    assert store.wearers() == ["w1", "w2"]


def test_days_are_upserted_and_selected(store: SqliteSeriesStore) -> None:
    days = [
        DayRow("w1", f"2026-11-{day:02}", "straight", metric, day / 7, None, 100, 5, True, True)
        for day in (3, 1, 2)
        for metric in ("a", "b")
    ]
    store.write(days)
    changed = dataclasses.replace(days[0], value=None, valid=False)
    store.write([changed])
    assert [d.day for d in store.days("w1", "a")] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    assert store.days("w1", "a", since_day="2026-11-03") == [changed]
    assert len(store.days("w1", since_day="2026-11-02")) == 4
    assert store.days("w2") == []


def test_a_last_will_counts_only_for_its_own_connection(store: SqliteSeriesStore) -> None:
    def gateway(state: str, connection: str) -> GatewayRow:
        return GatewayRow("gw", state, connection, 1, 0, "0.1")

    for state, connection, expected in (
        ("ready", "c1", "ready"),
        ("lost", "c1", "lost"),
        ("ready", "c2", "ready"),
        ("lost", "c1", "ready"),
        ("sleeping", "c2", "sleeping"),
    ):
        store.write_gateway(gateway(state, connection))
        assert [g.state for g in store.gateways()] == [expected]


def test_postures_are_read_where_they_reach_into_the_time_asked_for(store: SqliteSeriesStore) -> None:
    one = next(row for row in _rows(1) if isinstance(row, PostureRow))
    at = [dataclasses.replace(one, start_utc_us=s * 10**6, end_utc_us=(s + 10) * 10**6) for s in (0, 10, 20)]
    store.write([*at, *at])
    assert store.postures("w1", 5_000_000, 15_000_000) == at[:2]
    assert store.postures("w1", 10_000_000, 20_000_000) == at[1:2]
    assert {m.start_utc_us for m in store.touched()} == {0, 10_000_000, 20_000_000}


def test_notices_are_kept_once(store: SqliteSeriesStore) -> None:
    notice = next(row for row in _rows(1) if isinstance(row, NoticeRow))
    store.write([notice, notice, dataclasses.replace(notice, start_s=1.5)])
    assert len(store.notices("w1", "seg-1")) == 2


def test_the_file_is_private(store: SqliteSeriesStore) -> None:
    store.write(_rows(20))
    files = list(store.path.parent.iterdir())
    assert len(files) == 3, "file, -wal and -shm"
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_an_older_schema_is_refused_at_once_and_not_at_the_first_missing_table(tmp_path: Path) -> None:
    path = tmp_path / "series.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=1")
    with pytest.raises(StoreError, match="schema version 1, this gaitmon needs") as raised:
        SqliteSeriesStore(path)
    assert "aside" in raised.value.remedy


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "series.db"
    SqliteSeriesStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreError, match="newer gaitmon"):
        SqliteSeriesStore(path)


def _read(path: Path, answers: multiprocessing.Queue[int]) -> None:
    store = SqliteSeriesStore(path)
    answers.put(len(store.strides("w1", "seg-1")))
    store.close()


def test_another_process_reads_while_a_write_is_under_way(store: SqliteSeriesStore) -> None:
    store.write(_rows(20))
    writer = sqlite3.connect(store.path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM strides")
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[int] = context.Queue()
    reader = context.Process(target=_read, args=(store.path, answers))
    reader.start()
    assert answers.get(timeout=20.0) == 20
    reader.join()
    writer.execute("ROLLBACK")
    writer.close()
    answers.close()
