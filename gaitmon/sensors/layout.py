"""Fixed byte layouts as tables: frames to SI arrays and back, by one description.

A profile decodes for the collector and encodes for virtual sensors, so the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import pi
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gaitmon.model import Bools, Floats

Ticks = NDArray[np.uint64]

HEX = r"^\s*([0-9a-fA-F]{2}\s*)+$"
HexBytes = Annotated[str, Field(pattern=HEX)]
WireType = Literal["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]
Quantity = Literal["acc", "free_acc", "gyr", "mag", "quat", "euler", "clock", "counter"]
Unit = Literal["m/s^2", "g", "mg", "rad/s", "deg/s", "rad", "deg", "1", "tick"]
# What a field may carry: the key of its SI values, how many numbers, and which units are of its kind.
QUANTITIES: dict[str, tuple[str, int, frozenset[str]]] = {
    "acc": ("acc_m_s2", 3, frozenset({"m/s^2", "g", "mg"})),
    "free_acc": ("free_acc_m_s2", 3, frozenset({"m/s^2", "g", "mg"})),
    "gyr": ("gyr_rad_s", 3, frozenset({"rad/s", "deg/s"})),
    "mag": ("mag_au", 3, frozenset({"1"})),
    "quat": ("quat_wxyz", 4, frozenset({"1"})),
    "euler": ("euler_rad", 3, frozenset({"rad", "deg"})),
    "clock": ("clock", 1, frozenset({"tick"})),
    "counter": ("counter", 1, frozenset({"tick"})),
}
SI_PER_UNIT = {
    "m/s^2": 1.0,
    "g": 9.80665,
    "mg": 9.80665e-3,
    "rad/s": 1.0,
    "deg/s": pi / 180.0,
    "rad": 1.0,
    "deg": pi / 180.0,
    "1": 1.0,
    "tick": 1.0,
}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LayoutField(Strict):
    """One quantity in a frame: ``SI = number on the wire * scale * unit``.

    offset: of clock and counter in the frame, of everything measured in its sample (Layout).
    """

    quantity: Quantity
    offset: int = Field(ge=0)
    type: WireType
    unit: Unit
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


class Constant(Strict):
    """Bytes that every frame has at this place; others are another frame."""

    offset: int = Field(ge=0)
    bytes: HexBytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Bytes that are not what the profile says.  index: of the notification, or frame, in what was pushed."""

    index: int
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """f frames of s samples each (Mode.samples), n = f * s samples in all, in order.

    clock: (f,) ticks as sent, or None; counter likewise.
    values: key with unit (acc_m_s2, gyr_rad_s, quat_wxyz, ...) -> (n, 3) or (n, 4).  Numbers that are
    not finite on the wire are NaN.
    """

    clock: Ticks | None
    counter: Ticks | None
    values: dict[str, Floats]

    def __len__(self) -> int:
        """n, the number of samples."""
        return len(next(iter(self.values.values())))


class Layout(Strict):
    """One frame: a header, then ``samples`` samples of sample_length bytes each.

    length: bytes of a frame, exactly; what no field covers is 0 when encoded, ignored when decoded.
    order: "interleaved", one sample after the other, or "planar", all acc, then all gyr, ...: the block
    of a field with offset o then begins at header + samples * o.
    With one sample and no header, which is the default, every offset simply counts from the frame's start.
    """

    length: int = Field(ge=1, le=512)
    endian: Literal["little", "big"] = "little"
    header: int = Field(default=0, ge=0)
    samples: int = Field(default=1, ge=1, le=128)
    sample_length: int | None = Field(default=None, ge=1)
    order: Literal["interleaved", "planar"] = "interleaved"
    constants: tuple[Constant, ...] = ()
    fields: list[LayoutField] = Field(min_length=1)

    @property
    def quantities(self) -> tuple[str, ...]:
        """acc, gyr, ...: what is measured."""
        return tuple(f.quantity for f in self.fields if not f.is_ticks)

    @property
    def sample_bytes(self) -> int:
        return self.sample_length or self.length - self.header

    def places(self, field: LayoutField) -> list[range]:
        """The bytes of a field in the frame, one range for each sample; one only for clock and counter."""
        if field.is_ticks:
            return [range(field.offset, field.offset + field.size)]
        if self.order == "planar":
            first, step = self.header + self.samples * field.offset, field.size
        else:
            first, step = self.header + field.offset, self.sample_bytes
        return [range(first + k * step, first + k * step + field.size) for k in range(self.samples)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.samples > 1 and self.sample_length is None:
            raise ValueError("more than one sample needs sample_length, the bytes of one")
        for f in self.fields:
            if not f.is_ticks and f.offset + f.size > self.sample_bytes:
                raise ValueError(
                    f"the fields need {f.offset + f.size} bytes, "
                    + (f"length is {self.length}" if self.sample_length is None else "sample_length is less")
                )
        taken: dict[int, str] = {}
        for name, places in [
            *(("constants", [range(c.offset, c.offset + len(unhex(c.bytes)))]) for c in self.constants),
            *((f.quantity, self.places(f)) for f in sorted(self.fields, key=lambda f: f.offset)),
        ]:
            for byte in (byte for place in places for byte in place):
                if byte in taken:
                    raise ValueError(f"{name} at {places[0].start} overlaps {taken[byte]}")
                taken[byte] = name
        if max(taken) >= self.length:
            raise ValueError(f"the fields need {max(taken) + 1} bytes, length is {self.length}")
        names = [f.quantity for f in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("a quantity is there twice")
        if all(f.is_ticks for f in self.fields):
            raise ValueError("there is no measured quantity in it")
        return self

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """Of one frame: ticks under their name, measured quantities (samples, count) under theirs."""
        order = "<" if self.endian == "little" else ">"
        names, formats, offsets = ["frame"], [np.dtype((np.uint8, (self.length,)))], [0]

        def wire(f: LayoutField) -> np.dtype[np.void]:
            one = f"{order}{f.type[0]}{int(f.type[1:]) // 8}"
            return np.dtype(one if f.is_ticks else (one, (f.count,)))

        measured = [f for f in self.fields if not f.is_ticks]
        for f in self.fields:
            if f.is_ticks or self.order == "planar":
                names.append(f.quantity)
                formats.append(wire(f) if f.is_ticks else np.dtype((wire(f), (self.samples,))))
                offsets.append(self.places(f)[0].start)
        if self.order == "interleaved":
            sample = np.dtype(
                {
                    "names": [f.quantity for f in measured],
                    "formats": [wire(f) for f in measured],
                    "offsets": [f.offset for f in measured],
                    "itemsize": self.sample_bytes,
                }
            )
            names.append("sample")
            formats.append(np.dtype((sample, (self.samples,))))
            offsets.append(self.header)
        return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": self.length})

    def _column(self, table: NDArray[np.void], f: LayoutField) -> NDArray[np.void]:
        """A view: (frames,) of ticks, (frames, samples, count) of what is measured."""
        inner = not f.is_ticks and self.order == "interleaved"
        view: NDArray[np.void] = table["sample"][f.quantity] if inner else table[f.quantity]
        return view

    def wrong(self, frame: bytes) -> str:
        """Why this is no such frame; "" when it is one."""
        if len(frame) != self.length:
            return f"{len(frame)} bytes where {self.length} are expected"
        for c in self.constants:
            wanted = unhex(c.bytes)
            found = frame[c.offset : c.offset + len(wanted)]
            if found != wanted:
                return f"{found.hex(' ')} at byte {c.offset} where {wanted.hex(' ')} is expected"
        return ""

    def fitting(self, frames: Sequence[bytes]) -> Bools:
        """Which frames have this layout, (len(frames),): the same answer as ``wrong``, for many."""
        lengths = np.fromiter(map(len, frames), dtype=np.int64, count=len(frames))
        fits: Bools = lengths == self.length
        if not self.constants or not fits.any():
            return fits
        joined = b"".join(frames) if fits.all() else b"".join(f for f in frames if len(f) == self.length)
        table = np.frombuffer(joined, dtype=np.uint8).reshape(-1, self.length)
        good = np.ones(len(table), dtype=np.bool_)
        for c in self.constants:
            wanted = np.frombuffer(unhex(c.bytes), dtype=np.uint8)
            good &= (table[:, c.offset : c.offset + len(wanted)] == wanted).all(axis=1)
        fits[fits] = good
        return fits

    def decoder(self, rate_hz: float) -> LayoutDecoder:  # noqa: ARG002  # as the decoders in code
        return LayoutDecoder(self)

    def decode_fitting(self, frames: Sequence[bytes]) -> Decoded:
        """frames: at least one, all of which fit."""
        table = np.frombuffer(b"".join(frames), dtype=self.dtype)
        ticks: dict[str, Ticks] = {}
        values: dict[str, Floats] = {}
        with np.errstate(invalid="ignore", over="ignore"):
            for f in self.fields:
                column = self._column(table, f)
                if f.is_ticks:
                    ticks[f.key] = column.astype(np.uint64)
                    continue
                si = column.astype(np.float64).reshape(-1, f.count) * f.si_per_lsb
                if f.type[0] == "f":
                    si[~np.isfinite(si)] = np.nan
                values[f.key] = si
        return Decoded(ticks.get("clock"), ticks.get("counter"), values)

    def encode(self, samples: Decoded) -> list[bytes]:
        """The frames that decode to these samples, to the resolution of the wire; out of range is clipped,
        as in a sensor.  Every field must be there; ticks wrap at their width.  Raises ValueError."""
        frames, rest = divmod(len(samples), self.samples)
        if rest:
            raise ValueError(f"{len(samples)} samples are not frames of {self.samples}")
        table = np.zeros(frames, dtype=self.dtype)
        for c in self.constants:
            wanted = np.frombuffer(unhex(c.bytes), dtype=np.uint8)
            table["frame"][:, c.offset : c.offset + len(wanted)] = wanted
        given = {"clock": samples.clock, "counter": samples.counter, **samples.values}
        for f in self.fields:
            value = given.get(f.key)
            if value is None:
                raise ValueError(f"{f.key} is missing")
            column = self._column(table, f)
            if f.is_ticks:
                column[...] = value.astype(np.uint64) & np.uint64(_limits(f)[1])
                continue
            number = (value / f.si_per_lsb).reshape(frames, self.samples, f.count)
            if f.type[0] != "f":
                if np.isnan(number).any():
                    raise ValueError(f"{f.key}: NaN cannot be sent as {f.type}")
                number = np.rint(number)
            column[...] = np.clip(number, *_limits(f))
        data = table.tobytes()
        return [data[i : i + self.length] for i in range(0, len(data), self.length)]


class LayoutDecoder:
    """Frames of one layout to samples.  Without state."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def push(self, frames: Sequence[bytes]) -> tuple[Decoded | None, NDArray[np.int64], list[Refused]]:
        """The samples of the frames that fit, which these are, and why the others do not.

        A short notification is a fault of the link (MTU) or of the firmware: nothing is guessed from it.
        """
        fits = self._layout.fitting(frames)
        good = np.flatnonzero(fits)
        refused = [Refused(k, self._layout.wrong(frames[k])) for k in np.flatnonzero(~fits).tolist()]
        if refused:
            frames = [frames[k] for k in good.tolist()]
        return (self._layout.decode_fitting(frames) if frames else None), good, refused


def _limits(f: LayoutField) -> tuple[float, float] | tuple[int, int]:
    """Least and greatest number on the wire."""
    bits = int(f.type[1:])
    if f.type[0] == "f":
        limit = np.finfo(np.float32 if bits == 32 else np.float64)
        return float(limit.min), float(limit.max)
    signed = f.type[0] == "i"
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)
