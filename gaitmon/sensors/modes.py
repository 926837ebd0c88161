"""One payload mode of a sensor: notifications -> frames -> samples in SI, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from gaitmon.errors import DecodeError
from gaitmon.sensors.framing import Framing, WholeFramer
from gaitmon.sensors.layout import Decoded, Layout, Refused, Strict
from gaitmon.sensors.polar import PolarDecoding

# A notification of the longest packet a link of today carries: MTU 247 less 3.
MAX_PAYLOAD = 244
Axis = Literal["x", "y", "z", "-x", "-y", "-z"]
Triple = tuple[Axis, Axis, Axis]


class Axes(Strict):
    """Of which sent axis each axis of the sensor's right-handed frame is made: ["y", "-x", "z"] says that
    frame x is sent y, frame y is the negative of sent x."""

    acc: Triple = ("x", "y", "z")
    gyr: Triple = ("x", "y", "z")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name, axes in (("acc", self.acc), ("gyr", self.gyr)):
            if sorted(axis[-1] for axis in axes) != ["x", "y", "z"]:
                raise ValueError(f"{name} must name x, y and z once each")
        return self

    def to_frame(self, samples: Decoded) -> Decoded:
        """As sent -> the sensor's frame."""
        return self._turned(samples, inverse=False)

    def as_sent(self, samples: Decoded) -> Decoded:
        return self._turned(samples, inverse=True)

    def _turned(self, samples: Decoded, *, inverse: bool) -> Decoded:
        values = dict(samples.values)
        for key, axes in (("acc_m_s2", self.acc), ("gyr_rad_s", self.gyr)):
            if key not in values or axes == ("x", "y", "z"):
                continue
            source = np.array(["xyz".index(axis[-1]) for axis in axes])
            sign = np.array([-1.0 if axis.startswith("-") else 1.0 for axis in axes])
            if inverse:
                turned = np.empty_like(values[key])
                turned[:, source] = values[key] * sign
                values[key] = turned
            else:
                values[key] = values[key][:, source] * sign
        return replace(samples, values=values)


class Mode(Strict):
    """One payload mode: its frames by a table (layout) or, where no table can say them, by code (decoder).

    role: the characteristic that notifies it.  framing: how notifications become frames, if not one by one.
    rates_hz: the rates that this mode is for; none named: all.
    """

    id: int = Field(ge=0, le=255)
    name: str
    role: str
    source: str = ""
    rates_hz: tuple[float, ...] = ()
    framing: Framing | None = None
    layout: Layout | None = None
    decoder: PolarDecoding | None = None

    @property
    def body(self) -> Layout | PolarDecoding:
        """The one of the two that is there; the check below sees to it."""
        body = self.layout if self.decoder is None else self.decoder
        if body is None or (self.layout is not None and self.decoder is not None):
            raise ValueError("a mode has either [mode.layout] or [mode.decoder]")
        return body

    @property
    def samples(self) -> int:
        """In one frame; a decoder in code makes frames of one sample each."""
        return self.body.samples

    @property
    def quantities(self) -> tuple[str, ...]:
        """acc, gyr, ...: what is measured."""
        return self.body.quantities

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        body = self.body
        if self.framing is None:
            return self
        if isinstance(body, PolarDecoding):
            raise ValueError(f"the decoder {body.name} does its own framing")
        if self.framing.length != body.length:
            raise ValueError(f"framing gives {self.framing.length} bytes, the layout has {body.length}")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What a push of notifications gave.

    samples: None when no frame became complete.  completed_by: (f,), for each frame the index of the
    notification, in that push, with which it was complete: its arrival is the frame's.
    refused: notifications that are not what the profile says; the sensor goes on.
    others: frames of another kind that the profile knows, such as replies.
    """

    samples: Decoded | None
    completed_by: NDArray[np.int64]
    refused: list[Refused]
    others: int


class ModeDecoder:
    """Notifications of one mode over one connection.  Stateful; the same samples however pushes are cut."""

    def __init__(self, mode: Mode, axes: Axes, rate_hz: float) -> None:
        self._axes = axes
        self._framer = WholeFramer() if mode.framing is None else mode.framing.framer()
        self._frames = mode.body.decoder(rate_hz)

    def push(self, payloads: Sequence[bytes]) -> Heard:
        """Never raises for what a sensor sends."""
        framed = self._framer.push(payloads)
        samples, given_by, wrong = self._frames.push(framed.frames)
        ended_by = np.array(framed.completed_by, dtype=np.int64)
        refused = framed.refused + [replace(r, index=int(ended_by[r.index])) for r in wrong]
        return Heard(
            None if samples is None else self._axes.to_frame(samples),
            ended_by[given_by],
            sorted(refused, key=lambda r: r.index),
            framed.others,
        )


def decode_all(decoder: ModeDecoder, payloads: Sequence[bytes], what: str) -> Decoded:
    """Everything or DecodeError."""
    heard = decoder.push(payloads)
    if heard.refused:
        raise DecodeError(
            f"{what}: {heard.refused[0].why}.", "Check the firmware version, the payload mode and the MTU."
        )
    if heard.samples is None:
        raise DecodeError(f"{what}: nothing to decode.")
    return heard.samples


def encode_mode(mode: Mode, axes: Axes, samples: Decoded, max_payload: int) -> list[bytes]:
    """The notifications.  Raises ValueError for samples that cannot be sent so."""
    sent = axes.as_sent(samples)
    body = mode.body
    if isinstance(body, PolarDecoding):
        return body.encode(sent, max_payload)
    frames = body.encode(sent)
    if mode.framing is not None:
        return mode.framing.cut(frames, max_payload)
    if body.length > max_payload:
        raise ValueError(f"a notification of {body.length} bytes does not fit into {max_payload}")
    return frames
