"""Which Bluetooth adapter, and through which of bleak's backends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner


@dataclass(frozen=True, slots=True)
class AdapterSpec:
    """One adapter that this process owns.

    name: of BlueZ, such as "hci0"; None is the system's default.  slots: connections it is trusted with; 5 is
    what CSR dongles and Movella's own software manage, Broadcom chips 7.  scanner, client, adapter: backend
    classes, None for the platform's.  recover: power-cycles the adapter, if that can be done.
    """

    name: str | None = None
    slots: int = 5
    scanner: type[BaseBleakScanner] | None = None
    client: type[BaseBleakClient] | None = None
    adapter: type[BaseBleakAdapter] | None = None
    recover: Callable[[], Awaitable[None]] | None = None

    @property
    def label(self) -> str:
        return f"Adapter {self.name}" if self.name else "The Bluetooth adapter"
