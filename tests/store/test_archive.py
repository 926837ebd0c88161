"""The raw archive on a real disk: killed writers, cut files, full disks, wrong keys."""

from __future__ import annotations

import json
import random
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaitmon.errors import ConfigError, StoreError
from gaitmon.model import Placement
from gaitmon.model_leg import Fit, LegLength, PersonalCalibration, SpatialParams
from gaitmon.sensors.raw import (
    AssignedSensor,
    LinkDown,
    LinkUp,
    Notification,
    RawEvent,
    SessionClosed,
    SessionOpened,
    Stalled,
)
from gaitmon.store import archive_volume as volume
from gaitmon.store.archive import Archive, ArchiveParams, ArchiveReader, volumes
from gaitmon.store.archive_codec import decode_event, encode_event
from gaitmon.store.archive_key import load_or_make_key
from tests.needs import ROOT

KEY = bytes(range(32))


def notification(n: int) -> Notification:
    return Notification(n % 3, 1, 1_000_000 * n, random.Random(n).randbytes(20 + n % 30))


def events_of(folder: Path, start: int = 0) -> list[tuple[int, RawEvent]]:
    return list(ArchiveReader(folder, KEY).events(start))


def fill(folder: Path, count: int, *, first: int = 0, params: ArchiveParams | None = None) -> list[RawEvent]:
    archive = Archive(folder, KEY, params)
    events: list[RawEvent] = [notification(n) for n in range(first, first + count)]
    for event in events:
        archive.append(event)
    archive.close()
    return events


NS = st.integers(0, 2**63 - 1)
SENSOR, LINK = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
ASSIGNED = st.builds(
    AssignedSensor, st.text(), st.sampled_from(Placement), st.text(), st.integers(0, 255),
    st.floats(1.0, 1000.0),
)  # fmt: skip
FITS = st.none() | st.builds(Fit, st.floats(0.5, 2.0), st.floats(0.0, 1.0))
SPATIAL = st.builds(
    lambda m, assumed, speed, n, fits: SpatialParams(
        LegLength(m, assumed), None if fits is None else PersonalCalibration(m, speed, n, *fits)
    ),
    st.floats(0.4, 1.3), st.booleans(), st.floats(0.2, 2.2), st.integers(6, 999),
    st.none() | st.tuples(FITS, FITS),
)  # fmt: skip
EVENTS = st.one_of(
    st.builds(Notification, SENSOR, LINK, NS, st.binary(max_size=512)),
    st.builds(LinkUp, SENSOR, LINK, NS),
    st.builds(Stalled, SENSOR, NS),
    st.builds(LinkDown, SENSOR, LINK, NS, st.text()),
    st.builds(SessionClosed, NS, st.text()),
    st.builds(
        SessionOpened, st.text(), st.text(), st.text(), st.lists(ASSIGNED, max_size=10).map(tuple), NS,
        st.integers(0, 2**53), st.text(), SPATIAL,
    ),
)  # fmt: skip


@given(EVENTS)
def test_every_event_comes_back_as_it_was(event: RawEvent) -> None:
    assert decode_event(encode_event(event)) == event


def test_of_a_session_written_without_a_leg_nothing_is_known() -> None:
    event = SessionOpened("walk-1", "wearer-1", "gw", (), 5, 6, "ntp", SpatialParams(LegLength(0.8)))
    head, body = encode_event(event)[:15], json.loads(encode_event(event)[15:])
    del body["spatial"]
    assert decode_event(head + json.dumps(body).encode()) == replace(event, spatial=SpatialParams())
    body["spatial"] = {"leg": {"length_m": 8.0}}
    with pytest.raises(StoreError, match="cannot be"):
        decode_event(head + json.dumps(body).encode())


@given(st.binary(max_size=64))
def test_a_strange_record_is_an_error_with_a_reason(record: bytes) -> None:
    with suppress(StoreError):
        decode_event(record)


def test_what_is_appended_can_be_read_at_once_and_from_any_number(tmp_path: Path) -> None:
    archive = Archive(tmp_path, KEY, ArchiveParams(volume_bytes=600))
    for n in range(60):
        assert archive.append(notification(n)) == n
        if n % 20 == 7:
            assert events_of(tmp_path, n - 5) == [(k, notification(k)) for k in range(max(n - 5, 0), n + 1)]
    assert archive.next == 60
    archive.close()
    assert {path.suffix for path in volumes(tmp_path)} == {".sealed"}
    assert len(volumes(tmp_path)) > 3
    for start in range(61):
        assert events_of(tmp_path, start) == [(k, notification(k)) for k in range(start, 60)]
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in tmp_path.iterdir())


def test_nothing_of_it_can_be_read_without_the_key(tmp_path: Path) -> None:
    fill(tmp_path / "a", 5)
    archive = Archive(tmp_path / "b", KEY)
    archive.append(SessionOpened("walk-1", "wearer-1", "gw", (), 5, 6, "ntp"))
    for path in (*volumes(tmp_path / "a"), *volumes(tmp_path / "b")):
        data = path.read_bytes()
        assert b"wearer" not in data
        assert notification(1).payload not in data
    archive.close()
    with pytest.raises(StoreError, match="another key"):
        list(ArchiveReader(tmp_path / "a", bytes(32)).events())
    with pytest.raises(StoreError, match="another key"):
        Archive(tmp_path / "a", bytes(32))


def left_open(folder: Path, count: int) -> Path:
    """As a killed writer leaves it: the open file as the kernel has it."""
    writer = Archive(folder / "live", KEY)
    for n in range(count):
        writer.append(notification(n))
    (path,) = volumes(folder / "live")
    copy = folder / "left" / path.name
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    writer.close()
    return copy


def test_cut_at_every_byte(tmp_path: Path) -> None:
    """The whole records are there, the torn one is reported and gone, and writing goes on after it."""
    path = left_open(tmp_path, 6)
    data = path.read_bytes()
    sizes = [2 + len(encode_event(notification(n))) + volume.TAG_BYTES for n in range(6)]
    ends = [len(data) - sum(sizes[n:]) for n in range(7)]
    for cut in range(len(data) + 1):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        (folder / path.name).write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends) - 1
        assert events_of(folder) == [(n, notification(n)) for n in range(whole)]
        archive = Archive(folder, KEY)
        assert bool(archive.recovered) == (cut not in ends and cut > ends[0])
        assert archive.next == max(whole, 0)
        archive.append(notification(77))
        archive.close()
        assert [e for _, e in events_of(folder)] == [notification(n) for n in (*range(whole), 77)]


def test_zeros_after_a_power_cut_are_a_torn_tail(tmp_path: Path) -> None:
    path = left_open(tmp_path, 4)
    with path.open("ab") as file:
        file.write(bytes(5000))
    archive = Archive(path.parent, KEY)
    assert archive.next == 4
    assert "torn" in archive.recovered[0]
    archive.close()


def test_a_damaged_record_is_told_and_costs_only_itself(tmp_path: Path) -> None:
    path = left_open(tmp_path, 6)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    reader = ArchiveReader(path.parent, KEY)
    before = list(reader.events())
    assert len(before) == 5
    assert "damaged" in reader.problems[0]
    archive = Archive(path.parent, KEY)
    assert archive.next == 6
    archive.close()
    assert events_of(path.parent) == before


def test_records_cannot_be_swapped_repeated_or_taken_out(tmp_path: Path) -> None:
    path = left_open(tmp_path, 9)
    data = path.read_bytes()
    size = 2 + volume.TAG_BYTES
    starts, at = [], len(data) - sum(size + len(encode_event(notification(n))) for n in range(9))
    head = at
    for n in range(9):
        starts.append(at)
        at += size + len(encode_event(notification(n)))
    parts = [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
    for order in ([1, 0, 2, 3], [0, 0, 1, 2], [0, 2, 3, 4]):
        path.write_bytes(data[:head] + b"".join(parts[n] for n in order))
        found = dict(events_of(path.parent))
        assert all(event == notification(n) for n, event in found.items())
        assert len(found) < 4


def test_a_header_that_was_changed_opens_nothing(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    (path,) = volumes(tmp_path)
    for at in (16, 40, 50, 60, 75):
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        (tmp_path / "x").mkdir(exist_ok=True)
        (tmp_path / "x" / path.name).write_bytes(data)
        with pytest.raises(StoreError, match="damaged"):
            list(ArchiveReader(tmp_path / "x", KEY).events())


def test_a_missing_file_in_the_middle_is_told(tmp_path: Path) -> None:
    for first in (0, 10, 20):
        fill(tmp_path, 10, first=first)
    volumes(tmp_path)[1].unlink()
    reader = ArchiveReader(tmp_path, KEY)
    assert [n for n, _ in reader.events()] == [*range(10), *range(20, 30)]
    assert reader.problems == ["records 10 to 19 are missing"]


def test_no_two_files_have_the_same_key(tmp_path: Path) -> None:
    """A record torn by a crash is written anew under another key: no nonce serves twice."""
    path = left_open(tmp_path, 1)
    first = path.read_bytes()
    archive = Archive(path.parent, KEY)
    archive.append(notification(0))
    archive.close()
    path.parent.joinpath("x").mkdir()
    path.parent.joinpath("x", path.name).write_bytes(first)
    one, two = volume.read(path.parent / "x" / path.name, KEY), volume.read(volumes(path.parent)[-1], KEY)
    assert one is not None
    assert two is not None
    assert one.header.salt != two.header.salt
    assert two.header.previous == one.header.salt


def test_one_writer_only(tmp_path: Path) -> None:
    archive = Archive(tmp_path, KEY)
    with pytest.raises(StoreError, match="in use"):
        Archive(tmp_path, KEY)
    archive.close()
    Archive(tmp_path, KEY).close()


WRITER = """
import sys
from pathlib import Path
from gaitmon.store.archive import Archive, ArchiveParams
from tests.store.test_archive import KEY, notification
archive = Archive(Path(sys.argv[1]), KEY, ArchiveParams(volume_bytes=20_000))
while True:
    n = archive.append(notification(archive.next))
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
"""


def test_kill_9_at_random_moments_loses_nothing(tmp_path: Path) -> None:
    """Every record whose append returned is there, in order, across eight killed writers."""
    rng = random.Random(5)
    told = -1
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.4))
        process.kill()
        lines = process.stdout.read().split(b"\n")
        process.stdout.close()
        process.wait()
        told = max([told, *(int(line) for line in lines[:-1])])
        found = events_of(tmp_path)
        assert [n for n, _ in found] == list(range(len(found)))
        assert len(found) > told
        assert all(event == notification(n) for n, event in found[-300:])
    assert told > 1000
    assert any(path.suffix == ".sealed" for path in volumes(tmp_path))


def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does: a short write, then none."""
    code = """
import resource, signal, sys
from pathlib import Path
from gaitmon.errors import StoreError
from gaitmon.store.archive import Archive
from tests.store.test_archive import KEY, events_of, notification
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1])
archive = Archive(folder, KEY)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
try:
    while True:
        archive.append(notification(archive.next))
except StoreError as error:
    assert "Free some space" in str(error), error
n = archive.next
assert 20 < n < 200, n
assert [k for k, _ in events_of(folder)] == list(range(n))
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        archive.append(notification(n))
        raise SystemExit("written to a full disk")
    except StoreError as error:
        assert "Free some space" in str(error), error
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert archive.append(notification(n)) == n
archive.close()
assert events_of(folder) == [(k, notification(k)) for k in range(n + 1)]
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=ROOT, timeout=60)


def test_old_files_go_only_when_nobody_needs_them(tmp_path: Path) -> None:
    now = 1e9
    small = ArchiveParams(volume_bytes=500)
    for first in (0, 10):
        archive = Archive(tmp_path, KEY, small, lambda: now)
        for n in range(first, first + 10):
            archive.append(notification(n))
        archive.close()
    late = now + 15 * 86400
    archive = Archive(tmp_path, KEY, small, lambda: late)
    archive.close()
    assert [n for n, _ in events_of(tmp_path)] == list(range(20))
    archive = Archive(tmp_path, KEY, small, lambda: late)
    archive.release(12)
    archive.close()
    left = [n for n, _ in events_of(tmp_path)]
    assert 5 < left[0] <= 12
    assert left == list(range(left[0], 20))


def test_the_quota_warns_before_it_bites(tmp_path: Path) -> None:
    fill(tmp_path, 40, params=ArchiveParams(volume_bytes=700))
    size = sum(path.stat().st_size for path in volumes(tmp_path))
    archive = Archive(tmp_path, KEY, ArchiveParams(volume_bytes=700, quota_bytes=size // 2))
    assert "oldest" in archive.state().warning
    archive.release(30)
    archive.close()
    left = [n for n, _ in events_of(tmp_path)]
    assert 0 < left[0] <= 30
    assert left[-1] == 39
    archive = Archive(tmp_path, KEY, ArchiveParams(quota_bytes=100 * size))
    assert not archive.state().warning
    archive.close()


def test_the_key_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "archive.key"
    key = load_or_make_key(path, archive_exists=False)
    assert len(key) == 32
    assert load_or_make_key(path, archive_exists=True) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_or_make_key(path, archive_exists=True)
    path.unlink()
    with pytest.raises(ConfigError, match="put the file back"):
        load_or_make_key(path, archive_exists=True)
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="damaged"):
        load_or_make_key(path, archive_exists=True)
