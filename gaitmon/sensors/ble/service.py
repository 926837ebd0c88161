"""All assigned sensors over all adapters, put together on one screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from gaitmon.errors import ConfigError
from gaitmon.sensors.ble.adapter import Adapters
from gaitmon.sensors.ble.assignment import Assignment
from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.connection import LinkEvent, LinkSink, NowNs
from gaitmon.sensors.ble.health import CountsOf, Health
from gaitmon.sensors.ble.link import Link
from gaitmon.sensors.ble.policy import LinkPolicy
from gaitmon.sensors.raw import Stalled

DEFAULT = (AdapterSpec(),)


async def stream(
    assignments: Sequence[Assignment],
    sink: LinkSink,
    policy: LinkPolicy | None = None,
    *,
    adapters: Sequence[AdapterSpec] = DEFAULT,
    now_ns: NowNs = time.monotonic_ns,
    counts_of: CountsOf = lambda _: None,
    tell: Callable[[Health], None] = lambda _: None,
    tell_every_s: float = 1.0,
) -> None:
    """Stream until cancelled; then every sensor is stopped and disconnected.

    Sensor i of the events is assignments[i].  sink is called in the notification callback, in the order of
    time; what it raises ends the streaming and is raised here.  counts_of: what decoding found, for health.
    tell: gets the health every tell_every_s.  Raises ConfigError for sensors named twice.
    """
    _check(assignments)
    rules = policy or LinkPolicy()
    radios = Adapters(adapters, rules)
    guard = _Guard(sink, now_ns)
    links = [Link(i, a, radios, rules, sink=guard, now_ns=now_ns) for i, a in enumerate(assignments)]

    def health() -> Health:
        now = now_ns()
        return Health(
            tuple(link.tally.snapshot(now, counts_of(i)) for i, link in enumerate(links)),
            tuple(adapter.health() for adapter in radios.all),
        )

    async def report() -> None:
        while True:
            tell(health())
            await asyncio.sleep(tell_every_s)

    try:
        async with asyncio.TaskGroup() as group:
            for adapter in radios.all:
                group.create_task(adapter.scanner.run())
            for link in links:
                group.create_task(link.run())
            group.create_task(guard.pulse(rules.stalled_s))
            group.create_task(report())
            group.create_task(guard.failed())
    except BaseExceptionGroup as errors:
        if guard.error is not None:
            raise guard.error from errors
        raise
    finally:
        tell(health())


class _Guard:
    """A sink that raises inside a backend's callback would be lost there; here it ends the streaming."""

    def __init__(self, sink: LinkSink, now_ns: NowNs) -> None:
        self._sink = sink
        self._now_ns = now_ns
        self._broken = asyncio.Event()
        self.error: Exception | None = None
        self._last_ns = 0

    def __call__(self, event: LinkEvent) -> None:
        if self.error is not None:
            return
        self._last_ns = event.monotonic_ns
        try:
            self._sink(event)
        except Exception as error:
            self.error = error
            self._broken.set()

    async def pulse(self, every_s: float) -> None:
        """With every sensor silent nothing would say that time passes, and what has ended stay open."""
        while True:
            await asyncio.sleep(every_s)
            if self._now_ns() - self._last_ns >= every_s * 1e9:
                self(Stalled(0, self._now_ns()))

    async def failed(self) -> None:
        await self._broken.wait()
        raise RuntimeError("the sink failed") from self.error


def _check(assignments: Sequence[Assignment]) -> None:
    for what, names in (
        ("sensor", [a.sensor.sensor for a in assignments]),
        ("radio", [a.address for a in assignments]),
    ):
        if len(set(names)) < len(names):
            raise ConfigError(f"The same {what} is assigned twice.", "Name each sensor once.")
