"""``python -m tests.bench_ble [seconds]``: ten sensors of 60 packets a second, at 15 and 30 ms.

The sensors and the radio are a process of their own; the collector's process has the adapter at the end of a
TCP socket.  That process also runs bumble's host, which in the real world is the kernel and bluetoothd; so it
is run with less and less of ours, and the differences are what ours costs:

    bleak       connected with bleak alone, packets counted
    radio       gaitmon.sensors.ble, packets counted
    collector   and every packet archived (encrypted, with the kernel) and decoded

60 s each by default, 600 for the ten minutes of the requirement.  Then kill -9 of a collector with three
sensors, as in tests/sensors/ble/test_killed.py.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from bleak import BleakClient, BleakScanner

from gaitmon.sensors.ble.connection import LinkEvent
from gaitmon.sensors.ble.health import Health, LinkState
from gaitmon.sensors.ble.policy import LinkPolicy
from gaitmon.sensors.ble.procedure import Conversation
from gaitmon.sensors.ble.service import stream
from gaitmon.sensors.raw import Notification
from gaitmon.sensors.stream import EventStream
from gaitmon.store.archive import Archive, ArchiveReader
from gaitmon.virtual import Hub
from tests.sensors.ble.bed import DOT, spec_of
from tests.sensors.ble.gateway import KEY, launch, opened
from tests.sensors.ble.world import CRASHED_S, WORN, assignments, remote_hub, world

SENSORS = 10


class Stopwatch:
    """CPU of this process while every sensor streams; packets of all the time."""

    def __init__(self) -> None:
        self.packets = 0
        self._from = (0.0, 0.0)

    def start(self) -> None:
        self._from = (time.process_time(), time.perf_counter())

    def cpu(self) -> float:
        """Part of a core since the start."""
        return (time.process_time() - self._from[0]) / (time.perf_counter() - self._from[1])

    def report(self, cpu: float, **more: object) -> str:
        return json.dumps({"cpu": cpu, "packets": self.packets, **more})


async def _with_bleak(hub: Hub, addresses: list[str], seconds: float) -> str:
    watch = Stopwatch()

    def on_payload(_char: object, _data: bytearray) -> None:
        watch.packets += 1

    clients = []
    for assignment in assignments(addresses):
        device = await BleakScanner.find_device_by_address(assignment.address, backend=hub.scanner)
        assert device is not None
        client = BleakClient(device, backend=hub.client)
        await client.connect()
        talk = Conversation(client, assignment, on_payload, LinkPolicy())
        await talk.introduce()
        await talk.start()
        clients.append(client)
    watch.start()
    await asyncio.sleep(seconds)
    cpu = watch.cpu()
    for client in clients:
        await client.disconnect()
    return watch.report(cpu)


async def _with_us(hub: Hub, addresses: list[str], seconds: float, keep: Callable[[LinkEvent], None]) -> str:
    watch, streaming, latest = Stopwatch(), asyncio.Event(), Health((), ())

    def sink(event: LinkEvent) -> None:
        watch.packets += isinstance(event, Notification)
        keep(event)

    def tell(health: Health) -> None:
        nonlocal latest
        latest = health
        if all(s.state is LinkState.STREAMING for s in health.sensors):
            streaming.set()

    task = asyncio.create_task(
        stream(assignments(addresses), sink, adapters=[spec_of(hub, SENSORS)], tell=tell)
    )
    await streaming.wait()
    watch.start()
    await asyncio.sleep(seconds)
    cpu = watch.cpu()
    errors = {kind: n for s in latest.sensors for kind, n in s.errors.items()}
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return watch.report(cpu, errors=errors)


async def _worker(mode: str, port: int, seconds: float, addresses: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with remote_hub(port) as hub:
            if mode == "bleak":
                told = await _with_bleak(hub, addresses, seconds)
            elif mode == "radio":
                told = await _with_us(hub, addresses, seconds, lambda _: None)
            else:
                archive = Archive(Path(folder), KEY)
                decoders = [EventStream({DOT.name: DOT}) for _ in range(0, SENSORS, len(WORN))]
                for decoder in decoders:  # as many wearers, for nobody wears two sensors in one place
                    decoder.push(opened(addresses[: len(WORN)]))

                def keep(event: LinkEvent) -> None:
                    archive.append(event)
                    wearer, place = divmod(event.sensor, len(WORN))
                    decoders[wearer].push(replace(event, sensor=place))

                told = await _with_us(hub, addresses, seconds, keep)
                archive.close()
                counts = [count for decoder in decoders for count in decoder.counts]
                found = {"gaps": sum(c.gaps for c in counts), "missing": sum(c.lost for c in counts)}
                told = json.dumps(json.loads(told) | found)
        sys.stdout.write(told + "\n")


def _run(mode: str, interval_s: float, seconds: float) -> None:
    with world(SENSORS, interval_s) as room:
        command = [sys.executable, "-m", "tests.bench_ble", mode, str(room.port), str(seconds)]
        done = subprocess.run([*command, *room.addresses], stdout=subprocess.PIPE, text=True, check=True)
        told, truth = json.loads(done.stdout), room.truth()
    delivered = sum(t.delivered for t in truth)
    said = f"{interval_s * 1e3:.0f} ms {mode:9s} {100 * told['cpu']:5.1f} % of a core"
    if mode != "bleak":
        said += f", {delivered} packets delivered, {delivered - told['packets']} lost in the host"
        said += f", {sum(t.overflow for t in truth)} in the sensors, errors {told['errors'] or 'none'}"
    if "gaps" in told:
        said += (
            f"; the decoder misses {told['missing']}, gaps {told['gaps'] - SENSORS}"  # each until it streams
        )
    print(said, flush=True)


def _killed() -> None:
    with tempfile.TemporaryDirectory() as name, world(3) as room:
        folder = Path(name)
        with launch(room.port, folder, room.addresses) as first:
            assert first.stdout is not None
            first.stdout.readline()
            time.sleep(3.0)
            first.kill()
            killed_ns = time.monotonic_ns()
        with launch(room.port, folder, room.addresses, seconds=8.0) as second:
            second.wait()
        events = [event for _, event in ArchiveReader(folder, KEY).events()]
    began_ns = next(
        e.monotonic_ns for e in events if e.monotonic_ns > killed_ns
    )  # the second's SessionOpened
    possible_ns = max(began_ns, killed_ns + int(CRASHED_S * 1e9))
    first_ns: dict[int, int] = {}
    for event in events:
        if isinstance(event, Notification) and event.monotonic_ns > began_ns:
            first_ns.setdefault(event.sensor, event.monotonic_ns)
    said = ", ".join(f"{(ns - possible_ns) * 1e-9:.2f} s" for ns in sorted(first_ns.values()))
    print(f"kill -9: {said} from when it is possible (process up, supervision time over) to the stream")


def main() -> None:
    if len(sys.argv) > 2:
        mode, port, worker_s, *addresses = sys.argv[1:]
        asyncio.run(_worker(mode, int(port), float(worker_s), addresses))
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    for mode in ("bleak", "radio", "collector"):
        _run(mode, 0.015, seconds)
    _run("collector", 0.030, seconds)
    _killed()


if __name__ == "__main__":
    main()
