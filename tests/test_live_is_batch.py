"""Live equals batch, bit for bit: every stateful stage under random cuts, then the whole pipeline.

"Bit for bit" is equality of every float of every result, in the order in which they came, except the
quality figures of an Alignment.  All signals start in motion, so that a state which starts with the
first block instead of the first sample shows.

Mistakes planted one at a time in a copy of the package, each seen by at least one test below:
Smoothed: rows at the end of what was there taken as the run's end; rows before what was asked for taken as
the run's beginning; the mean of the rows asked for subtracted.
Resampler: last sample of a block dropped; one neighbour too few kept; oversampling decided on every push
(seen only near 150 Hz); late samples known within a block only.
SensorChain, Orientation: median of the current block subtracted; new filter state on every push; settling
cut off per block; kernel start skipped per block; a Gap that does not end the run; a frontier ahead of the
smoothed rows.
Sequences: peak over all windows of a call; a threshold that moves with a call; quiet ticks counted per
push; a period rounded in long pushes; whom a trunk may overrule decided for a push as a whole.
LimbContacts: level of the current call's swings (seen only with the limb that limps); candidates skipped at
the end of a call; the held first swing forgotten.  StrideAssembler: contacts forgotten, or strides kept back,
after each ready().
GaitPipeline: a tick that sees the end of the push; alignment or stillness from the newest samples; a bout
closed by the newest sample (seen only where sensors come nearly abreast); holes told when known instead of
at their tick; rows forgotten early; sensors in the order in which they were named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import cycle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaitmon.gait.contacts import LimbContacts, LimbSignals
from gaitmon.gait.detector import WalkingDetector
from gaitmon.gait.sequences import TICK, WINDOW, GaitSequence, SequenceTracker, Verdict
from gaitmon.gait.strides import StrideAssembler, StrideTimes
from gaitmon.imu.alignment import along
from gaitmon.imu.chain import SensorChain
from gaitmon.imu.motion import MotionTrack
from gaitmon.imu.orientation import Orientation
from gaitmon.imu.resample import Resampler
from gaitmon.imu.smooth import HALF, Smoothed
from gaitmon.model import Alignment, Contact, ContactKind, Floats, Gap, ImuBlock, Placement, Result, Side
from gaitmon.pipeline import GaitPipeline
from gaitmon.simulate import Stand, Turn, Walk, WalkerParams, simulate
from tests.gait.cuts import SIZES, Shuffle, Streams, cut, few, shuffled, shuffles, spans
from tests.gait.eventful import bursts, eventful, of_recording, two_thighs_one_silent
from tests.gait.signals import STREAMS, THIGH, in_motion
from tests.gait.walks import Item, as_text, between, in_order, part, whole, without
from tests.loaders import mtw, qmt

# ---- stage by stage ---------------------------------------------------------------------------


@few(20)
@given(sizes=SIZES, looks=st.lists(st.tuples(st.integers(0, 1100), st.integers(0, 500)), max_size=20))
def test_smoothed(sizes: list[int], looks: list[tuple[int, int]]) -> None:
    """However the raw track grew, and whatever was looked at before, in whichever order."""
    x = raw_rows(in_motion(100.0))
    whole_track = Smoothed(x)
    whole_track.grow(x.first, x.end)
    at_once = whole_track.view(x.first, x.end - HALF)
    stage = Smoothed(x)
    for (_, b), (start, length) in zip(spans(x.end - x.first, sizes), cycle(looks or [(0, 0)]), strict=False):
        stage.grow(x.first, x.first + b)
        seen = stage.view(x.first + start, x.first + start + length)
        known = max(min(start + length, b - HALF) - start, 0)
        np.testing.assert_array_equal(seen[:known], at_once[start : start + known])
        assert np.isnan(seen[known:]).all()
    np.testing.assert_array_equal(stage.view(x.first, x.end - HALF), at_once)


def raw_rows(block: ImuBlock) -> MotionTrack:
    chain = SensorChain(THIGH)
    chain.push(block)
    chain.close_run()
    return chain.raw


def resampled(items: Sequence[ImuBlock]) -> tuple[dict[int, tuple[float, ...]], list[int], int, int]:
    """Rows by grid index, where runs start, and what was dropped.  No grid index comes twice."""
    stage = Resampler()
    rows: dict[int, tuple[float, ...]] = {}
    starts: list[int] = []
    for run in [run for item in items for run in stage.push(item)] + stage.flush():
        starts += [run.first] * run.starts
        if not run.starts:
            assert run.first - 1 in rows, "a run goes on where there was nothing"
        for k, row in enumerate(run.signals.tolist(), start=run.first):
            assert k not in rows, "a grid sample came twice"
            rows[k] = tuple(row)
    return rows, starts, stage.dropped_bad, stage.dropped_late


@pytest.mark.parametrize("stream", STREAMS)
@few(12)
@given(sizes=SIZES)
def test_resampler(stream: str, sizes: list[int]) -> None:
    block = STREAMS[stream]()
    at_once = resampled([block])
    assert len(at_once[0]) > 1000
    assert resampled([part(block, a, b) for a, b in spans(len(block), sizes)]) == at_once


@few(12)
@given(sizes=SIZES)
def test_orientation(sizes: list[int]) -> None:
    block = in_motion(100.0)
    assert block.gyr_rad_s is not None
    at_once = Orientation().push(block.acc_m_s2, block.gyr_rad_s)
    stage = Orientation()
    in_pieces = [stage.push(block.acc_m_s2[a:b], block.gyr_rad_s[a:b]) for a, b in spans(len(block), sizes)]
    np.testing.assert_array_equal(np.concatenate(in_pieces), at_once)


def chained(items: Iterator[Item] | Sequence[Item]) -> tuple[Floats, Floats, list[tuple[int, int]], int]:
    chain = SensorChain(THIGH)
    for item in items:
        if isinstance(item, Gap):
            chain.gap(item)
        else:
            chain.push(item)
    chain.close_run()
    view = (chain.raw.first, chain.raw.end)
    return chain.raw.view(*view).copy(), chain.smooth.view(*view).copy(), chain.holes, chain.frontier


@pytest.mark.parametrize("stream", STREAMS)
@few(8)
@given(sizes=SIZES)
def test_sensor_chain(stream: str, sizes: list[int]) -> None:
    block = STREAMS[stream]()
    middle = float(np.nanmedian(block.t_s))
    items = [block] if "damaged" in stream else without(block, middle, middle + 1.7)
    raw, smooth, holes, frontier = chained(items)
    raw_cut, smooth_cut, holes_cut, frontier_cut = chained(cut(items, sizes))
    np.testing.assert_array_equal(raw_cut, raw)
    np.testing.assert_array_equal(smooth_cut, smooth)
    assert (holes_cut, frontier_cut) == (holes, frontier)


@cache
def smooth_walk(placement: Placement = THIGH) -> tuple[int, Floats]:
    """First grid index and smoothed rows of a thigh that walks, stands and walks again."""
    script = (
        Walk(seconds=14.0, speed_m_s=1.0),
        Stand(7.0),
        Walk(seconds=9.0),
        Walk(seconds=8.0, speed_m_s=0.8),
        Stand(3.0),
    )
    chain = SensorChain(placement)
    chain.push(between(whole(simulate(script, WalkerParams(speed_m_s=1.5), seed=5))[placement], 5.0, 44.0))
    chain.close_run()
    return chain.smooth.first, chain.smooth.view(chain.smooth.first, chain.smooth.end).copy()


def overruled_walk() -> tuple[int, dict[Placement, Floats]]:
    """The same of a thigh, one without gyroscope that is lost at times, and a pelvis that says at times that
    nobody walks: whom it may overrule is decided tick by tick."""
    start, left = smooth_walk()
    _, right = smooth_walk(Placement.RIGHT_THIGH)
    _, pelvis = smooth_walk(Placement.PELVIS)
    right, pelvis = right.copy(), pelvis.copy()
    right[:, 3:] = np.nan
    for second in range(0, len(right) // 100, 7):
        right[100 * second : 100 * second + 300] = np.nan
    still = slice(300, 1100)
    pelvis[still] = np.nanmean(pelvis[still], axis=0)
    return start, {THIGH: left, Placement.RIGHT_THIGH: right, Placement.PELVIS: pelvis}


WALKS: dict[str, Callable[[], tuple[int, dict[Placement, Floats]]]] = {
    "a thigh": lambda: (smooth_walk()[0], {THIGH: smooth_walk()[1]}),
    "two thighs, one without gyroscope, and a pelvis": overruled_walk,
}


def sequences_in(
    walk: str, groups: Sequence[tuple[int, int]], first_tick: int
) -> tuple[list[Verdict], list[GaitSequence]]:
    """Verdicts and gait sequences, the ticks looked at in these groups."""
    start, rows = WALKS[walk]()
    worn = {p: p is THIGH for p in rows}
    detector, tracker = WalkingDetector(), SequenceTracker()
    verdicts: list[Verdict] = []
    found: list[GaitSequence] = []
    for a, b in groups:
        if a == b:
            continue
        lo, hi = (first_tick + a) * TICK - WINDOW, (first_tick + b - 1) * TICK
        seen = {p: np.ascontiguousarray(x[lo - start : hi - start]) for p, x in rows.items()}
        verdicts += detector.push(worn, seen.__getitem__, seen.__getitem__, b - a)
        for i, v in enumerate(verdicts[a:]):
            closed = tracker.push(first_tick + a + i, v.walking, v.period_s, v.lead, v.rest, heard=v.heard)
            found += [s for s in (closed or tracker.current,) if s is not None]
    last = tracker.close()
    return verdicts, found + ([last] if last is not None else [])


@pytest.mark.parametrize("walk", WALKS)
@few(15)
@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_sequences(walk: str, sizes: list[int]) -> None:
    start, rows = smooth_walk()
    first_tick = -(-(start + WINDOW) // TICK)
    n = (start + len(rows)) // TICK - first_tick + 1
    verdicts, found = sequences_in(walk, [(0, n)], first_tick)
    assert sum(s.closed for s in found) >= 2
    assert repr(sequences_in(walk, list(spans(n, sizes)), first_tick)) == repr((verdicts, found))


def walking_limb() -> LimbSignals:
    start, rows = smooth_walk()
    left = np.array([0.36, -0.48, 0.8])  # any axis: the stage takes signals, not mountings
    forward, up = np.array([0.8, 0.6, 0.0]), np.array([-0.48, 0.64, 0.6])
    rate = -along(rows[:, 3:6], left)
    return LimbSignals(start, np.column_stack([rate, along(rows[:, :3], forward), along(rows[:, :3], up)]))


def limping_limb() -> LimbSignals:
    """Swings of 3 rad/s, and a jerk of a third of that between them, which only the level of the swings
    before tells from one."""
    t = np.arange(3000) / 100.0
    rate = -0.8 * np.ones_like(t)
    for k in range(26):
        for at, height, width in ((0.6 + 1.13 * k, 3.8, 0.11), (1.2 + 1.13 * k, 1.95, 0.10)):
            rate += height * np.exp(-0.5 * ((t - at) / width) ** 2)
    forward = np.cos(2 * np.pi * t / 1.13) + 0.3 * np.cos(2 * np.pi * 5.1 * t)
    return LimbSignals(700, np.column_stack([rate, forward, np.cos(4 * np.pi * t / 1.13) + 9.8]))


LIMBS: dict[str, Callable[[], LimbSignals]] = {"walking": walking_limb, "limping": limping_limb}


def contacts_at(s: LimbSignals, ends: Sequence[int], history: int) -> list[Contact]:
    """Contacts of a limb whose stage is called with the samples before each of these grid indices.

    history: how many samples more than asked for it is shown.
    """
    limb = LimbContacts(Side.LEFT, s.first)
    out: list[Contact] = []
    for end in ends:
        first = max(limb.needs_from() - history, s.first)
        seen = LimbSignals(first, s.rows[first - s.first : end - s.first])
        out += limb.advance(seen, end, 1.1, final=end == ends[-1])
    return out


@pytest.mark.parametrize("limb", LIMBS)
@few(20)
@given(skips=st.lists(st.integers(1, 9), min_size=1, max_size=6), history=st.integers(0, 300))
def test_limb_contacts(limb: str, skips: list[int], history: int) -> None:
    """Asked at every tick or at some, shown just enough or more: the same contacts."""
    signals = LIMBS[limb]()
    ticks = list(range(signals.first + TICK, signals.first + len(signals.rows), TICK))
    every = contacts_at(signals, ticks, 0)
    assert len(every) > 20
    some = [ticks[b - 1] for _, b in spans(len(ticks), skips)]
    assert sorted(map(repr, contacts_at(signals, some, history))) == sorted(map(repr, every))


@cache
def contact_stream() -> tuple[Contact, ...]:
    """True contacts of both sides in order of time, one lost, one twice."""
    truth = simulate((Walk(seconds=30.0), Turn(90.0, 2.0), Walk(seconds=5.0)), seed=4).truth
    contacts = [c for i, c in enumerate(truth.contacts) if i not in (30, 55)]
    return tuple(sorted([*contacts, replace(contacts[80], t_s=contacts[80].t_s + 0.21)], key=lambda c: c.t_s))


def assembled(groups: Sequence[tuple[int, int]]) -> list[StrideTimes]:
    stage = StrideAssembler()
    contacts, out = contact_stream(), []
    for a, b in groups:
        for contact in contacts[a:b]:
            stage.push(contact)
        until = contacts[b].t_s if b < len(contacts) else np.inf
        out += stage.ready(until)
    return out


@few(20)
@given(sizes=st.lists(st.integers(1, 25), min_size=1, max_size=6))
def test_stride_assembler(sizes: list[int]) -> None:
    """25 contacts are more than 6 s of walking: what is held back until a walk has shown the mounting."""
    n = len(contact_stream())
    one_by_one = assembled(list(spans(n, [1])))
    assert {s.side for s in one_by_one} == set(Side)
    assert repr(assembled(list(spans(n, sizes)))) == repr(one_by_one)


# ---- the whole pipeline -----------------------------------------------------------------------


def played(streams: Streams, items: Sequence[Item]) -> list[Result]:
    pipeline = GaitPipeline(streams)
    out = [r for item in items for r in pipeline.push(item)]
    return out + pipeline.flush()


def at_once(streams: Streams) -> list[Result]:
    return played(streams, [i for items in streams.values() for i in items])


SIMULATED: dict[str, Callable[[], Streams]] = {
    "eventful": eventful,
    "two thighs": two_thighs_one_silent,
    "bursts": bursts,
}
THREE = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)


@pytest.mark.parametrize("walk", SIMULATED)
@few(15)
@given(how=shuffles(THREE))
def test_pipeline_on_simulated_walks(walk: str, how: Shuffle) -> None:
    streams = SIMULATED[walk]()
    reference = at_once(streams)
    assert sum(isinstance(r, Contact) for r in reference) > 30
    assert as_text(played(streams, shuffled(streams, how))) == as_text(reference)


@pytest.mark.data
@pytest.mark.parametrize("name", ["qmt", "mtw"])
@few(6)
@given(how=shuffles(THREE))
def test_pipeline_on_recordings(name: str, how: Shuffle) -> None:
    """Both from within the walk: qmt 97-125 s, mtw 7 s to its end."""
    streams = of_recording(qmt(), 97.0, 125.0) if name == "qmt" else of_recording(mtw(), 7.0, 25.0)
    reference = at_once(streams)
    assert sum(isinstance(r, Contact) for r in reference) > 20
    assert as_text(played(streams, shuffled(streams, how))) == as_text(reference)


@pytest.mark.parametrize("walk", SIMULATED)
def test_a_live_session_in_order_of_time(walk: str) -> None:
    """20 samples at a time, all sensors abreast; the order in which they are named does not matter."""
    streams = SIMULATED[walk]()
    live = in_order(i for items in streams.values() for i in cut(items, [20]))
    results = as_text(played(streams, live))
    assert results == as_text(at_once(streams))
    assert results == as_text(played(dict(reversed(streams.items())), live))


@few(8)
@given(sizes=SIZES.filter(lambda s: sum(s) >= 10 * len(s)))
def test_what_is_out_depends_only_on_what_was_heard(sizes: list[int]) -> None:
    """Whenever all sensors have been heard up to the same moment, the same results are out, however the
    samples came: nothing waits for a next block."""
    streams = {p: [i for i in items if not isinstance(i, Gap)] for p, items in eventful().items()}

    def counts(sizes: Sequence[int]) -> list[tuple[float, int]]:
        pipeline, out, n = GaitPipeline(streams), [], 0
        for until in np.arange(9.0, 60.0, 1.7):
            for blocks in streams.values():
                for block in blocks:
                    for item in cut([between(block, until - 1.7 if until > 9.5 else 0.0, until)], sizes):
                        n += len(pipeline.push(item))
            out.append((float(until), n))
        return out

    assert counts(sizes) == counts([20])


def test_alignment_is_the_only_thing_left_out_of_the_comparison() -> None:
    """as_text sees a change in the last bit of anything but quality."""
    results = at_once(eventful())
    contact = next(r for r in results if isinstance(r, Contact))
    aligned = next(r for r in results if isinstance(r, Alignment))
    moved = replace(contact, t_s=float(np.nextafter(contact.t_s, np.inf)))
    turned = replace(aligned, rotation=np.nextafter(aligned.rotation, 2.0))
    assert as_text([moved]) != as_text([contact])
    assert as_text([turned]) != as_text([aligned])
    assert as_text([replace(aligned, quality={})]) == as_text([aligned])
    assert contact.kind in ContactKind
