"""What every virtual sensor has, whatever its firmware says: memory, measurement, battery, LED."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
from bumble import att
from bumble.gatt import Characteristic

from gaitmon.sensors.layout import Decoded
from gaitmon.sensors.profile import FirmwareProfile

READ = Characteristic.Properties.READ
WRITE = Characteristic.Properties.WRITE
WRITE_WITHOUT_RESPONSE = Characteristic.Properties.WRITE_WITHOUT_RESPONSE
NOTIFY = Characteristic.Properties.NOTIFY
INDICATE = Characteristic.Properties.INDICATE


Services = Mapping[str, Mapping[str, Characteristic.Properties]]


@dataclass
class Board:
    """mode, rate_hz: in force; 0 for a rate: as the factory set it.  running: whether it measures.

    identified_s: loop times at which the LED was asked to blink.  identify: the LED.
    start, stop: the measurement.  notify: sends an answer (role, value) that is no sample.
    max_payload: bytes of a notification on the present link.  now_s: loop time.
    follow: takes over the clock of the sensor of this address; whether there is one.
    """

    profile: FirmwareProfile
    address: bytes  # 6 bytes, most significant first
    name: str
    mode: int
    rate_hz: float
    battery_percent: int = 90
    charging: bool = False
    running: bool = False
    identified_s: list[float] = field(default_factory=list)
    start: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None
    identify: Callable[[], None] = lambda: None
    notify: Callable[[str, bytes], None] = lambda _role, _value: None
    max_payload: Callable[[], int] = lambda: 244
    now_s: Callable[[], float] = lambda: 0.0
    follow: Callable[[str], bool] = lambda _address: False


class Firmware(Protocol):
    """How one make of sensor answers.  Written after the device's description, not after the profile's
    procedures: a procedure that the real sensor would not understand must fail here too.

    services: service UUID -> role -> properties.  encrypted: roles that want an encrypted link.
    clock_at_boot_s: what the clock reads then.  samples_per_packet: in the present mode, whole frames.
    """

    services: ClassVar[Services]
    encrypted: ClassVar[frozenset[str]]
    clock_at_boot_s: ClassVar[float]

    @property
    def samples_per_packet(self) -> int: ...

    def read(self, role: str, /) -> bytes: ...

    def write(self, role: str, value: bytes) -> None:
        """Raises what ``refused`` returns for a value that the sensor answers with an ATT error."""

    def booted(self) -> None:
        """Power has come: what was not in flash is as it was made."""

    def disconnected(self) -> None: ...

    def subscribed(self, role: str, on: bool) -> None: ...

    def packets(self, samples: Decoded) -> list[list[tuple[str, bytes]]]:
        """For each samples_per_packet samples the notifications (role, value) that carry them."""


def refused(code: att.ErrorCode) -> att.ATT_Error:
    return att.ATT_Error(error_code=code)


def split(samples: Decoded, packets: int) -> list[Decoded]:
    """The same samples in so many equal parts, whole frames each."""
    parts = []
    for k in range(packets):
        piece = {key: np.array_split(value, packets)[k] for key, value in samples.values.items()}
        ticks = [
            None if ticks is None else np.array_split(ticks, packets)[k]
            for ticks in (samples.clock, samples.counter)
        ]
        parts.append(Decoded(ticks[0], ticks[1], piece))
    return parts
