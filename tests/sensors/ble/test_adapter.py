"""Adapters that are full, reset, deaf or switched off, and several of them, under the whole collector."""

from __future__ import annotations

import asyncio

import pytest

from gaitmon.sensors.ble.health import LinkState
from tests.sensors.ble.bed import STREAMING, bed, now_s, run, spec_of


def test_the_adapter_is_reset() -> None:
    async def room() -> None:
        async with bed(3) as b, b.collecting():
            await b.all_stream()
            await asyncio.sleep(3.0)
            await b.hub.reset(down_s=2.0)
            # The sensors notice by their supervision time only, and advertise again after it.
            possible_s = now_s()
            await asyncio.sleep(8.0)
            for i in range(3):
                assert b.first_packet_s(i, possible_s) <= 3.0
                b.came_back(i)

    run(room())


@pytest.mark.parametrize(("chip", "trusted"), [(0, 2), (2, 5)])
def test_three_sensors_and_two_slots(chip: int, trusted: int) -> None:
    """Whether the collector knows the limit or the adapter says so."""

    async def room() -> None:
        async with bed(3, slots=chip, trusted=trusted) as b, b.collecting():
            await b.until(lambda: b.states().count(STREAMING) == 2)
            await asyncio.sleep(10.0)
            assert b.states().count(STREAMING) == 2
            waits = next(s for s in b.health.sensors if s.state is not STREAMING)
            assert waits.state is LinkState.WAITING
            assert "Adapter hci0" in waits.message
            assert "2 connections" in waits.message
            assert waits.sensor.placement.replace("_", " ") in waits.message
            if chip:
                assert 2 <= waits.errors["out of slots"] <= 5, "tried again every 4 s"
            first = next(i for i, state in enumerate(b.states()) if state is STREAMING)
            b.sensors[first].power_off()
            third = b.health.sensors.index(next(s for s in b.health.sensors if s.sensor == waits.sensor))
            await b.until(lambda: b.states()[third] is STREAMING, 8.0)
            assert b.health.sensors[third].message == ""

    run(room())


def test_two_adapters_share_the_sensors() -> None:
    async def room() -> None:
        async with bed(3) as b:
            other = await b.radio.adapter()
            b.specs = [spec_of(b.hub, 2), spec_of(other, 2, "hci1")]
            async with b.collecting():
                await b.all_stream()
                assert sorted(a.connections for a in b.health.adapters) == [1, 2]
                assert {s.adapter for s in b.health.sensors} == {"hci0", "hci1"}

    run(room())


def test_a_deaf_scanner_is_started_anew_then_with_its_adapter() -> None:
    async def room() -> None:
        async with bed(1) as b:
            b.hub.deaf = True
            async with b.collecting():
                await asyncio.sleep(100.0)
                assert b.health.adapters[0].errors["scanner quiet"] == 1
                assert b.hub.resets == 0
                await b.until(lambda: b.hub.resets == 1, 100.0)
                await b.all_stream(4.0)

    run(room())


def test_bluetooth_switched_off_is_said_and_waited_for() -> None:
    async def room() -> None:
        async with bed(1) as b:
            await b.hub.power_off()
            async with b.collecting():
                await asyncio.sleep(5.0)
                assert "Adapter hci0 cannot scan (bluetooth powered off)" in b.health.adapters[0].message
                await b.hub.power_on()
                await b.all_stream(3.0)
                assert b.health.adapters[0].message == ""

    run(room())
