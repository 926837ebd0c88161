"""The collector against virtual sensors: everything that goes wrong on a normal day."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner

from gaitmon.errors import ConfigError
from gaitmon.model import ImuBlock
from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.health import LinkState
from gaitmon.sensors.ble.policy import LinkPolicy
from gaitmon.sensors.ble.procedure import Conversation
from gaitmon.sensors.ble.service import stream
from gaitmon.sensors.raw import Notification, SessionOpened, Stalled
from gaitmon.sensors.stream import EventStream, StreamItem
from gaitmon.sensors.stream_sensor import Loss, SensorCounts
from gaitmon.virtual import Fate, LinkModel
from gaitmon.virtual.radio import FIRMWARE
from tests.sensors.ble.bed import DOT, PROFILES, STREAMING, Bed, bed, now_ns, now_s, run


def test_three_sensors_stream_and_are_let_go() -> None:
    async def room() -> None:
        async with bed(3) as b:
            async with b.collecting():
                assert await b.all_stream() < 3.0
                await asyncio.sleep(10.0)
                for sensor in b.health.sensors:
                    assert sensor.rate_hz == pytest.approx(60.0, abs=0.5)
                    assert sensor.battery_percent == 90
                    assert sensor.rssi_dbm is not None
                    assert sensor.packet_age_s is not None
                    assert sensor.packet_age_s < 0.1
                    assert not sensor.errors
                assert not b.health.adapters[0].scanning, "nobody is missing"
            await asyncio.sleep(0.1)  # until the last word has reached the sensors
            assert not any(s.is_linked or s.board.running for s in b.sensors), "stopped and disconnected"
            for i, virtual in enumerate(b.sensors):
                assert len(b.notifications(i)) == virtual.truth.count(Fate.DELIVERED) >= 600
                assert [up.connection for up in b.ups(i)] == [1]
                assert [down.reason for down in b.downs(i)] == ["stopped"]
            assert b.states() == [LinkState.STOPPED] * 3
            times = [e.monotonic_ns for e in b.events]
            assert times == sorted(times)

    run(room())


def test_out_of_range_for_half_a_minute() -> None:
    async def room() -> None:
        async with bed(3) as b, b.collecting():
            await b.all_stream()
            await asyncio.sleep(3.0)
            b.sensors[1].move_out_of_range()
            await asyncio.sleep(30.0)
            assert b.states()[1] is LinkState.SEARCHING
            b.sensors[1].move_into_range()
            back_s = now_s()
            await asyncio.sleep(5.0)
            assert b.first_packet_s(1, back_s) <= 3.0
            b.came_back(1)
            for i in (0, 2):
                assert len(b.ups(i)) == 1, "the others were not disturbed"
                assert not len(b.gaps_s(i))

    run(room())


def test_a_sensor_that_reboots() -> None:
    async def room() -> None:
        async with bed(3) as b, b.collecting():
            await b.all_stream()
            await asyncio.sleep(7.0)
            await b.sensors[2].reboot(off_s=2.0)
            back_s = now_s()
            await asyncio.sleep(4.0)
            assert b.first_packet_s(2, back_s) <= 3.0
            assert len(b.ups(2)) == 2
            assert len(b.gaps_s(2)) == 1, "its clock begins again"
            assert b.sensors[2].truth.sample_boot.max() == 1

    run(room())


def test_a_silent_sensor_is_restarted_then_reconnected() -> None:
    async def room() -> None:
        async with bed(2) as b, b.collecting():
            await b.all_stream()
            await asyncio.sleep(2.0)
            b.sensors[0].mute()
            await b.until(lambda: b.states()[0] is LinkState.STALLED, 1.6)
            await b.until(lambda: len(b.downs(0)) == 1, 5.0)
            assert b.health.sensors[0].errors["restarted"] == 1
            assert b.downs(0)[0].reason == "silent"
            assert len(b.stalls(0)) >= 3
            b.sensors[0].mute(False)
            back_s = now_s()
            await asyncio.sleep(5.0)
            assert b.first_packet_s(0, back_s) <= 3.0
            assert not b.stalls(1)

    run(room())


def test_a_restart_alone_wakes_a_sensor_that_forgot_to_send() -> None:
    async def room() -> None:
        async with bed(1) as b, b.collecting():
            await b.all_stream()
            await asyncio.sleep(2.0)
            b.sensors[0].board.stop()  # as a firmware that lost its measurement
            stopped_s = now_s()
            await asyncio.sleep(4.0)
            assert b.first_packet_s(0, stopped_s + 0.1) <= 3.0
            assert len(b.ups(0)) == 1, "the link was kept"

    run(room())


def test_packets_dropped_at_the_sensor_are_gaps_where_they_were() -> None:
    async def room() -> None:
        async with bed(3, link=LinkModel(interval_s=0.030, pdu_error=0.05)) as b, b.collecting():
            await b.all_stream()
            for n in (1, 2, 5, 1, 20):
                await asyncio.sleep(1.0)
                b.sensors[0].drop_packets(n)
            await asyncio.sleep(2.0)
            truth = b.sensors[0].truth
            dropped = truth.sample_clock[truth.sample_fate == Fate.DROPPED]
            assert len(dropped) == 29
            gaps = b.gaps_s(0)
            assert np.rint(gaps * 60.0 - 1).tolist() == [1, 2, 5, 1, 20]
            heard = b.clocks(0)
            before = heard[:-1][np.diff(heard.astype(np.int64)) > 25_000]
            first = dropped[[0, 1, 3, 8, 9]].astype(np.int64)
            assert np.abs(first - before.astype(np.int64) - 16_667).max() <= 1, "right after the last heard"
            assert not len(b.gaps_s(1))
            losses = [item for item in decoded(b)[0] if isinstance(item, Loss)]
            assert [loss.packets for loss in losses] == [1, 2, 5, 1, 20]

    run(room())


def decoded(b: Bed) -> tuple[list[StreamItem], tuple[SensorCounts, ...]]:
    decoder = EventStream(PROFILES)
    sensors = tuple(a.sensor for a in b.assignments)
    opened = SessionOpened("s", "w", "g", sensors, b.events[0].monotonic_ns, 0, "none")
    items = [item for event in (opened, *b.events) for item in decoder.push(event)]
    return items, decoder.counts


def test_a_sensor_of_another_make_does_not_hold_up_the_others() -> None:
    async def room() -> None:
        wrong = DOT.model_copy(
            update={"gatt": {**DOT.gatt, "measurement_control": "0000fff1-0000-1000-8000-00805f9b34fb"}}
        )
        async with bed(3) as b:
            b.assignments[1] = replace(b.assignments[1], profile=wrong)
            async with b.collecting():
                await asyncio.sleep(30.0)
                assert [b.states()[0], b.states()[2]] == [STREAMING] * 2
                ill = b.health.sensors[1]
                assert set(ill.errors) == {"characteristics missing"}
                assert "left thigh" in ill.message
                assert "characteristics missing" in ill.message
                assert 4 <= ill.attempts < 40
                assert len(b.ups(1)) == 0, "an attempt leaves no event"
                assert len(b.gaps_s(0)) == len(b.gaps_s(2)) == 0

    run(room())


def test_services_that_have_changed_since_they_were_remembered() -> None:
    """BlueZ answers from its cache; a firmware update moves or renames what is in it."""

    async def room() -> None:
        async with bed(1) as b:
            async with b.collecting():
                await b.all_stream()
            b.events.clear()
            (remembered,) = b.hub.services.values()
            del remembered[1:]  # of an older firmware, which had less
            async with b.collecting():
                await b.all_stream()
                assert dict(b.health.sensors[0].errors) == {"characteristics missing": 1}

    run(room())


@pytest.mark.parametrize("name", sorted(FIRMWARE))
def test_every_profile_that_has_a_virtual_sensor_streams(name: str) -> None:
    """Secured, probed, set to its rate, started, stopped: by the profile's own procedures."""

    async def room() -> None:
        profile = PROFILES[name]
        async with bed(1, profile=profile, rate_hz=profile.rates.default_hz) as b:
            async with b.collecting():
                await b.all_stream()
                await asyncio.sleep(5.0)
                b.sensors[0].disconnect()
                await asyncio.sleep(4.0)
                assert len(b.ups(0)) == 2
                assert set(b.health.sensors[0].errors) == {"link lost"}
                if profile.battery is not None:
                    assert b.health.sensors[0].battery_percent == 90
            items, (counts,) = decoded(b)
            assert counts.refused == counts.duplicates == 0
            assert counts.samples > 6.0 * profile.rates.default_hz
            assert any(isinstance(item, ImuBlock) for item in items)
            await asyncio.sleep(0.2)
            assert not b.sensors[0].is_linked

    run(room())


def test_no_address_leaves_by_events_health_or_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def room() -> None:
        async with bed(3, slots=2) as b:
            async with b.collecting():
                await b.until(lambda: b.states().count(STREAMING) == 2)
                await asyncio.sleep(5.0)
                b.sensors[0].move_out_of_range()
                await asyncio.sleep(5.0)
            said = repr((b.events, b.health, b.assignments)) + caplog.text
            for sensor in b.sensors:
                for form in (
                    sensor.address,
                    sensor.address.replace(":", "_"),
                    sensor.address.replace(":", ""),
                ):
                    assert form.lower() not in said.lower()

    run(room())


def test_a_sink_that_fails_ends_the_streaming() -> None:
    async def room() -> None:
        async with bed(2) as b:

            def full(event: object) -> None:
                if isinstance(event, Notification):
                    raise OSError("disk full")

            with pytest.raises(OSError, match="disk full"):
                await stream(b.assignments, full, adapters=b.specs, now_ns=now_ns)
            await asyncio.sleep(1.0)
            assert not any(s.is_linked for s in b.sensors)

    run(room())


def test_sensors_still_connected_after_a_crash_are_taken_over() -> None:
    """As bluetoothd keeps them: they stream to nobody and do not advertise."""

    async def room() -> None:
        async with bed(2) as b:
            for sensor, assignment in zip(b.sensors, b.assignments, strict=True):
                device = await BleakScanner.find_device_by_address(sensor.address, backend=b.hub.scanner)
                assert device is not None
                client = BleakClient(device, backend=b.hub.client)
                await client.connect()
                talk = Conversation(client, assignment, lambda _char, _data: None, b.policy)
                await talk.introduce()
                await talk.start()
            b.hub.orphan()
            await asyncio.sleep(2.0)
            assert all(s.is_linked and s.board.running for s in b.sensors)
            async with b.collecting():
                assert await b.all_stream() <= 3.0
                await asyncio.sleep(2.0)
                assert [len(b.gaps_s(i)) for i in (0, 1)] == [0, 0]
            await asyncio.sleep(0.1)
            assert not any(s.is_linked for s in b.sensors)

    run(room())


def test_time_passes_also_when_all_are_away() -> None:
    async def room() -> None:
        async with bed(2) as b, b.collecting():
            await b.all_stream()
            for sensor in b.sensors:
                sensor.move_out_of_range()
            away_s = now_s()
            await asyncio.sleep(20.0)
            times = [t for e in b.events if (t := e.monotonic_ns * 1e-9) > away_s]
            assert sum(isinstance(e, Stalled) for e in b.events) >= 15
            assert np.diff([away_s, *times, now_s()]).max() <= 2.0

    run(room())


def test_a_link_that_carries_too_little_is_said() -> None:
    async def room() -> None:
        link = LinkModel(interval_s=0.050, pdus_per_event=1, pdu_error=0.2)
        async with bed(1, link=link) as b, b.collecting():
            await b.all_stream()
            await asyncio.sleep(8.0)
            assert "of 60 packets a second arrive" in b.health.sensors[0].message
            assert b.sensors[0].truth.count(Fate.OVERFLOW) > 0

    run(room())


def test_what_is_assigned_twice_is_refused() -> None:
    async def room() -> None:
        async with bed(2) as b:
            twice = [b.assignments[0], replace(b.assignments[1], address=b.assignments[0].address)]
            with pytest.raises(ConfigError, match="same radio"):
                await stream(twice, b.events.append, adapters=[AdapterSpec()])

    run(room())


def test_patience_has_jitter_within_its_bounds() -> None:
    policy = LinkPolicy()
    waits = {policy.backoff() for _ in range(100)}
    assert len(waits) > 90
    assert policy.backoff_s[0] <= min(waits) < max(waits) <= policy.backoff_s[1]
