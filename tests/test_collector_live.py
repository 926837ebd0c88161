"""Live = replay, byte for byte: collectors that are killed, restarted, upgraded; one archive, one outbox."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import pytest

from gaitmon.collector_live import LiveCollector
from gaitmon.collector_replay import replay
from gaitmon.collector_run import LiveRun
from gaitmon.errors import ConfigError, ProfileError, StoreError
from gaitmon.model import Placement
from gaitmon.sensors.raw import AssignedSensor, RawEvent, SessionClosed, Stalled
from gaitmon.simulate import RadioParams, SensorParams, Stand, Turn, Walk, WalkerParams, simulate
from gaitmon.store.archive import Archive, ArchiveReader
from gaitmon.transport.messages import encode
from gaitmon.transport.outbox import Outbox
from tests.live_process import KEY, SMALL, collector
from tests.needs import ROOT
from tests.sensors import raw_events as raw

RADIO = RadioParams(latency_s=0.002, jitter_s=0.004, connection_interval_s=0.015, loss_fraction=0.002)


@cache
def walk() -> list[RawEvent]:
    """Two bouts with a turn, a pause, lost packets, and one thigh out of range for a while."""
    sensors = {
        p: SensorParams(rate_hz=60.0, skew_ppm=ppm, offset_s=17.0 * (n + 1), radio=RADIO)
        for n, (p, ppm) in enumerate(zip(raw.PLACEMENTS, (10.0, 50.0, -50.0), strict=True))
    }
    script = (Stand(5.0), Walk(seconds=20.0), Turn(90.0, 2.5), Walk(seconds=8.0), Stand(7.0))
    simulated = simulate((*script, Walk(seconds=14.0), Stand(4.0)), WalkerParams(), sensors, 7)
    events = raw.walk_events(simulated)
    return [events[0], *raw.away(events[1:], 1, 47.0, 50.0)]


def payloads(events: Sequence[RawEvent]) -> list[bytes]:
    return [encode(message) for message in replay(events, raw.PROFILES)]


def stored(outbox: Outbox) -> list[bytes]:
    return [pending.payload for pending in outbox.pending(limit=100_000)]


def archived(folder: Path) -> list[RawEvent]:
    return [event for _, event in ArchiveReader(folder / "archive", KEY).events()]


def test_there_is_something_to_lose() -> None:
    run = LiveRun(raw.PROFILES)
    kinds = [m.kind for event in walk() for m in run.feed(event)]
    assert kinds.count("segment") == 1
    assert kinds.count("stride") > 50
    assert kinds.count("bout") == 2


def test_a_pickled_run_goes_on_as_if_nothing_had_been() -> None:
    """Bit for bit, at 25 random moments: the pipeline's, the clocks' and the orientation filter's state."""
    events = walk()
    rng = random.Random(3)
    cuts = sorted(rng.sample(range(1, len(events)), 25))
    run, found = LiveRun(raw.PROFILES), []
    for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True):
        found += [encode(m) for event in events[a:b] for m in run.feed(event)]
        run = pickle.loads(pickle.dumps(run))
    assert found == payloads(events)


def test_killed_at_random_moments_each_stride_is_there_once(tmp_path: Path) -> None:
    """kill -9 of a real process on a real archive and outbox: the outbox is as after one run."""
    source = Archive(tmp_path / "source", KEY)
    for event in walk():
        source.append(event)
    source.close()
    rng = random.Random(11)
    kills, done = 0, False
    while not done:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.live_process", str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        if kills < 4:
            time.sleep(rng.uniform(0.0, 0.5))
            process.kill()
            kills += 1
        done = process.stdout.read() == b"done\n"

        process.stdout.close()
        process.wait()
    assert archived(tmp_path) == walk()
    with Closing(tmp_path) as outbox:
        assert stored(outbox) == payloads(walk())


class Closing:
    """The outbox of a folder, closed after use."""

    def __init__(self, folder: Path) -> None:
        self._outbox = Outbox(folder / "outbox.sqlite")

    def __enter__(self) -> Outbox:
        return self._outbox

    def __exit__(self, *_: object) -> None:
        self._outbox.close()


def test_a_restart_goes_on_with_the_session_and_the_segment(tmp_path: Path) -> None:
    """Nine seconds away on the same boot: one segment, its downtime a gap of every sensor, ordinals go on."""
    events = walk()
    sensors = events[0].sensors  # type: ignore[union-attr]
    before = [e for e in events[1:] if e.monotonic_ns < raw.ns(18.0)]
    after = [e for e in events[1:] if e.monotonic_ns >= raw.ns(27.0) and not isinstance(e, SessionClosed)]
    for at_s, part in ((0.0, before), (26.5, after)):
        archive, outbox = Archive(tmp_path / "archive", KEY, SMALL), Outbox(tmp_path / "outbox.sqlite")
        live = LiveCollector(
            archive,
            KEY,
            outbox,
            raw.PROFILES,
            monotonic_ns=partial(raw.ns, at_s),
            utc_ns=partial(int, 1000 * raw.UTC_US + round(1e9 * at_s)),
        )
        opened = live.open_session("wearer-1", "gw-1", sensors, "ntp")
        for event in part:
            live.sink(event)
        assert live.session is not None
        assert live.session.session == opened.session
        if part is after:
            live.sink(SessionClosed(raw.ns(95.0), "stopped"))
        live.wait()
        counts = live.sensor_counts
        live.close()
        outbox.close()
        if part is before:
            assert [c.gaps for c in counts] == [0, 0, 0]
    events_kept = archived(tmp_path)
    found = payloads(events_kept)
    with Closing(tmp_path) as outbox:
        assert stored(outbox) == found
    assert sum(b'"kind":"segment"' in p for p in found) == 1
    gaps = [p for p in found if b'"notice":"gap"' in p and b"no samples for" in p]
    assert sum(any(f" {s:.1f} s".encode() in p for s in (9.0, 9.1)) for p in gaps) == 3


def test_another_wearer_or_version_begins_a_new_segment(tmp_path: Path) -> None:
    events = walk()[:3000]
    with collector(tmp_path) as live:
        for event in events:
            live.sink(event)
    archive, outbox = Archive(tmp_path / "archive", KEY), Outbox(tmp_path / "outbox.sqlite")
    fewer = {name: raw.PROFILES[name] for name in ("movella-dot",)}
    other = {**fewer, "movella-dot": raw.DOT.model_copy(update={"title": "another"})}
    changed = LiveCollector(archive, KEY, outbox, other)
    assert "new segment" in changed.notes[0]
    assert changed.session is None
    first = changed.open_session("wearer-1", "gw-1", [raw.dot(Placement.PELVIS)], "ntp")
    second = changed.open_session("wearer-2", "gw-1", [raw.dot(Placement.PELVIS)], "ntp")
    again = changed.open_session("wearer-2", "gw-1", [raw.dot(Placement.PELVIS)], "ntp")
    assert len({events[0].session, first.session, second.session}) == 3  # type: ignore[union-attr]
    assert again.session == second.session
    changed.close()
    segments = [p for p in stored(outbox) if b'"kind":"segment"' in p]
    assert len(segments) == 3
    outbox.close()


def test_a_session_without_its_profile_is_refused_before_it_is_kept(tmp_path: Path) -> None:
    with collector(tmp_path) as live:
        with pytest.raises(ProfileError):
            live.open_session(
                "wearer-1", "gw-1", [AssignedSensor("s", Placement.PELVIS, "nobody", 1, 60.0)], "ntp"
            )
        with pytest.raises(ConfigError):
            live.open_session("wearer-1", "gw-1", [raw.dot(Placement.PELVIS)] * 2, "ntp")
        assert live.archive.next == 0


def test_time_passes_with_no_sensor_in_reach(tmp_path: Path) -> None:
    """The walk is closed, and committed, though no sensor says anything more."""
    with collector(tmp_path) as live, Closing(tmp_path) as outbox:
        for event in walk():
            if event.monotonic_ns < raw.ns(20.0):
                live.sink(event)
        live.wait()
        assert live.counts.bouts == 0
        for at_s in range(20, 50):
            live.sink(Stalled(0, raw.ns(float(at_s))))
        live.wait()
        assert live.counts.bouts == 1
        assert any(b'"kind":"bout"' in p for p in stored(outbox))


def test_a_failure_is_told_to_whoever_brings_the_next_event(tmp_path: Path) -> None:
    """The outbox refuses; nothing of what is kept is used twice or lost by the next start."""
    events = walk()
    live = collector(tmp_path)
    live._outbox.close()

    def walk_on() -> None:
        for event in events[:6000]:
            live.sink(event)
        live.wait()

    with pytest.raises(StoreError):
        walk_on()
    with pytest.raises(StoreError):
        live.close()
    kept = archived(tmp_path)
    with collector(tmp_path) as again, Closing(tmp_path) as outbox:
        for event in events[len(kept) :]:
            again.sink(event)
        again.wait()
        assert stored(outbox) == payloads(events)


def test_an_event_that_breaks_us_does_so_once(tmp_path: Path) -> None:
    """A checkpoint behind which the archive holds what cannot be used: noted, and a new segment begins."""
    with collector(tmp_path) as live:
        for event in walk()[:2000]:
            live.sink(event)
    archive = Archive(tmp_path / "archive", KEY)
    archive.append(raw.opened([AssignedSensor("s", Placement.PELVIS, "nobody", 1, 60.0)], session="odd"))
    archive.close()
    again = collector(tmp_path)
    assert "could not be replayed" in again.notes[0]
    again.open_session("wearer-1", "gw-1", [raw.dot(Placement.PELVIS)], "ntp")
    again.close()


def test_an_archive_that_went_back_in_time_is_noticed(tmp_path: Path) -> None:
    with collector(tmp_path) as live:
        for event in walk()[:2000]:
            live.sink(event)
    for path in (tmp_path / "archive").glob("*.sealed"):
        path.unlink()
    again = collector(tmp_path)
    assert "lost records" in again.notes[0]
    again.close()
