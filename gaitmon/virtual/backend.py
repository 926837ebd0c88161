"""bleak over a virtual adapter: scanner and client backends for ``backend=``.

    hub = radio.adapter(slots=5)
    BleakScanner(backend=hub.scanner)
    BleakClient(device, backend=hub.client)

A Hub is one adapter: it holds so many connections, makes one at a time (a second attempt meanwhile
fails, as on a real controller), and can be power-cycled under its users.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, ClassVar, Self

from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakError,
)
from bumble import core, hci
from bumble.core import AdvertisingData
from bumble.device import Advertisement, Connection, Device
from bumble.gatt_client import ServiceProxy

from gaitmon.virtual.client import HubClient, text

_UUID_LISTS = (
    AdvertisingData.Type.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
)


class Hub:
    """One adapter.  scanner, client, adapter: classes for bleak's ``backend=``.  connections: clients by
    address.  resets: power cycles so far.
    """

    def __init__(
        self,
        device: Device,
        lose_power: Callable[[], None] = lambda: None,
        mtu: int = 517,
        caches: bool = True,
    ) -> None:
        """device: the host over the chip; lose_power: of the chip.  mtu: what it asks a sensor for after
        connecting; 23 asks for nothing.  caches: whether it remembers a sensor's services, as BlueZ does,
        until client.unpair or forget."""
        self.device = device
        self._lose_power = lose_power
        self.mtu = mtu
        self.caches = caches
        self.services: dict[str, list[ServiceProxy]] = {}
        self.powered = False
        self.deaf = False
        self.resets = 0
        self.connections: dict[str, HubClient] = {}
        self._scanners: set[HubScanner] = set()
        self.scanner: type[BaseBleakScanner] = type("VirtualScanner", (HubScanner,), {"hub": self})
        self.client: type[BaseBleakClient] = type("VirtualClient", (HubClient,), {"hub": self})
        self.adapter: type[BaseBleakAdapter] = type("VirtualAdapter", (HubAdapter,), {"hub": self})
        self.device.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)

    async def power_on(self) -> None:
        await self.device.power_on()
        self.powered = True
        self.deaf = False

    async def power_off(self) -> None:
        """Links are gone without a word to the sensors, and nobody scans any more."""
        self.powered = False
        self._scanners.clear()
        self.device.scanning = False
        self._lose_power()
        await asyncio.sleep(0)

    async def reset(self, down_s: float = 0.5) -> None:
        """Power cycle.  Scanners hear nothing until they are started again."""
        self.resets += 1
        await self.power_off()
        await asyncio.sleep(down_s)
        await self.power_on()

    def check_powered(self) -> None:
        if not self.powered:
            raise BleakBluetoothNotAvailableError(
                "the adapter is powered off", BleakBluetoothNotAvailableReason.POWERED_OFF
            )

    async def listen(self, scanner: HubScanner) -> None:
        self.check_powered()
        self._scanners.add(scanner)
        if not self.device.scanning:
            await self.device.start_scanning(filter_duplicates=False)

    async def ignore(self, scanner: HubScanner) -> None:
        self._scanners.discard(scanner)
        if not self._scanners and self.device.scanning:
            await self.device.stop_scanning()

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        if not self.deaf:  # a scanner that has stopped hearing looks just like one with nobody around
            for scanner in list(self._scanners):
                scanner.heard(advertisement)

    async def forget(self, address: str) -> None:
        """Keys and services of the sensor with this address."""
        self.services.pop(address, None)
        keys = self.device.keystore
        with contextlib.suppress(KeyError):
            if keys is not None:
                await keys.delete(str(hci.Address(address)))

    def orphan(self) -> None:
        """The process that used it died without a word.  Its links stay, as bluetoothd keeps them."""
        self._scanners.clear()
        for client in list(self.connections.values()):
            client.abandon()

    async def connect(self, address: hci.Address) -> Connection:
        """The link there is, else a new one.  Raises BleakError: slots taken, another attempt going on,
        powered off."""
        self.check_powered()
        kept = self.device.find_connection_by_bd_addr(address)
        if kept is not None:
            return kept
        if self.device.is_le_connecting:
            raise BleakError("another connection attempt is in progress (le-connection-abort-by-local)")
        try:
            return await self.device.connect(address, timeout=None)
        except core.BaseBumbleError as error:
            raise BleakError(f"failed to connect: {error}") from error
        except asyncio.CancelledError:
            await self._cancel_attempt(address)
            raise

    async def _cancel_attempt(self, address: hci.Address) -> None:
        """HCI goes on trying when nobody waits any more, and may just have succeeded."""
        if not self.powered:
            return
        with contextlib.suppress(core.BaseBumbleError):
            await self.device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
        connection = self.device.find_connection_by_bd_addr(address)
        if connection is not None:
            with contextlib.suppress(core.BaseBumbleError):
                await connection.disconnect()


class HubScanner(BaseBleakScanner):
    hub: ClassVar[Hub]

    def __init__(
        self,
        detection_callback: Any = None,
        service_uuids: list[str] | None = None,
        scanning_mode: str = "active",  # noqa: ARG002 -- bleak passes it
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        self.seen_devices = {}
        await self.hub.listen(self)

    async def stop(self) -> None:
        await self.hub.ignore(self)

    def heard(self, advertisement: Advertisement) -> None:
        data = advertisement.data
        name = data.get(AdvertisingData.Type.COMPLETE_LOCAL_NAME)
        lists = [found for kind in _UUID_LISTS for found in data.get_all(kind)]
        uuids = [text(uuid) for found in lists if isinstance(found, list) for uuid in found]
        if not self.is_allowed_uuid(uuids):
            return
        maker = {
            number: bytes(rest)
            for number, rest in data.get_all(AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA)
        }
        address = plain(advertisement.address)
        said = AdvertisementData(
            local_name=name,
            manufacturer_data=maker,
            service_data={},
            service_uuids=uuids,
            tx_power=None,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )
        device = self.create_or_update_device(
            address, address, name, {"address": advertisement.address}, said
        )
        self.call_detection_callbacks(device, said)


class HubAdapter(BaseBleakAdapter):
    hub: ClassVar[Hub]

    @classmethod
    async def get(cls, **_: Any) -> Self:
        return cls()

    async def get_connected_devices(self, service_uuids: frozenset[str]) -> list[BLEDevice]:  # noqa: ARG002
        """Whoever made the connection, and whatever services it has."""
        peers = [connection.peer_address for connection in self.hub.device.connections.values()]
        return [BLEDevice(plain(address), None, {"address": address}) for address in peers]


def plain(address: hci.Address) -> str:
    """Without bumble's mark for a public address."""
    return str(address).split("/")[0]
