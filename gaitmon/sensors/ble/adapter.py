"""One adapter: so many slots, one connection attempt at a time (R2, R4); and the choice among several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bleak import BleakClient
from bleak.args.bluez import BlueZClientArgs
from bleak.backends.device import BLEDevice

from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.health import AdapterHealth
from gaitmon.sensors.ble.policy import LinkPolicy
from gaitmon.sensors.ble.scanner import Scanner, Sighting

LOOK_S = 0.02  # how soon it is seen that a link is there


class Adapter:
    def __init__(
        self,
        spec: AdapterSpec,
        policy: LinkPolicy,
        on_heard: Callable[[str], None],
        on_free: Callable[[], None],
    ) -> None:
        """on_free is called when a slot may have become free."""
        self.spec = spec
        self.scanner = Scanner(spec, policy, on_heard)
        self._policy = policy
        self._on_free = on_free
        self._held = 0
        self._refused_until_s = 0.0
        self._refused_at: int | None = None
        self._attempt = asyncio.Lock()
        self._queue = 0
        self._limit: asyncio.Timeout | None = None

    @property
    def name(self) -> str:
        return self.spec.name or "default"

    def has_room(self, now_s: float) -> bool:
        return self._held < self.spec.slots and now_s >= self._refused_until_s

    @property
    def free(self) -> int:
        return self.spec.slots - self._held

    def take(self) -> None:
        self._held += 1

    def release(self) -> None:
        self._held -= 1
        self._refused_until_s = 0.0
        self._on_free()

    def refuse(self, now_s: float) -> None:
        """The adapter itself said that it is full, whatever it was trusted with."""
        self._refused_until_s = now_s + self._policy.out_of_slots_s
        self._refused_at = self._held

    def full_message(self, who: str) -> str:
        """Why who waits, and what to do."""
        if self._refused_at is not None and self._refused_at < self.spec.slots:
            limit = f"refuses more than {self._refused_at} connections"
        else:
            limit = f"is set to {self.spec.slots} connections and all are in use"
        return (
            f"{self.spec.label} {limit}: {who} waits and is tried again every "
            f"{self._policy.out_of_slots_s:g} s. Use another adapter, or fewer sensors."
        )

    def client(self, device: BLEDevice, on_gone: Callable[[BleakClient], None] | None = None) -> BleakClient:
        """A new one for each attempt: one that failed can claim to be connected for good (R6)."""
        bluez: BlueZClientArgs = {} if self.spec.name is None else {"adapter": self.spec.name}
        return BleakClient(
            device,
            disconnected_callback=on_gone,
            timeout=self._policy.attempt_s,
            bluez=bluez,
            backend=self.spec.client,
        )

    async def connect(self, client: BleakClient) -> None:
        """Returns when its services are known.  Raises what bleak raises.

        One link is made at a time; while the services of one are looked up, which takes far longer, the next
        link is made.
        """
        async with asyncio.timeout(None) as limit:
            connecting = None
            try:
                async with self._attempt_alone():
                    limit.reschedule(asyncio.get_running_loop().time() + self._policy.attempt_s)
                    connecting = asyncio.ensure_future(client.connect())
                    while not (connecting.done() or client.is_connected):
                        await asyncio.wait({connecting}, timeout=LOOK_S)
                await connecting
            finally:
                if connecting is not None and not connecting.done():
                    connecting.cancel()
                    await asyncio.gather(connecting, return_exceptions=True)

    @asynccontextmanager
    async def _attempt_alone(self) -> AsyncIterator[None]:
        """Inside, this is the only connection attempt of the adapter and nothing scans.  Raises TimeoutError
        when it takes too long, sooner when others wait."""
        policy, loop = self._policy, asyncio.get_running_loop()
        self._queue += 1
        if self._limit is not None:
            soon_s = loop.time() + policy.attempt_while_others_wait_s
            self._limit.reschedule(min(soon_s, self._limit.when() or soon_s))
        try:
            async with self.scanner.paused(), self._attempt:
                alone = self._queue == 1
                patience_s = policy.attempt_s if alone else policy.attempt_while_others_wait_s
                try:
                    async with asyncio.timeout(patience_s) as self._limit:
                        yield
                finally:
                    self._limit = None
        finally:
            self._queue -= 1

    def health(self) -> AdapterHealth:
        return AdapterHealth(
            name=self.name,
            slots=self.spec.slots,
            connections=self._held,
            scanning=self.scanner.scanning,
            scans=self.scanner.starts,
            message=self.scanner.problem,
            errors=dict(self.scanner.errors),
        )


class Adapters:
    """All adapters of this process.  A missing sensor is wanted on each, and taken where there is room."""

    def __init__(self, specs: Sequence[AdapterSpec], policy: LinkPolicy) -> None:
        self._policy = policy
        self._waiting: dict[str, asyncio.Event] = {}
        self.all = [Adapter(spec, policy, self._on_heard, self._on_free) for spec in specs]

    def _on_heard(self, address: str) -> None:
        if address in self._waiting:
            self._waiting[address].set()

    def _on_free(self) -> None:
        for event in self._waiting.values():
            event.set()

    async def take(
        self, address: str, since_s: float, on_full: Callable[[Adapter], None]
    ) -> tuple[Adapter, Sighting]:
        """Wait until the sensor is heard (after since_s, loop time) by an adapter with a free slot, and take
        that slot: the caller must release() it.  on_full: it is heard, but only where there is no room."""
        loop = asyncio.get_running_loop()
        event = self._waiting[address] = asyncio.Event()
        for adapter in self.all:
            adapter.scanner.want(address)
        try:
            while True:
                event.clear()
                now_s = loop.time()
                oldest_s = max(since_s, now_s - self._policy.heard_s)
                heard = [(a, s) for a in self.all if (s := a.scanner.heard(address, oldest_s)) is not None]
                room = [(a, s) for a, s in heard if a.has_room(now_s)]
                if room:
                    adapter, sighting = max(room, key=_preference)
                    adapter.take()
                    return adapter, sighting
                if heard:
                    on_full(heard[0][0])
                await event.wait()
        finally:
            del self._waiting[address]
            for adapter in self.all:
                adapter.scanner.unwant(address)


def _preference(candidate: tuple[Adapter, Sighting]) -> tuple[bool, int, int]:
    """Where it is connected already; else where most slots are free; else where it is heard best."""
    adapter, sighting = candidate
    return sighting.rssi_dbm is None, adapter.free, sighting.rssi_dbm or 0
