"""Before there is an assignment: who is there, which of them blinks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason

from gaitmon.errors import ConfigError
from gaitmon.model import Placement
from gaitmon.sensors.ble.assignment import Assignment, KnownSensor
from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.faults import RETRYABLE, LinkError, kind_of
from gaitmon.sensors.ble.policy import LinkPolicy
from gaitmon.sensors.ble.procedure import Conversation
from gaitmon.sensors.profile import FirmwareProfile, Fit
from gaitmon.sensors.raw import AssignedSensor

T = TypeVar("T")

ASK_S = 15.0
_OFF = "Switch Bluetooth on, e.g. with: bluetoothctl power on"
_DENIED = "Let this user use Bluetooth: the group bluetooth on Linux, Settings > Privacy on macOS."
_NONE = "Plug in or switch on a Bluetooth adapter; on Linux the service bluetooth must run. Or try --virtual."
_REMEDIES = {
    BleakBluetoothNotAvailableReason.POWERED_OFF: _OFF,
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: _DENIED,
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: _DENIED,
}


@dataclass(frozen=True, slots=True)
class Found:
    """A sensor that a profile recognises.  rssi_dbm: the strongest it was heard with."""

    known: KnownSensor
    name: str
    rssi_dbm: int
    spec: AdapterSpec = field(repr=False)
    device: BLEDevice = field(repr=False)


async def scan(
    profiles: Mapping[str, FirmwareProfile], adapters: Sequence[AdapterSpec], seconds: float
) -> list[Found]:
    """Everything that a profile recognises, strongest first.  Raises ConfigError where nothing can scan."""
    found: dict[str, Found] = {}

    def hear(device: BLEDevice, heard: AdvertisementData) -> None:
        makers, services = list(heard.manufacturer_data), heard.service_uuids
        name, address = heard.local_name or device.name, device.address.upper()
        match = [p for p in profiles.values() if p.identity.matches(name, makers, services)]
        before = found.get(address)
        if match and (before is None or heard.rssi > before.rssi_dbm):
            profile = match[0]
            known = KnownSensor(
                address=address, profile=profile.name, mode=profile.default_mode,
                rate_hz=profile.rates.default_hz,
            )  # fmt: skip
            found[address] = Found(known, name or profile.title, heard.rssi, spec, device)

    for spec in adapters:  # one after the other: hear() means the current one
        scanner = BleakScanner(
            hear,
            bluez={} if spec.name is None else {"adapter": spec.name},
            backend=spec.scanner,
        )
        try:
            async with scanner:
                await asyncio.sleep(seconds)
        except RETRYABLE as error:
            raise unusable(spec, error) from None
    return sorted(found.values(), key=lambda f: -f.rssi_dbm)


def unusable(spec: AdapterSpec, error: BaseException) -> ConfigError:
    """What to do about an adapter that does not scan.  bleak's own words may hold addresses."""
    if isinstance(error, BleakBluetoothNotAvailableError):
        return ConfigError(
            f"{spec.label} cannot be used ({kind_of(error)}).", _REMEDIES.get(error.reason, _NONE)
        )
    if kind_of(error) in ("NotReady", "Failed"):
        return ConfigError(f"{spec.label} is not ready.", _OFF)
    if isinstance(error, PermissionError) or kind_of(error) in ("NotAuthorized", "NotPermitted"):
        return ConfigError(f"{spec.label}: no permission.", _DENIED)
    return ConfigError(f"{spec.label} cannot scan ({kind_of(error)}).", _NONE)


async def identify(found: Found, profile: FirmwareProfile, policy: LinkPolicy | None = None) -> None:
    """The sensor blinks.  Raises ConfigError where it cannot, or does not answer."""
    if not profile.procedures.identify:
        raise ConfigError(
            f"{profile.title} cannot be told to blink.", "Hold it to the gateway: the strongest RSSI is it."
        )
    await _on_a_link(found, profile, policy or LinkPolicy(), Conversation.identify)


@dataclass(frozen=True, slots=True)
class Told:
    """What a sensor says of itself; None and "" where it does not, or cannot be reached."""

    battery_percent: int | None = None
    serial: str = ""


async def ask(found: Found, profile: FirmwareProfile) -> Told:
    """A scan goes on without an answer."""

    async def both(talk: Conversation) -> Told:
        battery, serial = await talk.battery(), ""
        with suppress(*RETRYABLE):  # what the battery said is not asked again for it
            serial = await talk.serial()
        return Told(None if battery is None else battery[0], serial)

    if profile.procedures.battery or profile.identity.serial_role:
        with suppress(ConfigError, TimeoutError):
            async with asyncio.timeout(ASK_S):
                return await _on_a_link(found, profile, LinkPolicy(), both)
    return Told()


async def _on_a_link(
    found: Found, profile: FirmwareProfile, policy: LinkPolicy, act: Callable[[Conversation], Awaitable[T]]
) -> T:
    """A few attempts, as links fail.  Raises ConfigError."""
    failed = 0
    while True:
        try:
            return await _once(found, profile, policy, act)
        except RETRYABLE as error:
            failed += 1
            if failed == policy.attempts:
                said = error.what if isinstance(error, LinkError) else f"No answer ({kind_of(error)})."
                raise ConfigError(said, "Bring it near, wake it up and try again.") from None
        await asyncio.sleep(policy.backoff())


async def _once(
    found: Found, profile: FirmwareProfile, policy: LinkPolicy, act: Callable[[Conversation], Awaitable[T]]
) -> T:
    known = found.known
    sensor = AssignedSensor("scanned", Placement.PELVIS, known.profile, known.mode, known.rate_hz)
    client = BleakClient(found.device, timeout=policy.attempt_s, backend=found.spec.client)
    talk = Conversation(client, Assignment(sensor, profile, known.address), lambda *_: None, policy)
    try:
        await client.connect()
        await talk.introduce()
        return await act(talk)
    finally:
        with suppress(*RETRYABLE):
            await client.disconnect()


def unfit(profile: FirmwareProfile) -> str:
    """Why a sensor of this profile cannot be assigned; "" when it can."""
    if profile.fit is not Fit.POSTURE_ONLY:
        return ""
    best = max(profile.rates_of())
    acc = "acc" in profile.mode_of().quantities
    why = f"at most {best:g} samples a second, 50 are needed" if acc else "no accelerometer"
    if acc and best >= 50.0:
        why = "its profile says so"
    return f"{profile.title} is good for posture only: {why}"
