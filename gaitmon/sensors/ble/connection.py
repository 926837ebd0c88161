"""One link as the archive sees it: LinkUp, notifications, now and then Stalled, LinkDown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from gaitmon.sensors.ble.faults import LinkError
from gaitmon.sensors.ble.health import Tally
from gaitmon.sensors.raw import LinkDown, LinkUp, Notification, Stalled

LinkEvent = LinkUp | Notification | Stalled | LinkDown
LinkSink = Callable[[LinkEvent], object]
NowNs = Callable[[], int]


class Connection:
    """Between the first LinkUp and LinkDown and only there are notifications handed on, in order of time.

    The first notification after listen() brings LinkUp with it: sensors talk before the start procedure is
    through.  What comes before is of an earlier start, or an answer.  An attempt that fails before leaves no
    event.
    """

    def __init__(self, number: int, tally: Tally, sink: LinkSink, now_ns: NowNs) -> None:
        """number: of the sensor in the session."""
        self._number = number
        self._tally = tally
        self._sink = sink
        self._now_ns = now_ns
        self._up = False
        self._listening = False
        self._hurry: asyncio.Timeout | None = None
        self.last_ns = 0
        self.gone = asyncio.Event()

    def on_payload(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        now_ns = self._now_ns()
        if not self._listening:
            return
        if not self._up:
            self._begin(now_ns)
        self._sink(Notification(self._number, self._tally.connections, now_ns, bytes(data)))
        self.last_ns = self._tally.last_ns = now_ns
        self._tally.packets += 1

    def on_gone(self, _: BleakClient) -> None:
        self.gone.set()
        if self._hurry is not None:
            self._hurry.reschedule(0.0)

    @asynccontextmanager
    async def limited(self, seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError after these seconds, or at once when the link is lost: not every backend fails
        what it was asked for."""
        if self.gone.is_set():
            raise LinkError("disconnected", "The link was lost.")
        async with asyncio.timeout(seconds) as limit:
            self._hurry = limit
            try:
                yield
            finally:
                self._hurry = None

    def listen(self) -> None:
        self._listening = True

    def up(self) -> None:
        if not self._up:
            self._begin(self._now_ns())

    def _begin(self, now_ns: int) -> None:
        self._up = True
        self._tally.up()
        self.last_ns = now_ns
        self._sink(LinkUp(self._number, self._tally.connections, now_ns))

    def silent_s(self) -> float:
        return (self._now_ns() - self.last_ns) * 1e-9

    def stalled(self) -> None:
        self._sink(Stalled(self._number, self._now_ns()))

    def close(self, reason: str) -> None:
        self._listening = False
        if self._up:
            self._sink(LinkDown(self._number, self._tally.connections, self._now_ns(), reason))
