"""bumble's virtual controller, where it departs from the Core specification or knows too little of radio."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from bumble import hci, ll
from bumble.controller import Controller, LegacyAdvertiser
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from gaitmon.virtual.link import Air, Link

_ADVERTISING_UNIT_S = 0.625e-3
_ADVERTISING_DELAY_S = 0.01  # Core specification: 0 to 10 ms at random before every advertisement


class _Advertiser(LegacyAdvertiser):
    """bumble takes the interval's unit of 0.625 ms for a millisecond."""

    def __init__(self, controller: RadioController) -> None:
        super().__init__(controller)
        self._rng = controller.air.rng

    def _on_timer_fired(self) -> None:
        self.send_advertising_data()
        delay_s = self._rng.uniform(0.0, _ADVERTISING_DELAY_S)
        self.timer_handle = asyncio.get_running_loop().call_later(
            self.advertising_interval_min * _ADVERTISING_UNIT_S + delay_s, self._on_timer_fired
        )


class RadioController(Controller):
    """One chip.  slots: connections that it can hold, 0 for as many as you like."""

    le_features = Controller.le_features & ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING

    def __init__(self, air: Air, name: str, address: str, slots: int = 0) -> None:
        super().__init__(name, link=air)
        self.air = air
        self.slots = slots
        self.random_address = hci.Address(address)
        air.chips[self.random_address] = self
        self.le_legacy_advertiser = _Advertiser(self)
        self.le_acl_data_packet_length = 251

    @property
    def is_connectable(self) -> bool:
        return self.le_legacy_advertiser.enabled

    def drop(self, link: Link, reason: int) -> None:
        """The connection is gone without a word from the other end."""
        for end in link.ends:
            if connection := self.le_connections.get(end.random_address):
                self.on_le_disconnected(connection, reason)

    def lose_power(self) -> None:
        """Everything in the chip is forgotten; nobody is told over the air."""
        for link in self._links():
            link.cut = True
            self.drop(link, hci.HCI_ErrorCode.REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR)
            link.look()
        self.le_scan_enable = False
        self.le_legacy_advertiser.stop()
        self._end_pending(hci.HCI_ErrorCode.HARDWARE_FAILURE_ERROR)

    def break_links(self) -> None:
        """As when the supervision time is over, at once and on both sides."""
        for link in self._links():
            link.close()
            for end in link.ends:
                end.drop(link, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def _links(self) -> Iterator[Link]:
        yield from [link for link in self.air.links.values() if self in link.ends]

    def _end_pending(self, status: int) -> None:
        pending = self.pending_le_connection
        if pending is None:
            return
        self.pending_le_connection = None
        event = hci.HCI_LE_Connection_Complete_Event(
            status=status,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=pending.peer_address_type,
            peer_address=pending.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, event)

    # ---- HCI -----------------------------------------------------------------------------------
    # bumble makes a coloured text of every packet whether anybody logs it or not: half of all the time.

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if isinstance(packet, hci.HCI_Command):
            self.on_hci_command_packet(packet)
        elif isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if self.host:
            asyncio.get_running_loop().call_soon(self.host.on_packet, bytes(packet))

    def on_hci_le_create_connection_command(self, command: hci.HCI_LE_Create_Connection_Command) -> None:
        if self.slots and len(self.le_connections) >= self.slots:
            self._send_hci_command_status(hci.HCI_ErrorCode.CONNECTION_LIMIT_EXCEEDED_ERROR, command.op_code)
            return
        super().on_hci_le_create_connection_command(command)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """bumble 0.0.236 answers but keeps the attempt pending, so that the next one is disallowed."""
        if self.pending_le_connection is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self._end_pending(hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    # ---- air -----------------------------------------------------------------------------------

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Reports with this link's RSSI and, unlike bumble's, with the scan response's own data."""
        if self.le_scan_enable:
            kinds = hci.HCI_LE_Advertising_Report_Event.EventType
            self._report(kinds.ADV_IND, pdu.advertiser_address, pdu.data)
            if response := self.air.scan_response(pdu.advertiser_address):
                self._report(kinds.SCAN_RSP, pdu.advertiser_address, response)
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def _report(self, kind: int, address: hci.Address, data: bytes) -> None:
        report = hci.HCI_LE_Advertising_Report_Event.Report(
            event_type=kind,
            address_type=address.address_type,
            address=address,
            data=data,
            rssi=self.air.rssi_dbm(address),
        )
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))


class _Host(Host):
    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if isinstance(packet, hci.HCI_Event):
            self.on_hci_event_packet(packet)
        elif isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if self.hci_sink:
            self.hci_sink.on_packet(bytes(packet))


def make_device(controller: RadioController) -> Device:
    """A host over this chip, with nothing in its GATT server yet."""
    configuration = DeviceConfiguration(
        name=controller.name, address=controller.random_address, gatt_service_enabled=False
    )
    return Device(config=configuration, host=_Host(controller, AsyncPipeSink(controller)))
