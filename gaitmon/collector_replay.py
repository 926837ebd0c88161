"""What an archive holds, and what comes of it: the live run once more, from the same records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gaitmon.collector_run import LiveRun
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.sensors.raw import Notification, RawEvent, SessionClosed, SessionOpened
from gaitmon.sensors.stream import EventStream
from gaitmon.sensors.stream_sensor import SensorCounts
from gaitmon.transport.schema import Message


def replay(events: Iterable[RawEvent], profiles: Mapping[str, FirmwareProfile]) -> Iterator[Message]:
    """What a live run made, or would have made, of these records: the same messages in the same order."""
    run = LiveRun(profiles)
    for event in events:
        yield from run.feed(event)
    yield from run.finish()


def of_session(events: Iterable[RawEvent], session: str) -> Iterator[RawEvent]:
    """The records of one session, all its parts."""
    inside = False
    for event in events:
        if isinstance(event, SessionOpened):
            inside = event.session == session
        if inside:
            yield event


@dataclass(slots=True)
class SessionListing:
    """What may be said of a session without saying anything of its wearer.

    counts: in the order of opened.sensors.  restarts: of the collector within it.
    """

    opened: SessionOpened
    end_ns: int
    records: int = 0
    payload_bytes: int = 0
    restarts: int = 0
    closed: bool = False
    counts: tuple[SensorCounts, ...] = field(default=())

    @property
    def minutes(self) -> float:
        return (self.end_ns - self.opened.monotonic_ns) / 60e9


def listing(events: Iterable[RawEvent], profiles: Mapping[str, FirmwareProfile]) -> list[SessionListing]:
    """Raises ProfileError for a session whose profile is not there."""
    found: list[SessionListing] = []
    stream = EventStream(profiles)
    for event in events:
        now = found[-1] if found else None
        if isinstance(event, SessionOpened):
            if now is not None and not now.closed and now.opened.session == event.session:
                now.restarts += 1
            else:
                now = None
        if now is None:
            if not isinstance(event, SessionOpened):
                continue  # the archive's beginning has expired
            now = SessionListing(event, event.monotonic_ns)
            found.append(now)
        if isinstance(event, SessionClosed):
            now.closed = True
        now.end_ns, now.records = max(now.end_ns, event.monotonic_ns), now.records + 1
        if isinstance(event, Notification):
            now.payload_bytes += len(event.payload)
        else:
            now.counts = stream.counts or now.counts
        stream.push(event)
        if not isinstance(event, Notification):
            now.counts = stream.counts or now.counts
    if found:
        found[-1].counts = stream.counts or found[-1].counts
    return found
