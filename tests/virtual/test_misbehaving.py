"""Sensors that reboot, fall silent and drop; adapters that fill up, are busy, and are reset."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import time

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError

from gaitmon.errors import ConfigError
from gaitmon.virtual import Fate, LinkModel, VirtualRadio, warped_loop
from gaitmon.virtual.warp import LAG_S
from tests.needs import ROOT
from tests.virtual.rooms import found, linked, profile, run, streaming_dot, swinging

DOT = profile("movella_dot")


def test_a_reboot_begins_the_clock_again_and_ends_the_link() -> None:
    async def test() -> None:
        async with VirtualRadio(seed=1) as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging())
            await asyncio.sleep(30)
            async with streaming_dot(radio, hub, sensor, mode=20) as (client, before):
                await asyncio.sleep(1)
                await sensor.reboot(off_s=0.5)
                assert linked(client)  # the host does not know yet
                await asyncio.sleep(2.5)
                assert not linked(client)
            async with streaming_dot(radio, hub, sensor, mode=20) as (_, after):
                await asyncio.sleep(1)
            first, second = DOT.decode(before.payloads, 20).clock, DOT.decode(after.payloads, 20).clock
            assert first is not None
            assert second is not None
            assert first[0] > 30e6
            assert second[0] < 5e6
            assert set(sensor.truth.sample_boot) == {0, 1}
            assert sensor.board.mode == 20

    run(test)


def test_dropped_cut_and_muted_packets() -> None:
    async def test() -> None:
        async with VirtualRadio(seed=1) as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging())
            async with streaming_dot(radio, hub, sensor) as (client, heard):
                await asyncio.sleep(1)
                sensor.drop_packets(7)
                await asyncio.sleep(1)
                sensor.cut_packets(3)
                await asyncio.sleep(1)
                sensor.mute()
                await asyncio.sleep(0.1)
                count = len(heard.payloads)
                await asyncio.sleep(1)
                assert client.is_connected
                assert len(heard.payloads) == count
                sensor.mute(False)
                await asyncio.sleep(0.2)
            whole = [p for p in heard.payloads if len(p) == 40]
            assert len(heard.payloads) - len(whole) == 3
            clock = DOT.decode(whole[:100]).clock
            assert clock is not None
            assert np.rint(np.diff(clock) / 16667).max() == 8
            assert sensor.truth.count(Fate.DROPPED) == pytest.approx(7 + 66, abs=2)

    run(test)


def test_an_adapter_has_so_many_slots() -> None:
    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter(slots=2)
            sensors = [await radio.sensor(DOT, swinging()) for _ in range(3)]
            devices = [await found(hub, sensor) for sensor in sensors]
            async with BleakClient(devices[0], backend=hub.client):
                async with BleakClient(devices[1], backend=hub.client):
                    with pytest.raises(BleakError, match="CONNECTION_LIMIT_EXCEEDED"):
                        await BleakClient(devices[2], backend=hub.client).connect()
                async with BleakClient(devices[2], backend=hub.client) as client:
                    assert client.is_connected

    run(test)


def test_an_adapter_makes_one_connection_at_a_time_and_forgets_a_cancelled_one() -> None:
    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            gone, there = [await radio.sensor(DOT, swinging()) for _ in range(2)]
            devices = [await found(hub, sensor) for sensor in (gone, there)]
            gone.move_out_of_range()
            attempt = asyncio.create_task(BleakClient(devices[0], backend=hub.client, timeout=5).connect())
            await asyncio.sleep(0.1)
            with pytest.raises(BleakError, match="in progress"):
                await BleakClient(devices[1], backend=hub.client).connect()
            with pytest.raises(TimeoutError):
                await attempt
            async with BleakClient(devices[1], backend=hub.client) as client:
                assert client.is_connected

    run(test)


def test_a_connection_that_the_sensor_did_not_hear_of_fails_soon() -> None:
    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging(), link=LinkModel(pdu_error=0.95))
            device = await found(hub, sensor, timeout_s=30)  # by chance it is heard now and then
            asked_ns = radio.now_ns()
            with pytest.raises(BleakError, match="disconnected"):
                await BleakClient(device, backend=hub.client, timeout=20).connect()
            assert radio.now_ns() - asked_ns < 10e9
            assert not linked(sensor)
            sensor.link = LinkModel()
            async with BleakClient(device, backend=hub.client) as client:
                assert client.is_connected

    run(test)


def test_a_reset_adapter_drops_links_and_scanners_and_works_again() -> None:
    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging(), link=LinkModel(supervision_s=1.0))
            gone = asyncio.Event()
            client = BleakClient(await found(hub, sensor), lambda _: gone.set(), backend=hub.client)
            await client.connect()
            scanner = BleakScanner(backend=hub.scanner)
            await scanner.start()
            reset = asyncio.create_task(hub.reset(down_s=0.5))
            await asyncio.wait_for(gone.wait(), 0.1)
            with pytest.raises(BleakError, match="powered off"):
                await BleakScanner(backend=hub.scanner).start()
            with pytest.raises(BleakError, match="powered off"):
                await client.connect()
            await reset
            assert linked(sensor)  # it was not told
            await asyncio.sleep(1.0)
            assert not linked(sensor)
            scanner.discovered_devices.clear()
            await scanner.stop()
            async with streaming_dot(radio, hub, sensor) as (_, heard):
                await asyncio.sleep(0.5)
            assert heard.payloads

    run(test)


def test_a_deaf_scanner_hears_nothing_and_says_nothing() -> None:
    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            await radio.sensor(DOT, swinging())
            hub.deaf = True
            assert not await BleakScanner.discover(2.0, backend=hub.scanner)
            await hub.reset()
            assert len(await BleakScanner.discover(2.0, backend=hub.scanner)) == 1

    run(test)


def test_a_link_that_goes_during_a_request_is_an_error_of_bleak() -> None:
    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging(), link=LinkModel(interval_s=0.1))
            async with BleakClient(await found(hub, sensor), backend=hub.client) as client:
                reading = asyncio.create_task(client.read_gatt_char(DOT.gatt["battery"]))
                await asyncio.sleep(0.01)
                sensor.disconnect()
                with pytest.raises(BleakError, match="disconnected"):
                    await reading

    run(test)


def test_a_warped_loop_keeps_relations() -> None:
    async def test() -> tuple[float, float]:
        wall_s, loop_s = time.monotonic(), asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4.0):
                await asyncio.sleep(8.0)
        return time.monotonic() - wall_s, asyncio.get_running_loop().time() - loop_s

    wall_s, loop_s = run(test, speed=20.0)
    assert loop_s == pytest.approx(4.0, abs=1e-6)
    assert loop_s / 20 - LAG_S <= wall_s < 2.0  # on a busy machine it is slower, never faster
    assert run(test)[1] == pytest.approx(4.0, abs=1e-6)
    with pytest.raises(ConfigError):
        warped_loop(0.0)


@pytest.mark.parametrize("speed", [20.0, math.inf])
def test_time_of_a_warped_loop_stands_still_while_somebody_is_busy(speed: float) -> None:
    async def test() -> float:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        waiting = asyncio.create_task(asyncio.sleep(1.0))
        await asyncio.sleep(0.5)
        time.sleep(0.2)  # four seconds at twenty times
        await waiting
        return loop.time() - begin_s

    assert run(test, speed) == pytest.approx(1.0, abs=1e-6)


def test_a_known_sensor_is_not_asked_again_what_it_has() -> None:
    async def test() -> None:
        took = []
        async with VirtualRadio() as radio:
            for hub in (await radio.adapter(), await radio.adapter(caches=False)):
                sensor = await radio.sensor(DOT, swinging())
                device = await found(hub, sensor)
                for _ in range(2):
                    began_ns = radio.now_ns()
                    async with BleakClient(device, backend=hub.client) as client:
                        took.append((radio.now_ns() - began_ns) / 1e9)
                        uuids = {c.uuid for s in client.services for c in s.characteristics}
                        assert set(DOT.gatt.values()) <= uuids
                        assert await client.read_gatt_char(DOT.gatt["battery"]) == b"\x5a\x00"
                    await asyncio.sleep(0.2)
        first, again, *uncached = took
        assert again < 0.25
        assert min(first, *uncached) > 0.5

    run(test)


def test_a_remembered_service_can_be_another_firmwares() -> None:
    async def test() -> None:
        async with VirtualRadio() as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging())
            device = await found(hub, sensor)
            async with BleakClient(device, backend=hub.client):
                hub.services[sensor.address].pop()  # as if it had been remembered from before an update
            async with BleakClient(device, backend=hub.client) as client:
                assert client.services.get_characteristic(DOT.gatt["message_control"]) is None
            await client.unpair()
            async with BleakClient(device, backend=hub.client) as client:
                assert client.services.get_characteristic(DOT.gatt["message_control"]) is not None

    run(test)


def test_at_twenty_times_the_host_clock_keeps_up_with_the_sensors() -> None:
    """Loop time, host clock and device clock run together, so that a clock mapping has nothing to notice;
    however busy the machine is."""

    async def test() -> None:
        async with VirtualRadio(seed=4) as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging())
            async with streaming_dot(radio, hub, sensor) as (_, heard):
                await asyncio.sleep(20)
            delivered = sensor.truth.sample_fate == Fate.DELIVERED
            assert len(heard.at_ns) == delivered.sum() > 600
            delay_s = np.array(heard.at_ns) / 1e9 - sensor.truth.sample_true_s[delivered]
            assert delay_s.min() > 0
            assert np.median(delay_s) < 0.05

    run(test, speed=20)


def test_without_bumble_the_error_names_the_extra() -> None:
    code = "import sys; sys.modules['bumble'] = None; import gaitmon.virtual"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "gaitmon[demo]" in done.stderr.splitlines()[-1]
