"""Are the sensors where they are said to be?  Stand, lift the left knee, walk: nothing is kept or sent."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from gaitmon.collector_sensors import Radio, Worn
from gaitmon.errors import ConfigError
from gaitmon.model import Alignment, Gap, ImuBlock, Notice, Placement, Result, Side, Stride, SyncBound
from gaitmon.pipeline import GaitPipeline
from gaitmon.sensors.ble.health import Health, LinkState
from gaitmon.sensors.ble.service import stream
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.sensors.raw import RawEvent, SessionOpened
from gaitmon.sensors.stream import EventStream
from gaitmon.sensors.stream_sensor import SensorCounts

CONNECTED_S = 60.0
LOOK_S = 0.1
# Of the turning of the two thighs while one knee is lifted: below, nobody can tell which one it was.
LIFT_RAD = 0.5
LIFT_RATIO = 2.0


class Task(StrEnum):
    STAND = "Stand still."
    LIFT = "Lift your left knee, twice or three times."
    WALK = "Walk ten steps or more, then stand."


SECONDS: Mapping[Task, float] = {Task.STAND: 6.0, Task.LIFT: 8.0, Task.WALK: 20.0}


@dataclass(frozen=True, slots=True)
class SensorCheck:
    """packet_hz: in the last seconds.  lift_rad: how far it turned in all, while the left knee was lifted.
    aligned: whether gravity was found, and, from walking, forward."""

    placement: Placement
    sensor: str
    packet_hz: float
    battery_percent: int | None
    missing_s: float
    lift_rad: float
    aligned: str


@dataclass(frozen=True, slots=True)
class Checked:
    """sync_bound_s: how far the thighs' clocks may be apart; None while it is not known.  sides: "right",
    "swapped" or "unknown".  strides: found per side.  notices: what the pipeline had to say."""

    sensors: tuple[SensorCheck, ...]
    sync_bound_s: float | None
    sides: str
    strides: dict[str, int]
    notices: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """What the streams and the pipeline have told."""

    task: Task | None = None
    turned_rad: Counter[Placement] = field(default_factory=Counter)
    strides: Counter[str] = field(default_factory=Counter)
    aligned: dict[Placement, str] = field(default_factory=dict)
    notices: dict[str, None] = field(default_factory=dict)
    sync_bound_s: float | None = None

    def block(self, block: ImuBlock) -> None:
        if self.task is Task.LIFT and block.gyr_rad_s is not None and len(block.t_s) > 1:
            step_s = float(block.t_s[-1] - block.t_s[0]) / (len(block.t_s) - 1)
            turned = float(np.linalg.norm(block.gyr_rad_s, axis=1).sum()) * step_s
            self.turned_rad[block.placement] += turned  # type: ignore[assignment]

    def results(self, results: list[Result]) -> None:
        for result in results:
            match result:
                case Stride():
                    self.strides[result.side or "unknown"] += 1
                case Alignment():
                    self.aligned[result.placement] = (
                        "upright and forward" if result.flexion_known else "upright"
                    )
                case Notice():
                    self.notices[result.text] = None

    def checked(self, health: Health, counts: Sequence[SensorCounts]) -> Checked:
        """In the end.  counts: of the decoder, for each sensor."""
        return Checked(
            sensors=tuple(
                SensorCheck(
                    s.sensor.placement, s.sensor.sensor, s.rate_hz, s.battery_percent, c.missing_s,
                    float(self.turned_rad[s.sensor.placement]), self.aligned.get(s.sensor.placement, "no"),
                )
                for s, c in zip(health.sensors, counts, strict=True)
            ),
            sync_bound_s=self.sync_bound_s,
            sides=sides_of(self.turned_rad),
            strides={side: self.strides[side] for side in (Side.LEFT, Side.RIGHT)},
            notices=tuple(self.notices),
        )  # fmt: skip


async def check(
    worn: Worn, radio: Radio, profiles: Mapping[str, FirmwareProfile], ask: Callable[[Task], None]
) -> Checked:
    """About 40 s once the sensors stream.  ask: tells the wearer what to do now.

    Raises ConfigError when the sensors do not come within a minute.
    """
    seen, latest = _Seen(), Health((), ())
    decoder = EventStream(profiles)
    pipeline = GaitPipeline(a.sensor.placement for a in worn.assignments)

    def sink(event: RawEvent) -> None:
        for item in decoder.push(event):
            if isinstance(item, SyncBound):
                seen.sync_bound_s = item.left_right_s
            if isinstance(item, ImuBlock):
                seen.block(item)
            if isinstance(item, ImuBlock | Gap | SyncBound):
                seen.results(pipeline.push(item))

    def tell(health: Health) -> None:
        nonlocal latest
        latest = health

    sensors = tuple(a.sensor for a in worn.assignments)
    sink(SessionOpened("check", worn.wearer, worn.gateway, sensors, radio.now_ns(), 0, "check"))
    task = asyncio.create_task(
        stream(
            worn.assignments, sink, adapters=radio.adapters, now_ns=radio.now_ns, tell=tell, tell_every_s=0.25
        )
    )
    try:
        await _streaming(task, lambda: latest)
        for what, seconds in SECONDS.items():
            seen.task = what
            ask(what)
            await _while_running(task, asyncio.sleep(seconds))
        health, counts = latest, decoder.counts
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    seen.results(pipeline.flush())
    return seen.checked(health, counts)


def sides_of(turned_rad: Mapping[Placement, float]) -> str:
    """From how far each thigh turned while the left knee was lifted: "right", "swapped" or "unknown"."""
    left, right = (turned_rad.get(p, 0.0) for p in (Placement.LEFT_THIGH, Placement.RIGHT_THIGH))
    if max(left, right) < LIFT_RAD or max(left, right) < LIFT_RATIO * min(left, right):
        return "unknown"
    return "right" if left > right else "swapped"


async def _streaming(task: asyncio.Task[None], health: Callable[[], Health]) -> None:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + CONNECTED_S
    while not health().sensors or any(s.state is not LinkState.STREAMING for s in health().sensors):
        await _while_running(task, asyncio.sleep(LOOK_S))
        if loop.time() > end_s:
            late = [s.sensor.placement.replace("_", " ") for s in health().sensors if s.packets == 0]
            said = [a.message for a in health().adapters if a.message]
            raise ConfigError(
                " ".join(
                    [f"Not streaming after {CONNECTED_S:.0f} s: {', '.join(late) or 'a sensor'}.", *said]
                ),
                "Charge it, wake it up, bring it near; gaitmon sensors scan shows who can be heard.",
            )


async def _while_running(task: asyncio.Task[None], wait: Awaitable[None]) -> None:
    """Wait; raises at once what has ended the streaming."""
    waiting = asyncio.ensure_future(wait)
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        task.result()
