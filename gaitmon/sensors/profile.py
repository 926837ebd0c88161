"""Firmware profiles: what a sensor is, says and wants to hear, as data with evidence.

One TOML file per sensor and firmware range (firmware_profiles/, docs/adding-a-sensor.md).  A profile
that loads has been checked: no unknown key, no reference to a role that is not there, every payload
mode with an example whose bytes give the stated numbers.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from gaitmon.errors import DecodeError, ProfileError
from gaitmon.sensors.layout import Decoded, Strict
from gaitmon.sensors.modes import MAX_PAYLOAD, Axes, Mode, ModeDecoder, decode_all, encode_mode
from gaitmon.sensors.procedures import PAYLOAD_ROLE, Patch, Procedures, Step, fill, legs
from gaitmon.sensors.profile_parts import (
    Battery,
    Clock,
    Counter,
    Example,
    Fit,
    Identity,
    Ranges,
    Rates,
    Uuid,
)
from gaitmon.sensors.toml_lines import Where, line_of

__all__ = [
    "Battery",
    "Clock",
    "Counter",
    "Decoded",
    "Example",
    "FirmwareProfile",
    "Fit",
    "Identity",
    "Patch",
    "Procedures",
    "Ranges",
    "Rates",
    "Step",
    "load_profile",
    "load_profiles",
    "profiles_folder",
    "render",
]

# Numbers of an example are written with the digits of a float32.
EXAMPLE_TOLERANCE = 1e-7


class ContradictionError(ValueError):
    """Between two places of a profile; where: the one that is blamed."""

    def __init__(self, what: str, *where: int | str) -> None:
        super().__init__(what)
        self.where: Where = where


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
    gatt: dict[str, Uuid]
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
        modes = [mode.id for mode in self.mode]
        for k, mode_id in enumerate(modes):
            if mode_id in modes[:k]:
                raise ContradictionError(f"the mode {mode_id} is there twice", "mode", k, "id")
        if self.default_mode not in modes:
            raise ContradictionError(f"default_mode {self.default_mode} is not described", "default_mode")
        exemplified = [example.mode for example in self.example]
        for k, mode_id in enumerate(modes):
            if mode_id not in exemplified:
                raise ContradictionError(f"mode {mode_id} has no [[example]]", "mode", k)
        for k, mode_id in enumerate(exemplified):
            if mode_id not in modes:
                raise ContradictionError(
                    f"it is of mode {mode_id}, which is not described", "example", k, "mode"
                )
        self._check_roles()
        self._check_legs()
        for k, mode in enumerate(self.mode):
            if wrong := set(mode.rates_hz) - set(self.rates.allowed_hz):
                raise ContradictionError(f"{min(wrong):g} Hz is not among allowed_hz", "mode", k, "rates_hz")
            self._check_ticks(k, mode)
        self._check_fit()
        return self

    def _check_roles(self) -> None:
        used: list[tuple[str, Where]] = [(mode.role, ("mode", k, "role")) for k, mode in enumerate(self.mode)]
        if self.identity.serial_role is not None:
            used.append((self.identity.serial_role, ("identity", "serial_role")))
        for name, k, step in self.procedures.steps():
            where = ("procedures", name, k)
            if step.role is not None:
                used.append((step.role, (*where, "role")))
            filled_in = " ".join([step.bytes or "", *(patch.bytes for patch in step.patches)])
            for word, codes in (("{rate_code", self.rates.codes), ("{gyr_rate_code", self.rates.gyr_codes)):
                if word in filled_in and not codes:
                    raise ContradictionError(
                        f"{name} uses {word}}}, [rates] does not say which it is", *where
                    )
        for role, place in used:
            if role not in {*self.gatt, PAYLOAD_ROLE}:
                raise ContradictionError(f"the role '{role}' is not in [gatt]", *place)

    def _check_legs(self) -> None:
        """Only the synchronisation gives up a link and makes another; it can be asked for and ended."""
        said = self.procedures
        for name, k, step in said.steps():
            if step.do in ("disconnect", "connect") and name != "synchronise":
                raise ContradictionError(f"only synchronise may {step.do}", "procedures", name, k)
        if said.synchronise:
            where = ("procedures", "synchronise", 0)
            try:
                legs(said.synchronise)
            except ValueError as error:
                raise ContradictionError(str(error), *where) from None
            if not (said.synchronised and said.unsynchronise):
                raise ContradictionError("synchronise needs synchronised and unsynchronise", *where)

    def _check_ticks(self, k: int, mode: Mode) -> None:
        if mode.layout is None:
            if self.clock is None:
                raise ContradictionError("its decoder gives a clock, [clock] says which", "mode", k)
            return
        for name, said in (("clock", self.clock), ("counter", self.counter)):
            fields = [field for field in mode.layout.fields if field.quantity == name]
            if bool(fields) != (said is not None):
                raise ContradictionError(
                    f"mode {mode.id}: [{name}] and a {name} field belong together", "mode", k
                )
            if fields and said is not None and int(fields[0].type[1:]) != said.bits:
                raise ContradictionError(
                    f"mode {mode.id}: the {name} field is {fields[0].type}, [{name}] has {said.bits} bits",
                    *(name, "bits"),
                )

    def _check_fit(self) -> None:
        mode = self.mode_of()
        if self.fit is Fit.GAIT and not {"acc", "gyr"} <= set(mode.quantities):
            raise ContradictionError(f"mode {mode.id} has no accelerometer and gyroscope", "fit")
        if self.fit is Fit.GAIT_ACCELEROMETER_ONLY and "acc" not in mode.quantities:
            raise ContradictionError(f"mode {mode.id} has no accelerometer", "fit")
        if self.fit is not Fit.POSTURE_ONLY and max(self.rates_of()) < 50.0:
            raise ContradictionError(f"mode {mode.id} has no rate of 50 Hz or more: posture_only", "fit")


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
        cause = first.get("ctx", {}).get("error")
        where = cause.where if isinstance(cause, ContradictionError) else first["loc"]
        key = ".".join(str(part) for part in where)
        said = {"extra_forbidden": "unknown key", "missing": "it is missing"}.get(
            first["type"], first["msg"].removeprefix("Value error, ")
        )
        raise ProfileError(
            f"{path}, line {line_of(text, where)}: {key}: {said}.",
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
