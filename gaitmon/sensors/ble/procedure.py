"""Runs a profile's procedures on a connected sensor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from gaitmon.sensors.ble.assignment import Assignment
from gaitmon.sensors.ble.faults import RETRYABLE, LinkError
from gaitmon.sensors.ble.policy import LinkPolicy
from gaitmon.sensors.procedures import PAYLOAD_ROLE, Step
from gaitmon.sensors.profile import render

EXPECT_S = 5.0  # where a step does not say
MISSING = "characteristics missing"

OnPayload = Callable[[BleakGATTCharacteristic, bytearray], None]


class Conversation:
    """The profile's side of one connection.  Made anew for every connection: a sensor forgets."""

    def __init__(
        self,
        client: BleakClient,
        assignment: Assignment,
        on_payload: OnPayload,
        policy: LinkPolicy,
        root: str | None = None,
    ) -> None:
        """on_payload: bleak's notification callback for the mode's characteristic.  root: address of the
        sensor that gives the time, for the maker's synchronisation."""
        self._client = client
        self._profile = assignment.profile
        self._mode = assignment.profile.mode_of(assignment.sensor.mode)
        self._rate_hz = assignment.sensor.rate_hz
        self._on_payload = on_payload
        self._policy = policy
        self._root = root
        self._subscribed: set[str] = set()
        self._answers: list[tuple[str, bytes]] | None = None  # since the last write, while one is expected
        self._answered = asyncio.Event()

    async def introduce(self) -> None:
        """Once per connection: the link is secured, the sensor is what the profile says (R8).

        Raises LinkError.  Characteristics go by UUID: handles differ between firmwares, and a host's cache
        may be of an older one.
        """
        procedures = self._profile.procedures
        await self._run(procedures.secure)
        steps = [*procedures.probe, *procedures.stop, *procedures.rate, *procedures.start]
        roles = {self._mode.role, *(s.role for s in steps if s.role is not None and s.role != PAYLOAD_ROLE)}
        services = self._client.services
        missing = sorted(r for r in roles if services.get_characteristic(self._profile.gatt[r]) is None)
        if missing:
            raise LinkError(
                MISSING,
                f"The sensor does not have {', '.join(missing)} of the profile {self._profile.name}.",
                "It is of another type, or its firmware is.",
            )
        await self._run(procedures.probe)

    async def prepare(self) -> None:
        """Stopped, whatever it did before, and at the wanted rate (R10)."""
        await self.stop()
        await self._run(self._profile.procedures.rate)

    async def start(self) -> None:
        await self._run(self._profile.procedures.start)

    async def stop(self) -> None:
        """What cannot be stopped was not running: nothing is raised but for a lost link."""
        for step in self._profile.procedures.stop:
            try:
                await self._run([step])
            except RETRYABLE:
                if not self._client.is_connected:
                    raise

    async def follow(self, steps: Sequence[Step]) -> None:
        """Steps of the profile for this link.  Raises LinkError."""
        await self._run(steps)

    async def identify(self) -> None:
        """The sensor blinks, where it can."""
        await self._run(self._profile.procedures.identify)

    async def battery(self) -> tuple[int, bool | None] | None:
        """(percent, charging), or None where the profile does not say how to ask."""
        place = self._profile.battery
        answer = await self._run(self._profile.procedures.battery)
        if place is None or answer is None or len(answer) <= place.level_offset:
            return None
        charging = place.charging_offset
        known = charging is not None and len(answer) > charging
        return answer[place.level_offset], bool(answer[charging or 0]) if known else None

    async def serial(self) -> str:
        """As it is printed on the sensor; "" where the profile does not say which characteristic has it."""
        role = self._profile.identity.serial_role
        if role is None:
            return ""
        answer = await self._step(Step(do="read", role=role))
        return (answer or b"").decode("ascii", errors="replace").strip("\0 ")

    async def _run(self, steps: Sequence[Step]) -> bytes | None:
        """The last answer.  Raises LinkError when one is not the expected one or does not come."""
        last = None
        if any(step.do == "expect" for step in steps):
            self._answers = []
        try:
            for step in steps:
                answer = await self._step(step)
                last = last if answer is None else answer
        finally:
            self._answers = None
        return last

    async def _step(self, step: Step) -> bytes | None:
        if step.do == "wait":
            await asyncio.sleep(step.seconds or 0.0)
            return None
        patience_s = (step.seconds or EXPECT_S) if step.do == "expect" else self._policy.answer_s
        if step.do == "bond":
            patience_s = self._policy.bond_s
        try:
            async with asyncio.timeout(patience_s):
                return await self._act(step)
        except TimeoutError:
            if not self._client.is_connected:
                raise
            raise LinkError(f"no answer to {step.do}", f"No answer to {step.do} of {step.role}.") from None

    async def _act(self, step: Step) -> bytes | None:
        client, uuid = self._client, self._uuid(step.role or PAYLOAD_ROLE)
        answer = None
        match step.do:
            case "subscribe":
                await self._subscribe(uuid)
            case "unsubscribe":
                if uuid in self._subscribed:
                    self._subscribed.discard(uuid)
                    await client.stop_notify(uuid)
            case "write":
                await self._write(uuid, self._render(step.bytes))
            case "read":
                answer = self._checked(step, bytes(await client.read_gatt_char(uuid)))
            case "expect":
                answer = await self._expected(uuid, step)
            case "patch":
                content = bytearray(await client.read_gatt_char(uuid))
                for patch in step.patches:
                    data = self._render(patch.bytes)
                    content[patch.offset : patch.offset + len(data)] = data
                await self._write(uuid, bytes(content))
            case "bond":
                with suppress(NotImplementedError):  # macOS bonds by itself when it has to
                    await client.pair()
            case _:  # a profile has them in synchronise alone, whose legs are followed one by one
                raise ValueError(f"{step.do} is nothing to do on a link")
        return answer

    async def _subscribe(self, uuid: str) -> None:
        """Once per connection: a second time is an error for some stacks and twice the packets for others."""
        if uuid in self._subscribed:
            return
        is_payload = uuid == self._profile.gatt[self._mode.role]

        def on_notification(characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
            if is_payload:
                self._on_payload(characteristic, data)  # takes the time first thing
            if self._answers is not None:
                self._answers.append((uuid, bytes(data)))
                self._answered.set()

        await self._client.start_notify(uuid, on_notification)
        self._subscribed.add(uuid)

    async def _expected(self, uuid: str, step: Step) -> bytes:
        beginning = self._render(step.bytes)
        while True:
            self._answered.clear()
            for sender, answer in self._answers or ():
                if sender == uuid and answer.startswith(beginning):
                    return answer
                if sender == uuid and (meaning := self._meaning(step, answer)):
                    raise LinkError(meaning, f"{meaning.capitalize()}.")
            await self._answered.wait()

    async def _write(self, uuid: str, data: bytes) -> None:
        if self._answers is not None:
            self._answers.clear()
        characteristic = self._client.services.get_characteristic(uuid)
        acknowledged = characteristic is None or "write" in characteristic.properties
        await self._client.write_gatt_char(uuid, data, response=acknowledged)

    def _checked(self, step: Step, answer: bytes) -> bytes:
        expected = self._render(step.bytes)
        if not answer.startswith(expected):
            if meaning := self._meaning(step, answer):
                raise LinkError(meaning, f"{meaning.capitalize()}.")
            raise LinkError(
                "unexpected answer",
                f"{step.role} is {answer.hex(' ')} where {expected.hex(' ')} is expected.",
                "Check the firmware against the profile.",
            )
        return answer

    def _meaning(self, step: Step, answer: bytes) -> str:
        """What the profile says that an answer other than the wanted one means."""
        told = (words for begins, words in step.answers.items() if answer.startswith(self._render(begins)))
        return next(told, "")

    def _uuid(self, role: str) -> str:
        return self._profile.gatt[self._mode.role if role == PAYLOAD_ROLE else role]

    def _render(self, template: str | None) -> bytes:
        return render(
            template or "", self._profile, mode=self._mode.id, rate_hz=self._rate_hz, root=self._root
        )
