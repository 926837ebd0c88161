"""The maker's synchronisation on virtual DOTs, over real ATT bytes: how it works and how it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gaitmon.errors import ConfigError
from gaitmon.sensors.ble.synchronise import SyncResult, synchronise, synchronised, unsynchronise
from gaitmon.virtual import VirtualSensor
from gaitmon.virtual.dot import Dot
from tests.sensors.ble.bed import DOT, PROFILES, Bed, bed, now_s, run

OPEN = PROFILES["gaitmon-open"]
ALONE_S = 8.0  # all have been told by then


def problems(results: list[SyncResult]) -> list[str]:
    return [result.problem for result in results]


def is_synchronised(sensor: VirtualSensor) -> bool:
    assert isinstance(sensor.firmware, Dot)
    return sensor.firmware.synchronised


def apart_s(b: Bed) -> float:
    """How far the sensors' clocks are from each other now."""
    reads = [sensor.clock_reads_s(now_s()) for sensor in b.sensors]
    return max(reads) - min(reads)


async def staggered(b: Bed) -> None:
    """Clocks that began at different moments."""
    for k, sensor in enumerate(b.sensors):
        await sensor.reboot(off_s=1.0 + k)
    assert apart_s(b) > 1.0


def test_three_sensors_get_one_clock_and_give_it_up() -> None:
    async def room() -> None:
        async with bed(3) as b:
            await staggered(b)
            assert problems(await synchronised(b.assignments, b.specs)) == ["Not synchronised"] * 3
            begin_s = now_s()
            results = await synchronise(b.assignments, b.specs)
            assert now_s() - begin_s < 30.0
            assert problems(results) == ["", "", ""]
            assert [r.sensor for r in results] == [a.sensor for a in b.assignments]
            assert apart_s(b) < 1e-4
            await asyncio.sleep(0.1)  # until the last word has reached the sensors
            assert not any(sensor.is_linked for sensor in b.sensors)
            assert problems(await synchronised(b.assignments, b.specs)) == ["", "", ""]
            assert problems(await unsynchronise(b.assignments, b.specs)) == ["", "", ""]
            assert not any(map(is_synchronised, b.sensors))

    run(room())


def test_synchronised_sensors_stream_to_the_collector_and_stay_so() -> None:
    async def room() -> None:
        async with bed(3) as b:
            await staggered(b)
            await synchronise(b.assignments, b.specs)
            async with b.collecting():
                await b.all_stream()
                await asyncio.sleep(10.0)
                assert all(59.0 < s.rate_hz < 61.0 for s in b.health.sensors)
            first = [int(b.clocks(i)[-1]) for i in range(3)]
            assert max(first) - min(first) < 50_000, "one clock, in microseconds"
            assert problems(await synchronised(b.assignments, b.specs)) == ["", "", ""]

    run(room())


async def during(b: Bed, act: Callable[[], Awaitable[None] | None]) -> list[SyncResult]:
    """Synchronise; while the sensors are left alone act() happens."""
    task = asyncio.create_task(synchronise(b.assignments, b.specs))
    await asyncio.sleep(ALONE_S)
    if (done := act()) is not None:
        await done
    return await task


def test_one_that_fails_ends_it_on_the_others() -> None:
    async def room() -> None:
        async with bed(3) as b:
            results = await during(b, b.sensors[2].reboot)
            ended = "ended again: not all sensors could be synchronised"
            assert problems(results) == [ended, ended, "Not started"]
            assert not any(map(is_synchronised, b.sensors))
            assert problems(await synchronise(b.assignments, b.specs)) == ["", "", ""], "the next time"

    run(room())


def test_one_that_drops_meanwhile() -> None:
    async def room() -> None:
        async with bed(3) as b:
            results = await during(b, b.sensors[1].move_out_of_range)
            assert problems(results)[1] == "It was not heard for 30 s"
            assert not is_synchronised(b.sensors[0])
            assert not is_synchronised(b.sensors[2])

    run(room())


def test_without_the_one_that_gives_the_time_nobody_gets_it() -> None:
    async def room() -> None:
        async with bed(3) as b:
            results = await during(b, b.sensors[0].power_off)
            heard = "It was not heard for 30 s"
            assert problems(results) == [heard, "Not enough samples", "Not enough samples"]

    run(room())


def test_where_one_is_not_reached_nothing_is_begun() -> None:
    async def room() -> None:
        async with bed(3) as b:
            b.sensors[1].move_out_of_range()
            results = await synchronise(b.assignments, b.specs)
            others = "nothing was done: not all sensors were reached"
            assert problems(results) == [others, "It was not heard for 30 s", others]
            await asyncio.sleep(20.0)
            assert problems(await synchronised([b.assignments[0], b.assignments[2]], b.specs)) == [
                "Not synchronised"
            ] * 2  # fmt: skip

    run(room())


def test_a_link_that_breaks_while_asking_is_made_again() -> None:
    async def room() -> None:
        async with bed(3) as b:

            async def disturbed() -> None:
                sensor = b.sensors[1]
                while not sensor.is_linked:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
                assert sensor.is_linked
                sensor.disconnect()

            assert problems(await during(b, disturbed)) == ["", "", ""]
            assert all(map(is_synchronised, b.sensors))

    run(room())


def test_a_reboot_loses_it_and_asking_tells() -> None:
    async def room() -> None:
        async with bed(3) as b:
            assert problems(await synchronise(b.assignments, b.specs)) == ["", "", ""]
            await b.sensors[2].reboot()
            assert problems(await synchronised(b.assignments, b.specs)) == ["", "", "Not synchronised"]

    run(room())


def test_stopped_in_the_middle_no_sensor_stays_connected() -> None:
    async def room() -> None:
        async with bed(3) as b:
            task = asyncio.create_task(synchronise(b.assignments, b.specs))
            while not all(sensor.is_linked for sensor in b.sensors):
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.1)
            assert not any(sensor.is_linked for sensor in b.sensors)

    run(room())


def test_what_cannot_be_synchronised_says_so() -> None:
    async def room() -> None:
        async with bed(3, trusted=2) as b:
            with pytest.raises(ConfigError, match="3 sensors must be connected at once"):
                await synchronise(b.assignments, b.specs)
            with pytest.raises(ConfigError, match="two or more sensors of one kind"):
                await synchronise(b.assignments[:1], b.specs)
            other = replace(b.assignments[1], profile=OPEN)
            with pytest.raises(ConfigError, match="two or more sensors of one kind"):
                await synchronise([b.assignments[0], other], b.specs)
            opened = [replace(a, profile=OPEN) for a in b.assignments]
            with pytest.raises(ConfigError, match="has no synchronisation of its own"):
                await synchronise(opened, b.specs)
            hidden = [replace(a, address=f"{k}-0000") for k, a in enumerate(b.assignments)]
            with pytest.raises(ConfigError, match="does not tell the sensors' Bluetooth addresses"):
                await synchronise(hidden, b.specs)

    assert DOT.procedures.synchronise
    run(room())
