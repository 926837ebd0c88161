"""bleak's own BlueZ backend, which runs on a gateway, against an org.bluez on a private D-Bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from bleak import BleakClient, BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakError

from tests.peers.bluez import SENSOR, BlueZ, DotOverDBus, bluez, dot_on
from tests.virtual.rooms import profile

DOT = profile("movella_dot")
ADAPTER: BlueZScannerArgs = {"adapter": "hci0"}

pytestmark = pytest.mark.server


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[BlueZ]:
    with bluez(tmp_path) as running:
        yield running


async def scanned() -> BLEDevice:
    seen: asyncio.Queue[BLEDevice] = asyncio.Queue()
    async with (
        asyncio.timeout(10),
        BleakScanner(lambda device, _: seen.put_nowait(device), bluez=ADAPTER),
    ):
        return await seen.get()


def linked_and_running(sensor: DotOverDBus) -> bool:
    return sensor.board.running and sensor.characteristics["medium_payload"].notifying


def test_scan_connect_start_notify_disconnect(peer: BlueZ) -> None:
    async def test() -> None:
        async with dot_on(peer, DOT) as sensor:
            device = await scanned()
            assert (device.name, device.address) == ("Movella DOT", SENSOR)
            heard: list[bytes] = []
            gone = asyncio.Event()
            payloads = [bytes([i]) * 40 for i in range(30)]
            async with BleakClient(device, lambda _: gone.set(), bluez=ADAPTER) as client:
                data = sensor.characteristics["medium_payload"]
                await client.start_notify(DOT.gatt["medium_payload"], lambda _, b: heard.append(bytes(b)))
                await client.write_gatt_char(DOT.gatt["measurement_control"], b"\x01\x01\x15", response=True)
                assert linked_and_running(sensor)
                assert await client.read_gatt_char(DOT.gatt["measurement_control"]) == b"\x01\x01\x15"
                for payload in payloads:
                    data.notify(payload)
                async with asyncio.timeout(5):
                    while len(heard) < len(payloads):
                        await asyncio.sleep(0.01)
                assert heard == payloads
                await client.write_gatt_char(DOT.gatt["measurement_control"], b"\x01\x00\x15", response=True)
                assert not linked_and_running(sensor)
                await client.stop_notify(DOT.gatt["medium_payload"])
                assert not data.notifying
            await asyncio.wait_for(gone.wait(), 5)

    asyncio.run(test())


def test_the_sensors_end_breaks_the_link(peer: BlueZ) -> None:
    async def test() -> None:
        async with dot_on(peer, DOT) as sensor:
            gone = asyncio.Event()
            client = BleakClient(await scanned(), lambda _: gone.set(), bluez=ADAPTER)
            await client.connect()
            await sensor.break_link()
            await asyncio.wait_for(gone.wait(), 5)
            with pytest.raises(BleakError):
                await client.read_gatt_char(DOT.gatt["measurement_control"])
            await client.disconnect()  # closes the client's own connection to the bus

    asyncio.run(test())


def test_errors_of_the_sensor_and_of_bluez_are_bleaks(peer: BlueZ) -> None:
    async def test() -> None:
        async with dot_on(peer, DOT) as sensor:
            device = await scanned()
            async with BleakClient(device, bluez=ADAPTER) as client:
                control = sensor.characteristics["measurement_control"]
                control.refuse = "org.bluez.Error.NotPermitted"
                with pytest.raises(BleakDBusError, match="NotPermitted"):
                    await client.read_gatt_char(DOT.gatt["measurement_control"])
                with pytest.raises(BleakDBusError, match="NotPermitted"):
                    await client.write_gatt_char(DOT.gatt["measurement_control"], b"\x01", response=True)
                control.refuse = "org.bluez.Error.InProgress"
                with pytest.raises(TimeoutError):  # bleak asks again and again: the caller needs a limit
                    async with asyncio.timeout(0.2):
                        await client.read_gatt_char(DOT.gatt["measurement_control"])
                with pytest.raises(BleakError, match="not found"):
                    await client.start_notify("00002a19-0000-1000-8000-00805f9b34fb", lambda *_: None)
            await sensor.forget()
            with pytest.raises(BleakError, match="not found"):
                await BleakClient(device, bluez=ADAPTER).connect()
        with pytest.raises(BleakError, match="hci7"):
            await BleakScanner(bluez={"adapter": "hci7"}).start()

    asyncio.run(test())


def test_a_crash_of_bluetoothd_is_an_error_and_not_a_hang(peer: BlueZ) -> None:
    async def test() -> None:
        async with asyncio.timeout(15), dot_on(peer, DOT):
            gone = asyncio.Event()
            client = BleakClient(await scanned(), lambda _: gone.set(), bluez=ADAPTER)
            await client.connect()
            peer.stop()
            with pytest.raises(BleakDBusError, match="ServiceUnknown"):
                await client.read_gatt_char(DOT.gatt["measurement_control"])
            # What the collector must live with: bleak 3.1 does not tell, and cannot disconnect.
            assert client.is_connected
            assert not gone.is_set()
            with pytest.raises(BleakDBusError, match="ServiceUnknown"):
                await client.disconnect()

    asyncio.run(test())
