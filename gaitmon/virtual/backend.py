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
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Self, TypeVar

from bleak import BleakScanner
from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)
from bumble import att, core, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt_client import ServiceProxy

from gaitmon.virtual.gatt_cache import remembered

T = TypeVar("T")

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


class HubClient(BaseBleakClient):
    hub: ClassVar[Hub]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None = None,
        services: set[str] | None = None,
        timeout: float = 30.0,
        **_: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._wanted = services
        self._target: hci.Address | None = None
        self._name = ""
        if isinstance(address_or_ble_device, BLEDevice):
            self._target = address_or_ble_device.details["address"]
            self._name = address_or_ble_device.name or ""
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._notifying: dict[int, Callable[[bytes], Any]] = {}

    @property
    def name(self) -> str:
        return self._name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection else 23

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:  # noqa: ARG002 -- nothing to pair with
        if self._connection:
            raise BleakError("Client is already connected")
        async with asyncio.timeout(self._timeout):
            connection = await self.hub.connect(self._target or await self._find())
            self._connection = connection
            self.hub.connections[self.address] = self
            connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
            try:
                self._peer = Peer(connection)
                if self.hub.mtu > att.ATT_DEFAULT_MTU:
                    await self._att(self._peer.request_mtu(self.hub.mtu))
                await self._discover(self._peer)
            except BaseException:
                await self.disconnect()
                raise

    async def _find(self) -> hci.Address:
        """As bleak's own backends do with a bare address: scan for it."""
        found = await BleakScanner.find_device_by_address(
            self.address, timeout=self._timeout, backend=self.hub.scanner
        )
        if found is None:
            raise BleakDeviceNotFoundError(self.address, f"{self.address} was not found")
        self._name = found.name or ""
        address: hci.Address = found.details["address"]
        self._target = address
        return address

    async def disconnect(self) -> None:
        if self._connection:
            with contextlib.suppress(core.BaseBumbleError, hci.HCI_StatusError):
                await self._connection.disconnect()

    def _on_disconnection(self, _reason: int) -> None:
        self._forget()
        if self._disconnected_callback:
            self._disconnected_callback()

    def _forget(self) -> None:
        self._connection = None
        self._peer = None
        self._notifying.clear()
        self.services = None
        self.hub.connections.pop(self.address, None)

    def abandon(self) -> None:
        """Nobody hears what this client would say any more."""
        self._disconnected_callback = None
        self._forget()

    async def pair(self, *_: Any, **__: Any) -> None:
        """Just Works, or with the keys of the last time."""
        self._connected()
        connection, keys = self._connection, self.hub.device.keystore
        if connection is None or connection.is_encrypted:
            return
        known = keys is not None and await keys.get(str(connection.peer_address)) is not None
        try:
            await self._att(connection.encrypt() if known else connection.pair())
        except hci.HCI_Error as error:
            raise BleakError(f"failed to pair: {error}") from error

    async def unpair(self) -> None:
        """The host forgets keys and services, as BlueZ does with RemoveDevice."""
        await self.hub.forget(self.address)

    async def _discover(self, peer: Peer) -> None:
        known = self.hub.services.get(self.address) if self.hub.caches else None
        if known is None:
            await self._att(peer.discover_all())  # type: ignore[no-untyped-call]
            known = self.hub.services[self.address] = peer.services
        services = BleakGATTServiceCollection()
        for found in remembered(peer, known):
            if self._wanted and text(found.uuid) not in self._wanted:
                continue
            service = BleakGATTService(found, found.handle, text(found.uuid))
            services.add_service(service)
            for one in found.characteristics:
                characteristic = BleakGATTCharacteristic(
                    one,
                    one.handle,
                    text(one.uuid),
                    list(gatt_char_props_to_strs(int(one.properties))),
                    lambda: self.mtu_size - 3,
                    service,
                )
                services.add_characteristic(characteristic)
                for descriptor in one.descriptors:
                    services.add_descriptor(
                        BleakGATTDescriptor(
                            descriptor, descriptor.handle, text(descriptor.type), characteristic
                        )
                    )
        self.services = services

    def _connected(self) -> Peer:
        if self._peer is None:
            raise BleakError("Not connected")
        return self._peer

    async def _att(self, request: Awaitable[T]) -> T:
        """An ATT request, with bleak's errors for bumble's."""
        task = asyncio.current_task()
        cancels = task.cancelling() if task else 0
        try:
            return await request
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except core.BaseBumbleError as error:
            raise BleakError(f"ATT request failed: {error}") from error
        except asyncio.CancelledError:
            # bumble cancels what is pending when the link goes; nobody cancelled the caller
            if self._connection is None and (task is None or task.cancelling() == cancels):
                raise BleakError("disconnected") from None
            raise

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        del use_cached  # nothing is kept here
        return bytearray(await self._att(self._connected().read_value(characteristic.obj)))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        del use_cached
        return bytearray(await self._att(self._connected().read_value(descriptor.obj)))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        await self._att(self._connected().write_value(characteristic.obj, bytes(data), response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._att(self._connected().write_value(descriptor.obj, bytes(data), True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any
    ) -> None:
        peer = self._connected()
        if characteristic.handle in self._notifying:
            raise BleakError("already notifying")

        def notified(value: bytes) -> None:
            callback(bytearray(value))

        self._notifying[characteristic.handle] = notified
        await self._att(peer.subscribe(characteristic.obj, notified))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        peer = self._connected()
        notified = self._notifying.pop(characteristic.handle, None)
        if notified is not None:
            await self._att(peer.unsubscribe(characteristic.obj, notified))


def text(uuid: UUID) -> str:
    """As bleak writes it: 128 bits, lower case."""
    digits = uuid.to_bytes(force_128=True)[::-1].hex()
    return "-".join((digits[0:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def plain(address: hci.Address) -> str:
    """Without bumble's mark for a public address."""
    return str(address).split("/")[0]
