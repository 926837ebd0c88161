"""What the tests of the virtual radio share: a profile, a motion, a host that connects with bleak."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice

from gaitmon.sensors.profile import FirmwareProfile, load_profile
from gaitmon.virtual import Hub, Motion, VirtualRadio, VirtualSensor, warped_loop
from tests.needs import ROOT

T = TypeVar("T")
PROFILES = ROOT / "firmware_profiles"


def profile(name: str) -> FirmwareProfile:
    return load_profile(Path(PROFILES / f"{name}.toml"))


def swinging(seconds: float = 30.0) -> Motion:
    """A thigh-like swing, sampled finely: no two moments alike."""
    t = np.arange(0.0, seconds, 1 / 240)
    acc = np.stack([2 * np.sin(7 * t), 0.1 * t, 9.81 + np.cos(7 * t)], axis=1)
    gyr = np.stack([3 * np.cos(7 * t), np.sin(3 * t), 0.01 * t], axis=1)
    return Motion.of(t, acc, gyr)


def run(test: Callable[[], Awaitable[T]], speed: float = math.inf) -> T:
    """In a loop that jumps from one event to the next, so that seconds of radio take none."""

    async def main() -> T:
        return await test()

    with asyncio.Runner(loop_factory=warped_loop(speed)) as runner:
        return runner.run(main())


async def found(hub: Hub, sensor: VirtualSensor, timeout_s: float = 5.0) -> BLEDevice:
    device = await BleakScanner.find_device_by_address(sensor.address, timeout=timeout_s, backend=hub.scanner)
    assert device is not None
    return device


def linked(end: BleakClient | VirtualSensor) -> bool:
    """Whether this end believes so, now."""
    return end.is_connected if isinstance(end, BleakClient) else end.is_linked


class Heard:
    """Notifications with the host time of their arrival."""

    def __init__(self, radio: VirtualRadio) -> None:
        self._radio = radio
        self.payloads: list[bytes] = []
        self.at_ns: list[int] = []

    def __call__(self, _: object, payload: bytearray) -> None:
        self.at_ns.append(self._radio.now_ns())
        self.payloads.append(bytes(payload))


@asynccontextmanager
async def streaming_dot(
    radio: VirtualRadio, hub: Hub, sensor: VirtualSensor, mode: int = 21
) -> AsyncIterator[tuple[BleakClient, Heard]]:
    """Subscribed and started by hand, as the DOT's specification says."""
    gatt, heard = sensor.profile.gatt, Heard(radio)
    device = await found(hub, sensor)
    async with BleakClient(device, backend=hub.client) as client:
        await client.start_notify(gatt[sensor.profile.mode_of(mode).role], heard)
        await client.write_gatt_char(gatt["measurement_control"], bytes([1, 1, mode]), response=True)
        assert await client.read_gatt_char(gatt["measurement_control"]) == bytes([1, 1, mode])
        yield client, heard
