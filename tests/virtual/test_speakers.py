"""Every virtual sensor is started by its profile's procedures, and the profile reads what it sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from bleak import BleakClient
from bleak.exc import BleakError, BleakGATTProtocolError

from gaitmon.errors import ConfigError
from gaitmon.sensors.procedures import PAYLOAD_ROLE, Step
from gaitmon.sensors.profile import FirmwareProfile, render
from gaitmon.virtual import ClockModel, Fate, Hub, LinkModel, Motion, SensorModel, VirtualRadio, VirtualSensor
from gaitmon.virtual.radio import FIRMWARE
from tests.virtual.rooms import Heard, found, profile, run, swinging

FILES = {
    "gaitmon-open": "gaitmon_open",
    "movella-dot": "movella_dot",
    "polar-h10": "polar_h10",
    "polar-oh1": "polar_oh1",
    "polar-verity-sense": "polar_verity_sense",
    "witmotion-wt901ble": "witmotion",
}


@dataclass
class Follower:
    """Does a procedure's steps to the letter.  heard: notifications of the payload; said: all others."""

    client: BleakClient
    profile: FirmwareProfile
    heard: Heard
    mode: int
    rate_hz: float
    said: dict[str, list[bytes]] = field(default_factory=dict)
    root: str = ""

    async def follow(self, steps: Sequence[Step]) -> bytes:
        answer = b""
        for step in steps:
            answer = await self._do(step)
        return answer

    async def _do(self, step: Step) -> bytes:
        payload_role = self.profile.mode_of(self.mode).role
        role = payload_role if step.role == PAYLOAD_ROLE else step.role or ""
        uuid = self.profile.gatt.get(role, "")
        wanted = self._bytes(step.bytes or "")
        match step.do:
            case "subscribe" if role in self.said:
                pass  # once per connection
            case "subscribe":
                said = self.said.setdefault(role, [])
                tell = self.heard if role == payload_role else lambda _, b: said.append(bytes(b))
                await self.client.start_notify(uuid, tell)
            case "unsubscribe":
                await self.client.stop_notify(uuid)
            case "write":
                for said in self.said.values():
                    said.clear()
                await self.client.write_gatt_char(uuid, wanted)
            case "read":
                answer = bytes(await self.client.read_gatt_char(uuid))
                assert answer.startswith(wanted), (answer.hex(), wanted.hex())
                return answer
            case "expect":
                async with asyncio.timeout(5):
                    while not any(one.startswith(wanted) for one in self.said[role]):
                        await asyncio.sleep(0.01)
            case "patch":
                value = bytearray(await self.client.read_gatt_char(uuid))
                for patch in step.patches:
                    new = self._bytes(patch.bytes)
                    value[patch.offset : patch.offset + len(new)] = new
                await self.client.write_gatt_char(uuid, value)
            case "bond":
                await self.client.pair()
            case other:
                raise AssertionError(other)
        return b""

    def _bytes(self, template: str) -> bytes:
        root = self.root or "00:00:00:00:00:00"
        return render(template, self.profile, mode=self.mode, rate_hz=self.rate_hz, root=root)


@asynccontextmanager
async def following(radio: VirtualRadio, hub: Hub, sensor: VirtualSensor) -> AsyncIterator[Follower]:
    """Connected, secured, probed, with the profile's rate set."""
    said = sensor.profile
    async with BleakClient(await found(hub, sensor), backend=hub.client) as client:
        follower = Follower(client, said, Heard(radio), said.default_mode, said.rates.default_hz)
        await follower.follow([*said.procedures.secure, *said.procedures.probe, *said.procedures.rate])
        yield follower


@pytest.mark.parametrize("name", FILES)
def test_procedures_start_it_and_the_profile_reads_it(name: str) -> None:
    said = profile(FILES[name])

    async def test() -> None:
        async with VirtualRadio(seed=7) as radio:
            hub, motion = await radio.adapter(), swinging()
            sensor = await radio.sensor(said, motion, clock=ClockModel(skew_ppm=50))
            async with following(radio, hub, sensor) as follower:
                from_s = radio.play()
                await follower.follow(said.procedures.start)
                await asyncio.sleep(12)
                await follower.follow(said.procedures.stop)
                await asyncio.sleep(0.2)
                assert not sensor.board.running
            check(said, sensor, motion, follower.heard.payloads, from_s)

    run(test)


def check(
    said: FirmwareProfile, sensor: VirtualSensor, motion: Motion, payloads: list[bytes], from_s: float
) -> None:
    decoded, truth = said.decode(payloads), sensor.truth
    delivered = truth.sample_fate == Fate.DELIVERED
    true_s, clock = truth.sample_true_s[delivered], truth.sample_clock[delivered].astype(np.int64)
    n = len(decoded)
    assert len(clock) - 80 <= n <= len(clock)  # a decoder that merges two streams drops ends
    assert n > 10 * said.rates.default_hz
    assert 1 / np.diff(true_s).mean() == pytest.approx(said.rates.default_hz * 1.00005, rel=1e-6)
    which = np.arange(n)
    if said.clock is not None and decoded.clock is not None:
        per_frame = said.mode_of().samples
        stamps = clock.reshape(-1, per_frame)[:, -1 if said.clock.stamps == "last_sample" else 0]
        heard = decoded.clock.astype(np.int64)
        first = int(np.abs(stamps - heard[0]).argmin())
        # To the tick, except where a decoder spreads samples evenly between the stamps of frames.
        assert np.abs(heard - stamps[first : first + len(heard)]).max() * said.clock.tick_s <= 1e-6
        which += first * per_frame
    wanted = motion.at(np.maximum(true_s[which] - from_s, 0.0))
    for key in {"acc_m_s2", "gyr_rad_s"} & decoded.values.keys():
        # Steps of the wire, and a line between samples where two streams are merged.
        assert np.abs(decoded.values[key] - wanted[key]).max() < 0.02, key


def test_each_has_its_profile() -> None:
    assert set(FILES) == set(FIRMWARE)

    async def test() -> None:
        async with VirtualRadio() as radio:
            with pytest.raises(ConfigError, match="movesense"):
                await radio.sensor(profile("movesense_gsp"), swinging())

    run(test)


def test_the_open_sensor_wants_encryption_and_survives_a_lost_bond() -> None:
    said = profile("gaitmon_open")

    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(said, swinging())
            device = await found(hub, sensor)
            async with BleakClient(device, backend=hub.client) as client:
                with pytest.raises(BleakGATTProtocolError):
                    await client.read_gatt_char(said.gatt["status"])
            for _ in range(2):  # pairing, then with the keys of the first time
                async with BleakClient(device, backend=hub.client) as client:
                    await client.pair()
                    assert await client.read_gatt_char(said.gatt["status"]) == b"\x01\x00\x05\x68\x00"
                await asyncio.sleep(0.1)
            sensor.forget_bonds()
            async with BleakClient(device, backend=hub.client) as client:
                with pytest.raises(BleakError):
                    await client.pair()
                await client.unpair()
                await client.pair()
                assert await client.read_gatt_char(said.gatt["status"])

    run(test)


def test_the_open_sensor_counts_what_overflows() -> None:
    said = profile("gaitmon_open")

    async def test() -> None:
        async with VirtualRadio(seed=2) as radio:
            hub = await radio.adapter()
            link, model = LinkModel(supervision_s=4.0), SensorModel(fifo_packets=8)
            sensor = await radio.sensor(said, swinging(), link=link, model=model)
            async with following(radio, hub, sensor) as follower:
                await follower.follow(said.procedures.start)
                await asyncio.sleep(1)
                sensor.move_out_of_range()
                await asyncio.sleep(2)
                sensor.move_into_range()
                await asyncio.sleep(1)
            counter = said.decode(follower.heard.payloads).counter
            assert counter is not None
            steps = np.diff(counter.astype(np.int64))  # 4 s: no wrap
            assert steps.min() == 5
            lost = sensor.truth.count(Fate.OVERFLOW)
            assert lost > 20
            assert (steps.sum() - 5 * len(steps)) / 5 == lost

    run(test)


def test_wit_forgets_its_rate_without_power_unless_it_was_saved() -> None:
    said = profile("witmotion")

    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(said, swinging())
            assert sensor.board.rate_hz == 10
            command = said.gatt["command"]
            async with BleakClient(await found(hub, sensor), backend=hub.client) as client:
                await client.write_gatt_char(command, bytes.fromhex("FFAA030900"))
                assert sensor.board.rate_hz == 10  # locked
                await client.write_gatt_char(command, bytes.fromhex("FFAA6988B5"))
                await client.write_gatt_char(command, bytes.fromhex("FFAA030900"))
                assert sensor.board.rate_hz == 100
                await sensor.reboot()
                assert sensor.board.rate_hz == 10

    run(test)


def test_polar_answers_with_indications_and_says_what_is_wrong() -> None:
    said = profile("polar_verity_sense")

    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(said, swinging())
            async with BleakClient(await found(hub, sensor), backend=hub.client) as client:
                answers: list[bytes] = []
                control = said.gatt["control_point"]
                await client.start_notify(control, lambda _, b: answers.append(bytes(b)))
                for command, answer in (
                    ("0102", "f001020000" + "00013400" + "01011000" + "0203020004000800"),
                    ("0202 00016400 01011000 02010800", "f0020208"),  # 100 Hz
                    ("0202 00013400 01011000 02010500", "f0020209"),  # 5 g
                    ("0202 0001", "f0020205"),
                    ("0200 00013400", "f0020003"),  # ECG
                    ("0205 00013400 01011000 0201d007", "f002050000" + "0501295c8f3d"),
                    ("0205 00013400 01011000 0201d007", "f0020506"),  # runs already
                    ("0305", "f003050000"),
                ):
                    answers.clear()
                    await client.write_gatt_char(control, bytes.fromhex(command), response=True)
                    await asyncio.sleep(0.1)
                    assert [one.hex() for one in answers] == [answer]
            assert not sensor.board.running

    run(test)


def test_the_dots_own_synchronisation_gives_one_clock() -> None:
    said = profile("movella_dot")

    async def test() -> None:
        async with VirtualRadio(seed=9) as radio:
            hub = await radio.adapter()
            clocks = ClockModel(skew_ppm=40), ClockModel(skew_ppm=-60, initial_s=1000.0)
            sensors = [await radio.sensor(said, swinging(), clock=clock) for clock in clocks]
            root = sensors[0].address
            for sensor in sensors:
                async with following(radio, hub, sensor) as follower:
                    follower.root = root
                    await follower.follow(said.procedures.synchronise[:1])
            await asyncio.sleep(14)
            for sensor in sensors:
                async with following(radio, hub, sensor) as follower:
                    await follower.follow(said.procedures.synchronise[4:])
                    await follower.follow(said.procedures.synchronised)
            now_s = asyncio.get_running_loop().time()
            first, second = (sensor.clock_reads_s(now_s) for sensor in sensors)
            assert first == pytest.approx(second, abs=1e-4)
            await sensors[1].reboot()
            async with following(radio, hub, sensors[1]) as follower:
                with pytest.raises(TimeoutError):
                    await follower.follow(said.procedures.synchronised)

    run(test)
