"""The maker's own synchronisation: all sensors of a wearer are told, left alone, and asked (R23).

gaitmon collect does without (ADR 10); recordings that sensors make by themselves cannot be compared without.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from bleak import BleakClient

from gaitmon.errors import ConfigError
from gaitmon.sensors.ble.adapter import Adapter, Adapters
from gaitmon.sensors.ble.assignment import Assignment
from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.faults import RETRYABLE, LinkError, kind_of
from gaitmon.sensors.ble.policy import LinkPolicy
from gaitmon.sensors.ble.procedure import Conversation
from gaitmon.sensors.procedures import Procedures, Step, legs
from gaitmon.sensors.raw import AssignedSensor

T = TypeVar("T")

REACH_S = 30.0  # for a sensor to be heard


@dataclass(frozen=True, slots=True)
class SyncResult:
    """problem: in words why this sensor is not synchronised; "" when it is."""

    sensor: AssignedSensor
    problem: str


async def synchronise(
    assignments: Sequence[Assignment], adapters: Sequence[AdapterSpec], policy: LinkPolicy | None = None
) -> list[SyncResult]:
    """All sensors or none: where one fails, it is ended on the others.  The first gives the time.

    Half a minute for three Movella DOTs.  All are connected at once while they are told.  Raises ConfigError
    for sensors that cannot be synchronised with each other, and for too few slots.
    """
    said = _procedures(assignments)
    if sum(spec.slots for spec in adapters) < len(assignments):
        raise ConfigError(
            f"{len(assignments)} sensors must be connected at once to be synchronised.",
            "Use another adapter, or more of them.",
        )
    way = legs(said.synchronise)
    async with _visits(assignments, adapters, policy) as visits:
        problems = await _each(visits, _Visit.arrive)
        if not (told := not any(problems)):
            others = "nothing was done: not all sensors were reached"
        else:
            # Their clocks are compared on the air from here on: all at once.
            problems = await _each(visits, lambda v: v.begin(way.before))
            await _each(visits, _Visit.leave)
            others = "ended again: not all sensors could be synchronised"
        if not any(problems):
            await asyncio.sleep(way.alone_s)
            problems = await _each(visits, lambda v: v.pay([*way.after, *said.synchronised]))
        if not any(problems):
            return _results(assignments, problems)
        if told:
            await _each(visits, lambda v: v.pay(said.unsynchronise))
    return _results(assignments, [problem or others for problem in problems])


async def synchronised(
    assignments: Sequence[Assignment], adapters: Sequence[AdapterSpec], policy: LinkPolicy | None = None
) -> list[SyncResult]:
    """What each sensor answers now: one without power since has forgotten it.  Raises ConfigError."""
    return await _ask_all(assignments, adapters, policy, _procedures(assignments).synchronised)


async def unsynchronise(
    assignments: Sequence[Assignment], adapters: Sequence[AdapterSpec], policy: LinkPolicy | None = None
) -> list[SyncResult]:
    """Ends it on every sensor that is reached; problem: why on this one not.  Raises ConfigError."""
    return await _ask_all(assignments, adapters, policy, _procedures(assignments).unsynchronise)


async def _ask_all(
    assignments: Sequence[Assignment],
    adapters: Sequence[AdapterSpec],
    policy: LinkPolicy | None,
    steps: Sequence[Step],
) -> list[SyncResult]:
    async with _visits(assignments, adapters, policy) as visits:
        return _results(assignments, await _each(visits, lambda v: v.pay(steps)))


def _procedures(assignments: Sequence[Assignment]) -> Procedures:
    """Of all of them."""
    kinds = {a.profile.name: a.profile for a in assignments}
    if len(assignments) < 2 or len(kinds) > 1:
        raise ConfigError(
            "A maker's synchronisation is between two or more sensors of one kind.",
            "gaitmon sensors list shows what is assigned.",
        )
    (profile,) = kinds.values()
    if not profile.procedures.synchronise:
        raise ConfigError(
            f"{profile.title} has no synchronisation of its own.",
            "gaitmon collect needs none: it maps the sensors' clocks itself.",
        )
    if any(":" not in a.address for a in assignments):
        raise ConfigError(
            "This system does not tell the sensors' Bluetooth addresses, which the procedure needs.",
            "Synchronise them on Linux or Windows, or in the maker's app.",
        )
    return profile.procedures


def _results(assignments: Sequence[Assignment], problems: Sequence[str]) -> list[SyncResult]:
    return [SyncResult(a.sensor, problem) for a, problem in zip(assignments, problems, strict=True)]


class _Visit:
    """One sensor, gone to several times, each time on a new link."""

    def __init__(self, assignment: Assignment, radios: Adapters, policy: LinkPolicy, root: str) -> None:
        self._assignment = assignment
        self._radios = radios
        self._policy = policy
        self._root = root
        self._since_s = asyncio.get_running_loop().time() - policy.heard_s
        self._full = ""
        self._adapter: Adapter | None = None
        self._client: BleakClient | None = None
        self._talk: Conversation | None = None

    async def arrive(self) -> None:
        """Connected, and it is what the profile says.  Raises LinkError and what bleak raises."""
        self._talk = await self._patiently(self._connect)

    async def begin(self, steps: Sequence[Step]) -> None:
        """On the link there is; stopped and at its rate, which cannot be changed any more afterwards."""
        if self._talk is not None:
            async with asyncio.timeout(self._policy.procedures_s):
                await self._talk.prepare()
                await self._talk.follow(steps)

    async def pay(self, steps: Sequence[Step]) -> None:
        """A visit for these steps, again from the start where the link fails."""

        async def once() -> None:
            talk = await self._connect()
            async with asyncio.timeout(self._policy.procedures_s):
                await talk.follow(steps)

        await self._patiently(once)
        await self.leave()

    async def leave(self) -> None:
        if self._client is not None:
            with suppress(*RETRYABLE):
                async with asyncio.timeout(self._policy.close_s):
                    await self._client.disconnect()
        if self._adapter is not None:
            self._adapter.release()
        self._client = self._adapter = self._talk = None
        self._since_s = asyncio.get_running_loop().time()

    async def _patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        """What a sensor has said is said; what a link has lost is tried again."""
        failed = 0
        while True:
            try:
                return await act()
            except RETRYABLE as error:
                await self.leave()
                failed += 1
                if isinstance(error, LinkError) or failed == self._policy.attempts:
                    raise
            await asyncio.sleep(self._policy.backoff())

    async def _connect(self) -> Conversation:
        address = self._assignment.address
        try:
            async with asyncio.timeout(REACH_S):
                self._adapter, sighting = await self._radios.take(address, self._since_s, self._on_full)
        except TimeoutError:
            raise LinkError("not heard", self._full or f"It was not heard for {REACH_S:g} s.") from None
        self._client = self._adapter.client(sighting.device)
        talk = Conversation(self._client, self._assignment, lambda *_: None, self._policy, self._root)
        await self._adapter.connect(self._client)
        await talk.introduce()
        return talk

    def _on_full(self, adapter: Adapter) -> None:
        self._full = adapter.full_message("it")


@asynccontextmanager
async def _visits(
    assignments: Sequence[Assignment], adapters: Sequence[AdapterSpec], policy: LinkPolicy | None
) -> AsyncIterator[list[_Visit]]:
    """Inside, the scanners run; at the end no sensor stays connected."""
    rules = policy or LinkPolicy()
    radios = Adapters(adapters, rules)
    scanners = [asyncio.create_task(adapter.scanner.run()) for adapter in radios.all]
    visits = [_Visit(a, radios, rules, assignments[0].address) for a in assignments]
    try:
        yield visits
    finally:
        await _each(visits, _Visit.leave)
        for scanner in scanners:
            scanner.cancel()
        await asyncio.gather(*scanners, return_exceptions=True)


async def _each(visits: Sequence[_Visit], act: Callable[[_Visit], Awaitable[None]]) -> list[str]:
    """At the same time; in words what went wrong with each, "" for nothing."""

    async def problem(visit: _Visit) -> str:
        try:
            await act(visit)
        except LinkError as error:
            return error.what.rstrip(".")
        except RETRYABLE as error:
            return f"not reached ({kind_of(error)})"
        return ""

    return list(await asyncio.gather(*map(problem, visits)))
