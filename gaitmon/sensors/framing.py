"""From notifications to frames, where one is not simply the other: split, joined or in two halves.

A framer holds what it heard of an unfinished frame.  It belongs to one connection; a new link begins
with a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gaitmon.sensors.layout import HexBytes, Refused, Strict, unhex


@dataclass(slots=True)
class Framed:
    """frames: complete ones, in order; completed_by: for each the index of the notification that ended it.

    others: frames of another kind that the profile knows, such as replies; nothing is wrong with them.
    """

    frames: list[bytes]
    completed_by: list[int]
    refused: list[Refused]
    others: int = 0


class StreamFraming(Strict):
    """Frames of one length in a stream of bytes, each beginning with ``begin``, cut into notifications
    anywhere.  others: beginnings of frames of the same length that are not of this mode.

    A byte that begins no frame is dropped, until one does.
    """

    kind: Literal["stream"]
    begin: HexBytes
    length: int = Field(ge=2, le=512)
    others: tuple[HexBytes, ...] = ()

    def framer(self) -> StreamFramer:
        return StreamFramer(self)

    def cut(self, frames: Sequence[bytes], max_payload: int) -> list[bytes]:
        size = min(max_payload, self.length)
        return [f[i : i + size] for f in frames for i in range(0, len(f), size)]


class StreamFramer:
    def __init__(self, framing: StreamFraming) -> None:
        self._begin, self._length = unhex(framing.begin), framing.length
        self._others = tuple(unhex(other) for other in framing.others)
        self._longest = max(map(len, (self._begin, *self._others)))
        self._held = b""

    def push(self, payloads: Sequence[bytes]) -> Framed:
        out = Framed([], [], [])
        begin, length = self._begin, self._length
        for index, payload in enumerate(payloads):
            if not self._held and len(payload) == length and payload.startswith(begin):
                out.frames.append(payload)  # the usual case, quickly
                out.completed_by.append(index)
            else:
                self._take(payload, index, out)
        return out

    def _take(self, payload: bytes, index: int, out: Framed) -> None:
        data, at, dropped = self._held + payload, 0, 0
        while at < len(data):
            here = data[at : at + self._longest]
            known = here.startswith(self._begin) or any(here.startswith(other) for other in self._others)
            if not known and not self._may_begin(here):
                at, dropped = at + 1, dropped + 1
                continue
            if len(data) - at < self._length:
                break
            if here.startswith(self._begin):
                out.frames.append(data[at : at + self._length])
                out.completed_by.append(index)
            else:
                out.others += 1
            at += self._length
        self._held = data[at:]
        if dropped:
            out.refused.append(Refused(index, f"{dropped} bytes begin no frame"))

    def _may_begin(self, here: bytes) -> bool:
        """Whether these last bytes are the beginning of a beginning."""
        return any(b.startswith(here) for b in (self._begin, *self._others) if len(here) < len(b))


class ContinuedFraming(Strict):
    """A frame longer than a notification: ``first`` begins it, ``more`` begins each of its other parts.

    The frame is the first part whole, then the other parts without their ``more``, until length is reached.
    """

    kind: Literal["continued"]
    first: HexBytes
    more: HexBytes
    length: int = Field(ge=2, le=512)
    others: tuple[HexBytes, ...] = ()

    def framer(self) -> ContinuedFramer:
        return ContinuedFramer(self)

    def cut(self, frames: Sequence[bytes], max_payload: int) -> list[bytes]:
        more = unhex(self.more)
        step = max_payload - len(more)
        parts = []
        for f in frames:
            parts.append(f[:max_payload])
            parts += [more + f[i : i + step] for i in range(max_payload, len(f), step)]
        return parts


class ContinuedFramer:
    def __init__(self, framing: ContinuedFraming) -> None:
        self._first, self._more, self._length = unhex(framing.first), unhex(framing.more), framing.length
        self._others = tuple(unhex(other) for other in framing.others)
        self._held = b""

    def push(self, payloads: Sequence[bytes]) -> Framed:
        out = Framed([], [], [])
        for index, payload in enumerate(payloads):
            if payload.startswith(self._first):
                if self._held:
                    out.refused.append(Refused(index, "the rest of the frame before it is missing"))
                self._held = payload
            elif payload.startswith(self._more):
                if not self._held:
                    out.refused.append(Refused(index, "the beginning of its frame is missing"))
                    continue
                self._held += payload[len(self._more) :]
            else:
                if any(payload.startswith(other) for other in self._others):
                    out.others += 1
                else:
                    out.refused.append(Refused(index, f"{payload[:4].hex(' ') or 'nothing'} begins no part"))
                continue
            if len(self._held) > self._length:
                why = f"{len(self._held)} bytes where {self._length} are expected"
                out.refused.append(Refused(index, why))
                self._held = b""
            elif len(self._held) == self._length:
                out.frames.append(self._held)
                out.completed_by.append(index)
                self._held = b""
        return out


class PairedFraming(Strict):
    """A frame in two halves of different kinds, such as accelerometer and gyroscope, each in its own
    notification and known by its beginning.  The frame is both without their beginnings, in this order.

    Halves are matched in the order of arrival: nothing in them tells which belong together.
    """

    kind: Literal["paired"]
    parts: tuple[HexBytes, HexBytes]
    lengths: tuple[int, int]
    others: tuple[HexBytes, ...] = ()

    @property
    def length(self) -> int:
        return sum(self.lengths) - sum(len(unhex(part)) for part in self.parts)

    @model_validator(mode="after")
    def _halves(self) -> Self:
        for part, length in zip(self.parts, self.lengths, strict=True):
            if length <= len(unhex(part)):
                raise ValueError(f"a part of {length} bytes has nothing after its beginning {part}")
        return self

    def framer(self) -> PairedFramer:
        return PairedFramer(self)

    def cut(self, frames: Sequence[bytes], max_payload: int) -> list[bytes]:
        if max(self.lengths) > max_payload:
            raise ValueError(f"a part of {max(self.lengths)} bytes does not fit into {max_payload}")
        first, second = (unhex(part) for part in self.parts)
        at = self.lengths[0] - len(first)
        return [half for f in frames for half in (first + f[:at], second + f[at:])]


class PairedFramer:
    HELD = 4  # halves of one kind that wait for the other: more than a link brings out of step

    def __init__(self, framing: PairedFraming) -> None:
        self._parts = [unhex(part) for part in framing.parts]
        self._lengths = framing.lengths
        self._others = tuple(unhex(other) for other in framing.others)
        self._held: tuple[list[bytes], list[bytes]] = ([], [])

    def push(self, payloads: Sequence[bytes]) -> Framed:
        out = Framed([], [], [])
        for index, payload in enumerate(payloads):
            which = next((k for k in (0, 1) if payload.startswith(self._parts[k])), None)
            if which is None:
                if any(payload.startswith(other) for other in self._others):
                    out.others += 1
                else:
                    out.refused.append(Refused(index, f"{payload[:4].hex(' ') or 'nothing'} begins no part"))
                continue
            if len(payload) != self._lengths[which]:
                why = f"{len(payload)} bytes where {self._lengths[which]} are expected"
                out.refused.append(Refused(index, why))
                continue
            mine, other = self._held[which], self._held[1 - which]
            mine.append(payload[len(self._parts[which]) :])
            if other:
                out.frames.append(self._held[0].pop(0) + self._held[1].pop(0))
                out.completed_by.append(index)
            elif len(mine) > self.HELD:
                mine.pop(0)
                out.refused.append(Refused(index, "its other half did not come"))
        return out


class WholeFramer:
    """No framing: each notification is a frame."""

    def push(self, payloads: Sequence[bytes]) -> Framed:
        return Framed(list(payloads), list(range(len(payloads))), [])


Framing = Annotated[StreamFraming | ContinuedFraming | PairedFraming, Field(discriminator="kind")]
