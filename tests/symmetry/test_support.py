"""Support times, stride-time variability, stride length and speed of a bout, from true strides."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import log

import numpy as np
import pytest

from gaitmon.model import LEG_LENGTH_ASSUMED, SPEED_UNCERTAIN, MetricValue, Side, Stride
from gaitmon.simulate import Stand, TrueStride, Walk, WalkerParams, simulate
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.summary import MeasuredStride, PelvisStride, pool, summarise

SPATIAL = ("walking_speed_m_s", "stride_length_m", "stride_length_left_m", "stride_length_right_m")
CROSS = ("single_support", "initial_double_support", "terminal_double_support")


@cache
def truth(stance_time_asymmetry_pct: float = 0.0, seconds: float = 50.0) -> tuple[TrueStride, ...]:
    """Straight, steady strides of a simulated walk, both sides."""
    walker = WalkerParams(stance_time_asymmetry_pct=stance_time_asymmetry_pct)
    found = simulate((Stand(3.0), Walk(seconds=seconds), Stand(3.0)), walker, seed=8).truth
    return tuple(s for side in Side for s in found.own(side))


def measured(t: TrueStride, flags: tuple[str, ...] = ()) -> MeasuredStride:
    stride = Stride(
        t.side, t.ordinal, t.start_s, t.fc_s, t.end_s, t.opposite_ic_s, flags=flags, length_m=t.length_m
    )
    return MeasuredStride(stride, PelvisStride(), t.opposite_fc_s)


def metrics(strides: list[MeasuredStride]) -> dict[str, MetricValue]:
    return {m.metric: m for m in summarise(strides)}


def value(found: dict[str, MetricValue], name: str) -> float:
    m = found[name].value
    assert m is not None, found[name].note
    return m


def own(side: Side, strides: tuple[TrueStride, ...]) -> list[TrueStride]:
    return [t for t in strides if t.side is side]


def test_every_metric_of_the_table_and_no_other_is_given() -> None:
    found = [m.metric for m in summarise([measured(t) for t in truth()])]
    assert found == [m.id for m in METRICS.values() if m.stored]


def test_support_times_are_those_between_the_true_contacts() -> None:
    found = metrics([measured(t) for t in truth()])
    for side in Side:
        mine = own(side, truth())
        for name, times in (
            ("initial_double_support", [t.opposite_fc_s - t.start_s for t in mine]),
            ("single_support", [t.opposite_ic_s - t.opposite_fc_s for t in mine]),
            ("terminal_double_support", [t.fc_s - t.opposite_ic_s for t in mine]),
        ):
            assert value(found, f"{name}_{side}_s") == pytest.approx(float(np.median(times)))
    shares = [100.0 * (t.stance_s - (t.opposite_ic_s - t.opposite_fc_s)) / t.duration_s for t in truth()]
    assert value(found, "double_support_pct") == pytest.approx(float(np.median(shares)))
    assert 15.0 < value(found, "double_support_pct") < 31.0  # healthy adults 20-31, children 19 at free speed


def test_single_support_is_the_other_sides_swing() -> None:
    """And one side's terminal double support is the other's initial one."""
    found = metrics([measured(t) for t in truth(20.0)])
    for side in Side:
        assert value(found, f"single_support_{side}_s") == pytest.approx(
            value(found, f"swing_time_{side.other}_s"), abs=0.004
        )
        assert value(found, f"terminal_double_support_{side}_s") == pytest.approx(
            value(found, f"initial_double_support_{side.other}_s"), abs=0.004
        )


def test_single_support_is_compared_right_against_left() -> None:
    """A longer right stance goes with a longer left swing, which is the right leg's single support."""
    found = metrics([measured(t) for t in truth(20.0)])
    left, right = (value(found, f"single_support_{side}_s") for side in Side)
    assert value(found, "single_support_ln_pct") == pytest.approx(100.0 * log(right / left))
    assert value(found, "stance_time_ln_pct") == pytest.approx(20.0, abs=1.5)
    assert value(found, "single_support_ln_pct") > 10.0
    assert abs(value(metrics([measured(t) for t in truth()]), "single_support_ln_pct")) < 2.0


def test_without_the_other_side_there_is_no_support_time() -> None:
    own_limb = [
        MeasuredStride(replace(measured(t).stride, opposite_ic_s=None), PelvisStride()) for t in truth()
    ]
    found = metrics(own_limb)
    for side in Side:
        assert all(found[f"{name}_{side}_s"].value is None for name in CROSS)
        assert value(found, f"stance_time_{side}_s") > 0.0
    assert found["single_support_ln_pct"].value is None
    assert found["double_support_pct"].value is None
    assert found["double_support_pct"].note == "not enough strides (0 of 6)"


def test_contacts_out_of_order_give_no_support_time() -> None:
    """Running has no double support: the other foot has left before this one lands."""
    found = metrics([replace(measured(t), opposite_fc_s=t.start_s - 0.05) for t in truth()])
    assert found["double_support_pct"].value is None
    assert found["single_support_left_s"].value is None


def test_stride_time_variability_needs_30_strides_of_a_side() -> None:
    left, right = own(Side.LEFT, truth()), own(Side.RIGHT, truth())
    assert min(len(left), len(right)) >= 30
    found = metrics([measured(t) for t in [*left[:29], *right]])
    assert found["stride_time_cv_left_pct"].value is None
    assert found["stride_time_cv_left_pct"].note == "not enough strides (29 of 30)"
    times = np.array([t.duration_s for t in right])
    cv = 100.0 * float(times.std(ddof=1) / times.mean())
    assert value(found, "stride_time_cv_right_pct") == pytest.approx(cv)
    assert 1.0 < cv < 4.0  # the simulated walker has 2 %
    error = found["stride_time_cv_right_pct"].standard_error
    assert error == pytest.approx(cv / (2 * (len(right) - 1)) ** 0.5, rel=0.5)  # of independent normal ones


def test_speed_and_length_are_medians_of_the_strides() -> None:
    found = metrics([measured(t) for t in truth()])
    speed = float(np.median([t.speed_m_s for t in truth()]))
    assert value(found, "walking_speed_m_s") == pytest.approx(speed)
    assert value(found, "stride_length_m") == pytest.approx(float(np.median([t.length_m for t in truth()])))
    for side in Side:
        lengths = [t.length_m for t in own(side, truth())]
        assert value(found, f"stride_length_{side}_m") == pytest.approx(float(np.median(lengths)))
        counts = found[f"stride_length_{side}_m"]
        assert (counts.n_left > 0, counts.n_right > 0) == (side is Side.LEFT, side is Side.RIGHT)


def test_strides_without_a_length_give_no_speed() -> None:
    known = [measured(t) for t in truth()[:5]]
    unknown = [replace(m, stride=replace(m.stride, length_m=None)) for m in map(measured, truth()[5:])]
    found = metrics(known + unknown)
    assert all(found[name].value is None for name in SPATIAL)
    assert found["walking_speed_m_s"].note == "not enough strides (5 of 6)"
    assert found["cadence_steps_min"].value is not None


def test_what_most_lengths_are_doubted_for_is_noted_and_kept() -> None:
    strides = truth()
    few, most = len(strides) // 4, len(strides) * 3 // 4
    doubted = [
        measured(t, ((SPEED_UNCERTAIN,) if i < few else ()) + ((LEG_LENGTH_ASSUMED,) if i < most else ()))
        for i, t in enumerate(strides)
    ]
    found = summarise(doubted)
    notes = {m.metric: m.note for m in found if m.value is not None}
    assert {notes[name] for name in SPATIAL} == {LEG_LENGTH_ASSUMED}
    assert all(not note for name, note in notes.items() if name not in SPATIAL)
    together = {m.metric: m for m in pool([found, summarise([measured(t) for t in strides])])}
    assert together["walking_speed_m_s"].note == LEG_LENGTH_ASSUMED
    assert together["cadence_steps_min"].note == ""


def test_strides_of_an_unknown_side_have_a_speed_in_the_pool() -> None:
    unsided = [replace(m, stride=replace(m.stride, side=None)) for m in map(measured, truth())]
    found = summarise(unsided)
    (pooled,) = [m for m in pool([found, found]) if m.metric == "walking_speed_m_s"]
    assert pooled.value == value({m.metric: m for m in found}, "walking_speed_m_s")
