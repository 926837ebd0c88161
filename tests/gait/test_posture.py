"""Posture: what each sensor's gravity says, when nothing can be said, and what is not worn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaitmon.gait.posture import PostureParams, PostureTracker
from gaitmon.gait.sequences import TICK
from gaitmon.model import Floats, Placement, Posture, PostureSpan
from gaitmon.pipeline import GaitPipeline
from gaitmon.simulate import Sit, Stand, Walk, simulate
from tests.gait.cuts import few
from tests.gait.daily import DAILY
from tests.gait.posture_day import confusion, recall
from tests.gait.walks import whole

LEFT, RIGHT, PELVIS = Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.PELVIS
W, S, T, L = Posture.WALKING, Posture.STANDING, Posture.SITTING, Posture.LYING


def leaning(deg: float, n: int, rng: np.random.Generator, noise_m_s2: float = 0.4) -> Floats:
    """Accelerations of n ticks at rest, turned from the vertical by deg."""
    up = np.array([np.sin(np.radians(deg)), 0.0, np.cos(np.radians(deg))])
    return np.asarray(9.81 * up + noise_m_s2 * rng.standard_normal((n * TICK, 3)))


def told(*parts: tuple[int, dict[Placement, float], bool], noise_m_s2: float = 0.4) -> list[PostureSpan]:
    """parts: ticks, lean of each sensor in degrees, whether in a gait sequence."""
    rng = np.random.default_rng(1)
    tracker, at, out = PostureTracker(), 0, []
    for n, leans, walking in parts:
        acc = {p: leaning(deg, n, rng, noise_m_s2) for p, deg in leans.items()}
        out += tracker.push(at, acc, np.full(n, walking))
        at += n
    return out + tracker.flush()


def joined(spans: Sequence[PostureSpan]) -> list[tuple[Posture, float]]:
    """Consecutive spans of one posture as one: posture and seconds."""
    out: list[tuple[Posture, float]] = []
    for span in spans:
        seconds = span.end_s - span.start_s
        if out and out[-1][0] is span.posture:
            out[-1] = span.posture, out[-1][1] + seconds
        else:
            out.append((span.posture, seconds))
    return out


def all_at(deg: float, pelvis: float = 0.0) -> dict[Placement, float]:
    return {LEFT: deg, RIGHT: deg, PELVIS: pelvis}


def test_a_day_in_short() -> None:
    sitting, lying = (60, all_at(85, pelvis=30), False), (60, all_at(90, pelvis=90), False)
    spans = told((40, all_at(5), True), (60, all_at(0), False), sitting, lying)
    assert [p for p, _ in joined(spans)] == [W, S, T, L]
    assert [s for _, s in joined(spans)] == pytest.approx([20.0, 30.0, 30.0, 30.0], abs=0.5)


def test_spans_follow_one_another_and_a_long_one_is_told_at_least_every_ten_minutes() -> None:
    spans = told((40, all_at(0), True), (3000, all_at(85), False))
    assert all(a.end_s == b.start_s for a, b in pairwise(spans))
    assert max(s.end_s - s.start_s for s in spans) == 600.0


def test_one_bent_thigh_is_standing() -> None:
    spans = told((40, all_at(0), True), (40, {LEFT: 80.0, RIGHT: 5.0, PELVIS: 0.0}, False))
    assert joined(spans)[-1][0] is S


def test_a_thigh_alone_cannot_tell_sitting_from_lying() -> None:
    spans = told((40, {LEFT: 0.0}, True), (40, {LEFT: 85.0}, False))
    assert joined(spans)[-1][0] is Posture.SITTING_OR_LYING


def test_a_pelvis_alone_knows_lying_but_not_sitting() -> None:
    spans = told((40, {PELVIS: 0.0}, True), (40, {PELVIS: 40.0}, False), (40, {PELVIS: 95.0}, False))
    assert [p for p, _ in joined(spans)] == [W, Posture.UNKNOWN, L]


def test_nothing_is_said_before_the_first_walk_and_all_of_it_after() -> None:
    rng = np.random.default_rng(2)
    tracker = PostureTracker()
    before = tracker.push(0, {LEFT: leaning(85, 100, rng), PELVIS: leaning(0, 100, rng)}, np.zeros(100, bool))
    assert before == []
    after = tracker.push(100, {LEFT: leaning(0, 40, rng), PELVIS: leaning(0, 40, rng)}, np.ones(40, bool))
    assert [p for p, _ in joined(after + tracker.flush())] == [T, W]


def test_without_any_walk_posture_stays_unknown_and_memory_bounded() -> None:
    spans = told(*[(20, all_at(0), False)] * 400)
    assert {s.posture for s in spans} == {Posture.UNKNOWN}
    assert sum(s.end_s - s.start_s for s in spans) == 4000.0


def test_half_an_hour_without_any_movement_is_not_worn_and_less_is_rest() -> None:
    walk, sit = (40, all_at(0), True), all_at(85)
    rest = joined(told(walk, (3500, sit, False), walk, noise_m_s2=0.02))
    assert dict(rest)[T] == pytest.approx(1750.0, abs=1.0)  # the tick of sitting down is half upright
    assert Posture.UNWORN not in dict(rest)
    table = joined(told(walk, (9000, sit, False), walk, noise_m_s2=0.02))
    assert dict(table)[Posture.UNWORN] == pytest.approx(4500.0, abs=1.0)
    assert T not in dict(table)


def test_a_sensor_put_on_anew_is_believed_after_the_next_walk() -> None:
    """Turned by 60 degrees in its pouch: standing looks like sitting until it has walked."""
    spans = told((40, all_at(0), True), (40, all_at(60), True), (40, all_at(60), False))
    assert joined(spans)[-1][0] is S


def test_missing_samples_are_unknown() -> None:
    rng = np.random.default_rng(3)
    tracker = PostureTracker()
    out = tracker.push(0, {LEFT: leaning(0, 40, rng)}, np.ones(40, bool))
    out += tracker.push(40, {LEFT: np.full((20 * TICK, 3), np.nan)}, np.zeros(20, bool))
    assert joined(out + tracker.flush())[-1] == (Posture.UNKNOWN, 10.0)


def test_at_the_limit_posture_does_not_flicker() -> None:
    rng = np.random.default_rng(4)
    tracker = PostureTracker()
    out = tracker.push(0, {LEFT: leaning(0, 40, rng)}, np.ones(40, bool))
    wavering = np.concatenate([leaning(45 + 3 * (-1) ** k, 1, rng) for k in range(200)])
    out += tracker.push(40, {LEFT: wavering}, np.zeros(200, bool))
    assert len(joined(out + tracker.flush())) <= 3


@few(20)
@given(st.lists(st.integers(1, 60), min_size=30, max_size=30))
def test_the_same_however_it_is_cut(sizes: list[int]) -> None:
    """But for what is learned of a walk, which the pipeline gives in batches on its own grid."""
    rng = np.random.default_rng(5)
    first = leaning(0, 40, rng)
    rest = np.concatenate([leaning(d, 100, rng) for d in (0, 85, 10, 60)])

    def run(cuts: list[int]) -> list[PostureSpan]:
        tracker = PostureTracker(PostureParams(unworn=50))
        out, at = tracker.push(0, {LEFT: first}, np.ones(40, bool)), 0
        for wanted in [*cuts, 400]:
            n = min(wanted, 400 - at)
            if n:
                out += tracker.push(40 + at, {LEFT: rest[at * TICK : (at + n) * TICK]}, np.zeros(n, bool))
            at += n
        return out + tracker.flush()

    assert run(sizes) == run([])


def test_a_simulated_afternoon() -> None:
    script = (Stand(6.0), Walk(seconds=20.0), Sit(60.0), Walk(seconds=20.0), Stand(30.0))
    blocks = whole(simulate(script, seed=6))
    pipeline = GaitPipeline(blocks)
    results = [r for block in blocks.values() for r in pipeline.push(block)] + pipeline.flush()
    seconds = Counter[Posture]()
    for posture, length in joined([r for r in results if isinstance(r, PostureSpan)]):
        seconds[posture] += round(length)
    assert seconds[T] == pytest.approx(60, abs=6)
    assert seconds[W] == pytest.approx(40, abs=6)
    assert seconds[S] == pytest.approx(36, abs=6)


@pytest.mark.data
def test_daily_life() -> None:
    """Two of the four people; all of them, and a thigh alone: docs/validation.md."""
    worn = (Placement.THIGH, PELVIS)
    seconds = sum((confusion(*who, worn) for who in DAILY[2:]), Counter[tuple[str, str]]())
    assert np.mean(list(recall(seconds).values())) >= 0.93
