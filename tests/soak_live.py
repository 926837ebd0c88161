"""Memory and clocks of the live path over hours of signal: ``python -m tests.soak_live [HOURS]``.

A scripted walk of five minutes again and again, on device clocks that run on: as fast as it can be taken,
through archive, pipeline, outbox and checkpoint.  What is delivered is deleted, as a publisher would.
"""

from __future__ import annotations

import resource
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gaitmon.collector_live import LiveCollector
from gaitmon.sensors.raw import LinkUp, Notification, RawEvent
from gaitmon.simulate import SensorParams, Stand, Turn, Walk, WalkerParams, simulate
from gaitmon.store.archive import Archive
from gaitmon.transport.outbox import Outbox
from tests.sensors import raw_events as raw

KEY = bytes(range(32))
PPM = (10.0, 50.0, -50.0)
SCRIPT = (Stand(10.0), Walk(seconds=60.0), Turn(90.0, 3.0), Walk(seconds=30.0), Stand(197.0))
REPORT_S = 1800.0


def cycle() -> tuple[list[RawEvent], float]:
    """The events of one round, and its seconds."""
    sensors = {
        p: SensorParams(rate_hz=60.0, skew_ppm=ppm) for p, ppm in zip(raw.PLACEMENTS, PPM, strict=True)
    }
    simulated = simulate(SCRIPT, WalkerParams(), sensors, 1)
    # A whole number of sample periods, so that the rounds join.
    return raw.walk_events(simulated, closed=False), 300.0


def rounds(hours: float) -> Iterator[RawEvent]:
    events, seconds = cycle()
    opened, *heard = events
    yield opened
    first_ns = heard[0].monotonic_ns
    for k in range(round(hours * 3600.0 / seconds)):
        for event in heard:
            if event.monotonic_ns - first_ns >= 1e9 * seconds:
                continue
            if isinstance(event, Notification):
                ticks = round(k * seconds * (1e6 + PPM[event.sensor]))
                (stamp,) = struct.unpack_from("<I", event.payload)
                payload = struct.pack("<I", (stamp + ticks) % 2**32) + event.payload[4:]
                at = event.monotonic_ns + round(1e9 * k * seconds)
                yield Notification(event.sensor, 1, at, payload)
            elif k == 0 and isinstance(event, LinkUp):
                yield event


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    with tempfile.TemporaryDirectory() as folder:
        outbox = Outbox(Path(folder) / "outbox.sqlite")
        with LiveCollector(Archive(Path(folder) / "archive", KEY), KEY, outbox, raw.PROFILES) as live:
            next_s = REPORT_S
            for event in rounds(hours):
                live.sink(event)
                at_s = 1e-9 * (event.monotonic_ns - raw.BOOT_NS)
                if at_s < next_s:
                    continue
                next_s += REPORT_S
                live.wait()
                drift = ", ".join(f"{c.drift_ppm:.2f}" for c in live.sensor_counts if c.drift_ppm is not None)
                print(
                    f"{at_s / 3600:.1f} h: {rss_mb():.1f} MB, {live.counts.strides} strides, "
                    f"drift {drift} ppm, archive {live.archive.state().size_bytes / 2**20:.0f} MB",
                    flush=True,
                )
                outbox.delete_through(outbox.uuid, outbox.last_seq)
            print(list(live.sensor_counts))
        outbox.close()


if __name__ == "__main__":
    main()
