"""Live sensors: archive first, then everything else as a function of it.

    event -> raw archive (with the kernel) -> LiveRun -> messages -> outbox, with the checkpoint

Messages wait up to a second and are committed together, after the archive has been synced, so that the
outbox never knows of an event that a power cut could take from the archive.
"""

from __future__ import annotations

import hashlib
import platform
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Self

from gaitmon.analysis import produced_by
from gaitmon.collector_run import Counts, LiveRun, digest
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.sensors.raw import AssignedSensor, Notification, RawEvent, SessionClosed, SessionOpened, Stalled
from gaitmon.sensors.stream import EventStream
from gaitmon.sensors.stream_sensor import SensorCounts
from gaitmon.store.archive import Archive
from gaitmon.transport.checkpoint import Checkpoints
from gaitmon.transport.outbox import Outbox
from gaitmon.transport.schema import Message

COMMIT_S = 1.0
SNAPSHOT_S = 120.0  # of events are replayed at most after a crash; a snapshot has about 2 MB
IDLE_S = 5.0
# What a snapshot holds objects of: its code is part of what it is valid for.
_STATEFUL = ("imu", "gait", "symmetry", "sensors", "pipeline*", "collector_run*", "model*")


class LiveCollector:
    """One gateway's archive and pipeline.  ``sink`` takes events, in order, from one thread.

    On start it goes on where the process before it stopped, and makes of the archive what that one did not
    get to.  notes: what was found then, for the operator.
    """

    def __init__(
        self,
        archive: Archive,
        archive_key: bytes,
        outbox: Outbox,
        profiles: Mapping[str, FirmwareProfile],
        *,
        snapshot_s: float = SNAPSHOT_S,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """archive_key: its master key.  monotonic_ns: the clock of the events.  Raises StoreError."""
        self.archive = archive
        self.notes = list(archive.recovered)
        self._outbox = outbox
        self._profiles = profiles
        self._checkpoints = Checkpoints(outbox, archive_key, written_for(profiles))
        self._snapshot_s, self._monotonic_ns, self._utc_ns = snapshot_s, monotonic_ns, utc_ns
        self._waiting: list[Message] = []
        self._committed_ns = self._snapshot_ns = self._heard_ns = 0
        self._run = self._resumed()
        self._commit(snapshot=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> Counts:
        return self._run.counts

    @property
    def sensor_counts(self) -> tuple[SensorCounts, ...]:
        """In the order of the session's sensors; empty without a session."""
        return self._run.stream.counts

    @property
    def session(self) -> SessionOpened | None:
        """The open one; after a crash, the one that a restart may go on with."""
        return self._run.stream.session

    def open_session(
        self, wearer: str, gateway: str, sensors: Sequence[AssignedSensor], time_sync: str
    ) -> SessionOpened:
        """Open a session now, or go on with the one that a crash left open, if it is the same people's.

        Whether it really goes on, or the host has booted in between, EventStream tells from the clocks.
        """
        now_us = self._utc_ns() // 1000
        left, name = self.session, f"live-{_stamp(now_us)}-{secrets.token_hex(4)}"
        if left is not None and (left.wearer, left.gateway, left.sensors) == (
            wearer,
            gateway,
            tuple(sensors),
        ):
            name = left.session
        event = SessionOpened(name, wearer, gateway, tuple(sensors), self._monotonic_ns(), now_us, time_sync)
        self.sink(event)
        return event

    def sink(self, event: RawEvent) -> None:
        """Keep the event, then make of it what there is to make.  Raises StoreError on a full disk and
        ProfileError for a session that names no known profile: then the event is neither kept nor used."""
        if isinstance(event, SessionOpened):
            EventStream(self._profiles).push(event)  # raises ProfileError before it is kept
        self.archive.append(event)
        self._waiting += self._run.feed(event)
        now = self._heard_ns = event.monotonic_ns
        if abs(now - self._snapshot_ns) > self._snapshot_s * 1e9:
            self._commit(snapshot=True)
        elif self._waiting and (
            abs(now - self._committed_ns) > COMMIT_S * 1e9 or not isinstance(event, Notification)
        ):
            self._commit(snapshot=False)

    def idle(self) -> None:
        """To be called now and then: with no sensor in reach, time passes all the same, and is kept too."""
        now = self._monotonic_ns()
        if self.session is not None and now - self._heard_ns > IDLE_S * 1e9:
            self.sink(Stalled(0, now))

    def close_session(self, reason: str) -> None:
        if self.session is not None:
            self.sink(SessionClosed(self._monotonic_ns(), reason))

    def close(self) -> None:
        """Commit and seal.  A session that is open stays open: a restart goes on with it."""
        self._commit(snapshot=True)
        self.archive.close()

    # ---- checkpoint ---------------------------------------------------------------------------

    def _resumed(self) -> LiveRun:
        fresh = LiveRun(self._profiles)
        found = self._checkpoints.load()
        if found is None:
            if self.archive.next:
                self.notes.append("the outbox is new: what the raw archive holds is not delivered again")
            return fresh
        if not isinstance(found.state, LiveRun):
            self.notes.append("the checkpoint is of another version or profile: a new segment begins")
            return fresh
        if found.offset > self.archive.next:
            self.notes.append("the raw archive has lost records that were used already: a new segment begins")
            return fresh
        try:
            self._catch_up(found.state, found.snapshot_offset, found.emitted)
        except Exception as error:  # an event that breaks us must not do so at every start
            self.notes.append(f"the raw archive could not be replayed ({error!r}): a new segment begins")
            return fresh
        return found.state

    def _catch_up(self, run: LiveRun, start: int, emitted: int) -> None:
        """The archive from ``start`` on; messages up to number ``emitted`` are in the outbox already."""
        for _, event in self.archive.events(start):
            first = run.emitted + 1
            messages = run.feed(event)
            self._waiting += [m for number, m in enumerate(messages, first) if number > emitted]
            self._heard_ns = event.monotonic_ns

    def _commit(self, *, snapshot: bool) -> None:
        self.archive.sync()
        offset = self.archive.next
        with self._outbox.transaction() as db:
            if self._waiting:
                self._outbox.append(self._waiting)
            if snapshot:
                self._checkpoints.snapshot(db, self._run, offset, self._run.emitted)
            else:
                self._checkpoints.advance(db, offset, self._run.emitted)
        self._waiting = []
        self._committed_ns = self._heard_ns
        if snapshot:
            self._snapshot_ns = self._heard_ns
            self.archive.release(offset)


def written_for(profiles: Mapping[str, FirmwareProfile]) -> str:
    """What a snapshot is valid for: version and parameters, the code itself, profiles, Python, numpy, vqf."""
    here = Path(__file__).parent
    code = hashlib.sha256()
    for name in _STATEFUL:
        for path in sorted(
            (here / name).rglob("*.py") if (here / name).is_dir() else here.glob(name + ".py")
        ):
            code.update(path.read_bytes())
    parts = (produced_by(), code.hexdigest()[:16], digest(profiles[name] for name in sorted(profiles)))
    return " ".join([*parts, platform.python_version(), version("numpy"), version("vqf")])


def _stamp(utc_us: int) -> str:
    return f"{datetime.fromtimestamp(utc_us // 1_000_000, UTC):%Y%m%dT%H%M%SZ}"
