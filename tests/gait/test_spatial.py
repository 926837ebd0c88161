"""Stride length and walking speed: formulas against figures worked out elsewhere, then against truth."""

from __future__ import annotations

import time
from dataclasses import replace
from math import pi, radians, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaitmon.errors import ConfigError
from gaitmon.gait.spatial import (
    StrideLength,
    calibrate,
    fuse,
    measure_length,
    pendulum_length_m,
    step_rises_m,
    thigh_length_m,
)
from gaitmon.model import LEG_LENGTH_ASSUMED, LENGTH_NOT_CALIBRATED, SPEED_UNCERTAIN, Floats
from gaitmon.model_leg import Fit, LegLength, PersonalCalibration, SpatialParams
from gaitmon.simulate import SensorParams, WalkerParams
from tests.validation.sections.spatial import Pair, calibrated_on, walk
from tests.validation.sections.spatial_recorded import foot_walks, implied_leg_m, mobgap_strides

KNOWN = SpatialParams(LegLength(0.9))


def cycle(duration_s: float, rise_m: float, *, stride_rise_m: float = 0.0, rows: int | None = None) -> Floats:
    """Vertical force of a pelvis that rises twice a stride by rise_m, and once by stride_rise_m more."""
    t = np.linspace(0.0, duration_s, rows or round(100 * duration_s) + 1)
    w = 2.0 * pi / duration_s
    twice = -0.5 * rise_m * (2.0 * w) ** 2 * np.cos(2.0 * w * t)
    return np.asarray(9.81 + twice - 0.5 * stride_rise_m * w**2 * np.cos(w * t))


def swing(rom_deg: float, duration_s: float = 1.1) -> Floats:
    return np.asarray(
        4.0 + 0.5 * rom_deg * np.cos(2.0 * pi * np.linspace(0.0, 1.0, round(100 * duration_s) + 1))
    )


@pytest.mark.parametrize(
    ("speed_m_s", "cadence", "rom_deg"),  # Schwartz 2008 at a leg of 0.9 m
    [(0.51, 67, 31.1), (0.86, 90, 36.7), (1.27, 112, 42.2), (1.66, 131, 48.0), (2.06, 150, 51.7)],
)
def test_the_thigh_gives_back_the_walks_it_comes_from(
    speed_m_s: float, cadence: float, rom_deg: float
) -> None:
    duration_s = 120.0 / cadence
    length = thigh_length_m(radians(rom_deg), duration_s, 0.9)
    assert length == pytest.approx(speed_m_s * duration_s, rel=0.01)


def test_people_of_any_size_who_walk_alike_have_lengths_in_proportion() -> None:
    small, tall = 0.6, 1.05
    ratio = thigh_length_m(0.7, 1.1 * sqrt(tall), tall) / thigh_length_m(0.7, 1.1 * sqrt(small), small)
    assert ratio == pytest.approx(tall / small)


def test_the_pendulum_formula() -> None:
    # 2 steps of 2 * 1.25 * sqrt(2 * 0.9 * 0.04 - 0.04²) by hand
    assert pendulum_length_m((0.04, 0.04), 0.9) == pytest.approx(1.32665, abs=1e-4)


@given(st.floats(0.7, 2.0), st.floats(0.01, 0.08), st.floats(0.0, 0.03))
def test_the_rise_is_integrated_back(duration_s: float, rise_m: float, stride_rise_m: float) -> None:
    """Whatever differs between the two steps, gravity and how many samples there are."""
    for rows in (None, 61, 173):
        found = step_rises_m(cycle(duration_s, rise_m, stride_rise_m=stride_rise_m, rows=rows), duration_s)
        assert found == pytest.approx((rise_m, rise_m), rel=0.03)


def test_a_contact_that_is_10_ms_off_moves_the_length_little() -> None:
    whole = cycle(1.1, 0.04)
    exact, late = step_rises_m(whole, 1.1), step_rises_m(whole[:-1], 1.09)
    assert np.mean(late) == pytest.approx(np.mean(exact), rel=0.05)


def test_speed_is_length_over_time() -> None:
    found = measure_length(1.1, [swing(42.0), swing(42.0)], cycle(1.1, 0.04), KNOWN)
    assert found.length_m is not None
    assert found.speed_m_s == found.length_m / 1.1
    assert found.flags == ()


def test_both_thighs_count_alike() -> None:
    one, other, both = (
        measure_length(1.1, legs, None, KNOWN).thigh_m
        for legs in ([swing(36.0), None], [None, swing(46.0)], [swing(36.0), swing(46.0)])
    )
    assert one is not None
    assert other is not None
    assert one < other
    assert both == measure_length(1.1, [swing(41.0), swing(41.0)], None, KNOWN).thigh_m


def test_what_is_not_there_gives_nothing() -> None:
    holed = cycle(1.1, 0.04)
    holed[7] = np.nan
    nothing = measure_length(1.1, [None, np.full(111, np.nan)], holed, KNOWN)
    assert (nothing.thigh_m, nothing.pelvis_m, nothing.length_m, nothing.speed_m_s) == (None,) * 4
    still = measure_length(1.1, [np.zeros(111)], np.full(111, 9.81), KNOWN)
    assert still.length_m is None
    assert measure_length(1.1, [], np.empty(0), KNOWN).length_m is None


def test_each_sensor_alone_is_enough() -> None:
    both = measure_length(1.1, [swing(42.0)], cycle(1.1, 0.04), KNOWN)
    thigh = measure_length(1.1, [swing(42.0)], None, KNOWN)
    pelvis = measure_length(1.1, [], cycle(1.1, 0.04), KNOWN)
    assert (thigh.length_m, pelvis.length_m) == (both.thigh_m, both.pelvis_m)
    assert thigh.length_m is not None
    assert pelvis.length_m is not None
    assert both.length_m == pytest.approx(0.5 * (thigh.length_m + pelvis.length_m))


@pytest.mark.parametrize(("turn_deg", "some"), [(14.0, True), (-14.0, True), (16.0, False), (-16.0, False)])
def test_a_turning_stride_has_no_length(turn_deg: float, some: bool) -> None:
    found = measure_length(1.1, [swing(42.0)], cycle(1.1, 0.04), KNOWN, heading_change_rad=radians(turn_deg))
    assert (found.length_m is not None) is some


def test_disagreement_is_said() -> None:
    assert fuse(1.1, 1.20, 1.40, KNOWN).flags == ()
    assert fuse(1.1, 1.20, 1.50, KNOWN).flags == (SPEED_UNCERTAIN,)
    assert fuse(1.1, 1.20, None, KNOWN).flags == ()


def test_leg_length_measured_told_or_assumed() -> None:
    assert LegLength.of(leg_length_m=0.88, stature_m=1.9) == LegLength(0.88)
    assert LegLength.of(stature_m=1.60).length_m == pytest.approx(0.848)
    assumed = LegLength.of()
    assert assumed.assumed
    assert fuse(1.1, 1.2, None, SpatialParams(assumed)).flags == (LEG_LENGTH_ASSUMED,)
    for wrong in ({"stature_m": 170.0}, {"leg_length_m": 90.0}, {"leg_length_m": float("nan")}):
        with pytest.raises(ConfigError, match="Give metres"):
            LegLength.of(**wrong)


def timed(n: int, thigh: float, pelvis: float, noise: tuple[float, float]) -> list[StrideLength]:
    """n strides of 1.2 m in 1.0 s, seen by each estimator by a factor and with an error."""
    rng = np.random.default_rng(3)
    e = rng.standard_normal((n, 2)) * noise
    e -= e.mean(axis=0)
    return [StrideLength(1.0, 1.2 * thigh * (1 + a), 1.2 * pelvis * (1 + b), None) for a, b in e]


def test_a_timed_walk_finds_factors_and_trusts_the_steadier() -> None:
    found = calibrate(12.0, 10.0, timed(16, 1.1, 0.8, (0.01, 0.10)), KNOWN.leg)
    assert found.thigh is not None
    assert found.pelvis is not None
    assert found.thigh.factor == pytest.approx(1 / 1.1)
    assert found.pelvis.factor == pytest.approx(1 / 0.8)
    assert found.thigh.residual < 0.02
    assert found.pelvis.residual > 0.05
    assert found.speed_m_s == pytest.approx(1.2)
    fused = fuse(1.0, 1.1 * 1.2, 0.8 * 1.5, SpatialParams(KNOWN.leg, found)).length_m  # they say 1.2 and 1.5
    assert fused is not None
    assert 1.2 < fused < 1.25


@pytest.mark.parametrize(
    ("distance_m", "duration_s", "n", "says"),
    [
        (10.0, 0.0, 12, "cannot calibrate"),
        (10.0, 100.0, 12, "cannot calibrate"),
        (2.0, 2.0, 12, "cannot calibrate"),
        (10.0, 8.0, 5, "Too few straight strides"),
        (20.0, 10.0, 12, "does not fit"),
    ],
)
def test_a_walk_that_cannot_serve_says_why(distance_m: float, duration_s: float, n: int, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        calibrate(distance_m, duration_s, timed(n, 0.8, 0.8, (0.0, 0.0)), KNOWN.leg)


def test_a_calibration_belongs_to_its_leg_length() -> None:
    with pytest.raises(ConfigError, match="leg length"):
        SpatialParams(LegLength(0.95), calibrate(12.0, 10.0, timed(8, 1.0, 1.0, (0.01, 0.01)), KNOWN.leg))


def test_an_estimator_that_was_not_there_then_counts_only_alone() -> None:
    calibration = PersonalCalibration(0.9, 1.2, 16, Fit(1.1, 0.02), None)
    only_thigh = SpatialParams(KNOWN.leg, calibration)
    assert fuse(1.0, 1.0, 1.4, only_thigh).length_m == pytest.approx(1.1)
    alone = fuse(1.0, None, 1.4, only_thigh)
    assert (alone.length_m, alone.flags) == (1.4, (LENGTH_NOT_CALIBRATED,))
    leg = LegLength.of()
    assumed = SpatialParams(leg, replace(calibration, leg_length_m=leg.length_m))
    assert fuse(1.0, 1.0, 1.0, assumed).flags == ()  # the walk has measured what the leg stood for


def test_the_same_stride_gives_the_same_bits_wherever_it_lies_in_memory() -> None:
    flexion, up = swing(42.0), cycle(1.1, 0.04)
    there = set()
    for offset in range(8):
        a, b = np.zeros(200), np.zeros(200)
        a[offset : offset + 111], b[offset + 3 : offset + 114] = flexion, up
        there.add(repr(measure_length(1.1, [a[offset : offset + 111]], b[offset + 3 : offset + 114], KNOWN)))
    assert len(there) == 1


def test_it_costs_at_most_100_microseconds_a_stride() -> None:
    flexion, up = [swing(42.0), swing(40.0)], cycle(1.1, 0.04)

    def seconds() -> float:
        start = time.process_time()
        for _ in range(100):
            measure_length(1.1, flexion, up, KNOWN)
        return (time.process_time() - start) / 100

    assert min(seconds() for _ in range(10)) <= 100e-6


# -- through the pipeline


def errors_pct(pairs: list[Pair], params: SpatialParams) -> list[float]:
    errors = []
    for p in pairs:
        found = fuse(p.found.duration_s, p.found.thigh_m, p.found.pelvis_m, params).length_m
        assert found is not None
        errors.append(100.0 * abs(found / p.true.length_m - 1.0))
    return errors


def test_a_calibrated_walker_is_measured_at_other_speeds() -> None:
    """With pelves that rise as real ones do; figures of persons held out are in docs/validation.md."""
    before, after = [], []
    for person in (31, 32, 33):
        walker = WalkerParams(leg_length_m=0.84, person_seed=person, rise_ratio=1.5)
        leg = LegLength(walker.leg_length_m)
        timed_walk = walk(replace(walker, speed_m_s=1.2), SensorParams(), seed=person, seconds=15.0)
        calibrated = SpatialParams(leg, calibrated_on(timed_walk, leg))
        for speed in (0.8, 1.5):
            pairs = walk(replace(walker, speed_m_s=speed), SensorParams(), seed=person + 1, seconds=15.0)
            assert len(pairs) >= 12
            before += errors_pct(pairs, SpatialParams(leg))
            after += errors_pct(pairs, calibrated)
    assert np.mean(before) <= 8.0
    assert np.mean(after) <= 4.0


@pytest.mark.data
def test_a_real_pelvis_against_the_laboratory() -> None:
    """One person; published for this kind of sensor: 0.12-0.14 m."""
    for reference, most in (("INDIP", 0.12), ("Stereophoto", 0.08)):
        strides = mobgap_strides(reference)
        assert len(strides) >= 25
        assert np.mean([abs(s.estimated_m - s.reference_m) for s in strides]) <= most


@pytest.mark.data
def test_thigh_and_pelvis_name_the_same_leg_on_real_walks() -> None:
    for of in foot_walks():
        thigh, pelvis = implied_leg_m(of)
        assert 0.80 <= pelvis <= 1.0, of.name
        assert thigh == pytest.approx(pelvis, abs=0.05), of.name
