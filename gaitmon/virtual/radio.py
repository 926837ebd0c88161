"""Virtual sensors and adapters on one air, for tests and ``gaitmon demo``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import numpy as np

from gaitmon.errors import ConfigError
from gaitmon.model import Floats
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.virtual.backend import Hub
from gaitmon.virtual.board import Board, Firmware
from gaitmon.virtual.clock import ClockModel
from gaitmon.virtual.controller import RadioController, make_device
from gaitmon.virtual.dot import Dot
from gaitmon.virtual.link import Air, LinkModel
from gaitmon.virtual.motion import Motion
from gaitmon.virtual.open import Open
from gaitmon.virtual.peripheral import SensorModel, VirtualSensor
from gaitmon.virtual.polar import Polar
from gaitmon.virtual.wit import Wit

FIRMWARE: Mapping[str, Callable[[Board], Firmware]] = {
    "gaitmon-open": Open,
    "movella-dot": Dot,
    "polar-h10": Polar,
    "polar-oh1": Polar,
    "polar-verity-sense": Polar,
    "witmotion-wt901ble": Wit,
}


class VirtualRadio:
    """An async context; leaving it switches everything off.

    now_ns is the host's monotonic clock of this world: give it to the collector.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._hubs: list[Hub] = []
        self._sensors: list[VirtualSensor] = []
        self._by_address: dict[str, VirtualSensor] = {}
        self._play_from_s: float | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self.air = Air(self._seed)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for hub in self._hubs:
            for client in list(hub.connections.values()):
                await client.disconnect()
            if hub.powered:
                await hub.power_off()
        for sensor in self._sensors:
            sensor.power_off()
        for link in list(self.air.links.values()):
            link.close()
        await asyncio.sleep(0)  # what the controllers said is still on its way to their hosts
        for device in [*(hub.device for hub in self._hubs), *(sensor.device for sensor in self._sensors)]:
            await device.power_off()

    def now_ns(self) -> int:
        """Nanoseconds of the running loop's clock: what time.monotonic_ns is in the real world."""
        return round(self._loop.time() * 1e9)

    async def adapter(self, slots: int = 0, mtu: int = 517, caches: bool = True) -> Hub:
        """slots: connections that it can hold, 0 for any number.  mtu, caches: see Hub."""
        number = len(self._hubs) + 1
        chip = RadioController(self.air, f"adapter {number}", f"C0:00:00:00:00:{number:02X}", slots)
        hub = Hub(make_device(chip), chip.lose_power, mtu, caches)
        self._hubs.append(hub)
        await hub.power_on()
        return hub

    async def sensor(
        self,
        profile: FirmwareProfile,
        motion: Motion,
        *,
        name: str | None = None,
        clock: ClockModel | None = None,
        link: LinkModel | None = None,
        model: SensorModel | None = None,
    ) -> VirtualSensor:
        """Powered and advertising.  Raises ConfigError for a profile whose firmware nobody has written."""
        if profile.name not in FIRMWARE:
            raise ConfigError(
                f"There is no virtual sensor for the profile {profile.name}.",
                f"There is one for {', '.join(sorted(FIRMWARE))}.",
            )
        number = len(self._sensors) + 1
        address = f"F0:00:00:00:{number >> 8:02X}:{number & 255:02X}"
        controller = RadioController(self.air, name or _name(profile, number), address)
        self.air.models[controller.random_address] = link or LinkModel()
        sensor = VirtualSensor(
            controller,
            profile,
            motion,
            self._motion_time,
            firmware=FIRMWARE[profile.name],
            name=controller.name,
            clock=clock or ClockModel(),
            model=model or SensorModel(),
            rng=np.random.default_rng([self._seed, number]),
            others=self._by_address,
        )
        self._sensors.append(sensor)
        self._by_address[sensor.address] = sensor
        await sensor.power_on()
        return sensor

    def play(self, after_s: float = 0.5) -> float:
        """The motions begin in after_s, for all sensors at once; until then their first sample holds.

        Returns the loop time of motion time 0.  Later than after_s where a sensor has made samples ahead.
        """
        ahead_s = (sensor.ahead_s for sensor in self._sensors)
        self._play_from_s = self._loop.time() + max([after_s, *ahead_s])
        return self._play_from_s

    def _motion_time(self, true_s: Floats) -> Floats:
        from_s = np.inf if self._play_from_s is None else self._play_from_s
        return np.maximum(true_s - from_s, 0.0)


def _name(profile: FirmwareProfile, number: int) -> str:
    """As it leaves the factory: where names carry a serial number, this one's."""
    names = profile.identity.names
    return names[-1] if names else f"{profile.identity.name_prefixes[0]}{number:08X}"
