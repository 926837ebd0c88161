"""From samples, and from raw events, to the messages that go into the outbox: functions with a state.

    SegmentRun  one segment: ImuBlock | Gap | SyncBound -> GaitPipeline -> messages
    LiveRun     any number of sessions: RawEvent -> EventStream -> SegmentRun -> messages

No I/O and no clock, so that a replay of the archive gives what the live run gave, byte for byte; and
everything in them can be pickled, which is what a checkpoint is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gaitmon.analysis_provenance import produced_by
from gaitmon.model import Gap, ImuBlock, Notice, Placement, Result, Stride, SyncBound, WalkingBout
from gaitmon.model_leg import SpatialParams
from gaitmon.pipeline import GaitPipeline, PipelineParams
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.sensors.raw import RawEvent, SessionOpened
from gaitmon.sensors.stream import EventStream, SegmentBegan, SegmentEnded, StreamItem
from gaitmon.sensors.stream_sensor import Loss
from gaitmon.store.series import SegmentRow
from gaitmon.transport.messages import message_of, segment_message
from gaitmon.transport.schema import Message

TIME_SYNC = ("ntp", "simulated")  # what a session may say of its UTC; anything else is unsynchronised
MAX_PRODUCED_BY = 100  # of the message schema


@dataclass(frozen=True, slots=True)
class Counts:
    """What was found so far.  played_s: how much of the walk has been looked at, since its first sample."""

    played_s: float = 0.0
    strides: int = 0
    bouts: int = 0

    def plus(self, other: Counts) -> Counts:
        return Counts(self.played_s + other.played_s, self.strides + other.strides, self.bouts + other.bouts)


class SegmentRun:
    """One segment through the pipeline.  Stateful."""

    def __init__(
        self, segment: SegmentRow, placements: Iterable[Placement], spatial: SpatialParams | None = None
    ) -> None:
        """spatial: the wearer's leg and calibration, where they are known."""
        self.segment = segment
        self.counts = Counts()
        params = PipelineParams(spatial=spatial or SpatialParams())
        self._pipeline = GaitPipeline((p for p in placements if not p.is_reference), params)
        self._start_s: float | None = None

    def begin(self, notices: Sequence[Notice] = ()) -> list[Message]:
        """notices: what a reader must know before the first sample."""
        return [segment_message(self.segment), *self._messages(notices)]

    def push(self, item: ImuBlock | Gap | SyncBound) -> list[Message]:
        if not isinstance(item, SyncBound):
            start_s, end_s = (
                (item.start_s, item.end_s)
                if isinstance(item, Gap)
                else (float(item.t_s[0]), float(item.t_s[-1]))
            )
            if self._start_s is None:
                self._start_s = start_s
            played_s = max(self.counts.played_s, end_s - self._start_s)
            self.counts = replace(self.counts, played_s=played_s)
        return self._messages(self._pipeline.push(item))

    def finish(self) -> list[Message]:
        return self._messages(self._pipeline.flush())

    def _messages(self, results: Sequence[Result]) -> list[Message]:
        self.counts = replace(
            self.counts,
            strides=self.counts.strides + sum(isinstance(r, Stride) for r in results),
            bouts=self.counts.bouts + sum(isinstance(r, WalkingBout) for r in results),
        )
        return [m for r in results if (m := message_of(r, self.segment)) is not None]


class LiveRun:
    """Everything that is made of raw events.  Stateful, deterministic, can be pickled.

    emitted: messages given so far, since it was made: the number of each is the same in every replay.
    """

    def __init__(self, profiles: Mapping[str, FirmwareProfile]) -> None:
        self.stream = EventStream(profiles)
        self.emitted = 0
        self._profiles = profiles
        self._segment: SegmentRun | None = None
        self._before = Counts()  # of the segments that are finished

    @property
    def counts(self) -> Counts:
        return self._before if self._segment is None else self._before.plus(self._segment.counts)

    @property
    def segment(self) -> SegmentRow | None:
        """The open one."""
        return None if self._segment is None else self._segment.segment

    def feed(self, event: RawEvent) -> list[Message]:
        """Raises ProfileError for a session with a profile that is not there."""
        return self._made(self.stream.push(event))

    def finish(self) -> list[Message]:
        """There will be no more events: the open session ends."""
        return self._made(self.stream.flush())

    def _made(self, items: list[StreamItem]) -> list[Message]:
        out: list[Message] = []
        for item in items:
            match item:
                case SegmentBegan():
                    placements = [sensor.placement for sensor in item.session.sensors]
                    self._segment = SegmentRun(self._row(item), placements, item.session.spatial)
                    out += self._segment.begin()
                case SegmentEnded():
                    out += self._end()
                case Loss():  # counted by the stream; the samples around it tell the pipeline
                    pass
                case _ if self._segment is not None:
                    out += self._segment.push(item)
        self.emitted += len(out)
        return out

    def _end(self) -> list[Message]:
        run, self._segment = self._segment, None
        if run is None:
            return []
        out = run.finish()
        self._before = self._before.plus(run.counts)
        return out

    def _row(self, began: SegmentBegan) -> SegmentRow:
        session = began.session
        return SegmentRow(
            wearer=session.wearer,
            segment=began.segment,
            revision=1,
            anchor_utc_us=began.anchor_utc_us,
            time_sync=session.time_sync if session.time_sync in TIME_SYNC else "unsynchronised",
            origin="live",
            simulated=session.time_sync == "simulated",
            gateway=session.gateway,
            produced_by=produced_from(session, self._profiles),
        )


def produced_from(session: SessionOpened, profiles: Mapping[str, FirmwareProfile]) -> str:
    """Version, parameters and the session's profiles, the latter by name and content."""
    made = produced_by(PipelineParams(spatial=session.spatial))
    names = sorted({sensor.profile for sensor in session.sensors})
    by = f"{made} profiles {','.join(names)}@{digest([profiles[name] for name in names])}"
    return by if len(by) <= MAX_PRODUCED_BY else f"{made} profiles @{by[-12:]}"


def digest(profiles: Iterable[FirmwareProfile]) -> str:
    """12 hex digits of what the profiles say."""
    return hashlib.sha256("".join(p.model_dump_json() for p in profiles).encode()).hexdigest()[:12]
