"""The collector over bleak's own BlueZ backend, against an org.bluez on a private D-Bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from bleak import BleakScanner

from gaitmon.model import Placement
from gaitmon.sensors.ble.assignment import Assignment
from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.bluez import power_cycle
from gaitmon.sensors.ble.connection import LinkEvent
from gaitmon.sensors.ble.faults import LinkError
from gaitmon.sensors.ble.service import stream
from gaitmon.sensors.raw import AssignedSensor, LinkDown, LinkUp, Notification
from tests.peers.bluez import SENSOR, BlueZ, DotOverDBus, bluez, dot_on
from tests.sensors.ble.bed import DOT

# The mock has the measurement service alone.
MEASURES = DOT.model_copy(update={"procedures": DOT.procedures.model_copy(update={"rate": ()})})
WORN = Assignment(AssignedSensor("s-1", Placement.PELVIS, DOT.name, 21, 60.0), MEASURES, SENSOR)

pytestmark = pytest.mark.server


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[BlueZ]:
    with bluez(tmp_path) as running:
        yield running


@asynccontextmanager
async def collecting() -> AsyncIterator[list[LinkEvent]]:
    events: list[LinkEvent] = []
    task = asyncio.create_task(stream([WORN], events.append, adapters=[AdapterSpec("hci0")]))
    try:
        yield events
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], bool], within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.02)


def measures(sensor: DotOverDBus) -> bool:
    return sensor.board.running and sensor.characteristics["medium_payload"].notifying


def test_streams_and_is_let_go(peer: BlueZ) -> None:
    async def room() -> None:
        async with dot_on(peer, MEASURES) as sensor:
            payloads = [bytes([i]) * 40 for i in range(5)]
            async with collecting() as events:
                await until(lambda: any(isinstance(e, LinkUp) for e in events))
                assert measures(sensor)
                for payload in payloads:
                    sensor.characteristics["medium_payload"].notify(payload)
                await until(lambda: len(events) >= 1 + len(payloads))
            assert [e.payload for e in events if isinstance(e, Notification)] == payloads
            assert [e.reason for e in events if isinstance(e, LinkDown)] == ["stopped"]
            assert not measures(sensor)

    asyncio.run(room())


def test_a_lost_link_is_noticed_at_once(peer: BlueZ) -> None:
    """Not that it comes back: bluezoo 1.0 does not serve a device a second time."""

    async def room() -> None:
        async with dot_on(peer, MEASURES) as sensor, collecting() as events:
            await until(lambda: any(isinstance(e, LinkUp) for e in events))
            await sensor.break_link()
            await until(lambda: any(isinstance(e, LinkDown) for e in events), 0.5)
            assert [e.reason for e in events if isinstance(e, LinkDown)] == ["link lost"]

    asyncio.run(room())


def test_the_adapter_is_power_cycled(peer: BlueZ) -> None:
    async def room() -> None:
        async with dot_on(peer, MEASURES):
            await power_cycle("hci0")()
            async with BleakScanner(bluez={"adapter": "hci0"}):
                pass  # it is on again
            with pytest.raises(LinkError, match="hci7 cannot be switched off"):
                await power_cycle("hci7")()

    asyncio.run(room())
