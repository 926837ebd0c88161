"""The demo's walks over the air: virtual sensors -> bleak -> raw archive -> pipeline -> outbox -> MQTT.

Everything but the radio waves and the person is what a gateway does with real sensors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count

from gaitmon.collector import Gateway
from gaitmon.collector_live import LiveCollector, open_live
from gaitmon.collector_run import Counts
from gaitmon.collector_sensors import Radio, Worn, gather, health_message
from gaitmon.config import Settings
from gaitmon.demo_people import Outing
from gaitmon.sensors.ble.assignment import Assignment
from gaitmon.sensors.ble.health import Health, LinkState
from gaitmon.sensors.profile import FirmwareProfile, load_profiles, profiles_folder
from gaitmon.sensors.raw import AssignedSensor
from gaitmon.virtual import warped_loop
from gaitmon.virtual.people import PLACEMENTS, Room, motions_of, room

CONNECTED_S = 60.0
SETTLE_S = 2.0  # after the walk: what is still on the air
LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Ears:
    """Who is told what, and who says when to stop."""

    heard: Callable[[Counts], None]
    cut: Callable[[], bool]


def walk_over_the_air(
    settings: Settings, gateway: Gateway, outings: Iterator[Outing], speed: float, ears: Ears
) -> None:
    """All outings one after the other, each a session, until cut."""
    every = load_profiles(profiles_folder())

    def now_ns() -> int:
        return round(asyncio.get_running_loop().time() * 1e9)

    mine = replace(settings, gateway=gateway.id)
    with (
        open_live(mine, gateway.outbox, every, monotonic_ns=now_ns) as live,
        asyncio.Runner(loop_factory=warped_loop(speed)) as runner,
    ):
        runner.run(_Walks(gateway, live, every, ears).all(outings))
        live.wait()
        ears.heard(live.counts)


class _Walks:
    def __init__(
        self, gateway: Gateway, live: LiveCollector, profiles: Mapping[str, FirmwareProfile], ears: Ears
    ) -> None:
        self._gateway, self._live, self._profiles, self._ears = gateway, live, profiles, ears
        self._streaming = False

    async def all(self, outings: Iterator[Outing]) -> None:
        for number in count(1):
            outing = next(outings, None)
            if outing is None or self._ears.cut():
                return
            profile = self._profiles[outing.profile]
            async with room(profile, motions_of(outing.walk), seed=number) as around:
                await self._one(outing, around)

    async def _one(self, outing: Outing, around: Room) -> None:
        worn = Worn(outing.wearer, self._gateway.id, assigned(around), outing.spatial)
        self._streaming = False

        def tell(health: Health) -> None:
            self._streaming = all(s.state is LinkState.STREAMING for s in health.sensors)
            self._gateway.publisher.health = health_message(worn, health)

        radio = Radio(around.adapters, around.radio.now_ns, "simulated")
        task = asyncio.create_task(gather(self._live, worn, radio, tell))
        try:
            await self._until(task, CONNECTED_S, lambda: self._streaming)
            begin_s = around.radio.play()
            loop = asyncio.get_running_loop()
            await self._until(task, begin_s + outing.walk.truth.duration_s + SETTLE_S - loop.time())
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _until(
        self, task: asyncio.Task[None], seconds: float, true: Callable[[], bool] = lambda: False
    ) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + seconds
        while not (true() or self._ears.cut() or task.done() or loop.time() >= end_s):
            self._ears.heard(self._live.counts)
            await asyncio.sleep(LOOK_S)


def assigned(around: Room) -> list[Assignment]:
    """The sensors of the room as a gateway's book would have them."""
    profile = around.profile
    mode, rate_hz = profile.default_mode, profile.rates.default_hz
    return [
        Assignment(
            AssignedSensor(f"virtual-{placement.value}", placement, profile.name, mode, rate_hz),
            profile,
            sensor.address,
        )
        for placement, sensor in zip(PLACEMENTS, around.sensors, strict=True)
    ]
