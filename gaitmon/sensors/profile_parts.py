"""The parts of a firmware profile that stand for themselves: who, what time, how fast, how far, examples."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gaitmon.sensors.layout import SI_PER_UNIT, HexBytes, Strict, unhex

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
Uuid = Annotated[str, Field(pattern=UUID)]


class Fit(StrEnum):
    """What the sensor is good for in gaitmon."""

    GAIT = "gait"  # accelerometer and gyroscope at 50 Hz or more
    GAIT_ACCELEROMETER_ONLY = "gait_accelerometer_only"
    POSTURE_ONLY = "posture_only"


class Identity(Strict):
    """How the sensor is recognised in a scan; each of the four is enough by itself, so name only what is.

    names: whole names; name_prefixes: beginnings; both user-changeable.  manufacturer_id: of the
    Bluetooth SIG.  services: advertised ones.
    serial: regular expression on the name whose group is the serial number; serial_role: the
    characteristic that tells it.
    """

    names: tuple[str, ...] = ()
    name_prefixes: tuple[str, ...] = ()
    manufacturer_id: int | None = Field(default=None, ge=0, le=0xFFFF)
    services: tuple[Uuid, ...] = ()
    serial: str | None = None
    serial_role: str | None = None

    def matches(
        self, name: str | None, manufacturer_ids: Collection[int], services: Collection[str] = ()
    ) -> bool:
        return (
            (name is not None and (name in self.names or name.startswith(self.name_prefixes)))
            or (self.manufacturer_id is not None and self.manufacturer_id in manufacturer_ids)
            or not {service.lower() for service in services}.isdisjoint(self.services)
        )

    def serial_in(self, name: str) -> str:
        """The serial number that an advertised name carries, "" where it has none."""
        match = re.search(self.serial, name) if self.serial else None
        return match[1] if match else ""

    @model_validator(mode="after")
    def _recognisable(self) -> Self:
        if not (self.names or self.name_prefixes or self.services) and self.manufacturer_id is None:
            raise ValueError("nothing tells the sensor: names, name_prefixes, manufacturer_id or services")
        if "" in self.name_prefixes:
            raise ValueError("an empty name prefix fits every device")
        if self.serial is not None and re.compile(self.serial).groups != 1:
            raise ValueError("serial needs exactly one group")
        return self


class Clock(Strict):
    """The clock in the payload: ``seconds = ticks * tick_s``, wrapping at 2 ** bits."""

    bits: Literal[8, 16, 24, 32, 64]
    tick_s: float = Field(gt=0)
    epoch: Literal["power_on", "start", "unix", "unknown"]
    stamps: Literal["this_sample", "first_sample", "last_sample"]

    @property
    def wrap_s(self) -> float:
        return float(2**self.bits) * self.tick_s


class Counter(Strict):
    """The counter in the payload, of samples (the first one of a frame) or of packets; wraps at 2 ** bits."""

    bits: Literal[8, 16, 32, 64]
    counts: Literal["samples", "packets"]


class Rates(Strict):
    """codes, gyr_codes: what {rate_code} and {gyr_rate_code} are for each of allowed_hz."""

    allowed_hz: tuple[float, ...] = Field(min_length=1)
    default_hz: float
    codes: tuple[int, ...] = ()
    gyr_codes: tuple[int, ...] = ()

    def codes_of(self, rate_hz: float) -> tuple[int | None, int | None]:
        """(codes, gyr_codes) at this rate, None where there are none."""
        if rate_hz not in self.allowed_hz:
            return None, None
        k = self.allowed_hz.index(rate_hz)
        return (self.codes[k] if self.codes else None, self.gyr_codes[k] if self.gyr_codes else None)

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Self:
        if self.default_hz not in self.allowed_hz:
            raise ValueError(f"default_hz {self.default_hz} is not among allowed_hz")
        for codes in filter(None, (self.codes, self.gyr_codes)):
            if len(codes) != len(self.allowed_hz):
                raise ValueError(f"{len(codes)} codes for {len(self.allowed_hz)} rates")
        return self


class Ranges(Strict):
    """Full scale as the procedures set it, for telling a clipped sample.  source: where it is from."""

    acc_g: float | None = Field(default=None, gt=0)
    gyr_deg_s: float | None = Field(default=None, gt=0)
    source: str = ""

    @property
    def acc_m_s2(self) -> float | None:
        return None if self.acc_g is None else self.acc_g * SI_PER_UNIT["g"]

    @property
    def gyr_rad_s(self) -> float | None:
        return None if self.gyr_deg_s is None else self.gyr_deg_s * SI_PER_UNIT["deg/s"]


class Battery(Strict):
    """Where the numbers are in the last answer (read or expect) of the procedure battery."""

    level_offset: int = Field(ge=0)
    charging_offset: int | None = Field(default=None, ge=0)


class Example(Strict):
    """Notifications and the numbers they must give.  source: captured by whom, or constructed from what.

    payload: hex; a list where a frame needs several.  clock, counter: of the first frame, or a list.
    values: SI; one sample, or a list of samples.  samples: how many there are, where not all are listed.
    """

    mode: int
    payload: HexBytes | Annotated[tuple[HexBytes, ...], Field(min_length=1)]
    source: str
    clock: int | tuple[int, ...] | None = None
    counter: int | tuple[int, ...] | None = None
    samples: int | None = Field(default=None, ge=1)
    values: dict[str, tuple[tuple[float, ...], ...]] = Field(min_length=1)

    @field_validator("values", mode="before")
    @classmethod
    def _one_sample_is_a_list_of_one(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        flat = {key: isinstance(v, list) and v and not isinstance(v[0], list) for key, v in given.items()}
        return {key: [v] if flat[key] else v for key, v in given.items()}

    @property
    def payloads(self) -> list[bytes]:
        return [unhex(self.payload)] if isinstance(self.payload, str) else [unhex(p) for p in self.payload]
