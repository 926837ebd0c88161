"""One scanner for one adapter, shared by all sensors that are missing.

It runs only while somebody is wanted, never while a connection is being made (R1), and is started anew
whenever it may have died without a word (R17): a new sensor is missing, nobody was heard for long.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bleak import BleakAdapter, BleakScanner
from bleak.args.bluez import BlueZAdapterArgs, BlueZScannerArgs
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.faults import RETRYABLE, kind_of
from gaitmon.sensors.ble.policy import LinkPolicy


@dataclass(frozen=True, slots=True)
class Sighting:
    """heard_s: loop time.  rssi_dbm: None for a sensor that is connected already and does not advertise."""

    device: BLEDevice = field(repr=False)
    heard_s: float
    rssi_dbm: int | None


class Scanner:
    """on_heard is called with the address of a wanted sensor, in upper case, whenever it is heard."""

    def __init__(self, spec: AdapterSpec, policy: LinkPolicy, on_heard: Callable[[str], None]) -> None:
        self._spec = spec
        self._policy = policy
        self._on_heard = on_heard
        self._wanted: set[str] = set()
        self._pauses = 0
        self._heard: dict[str, Sighting] = {}
        self._last_heard_s = 0.0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._renew = False
        self.starts = 0
        self.errors: Counter[str] = Counter()
        self.problem = ""

    @property
    def scanning(self) -> bool:
        return not self._idle.is_set()

    def want(self, address: str) -> None:
        self._wanted.add(address)
        self._renew = True  # losing a sensor may be the first sign that the adapter was reset
        self._wake.set()

    def unwant(self, address: str) -> None:
        self._wanted.discard(address)
        self._heard.pop(address, None)
        self._wake.set()

    def heard(self, address: str, since_s: float) -> Sighting | None:
        """The last sighting of a wanted sensor, if it is later than since_s (loop time)."""
        sighting = self._heard.get(address)
        return sighting if sighting is not None and sighting.heard_s > since_s else None

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """While inside, nothing scans: connecting and scanning at once disturb each other."""
        self._pauses += 1
        self._wake.set()
        try:
            await self._idle.wait()
            yield
        finally:
            self._pauses -= 1
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        quiet_rounds = 0
        while True:
            while not self._due:
                self._wake.clear()
                await self._wake.wait()
            self._idle.clear()
            try:
                quiet = await self._scan()
                self.problem = ""
            except RETRYABLE as error:
                quiet = False
                self.errors[kind_of(error)] += 1
                self.problem = f"{self._spec.label} cannot scan ({kind_of(error)})."
                self._idle.set()
                await asyncio.sleep(self._policy.scan_retry_s)
            finally:
                self._idle.set()
            quiet_rounds = quiet_rounds + 1 if quiet else 0
            if quiet:
                self.errors["scanner quiet"] += 1
            if quiet_rounds > 1:
                await self._recover()

    async def _recover(self) -> None:
        if self._spec.recover is not None:
            self.errors["adapter power-cycled"] += 1
            try:
                await self._spec.recover()
            except RETRYABLE as error:
                self.errors[kind_of(error)] += 1

    @property
    def _due(self) -> bool:
        return bool(self._wanted) and not self._pauses

    async def _scan(self) -> bool:
        """One run of bleak's scanner; True if it was quiet for too long."""
        policy, loop = self._policy, asyncio.get_running_loop()
        self._renew = False
        scanner = BleakScanner(self._on_advertisement, bluez=self._bluez, backend=self._spec.scanner)
        async with asyncio.timeout(policy.attempt_s):
            await scanner.start()
        try:
            self.starts += 1
            begin_s = self._last_heard_s = next_check_s = loop.time()
            while True:
                self._wake.clear()  # before looking at what it announces: nothing is missed while we await
                now_s = loop.time()
                if not self._due or self._renew or now_s - begin_s >= policy.scan_renew_s:
                    return False
                if now_s - self._last_heard_s >= policy.scan_quiet_s:
                    return True
                if now_s >= next_check_s:
                    next_check_s = now_s + policy.connected_check_s
                    await self._look_among_connected()
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(policy.connected_check_s, policy.scan_quiet_s)):
                        await self._wake.wait()
        finally:
            with suppress(*RETRYABLE):
                await scanner.stop()

    @property
    def _bluez(self) -> BlueZScannerArgs:
        return {} if self._spec.name is None else {"adapter": self._spec.name}

    def _on_advertisement(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        now_s = self._last_heard_s = asyncio.get_running_loop().time()
        address = device.address.upper()
        if address in self._wanted:
            self._heard[address] = Sighting(device, now_s, advertisement.rssi)
            self._on_heard(address)

    async def _look_among_connected(self) -> None:
        """A sensor still connected from a run that crashed does not advertise: the host knows it (R9)."""
        bluez: BlueZAdapterArgs = {} if self._spec.name is None else {"adapter": self._spec.name}
        with suppress(NotImplementedError, *RETRYABLE):
            adapter = await BleakAdapter.get(bluez=bluez, backend=self._spec.adapter)
            for device in await adapter.get_connected_devices():
                address = device.address.upper()
                if address in self._wanted:
                    self._heard[address] = Sighting(device, asyncio.get_running_loop().time(), None)
                    self._on_heard(address)
