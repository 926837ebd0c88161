"""Fixed byte layouts as tables: payloads to SI arrays and back, by one description.

A profile decodes for the collector and encodes for virtual sensors, so the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gaitmon.errors import DecodeError
from gaitmon.model import Floats

Ticks = NDArray[np.uint64]

WireType = Literal["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]
_NUMPY = {"u": "u", "i": "i", "f": "f"}
# What a field may carry: the key of its SI values, how many numbers, and which units are of its kind.
QUANTITIES: dict[str, tuple[str, int, frozenset[str]]] = {
    "acc": ("acc_m_s2", 3, frozenset({"m/s^2", "g", "mg"})),
    "free_acc": ("free_acc_m_s2", 3, frozenset({"m/s^2", "g", "mg"})),
    "gyr": ("gyr_rad_s", 3, frozenset({"rad/s", "deg/s"})),
    "mag": ("mag_au", 3, frozenset({"1"})),
    "quat": ("quat_wxyz", 4, frozenset({"1"})),
    "clock": ("clock", 1, frozenset({"tick"})),
    "counter": ("counter", 1, frozenset({"tick"})),
}
SI_PER_UNIT = {
    "m/s^2": 1.0,
    "g": 9.80665,
    "mg": 9.80665e-3,
    "rad/s": 1.0,
    "deg/s": pi / 180.0,
    "1": 1.0,
    "tick": 1.0,
}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LayoutField(Strict):
    """One quantity in a payload: ``SI = number on the wire * scale * unit``."""

    quantity: Literal["acc", "free_acc", "gyr", "mag", "quat", "clock", "counter"]
    offset: int = Field(ge=0)
    type: WireType
    unit: Literal["m/s^2", "g", "mg", "rad/s", "deg/s", "1", "tick"]
    scale: float = Field(default=1.0, gt=0)

    @property
    def count(self) -> int:
        return QUANTITIES[self.quantity][1]

    @property
    def key(self) -> str:
        return QUANTITIES[self.quantity][0]

    @property
    def size(self) -> int:
        return self.count * int(self.type[1:]) // 8

    @property
    def si_per_lsb(self) -> float:
        return self.scale * SI_PER_UNIT[self.unit]

    @property
    def is_ticks(self) -> bool:
        return self.unit == "tick"

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        units = QUANTITIES[self.quantity][2]
        if self.unit not in units:
            raise ValueError(f"{self.quantity} cannot be in {self.unit}; one of {', '.join(sorted(units))}")
        if self.is_ticks and (self.type[0] != "u" or self.scale != 1.0):
            raise ValueError(f"{self.quantity} must be an unsigned integer without scale")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """n notifications.  clock: ticks as sent, or None; counter likewise.

    values: key with unit (acc_m_s2, gyr_rad_s, quat_wxyz, ...) -> (n, 3) or (n, 4).  Numbers that are
    not finite on the wire are NaN.
    """

    clock: Ticks | None
    counter: Ticks | None
    values: dict[str, Floats]

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))


class Layout(Strict):
    """One notification, one sample.

    length: bytes of a notification, exactly; what no field covers is 0 when encoded, ignored when decoded.
    """

    length: int = Field(ge=1, le=512)
    endian: Literal["little", "big"] = "little"
    fields: list[LayoutField] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        taken = 0
        for field in sorted(self.fields, key=lambda f: f.offset):
            if field.offset < taken:
                raise ValueError(f"{field.quantity} at {field.offset} overlaps the field before it")
            taken = field.offset + field.size
        if taken > self.length:
            raise ValueError(f"the fields need {taken} bytes, length is {self.length}")
        names = [f.quantity for f in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("a quantity is there twice")
        if all(f.is_ticks for f in self.fields):
            raise ValueError("there is no measured quantity in it")
        return self

    def dtype(self) -> np.dtype[np.void]:
        order = "<" if self.endian == "little" else ">"
        formats = []
        for f in self.fields:
            one = f"{order}{_NUMPY[f.type[0]]}{int(f.type[1:]) // 8}"
            formats.append(one if f.count == 1 else (one, (f.count,)))
        names, offsets = [f.quantity for f in self.fields], [f.offset for f in self.fields]
        return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": self.length})

    def decode(self, payloads: Sequence[bytes], what: str = "payload") -> Decoded:
        """Raises DecodeError, and nothing else, for bytes that do not have this layout.

        A short notification is a fault of the link (MTU) or of the firmware: nothing is guessed from it.
        """
        for payload in payloads:
            if len(payload) != self.length:
                raise DecodeError(
                    f"{what}: {len(payload)} bytes where {self.length} are expected.",
                    "Check the firmware version, the payload mode and the MTU.",
                )
        if not payloads:
            raise DecodeError(f"{what}: nothing to decode.")
        table = np.frombuffer(b"".join(payloads), dtype=self.dtype())
        ticks: dict[str, Ticks] = {}
        values: dict[str, Floats] = {}
        with np.errstate(invalid="ignore", over="ignore"):
            for f in self.fields:
                if f.is_ticks:
                    ticks[f.key] = table[f.quantity].astype(np.uint64)
                else:
                    si = table[f.quantity].astype(np.float64) * f.si_per_lsb
                    values[f.key] = np.where(np.isfinite(si), si, np.nan)
        return Decoded(ticks.get("clock"), ticks.get("counter"), values)

    def encode(self, samples: Decoded) -> list[bytes]:
        """The payloads that decode to these samples, to the resolution of the wire; out of range is clipped,
        as in a sensor.  Every field must be there; ticks wrap at their width.  Raises ValueError."""
        table = np.zeros(len(samples), dtype=self.dtype())
        given: Mapping[str, Floats | Ticks | None] = {
            "clock": samples.clock,
            "counter": samples.counter,
            **samples.values,
        }
        for f in self.fields:
            value = given.get(f.key)
            if value is None:
                raise ValueError(f"{f.key} is missing")
            wire = table.dtype[f.quantity].base
            if f.is_ticks:
                table[f.quantity] = value.astype(np.uint64) & np.uint64(np.iinfo(wire).max)
                continue
            number = value / f.si_per_lsb
            if wire.kind == "f":
                table[f.quantity] = np.clip(number, np.finfo(wire).min, np.finfo(wire).max)
            elif np.isnan(number).any():
                raise ValueError(f"{f.key}: NaN cannot be sent as {f.type}")
            else:
                table[f.quantity] = np.clip(np.rint(number), np.iinfo(wire).min, np.iinfo(wire).max)
        data = table.tobytes()
        return [data[i : i + self.length] for i in range(0, len(data), self.length)]
