"""Rows of sensors as angles, and angles as cycles: loops against the same formulas in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.imu.alignment import along
from gaitmon.model import Floats
from gaitmon.pipeline_angles import CONTEXT, SMOOTH
from gaitmon.symmetry.cycle import (
    COLUMNS,
    FLEXION,
    LEFT_FLEXION,
    LEFTWARD,
    OBLIQUITY,
    POINTS,
    RIGHT_FLEXION,
    TILT,
    VERTICAL,
    YAW_RATE,
    cut,
    first_harmonics,
    flexion_range_deg,
    pelvis_angles,
    rotation_deg,
    thigh_angle,
    together,
)
from gaitmon.symmetry.pelvis import obliquity_deg, thigh_flexion_deg, tilt_deg

PHASE = np.arange(POINTS) / (POINTS - 1)


def sensor(n: int = 300, seed: int = 0) -> tuple[Floats, Floats]:
    """Rows as gaitmon.imu.motion has them, up within 60 degrees of the segment's own; and the rotation."""
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    rows = rng.normal(size=(n, 10))
    up = np.array([0.0, 0.0, 1.0]) + 0.3 * rng.uniform(-1.0, 1.0, (n, 3))
    rows[:, 6:9] = up / np.linalg.norm(up, axis=1)[:, np.newaxis] @ rotation
    return rows, rotation


def turned(v: Floats, rotation: Floats) -> Floats:
    return np.stack([along(v, axis) for axis in rotation], axis=1)


def smooth(x: Floats) -> Floats:
    return np.correlate(x, SMOOTH, "valid")


def test_a_thigh_and_a_pelvis() -> None:
    rows, rotation = sensor()
    up, force = turned(rows[:, 6:9], rotation), turned(rows[:, :3], rotation)
    flexion = np.empty(len(rows) - 2 * CONTEXT)
    thigh_angle(rows, rotation, SMOOTH, flexion)
    assert flexion == pytest.approx(smooth(thigh_flexion_deg(up)), abs=1e-10)
    out = np.full((COLUMNS, len(flexion)), np.nan)
    pelvis_angles(rows, rotation, SMOOTH, out)
    assert out[TILT] == pytest.approx(smooth(tilt_deg(up)), abs=1e-10)
    assert out[OBLIQUITY] == pytest.approx(smooth(obliquity_deg(up)), abs=1e-10)
    assert out[YAW_RATE] == pytest.approx(smooth(rows[:, 9]), abs=1e-12)
    vertical = (up * force).sum(axis=1)
    left = np.array([0.0, 1.0, 0.0]) - up * up[:, 1:2]  # level
    leftward = (force * left).sum(axis=1) / np.linalg.norm(left, axis=1)
    assert out[VERTICAL] == pytest.approx(vertical[CONTEXT:-CONTEXT], abs=1e-12)
    assert out[LEFTWARD] == pytest.approx(leftward[CONTEXT:-CONTEXT], abs=1e-12)
    assert np.isnan(out[[LEFT_FLEXION, RIGHT_FLEXION, FLEXION]]).all()


@pytest.mark.parametrize("missing", [150, slice(100, 200)])
def test_a_missing_row_hides_what_is_near_it_alone(missing: int | slice) -> None:
    rows, rotation = sensor()
    whole, holed = np.empty((2, COLUMNS, len(rows) - 2 * CONTEXT))
    pelvis_angles(rows, rotation, SMOOTH, whole)
    rows[missing] = np.nan
    pelvis_angles(rows, rotation, SMOOTH, holed)
    gone = np.isnan(rows[:, 6])
    near = np.convolve(gone, np.ones(2 * CONTEXT + 1), "valid") > 0
    for column in (TILT, OBLIQUITY, YAW_RATE):
        assert np.array_equal(np.isnan(holed[column]), near)
        assert np.array_equal(holed[column, ~near], whole[column, ~near])
    assert np.array_equal(np.isnan(holed[VERTICAL]), gone[CONTEXT:-CONTEXT])


def test_what_is_not_aligned_has_a_vertical_and_a_yaw_rate() -> None:
    rows, _ = sensor()
    out = np.empty((COLUMNS, len(rows) - 2 * CONTEXT))
    pelvis_angles(rows, np.full((3, 3), np.nan), SMOOTH, out)
    assert np.isfinite(out[[VERTICAL, YAW_RATE]]).all()
    assert np.isnan(out[[TILT, OBLIQUITY, LEFTWARD]]).all()


def test_a_cycle_is_read_between_the_rows() -> None:
    """Straight lines come out as they are, whichever the stride; the last point may be the last row."""
    first, n = 500, 400
    grid = (first + np.arange(n)) / 100.0
    rows = np.ascontiguousarray(np.outer(1.0 + np.arange(COLUMNS), grid))
    start, end = np.array([5.0, 5.0049, 7.331, 8.0]), np.array([6.1, 6.0, 8.99, 8.98])
    cycles = cut(rows, first, start, end)
    assert cycles.shape == (4, POINTS, COLUMNS)
    times = start[:, np.newaxis] + PHASE * (end - start)[:, np.newaxis]
    assert cycles == pytest.approx(times[..., np.newaxis] * (1.0 + np.arange(COLUMNS)), rel=1e-6)
    assert np.array_equal(together(list(cycles)), cycles.astype(float))
    alone = cut(np.ascontiguousarray(rows[:, 233:]), first + 233, start[2:3], end[2:3])
    assert np.array_equal(alone[0], cycles[2])


@pytest.mark.parametrize(("start_s", "end_s"), [(1.0, 2.1), (0.503, 2.4976), (1.999, 2.6)])
def test_the_range_is_that_of_the_cycle(start_s: float, end_s: float) -> None:
    rows, rotation = sensor(400)
    flexion = np.full((COLUMNS, len(rows) - 2 * CONTEXT), np.nan)
    thigh_angle(rows, rotation, SMOOTH, flexion[FLEXION])
    cycle = cut(flexion, 0, np.array([start_s]), np.array([end_s]))[0, :, FLEXION]
    a, b = int(100 * start_s), int(100 * end_s) + 2
    own = rows[a : b + 2 * CONTEXT]
    found = flexion_range_deg(own, rotation, SMOOTH, start_s, end_s)
    assert found == pytest.approx((cycle.min(), cycle.max()), rel=1e-6)
    for missing in (0, len(own) // 2, len(own) - 1 - CONTEXT):
        holed = own.copy()
        holed[missing] = np.nan
        assert np.isnan(flexion_range_deg(holed, rotation, SMOOTH, start_s, end_s)).all()


def test_rotation_is_excursion_alone() -> None:
    """Neither the mean rate nor the heading at the start is in it; a missing point hides the cycle."""
    duration = np.array([1.0, 1.4, 1.1])
    rate = np.cos(2.0 * np.pi * PHASE)[np.newaxis] / duration[:, np.newaxis] + 0.3
    rate[2, 60] = np.nan
    found = rotation_deg(rate, duration)
    expected = np.degrees(np.sin(2.0 * np.pi * PHASE) / (2.0 * np.pi))
    assert found[0] == pytest.approx(expected, abs=0.01)
    assert found[1] == pytest.approx(expected, abs=0.01)
    assert np.isnan(found[2]).all()


def test_first_harmonics_are_the_spectrums() -> None:
    cycles = np.random.default_rng(3).normal(size=(5, POINTS, COLUMNS)).astype(np.float32)
    x = cycles.astype(float)
    wanted = (x[..., RIGHT_FLEXION] - x[..., LEFT_FLEXION], x[..., YAW_RATE], x[..., OBLIQUITY])
    spectrum = np.fft.rfft(np.stack(wanted, axis=1)[..., :-1], axis=2)[..., 1] / (POINTS - 1)
    assert np.allclose(first_harmonics(cycles), spectrum, rtol=0.0, atol=1e-14)
