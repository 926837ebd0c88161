"""A virtual sensor: a GATT server made from its firmware profile, moved by a Motion, at its own clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from bumble import att
from bumble.core import UUID
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.keys import MemoryKeyStore

from gaitmon.model import Floats
from gaitmon.sensors.layout import QUANTITIES, Decoded, Ticks
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.virtual.advertising import advertising
from gaitmon.virtual.board import INDICATE, READ, WRITE, WRITE_WITHOUT_RESPONSE, Board, Firmware
from gaitmon.virtual.clock import ClockModel, Oscillator
from gaitmon.virtual.controller import RadioController, make_device
from gaitmon.virtual.link import LinkModel
from gaitmon.virtual.motion import Motion
from gaitmon.virtual.truth import Fate, SensorTruth

_AHEAD_S = 0.25  # samples are made for this long at a time
_SYNC_PPM = 1.0  # what Movella states half an hour after its synchronisation


@dataclass(frozen=True, slots=True)
class SensorModel:
    """fifo_packets: what the sensor can keep while the link is busy or out; then the newest is lost.
    tx_buffers: packets handed to its radio.  latency_s: from a sample to the sensor's memory.
    rate_hz, mode: at first power-on; None: as the factory set them."""

    fifo_packets: int = 16
    tx_buffers: int = 4
    latency_s: float = 0.002
    mtu: int = 247
    rate_hz: float | None = None
    mode: int | None = None
    advertising_interval_s: float = 0.1


class VirtualSensor:
    """Made by VirtualRadio.sensor.  board: what its firmware keeps and shows; truth: what really happened.

    link may be replaced at any time; it holds from the next connection on.
    """

    def __init__(
        self,
        controller: RadioController,
        profile: FirmwareProfile,
        motion: Motion,
        motion_time: Callable[[Floats], Floats],
        *,
        firmware: Callable[[Board], Firmware],
        name: str,
        clock: ClockModel,
        model: SensorModel,
        rng: np.random.Generator,
        others: Mapping[str, VirtualSensor],
    ) -> None:
        self.profile = profile
        self.motion = motion
        self.truth = SensorTruth()
        self.boot = 0
        self.device: Device = make_device(controller)
        self._controller = controller
        self._motion_time = motion_time
        self._clock_model = clock
        self._model = model
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self.board = self._wired(name, others)
        self.firmware = firmware(self.board)
        reads_s = self.firmware.clock_at_boot_s + clock.initial_s
        self._oscillator = Oscillator(clock, rng, self._loop.time(), reads_s)
        self._characteristics: dict[str, Characteristic[bytes]] = {}
        self._connection: Connection | None = None
        self._out_of_range = False
        self._off = False
        self._muted = False
        self._to_drop = 0
        self._to_cut = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ready: deque[tuple[Floats, Ticks, list[tuple[str, bytes]]]] = deque()
        self._next_device_s = 0.0
        self._counter = 0
        self._fifo: deque[tuple[int, str, bytes]] = deque()
        self._on_air: deque[int | None] = deque()
        self._indications: set[asyncio.Task[None]] = set()
        self._serve()
        controller.air.on_delivered[controller] = self._delivered
        self.device.on(Device.EVENT_CONNECTION, self._on_connection)

    def _wired(self, name: str, others: Mapping[str, VirtualSensor]) -> Board:
        """What the firmware has to do with."""
        mode = self.profile.default_mode if self._model.mode is None else self._model.mode
        address = bytes(self._controller.random_address)[::-1]
        board = Board(self.profile, address, name, mode, self._model.rate_hz or 0.0)
        board.start, board.stop = self._start, self._stop
        board.identify = lambda: board.identified_s.append(self._loop.time())
        board.notify, board.now_s = self._answer, self._loop.time
        board.max_payload = lambda: self._connection.att_mtu - 3 if self._connection else 20
        board.follow = lambda address: self._follow(others.get(address))
        return board

    # ---- knobs ---------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        return str(self._controller.random_address).split("/")[0]

    @property
    def link(self) -> LinkModel:
        return self._controller.air.model(self._controller.random_address)

    @link.setter
    def link(self, model: LinkModel) -> None:
        self._controller.air.models[self._controller.random_address] = model

    def clock_reads_s(self, true_s: float) -> float:
        """What its clock reads at a loop time, before it is cut to ticks."""
        return self._oscillator.device_s(true_s)

    @property
    def ahead_s(self) -> float:
        """How long before they are due samples are made, at most."""
        return max(_AHEAD_S, 2 * self.firmware.samples_per_packet / self.board.rate_hz)

    @property
    def is_linked(self) -> bool:
        return self._connection is not None

    def move_out_of_range(self) -> None:
        """Nothing is heard of it and it hears nothing; after the supervision time the link ends."""
        self._out_of_range = True
        self._radio_changed()

    def move_into_range(self) -> None:
        self._out_of_range = False
        self._radio_changed()

    def drop_packets(self, n: int) -> None:
        """The next n packets never leave the sensor."""
        self._to_drop += n

    def cut_packets(self, n: int) -> None:
        """The next n packets come one byte short."""
        self._to_cut += n

    def mute(self, muted: bool = True) -> None:
        """The link stays, the sensor measures, and sends nothing."""
        self._muted = muted

    def disconnect(self) -> None:
        """The link breaks at once on both sides, as by a strong disturbance."""
        self._controller.break_links()

    async def reboot(self, off_s: float = 0.5) -> None:
        """Power fails for off_s: clock and counter begin again, the link dies, flash stays."""
        self.power_off()
        await asyncio.sleep(off_s)
        await self.power_on()

    def power_off(self) -> None:
        self._off = True
        self._radio_changed()
        self._stop()
        self._controller.lose_power()

    async def power_on(self) -> None:
        """The first time, or again."""
        self.boot += self._off
        if self._off:
            reads_s = self.firmware.clock_at_boot_s
            self._oscillator = Oscillator(self._clock_model, self._rng, self._loop.time(), reads_s)
        self._off = False
        self._counter = 0
        self.firmware.booted()
        self._radio_changed()
        if not self.device.powered_on:
            await self.device.power_on()
        await self.device.start_advertising(auto_restart=True)

    def forget_bonds(self) -> None:
        """As after new firmware: the host's keys are worth nothing any more."""
        self.device.keystore = MemoryKeyStore()

    def _follow(self, root: VirtualSensor | None) -> bool:
        """The maker's synchronisation: from now on this sensor's clock reads what the root's does."""
        if root is None or root._off or root._out_of_range:
            return False
        now_s, model = self._loop.time(), root._clock_model
        skew_ppm = model.skew_ppm + (0.0 if root is self else float(self._rng.normal(0.0, _SYNC_PPM)))
        self._oscillator = Oscillator(
            replace(model, skew_ppm=skew_ppm), self._rng, now_s, root._oscillator.device_s(now_s)
        )
        return True

    def _radio_changed(self) -> None:
        self._controller.air.set_heard(self._controller, not (self._off or self._out_of_range))

    # ---- GATT ----------------------------------------------------------------------------------

    def _serve(self) -> None:
        for uuid, roles in self.firmware.services.items():
            self.device.add_service(
                Service(UUID(uuid), [self._characteristic(*one) for one in roles.items()])
            )
        self.device.gatt_server.max_mtu = self._model.mtu
        interval_ms = 1e3 * self._model.advertising_interval_s
        self.device.advertising_interval_min = self.device.advertising_interval_max = interval_ms
        advertised = advertising(self.profile.identity, self.board.name, self.board.address)
        self.device.advertising_data, self.device.scan_response_data = advertised

    def _characteristic(self, role: str, properties: Characteristic.Properties) -> Characteristic[bytes]:
        permissions = Characteristic.Permissions(0)
        if properties & READ:
            permissions |= Characteristic.READABLE
        if properties & (WRITE | WRITE_WITHOUT_RESPONSE):
            permissions |= Characteristic.WRITEABLE
        if role in self.firmware.encrypted:
            permissions |= Characteristic.Permissions.READ_REQUIRES_ENCRYPTION
            permissions |= Characteristic.Permissions.WRITE_REQUIRES_ENCRYPTION
        value = CharacteristicValue[bytes](
            read=lambda _: self.firmware.read(role), write=lambda _, data: self.firmware.write(role, data)
        )
        made = Characteristic[bytes](UUID(self.profile.gatt[role]), properties, permissions, value)
        made.on(made.EVENT_SUBSCRIPTION, lambda _, *kinds: self.firmware.subscribed(role, any(kinds)))
        self._characteristics[role] = made
        return made

    def _on_connection(self, connection: Connection) -> None:
        self._connection = connection
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)

    def _on_disconnection(self, _reason: int) -> None:
        self._connection = None
        self.firmware.disconnected()
        for packet in [*self._on_air, *(packet for packet, _, _ in self._fifo)]:
            if packet is not None:
                self.truth.became(packet, Fate.LOST_WITH_LINK)
        self._on_air.clear()
        self._fifo.clear()
        for task in self._indications:
            task.cancel()

    def _subscribed(self, role: str) -> bool:
        if self._connection is None:
            return False
        subscribers = self.device.gatt_server.subscribers.get(self._connection, {})
        return any(subscribers.get(self._characteristics[role].handle, b""))

    # ---- measuring -----------------------------------------------------------------------------

    def _start(self) -> None:
        self.board.running = True
        clock = self.profile.clock
        if clock is not None and clock.epoch == "start":
            self._oscillator = Oscillator(self._clock_model, self._rng, self._loop.time(), 0.0)
        self._next_device_s = self._oscillator.device_s(self._loop.time()) + 1.0 / self.board.rate_hz
        self._counter = 0
        self._make_ready()
        self._arm()

    def _stop(self) -> None:
        self.board.running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._ready.clear()

    def _make_ready(self) -> None:
        """The next packets, each with the times of its samples."""
        size = self.firmware.samples_per_packet
        packets = max(1, int(_AHEAD_S * self.board.rate_hz / size))
        device_s = self._next_device_s + np.arange(packets * size) / self.board.rate_hz
        self._next_device_s += packets * size / self.board.rate_hz
        true_s = self._oscillator.true_s(device_s)
        ticks = self._ticks(device_s)
        cut = zip(
            true_s.reshape(packets, size),
            ticks.reshape(packets, size),
            self.firmware.packets(self._samples(true_s, ticks)),
            strict=True,
        )
        self._ready.extend(cut)

    def _ticks(self, device_s: Floats) -> Ticks:
        clock = self.profile.clock
        if clock is None:
            return np.zeros(len(device_s), dtype=np.uint64)
        ticks: Ticks = np.floor(device_s / clock.tick_s + 1e-6).astype(np.uint64)
        return ticks & np.uint64(2**clock.bits - 1)

    def _samples(self, true_s: Floats, ticks: Ticks) -> Decoded:
        """What the motion does not have is 0, a quaternion the identity."""
        clock, n = self.profile.clock, len(true_s)
        per_frame = self.profile.mode_of(self.board.mode).samples
        in_frames = ticks.reshape(-1, per_frame)
        stamps = None
        if clock is not None:
            stamps = in_frames[:, -1] if clock.stamps == "last_sample" else in_frames[:, 0]
        counts_samples = self.profile.counter is not None and self.profile.counter.counts == "samples"
        step = per_frame if counts_samples else 1
        counter = self._counter + step * np.arange(len(in_frames), dtype=np.uint64)
        self._counter += step * len(in_frames)
        values: dict[str, Floats] = {
            key: np.zeros((n, count)) for key, count, _ in QUANTITIES.values() if count > 1
        }
        values["quat_wxyz"][:, 0] = 1.0
        return Decoded(stamps, counter, values | self.motion.at(self._motion_time(true_s)))

    # ---- sending -------------------------------------------------------------------------------

    def _arm(self) -> None:
        self._timer = self._loop.call_at(float(self._ready[0][0][-1]) + self._model.latency_s, self._sampled)

    def _sampled(self) -> None:
        """The next packet is ready."""
        true_s, ticks, payloads = self._ready.popleft()
        if not self._ready:
            self._make_ready()
        self._arm()
        packet = self.truth.packet(true_s, ticks, self.boot)
        if fate := self._fate_inside(payloads):
            self.truth.became(packet, fate)
            return
        cut = self._to_cut > 0
        self._to_cut -= cut
        for role, payload in payloads:
            self._fifo.append((packet, role, payload[:-1] if cut else payload))
        self._pump()

    def _fate_inside(self, payloads: list[tuple[str, bytes]]) -> Fate | None:
        """Why these never reach the sensor's radio; None when they do."""
        if self._to_drop > 0:
            self._to_drop -= 1
            return Fate.DROPPED
        if self._muted:
            return Fate.DROPPED
        if not all(self._subscribed(role) for role, _ in payloads):
            return Fate.UNHEARD
        if len(self._fifo) + len(payloads) > self._model.fifo_packets:
            return Fate.OVERFLOW
        return None

    def _pump(self) -> None:
        """From the sensor's memory into its radio's few buffers."""
        while self._connection and self._fifo and len(self._on_air) < self._model.tx_buffers:
            packet, role, payload = self._fifo.popleft()
            self._on_air.append(packet)
            self._send(self._connection, role, payload)

    def _answer(self, role: str, value: bytes) -> None:
        if self._connection is None or not self._subscribed(role):
            return
        characteristic = self._characteristics[role]
        if characteristic.properties & INDICATE:
            indicating = self.device.gatt_server.indicate_subscriber(self._connection, characteristic, value)
            task = self._loop.create_task(indicating)
            self._indications.add(task)
            task.add_done_callback(self._indications.discard)
        else:
            self._on_air.append(None)
            self._send(self._connection, role, value)

    def _send(self, connection: Connection, role: str, value: bytes) -> None:
        """Cut to the MTU, as every stack does."""
        pdu = att.ATT_Handle_Value_Notification(
            attribute_handle=self._characteristics[role].handle,
            attribute_value=value[: connection.att_mtu - 3],
        )
        self.device.gatt_server.send_gatt_pdu(connection, bytes(pdu))

    def _delivered(self, pdu: bytes) -> None:
        """The host has heard this L2CAP PDU; notifications come in the order they were sent."""
        channel, code = int.from_bytes(pdu[2:4], "little"), pdu[4]
        if channel == att.ATT_CID and code == att.Opcode.ATT_HANDLE_VALUE_NOTIFICATION and self._on_air:
            packet = self._on_air.popleft()
            if packet is not None:
                self.truth.became(packet, Fate.DELIVERED)
            self._pump()
