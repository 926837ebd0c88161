"""The outbox: contiguous numbers for life, nothing lost, nothing deleted without the right watermark."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gaitmon.errors import StoreError
from gaitmon.transport.messages import encode
from gaitmon.transport.outbox import Outbox
from tests.transport import examples

MESSAGES = examples.walk(60)


class OutboxMachine(RuleBasedStateMachine):
    """An outbox against a plain list, opened and closed at any moment."""

    folder: Path

    @initialize()
    def open(self) -> None:
        self.path = self.folder / f"{time.monotonic_ns()}.db"
        self.outbox = Outbox(self.path)
        self.uuid = self.outbox.uuid
        self.waiting: dict[int, bytes] = {}
        self.last = 0

    @rule(count=st.integers(0, 5))
    def append(self, count: int) -> None:
        chosen = MESSAGES[self.last % 50 : self.last % 50 + count]
        self.outbox.append(chosen)
        for message in chosen:
            self.last += 1
            self.waiting[self.last] = encode(message)

    @rule(count=st.integers(1, 5))
    def append_and_fail(self, count: int) -> None:
        with pytest.raises(KeyError):
            self._append_then_fail(count)

    def _append_then_fail(self, count: int) -> None:
        with self.outbox.transaction():
            self.outbox.append(MESSAGES[:count])
            raise KeyError

    @rule(seq=st.integers(0, 30), ours=st.booleans())
    def delete(self, seq: int, ours: bool) -> None:
        deleted = self.outbox.delete_through(self.uuid if ours else "another", seq)
        gone = [s for s in self.waiting if s <= seq and ours]
        assert deleted == len(gone)
        for s in gone:
            del self.waiting[s]

    @rule()
    def reopen(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(self.path)

    @rule()
    def renew(self) -> None:
        self.uuid = self.outbox.renew()
        self.waiting = dict(enumerate(self.waiting.values(), 1))
        self.last = len(self.waiting)

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "outbox"):
            return
        assert self.outbox.uuid == self.uuid
        assert self.outbox.last_seq == self.last
        assert {p.seq: p.payload for p in self.outbox.pending()} == self.waiting
        assert self.outbox.base() == min(self.waiting, default=self.last + 1)
        assert self.outbox.state().pending == len(self.waiting)

    def teardown(self) -> None:
        if hasattr(self, "outbox"):
            self.outbox.close()


def test_it_behaves_like_a_list_that_survives(tmp_path: Path) -> None:
    machine = type("Machine", (OutboxMachine,), {"folder": tmp_path})
    run_state_machine_as_test(
        machine, settings=hypothesis_settings(max_examples=25, stateful_step_count=20, deadline=None)
    )


def test_the_file_is_private_and_a_wide_one_is_narrowed(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.touch(mode=0o644)
    path.chmod(0o644)
    outbox = Outbox(path)
    outbox.append(MESSAGES)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    outbox.close()


def test_a_checkpoint_is_committed_with_the_messages_or_not_at_all(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    with outbox.transaction() as connection:
        connection.execute("CREATE TABLE checkpoint (offset INTEGER)")
        connection.execute("INSERT INTO checkpoint VALUES (0)")

    def fail_after_both() -> None:
        with outbox.transaction() as connection:
            connection.execute("UPDATE checkpoint SET offset=100")
            outbox.append(MESSAGES[:3])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_both()
    assert outbox.last_seq == 0
    with outbox.transaction() as connection:
        connection.execute("UPDATE checkpoint SET offset=200")
        outbox.append(MESSAGES[:3])
    outbox.close()
    again = Outbox(tmp_path / "outbox.db")
    with again.transaction() as connection:
        assert connection.execute("SELECT offset FROM checkpoint").fetchall() == [(200,)]
    assert again.last_seq == 3
    again.close()


APPENDER = """
import sys
from pathlib import Path
from gaitmon.transport.outbox import Outbox
from tests.transport import examples
outbox = Outbox(Path(sys.argv[1]))
messages = examples.walk(60)
while True:
    print(outbox.append(messages[:7]), flush=True)
"""


def test_what_append_has_returned_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    process = subprocess.Popen([sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().splitlines()]
    process.wait()
    process.stdout.close()
    outbox = Outbox(path)
    seqs = [p.seq for p in outbox.pending(limit=10**6)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) >= told[-1]
    assert len(seqs) % 7 == 0, "half an append was kept"
    assert outbox.last_seq == len(seqs)
    outbox.close()


def test_state_says_how_much_and_how_old(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", quota_bytes=50_000)
    assert outbox.state().oldest_age_s is None
    assert not outbox.state().over_quota
    outbox.append(examples.walk(300))
    state = outbox.state()
    assert state.pending == outbox.last_seq
    assert state.size_bytes > 50_000
    assert state.over_quota
    assert state.oldest_age_s is not None
    assert 0.0 <= state.oldest_age_s < 60.0
    outbox.delete_through(outbox.uuid, outbox.last_seq)
    assert not outbox.state().over_quota, "deleted messages still count"
    outbox.close()


def test_a_newer_file_and_a_damaged_file_are_refused_with_a_remedy(tmp_path: Path) -> None:
    newer = tmp_path / "newer.db"
    Outbox(newer).close()
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreError, match="newer gaitmon"):
        Outbox(newer)
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"this is not a database" * 100)
    with pytest.raises(StoreError, match="damaged"):
        Outbox(damaged)
    with pytest.raises(StoreError, match="folder"):
        Outbox(tmp_path / "nowhere" / "outbox.db")


def test_a_restored_copy_has_the_same_identity_and_remembers_what_was_sent(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.append(MESSAGES[:5])
    outbox.mark_sent(4)
    outbox.mark_sent(2)
    outbox.close()
    shutil.copy(tmp_path / "outbox.db", tmp_path / "copy.db")
    copy = Outbox(tmp_path / "copy.db")
    assert copy.sent_seq == 4
    renewed = copy.renew()
    assert copy.sent_seq == 0
    assert [p.seq for p in copy.pending()] == [1, 2, 3, 4, 5]
    original = Outbox(tmp_path / "outbox.db")
    assert original.uuid != renewed
    for opened in (copy, original):
        opened.close()
