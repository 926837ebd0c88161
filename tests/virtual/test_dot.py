"""A virtual DOT heard through bleak: its bytes, its answers, its clock."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakGATTProtocolError

from gaitmon.sensors.layout import Decoded
from gaitmon.virtual import ClockModel, Fate, LinkModel, VirtualRadio
from tests.virtual.rooms import found, profile, run, streaming_dot, swinging

DOT = profile("movella_dot")


def test_the_bytes_on_the_air_are_the_profiles() -> None:
    async def test() -> None:
        async with VirtualRadio(seed=1) as radio:
            hub, motion = await radio.adapter(), swinging()
            sensor = await radio.sensor(DOT, motion, clock=ClockModel(skew_ppm=40, wander_ppm=2))
            async with streaming_dot(radio, hub, sensor) as (_, heard):
                from_s = radio.play()
                await asyncio.sleep(10)
            truth = sensor.truth
            delivered = truth.sample_fate == Fate.DELIVERED
            assert len(heard.payloads) == delivered.sum() > 590
            at_s = np.maximum(truth.sample_true_s - from_s, 0.0)[delivered]
            samples = Decoded(truth.sample_clock[delivered], None, motion.at(at_s))
            assert heard.payloads == DOT.encode(samples)
            assert np.ptp(samples.values["acc_m_s2"][:, 0]) > 3.9  # it moved

    run(test)


def test_the_clock_is_the_sensors_own() -> None:
    async def test() -> None:
        async with VirtualRadio(seed=1) as radio:
            hub = await radio.adapter()
            clock = ClockModel(skew_ppm=1000, initial_s=2**32 / 1e6 - 3.0)
            sensor = await radio.sensor(DOT, swinging(), clock=clock)
            async with streaming_dot(radio, hub, sensor) as (_, heard):
                await asyncio.sleep(8)
            decoded = DOT.decode(heard.payloads)
            assert decoded.clock is not None
            steps = np.diff(decoded.clock) % 2**32
            assert set(np.unique(steps)) <= {16666, 16667}
            assert (np.diff(decoded.clock.astype(np.int64)) < 0).sum() == 1  # it wrapped
            true_s = sensor.truth.sample_true_s
            rate = steps.sum() / 1e6 / (true_s[len(steps)] - true_s[0])
            assert rate == pytest.approx(1.001, abs=1e-6)

    run(test)


def test_it_answers_as_its_specification_says() -> None:
    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging())
            sensor.board.battery_percent = 41
            gatt = DOT.gatt
            async with BleakClient(await found(hub, sensor), backend=hub.client) as client:
                assert await client.read_gatt_char(gatt["battery"]) == bytes([41, 0])
                control = await client.read_gatt_char(gatt["device_control"])
                assert len(control) == 32
                assert control[24:26] == b"\x3c\x00"
                await client.write_gatt_char(gatt["device_control"], b"\x10" + bytes(23) + b"\x1e" + bytes(7))
                assert sensor.board.rate_hz == 30
                await client.write_gatt_char(gatt["device_control"], b"\x01\x01" + bytes(30))
                assert len(sensor.board.identified_s) == 1
                with pytest.raises(BleakGATTProtocolError):
                    await client.write_gatt_char(gatt["measurement_control"], b"\x01", response=True)
                await client.write_gatt_char(gatt["measurement_control"], bytes([1, 1, 99]), response=True)
                assert not sensor.board.running
                await client.write_gatt_char(gatt["measurement_control"], bytes([1, 1, 20]), response=True)
                await asyncio.sleep(1)
            assert sensor.truth.count(Fate.UNHEARD) > 25  # started, but nobody had subscribed
            await asyncio.sleep(0.1)
            assert not sensor.board.running  # the link is gone
            assert sensor.board.mode == 20  # kept in flash

    run(test)


def test_it_advertises_its_identity() -> None:
    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging(), link=LinkModel(rssi_dbm=-83))
            async with BleakScanner(backend=hub.scanner) as scanner:
                await asyncio.sleep(1)
                device, said = scanner.discovered_devices_and_advertisement_data[sensor.address]
            assert DOT.identity.matches(device.name, set(said.manufacturer_data))
            assert set(said.manufacturer_data) == {0x0886}
            assert said.rssi == pytest.approx(-83, abs=10)

    run(test)
