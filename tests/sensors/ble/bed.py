"""A collector in a room with virtual sensors, on a loop whose time jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from typing import TypeVar

import numpy as np

from gaitmon.model import Floats, Placement
from gaitmon.sensors.ble.assignment import Assignment
from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.health import Health, LinkState
from gaitmon.sensors.ble.policy import LinkPolicy
from gaitmon.sensors.ble.service import stream
from gaitmon.sensors.layout import Ticks
from gaitmon.sensors.profile import FirmwareProfile, load_profiles
from gaitmon.sensors.raw import AssignedSensor, LinkDown, LinkUp, Notification, Stalled
from gaitmon.virtual import Hub, LinkModel, Motion, VirtualRadio, VirtualSensor, warped_loop
from tests.needs import ROOT

T = TypeVar("T")

PROFILES = load_profiles(ROOT / "firmware_profiles")
DOT = PROFILES["movella-dot"]
PLACEMENTS = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
STREAMING = LinkState.STREAMING
STILL = Motion.of(np.array([0.0, 1.0]), np.full((2, 3), 5.0), np.zeros((2, 3)))


def run(work: Coroutine[object, object, T]) -> T:
    with asyncio.Runner(loop_factory=warped_loop(inf)) as runner:
        return runner.run(work)


def now_s() -> float:
    return asyncio.get_running_loop().time()


def now_ns() -> int:
    return round(now_s() * 1e9)


@dataclass
class Bed:
    """health is the latest; events everything that the sink was handed."""

    radio: VirtualRadio
    hub: Hub
    sensors: list[VirtualSensor]
    assignments: list[Assignment]
    policy: LinkPolicy = field(default_factory=LinkPolicy)
    specs: Sequence[AdapterSpec] = ()
    events: list[LinkUp | Notification | Stalled | LinkDown] = field(default_factory=list)
    health: Health = field(default_factory=lambda: Health((), ()))

    @asynccontextmanager
    async def collecting(self) -> AsyncIterator[asyncio.Task[None]]:
        """The collector runs inside, and is stopped at the end."""

        def tell(health: Health) -> None:
            self.health = health

        task = asyncio.create_task(
            stream(
                self.assignments, self.events.append, self.policy,
                adapters=self.specs, now_ns=now_ns, tell=tell, tell_every_s=0.05,
            )
        )  # fmt: skip
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def states(self) -> list[LinkState]:
        return [sensor.state for sensor in self.health.sensors]

    async def all_stream(self, within_s: float = 10.0) -> float:
        """Seconds until every sensor streams."""
        return await self.until(lambda: self.states() == [STREAMING] * len(self.sensors), within_s)

    async def until(self, true: Callable[[], bool], within_s: float = 10.0) -> float:
        """Seconds until it is true."""
        begin_s = now_s()
        while not true():
            if now_s() - begin_s > within_s:
                raise AssertionError(f"not within {within_s} s: {self.health}")
            await asyncio.sleep(0.05)
        return now_s() - begin_s

    def ups(self, sensor: int) -> list[LinkUp]:
        return [e for e in self.events if isinstance(e, LinkUp) and e.sensor == sensor]

    def downs(self, sensor: int) -> list[LinkDown]:
        return [e for e in self.events if isinstance(e, LinkDown) and e.sensor == sensor]

    def stalls(self, sensor: int) -> list[Stalled]:
        return [e for e in self.events if isinstance(e, Stalled) and e.sensor == sensor]

    def notifications(self, sensor: int) -> list[Notification]:
        return [e for e in self.events if isinstance(e, Notification) and e.sensor == sensor]

    def first_packet_s(self, sensor: int, after_s: float) -> float:
        """Seconds from after_s (loop time) to the next packet."""
        times = (e.monotonic_ns * 1e-9 for e in self.notifications(sensor))
        return next(t for t in times if t > after_s) - after_s

    def clocks(self, sensor: int) -> Ticks:
        clock = self.assignments[sensor].profile.decode([e.payload for e in self.notifications(sensor)]).clock
        assert clock is not None
        return clock

    def gaps_s(self, sensor: int) -> Floats:
        """Steps of the sensor's clock of more than one and a half periods; a reboot is one, too."""
        assignment = self.assignments[sensor]
        assert assignment.profile.clock is not None
        ticks = self.clocks(sensor).astype(np.float64)  # exact below 2 ** 53
        steps = np.diff(ticks) * assignment.profile.clock.tick_s
        return steps[(steps < 0) | (steps > 1.5 / assignment.sensor.rate_hz)]

    def came_back(self, sensor: int) -> None:
        """One link was lost, one began, and nothing of the sensor was heard twice."""
        assert [up.connection for up in self.ups(sensor)] == [1, 2]
        assert [down.reason for down in self.downs(sensor)] == ["link lost"]
        assert self.downs(sensor)[0].monotonic_ns < self.ups(sensor)[1].monotonic_ns
        assert len(self.gaps_s(sensor)) == 1
        assert len(np.unique(self.clocks(sensor))) == len(self.clocks(sensor)), "a sample came twice"


@asynccontextmanager
async def bed(
    n: int = 3,
    *,
    slots: int = 0,
    trusted: int = 5,
    policy: LinkPolicy | None = None,
    link: LinkModel | None = None,
    profile: FirmwareProfile = DOT,
    rate_hz: float = 60.0,
) -> AsyncIterator[Bed]:
    """n sensors in the room.  slots: of the adapter's chip, 0 without limit; trusted: what the collector is
    told it has."""
    async with VirtualRadio(seed=1) as radio:
        hub = await radio.adapter(slots=slots)
        sensors = [await radio.sensor(profile, STILL, link=link) for _ in range(n)]
        mode = profile.default_mode
        assignments = [
            Assignment(
                AssignedSensor(f"s-{i:08x}", PLACEMENTS[i], profile.name, mode, rate_hz), profile, s.address
            )
            for i, s in enumerate(sensors)
        ]
        yield Bed(radio, hub, sensors, assignments, policy or LinkPolicy(), [spec_of(hub, trusted)])


def spec_of(hub: Hub, slots: int = 5, name: str = "hci0") -> AdapterSpec:
    return AdapterSpec(name, slots, hub.scanner, hub.client, hub.adapter, recover=hub.reset)
