"""``python -m tests.bench_soak [--hours 8] [--speed 20]``: hours of three virtual DOTs through a gateway.

Radio, bleak, GATT, raw archive, decoder, pipeline, checkpoint and outbox in one process, as gaitmon collect
runs them; what a publisher would have delivered is deleted.  ``--speed 1 --hours 1``: an hour in real time.

The bars, from the first quarter on: memory within 5 % of what it was then; what decoding says of every clock
within 2 ppm of the virtual crystal; no gaps but those of the start.  Exit status 0 when all hold, else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gaitmon.collector_live import LiveCollector
from gaitmon.collector_sensors import Radio, Worn, gather
from gaitmon.demo_air import assigned
from gaitmon.model import Floats
from gaitmon.sensors.layout import Ticks
from gaitmon.store.archive import Archive
from gaitmon.transport.outbox import Outbox
from gaitmon.virtual import warped_loop
from gaitmon.virtual.people import SKEW_PPM, room, stroll
from gaitmon.virtual.truth import Fate, SensorTruth
from tests.sensors.ble.bed import DOT

KEY = bytes(range(32))
LOOKS = 16
MEMORY_SHARE = 0.05
DRIFT_PPM = 2.0
START_GAPS = 1  # until a sensor streams


@dataclass(frozen=True)
class Look:
    at_s: float
    rss_mb: float
    cpu_s: float
    strides: int
    drift_ppm: tuple[float, ...]
    gaps: int


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def soak(folder: Path, hours: float) -> list[Look]:
    outbox, looks = Outbox(folder / "outbox.sqlite"), []
    async with room(DOT, stroll()) as around:
        for sensor in around.sensors:
            sensor.truth = Forgetful()
        now_ns = around.radio.now_ns
        archive = Archive(folder / "archive", KEY)
        live = LiveCollector(archive, KEY, outbox, {DOT.name: DOT}, monotonic_ns=now_ns)
        worn = Worn("soak", "gw", assigned(around))
        radio = Radio(around.adapters, now_ns, "simulated")
        task = asyncio.create_task(gather(live, worn, radio))
        around.radio.play(after_s=5.0)
        for number in range(1, LOOKS + 1):
            await asyncio.sleep(hours * 3600.0 / LOOKS)
            if task.done():
                break
            live.wait()
            outbox.delete_through(outbox.uuid, outbox.last_seq)
            looks.append(look(live, number * hours * 3600.0 / LOOKS))
            print(line(looks[-1]), flush=True)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        live.close()
    outbox.close()
    return looks


class Forgetful(SensorTruth):
    """What really happened is nobody's business here, and would fill the memory that is measured."""

    def packet(self, true_s: Floats, clock: Ticks, boot: int) -> int:  # noqa: ARG002 - the signature given
        return 0

    def became(self, packet: int, fate: Fate) -> None:
        pass


def look(live: LiveCollector, at_s: float) -> Look:
    gc.collect()
    counts = live.sensor_counts
    return Look(
        at_s, rss_mb(), time.process_time(), live.counts.strides,
        tuple(c.drift_ppm or 0.0 for c in counts), sum(c.gaps for c in counts),
    )  # fmt: skip


def line(k: Look) -> str:
    drift = ", ".join(f"{d:+.2f}" for d in k.drift_ppm)
    return (
        f"{k.at_s / 3600:5.2f} h: {k.rss_mb:6.1f} MB, CPU {k.cpu_s:6.1f} s, {k.strides} strides, "
        f"drift {drift} ppm, {k.gaps} gaps"
    )


def verdict(looks: list[Look]) -> list[str]:
    """What does not hold."""
    if len(looks) < LOOKS:
        return ["the streaming ended"]
    settled = looks[LOOKS // 4 :]
    wrong = []
    if max(abs(k.rss_mb / settled[0].rss_mb - 1.0) for k in settled) > MEMORY_SHARE:
        wrong.append("memory is not flat")
    worst = max(abs(d - s) for k in settled for d, s in zip(k.drift_ppm, SKEW_PPM, strict=True))
    if worst > DRIFT_PPM:
        wrong.append(f"the clock map drifts: {worst:.1f} ppm off")
    if looks[-1].gaps > START_GAPS * len(SKEW_PPM):
        wrong.append(f"{looks[-1].gaps} gaps")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--speed", type=float, default=20.0)
    args = parser.parse_args()
    begin_s = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=warped_loop(args.speed)) as runner,
    ):
        looks = runner.run(soak(Path(folder), args.hours))
    took_s = time.monotonic() - begin_s
    wrong = verdict(looks)
    if looks:
        cpu = (looks[-1].cpu_s - looks[0].cpu_s) / (looks[-1].at_s - looks[0].at_s or 1.0)
        print(f"{args.hours:g} h of signal in {took_s:.0f} s; {100 * cpu:.1f} % of a core at real time,")
        print("virtual sensors and their radio included")
    print("FAILED: " + "; ".join(wrong) if wrong else "held: memory, clock map, no gaps")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
