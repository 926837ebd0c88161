"""The gateway with sensors on a wearer: radio -> LiveCollector, and their health for whoever wants it."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gaitmon.collector_live import LiveCollector
from gaitmon.model_leg import SpatialParams
from gaitmon.sensors.ble.assignment import Assignment
from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.connection import NowNs
from gaitmon.sensors.ble.health import Health, SensorHealth
from gaitmon.sensors.ble.service import DEFAULT, stream
from gaitmon.sensors.stream_sensor import SensorCounts
from gaitmon.transport.schema import HealthMessage, SensorHealthBody

TIME_ERROR = 5  # adjtimex(2): nothing has set this host's clock right


@dataclass(frozen=True, slots=True)
class Radio:
    """What sensors are heard with.  now_ns: clock of the events.  time_sync: of a session's UTC, "" asks the
    host.  act: has a simulated wearer do what a wearer is asked to (a Task of collector_check, by name)."""

    adapters: Sequence[AdapterSpec] = DEFAULT
    now_ns: NowNs = time.monotonic_ns
    time_sync: str = ""
    act: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Worn:
    """Who wears what, the id of the gateway that listens, and what is known of the wearer's leg."""

    wearer: str
    gateway: str
    assignments: Sequence[Assignment]
    spatial: SpatialParams = field(default_factory=SpatialParams)


async def gather(
    live: LiveCollector, worn: Worn, radio: Radio, tell: Callable[[Health], None] = lambda _: None
) -> None:
    """One session, until cancelled; then its sensors are stopped and let go, and it is closed.

    Raises what LiveCollector.sink raises: the session stays open then, and the next run goes on with it.
    """
    sensors = [assignment.sensor for assignment in worn.assignments]
    time_sync = radio.time_sync or host_time_sync()
    live.open_session(worn.wearer, worn.gateway, sensors, time_sync, worn.spatial)

    def counts_of(number: int) -> SensorCounts | None:
        counts = live.sensor_counts
        return counts[number] if number < len(counts) else None

    try:
        await stream(
            worn.assignments, live.sink, adapters=radio.adapters, now_ns=radio.now_ns,
            counts_of=counts_of, tell=tell,
        )  # fmt: skip
    except asyncio.CancelledError:
        live.close_session("stopped")
        raise


async def until_told(task: asyncio.Task[None]) -> None:
    """Wait for the task; SIGINT and SIGTERM end it in good order."""
    loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, task.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await task
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def host_time_sync() -> str:
    """ "ntp" where the kernel says that the host's clock is kept right, else "unsynchronised"."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        # struct timex has 208 bytes on 64-bit Linux; modes = 0 asks only.
        if libc.ntp_adjtime(ctypes.create_string_buffer(512)) not in (-1, TIME_ERROR):
            return "ntp"
    return "unsynchronised"


def health_message(worn: Worn, health: Health) -> HealthMessage:
    """What of a gateway's health leaves it: no address, no name."""
    return HealthMessage(
        gateway=worn.gateway,
        wearer=worn.wearer,
        at_utc_us=time.time_ns() // 1000,
        sensors=tuple(map(_body, health.sensors)),
    )


def _body(s: SensorHealth) -> SensorHealthBody:
    counts = s.counts or SensorCounts()
    wanted_s = counts.samples / s.sensor.rate_hz + counts.missing_s
    return SensorHealthBody(
        sensor=s.sensor.sensor,
        placement=s.sensor.placement.value,
        profile=s.sensor.profile,
        state=s.state.value,
        message=s.message,
        packets=s.packets,
        packet_hz=s.rate_hz,
        connections=s.connections,
        gaps=counts.gaps,
        missing_s=counts.missing_s,
        missing_share=counts.missing_s / wanted_s if wanted_s > 0.0 else None,
        packet_age_s=s.packet_age_s,
        connect_s=s.connect_s,
        drift_ppm=counts.drift_ppm,
        rssi_dbm=s.rssi_dbm,
        battery_percent=s.battery_percent,
        errors=dict(s.errors),
    )
