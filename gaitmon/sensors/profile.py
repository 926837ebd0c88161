"""Firmware profiles: what a sensor is, says and wants to hear, as data with evidence.

One TOML file per sensor and firmware range (firmware_profiles/, docs/adding-a-sensor.md).  A profile
that loads has been checked: no unknown key, no reference to a role that is not there, every payload
mode with an example whose bytes give the stated numbers.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from gaitmon.errors import DecodeError, ProfileError
from gaitmon.sensors.layout import Decoded, Layout, Strict

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# Numbers of an example are written with the digits of a float32.
EXAMPLE_TOLERANCE = 1e-7

_TOKEN = re.compile(r"\{(?P<name>[a-z_]+):(?P<type>u8|u16|u32)\}|(?P<hex>(?:[0-9a-fA-F]{2})+)")
_PLACEHOLDERS = ("mode", "rate_hz")


class Fit(StrEnum):
    """What the sensor is good for in gaitmon."""

    GAIT = "gait"  # accelerometer and gyroscope at 50 Hz or more
    GAIT_ACCELEROMETER_ONLY = "gait_accelerometer_only"
    POSTURE_ONLY = "posture_only"


class Identity(Strict):
    """How the sensor is recognised in a scan.  names: user-changeable, so a hint; manufacturer_id: of the
    Bluetooth SIG; services: advertised ones.  A sensor matches by manufacturer or by name."""

    names: tuple[str, ...]
    manufacturer_id: int | None = Field(default=None, ge=0, le=0xFFFF)
    services: tuple[Annotated[str, Field(pattern=UUID)], ...] = ()

    def matches(self, name: str | None, manufacturer_ids: set[int]) -> bool:
        return name in self.names or (
            self.manufacturer_id is not None and self.manufacturer_id in manufacturer_ids
        )


class Clock(Strict):
    """The clock in the payload: ``seconds = ticks * tick_s``, wrapping at 2 ** bits."""

    bits: Literal[8, 16, 24, 32, 64]
    tick_s: float = Field(gt=0)
    epoch: Literal["power_on", "start", "unix", "unknown"]
    stamps: Literal["this_sample", "first_sample", "last_sample"]

    @property
    def wrap_s(self) -> float:
        return float(2**self.bits) * self.tick_s


class Rates(Strict):
    allowed_hz: tuple[float, ...] = Field(min_length=1)
    default_hz: float

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Self:
        if self.default_hz not in self.allowed_hz:
            raise ValueError(f"default_hz {self.default_hz} is not among allowed_hz")
        return self


class Ranges(Strict):
    """Full scale, for telling a clipped sample."""

    acc_g: float | None = None
    gyr_deg_s: float | None = None


class Step(Strict):
    """One action on one characteristic.

    bytes: hex, with {mode:u8} or {rate_hz:u16} filled in.  write: sends them.  read: the answer must
    begin with them.  patch: reads the characteristic, puts each patch's bytes at its offset, writes all back.
    """

    do: Literal["subscribe", "unsubscribe", "write", "read", "patch", "wait"]
    role: str | None = None
    bytes: str | None = None
    patches: tuple[Patch, ...] = ()
    seconds: float | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needs = {"write": ("role", "bytes"), "patch": ("role", "patches"), "wait": ("seconds",)}
        for name in needs.get(self.do, ("role",)):
            if not getattr(self, name):
                raise ValueError(f"{self.do} needs {name}")
        for template in [self.bytes or "", *(patch.bytes for patch in self.patches)]:
            _check_template(template)
        return self


class Patch(Strict):
    offset: int = Field(ge=0)
    bytes: str


class Procedures(Strict):
    """What to do on the link, each a list of steps; rate and identify where the sensor can."""

    start: tuple[Step, ...] = Field(min_length=1)
    stop: tuple[Step, ...] = Field(min_length=1)
    rate: tuple[Step, ...] = ()
    battery: tuple[Step, ...] = ()
    identify: tuple[Step, ...] = ()


class Battery(Strict):
    """Where in the battery characteristic the numbers are."""

    level_offset: int = Field(ge=0)
    charging_offset: int | None = Field(default=None, ge=0)


class Mode(Strict):
    """One payload mode.  role: the characteristic that notifies it."""

    id: int = Field(ge=0, le=255)
    name: str
    role: str
    layout: Layout
    source: str = ""


class Example(Strict):
    """A payload and the numbers it must give.  source: captured by whom, or constructed from what."""

    mode: int
    payload: str
    source: str
    clock: int | None = None
    counter: int | None = None
    values: dict[str, list[float]]


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
    rates: Rates
    ranges: Ranges
    battery: Battery | None = None
    procedures: Procedures
    default_mode: int
    mode: tuple[Mode, ...] = Field(min_length=1)
    example: tuple[Example, ...] = Field(min_length=1)

    def mode_of(self, mode_id: int) -> Mode:
        """Raises ProfileError for a mode that the profile does not describe."""
        for mode in self.mode:
            if mode.id == mode_id:
                return mode
        known = ", ".join(f"{m.id} ({m.name})" for m in self.mode)
        raise ProfileError(f"{self.name}: there is no mode {mode_id}.", f"Known: {known}.")

    def decode(self, payloads: list[bytes], mode_id: int | None = None) -> Decoded:
        """Raises DecodeError for payloads that do not have the mode's layout."""
        mode = self.mode_of(self.default_mode if mode_id is None else mode_id)
        return mode.layout.decode(payloads, f"{self.name} mode {mode.id}")

    def encode(self, samples: Decoded, mode_id: int | None = None) -> list[bytes]:
        """What the sensor would send; the inverse of decode."""
        return self.mode_of(self.default_mode if mode_id is None else mode_id).layout.encode(samples)

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
        roles = {*self.gatt, "{payload}"}
        steps = [step for steps in self.procedures.model_dump().values() for step in steps]
        used = [mode.role for mode in self.mode] + [s["role"] for s in steps if s["role"] is not None]
        for role in used:
            if role not in roles:
                raise ValueError(f"the role '{role}' is not in [gatt]")
        for mode in self.mode:
            self._check_clock(mode)
        return self

    def _check_clock(self, mode: Mode) -> None:
        fields = [field for field in mode.layout.fields if field.quantity == "clock"]
        if bool(fields) != (self.clock is not None):
            raise ValueError(f"mode {mode.id}: [clock] and a clock field belong together")
        if fields and self.clock is not None and int(fields[0].type[1:]) != self.clock.bits:
            raise ValueError(
                f"mode {mode.id}: the clock field is {fields[0].type}, [clock] has {self.clock.bits} bits"
            )


def render(template: str, profile: FirmwareProfile, *, mode: int = 0, rate_hz: float = 0) -> bytes:
    """A procedure's bytes with mode and rate filled in, in the byte order of the mode's layout."""
    values = {"mode": mode, "rate_hz": round(rate_hz)}
    order = profile.mode[0].layout.endian
    parts = []
    for token in _tokens(template):
        if token["hex"]:
            parts.append(bytes.fromhex(token["hex"]))
        else:
            parts.append(values[token["name"]].to_bytes(int(token["type"][1:]) // 8, order))
    return b"".join(parts)


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
        said = first["msg"].removeprefix("Value error, ")
        unknown = first["type"] == "extra_forbidden"
        raise ProfileError(
            f"{path}, line {_line_of(text, first['loc'])}: {key}: {'unknown key' if unknown else said}.",
            "docs/adding-a-sensor.md describes every key.",
        ) from None
    for number, example in enumerate(profile.example, start=1):
        if complaint := _complaint(profile, example):
            line = _line_of(text, ("example", number - 1))
            raise ProfileError(
                f"{path}, line {line}: example {number}: {complaint}.", "Correct it or the layout."
            )
    return profile


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
        decoded = profile.decode([bytes.fromhex(example.payload)], example.mode)
    except (ValueError, DecodeError) as error:
        return str(error)
    for name, wanted, found in (
        ("clock", example.clock, decoded.clock),
        ("counter", example.counter, decoded.counter),
    ):
        if (wanted is None) != (found is None) or (found is not None and int(found[0]) != wanted):
            return f"{name} is {None if found is None else int(found[0])}, not {wanted}"
    if example.values.keys() != decoded.values.keys():
        return f"it gives {', '.join(decoded.values)}, not {', '.join(example.values)}"
    for key, numbers in example.values.items():
        found_values = decoded.values[key][0]
        if len(numbers) != len(found_values) or not np.allclose(
            found_values, numbers, rtol=EXAMPLE_TOLERANCE, atol=0
        ):
            return f"{key} is {found_values.tolist()}, not {numbers}"
    return ""


def _tokens(template: str) -> list[Mapping[str, str]]:
    matches = [_TOKEN.fullmatch(word) for word in template.split()]
    return [match.groupdict() for match in matches if match is not None]


def _check_template(template: str) -> None:
    for word in template.split():
        match = _TOKEN.fullmatch(word)
        if match is None or (match["name"] and match["name"] not in _PLACEHOLDERS):
            raise ValueError(f"'{word}' is neither hex bytes nor {{mode:u8}} or {{rate_hz:u16}}")


def _line_of(text: str, where: tuple[int | str, ...]) -> int:
    """The line that says what pydantic complains of: the longest known beginning of its path."""
    lines: dict[tuple[int | str, ...], int] = {(): 1}
    tables: dict[tuple[int | str, ...], int] = {}  # array of tables -> how many so far
    table: tuple[int | str, ...] = ()
    inline: tuple[int | str, ...] = ()  # array of inline tables, one on each line
    items = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*(\[\[?)\s*([\w.\-]+)\s*\]", line):
            *parents, last = header[2].split(".")
            table = ()
            for name in parents:
                table = (*table, name)
                table = (*table, tables[table] - 1) if table in tables else table
            table = (*table, last)
            if header[1] == "[[":
                tables[table] = tables.get(table, 0) + 1
                table = (*table, tables[table] - 1)
            lines[table] = number
        elif key := re.match(r"\s*([\w\-]+)\s*=", line):
            inline, items = (*table, key[1]), 0
            lines[inline] = number
        elif line.lstrip().startswith("{"):
            lines[*inline, items] = number
            items += 1
    return next(lines[where[:n]] for n in range(len(where), -1, -1) if where[:n] in lines)
