"""The MQTT topics, version 1.  Made for least privilege: a broker's ACL is two lines per gateway.

    gaitmon/1/up/<gateway>/<wearer>/<kind>   results, QoS 1; only that gateway may publish
    gaitmon/1/up/<gateway>/status            retained; its last will says "lost"
    gaitmon/1/up/<gateway>/health            retained; how it hears its sensors
    gaitmon/1/down/<gateway>/stored          retained watermark; only that gateway may read
    gaitmon/1/alerts/<wearer>                retained; only the server may publish

A gateway writes ``up/<itself>/#`` and reads ``down/<itself>/#``, nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gaitmon.errors import MessageError

ROOT = "gaitmon/1"
UP_ALL = f"{ROOT}/up/#"

ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_ID = re.compile(ID_PATTERN)


def checked_id(what: str, value: str) -> str:
    """``value`` when it is safe inside a topic, a file name and a URL.  Raises MessageError."""
    if not _ID.fullmatch(value):
        raise MessageError(
            f"{what} {value!r} is not a valid id.",
            "Use 1 to 64 letters, digits, '_', '-' or '.', starting with a letter or digit.",
        )
    return value


def up(gateway: str, wearer: str, kind: str) -> str:
    names = (checked_id("gateway", gateway), checked_id("wearer", wearer), checked_id("kind", kind))
    return f"{ROOT}/up/{'/'.join(names)}"


def status(gateway: str) -> str:
    return f"{ROOT}/up/{checked_id('gateway', gateway)}/status"


def health(gateway: str) -> str:
    return f"{ROOT}/up/{checked_id('gateway', gateway)}/health"


def stored(gateway: str) -> str:
    return f"{ROOT}/down/{checked_id('gateway', gateway)}/stored"


def alerts(wearer: str) -> str:
    return f"{ROOT}/alerts/{checked_id('wearer', wearer)}"


@dataclass(frozen=True, slots=True)
class Up:
    """An upward topic.  wearer is None for the gateway's own: kind "status" or "health"."""

    gateway: str
    wearer: str | None
    kind: str


def parse_up(topic: str) -> Up:
    """Raises MessageError for every topic that ``up``, ``status`` and ``health`` do not make."""
    prefix = f"{ROOT}/up/"
    parts = topic.removeprefix(prefix).split("/")
    if topic.startswith(prefix) and all(_ID.fullmatch(part) for part in parts):
        if len(parts) == 2 and parts[1] in ("status", "health"):
            return Up(parts[0], None, parts[1])
        if len(parts) == 3:
            return Up(*parts)
    raise MessageError(f"{topic!r} is not a topic of a gateway.", f"See {ROOT}/up/ in docs/messages.md.")
