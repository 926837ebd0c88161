"""Simulated people with virtual sensors on pelvis and thighs, for the demo and for trying the commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import numpy as np

from gaitmon.model import Floats, Placement
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


class Obedient:
    """A simulated person who does what ``gaitmon sensors check`` asks for."""

    def __init__(self, around: Room) -> None:
        self._room = around
        script = (Stand(1.0), Walk(seconds=14.0), Stand(10.0))
        self._walk = motions_of(simulate(script, WalkerParams(speed_m_s=1.2), seed=3))

    def act(self, task: str) -> None:
        """task: STAND, LIFT or WALK."""
        moved = self._walk
        if task != "WALK":
            moved = {
                p: _standing(m, lifts=task == "LIFT" and p is Placement.LEFT_THIGH) for p, m in moved.items()
            }
        for placement, sensor in zip(PLACEMENTS, self._room.sensors, strict=True):
            sensor.motion = moved[placement]
        self._room.radio.play(after_s=0.0)


def _standing(like: Motion, *, lifts: bool) -> Motion:
    """20 s of standing as this motion begins; the knee lifted by 70 degrees three times."""
    t: Floats = np.arange(0.0, 20.0, 0.01)
    noise = np.random.default_rng(5).standard_normal((2, len(t), 3))
    gravity = like.at(np.array([0.0]))["acc_m_s2"][0]
    axis = np.cross(gravity, np.eye(3)[int(np.argmin(np.abs(gravity)))])
    axis /= np.linalg.norm(axis)
    angle = np.zeros(len(t))
    if lifts:
        for begin_s in (1.5, 3.5, 5.5):
            phase = np.clip((t - begin_s) / 1.2, 0.0, 1.0)
            angle += np.radians(70.0) * np.sin(np.pi * phase) ** 2
    turned = gravity * np.cos(angle)[:, None] - np.cross(axis, gravity) * np.sin(angle)[:, None]
    gyr = np.gradient(angle, t)[:, None] * axis
    return Motion.of(t, turned + 0.02 * noise[0], gyr + 0.002 * noise[1])
