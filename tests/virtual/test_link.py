"""The air: connection intervals, errors, range, and what the sensor loses in its memory meanwhile."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from gaitmon.virtual import Fate, LinkModel, SensorModel, VirtualRadio
from tests.virtual.rooms import found, linked, profile, run, streaming_dot, swinging

DOT = profile("movella_dot")


def test_data_come_at_connection_events_and_at_most_so_many() -> None:
    async def test() -> None:
        async with VirtualRadio(seed=2) as radio:
            hub = await radio.adapter()
            link = LinkModel(interval_s=0.045, pdus_per_event=4)
            sensor = await radio.sensor(DOT, swinging(), link=link, model=SensorModel(tx_buffers=16))
            async with streaming_dot(radio, hub, sensor) as (_, heard):
                await asyncio.sleep(9)
                sensor.move_out_of_range()
                await asyncio.sleep(0.2)  # a dozen wait then
                sensor.move_into_range()
                await asyncio.sleep(1)
            events = np.diff(heard.at_ns) / 45e6
            assert np.allclose(events, np.rint(events), atol=1e-3)
            per_event = np.unique(np.rint(np.array(heard.at_ns) / 1e6), return_counts=True)[1]
            assert per_event.max() == 4
            assert per_event.mean() == pytest.approx(60 * 0.045, abs=0.1)
            assert np.diff(heard.at_ns).max() == pytest.approx(0.2e9, abs=0.045e9)
            assert sensor.truth.count(Fate.OVERFLOW) == 0

    run(test)


def test_errors_and_stalls_delay_but_lose_and_swap_nothing() -> None:
    async def test() -> None:
        async with VirtualRadio(seed=3) as radio:
            hub = await radio.adapter()
            link = LinkModel(pdu_error=0.3, stalls_per_min=30, stall_s=0.3)
            sensor = await radio.sensor(DOT, swinging(), link=link, model=SensorModel(fifo_packets=1200))
            async with streaming_dot(radio, hub, sensor) as (_, heard):
                await asyncio.sleep(20)
            truth = sensor.truth
            delivered = truth.sample_fate == Fate.DELIVERED
            decoded = DOT.decode(heard.payloads)
            assert decoded.clock is not None
            assert (decoded.clock == truth.sample_clock[delivered]).all()
            assert truth.count(Fate.OVERFLOW) == 0
            delay_s = np.array(heard.at_ns) / 1e9 - truth.sample_true_s[delivered]
            assert delay_s.min() > 0.0019
            assert np.median(delay_s) < 0.05
            assert delay_s.max() > 0.25  # a stall

    run(test)


def test_a_full_memory_loses_the_newest_and_truth_counts_them() -> None:
    async def test() -> None:
        async with VirtualRadio(seed=4) as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(
                DOT,
                swinging(),
                link=LinkModel(supervision_s=4.0),
                model=SensorModel(fifo_packets=10, tx_buffers=2),
            )
            async with streaming_dot(radio, hub, sensor) as (client, heard):
                await asyncio.sleep(1)
                sensor.move_out_of_range()
                await asyncio.sleep(2)
                sensor.move_into_range()
                await asyncio.sleep(1)
                assert client.is_connected
            lost = sensor.truth.count(Fate.OVERFLOW)
            assert lost == pytest.approx(2 * 60 - 12, abs=2)
            clock = DOT.decode(heard.payloads).clock
            assert clock is not None
            steps = np.rint(np.diff(clock) / 16667).astype(int)
            assert sorted(steps)[-1] == lost + 1  # one hole
            assert steps.sum() == len(steps) + lost

    run(test)


def test_out_of_range_ends_the_link_and_it_comes_back() -> None:
    async def test() -> None:
        async with VirtualRadio(seed=5) as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging(), link=LinkModel(supervision_s=2.0))
            async with streaming_dot(radio, hub, sensor) as (client, _):
                left_s = radio.now_ns() / 1e9
                sensor.move_out_of_range()
                while client.is_connected:
                    await asyncio.sleep(0.01)
                assert radio.now_ns() / 1e9 - left_s == pytest.approx(2.0, abs=0.1)
            with pytest.raises(AssertionError):
                await found(hub, sensor, timeout_s=3.0)  # nobody hears it
            sensor.move_into_range()
            async with streaming_dot(radio, hub, sensor) as (_, heard):
                await asyncio.sleep(1)
            assert len(heard.payloads) > 50

    run(test)


def test_the_sensor_knows_later_than_the_host_that_the_link_has_ended() -> None:
    async def test() -> None:
        async with VirtualRadio(seed=6) as radio:
            hub = await radio.adapter()
            sensor = await radio.sensor(DOT, swinging(), link=LinkModel(interval_s=0.1))
            async with streaming_dot(radio, hub, sensor):
                pass
            assert linked(sensor)  # the word is on its way
            await asyncio.sleep(0.25)
            assert not linked(sensor)

    run(test)
