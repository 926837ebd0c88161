"""Polar measurement data: time-stamped frames with plain or delta-compressed samples.

Polar Measurement Data specification 1.0 (2024) and the maker's SDK.  A frame: measurement u8, u64
nanoseconds of its *last* sample, frame type u8 (bit 7: compressed), content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from gaitmon.model import Floats
from gaitmon.sensors.layout import QUANTITIES, SI_PER_UNIT, Decoded, Refused, Strict, Ticks

Ints = NDArray[np.int64]
HEADER = 10
COMPRESSED = 0x80
MOST = 256  # samples in a frame that is sent: the reference and one block
AXES = 3
# Neighbours further apart than this many sample periods have lost something between them.
HOLE_PERIODS = 2.5
# A stream whose partner is silent is not kept longer.
KEPT_NS = 5_000_000_000
_WIRE = {"i8": 1, "i16": 2, "i24": 3, "f32": 4}


class PolarFormat(Strict):
    """One kind of frame: measurement (2 accelerometer, 5 gyroscope) and type (without the compressed bit)."""

    measurement: int = Field(ge=0, le=63)
    type: int = Field(ge=0, le=127)
    quantity: Literal["acc", "gyr"]
    wire: Literal["i8", "i16", "i24", "f32"]
    unit: Literal["g", "mg", "deg/s"]
    scale: float = Field(default=1.0, gt=0)
    compressed: bool = False  # how a virtual sensor sends it; both are read

    @property
    def si_per_lsb(self) -> float:
        return self.scale * SI_PER_UNIT[self.unit]

    @property
    def size(self) -> int:
        return _WIRE[self.wire]

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.unit not in QUANTITIES[self.quantity][2]:
            raise ValueError(f"{self.quantity} cannot be in {self.unit}")
        return self


class PolarDecoding(Strict):
    """The first format of a quantity is the one a virtual sensor sends."""

    name: Literal["polar-pmd"]
    formats: tuple[PolarFormat, ...] = Field(min_length=1)

    @property
    def samples(self) -> int:
        return 1

    @property
    def quantities(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(f.quantity for f in self.formats))

    def decoder(self, rate_hz: float) -> PolarDecoder:
        return PolarDecoder(self, rate_hz)

    def encode(self, samples: Decoded, max_payload: int) -> list[bytes]:
        """Frames of at most max_payload bytes, each quantity in its own, in the order in which they end.

        Raises ValueError.
        """
        if samples.clock is None:
            raise ValueError("clock is missing")
        out: list[bytes] = []
        for quantity in self.quantities:
            form = next(f for f in self.formats if f.quantity == quantity)
            key = QUANTITIES[quantity][0]
            if key not in samples.values:
                raise ValueError(f"{key} is missing")
            out += _encode(form, samples.clock, samples.values[key], max_payload)
        return sorted(out, key=_stamp)


@dataclass(slots=True)
class _Stream:
    """What came of one quantity: stamps and values not given on yet, and the stamp of the last frame."""

    last_stamp: int | None = None
    ticks: Ticks = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    values: Floats = field(default_factory=lambda: np.empty((0, AXES)))


class PolarDecoder:
    """Frames to samples, each with its own tick.  Stateful: one connection.

    Sample times: even between the stamps of consecutive frames; by the nominal rate in the first frame and
    after a loss.  Where accelerometer and gyroscope are both measured, each on its own stamps, the
    gyroscope is interpolated linearly to the accelerometer's times; samples in a hole are left out.
    """

    def __init__(self, decoding: PolarDecoding, rate_hz: float) -> None:
        self._formats = {(f.measurement, f.type): f for f in decoding.formats}
        self._streams = {quantity: _Stream() for quantity in decoding.quantities}
        self._period_ns = 1e9 / rate_hz

    def push(self, frames: Sequence[bytes]) -> tuple[Decoded | None, Ints, list[Refused]]:
        """The samples, the index of the frame that gave each of them, and what could not be read."""
        parts: list[tuple[Ticks, dict[str, Floats]]] = []
        given_by: list[int] = []
        refused: list[Refused] = []
        for index, frame in enumerate(frames):
            why = self._take(frame)
            if why:
                refused.append(Refused(index, why))
                continue
            ticks, values = self._given()
            if len(ticks):
                parts.append((ticks, values))
                given_by += [index] * len(ticks)
        if not parts:
            return None, np.empty(0, dtype=np.int64), refused
        values = {key: np.concatenate([v[key] for _, v in parts]) for key in parts[0][1]}
        return Decoded(np.concatenate([t for t, _ in parts]), None, values), np.array(given_by), refused

    def _take(self, frame: bytes) -> str:
        """One frame into its stream; why not, or ""."""
        if len(frame) < HEADER:
            return f"{len(frame)} bytes are less than a header"
        kind = frame[9]
        form = self._formats.get((frame[0] & 0x3F, kind & ~COMPRESSED))
        if form is None:
            return f"measurement {frame[0] & 0x3F}, frame type {kind:#04x} is not described"
        raw = _delta(frame[HEADER:], form) if kind & COMPRESSED else _plain(frame[HEADER:], form)
        if isinstance(raw, str):
            return raw
        stream = self._streams[form.quantity]
        stamp = _stamp(frame)
        if stream.last_stamp is not None and stamp <= stream.last_stamp:
            # The clock was set or began anew: what was held belongs to the old time.
            self._streams[form.quantity] = stream = _Stream()
        ticks = self._ticks(stream.last_stamp, stamp, len(raw))
        with np.errstate(over="ignore", invalid="ignore"):
            values = raw.astype(np.float64) * form.si_per_lsb
        values[~np.isfinite(values)] = np.nan
        stream.last_stamp = stamp
        stream.ticks = np.concatenate([stream.ticks, ticks])
        stream.values = np.concatenate([stream.values, values])
        return ""

    def _ticks(self, before: int | None, stamp: int, n: int) -> Ticks:
        """Times of the n samples of a frame that ends at stamp, (n,); they never reach back to before."""
        step = self._period_ns
        if before is not None:
            even = (stamp - before) / n
            step = even if even < 1.5 * self._period_ns else self._period_ns
        back = np.rint(step * np.arange(n - 1, -1, -1)).astype(np.int64)
        # A stamp below the frame's length, near power-on, would give times before 0.
        ticks: Ticks = np.uint64(stamp) - np.minimum(back, min(stamp, 2**62)).astype(np.uint64)
        return ticks

    def _given(self) -> tuple[Ticks, dict[str, Floats]]:
        if len(self._streams) > 1:
            return self._merged(self._streams["acc"], self._streams["gyr"])
        ((quantity, only),) = self._streams.items()
        out = only.ticks, {QUANTITIES[quantity][0]: only.values}
        only.ticks, only.values = only.ticks[:0], only.values[:0]
        return out

    def _merged(self, acc: _Stream, gyr: _Stream) -> tuple[Ticks, dict[str, Floats]]:
        """The accelerometer's samples up to the gyroscope's newest, with the gyroscope at their times."""
        for stream, other in ((acc, gyr), (gyr, acc)):
            if len(stream.ticks) and stream.last_stamp is not None:
                newest = max(stream.last_stamp, other.last_stamp or 0)
                keep = int(np.searchsorted(stream.ticks, np.uint64(max(0, newest - KEPT_NS))))
                stream.ticks, stream.values = stream.ticks[keep:], stream.values[keep:]
        if not len(acc.ticks) or not len(gyr.ticks):
            return acc.ticks[:0], {"acc_m_s2": acc.values[:0], "gyr_rad_s": acc.values[:0]}
        n = int(np.searchsorted(acc.ticks, gyr.ticks[-1], side="right"))
        ticks, values = acc.ticks[:n], acc.values[:n]
        acc.ticks, acc.values = acc.ticks[n:], acc.values[n:]
        after = np.searchsorted(gyr.ticks, ticks, side="left")
        exact = (after < len(gyr.ticks)) & (gyr.ticks[np.minimum(after, len(gyr.ticks) - 1)] == ticks)
        before = np.where(exact, after, after - 1)
        inside = (before >= 0) & (after < len(gyr.ticks))
        i, j = np.maximum(before, 0), np.minimum(after, len(gyr.ticks) - 1)
        width = (gyr.ticks[j] - gyr.ticks[i]).astype(np.float64)
        inside &= width < HOLE_PERIODS * self._period_ns
        part = (ticks - gyr.ticks[i]).astype(np.float64) / np.where(width > 0, width, 1.0)
        at = gyr.values[i] + part[:, np.newaxis] * (gyr.values[j] - gyr.values[i])
        if n:
            keep = max(0, int(i[-1]))
            gyr.ticks, gyr.values = gyr.ticks[keep:], gyr.values[keep:]
        return ticks[inside], {"acc_m_s2": values[inside], "gyr_rad_s": at[inside]}


def _stamp(frame: bytes) -> int:
    """Nanoseconds, of the frame's last sample."""
    return int.from_bytes(frame[1:9], "little")


# ---- the content of a frame -------------------------------------------------------------------


def _plain(content: bytes, form: PolarFormat) -> Ints | Floats | str:
    """(n, 3) numbers as sent, or why not."""
    if not content or len(content) % (AXES * form.size):
        return f"{len(content)} bytes are not samples of {AXES * form.size}"
    return _numbers(content, form)


def _numbers(content: bytes, form: PolarFormat) -> Ints | Floats:
    if form.wire == "f32":
        return np.frombuffer(content, dtype="<f4").reshape(-1, AXES).astype(np.float64)
    if form.wire == "i24":
        table = np.frombuffer(content, dtype=np.uint8).reshape(-1, 3).astype(np.int64)
        whole = table[:, 0] | (table[:, 1] << 8) | (table[:, 2] << 16)
        return ((whole ^ 0x800000) - 0x800000).reshape(-1, AXES)
    return np.frombuffer(content, dtype=f"<i{form.size}").reshape(-1, AXES).astype(np.int64)


def _delta(content: bytes, form: PolarFormat) -> Ints | Floats | str:
    """A reference sample, then blocks of differences of w bits, each from the sample before it."""
    at = AXES * form.size
    if len(content) < at:
        return f"{len(content)} bytes are less than a reference sample"
    if form.wire == "f32":  # the differences are of the bits of the floats
        reference = np.frombuffer(content[:at], dtype="<i4").astype(np.int64).reshape(1, AXES)
    else:
        reference = _numbers(content[:at], form).astype(np.int64)
    steps = [reference]
    while at < len(content):
        if at + 2 > len(content):
            return "a block is cut off"
        width, n = content[at], content[at + 1]
        size = (width * n * AXES + 7) // 8
        block = content[at + 2 : at + 2 + size]
        if not 0 < width <= 32 or n == 0 or len(block) < size:
            return "a block is cut off" if len(block) < size else f"a block of {n} samples of {width} bits"
        bits = np.unpackbits(np.frombuffer(block, dtype=np.uint8), bitorder="little")
        words = bits[: width * n * AXES].reshape(-1, width) @ _weights(width)
        steps.append(words.reshape(n, AXES))
        at += 2 + size
    samples = np.concatenate(steps).cumsum(axis=0)
    if form.wire == "f32":
        return samples.astype(np.int32).view(np.float32).astype(np.float64)
    return samples


def _weights(width: int) -> Ints:
    """Of the bits of a two's complement number, least first."""
    weights = np.left_shift(1, np.arange(width, dtype=np.int64))
    weights[-1] = -weights[-1]
    return weights


# ---- the other way, for virtual sensors -------------------------------------------------------


def _encode(form: PolarFormat, clock: Ticks, values: Floats, max_payload: int) -> list[bytes]:
    if np.isnan(values).any():
        raise ValueError(f"{form.quantity}: NaN cannot be sent as {form.wire}")
    raw = values / form.si_per_lsb
    if form.wire == "f32":
        if form.compressed:
            raise ValueError("compressed floats are read, not sent")
        whole: Ints = raw.astype("<f4").view("<i4").astype(np.int64)
    else:
        limit = 2 ** (8 * form.size - 1)
        whole = np.clip(np.rint(raw), -limit, limit - 1).astype(np.int64)
    frames, at, room = [], 0, max_payload - HEADER
    while at < len(whole):
        content, n = (_packed if form.compressed else _flat)(whole[at : at + MOST], form, room)
        stamp = int(clock[at + n - 1]).to_bytes(8, "little")
        kind = form.type | (COMPRESSED if form.compressed else 0)
        frames.append(bytes([form.measurement]) + stamp + bytes([kind]) + content)
        at += n
    return frames


def _flat(whole: Ints, form: PolarFormat, room: int) -> tuple[bytes, int]:
    n = min(len(whole), room // (AXES * form.size))
    if n < 1:
        raise ValueError("not one sample fits into a notification")
    as_bytes = np.ascontiguousarray(whole[:n].astype("<i8")).view(np.uint8).reshape(-1, 8)
    return as_bytes[:, : form.size].tobytes(), n


def _packed(whole: Ints, form: PolarFormat, room: int) -> tuple[bytes, int]:
    """One reference and one block, as many samples as fit."""
    reference, _ = _flat(whole[:1], form, room)
    step = np.diff(whole, axis=0)
    # Bits for a two's complement number: those of its magnitude and one for the sign.
    magnitude = np.where(step < 0, ~step, step).max(axis=1, initial=0)
    widths = np.maximum.accumulate(np.array([int(m).bit_length() + 1 for m in magnitude], dtype=np.int64))
    sizes = len(reference) + 2 + (widths * AXES * np.arange(1, len(widths) + 1) + 7) // 8
    n = min(int(np.searchsorted(sizes, room, side="right")), MOST - 1)
    if n == 0:
        return reference, 1
    width = int(widths[n - 1])
    bits = (step[:n].reshape(-1, 1) >> np.arange(width)) & 1
    block = np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes()
    return reference + bytes([width, n]) + block, n + 1
