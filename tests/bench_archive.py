"""CPU of the raw archive and of the whole live path: ``python -m tests.bench_archive``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from gaitmon.collector_live import LiveCollector
from gaitmon.collector_run import LiveRun
from gaitmon.sensors.raw import LinkUp, Notification, RawEvent, Stalled
from gaitmon.simulate import SensorParams, Stand, Walk, WalkerParams, simulate
from gaitmon.store.archive import Archive, volumes
from gaitmon.transport.outbox import Outbox
from tests.sensors import raw_events as raw

KEY = bytes(range(32))
SENSORS, RATE_HZ = 10, 60.0


def append_us(count: int = 200_000) -> tuple[float, float]:
    """CPU of this process for one record, in µs, all threads, and bytes on disk for each when sealed."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder), KEY)
        events = [event for event in walk_events() if isinstance(event, Notification)]
        begun = time.process_time()
        for k in range(count):
            archive.append(events[k % len(events)])
        archive.close()
        used = time.process_time() - begun
        size = sum(path.stat().st_size for path in volumes(Path(folder)))
    return 1e6 * used / count, size / count


def walk_events(seconds: float = 120.0) -> list[RawEvent]:
    sensors = {
        p: SensorParams(rate_hz=RATE_HZ, skew_ppm=ppm)
        for p, ppm in zip(raw.PLACEMENTS, (10.0, 50.0, -50.0), strict=True)
    }
    simulated = simulate((Stand(5.0), Walk(seconds=seconds), Stand(5.0)), WalkerParams(), sensors, 1)
    return raw.walk_events(simulated, closed=False)


def share_of_core(events: Sequence[RawEvent], *, archived: bool) -> float:
    """CPU seconds for one second of three sensors, as percent of a core."""
    seconds = 1e-9 * (events[-1].monotonic_ns - events[0].monotonic_ns)
    begun = time.process_time()
    if archived:
        with tempfile.TemporaryDirectory() as folder:
            archive, outbox = Archive(Path(folder) / "a", KEY), Outbox(Path(folder) / "o")
            live = LiveCollector(archive, KEY, outbox, raw.PROFILES)
            begun = time.process_time()
            for event in events:
                live.sink(event)
            live.wait()
            used = time.process_time() - begun
            live.close()
            outbox.close()
        return 100 * used / seconds
    run = LiveRun(raw.PROFILES)
    for event in events:
        run.feed(event)
    return 100 * (time.process_time() - begun) / seconds


def downtime_s(hours: float) -> float:
    """CPU for the silence of all sensors over this time, taken in at once."""
    events = walk_events(20.0)
    run = LiveRun(raw.PROFILES)
    for event in events:
        run.feed(event)
    begun = time.process_time()
    run.feed(Stalled(0, events[-1].monotonic_ns + round(3.6e12 * hours)))
    return time.process_time() - begun


if __name__ == "__main__":
    us, size = min(append_us() for _ in range(3))
    share = 100 * us * 1e-6 * SENSORS * RATE_HZ
    print(
        f"append: {us:.1f} CPU us, {size:.0f} bytes on disk; "
        f"{SENSORS} x {RATE_HZ:.0f}/s: {share:.2f} % of a core"
    )
    walked = walk_events()
    n = sum(isinstance(e, Notification | LinkUp) for e in walked)
    for name, archived in (("decode and pipeline", False), ("with archive, outbox, checkpoint", True)):
        share = min(share_of_core(walked, archived=archived) for _ in range(3))
        print(f"three sensors, walking, {name}: {share:.2f} % of a core ({n} packets)")
    print(f"10 h of downtime taken in at once: {downtime_s(10.0):.1f} CPU s")
