"""What must be in a store after messages were sent, and waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from gaitmon.store.series import BoutRow, NoticeRow, PostureRow, Row, SegmentRow, StrideRow, Verdict
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport.messages import rows_of
from gaitmon.transport.schema import Message
from tests.transport import examples

FOREVER_UTC_US = 2**53


def wait_for(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.01)


def content(store: SqliteSeriesStore, wearer: str, segment: str) -> set[Row]:
    """Everything readers can see of one segment.  A stride with its verdict is both rows again."""
    rows: list[Row] = []
    for row in store.strides(wearer, segment):
        rows.append(without_verdict(row))
        if row.bout is not None:
            assert row.straight is not None
            assert row.accepted is not None
            assert row.reason is not None
            verdict = (row.bout, row.straight, row.accepted, row.reason)
            rows.append(Verdict(wearer, segment, row.revision, row.side, row.ordinal, *verdict))
    rows += [b for b in store.bouts(wearer, 0, FOREVER_UTC_US) if b.segment == segment]
    rows += store.notices(wearer, segment)
    rows += [p for p in store.postures(wearer, 0, FOREVER_UTC_US) if p.segment == segment]
    known = store.segment(wearer, segment)
    rows += [] if known is None else [known]
    assert len(rows) == len(set(rows)), "something is there twice"
    return set(rows)


def without_verdict(row: StrideRow) -> StrideRow:
    names = [name for name in StrideRow.__slots__ if name not in ("bout", "straight", "accepted", "reason")]
    return StrideRow(**{name: getattr(row, name) for name in names})


def expected(messages: Sequence[Message], gateway: str = examples.GATEWAY) -> set[Row]:
    rows = {row for message in messages for row in rows_of(message, gateway)}
    assert {type(row) for row in rows} >= {SegmentRow, StrideRow, Verdict, BoutRow, NoticeRow, PostureRow}
    return rows
