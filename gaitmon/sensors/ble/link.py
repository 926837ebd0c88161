"""One sensor's life on the radio: wait for it, connect, start it, listen, and again."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bleak import BleakClient
from bleak.backends.device import BLEDevice

from gaitmon.sensors.ble.adapter import Adapter, Adapters
from gaitmon.sensors.ble.assignment import Assignment, packet_hz
from gaitmon.sensors.ble.connection import Connection, LinkSink, NowNs
from gaitmon.sensors.ble.faults import RETRYABLE, Failures, is_out_of_slots, kind_of
from gaitmon.sensors.ble.health import LinkState, Tally
from gaitmon.sensors.ble.policy import LinkPolicy
from gaitmon.sensors.ble.procedure import MISSING, Conversation


class Link:
    """sink gets every event at once, in the order of time, and must not raise (service.py sees to it)."""

    def __init__(
        self,
        number: int,
        assignment: Assignment,
        adapters: Adapters,
        policy: LinkPolicy,
        *,
        sink: LinkSink,
        now_ns: NowNs,
    ) -> None:
        self._number = number
        self._assignment = assignment
        self._adapters = adapters
        self._policy = policy
        self._sink = sink
        self._now_ns = now_ns
        self._failures = Failures(policy.attempts, policy.transient_errors)
        self._who = assignment.sensor.placement.replace("_", " ")
        self.tally = Tally(assignment.sensor, policy.rate_window_s, packet_hz(assignment))

    async def run(self) -> None:
        """Until cancelled; then the sensor is stopped and let go."""
        loop = asyncio.get_running_loop()
        since_s = loop.time() - self._policy.heard_s
        try:
            while True:
                self.tally.state, self.tally.adapter = LinkState.SEARCHING, None
                adapter, sighting = await self._adapters.take(
                    self._assignment.address, since_s, self._on_full
                )
                try:
                    since_s = loop.time()
                    self.tally.rssi_dbm = sighting.rssi_dbm or self.tally.rssi_dbm
                    error = await self._connection(adapter, sighting.device)
                finally:
                    adapter.release()
                if error is not None:
                    await self._after(error, adapter, sighting.device)
        finally:
            self.tally.state = LinkState.STOPPED

    def _on_full(self, adapter: Adapter) -> None:
        self.tally.state = LinkState.WAITING
        self.tally.message = adapter.full_message(self._who)

    async def _connection(self, adapter: Adapter, device: BLEDevice) -> BaseException | None:
        """From the attempt to the end of the link.  The error, if no link came about."""
        connection = Connection(self._number, self.tally, self._sink, self._now_ns)
        client = adapter.client(device, connection.on_gone)
        talk = Conversation(client, self._assignment, connection.on_payload, self._policy)
        reason = "stopped"
        try:
            await self._set_up(adapter, client, talk, connection)
            reason = await self._listen(talk, connection)
            self.tally.errors[reason] += 1
            return None
        except RETRYABLE as error:
            reason = "disconnected" if connection.gone.is_set() else kind_of(error)
            self.tally.errors[reason] += 1
            return error
        finally:
            await self._close(client, talk)
            connection.close(reason)

    async def _set_up(
        self, adapter: Adapter, client: BleakClient, talk: Conversation, connection: Connection
    ) -> None:
        tally, loop = self.tally, asyncio.get_running_loop()
        tally.state, tally.adapter = LinkState.CONNECTING, adapter.name
        tally.attempts += 1
        begin_s = loop.time()
        await adapter.connect(client)
        async with connection.limited(self._policy.procedures_s):
            await talk.introduce()
            await self._ask_battery(talk)
            await talk.prepare()
            connection.listen()
            await talk.start()
        connection.up()
        tally.connect_s = loop.time() - begin_s
        tally.state, tally.message = LinkState.STREAMING, ""
        self._failures.clear()

    async def _listen(self, talk: Conversation, connection: Connection) -> str:
        """Until the link is lost, or silent for too long: the reason."""
        policy, tally, loop = self._policy, self.tally, asyncio.get_running_loop()
        restarted, next_said_s = False, 0.0
        next_battery_s = loop.time() + policy.battery_s
        while not await _within(connection.gone, policy.look_s):
            tally.mark(self._now_ns())
            silent_s = connection.silent_s()
            if silent_s < policy.stalled_s:
                tally.state, restarted = LinkState.STREAMING, False
                if loop.time() >= next_battery_s:
                    next_battery_s = loop.time() + policy.battery_s
                    async with connection.limited(policy.close_s):
                        await self._ask_battery(talk)
                continue
            tally.state = LinkState.STALLED
            if loop.time() >= next_said_s:
                next_said_s = loop.time() + policy.stalled_s
                connection.stalled()
            if silent_s >= policy.reconnect_s:
                return "silent"
            if silent_s >= policy.restart_s and not restarted:
                restarted = True
                tally.errors["restarted"] += 1
                with suppress(*RETRYABLE):
                    async with connection.limited(policy.reconnect_s - policy.restart_s):
                        await talk.prepare()
                        await talk.start()
        return "link lost"

    async def _ask_battery(self, talk: Conversation) -> None:
        """A sensor that does not tell is no reason to give up its stream."""
        with suppress(*RETRYABLE):
            if (battery := await talk.battery()) is not None:
                self.tally.battery_percent, self.tally.charging = battery

    async def _close(self, client: BleakClient, talk: Conversation) -> None:
        """Leave the sensor stopped and free; the host does not disconnect by itself (R9).  Also when the link
        is lost: bleak's client for BlueZ keeps its connection to the D-Bus until it is told to disconnect."""
        if client.is_connected:
            with suppress(*RETRYABLE):
                async with asyncio.timeout(self._policy.close_s):
                    await talk.stop()
        with suppress(*RETRYABLE):
            async with asyncio.timeout(self._policy.close_s):
                await client.disconnect()

    async def _after(self, error: BaseException, adapter: Adapter, device: BLEDevice) -> None:
        """Wait as long as this failure deserves, and after a round have the host forget the sensor."""
        if is_out_of_slots(error):
            adapter.refuse(asyncio.get_running_loop().time())
            self._on_full(adapter)
            return
        self.tally.message = f"{self._who}: not connected ({kind_of(error)}); it is tried again."
        round_is_over = self._failures.count(error)
        if round_is_over or kind_of(error) == MISSING:
            await self._forget(adapter, device)
        await asyncio.sleep(self._policy.round_pause() if round_is_over else self._policy.backoff())

    async def _forget(self, adapter: Adapter, device: BLEDevice) -> None:
        """What the host believes may be wrong: a phantom connection, an old list of services, a lost key (R7,
        R8).  The bond goes with it; the procedure "secure" makes a new one."""
        with suppress(NotImplementedError, *RETRYABLE):
            async with asyncio.timeout(self._policy.close_s):
                await adapter.client(device).unpair()  # BlueZ: RemoveDevice


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came within these seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
