"""Memory and clocks of a gateway over hours: ``python -m tests.soak [HOURS] [SPEED]``.

Three virtual DOTs on a person who stands, walks and sits again and again; bleak's API, GATT, raw archive,
decoder, pipeline with checkpoint, outbox.  What is delivered is deleted, as a publisher would.  SPEED: inf
(as fast as it can be taken, the default), 20, or 1 for real time.  Exit status 1 when memory grows by more
than 5 % after the first hour, a clock's rate wanders by more than 2 ppm, or anything is lost.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

from gaitmon.collector_live import LiveCollector
from gaitmon.collector_sensors import Radio, Worn, gather
from gaitmon.sensors.ble.assignment import Assignment
from gaitmon.sensors.profile import load_profiles, profiles_folder
from gaitmon.sensors.raw import AssignedSensor
from gaitmon.simulate import Sit, Stand, Turn, Walk, WalkerParams, simulate
from gaitmon.store.archive import Archive
from gaitmon.transport.outbox import Outbox
from gaitmon.virtual import ClockModel, LinkModel, VirtualRadio, warped_loop
from gaitmon.virtual.people import PLACEMENTS, motions_of
from tests.sensors.ble.bed import now_ns, now_s, spec_of

KEY = bytes(range(32))
LINK = LinkModel(interval_s=0.03, pdu_error=0.01)
SKEW_PPM = (10.0, 50.0, -50.0)
SCRIPT = (Stand(10.0), Walk(seconds=60.0), Turn(90.0, 3.0), Walk(seconds=60.0), Stand(20.0), Sit(147.0))
ROUND_S = 300.0
GROWTH, WANDER_PPM = 1.05, 2.0
WARM_S = 3600.0  # caches fill, checkpoints begin, clocks settle


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Watch:
    """Looks at the collector every so often."""

    def __init__(self, live: LiveCollector, outbox: Outbox) -> None:
        self._live, self._outbox = live, outbox
        self.at_s: list[float] = []
        self.rss: list[float] = []
        self.drift: list[list[float]] = []

    def look(self, at_s: float) -> None:
        self._live.wait()
        self._outbox.delete_through(self._outbox.uuid, self._outbox.last_seq)
        counts = self._live.sensor_counts
        self.at_s.append(at_s)
        self.rss.append(rss_mb())
        self.drift.append([c.drift_ppm for c in counts if c.drift_ppm is not None])
        print(
            f"{at_s / 3600:5.2f} h: {self.rss[-1]:6.1f} MB, {self._live.counts.strides} strides, drift "
            f"{', '.join(f'{d:.2f}' for d in self.drift[-1])} ppm, lost {sum(c.lost for c in counts)}, gaps "
            f"{sum(c.gaps for c in counts)}, archive {self._live.archive.state().size_bytes / 2**20:.0f} MB",
            flush=True,
        )

    def verdict(self) -> int:
        warm = sum(t < min(WARM_S, self.at_s[-1] / 2.0) for t in self.at_s)
        grown = max(self.rss[warm:]) / self.rss[warm]
        late = [d for d in self.drift[warm:] if len(d) == len(SKEW_PPM)]
        wander = max((max(x) - min(x) for x in zip(*late, strict=True)), default=0.0)
        broken = sum(c.lost for c in self._live.sensor_counts)
        print(f"memory x {grown:.3f} (bar {GROWTH}), rates within {wander:.2f} ppm (bar {WANDER_PPM})")
        return int(grown > GROWTH or wander > WANDER_PPM or broken > 0)


async def soak(live: LiveCollector, outbox: Outbox, hours: float) -> int:
    motions = motions_of(simulate(SCRIPT, WalkerParams(), seed=1), every_s=ROUND_S)
    dot = load_profiles(profiles_folder())["movella-dot"]
    async with VirtualRadio(seed=1) as radio:
        hub = await radio.adapter(slots=5)
        sensors = [
            await radio.sensor(
                dot,
                motions[p],
                clock=ClockModel(skew_ppm=ppm),
                link=LinkModel(interval_s=0.03, pdu_error=0.01),
            )
            for p, ppm in zip(PLACEMENTS, SKEW_PPM, strict=True)
        ]
        assignments = [
            Assignment(AssignedSensor(f"s-{p.value}", p, dot.name, dot.default_mode, 60.0), dot, s.address)
            for p, s in zip(PLACEMENTS, sensors, strict=True)
        ]
        task = asyncio.create_task(
            gather(live, Worn("anna", "g-1", assignments), Radio([spec_of(hub)], now_ns, "simulated"))
        )
        await asyncio.sleep(10.0)
        begin_s = radio.play()
        watch = Watch(live, outbox)
        while now_s() < begin_s + 3600.0 * hours:
            await asyncio.sleep(min(600.0, 360.0 * hours / 2))
            if task.done():
                task.result()
            watch.look(now_s() - begin_s)
        verdict = watch.verdict()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return verdict


def run(work: Coroutine[object, object, int], speed: float) -> int:
    with asyncio.Runner(loop_factory=warped_loop(speed)) as runner:
        return runner.run(work)


def main() -> int:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    speed = float(sys.argv[2]) if len(sys.argv) > 2 else float("inf")
    profiles = load_profiles(profiles_folder())
    with tempfile.TemporaryDirectory() as folder:
        outbox = Outbox(Path(folder) / "outbox.sqlite")
        archive = Archive(Path(folder) / "archive", KEY)
        with LiveCollector(archive, KEY, outbox, profiles, monotonic_ns=now_ns) as live:
            status = run(soak(live, outbox, hours), speed)
        outbox.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
