"""What the pipeline promises of its results in a live session of 20-sample blocks."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest

from gaitmon.model import (
    Alignment,
    Contact,
    ContactKind,
    Result,
    Side,
    Stride,
    WalkingBout,
)
from gaitmon.pipeline import GaitPipeline, PipelineParams, run
from gaitmon.simulate import Sit, Stand, StateKind, Step, Turn, Walk, WalkerParams, simulate
from tests.gait.walks import (
    SENSORS,
    between,
    in_order,
    item_end_s,
    match,
    pieces,
    plain_walk,
    times,
    whole,
)

PELVIS, LEFT, RIGHT = SENSORS
SCRIPT: tuple[Step, ...] = (
    Stand(5.0), Walk(seconds=28.0), Turn(-120.0, 2.0), Walk(seconds=10.0), Stand(7.0),
    Walk(seconds=22.0), Stand(2.0), Walk(seconds=12.0), Sit(10.0), Walk(seconds=15.0), Stand(5.0),
)  # fmt: skip


@cache
def live(speed: float) -> tuple[list[tuple[Result, float]], tuple[tuple[float, float], ...], float]:
    """Results of a live session, 20 samples at a time, each with the moment up to which every sensor had been
    heard when it came; the true walks; the last sample's time."""
    simulated = simulate(SCRIPT, WalkerParams(speed_m_s=speed), seed=12)
    streams = whole(simulated)
    pipeline = GaitPipeline(streams)
    heard = dict.fromkeys(streams, 0.0)
    out: list[tuple[Result, float]] = []
    for item in in_order(i for b in streams.values() for i in pieces(b, 20)):
        heard[item.placement] = item_end_s(item)
        out += [(r, min(heard.values())) for r in pipeline.push(item)]
    out += [(r, float("inf")) for r in pipeline.flush()]
    walks = simulated.truth.intervals(StateKind.WALK)
    return out, walks, max(item_end_s(b) for b in streams.values())


SPEEDS = (0.6, 1.25, 1.7)


@pytest.mark.parametrize("speed", SPEEDS)
def test_nothing_comes_twice(speed: float) -> None:
    out, _, _ = live(speed)
    strides = [(r.side, r.ordinal) for r, _ in out if isinstance(r, Stride)]
    assert len(strides) > 60
    assert len(set(strides)) == len(strides)
    contacts = [(c.side, c.kind, c.t_s) for c, _ in out if isinstance(c, Contact)]
    assert len(set(contacts)) == len(contacts)
    for key in itertools.product(Side, ContactKind):
        own = sorted(t for side, kind, t in contacts if (side, kind) == key)
        assert np.diff(own).min() > 0.3, "one contact told twice in other words"
    verdicts = [(v.side, v.ordinal) for b, _ in out if isinstance(b, WalkingBout) for v in b.strides]
    assert len(set(verdicts)) == len(verdicts)


@pytest.mark.parametrize("speed", SPEEDS)
def test_order(speed: float) -> None:
    """Per side contacts, strides and ordinals only grow; bouts follow each other."""
    results = [r for r, _ in live(speed)[0]]
    for side in Side:
        ics = [
            r.t_s for r in results if isinstance(r, Contact) and (r.side, r.kind) == (side, ContactKind.IC)
        ]
        assert ics == sorted(ics)
        own = [r for r in results if isinstance(r, Stride) and r.side is side]
        assert [s.ordinal for s in own] == sorted({s.ordinal for s in own})
        assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(own))
        assert all(ics[s.ordinal - 1] == s.start_s for s in own), "the ordinal is that of the opening contact"
    bouts = [r for r in results if isinstance(r, WalkingBout)]
    assert [b.ordinal for b in bouts] == list(range(1, len(bouts) + 1))
    assert all(a.end_s < b.start_s for a, b in itertools.pairwise(bouts))


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_stride_comes_after_its_contacts_and_a_verdict_after_its_stride(speed: float) -> None:
    contacts: set[tuple[Side | None, ContactKind, float]] = set()
    strides: dict[tuple[Side | None, int], Stride] = {}
    for r, _ in live(speed)[0]:
        match r:
            case Contact():
                contacts.add((r.side, r.kind, r.t_s))
            case Stride():
                assert (r.side, ContactKind.IC, r.start_s) in contacts
                assert (r.side, ContactKind.IC, r.end_s) in contacts
                assert r.fc_s is None or (r.side, ContactKind.FC, r.fc_s) in contacts
                assert r.side is not None
                assert r.opposite_ic_s is None or (r.side.other, ContactKind.IC, r.opposite_ic_s) in contacts
                strides[r.side, r.ordinal] = r
            case WalkingBout():
                assert all((v.side, v.ordinal) in strides for v in r.strides)
                own = [strides.pop((v.side, v.ordinal)) for v in r.strides]
                assert (r.start_s, r.end_s) == (min(s.start_s for s in own), max(s.end_s for s in own))


@pytest.mark.parametrize("speed", SPEEDS)
def test_contacts_lie_inside_what_was_heard(speed: float) -> None:
    out, _, end = live(speed)
    for r, heard in out:
        if isinstance(r, Contact):
            assert 0.0 <= r.t_s <= min(heard, end)


def test_a_recording_that_ends_in_a_stride_invents_no_contact() -> None:
    for end_s in np.arange(12.3, 13.6, 0.11):
        blocks = [between(b, 0.0, float(end_s)) for b in whole(plain_walk().simulated).values()]
        contacts = [r for r in run(blocks, SENSORS) if isinstance(r, Contact)]
        assert len(contacts) > 10
        assert max(c.t_s for c in contacts) < end_s


def test_a_recording_that_ends_in_a_stride_has_true_contacts_only() -> None:
    truth = plain_walk().simulated.truth.contacts
    for end_s in np.arange(12.3, 13.6, 0.22):
        blocks = [between(b, 0.0, float(end_s)) for b in whole(plain_walk().simulated).values()]
        contacts = [r for r in run(blocks, SENSORS) if isinstance(r, Contact)]
        for side, kind in itertools.product(Side, ContactKind):
            m = match(times(contacts, side, kind), times(truth, side, kind), 0.25)
            assert len(m.error_s) == m.n_found


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_stride_is_final_within_2_s(speed: float) -> None:
    """Of signal after its closing contact, in 20-sample blocks, once aligned: 2 s into every walk but the
    first, which is held back until it has shown the mounting.  Measured at most 1.8 s, at 0.6 m/s."""
    out, walks, _ = live(speed)
    for start, end in walks[1:]:
        late = [
            heard - r.end_s for r, heard in out if isinstance(r, Stride) and start + 1.0 < r.end_s < end + 0.3
        ]
        assert len(late) > 10
        assert max(late) <= 2.0


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_bout_is_told_within_6_s_of_its_end(speed: float) -> None:
    """3 s of pause, 2 s for a last stride, a tick and what the filters hold back."""
    for r, heard in live(speed)[0]:
        if isinstance(r, WalkingBout) and np.isfinite(heard):
            assert heard - r.end_s <= 6.0


def test_alignment_comes_before_what_rests_on_it() -> None:
    kinds = [type(r) for r, _ in live(1.25)[0]]
    assert kinds.index(Alignment) < kinds.index(Contact)


def test_parameters_have_a_fingerprint() -> None:
    assert PipelineParams().fingerprint() == PipelineParams().fingerprint()
    other = PipelineParams(sequences=type(PipelineParams().sequences)(periodicity=0.5))
    assert other.fingerprint() != PipelineParams().fingerprint()
