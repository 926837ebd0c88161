"""Raw events to blocks, gaps and bounds: with real bytes, and links whose truth is known."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaitmon.errors import ProfileError
from gaitmon.model import Floats, Gap, ImuBlock, Placement, SyncBound
from gaitmon.sensors.layout import Decoded
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.sensors.raw import (
    AssignedSensor,
    LinkDown,
    Notification,
    RawEvent,
    SessionClosed,
    SessionOpened,
    Stalled,
)
from gaitmon.sensors.stream import EventStream, SegmentBegan, SegmentEnded, StreamItem
from gaitmon.sensors.stream_sensor import Loss, SensorCounts
from tests.imu.ble_link import Link, Sent, send
from tests.sensors import raw_events as raw
from tests.sensors.stream_clock import stream_errors

LEFT, RIGHT = Placement.LEFT_THIGH, Placement.RIGHT_THIGH
CLOSED = SessionClosed(raw.ns(1000.0), "stopped")
END = SessionClosed(raw.ns(9.5), "stopped")
QUIET = Link(60.0, 0.015, loss=0.02, stalls_per_min=0.0)


def signals(n: int) -> tuple[Floats, Floats]:
    """acc whose x is the number of the sample, so that a lost or doubled one shows."""
    acc = np.zeros((n, 3))
    acc[:, 0], acc[:, 2] = np.arange(n), 9.75
    return acc, np.full((n, 3), 0.5)


def heard(sensor: int, sent: Sent, keep: Sequence[int] | None = None) -> list[RawEvent]:
    payloads = raw.dot_payloads(sent.device_s, *signals(len(sent.true_s)))
    taken = np.arange(len(payloads)) if keep is None else np.asarray(keep)
    return raw.notifications(sensor, sent.arrival_s[taken], [payloads[k] for k in taken])


def run(events: Sequence[RawEvent], profiles: dict[str, FirmwareProfile] | None = None) -> list[StreamItem]:
    stream = EventStream(raw.PROFILES if profiles is None else profiles)
    return [item for event in events for item in stream.push(event)] + stream.flush()


def blocks(items: Sequence[StreamItem], placement: Placement) -> ImuBlock:
    return ImuBlock.joined([i for i in items if isinstance(i, ImuBlock) and i.placement is placement])


def of(items: Sequence[StreamItem], kind: type, placement: Placement | None = None) -> list[StreamItem]:
    return [
        i
        for i in items
        if isinstance(i, kind) and (placement is None or getattr(i, "placement", None) is placement)
    ]


def test_every_sample_once_and_in_its_time() -> None:
    sent = send(replace(QUIET, ppm=40.0), 60.0, 1)
    items = run([raw.opened([raw.dot(LEFT)]), *heard(0, sent)])
    block = blocks(items, LEFT)
    np.testing.assert_array_equal(block.acc_m_s2[:, 0], np.arange(len(sent.true_s)))
    assert block.gyr_rad_s is not None
    np.testing.assert_allclose(block.gyr_rad_s, 0.5, rtol=1e-6)
    error = block.t_s - sent.true_s
    assert np.ptp(error[600:]) < 0.003
    assert 0.0 < np.median(error) < 0.02
    assert isinstance(items[0], SegmentBegan)
    assert isinstance(items[-1], SegmentEnded)


def test_the_result_does_not_depend_on_when_events_are_read() -> None:
    """The same events give the same items; no other input, and time alone changes nothing."""
    events = [
        raw.opened([raw.dot(LEFT), raw.dot(RIGHT)]),
        *raw.in_order(heard(0, send(QUIET, 20.0, 1)), heard(1, send(QUIET, 20.0, 2))),
    ]
    assert repr(run(events)) == repr(run(events))
    stalled = [e for k, e in enumerate(events) for e in ([e, Stalled(0, e.monotonic_ns)] if k else [e])]
    assert as_floats(run(stalled)) == as_floats(run(events))


def as_floats(items: Sequence[StreamItem]) -> list[object]:
    return [
        (i.placement, i.t_s.tolist(), i.acc_m_s2.tolist()) if isinstance(i, ImuBlock) else i for i in items
    ]


def test_packets_dropped_on_the_sensor_are_told_one_by_one() -> None:
    """As many as were dropped, and where, within a packet; none where all came."""
    sent = send(QUIET, 60.0, 3)
    rng = np.random.default_rng(4)
    dropped = set(rng.choice(np.arange(200, len(sent.true_s) - 5), 60, replace=False).tolist())
    keep = [k for k in range(len(sent.true_s)) if k not in dropped]
    stream = EventStream(raw.PROFILES)
    items = [i for e in [raw.opened([raw.dot(LEFT)]), *heard(0, sent, keep)] for i in stream.push(e)]
    losses = [i for i in items if isinstance(i, Loss)]
    assert sum(loss.packets for loss in losses) == len(dropped) == stream.counts[0].lost
    assert {loss.by for loss in losses} == {"clock"}
    first = [k for k in sorted(dropped) if k - 1 not in dropped]
    for loss, k in zip(losses, first, strict=True):
        assert abs(loss.after_s - sent.true_s[k - 1]) < 1 / 60.0
    assert not of(run([raw.opened([raw.dot(LEFT)]), *heard(0, sent)]), Loss)


COUNTER = {"bits": 8, "counts": "packets"}
SAMPLES = {"bits": 16, "counts": "samples"}
CLOCK = {"bits": 32, "tick_s": 1e-6, "epoch": "power_on", "stamps": "last_sample"}


def encoded(profile: FirmwareProfile, sent: Sent, samples: int) -> list[bytes]:
    n = len(sent.true_s) * samples
    acc, gyr = signals(n)
    frames = np.arange(len(sent.true_s))
    counter = frames * (samples if profile.counter is not None and profile.counter.counts == "samples" else 1)
    ticks = np.round(sent.device_s * 1e6).astype(np.uint64)
    return profile.encode(
        Decoded(
            None if profile.clock is None else ticks,
            None if profile.counter is None else counter.astype(np.uint64),
            {"acc_m_s2": acc, "gyr_rad_s": gyr},
        ),
        1,
    )


@pytest.mark.parametrize(
    ("profile", "samples", "evidence"),
    [
        (raw.variant("counted", counter=COUNTER), 1, "counter"),
        (raw.variant("counts-samples", counter=SAMPLES, samples=5), 5, "counter"),
        (raw.variant("both", clock=CLOCK, counter=COUNTER), 1, "counter"),
        (raw.variant("packed", clock=CLOCK, samples=4), 4, "clock"),
    ],
    ids=lambda v: getattr(v, "name", str(v)),
)
def test_counters_and_packed_samples(profile: FirmwareProfile, samples: int, evidence: str) -> None:
    """Times within a few ms of the truth, losses exact, whatever the packets tell time with."""
    rate = 60.0 * samples
    sent = send(replace(QUIET, rate_hz=60.0), 90.0, 5)
    payloads = encoded(profile, sent, samples)
    keep = np.array([k for k in range(len(payloads)) if k not in (1000, 1001, 2500)])
    sensor = AssignedSensor("s-1", LEFT, profile.name, 1, rate)
    events = raw.notifications(0, sent.arrival_s[keep], [payloads[k] for k in keep])
    items = run([raw.opened([sensor]), *events], {profile.name: profile})
    losses = [i for i in items if isinstance(i, Loss)]
    assert [(loss.packets, loss.by) for loss in losses] == [(2, evidence), (1, evidence)]
    block = blocks(items, LEFT)
    kept = (keep[:, np.newaxis] * samples + np.arange(samples)).ravel()
    np.testing.assert_array_equal(block.acc_m_s2[:, 0], kept)
    last = block.t_s[samples - 1 :: samples]
    assert np.ptp((last - sent.true_s[keep])[2000:]) < 0.003
    assert np.diff(block.t_s).min() > 0.5 / rate


def test_a_sensor_that_tells_nothing_of_time() -> None:
    profile = raw.variant("silent")
    sent = send(QUIET, 90.0, 6)
    sensor = AssignedSensor("s-1", LEFT, profile.name, 1, 60.0)
    events = raw.notifications(0, sent.arrival_s, encoded(profile, sent, 1))
    block = blocks(run([raw.opened([sensor]), *events], {profile.name: profile}), LEFT)
    assert np.ptp((block.t_s - sent.true_s)[2000:]) < 0.005
    assert len(block) == len(sent.true_s)


def test_out_of_range_is_one_gap_and_no_sample_twice() -> None:
    sent = send(QUIET, 60.0, 7)
    events = raw.away(heard(0, sent), 0, 20.0, 50.0)
    other = heard(1, send(QUIET, 60.0, 8))
    stream = EventStream(raw.PROFILES)
    items = [
        i
        for e in [raw.opened([raw.dot(LEFT), raw.dot(RIGHT)]), *raw.in_order(events, other)]
        for i in stream.push(e)
    ]
    gaps = [g for g in of(items, Gap, LEFT) if isinstance(g, Gap) and g.end_s > 10.0]
    assert all(a.end_s == b.start_s for a, b in pairwise(gaps))
    assert abs(gaps[0].start_s - 20.0) < 0.1
    assert abs(gaps[-1].end_s - 50.0) < 0.1
    assert stream.counts[0].gaps == 1
    assert stream.counts[1].gaps == 0
    block = blocks(items, LEFT)
    assert np.diff(block.t_s).min() > 0.01
    assert not of(items, SegmentEnded), "the clock went on: one segment"


def test_a_sensor_that_never_comes_does_not_hold_up_the_others() -> None:
    items = run([raw.opened([raw.dot(LEFT), raw.dot(RIGHT)]), *heard(0, send(QUIET, 30.0, 7))])
    gaps = [g for g in of(items, Gap, RIGHT) if isinstance(g, Gap)]
    assert gaps[0].start_s == 0.0
    assert gaps[-1].end_s > 28.0
    assert max(g.end_s - g.start_s for g in gaps) < 1.0


def test_what_a_stall_held_up_is_not_lost() -> None:
    """2.5 s of silence, then everything at once: no gap.  8 s: a gap, and what came too late is counted."""
    for silence_s, gaps, late in ((2.5, 0, False), (8.0, 1, True)):
        sent = send(QUIET, 60.0, 9)
        arrival = sent.arrival_s.copy()
        held = (arrival > 30.0) & (arrival < 30.0 + silence_s)
        arrival[held] = 30.0 + silence_s
        stream = EventStream(raw.PROFILES)
        own = heard(0, Sent(sent.true_s, sent.device_s, np.maximum.accumulate(arrival)))
        other = heard(1, send(QUIET, 60.0, 10))
        events = [raw.opened([raw.dot(LEFT), raw.dot(RIGHT)]), *raw.in_order(own, other)]
        items = [i for e in events for i in stream.push(e)]
        counts = stream.counts[0]
        assert (counts.gaps, counts.late > 0) == (gaps, late)
        assert len(blocks(items, LEFT)) + counts.late >= len(sent.true_s) - 20


def test_a_reboot_ends_the_segment_of_all_sensors() -> None:
    one, two = send(QUIET, 30.0, 11), send(QUIET, 30.0, 12)
    again = Sent(one.true_s + 40.0, one.device_s - one.device_s[0], one.arrival_s + 40.0)
    own = [*heard(0, one), LinkDown(0, 1, raw.ns(31.0), "reboot"), *heard(0, again)]
    other = heard(1, send(QUIET, 75.0, 12))
    assert len(two.true_s)
    items = run([raw.opened([raw.dot(LEFT), raw.dot(RIGHT)]), *raw.in_order(own, other)])
    began = [i for i in items if isinstance(i, SegmentBegan)]
    ended = [i.reason for i in items if isinstance(i, SegmentEnded)]
    assert [b.segment for b in began] == ["live-1-1", "live-1-2"]
    assert ended == ["reboot", "the archive ends"]
    assert 40.0 < began[1].start_s < 41.0
    assert began[0].anchor_utc_us == began[1].anchor_utc_us
    for placement in (LEFT, RIGHT):
        assert np.diff(blocks(items, placement).t_s).min() > 0.01
    second = items[items.index(began[1]) :]
    assert isinstance(second[1], ImuBlock | Gap), "no bound of the clocks before"


def test_duplicates_and_nonsense_are_dropped_and_counted() -> None:
    sent = send(QUIET, 20.0, 13)
    events = heard(0, sent)
    last = events[600]
    assert isinstance(last, Notification)
    odd = [last, Notification(0, 1, last.monotonic_ns, b""), Notification(0, 1, last.monotonic_ns, b"x" * 39)]
    stream = EventStream(raw.PROFILES)
    opened = raw.opened([raw.dot(LEFT)])
    items: list[StreamItem] = []
    seen: list[SensorCounts] = []
    for e in [opened, *events[:601], *odd, *events[601:], CLOSED]:
        items += stream.push(e)
        seen += stream.counts
    assert (seen[-1].duplicates, seen[-1].refused) == (1, 2)
    np.testing.assert_array_equal(blocks(items, LEFT).acc_m_s2[:, 0], np.arange(len(sent.true_s)))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.binary(max_size=48)), max_size=60))
def test_whatever_bytes_come_the_session_goes_on(packets: list[tuple[int, int, bytes]]) -> None:
    stream = EventStream(raw.PROFILES)
    stream.push(raw.opened([raw.dot(LEFT), raw.dot(RIGHT)]))
    for k, (sensor, connection, payload) in enumerate(packets):
        stream.push(Notification(sensor, connection, raw.ns(0.05 * k), payload))
    stream.push(SessionClosed(raw.ns(10.0), "stopped"))
    assert stream.session is None


def test_the_collector_was_away() -> None:
    """Opened again on the same boot: one segment, one gap.  On another boot: another segment."""
    sent = send(QUIET, 80.0, 14)
    events = heard(0, sent)
    sensors = [raw.dot(LEFT)]
    before = [e for e in events if e.monotonic_ns < raw.ns(30.0)]
    after = [e for e in events if e.monotonic_ns >= raw.ns(40.0)]
    renewed: list[RawEvent] = raw.notifications(
        0,
        np.array([1e-9 * (e.monotonic_ns - raw.BOOT_NS) for e in after]),
        [e.payload for e in after if isinstance(e, Notification)],
    )
    stream = EventStream(raw.PROFILES)
    session = [raw.opened(sensors), *before, raw.opened(sensors, at_s=39.5), *renewed]
    items = [i for e in session for i in stream.push(e)]
    assert len(of(items, SegmentBegan)) == 1
    assert stream.counts[0].gaps == 1
    assert np.diff(blocks(items, LEFT).t_s).max() == pytest.approx(10.0, abs=0.1)
    for changed in (
        raw.opened(sensors, at_s=39.5, utc_s=100.0),
        raw.opened(sensors, session="live-2", at_s=39.5),
        raw.opened([raw.dot(RIGHT)], at_s=39.5),
    ):
        found = [i for i in run([raw.opened(sensors), *before, changed]) if isinstance(i, SegmentBegan)]
        assert len(found) == 2
        assert found[0].segment != found[1].segment


def test_hours_of_silence_come_in_pieces() -> None:
    events = heard(0, send(QUIET, 10.0, 15))
    opened = raw.opened([raw.dot(LEFT), raw.dot(RIGHT)])
    items = run([opened, *events, Stalled(0, raw.ns(3 * 3600.0))])
    gaps = [g for g in items if isinstance(g, Gap)]
    assert max(g.end_s - g.start_s for g in gaps) <= 13.0
    assert {g.placement for g in gaps[-2:]} == {LEFT, RIGHT}, "all sensors side by side"


def test_bounds_come_before_what_they_hold_for() -> None:
    links = [send(replace(QUIET, ppm=p), 60.0, n) for n, p in enumerate((50.0, -50.0))]
    sensors = [raw.dot(LEFT), raw.dot(RIGHT)]
    items = run([raw.opened(sensors), *raw.in_order(heard(0, links[0]), heard(1, links[1]))])
    given = [i for i in items if isinstance(i, ImuBlock | SyncBound)]
    first = next(n for n, i in enumerate(given) if isinstance(i, SyncBound))
    before = [i for i in given[:first] if isinstance(i, ImuBlock)]
    assert len({i.placement for i in before}) < 2, "no two thighs before it is known how they compare"
    bounds = [i for i in given if isinstance(i, SyncBound)]
    assert len(bounds) > 45
    assert bounds[-1].left_right_s < 0.003


@pytest.mark.parametrize(("rate_hz", "limit_s"), [(60.0, 0.005), (120.0, 0.005), (50.0, None)])
def test_two_thighs_on_a_bad_link(rate_hz: float, limit_s: float | None) -> None:
    """20 % PDU errors, stalls, wander, 30 ms.  At 50 Hz the grids beat: there the bound has to hold.

    All rates and intervals: tests/bench_clock.py.
    """
    found = stream_errors(Link(rate_hz, 0.030), 120.0, 21)
    settled = found.at_s > 30.0
    error, bound = np.abs(found.error_s[settled]), found.bound_s[settled]
    assert np.mean(error <= bound) >= 0.95
    if limit_s is not None:
        assert np.percentile(error, 95.0) <= limit_s


MODES = [
    (profile, mode.id)
    for profile in raw.PROFILES.values()
    for mode in profile.mode
    if "acc" in mode.quantities
]


@pytest.mark.parametrize(("profile", "mode"), MODES, ids=lambda v: getattr(v, "name", str(v)))
def test_every_profile_streams_and_can_be_kept_in_a_checkpoint(profile: FirmwareProfile, mode: int) -> None:
    """Its published payloads, sixty times, with the state pickled in the middle of a frame."""
    example = next(e for e in profile.example if e.mode == mode)
    rate = profile.rates_of(mode)[-1]
    opened = raw.opened([AssignedSensor("s-1", LEFT, profile.name, mode, rate)])
    payloads = example.payloads * 60
    events = [opened, *raw.notifications(0, np.linspace(0.1, 9.0, len(payloads)), payloads), END]
    whole = run(events)
    for cut in (2, 3, 40):
        stream = EventStream(raw.PROFILES)
        items = [i for event in events[:cut] for i in stream.push(event)]
        stream = pickle.loads(pickle.dumps(stream))
        items += [i for event in events[cut:] for i in stream.push(event)]
        assert as_floats(items) == as_floats(whole)
    assert any(isinstance(i, ImuBlock) for i in whole)


def test_an_unknown_profile_or_mode_says_so() -> None:
    def session(profile: str, mode: int) -> SessionOpened:
        return raw.opened([AssignedSensor("s", LEFT, profile, mode, 60.0)])

    for wrong in (session("nobody", 21), session("movella-dot", 99), session("movella-dot", 6)):
        with pytest.raises(ProfileError):
            EventStream(raw.PROFILES).push(wrong)
