"""BlueZ's D-Bus interface without a Bluetooth adapter: bluezoo, in a process and on a bus of its own.

bleak's own BlueZ backend talks to it as to bluetoothd.  bluezoo has no radio: an adapter sees what another
of its adapters advertises, here a Movella DOT whose GATT objects this module exports.
"""

# No `from __future__ import annotations` here: dbus_fast reads the annotations.
import asyncio
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest

from gaitmon.sensors.profile import FirmwareProfile
from tests.needs import program, require

require(sys.platform == "linux", "BlueZ is of Linux")

from dbus_fast import BusType, DBusError, Message, PropertyAccess  # noqa: E402
from dbus_fast.aio import MessageBus  # noqa: E402
from dbus_fast.annotations import (  # noqa: E402
    DBusBool,
    DBusBytes,
    DBusDict,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
)
from dbus_fast.constants import MessageType  # noqa: E402
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property  # noqa: E402

from gaitmon.virtual.board import NOTIFY, READ, WRITE, Board  # noqa: E402
from gaitmon.virtual.dot import Dot  # noqa: E402

Texts = Annotated[list[str], DBusSignature("as")]

HOST, SENSOR = "00:00:00:00:00:01", "D4:22:CD:00:00:02"  # adapters hci0 and hci1
_DEVICE = f"/org/bluez/hci0/dev_{SENSOR.replace(':', '_')}"


@contextmanager
def bluez(folder: Path) -> Iterator["BlueZ"]:
    """A bus, and on it an adapter for the host and one that plays the sensor."""
    daemon = program("dbus-daemon")
    require(importlib.util.find_spec("bluezoo"), "bluezoo is not installed")
    address = f"unix:path={folder / 'bus'}"
    bus = subprocess.Popen(
        [daemon, "--session", "--nofork", f"--address={address}"], stderr=subprocess.DEVNULL
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        peer = BlueZ(address, folder)
        try:
            _wait(folder / "bus")
            peer.start()
            yield peer
        finally:
            peer.stop()
            bus.terminate()
            bus.wait(10)


class BlueZ:
    """The process that answers as org.bluez."""

    def __init__(self, address: str, folder: Path) -> None:
        self._environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address}
        self._log = folder / "bluezoo.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        code = "from bluezoo.bluezoo import main; main()"
        arguments = ["--auto-enable", "--scan-interval", "1", "-a", HOST, "-a", SENSOR]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code, *arguments], env=self._environment, stdout=log, stderr=log
            )

    def stop(self) -> None:
        """As when bluetoothd crashes."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    async def adapters(self, bus: MessageBus) -> None:
        """Waits until both are there."""
        for _ in range(200):
            reply = await bus.call(
                Message("org.bluez", "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
            )
            if reply and reply.message_type is MessageType.METHOD_RETURN:
                powered = [
                    o["org.bluez.Adapter1"]["Powered"].value
                    for o in reply.body[0].values()
                    if "org.bluez.Adapter1" in o
                ]
                if powered == [True, True]:
                    return
            await asyncio.sleep(0.05)
        raise AssertionError("bluezoo did not start: " + self._log.read_text())


class _Characteristic(ServiceInterface):
    """One of the DOT's, answered by the same firmware as on the virtual radio."""

    def __init__(self, role: str, uuid: str, flags: list[str], dot: Dot) -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self._role, self._uuid, self._flags, self._dot = role, uuid, flags, dot
        self._value = b""
        self.notifying = False
        self.refuse = ""

    def notify(self, value: bytes) -> None:
        self._value = value
        self.emit_properties_changed({"Value": value})

    @dbus_property(access=PropertyAccess.READ)
    def UUID(self) -> DBusStr:  # noqa: N802
        return self._uuid

    @dbus_property(access=PropertyAccess.READ)
    def Service(self) -> DBusObjectPath:  # noqa: N802
        return "/dot/service0"

    @dbus_property(access=PropertyAccess.READ)
    def Flags(self) -> Texts:  # noqa: N802
        return self._flags

    @dbus_property(access=PropertyAccess.READ)
    def Value(self) -> DBusBytes:  # noqa: N802
        return self._value

    @dbus_method()
    def ReadValue(self, _: DBusDict) -> DBusBytes:  # noqa: N802
        if self.refuse:
            raise DBusError(self.refuse, "told to")
        return self._dot.read(self._role)

    @dbus_method()
    def WriteValue(self, value: DBusBytes, _: DBusDict) -> None:  # noqa: N802
        if self.refuse:
            raise DBusError(self.refuse, "told to")
        self._dot.write(self._role, bytes(value))

    @dbus_method()
    def StartNotify(self) -> None:  # noqa: N802
        self.notifying = True

    @dbus_method()
    def StopNotify(self) -> None:  # noqa: N802
        self.notifying = False

    @dbus_method()
    def Confirm(self) -> None:  # noqa: N802
        pass


class _Service(ServiceInterface):
    def __init__(self, uuid: str) -> None:
        super().__init__("org.bluez.GattService1")
        self._uuid = uuid

    @dbus_property(access=PropertyAccess.READ)
    def UUID(self) -> DBusStr:  # noqa: N802
        return self._uuid

    @dbus_property(access=PropertyAccess.READ)
    def Primary(self) -> DBusBool:  # noqa: N802
        return True


class _Advertisement(ServiceInterface):
    """Without manufacturer data, to which bluezoo 1.0 gives another type (a{sv}) than BlueZ (a{qv})."""

    def __init__(self, profile: FirmwareProfile) -> None:
        super().__init__("org.bluez.LEAdvertisement1")
        self._profile = profile

    @dbus_property(access=PropertyAccess.READ)
    def Type(self) -> DBusStr:  # noqa: N802
        return "peripheral"

    @dbus_property(access=PropertyAccess.READ)
    def LocalName(self) -> DBusStr:  # noqa: N802
        return self._profile.identity.names[-1]

    @dbus_property(access=PropertyAccess.READ)
    def Discoverable(self) -> DBusBool:  # noqa: N802
        return True


class DotOverDBus:
    """The sensor on hci1.  board: its state; characteristics: by role."""

    def __init__(self, bus: MessageBus, profile: FirmwareProfile) -> None:
        self._bus = bus
        self.board = Board(profile, bytes.fromhex(SENSOR.replace(":", "")), "Movella DOT", 21, 60)
        self.board.start, self.board.stop = lambda: self._run(True), lambda: self._run(False)
        dot = Dot(self.board)
        self._advertisement = _Advertisement(profile)
        self.characteristics: dict[str, _Characteristic] = {}
        service, *_ = [uuid for uuid, roles in dot.services.items() if "measurement_control" in roles]
        bus.export("/dot/service0", _Service(service))
        flags = {READ: "read", WRITE: "write", NOTIFY: "notify"}
        for index, (role, properties) in enumerate(dot.services[service].items()):
            one = _Characteristic(
                role, profile.gatt[role], [text for bit, text in flags.items() if properties & bit], dot
            )
            self.characteristics[role] = one
            bus.export(f"/dot/service0/char{index}", one)
        bus.export("/advertisement", self._advertisement)

    def _run(self, running: bool) -> None:
        self.board.running = running

    async def register(self) -> None:
        options: dict[str, Any] = {}
        await self._call("org.bluez.GattManager1", "RegisterApplication", ["/dot", options], "oa{sv}")
        await self._call(
            "org.bluez.LEAdvertisingManager1", "RegisterAdvertisement", ["/advertisement", options], "oa{sv}"
        )

    async def _call(self, interface: str, member: str, body: list[Any], signature: str) -> None:
        message = Message("org.bluez", "/org/bluez/hci1", interface, member, signature=signature, body=body)
        reply = await self._bus.call(message)
        assert reply is not None
        assert reply.message_type is MessageType.METHOD_RETURN, reply.body

    async def break_link(self) -> None:
        """What the host sees of it: Connected goes to false, and nobody there asked for it."""
        await self._bus.call(Message("org.bluez", _DEVICE, "org.bluez.Device1", "Disconnect"))

    async def forget(self) -> None:
        """BlueZ knows the device no more."""
        what = ("org.bluez", "/org/bluez/hci0", "org.bluez.Adapter1", "RemoveDevice")
        await self._bus.call(Message(*what, signature="o", body=[_DEVICE]))


@asynccontextmanager
async def dot_on(peer: BlueZ, profile: FirmwareProfile) -> AsyncIterator[DotOverDBus]:
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        await peer.adapters(bus)
        sensor = DotOverDBus(bus, profile)
        await sensor.register()
        yield sensor
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


def _wait(path: Path) -> None:
    for _ in range(200):
        if path.exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")
