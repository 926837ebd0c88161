"""Live sensors: archive first, then everything else as a function of it.

    event -> raw archive (with the kernel) | queue -> LiveRun -> messages -> outbox, with the checkpoint
             the caller's thread           | a thread of its own

Messages wait up to a second and are committed together, after the archive has been synced, so that the
outbox never knows of an event that a power cut could take from the archive.
"""

from __future__ import annotations

import platform
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from queue import Queue
from threading import Thread
from typing import Self

from gaitmon.analysis_provenance import code_digest, produced_by
from gaitmon.collector_run import Counts, LiveRun, digest
from gaitmon.config import Settings
from gaitmon.model_leg import SpatialParams
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.sensors.raw import AssignedSensor, Notification, RawEvent, SessionClosed, SessionOpened
from gaitmon.sensors.stream import EventStream
from gaitmon.sensors.stream_sensor import SensorCounts
from gaitmon.store.archive import Archive, ArchiveParams, volumes
from gaitmon.store.archive_key import load_or_make_key
from gaitmon.transport.checkpoint import Checkpoints
from gaitmon.transport.outbox import Outbox
from gaitmon.transport.schema import Message

COMMIT_S = 1.0
SNAPSHOT_S = 120.0  # of events are replayed at most after a crash; a snapshot has about 2 MB
QUEUE = 100_000  # events: nine minutes of three sensors, 20 MB
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
        self._used = archive.next  # records that have been made into messages
        self._run = self._resumed()
        self._session = self._run.stream.session
        self._commit(snapshot=True)
        self._queue: Queue[tuple[int, RawEvent] | None] = Queue(QUEUE)
        self._failure: Exception | None = None
        self._worker = Thread(target=self._work, name="pipeline", daemon=True)
        self._worker.start()

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
    def behind(self) -> int:
        """Events that are kept and not yet used."""
        return self._queue.qsize()

    @property
    def session(self) -> SessionOpened | None:
        """The open one; after a crash, the one that a restart may go on with."""
        return self._session

    def open_session(
        self,
        wearer: str,
        gateway: str,
        sensors: Sequence[AssignedSensor],
        time_sync: str,
        spatial: SpatialParams | None = None,
    ) -> SessionOpened:
        """Open a session now, or go on with the one that a crash left open, if it is the same people's.

        spatial: the wearer's leg and calibration, where they are known.
        Whether it really goes on, or the host has booted in between, EventStream tells from the clocks.
        """
        now_us, worn, leg = self._utc_ns() // 1000, tuple(sensors), spatial or SpatialParams()
        left, name = self.session, f"live-{_stamp(now_us)}-{secrets.token_hex(4)}"
        of = (wearer, gateway, worn, leg)
        if left is not None and (left.wearer, left.gateway, left.sensors, left.spatial) == of:
            name = left.session
        event = SessionOpened(name, wearer, gateway, worn, self._monotonic_ns(), now_us, time_sync, leg)
        self.sink(event)
        return event

    def close_session(self, reason: str) -> None:
        if self.session is not None:
            self.sink(SessionClosed(self._monotonic_ns(), reason))

    def sink(self, event: RawEvent) -> None:
        """Keep the event; what there is to make of it is made by another thread, in order.

        Raises StoreError on a full disk, and ProfileError or ConfigError for a session that cannot be
        decoded: then the event is not kept.  Also raises what using an earlier event has raised.  Waits while
        QUEUE events are still to be used.
        """
        if self._failure is not None:
            raise self._failure
        if isinstance(event, SessionOpened):
            EventStream(self._profiles).push(event)  # raises before it is kept
        self._queue.put((self.archive.append(event), event))
        if isinstance(event, SessionOpened | SessionClosed):
            self._session = event if isinstance(event, SessionOpened) else None

    def wait(self) -> None:
        """Until every event has been used and what came of it committed.  Raises what using them raised."""
        self._queue.join()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Use what is left, commit and seal.  An open session stays open: a restart goes on with it."""
        self._queue.put(None)
        self._worker.join()
        try:
            if self._failure is not None:
                raise self._failure
            self._commit(snapshot=True)
        finally:
            self.archive.close()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if self._failure is None:
                    self._use(*item)
            except Exception as error:  # told to whoever brings the next event
                self._failure = error
            finally:
                self._queue.task_done()
        self._queue.task_done()

    def _use(self, number: int, event: RawEvent) -> None:
        self._waiting += self._run.feed(event)
        self._used = number + 1
        now = self._heard_ns = event.monotonic_ns
        if abs(now - self._snapshot_ns) > self._snapshot_s * 1e9:
            self._commit(snapshot=True)
        elif self._waiting and (
            abs(now - self._committed_ns) > COMMIT_S * 1e9 or not isinstance(event, Notification)
        ):
            self._commit(snapshot=False)

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
        offset = self._used
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


def open_live(
    settings: Settings,
    outbox: Outbox,
    profiles: Mapping[str, FirmwareProfile],
    params: ArchiveParams | None = None,
    *,
    monotonic_ns: Callable[[], int] = time.monotonic_ns,
) -> LiveCollector:
    """For the settings' gateway, its archive and key in the home.  monotonic_ns: the clock of the events.

    Raises StoreError and ConfigError.
    """
    settings.prepare_home()
    folder = settings.archive_path(settings.gateway)
    exists = folder.is_dir() and bool(volumes(folder))
    key = load_or_make_key(settings.archive_key_path, archive_exists=exists)
    archive = Archive(folder, key, params)
    return LiveCollector(archive, key, outbox, profiles, monotonic_ns=monotonic_ns)


def written_for(profiles: Mapping[str, FirmwareProfile]) -> str:
    """What a snapshot is valid for: version and parameters, the code itself, profiles, Python, numpy, vqf."""
    parts = (produced_by(), code_digest(*_STATEFUL), digest(profiles[name] for name in sorted(profiles)))
    return " ".join([*parts, platform.python_version(), version("numpy"), version("vqf")])


def _stamp(utc_us: int) -> str:
    return f"{datetime.fromtimestamp(utc_us // 1_000_000, UTC):%Y%m%dT%H%M%SZ}"
