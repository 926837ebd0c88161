"""What bleak does not do on Linux: power-cycle an adapter that has stopped hearing."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable

from gaitmon.sensors.ble.faults import LinkError

DOWN_S = 1.0


def power_cycle(adapter: str) -> Callable[[], Awaitable[None]]:
    """For AdapterSpec.recover; adapter is a name such as "hci0".  Uses dbus-send, a part of every D-Bus."""

    async def cycle() -> None:
        await _set_powered(adapter, False)
        try:
            await asyncio.sleep(DOWN_S)
        finally:  # also when the collector stops just now: nobody leaves the adapter off
            await _set_powered(adapter, True)

    return cycle


async def _set_powered(adapter: str, powered: bool) -> None:
    process = await asyncio.create_subprocess_exec(
        "dbus-send", "--system", "--print-reply", "--dest=org.bluez", f"/org/bluez/{adapter}",
        "org.freedesktop.DBus.Properties.Set", "string:org.bluez.Adapter1", "string:Powered",
        f"variant:boolean:{str(powered).lower()}", stdout=DEVNULL, stderr=DEVNULL,
    )  # fmt: skip
    if await process.wait() != 0:
        raise LinkError("power cycle refused", f"{adapter} cannot be switched {'on' if powered else 'off'}.")
