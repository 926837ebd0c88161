"""A RawEvent as the bytes of one archive record, and back, exactly.

``kind u8, sensor u16, connection u32, monotonic_ns i64`` (little-endian), then the payload of a
notification, or JSON of what else an event says.  A session without ``spatial`` is one of which nothing
was known of the wearer's leg.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from enum import IntEnum
from typing import Any

from pydantic import TypeAdapter

from gaitmon.errors import ConfigError, StoreError
from gaitmon.model import Placement
from gaitmon.model_leg import SpatialParams
from gaitmon.sensors.raw import (
    AssignedSensor,
    LinkDown,
    LinkUp,
    Notification,
    RawEvent,
    SessionClosed,
    SessionOpened,
    Stalled,
)

_HEAD = struct.Struct("<BHIq")
_SPATIAL = TypeAdapter(SpatialParams)


class _Kind(IntEnum):
    OPENED = 1
    UP = 2
    NOTIFICATION = 3
    STALLED = 4
    DOWN = 5
    CLOSED = 6


def encode_event(event: RawEvent) -> bytes:
    at = event.monotonic_ns
    match event:
        case Notification(sensor, connection, _, payload):
            return _HEAD.pack(_Kind.NOTIFICATION, sensor, connection, at) + payload
        case LinkUp(sensor, connection):
            return _HEAD.pack(_Kind.UP, sensor, connection, at)
        case Stalled(sensor):
            return _HEAD.pack(_Kind.STALLED, sensor, 0, at)
        case LinkDown(sensor, connection):
            return _HEAD.pack(_Kind.DOWN, sensor, connection, at) + event.reason.encode()
        case SessionClosed():
            return _HEAD.pack(_Kind.CLOSED, 0, 0, at) + event.reason.encode()
        case SessionOpened():
            body = {k: v for k, v in asdict(event).items() if k != "monotonic_ns"}
            return _HEAD.pack(_Kind.OPENED, 0, 0, at) + json.dumps(body).encode()


def decode_event(record: bytes) -> RawEvent:
    """Raises StoreError for what this version does not know."""
    try:
        kind, sensor, connection, at = _HEAD.unpack_from(record)
        rest = record[_HEAD.size :]
        match kind:
            case _Kind.NOTIFICATION:
                return Notification(sensor, connection, at, rest)
            case _Kind.UP:
                return LinkUp(sensor, connection, at)
            case _Kind.STALLED:
                return Stalled(sensor, at)
            case _Kind.DOWN:
                return LinkDown(sensor, connection, at, rest.decode())
            case _Kind.CLOSED:
                return SessionClosed(at, rest.decode())
            case _Kind.OPENED:
                return _opened(at, json.loads(rest))
    except (struct.error, ValueError, TypeError, KeyError, ConfigError) as error:
        raise StoreError(f"a record of the raw archive is not readable ({error}).") from None
    raise StoreError(f"a record of the raw archive is of kind {kind}.", "A newer gaitmon wrote it.")


def _opened(at: int, body: dict[str, Any]) -> SessionOpened:
    sensors = tuple(
        AssignedSensor(**{**sensor, "placement": Placement(sensor["placement"])})
        for sensor in body.pop("sensors")
    )
    spatial = _SPATIAL.validate_python(body.pop("spatial", {}))
    return SessionOpened(**body, sensors=sensors, monotonic_ns=at, spatial=spatial)
