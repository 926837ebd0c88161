"""The smoothed view of a raw track: what it says of beginnings, ends and holes."""

from __future__ import annotations

import pickle

import numpy as np

from gaitmon.imu.filters import lowpass_kernel
from gaitmon.imu.motion import MotionTrack
from gaitmon.imu.smooth import HALF, Smoothed
from gaitmon.model import Floats


def smoothed(runs: list[tuple[int, Floats]], *, closed: bool = True) -> Smoothed:
    """runs: grid index and rows of acc and gyr."""
    raw = MotionTrack()
    out = Smoothed(raw)
    for at, rows in runs:
        out.close()
        raw.begin_run(at, 0)
        raw.append(at, rows)
        out.grow(at, at + len(rows))
    if closed:
        out.close()
    return out


def test_every_channel_is_its_kernel_with_the_rows_around() -> None:
    rows = np.random.default_rng(0).standard_normal((300, 6))
    seen = smoothed([(100, rows)]).view(100 + HALF, 400 - HALF)
    for channel in range(6):
        kernel = lowpass_kernel(9.0 if channel < 3 else 6.0, HALF, 100.0)
        expected = np.convolve(rows[:, channel], kernel, "valid")
        np.testing.assert_allclose(seen[:, channel], expected, rtol=0.0, atol=1e-14)


def test_a_constant_is_constant_from_the_first_sample_to_the_last() -> None:
    """A stream that starts at 1 g does not start with a step from zero."""
    rows = smoothed([(40, np.full((60, 6), 9.81))]).view(40, 100)
    np.testing.assert_allclose(rows, 9.81, rtol=1e-12)


def test_an_open_run_is_known_a_quarter_second_late() -> None:
    out = smoothed([(0, np.ones((60, 6)))], closed=False)
    assert out.end == 60 - HALF
    assert np.isfinite(out.view(0, out.end)).all()
    assert np.isnan(out.view(out.end, 60)).all()


def test_fewer_samples_than_the_kernel_reaches_are_all_known_once_the_run_is_over() -> None:
    out = smoothed([(0, np.ones((10, 6)))], closed=False)
    assert out.end == 0
    out.close()
    np.testing.assert_allclose(out.view(0, 10), 1.0, rtol=1e-12)


def test_nothing_crosses_a_hole() -> None:
    """Rows beside a hole know nothing of the other side, and the hole stays one."""
    rng = np.random.default_rng(1)
    one, other = rng.standard_normal((80, 6)), rng.standard_normal((80, 6)) + 50.0
    both = smoothed([(0, one), (100, other)])
    np.testing.assert_array_equal(both.view(0, 80), smoothed([(0, one)]).view(0, 80))
    np.testing.assert_array_equal(both.view(100, 180), smoothed([(100, other)]).view(100, 180))
    assert np.isnan(both.view(80, 100)).all()


def test_a_sensor_without_gyroscope_has_no_rates() -> None:
    seen = smoothed([(0, np.ones((80, 3)))]).view(0, 80)
    assert np.isfinite(seen[:, :3]).all()
    assert np.isnan(seen[:, 3:]).all()


def test_an_endless_run_with_short_holes_remembers_no_more_than_it_needs() -> None:
    """A radio that drops a packet now and then, for days: a checkpoint must not grow with it."""
    raw = MotionTrack()
    out = Smoothed(raw)
    rng, sizes = np.random.default_rng(3), []
    for k in range(200):
        raw.begin_run(100 * k, 0, 5 if k else 0)
        raw.append(100 * k, rng.standard_normal((95, 6)))
        out.grow(100 * k, 100 * k + 95)
        out.view(100 * k - 50, 100 * k + 50)
        raw.forget_before(100 * k - 3000)
        out.forget_before(100 * k - 200)
        sizes.append(len(pickle.dumps(out._runs)))
    assert max(sizes[100:]) == max(sizes[50:100])


def test_what_was_forgotten_is_missing_not_wrong() -> None:
    raw = MotionTrack()
    out = Smoothed(raw)
    rows = np.random.default_rng(2).standard_normal((12_000, 6))
    raw.begin_run(0, 0)
    raw.append(0, rows)
    out.grow(0, 12_000)
    late = out.view(9000, 9100).copy()
    raw.forget_before(8000)
    out.forget_before(8500)
    np.testing.assert_array_equal(out.view(9000, 9100), late)
    np.testing.assert_array_equal(out.view(8900, 9100)[100:], late)


def walked_rows(n: int = 400) -> Floats:
    t = np.arange(n)[:, np.newaxis] / 100.0
    return np.asarray(3.0 * np.sin(2 * np.pi * t * np.array([0.9, 1.8, 2.7, 0.9, 1.8, 0.5])))


def with_hole(rows: Floats, a: int, b: int) -> Smoothed:
    """The chain's way over a short hole: the run stays open."""
    raw = MotionTrack()
    out = Smoothed(raw)
    for first, last in ((0, a), (b, len(rows))):
        raw.begin_run(first, 0)
        raw.append(first, rows[first:last])
        out.grow(first, last)
    out.close()
    return out


def test_a_run_left_open_is_bridged_by_a_straight_line() -> None:
    """A thigh's swing (0.9 Hz) is known to 4 % over 0.1 s, what is three times as fast to 17 %; 0.25 s away
    nothing is touched."""
    rows = walked_rows()
    bridged, whole = with_hole(rows, 200, 210).view(0, 400), smoothed([(0, rows)]).view(0, 400)
    off = np.abs(bridged - whole).max(axis=0) / 3.0
    assert off[0] < 0.04
    assert off.max() < 0.17
    away = np.r_[0 : 200 - HALF, 210 + HALF : 400]
    np.testing.assert_array_equal(bridged[away], whole[away])


def test_a_bridge_is_a_straight_line_whatever_is_measured() -> None:
    """A ramp goes on over a hole as if nothing was missing, with a gyroscope and without."""
    ramp = np.arange(400.0)[:, np.newaxis] * np.array([0.1, -0.2, 0.3, -0.4, 0.5, 0.6])
    for channels in (3, 6):
        bridged = with_hole(ramp[:, :channels], 200, 210).view(HALF, 400 - HALF)
        inner = ramp[HALF : 400 - HALF]
        np.testing.assert_allclose(bridged[:, :channels], inner[:, :channels], rtol=1e-12, atol=1e-12)
        assert np.isnan(bridged[:, channels:]).all()


def test_a_bridge_is_the_same_however_it_is_looked_at() -> None:
    rows = walked_rows()
    at_once = with_hole(rows, 200, 210).view(0, 400)
    for a, b in ((150, 205), (203, 207), (209, 300), (215, 216), (180, 190)):
        np.testing.assert_array_equal(with_hole(rows, 200, 210).view(a, b), at_once[a:b])
