"""Simulated people with virtual sensors on pelvis and thighs, for the demo and for trying the commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from gaitmon.model import Placement
from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.simulate import Simulated, Stand, Turn, Walk, WalkerParams, simulate
from gaitmon.virtual.backend import Hub
from gaitmon.virtual.clock import ClockModel
from gaitmon.virtual.link import LinkModel
from gaitmon.virtual.motion import Motion
from gaitmon.virtual.peripheral import VirtualSensor
from gaitmon.virtual.radio import VirtualRadio

PLACEMENTS = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
# Crystals of small sensors, and a radio with people about.
SKEW_PPM = (12.0, 35.0, -28.0)
LINK = LinkModel(pdu_error=0.01)


@dataclass(frozen=True, slots=True)
class Room:
    """sensors: powered and advertising, in the order of PLACEMENTS; they move from radio.play() on."""

    radio: VirtualRadio
    hub: Hub
    profile: FirmwareProfile
    sensors: Sequence[VirtualSensor]

    @property
    def adapters(self) -> list[AdapterSpec]:
        hub = self.hub
        return [AdapterSpec("virtual", 5, hub.scanner, hub.client, hub.adapter, recover=hub.reset)]


@asynccontextmanager
async def room(
    profile: FirmwareProfile, motions: Mapping[Placement, Motion], seed: int = 1
) -> AsyncIterator[Room]:
    """Three sensors on one person; the same addresses every time."""
    async with VirtualRadio(seed) as radio:
        hub = await radio.adapter(slots=5)
        sensors = [
            await radio.sensor(profile, motions[p], clock=ClockModel(skew_ppm=ppm), link=LINK)
            for p, ppm in zip(PLACEMENTS, SKEW_PPM, strict=True)
        ]
        yield Room(radio, hub, profile, sensors)


def motions_of(simulated: Simulated, every_s: float | None = None) -> dict[Placement, Motion]:
    """every_s: begin anew after so long."""
    moved = {p: Motion.of_simulated(simulated.streams[p]) for p in PLACEMENTS}
    return moved if every_s is None else {p: replace(m, every_s=every_s) for p, m in moved.items()}


def stroll() -> dict[Placement, Motion]:
    """A minute and a half of an ordinary walker, again and again."""
    script = (Stand(4.0), Walk(seconds=30.0), Turn(180.0, 2.2), Walk(seconds=30.0), Stand(20.0))
    return motions_of(simulate(script, WalkerParams(speed_m_s=1.2), seed=3), every_s=86.0)
