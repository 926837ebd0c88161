"""The air between virtual controllers: connection events, errors, stalls and range.

As in the LE link layer, data keep their order and none is lost while the connection lives: what is not
heard is sent again at the next connection event.  When nothing is heard for the supervision time, the
connection ends on both sides.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bumble import hci, ll
from bumble.controller import Controller
from bumble.core import PhysicalTransport
from bumble.link import LocalLink

if TYPE_CHECKING:
    from gaitmon.virtual.controller import RadioController

_ESTABLISH_EVENTS = 6  # Core specification: a connection not heard in 6 events never was


@dataclass(frozen=True, slots=True)
class LinkModel:
    """One sensor's radio link.

    interval_s: from one connection event to the next.  pdus_per_event: at most, in each direction.
    pdu_bytes: of one link-layer PDU, 27 without data length extension.  pdu_error: the part of PDUs that
    must be sent again; it ends the event.  stalls_per_min, stall_s: stretches in which nothing gets through.
    """

    interval_s: float = 0.015
    pdus_per_event: int = 4
    pdu_bytes: int = 251
    pdu_error: float = 0.0
    stalls_per_min: float = 0.0
    stall_s: float = 0.3
    supervision_s: float = 2.0
    rssi_dbm: int = -60
    rssi_sd_db: float = 2.0


@dataclass(slots=True)
class _Pdus:
    """One message on the air.  left: link-layer PDUs still to be heard."""

    left: int
    deliver: Callable[[], None]


class Link:
    """One connection, from the central's request to its end.

    ends: (central, peripheral).  cut: one end no longer exists, though the other does not know it yet.
    """

    def __init__(self, air: Air, ends: tuple[RadioController, RadioController], model: LinkModel) -> None:
        self.ends = ends
        self.model = model
        self.cut = False
        self.heard = False
        self._air = air
        self._rng = air.rng
        self._loop = asyncio.get_running_loop()
        self._queues: dict[RadioController, deque[_Pdus]] = {end: deque() for end in ends}
        self._anchor_s = self._loop.time() + model.interval_s * self._rng.random()
        self._events = -1  # the number of the last one
        self._event: asyncio.TimerHandle | None = None
        self._supervision: asyncio.TimerHandle | None = None
        self._stall_from_s = self._next_stall_s(self._loop.time())

    def send(self, sender: RadioController, size: int, deliver: Callable[[], None]) -> None:
        self._queues[sender].append(_Pdus(max(1, math.ceil(size / self.model.pdu_bytes)), deliver))
        self.look()

    def look(self) -> None:
        """After every change of range or power: events go on, or the supervision time runs."""
        if not self.cut and all(self._air.is_heard(end) for end in self.ends):
            if self._supervision is not None:
                self._supervision.cancel()
                self._supervision = None
            if self._event is None and any(self._queues.values()):
                now_at = (self._loop.time() - self._anchor_s) / self.model.interval_s
                self._events = max(self._events, math.floor(now_at)) + 1  # never one twice, by rounding
                self._event = self._loop.call_at(
                    self._anchor_s + self._events * self.model.interval_s, self._connection_event
                )
        elif self._supervision is None:
            wait_s = self.model.supervision_s if self.heard else _ESTABLISH_EVENTS * self.model.interval_s
            self._supervision = self._loop.call_later(wait_s, self._expire)

    def close(self) -> None:
        for timer in (self._event, self._supervision):
            if timer is not None:
                timer.cancel()
        self._air.links.pop(self.ends, None)

    def _connection_event(self) -> None:
        self._event = None
        if not self.cut and all(self._air.is_heard(end) for end in self.ends) and not self._stalled():
            for queue in self._queues.values():
                self._transmit(queue)
        if self._air.links.get(self.ends) is self:
            self.look()

    def _transmit(self, queue: deque[_Pdus]) -> None:
        for _ in range(self.model.pdus_per_event):
            if not queue or self._rng.random() < self.model.pdu_error:
                return
            self.heard = True
            queue[0].left -= 1
            if queue[0].left == 0:
                queue.popleft().deliver()

    def _stalled(self) -> bool:
        now = self._loop.time()
        while now >= self._stall_from_s + self.model.stall_s:
            self._stall_from_s = self._next_stall_s(self._stall_from_s + self.model.stall_s)
        return now >= self._stall_from_s

    def _next_stall_s(self, after_s: float) -> float:
        per_min = self.model.stalls_per_min
        return after_s + self._rng.expovariate(per_min / 60.0) if per_min > 0 else math.inf

    def _expire(self) -> None:
        self.close()
        reason = (
            hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
            if self.heard
            else hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
        )
        for end in self.ends:
            end.drop(self, reason)


class Air(LocalLink):
    """Where all virtual controllers meet.

    models: by the peripheral's address.  on_delivered: by the sender, called with every L2CAP PDU of it
    that was heard.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.rng = random.Random(seed)  # noqa: S311 -- a radio, not a secret
        self.chips: dict[hci.Address, RadioController] = {}
        self.links: dict[tuple[RadioController, RadioController], Link] = {}
        self.models: dict[hci.Address, LinkModel] = {}
        self.on_delivered: dict[Controller, Callable[[bytes], None]] = {}
        self.unheard: set[Controller] = set()

    def is_heard(self, controller: Controller) -> bool:
        return controller not in self.unheard

    def set_heard(self, controller: Controller, heard: bool) -> None:
        """In range and powered, or not."""
        if heard:
            self.unheard.discard(controller)
        else:
            self.unheard.add(controller)
        for link in list(self.links.values()):
            if controller in link.ends:
                link.look()

    def model(self, address: hci.Address) -> LinkModel:
        return self.models.get(address, LinkModel())

    def rssi_dbm(self, address: hci.Address) -> int:
        model = self.model(address)
        return max(-127, min(20, round(self.rng.gauss(model.rssi_dbm, model.rssi_sd_db))))

    # ---- what bumble's controllers call --------------------------------------------------------

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        link = self._link(sender_controller, destination_address)
        if link is None:
            return
        source, receiver = link.ends if link.ends[0] is sender_controller else link.ends[::-1]

        def deliver() -> None:
            if source.random_address in receiver.le_connections:
                receiver.on_link_acl_data(source.random_address, transport, data)
                if heard := self.on_delivered.get(source):
                    heard(data)

        link.send(source, len(data), deliver)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        sender = self.chips.get(sender_address)
        link = self._link(sender, receiver_address) if sender else None
        if link is None:
            return
        source, receiver = link.ends if link.ends[0] is sender else link.ends[::-1]
        ends = isinstance(packet, ll.TerminateInd)

        def deliver() -> None:
            if sender_address in receiver.le_connections:
                receiver.on_ll_control_pdu(sender_address, packet)
            if ends:
                link.close()

        link.send(source, 27, deliver)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        if not self.is_heard(sender_controller):
            return
        if isinstance(packet, ll.ConnectInd):
            self._connect(packet)
            return
        sender_model = self.model(sender_controller.random_address)
        if self.rng.random() < sender_model.pdu_error:
            return
        loop = asyncio.get_running_loop()
        for controller in self.controllers:
            if controller is not sender_controller and self.is_heard(controller):
                loop.call_soon(controller.on_ll_advertising_pdu, packet)

    def _connect(self, packet: ll.ConnectInd) -> None:
        """The central is connected as soon as it has asked; the peripheral may not have heard."""
        central, peripheral = (
            self.chips.get(packet.initiator_address),
            self.chips.get(packet.advertiser_address),
        )
        if central is None or peripheral is None:
            return
        if old := self.links.get((central, peripheral)):
            old.close()
        link = Link(self, (central, peripheral), self.model(packet.advertiser_address))
        self.links[link.ends] = link
        lost = self.rng.random() < link.model.pdu_error
        if not lost and self.is_heard(peripheral) and peripheral.is_connectable:
            asyncio.get_running_loop().call_soon(peripheral.on_ll_advertising_pdu, packet)
        else:
            link.cut = True
            link.look()

    def scan_response(self, address: hci.Address) -> bytes:
        controller = self.chips.get(address)
        return controller.le_legacy_advertiser.scan_response_data if controller else b""

    def _link(self, controller: Controller, peer: hci.Address) -> Link | None:
        for link in self.links.values():
            if controller in link.ends and any(end.random_address == peer for end in link.ends):
                return link
        return None
