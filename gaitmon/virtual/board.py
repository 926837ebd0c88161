"""What every virtual sensor has, whatever its firmware says: memory, measurement, battery, LED."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

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
    """mode, rate_hz: kept in flash, so they outlive a reboot.  running: whether it measures.

    identified_s: loop times at which the LED was asked to blink.  notify: sends an answer (role, value)
    that is not a sample.  start, stop: the measurement.
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


class Firmware(Protocol):
    """How one make of sensor answers.  Written after the device's description, not after the profile's
    procedures: a procedure that the real sensor would not understand must fail here too.

    services: service UUID -> role -> properties.  samples_per_packet: in the present mode and rate.
    """

    services: ClassVar[Services]

    @property
    def samples_per_packet(self) -> int: ...

    def read(self, role: str) -> bytes: ...

    def write(self, role: str, value: bytes) -> None:
        """Raises what ``refused`` returns for a value that the sensor answers with an ATT error."""

    def booted(self) -> None:
        """Power has come: what was not in flash is as it was made."""

    def disconnected(self) -> None: ...

    def packets(self, samples: Decoded) -> list[list[tuple[str, bytes]]]:
        """For each frame of samples_per_packet samples the notifications (role, value) that carry it."""


def refused(code: att.ErrorCode) -> att.ATT_Error:
    return att.ATT_Error(error_code=code)
