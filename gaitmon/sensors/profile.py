"""Firmware profiles: what a sensor is, says and wants to hear, as data with evidence.

One TOML file per sensor and firmware range (firmware_profiles/, docs/adding-a-sensor.md).  A profile
that loads has been checked: no unknown key, no reference to a role that is not there, every payload
mode with an example whose bytes give the stated numbers.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from gaitmon.errors import DecodeError, ProfileError
from gaitmon.sensors.layout import SI_PER_UNIT, Decoded, HexBytes, Strict, unhex
from gaitmon.sensors.modes import MAX_PAYLOAD, Axes, Mode, ModeDecoder, decode_all, encode_mode
from gaitmon.sensors.procedures import PAYLOAD_ROLE, Patch, Procedures, Step, fill
from gaitmon.sensors.toml_lines import line_of

__all__ = [
    "Decoded",
    "FirmwareProfile",
    "Patch",
    "Procedures",
    "Step",
    "load_profile",
    "load_profiles",
    "profiles_folder",
]

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# Numbers of an example are written with the digits of a float32.
EXAMPLE_TOLERANCE = 1e-7


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
    services: tuple[Annotated[str, Field(pattern=UUID)], ...] = ()
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

    def serial_of(self, name: str | None) -> str | None:
        """The serial number in an advertised name, None where it does not say."""
        match = re.search(self.serial, name) if self.serial and name else None
        return match[1] if match else None

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


class FirmwareProfile(Strict):
    """See docs/adding-a-sensor.md for every key."""

    profile_version: Literal[1]
    name: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    firmware: str
    fit: Fit
    confidence: Literal["high", "medium", "low"]
    source: str
    quirks: tuple[str, ...] = ()
    identity: Identity
    gatt: dict[str, Annotated[str, Field(pattern=UUID)]]
    clock: Clock | None = None
    counter: Counter | None = None
    rates: Rates
    ranges: Ranges
    axes: Axes = Axes()
    battery: Battery | None = None
    procedures: Procedures
    default_mode: int
    mode: tuple[Mode, ...] = Field(min_length=1)
    example: tuple[Example, ...] = Field(min_length=1)

    def mode_of(self, mode_id: int | None = None) -> Mode:
        """None: the default one.  Raises ProfileError for a mode that the profile does not describe."""
        wanted = self.default_mode if mode_id is None else mode_id
        for mode in self.mode:
            if mode.id == wanted:
                return mode
        known = ", ".join(f"{m.id} ({m.name})" for m in self.mode)
        raise ProfileError(f"{self.name}: there is no mode {wanted}.", f"Known: {known}.")

    def decoder(self, mode_id: int | None = None, rate_hz: float | None = None) -> ModeDecoder:
        """For the notifications of one connection; raises ProfileError for an unknown mode."""
        rate = self.rates.default_hz if rate_hz is None else rate_hz
        return ModeDecoder(self.mode_of(mode_id), self.axes, rate)

    def decode(self, payloads: Sequence[bytes], mode_id: int | None = None) -> Decoded:
        """Notifications from the first of a connection on.  Raises DecodeError if any is not of the mode."""
        what = f"{self.name} mode {self.mode_of(mode_id).id}"
        return decode_all(self.decoder(mode_id), payloads, what)

    def encode(
        self, samples: Decoded, mode_id: int | None = None, *, max_payload: int = MAX_PAYLOAD
    ) -> list[bytes]:
        """What the sensor would send, at most max_payload bytes each; the inverse of decode."""
        return encode_mode(self.mode_of(mode_id), self.axes, samples, max_payload)

    def rates_of(self, mode_id: int | None = None) -> tuple[float, ...]:
        """The rates that this mode can have, Hz."""
        return self.mode_of(mode_id).rates_hz or self.rates.allowed_hz

    @model_validator(mode="after")
    def _references(self) -> Self:
        modes = {mode.id for mode in self.mode}
        if len(modes) != len(self.mode):
            raise ValueError("a mode id is there twice")
        if self.default_mode not in modes:
            raise ValueError(f"default_mode {self.default_mode} is not described")
        if missing := modes - {example.mode for example in self.example}:
            raise ValueError(f"mode {min(missing)} has no [[example]]")
        if unknown := {example.mode for example in self.example} - modes:
            raise ValueError(f"an [[example]] is of mode {min(unknown)}, which is not described")
        used = [mode.role for mode in self.mode] + [self.identity.serial_role]
        used += [step.role for _, step in self.procedures.steps()]
        for role in used:
            if role is not None and role not in {*self.gatt, PAYLOAD_ROLE}:
                raise ValueError(f"the role '{role}' is not in [gatt]")
        for name, step in self.procedures.steps():
            used_here = " ".join([step.bytes or "", *(patch.bytes for patch in step.patches)])
            for word, codes in (("{rate_code", self.rates.codes), ("{gyr_rate_code", self.rates.gyr_codes)):
                if word in used_here and not codes:
                    raise ValueError(f"{name} uses {word}}}, [rates] does not say which it is")
        for mode in self.mode:
            if wrong := set(mode.rates_hz) - set(self.rates.allowed_hz):
                raise ValueError(f"mode {mode.id}: {min(wrong):g} Hz is not among allowed_hz")
            self._check_ticks(mode)
        self._check_fit()
        return self

    def _check_ticks(self, mode: Mode) -> None:
        if mode.layout is None:
            if self.clock is None:
                raise ValueError(f"mode {mode.id}: its decoder gives a clock, [clock] says which")
            return
        for name, said in (("clock", self.clock), ("counter", self.counter)):
            fields = [field for field in mode.layout.fields if field.quantity == name]
            if bool(fields) != (said is not None):
                raise ValueError(f"mode {mode.id}: [{name}] and a {name} field belong together")
            if fields and said is not None and int(fields[0].type[1:]) != said.bits:
                raise ValueError(
                    f"mode {mode.id}: the {name} field is {fields[0].type}, [{name}] has {said.bits} bits"
                )

    def _check_fit(self) -> None:
        mode = self.mode_of()
        if self.fit is Fit.GAIT and not {"acc", "gyr"} <= set(mode.quantities):
            raise ValueError(f"fit is gait, but mode {mode.id} has no accelerometer and gyroscope")
        if self.fit is Fit.GAIT_ACCELEROMETER_ONLY and "acc" not in mode.quantities:
            raise ValueError(f"fit is gait_accelerometer_only, but mode {mode.id} has no accelerometer")
        if self.fit is not Fit.POSTURE_ONLY and max(self.rates_of()) < 50.0:
            raise ValueError(f"fit is {self.fit}, but mode {mode.id} has no rate of 50 Hz or more")


def render(
    template: str,
    profile: FirmwareProfile,
    *,
    mode: int = 0,
    rate_hz: float = 0.0,
    root: str | None = None,
) -> bytes:
    """A procedure's bytes with mode, rate and root (the address of the sensor that gives the time) filled in.

    Numbers are in the byte order of the first mode's layout.  Raises ValueError for a rate without code.
    """
    layout = profile.mode[0].layout
    code, gyr_code = profile.rates.codes_of(rate_hz)
    return fill(
        template,
        mode=mode,
        rate_hz=rate_hz,
        rate_code=code,
        gyr_rate_code=gyr_code,
        root=root,
        order="little" if layout is None else layout.endian,
    )


def load_profile(path: Path) -> FirmwareProfile:
    """Raises ProfileError naming the file and the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: not readable ({error}).", "Check the path.") from None
    try:
        profile = FirmwareProfile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path}: {error}.", "Correct the TOML.") from None
    except ValidationError as error:
        # A misspelt key is two errors, unknown and missing: the first says where to look.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        key = ".".join(str(part) for part in first["loc"]) or "profile"
        said = {"extra_forbidden": "unknown key", "missing": "it is missing"}.get(
            first["type"], first["msg"].removeprefix("Value error, ")
        )
        raise ProfileError(
            f"{path}, line {line_of(text, first['loc'])}: {key}: {said}.",
            "docs/adding-a-sensor.md describes every key.",
        ) from None
    for number, example in enumerate(profile.example, start=1):
        if complaint := _complaint(profile, example):
            line = line_of(text, ("example", number - 1))
            raise ProfileError(
                f"{path}, line {line}: example {number}: {complaint}.", "Correct it or the layout."
            )
    return profile


def profiles_folder() -> Path:
    """Where gaitmon's own profiles are: of the checkout, or of the installation.  Raises ProfileError."""
    checkout = Path(__file__).resolve().parents[2] / "firmware_profiles"
    installed = Path(sys.prefix) / "share" / "gaitmon" / "firmware_profiles"
    for folder in (checkout, installed):
        if folder.is_dir():
            return folder
    raise ProfileError(f"There is no folder of profiles: {installed}.", "Install gaitmon again.")


def load_profiles(folder: Path) -> dict[str, FirmwareProfile]:
    """Every profile of a folder by name.  Raises ProfileError when two have the same name."""
    profiles: dict[str, FirmwareProfile] = {}
    for path in sorted(folder.glob("*.toml")):
        profile = load_profile(path)
        if profile.name in profiles:
            raise ProfileError(f"{path}: the name '{profile.name}' is taken.", "Give it another one.")
        profiles[profile.name] = profile
    return profiles


def _complaint(profile: FirmwareProfile, example: Example) -> str:
    """What an example's bytes give that its numbers do not say; "" when they agree."""
    try:
        decoded = profile.decode(example.payloads, example.mode)
    except (ValueError, DecodeError) as error:
        return str(error)
    for name, wanted, found in (
        ("clock", example.clock, decoded.clock),
        ("counter", example.counter, decoded.counter),
    ):
        ticks = (wanted,) if isinstance(wanted, int) else wanted or ()
        first = [] if found is None else [int(tick) for tick in found[: len(ticks) or 1]]
        if list(ticks) != first:
            said, is_ = (values[0] if len(values) == 1 else values or None for values in (list(ticks), first))
            return f"{name} is {is_}, not {said}"
    if example.values.keys() != decoded.values.keys():
        return f"it gives {', '.join(decoded.values)}, not {', '.join(example.values)}"
    for key, rows in example.values.items():
        count = len(rows) if example.samples is None else example.samples
        if count != len(decoded):
            return f"it gives {len(decoded)} samples, not {count}"
        for wanted_row, found_row in zip(rows, decoded.values[key], strict=False):
            if len(wanted_row) != len(found_row) or not np.allclose(
                found_row, wanted_row, rtol=EXAMPLE_TOLERANCE, atol=0
            ):
                return f"{key} is {found_row.tolist()}, not {list(wanted_row)}"
    return ""
