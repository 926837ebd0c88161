"""A room of virtual sensors in a process of its own; the collector's adapter is at the end of a TCP socket.

``python -m tests.sensors.ble.world SENSORS INTERVAL_S`` prints the port and the sensors' addresses as JSON.
Each line on stdin is answered by what really happened so far.  A collector that dies takes the adapter's
power with it: its links are gone, and the sensors learn that by their supervision time.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from bumble.device import Device, DeviceConfiguration
from bumble.hci import Address
from bumble.host import Host
from bumble.transport import open_transport
from bumble.transport.common import PacketParser

from gaitmon.model import Placement
from gaitmon.sensors.ble.assignment import Assignment
from gaitmon.sensors.raw import AssignedSensor
from gaitmon.virtual import Fate, Hub, LinkModel, VirtualRadio, VirtualSensor
from gaitmon.virtual.controller import RadioController
from tests.sensors.ble.bed import DOT, PLACEMENTS, STILL

ADAPTER = "C0:00:00:00:00:FE"
WORN = (*PLACEMENTS, Placement.LEFT_FOOT, Placement.RIGHT_FOOT)
CRASHED_S = 2.0  # LinkModel.supervision_s


@dataclass(frozen=True, slots=True)
class Truth:
    """Packets of one sensor: made, heard by the host's chip, lost in the sensor's own memory, for want of a
    subscriber, with a link."""

    made: int
    delivered: int
    overflow: int
    unheard: int
    lost_with_link: int


class World:
    """The other end: use as a context manager from the tests' process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port, self.addresses = self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def truth(self) -> list[Truth]:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return [Truth(**each) for each in self._answer()]


@contextmanager
def world(sensors: int, interval_s: float = 0.015) -> Iterator[World]:
    command = [sys.executable, "-m", "tests.sensors.ble.world", str(sensors), str(interval_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield World(process)
        finally:
            process.kill()


@asynccontextmanager
async def remote_hub(port: int) -> AsyncIterator[Hub]:
    """bleak's backends over the adapter of another process."""
    async with await open_transport(f"tcp-client:127.0.0.1:{port}") as transport:
        configuration = DeviceConfiguration(
            name="gateway", address=Address(ADAPTER), gatt_service_enabled=False
        )
        hub = Hub(Device(config=configuration, host=Host(transport.source, transport.sink)))
        await hub.power_on()
        yield hub


def assignments(addresses: list[str], rate_hz: float = 60.0) -> list[Assignment]:
    return [
        Assignment(
            AssignedSensor(f"s-{i:08x}", WORN[i % len(WORN)], DOT.name, DOT.default_mode, rate_hz),
            DOT,
            address,
        )
        for i, address in enumerate(addresses)
    ]


class _ToHost:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def on_packet(self, packet: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(packet)


def _truth_of(sensor: VirtualSensor) -> Truth:
    count = sensor.truth.count
    return Truth(
        len(sensor.truth.fates), count(Fate.DELIVERED), count(Fate.OVERFLOW), count(Fate.UNHEARD),
        count(Fate.LOST_WITH_LINK),
    )  # fmt: skip


async def _serve(n: int, interval_s: float) -> None:
    async with VirtualRadio(seed=1) as radio:
        chip = RadioController(radio.air, "gateway", ADAPTER)
        sensors = [await radio.sensor(DOT, STILL, link=LinkModel(interval_s=interval_s)) for _ in range(n)]

        async def host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            chip.set_packet_sink(_ToHost(writer))
            parser = PacketParser(chip)
            with suppress(ConnectionError):  # it was killed
                while data := await reader.read(4096):
                    parser.feed_data(data)
            chip.lose_power()
            writer.close()

        server = await asyncio.start_server(host, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sys.stdout.write(json.dumps((port, [s.address for s in sensors])) + "\n")
        sys.stdout.flush()
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            sys.stdout.write(json.dumps([asdict(_truth_of(s)) for s in sensors]) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
