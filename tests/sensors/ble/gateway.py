"""A collector of raw events in a process of its own, to be killed: radio -> archive, nothing else.

``python -m tests.sensors.ble.gateway PORT FOLDER SECONDS ADDRESS ...`` prints a line once all sensors stream.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from gaitmon.sensors.ble.health import Health, LinkState
from gaitmon.sensors.ble.service import stream
from gaitmon.sensors.raw import SessionOpened
from gaitmon.store.archive import Archive
from tests.sensors.ble.bed import spec_of
from tests.sensors.ble.world import assignments, remote_hub

KEY = bytes(range(32))


def launch(port: int, folder: Path, addresses: list[str], seconds: float = 600.0) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.sensors.ble.gateway", str(port), str(folder), str(seconds)]
    return subprocess.Popen([*command, *addresses], stdout=subprocess.PIPE, text=True)


def opened(sensors: list[str]) -> SessionOpened:
    return SessionOpened(
        session="walk", wearer="w", gateway="g", sensors=tuple(a.sensor for a in assignments(sensors)),
        monotonic_ns=time.monotonic_ns(), utc_us=time.time_ns() // 1000, time_sync="synchronised",
    )  # fmt: skip


async def _collect(port: int, folder: Path, seconds: float, addresses: list[str]) -> None:
    archive = Archive(folder, KEY)
    archive.append(opened(addresses))
    told = False

    def tell(health: Health) -> None:
        nonlocal told
        if not told and all(s.state is LinkState.STREAMING for s in health.sensors):
            told = True
            sys.stdout.write("streaming\n")
            sys.stdout.flush()

    async with remote_hub(port) as hub:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stream(
                    assignments(addresses), archive.append, adapters=[spec_of(hub, 10)],
                    tell=tell, tell_every_s=0.1,
                )  # fmt: skip
    archive.close()


if __name__ == "__main__":
    asyncio.run(_collect(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
