"""One client of a virtual adapter: bleak's client backend, its GATT calls as bumble's ATT requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from bleak import BleakScanner
from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble import att, core, hci
from bumble.core import UUID
from bumble.device import Connection, Peer

from gaitmon.virtual.gatt_cache import remembered

if TYPE_CHECKING:
    from gaitmon.virtual.backend import Hub

T = TypeVar("T")


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
