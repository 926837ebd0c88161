"""Which radio a pseudonymous sensor is: the only place that knows an address, and it stays on the gateway.

What the gateway must know of its wearers is here, too: it may be far from the server's registry.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from gaitmon.errors import ConfigError
from gaitmon.model import Placement
from gaitmon.model_leg import SpatialParams
from gaitmon.sensors.layout import Strict
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.sensors.raw import AssignedSensor

# A Bluetooth address, or the UUID that macOS gives instead.
Address = Annotated[str, Field(pattern=r"^([0-9A-F]{2}(:[0-9A-F]{2}){5}|[0-9A-F-]{36})$")]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One sensor to be streamed.  address: upper case; never printed, archived or sent."""

    sensor: AssignedSensor
    profile: FirmwareProfile
    address: str = field(repr=False)


def packet_hz(assignment: Assignment) -> float | None:
    """Notifications a second; None where frames are not notifications, or hold as many samples as fit."""
    mode = assignment.profile.mode_of(assignment.sensor.mode)
    if mode.layout is None or mode.framing is not None:
        return None
    return assignment.sensor.rate_hz / mode.samples


class KnownSensor(Strict):
    """mode, rate_hz: as the wearer's therapist or operator chose them, else the profile's default."""

    address: Address = Field(repr=False)
    profile: str
    mode: int
    rate_hz: float


class SensorBook(Strict):
    """The gateway's sensors by pseudonym, who wears which where, and what is known of whose leg."""

    sensors: dict[str, KnownSensor] = Field(default_factory=dict)
    worn: dict[str, dict[Placement, str]] = Field(default_factory=dict)
    legs: dict[str, SpatialParams] = Field(default_factory=dict)

    def with_sensor(self, known: KnownSensor) -> tuple[str, SensorBook]:
        """The sensor's pseudonym and the book with it.  One radio keeps one pseudonym, whoever wears it."""
        name = next((n for n, k in self.sensors.items() if k.address == known.address), None)
        name = name or f"s-{secrets.token_hex(4)}"
        return name, self.model_copy(update={"sensors": {**self.sensors, name: known}})

    def with_scanned(self, scanned: Sequence[KnownSensor]) -> tuple[list[str], SensorBook]:
        """Pseudonyms of what a scan has found, in its order.  What nobody wears nor hears is forgotten: the
        book is no list of other people's sensors."""
        worn = {name for places in self.worn.values() for name in places.values()}
        heard = {known.address for known in scanned}
        kept = {n: k for n, k in self.sensors.items() if n in worn or k.address in heard}
        book, names = self.model_copy(update={"sensors": kept}), []
        for known in scanned:
            name, book = book.with_sensor(known)
            names.append(name)
        return names, book

    def without(self, name: str) -> SensorBook:
        """The book without this wearer, or without this sensor and whoever wears it, whose leg stays known.
        Raises ConfigError."""
        if name not in self.worn and name not in self.sensors and name not in self.legs:
            raise ConfigError(f"{name} is neither a wearer nor a sensor here.", "gaitmon sensors list")
        sensors = {n: k for n, k in self.sensors.items() if n != name}
        worn = {w: p for w, p in self.worn.items() if w != name and name not in p.values()}
        legs = {w: leg for w, leg in self.legs.items() if w != name}
        return self.model_copy(update={"sensors": sensors, "worn": worn, "legs": legs})

    def with_wearer(self, wearer: str, placements: dict[Placement, str]) -> SensorBook:
        """Raises ConfigError for a sensor that is not known or would be worn twice by this wearer."""
        if unknown := set(placements.values()) - self.sensors.keys():
            raise ConfigError(
                f"{min(unknown)} is not known to this gateway.", "Scan for it: gaitmon sensors scan"
            )
        if len(set(placements.values())) < len(placements):
            raise ConfigError("One sensor cannot be worn in two places.", "Name each sensor once.")
        return self.model_copy(update={"worn": {**self.worn, wearer: dict(placements)}})

    def with_leg(self, wearer: str, spatial: SpatialParams) -> SensorBook:
        """In place of what was known before, calibration and all."""
        return self.model_copy(update={"legs": {**self.legs, wearer: spatial}})

    def leg(self, wearer: str) -> SpatialParams:
        """Assumed where nobody told it."""
        return self.legs.get(wearer, SpatialParams())

    def assignments(self, wearer: str, profiles: dict[str, FirmwareProfile]) -> list[Assignment]:
        """As assigned.  Raises ConfigError for a wearer without sensors and for a profile that is gone."""
        if wearer not in self.worn:
            raise ConfigError(
                f"{wearer} has no sensors on this gateway.",
                f"gaitmon sensors assign {wearer} --pelvis ID ...",
            )
        found = []
        for placement, name in self.worn[wearer].items():
            known = self.sensors[name]
            if known.profile not in profiles:
                raise ConfigError(f"{name} needs the profile {known.profile}, which is not there.")
            sensor = AssignedSensor(name, placement, known.profile, known.mode, known.rate_hz)
            found.append(Assignment(sensor, profiles[known.profile], known.address))
        return found


def load_book(path: Path) -> SensorBook:
    """An empty book where there is no file.  Raises ConfigError for a damaged one."""
    try:
        return SensorBook.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return SensorBook()
    except (OSError, ValidationError) as error:
        kind = type(error).__name__  # the text of a ValidationError quotes the file
        raise ConfigError(
            f"{path} cannot be read ({kind}).", "Remove it and assign the sensors again."
        ) from None


def save_book(book: SensorBook, path: Path) -> None:
    """Readable by this user alone, and whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(book.model_dump(mode="json"), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
