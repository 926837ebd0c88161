"""What to do on the link to a sensor, as steps; and the bytes of a step with everything filled in."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from gaitmon.sensors.layout import Strict

PAYLOAD_ROLE = "{payload}"  # the characteristic that notifies the chosen mode
_TOKEN = re.compile(r"\{(?P<name>[a-z_]+)(:(?P<type>[a-z0-9]+))?\}|(?P<hex>(?:[0-9a-fA-F]{2})+)")
# What may be filled in, and how it may be written; docs/adding-a-sensor.md.
_NUMBERS = ("u8", "u16", "u32")
PLACEHOLDERS: dict[str, tuple[str | None, ...]] = {
    "mode": _NUMBERS,
    "rate_hz": (*_NUMBERS, "f32", "text"),
    "rate_code": _NUMBERS,
    "gyr_rate_code": _NUMBERS,
    "root": ("address",),
    "checksum": (None,),
}
Action = Literal[
    "subscribe",
    "unsubscribe",
    "write",
    "read",
    "expect",
    "patch",
    "wait",
    "bond",
    "disconnect",
    "connect",
]
STEP_NEEDS: dict[Action, tuple[str, ...]] = {
    "subscribe": ("role",),
    "unsubscribe": ("role",),
    "write": ("role", "bytes"),
    "read": ("role",),
    "expect": ("role", "bytes"),
    "patch": ("role", "patches"),
    "wait": ("seconds",),
    "bond": (),
    "disconnect": (),
    "connect": (),
}


class Patch(Strict):
    offset: int = Field(ge=0)
    bytes: str

    @model_validator(mode="after")
    def _readable(self) -> Self:
        check_template(self.bytes)
        return self


class Step(Strict):
    """One action on the link.

    bytes: a template (fill).  write: sends them.
    read: the answer must begin with them, if given.  expect: a notification or indication of the role,
    come since the last write, must begin with them within ``seconds`` (default 5).
    patch: reads the characteristic, puts each patch's bytes at its offset, writes all back.
    bond: pairs and encrypts the link.  disconnect and connect: the link in between, see legs.
    answers: of read and expect, by how they begin: what other answers than the wanted one mean.
    """

    do: Action
    role: str | None = None
    bytes: str | None = None
    answers: dict[str, str] = Field(default_factory=dict)
    patches: tuple[Patch, ...] = ()
    seconds: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in STEP_NEEDS[self.do]:
            if not getattr(self, name):
                raise ValueError(f"{self.do} needs {name}")
        if self.answers and self.do not in ("read", "expect"):
            raise ValueError(f"{self.do} has no answers")
        for template in (self.bytes or "", *self.answers):
            check_template(template)
        return self


class Procedures(Strict):
    """Each a list of steps.  Start and stop every sensor has; the others where it can.

    probe: whether the sensor is what the profile says, first on every link.  secure: bonding, before
    anything else.  rate: before start.  battery: its last answer holds the level ([battery]).
    synchronise: the maker's own, on all sensors of a wearer, one of which gives the time, over two links
    (legs); synchronised: whether it worked; unsynchronise: its end.
    """

    secure: tuple[Step, ...] = ()
    probe: tuple[Step, ...] = ()
    rate: tuple[Step, ...] = ()
    start: tuple[Step, ...] = Field(min_length=1)
    stop: tuple[Step, ...] = Field(min_length=1)
    battery: tuple[Step, ...] = ()
    identify: tuple[Step, ...] = ()
    synchronise: tuple[Step, ...] = ()
    synchronised: tuple[Step, ...] = ()
    unsynchronise: tuple[Step, ...] = ()

    def steps(self) -> Iterator[tuple[str, int, Step]]:
        """(procedure, number in it, step) of all."""
        for name in type(self).model_fields:
            for number, step in enumerate(getattr(self, name)):
                yield name, number, step


@dataclass(frozen=True, slots=True)
class Legs:
    """What is done on a first link and on a second one, and how long the sensor is left alone between."""

    before: tuple[Step, ...]
    alone_s: float
    after: tuple[Step, ...]


def legs(steps: Sequence[Step]) -> Legs:
    """Raises ValueError when they are not: steps, disconnect, waits, connect, steps."""
    does = [step.do for step in steps]
    if does.count("disconnect") != 1 or does.count("connect") != 1:
        raise ValueError("synchronise needs one disconnect and one connect")
    off, on = does.index("disconnect"), does.index("connect")
    alone = steps[off + 1 : on]
    if off > on or any(step.do != "wait" for step in alone):
        raise ValueError("between disconnect and connect a sensor can only be waited for")
    return Legs(tuple(steps[:off]), sum(s.seconds or 0.0 for s in alone), tuple(steps[on + 1 :]))


def fill(
    template: str,
    *,
    mode: int = 0,
    rate_hz: float = 0.0,
    rate_code: int | None = None,
    gyr_rate_code: int | None = None,
    root: str | None = None,
    order: Literal["little", "big"] = "little",
) -> bytes:
    """The bytes of a template.  root: Bluetooth address of the sensor that gives the time.

    Raises ValueError when something is to be filled in that is not given or does not fit.
    """
    out = b""
    for token in _tokens(template):
        name, kind = token["name"], token["type"]
        if token["hex"]:
            out += bytes.fromhex(token["hex"])
        elif name == "checksum":  # all bytes together are 0 modulo 256
            out += bytes([-sum(out) & 0xFF])
        elif name == "root":
            if root is None:
                raise ValueError("the address of the root sensor is not given")
            out += bytes.fromhex(root.replace(":", ""))[::-1]
        elif kind == "text":
            out += f"{rate_hz:g}".encode()
        elif kind == "f32":
            out += struct.pack("<f" if order == "little" else ">f", rate_hz)
        else:
            numbers = {"mode": mode, "rate_hz": round(rate_hz)}
            number = numbers.get(name, rate_code if name == "rate_code" else gyr_rate_code)
            if number is None:
                raise ValueError(f"there is no {name} for {rate_hz:g} Hz")
            out += _number(name, number, int(kind[1:]) // 8, order)
    return out


def _number(name: str, number: int, size: int, order: Literal["little", "big"]) -> bytes:
    try:
        return number.to_bytes(size, order)
    except OverflowError:
        raise ValueError(f"{name} {number} does not fit into {size} bytes") from None


def check_template(template: str) -> None:
    """Raises ValueError for a word that is neither hex nor a placeholder."""
    for word in template.split():
        match = _TOKEN.fullmatch(word)
        if match is None or (match["name"] and match["type"] not in PLACEHOLDERS.get(match["name"], ("",))):
            known = ", ".join(
                f"{{{n}:{t}}}" if t else f"{{{n}}}" for n, types in PLACEHOLDERS.items() for t in types
            )
            raise ValueError(f"'{word}' is neither hex bytes nor one of {known}")


def _tokens(template: str) -> list[re.Match[str]]:
    check_template(template)
    return [match for match in map(_TOKEN.fullmatch, template.split()) if match is not None]
