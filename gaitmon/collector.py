"""The gateway's half, put together on one screen: source -> pipeline -> outbox -> MQTT.

Recordings come here; live sensors go through the raw archive first (collector_live.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from gaitmon.analysis_provenance import produced_by
from gaitmon.collector_run import Counts, SegmentRun
from gaitmon.config import Settings, broker_of
from gaitmon.errors import BrokerError
from gaitmon.model import Gap, ImuBlock, Notice, Placement, SyncBound
from gaitmon.model_leg import SpatialParams
from gaitmon.pipeline import PipelineParams
from gaitmon.sensors.inspection import inspect
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.replay import replay
from gaitmon.store.series import SegmentRow
from gaitmon.transport.connection import MqttSettings
from gaitmon.transport.mqtt import Publisher
from gaitmon.transport.outbox import Outbox

Source = AsyncIterator[ImuBlock | Gap]


class SegmentCollector:
    """One segment through the pipeline into the outbox.  Results of one push are one transaction."""

    def __init__(
        self,
        segment: SegmentRow,
        placements: Iterable[Placement],
        outbox: Outbox,
        notices: Sequence[Notice],
        *,
        bound: SyncBound | None = None,
        spatial: SpatialParams | None = None,
    ) -> None:
        """placements: every sensor there is.  notices: what a reader must know before the first sample.
        bound: how far the thighs' clocks are apart; the notices tell of it.  spatial: as for segment_of."""
        self._run = SegmentRun(segment, placements, spatial)
        self._outbox = outbox
        outbox.append(self._run.begin(notices))
        if bound is not None:
            self._run.push(bound)

    @property
    def counts(self) -> Counts:
        return self._run.counts

    def push(self, item: ImuBlock | Gap) -> None:
        if messages := self._run.push(item):
            self._outbox.append(messages)

    def finish(self) -> Counts:
        if messages := self._run.finish():
            self._outbox.append(messages)
        return self.counts


def segment_of(
    recording: Recording,
    wearer: str,
    gateway: str,
    *,
    origin: str,
    start_utc_us: int | None = None,
    spatial: SpatialParams | None = None,
) -> SegmentRow:
    """The segment that this recording is: the same for the same samples, so that playing it twice is one.

    start_utc_us: UTC of the recording's first sample where the file does not say.  spatial: the wearer's leg
    and calibration, where they are known.
    """
    anchor = recording.start_utc_us
    if anchor is None:
        begin = time.time_ns() // 1000 if start_utc_us is None else start_utc_us
        anchor = begin - round(recording.start_s * 1e6)
    sync = "unsynchronised" if recording.start_utc_us is None else "file"
    if recording.simulated:
        sync = "simulated"
    return SegmentRow(
        wearer=wearer,
        segment=f"rec-{recording.content_id[:24]}",
        revision=1,
        anchor_utc_us=anchor,
        time_sync=sync,
        origin=origin,
        simulated=recording.simulated,
        gateway=gateway,
        produced_by=produced_by(PipelineParams(spatial=spatial or SpatialParams())),
    )


async def collect(source: Source, collector: SegmentCollector, tell: Callable[[Counts], None]) -> Counts:
    """Everything the source gives, then the end of the segment; what was begun is always finished."""
    try:
        async for item in source:
            collector.push(item)
            tell(collector.counts)
    except asyncio.CancelledError:
        collector.finish()
        raise
    counts = collector.finish()
    tell(counts)
    return counts


class Gateway:
    """Outbox and publisher of one gateway id.  Use as a context manager."""

    def __init__(self, settings: Settings, mqtt: MqttSettings, gateway: str) -> None:
        settings.prepare_home()
        self.id = gateway
        self.outbox = Outbox(settings.outbox_path(gateway))
        self.publisher = Publisher(mqtt, self.outbox, gateway)

    def __enter__(self) -> Gateway:
        self.publisher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.publisher.stop()
        self.outbox.close()


def replay_recording(
    settings: Settings, recording: Recording, wearer: str, speed: float, spatial: SpatialParams
) -> Counts:
    """Play a recording through the pipeline and deliver it.  Raises RecordingError for a recording
    that cannot be played, BrokerError when it cannot be delivered."""
    found = inspect(recording)
    segment = segment_of(found.recording, wearer, settings.gateway, origin="import", spatial=spatial)
    with Gateway(settings, broker_of(settings), settings.gateway) as gateway:
        collector = SegmentCollector(
            segment,
            found.recording.streams,
            gateway.outbox,
            found.notices,
            bound=found.bound,
            spatial=spatial,
        )
        counts = asyncio.run(collect(replay(found.recording, speed=speed), collector, lambda _: None))
        if not gateway.publisher.drain(60.0):
            raise BrokerError(
                f"The results wait in {gateway.outbox.path}: {gateway.publisher.progress.problem}",
                "They are delivered by the next gaitmon collect.",
            )
    return counts
