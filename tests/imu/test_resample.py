"""The common grid: accuracy, gaps, bad samples, clocks.  Live = batch is in tests/test_live_is_batch.py."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.imu.resample import GRID_HZ, GridRun, Resampler
from gaitmon.model import Floats, ImuBlock, Placement

SCALE = np.array([1.0, -2.0, 0.5, 3.0, -0.1, 0.7])


def tone(t_s: Floats, hz: float = 3.0) -> Floats:
    """Six channels of one sine.  3 Hz: the third harmonic of a walker's strides."""
    return np.asarray(np.sin(2 * np.pi * hz * t_s)[:, np.newaxis] * SCALE)


def block(t_s: Floats, x: Floats) -> ImuBlock:
    return ImuBlock(Placement.PELVIS, t_s, x[:, :3], x[:, 3:])


def resampled(t_s: Floats, x: Floats) -> list[GridRun]:
    stage = Resampler()
    return stage.push(block(t_s, x)) + stage.flush()


def joined(runs: list[GridRun]) -> tuple[Floats, Floats]:
    """Grid times and signals."""
    t = np.concatenate([np.arange(r.first, r.end) for r in runs]) / GRID_HZ
    return t, np.concatenate([r.signals for r in runs])


# Largest error of a 3 Hz sine of amplitude 1.  Measured 0.0081, 0.0024, 0.0004, 0.0003 (cubic through
# four samples: falls with the fourth power of the step); above 150 Hz 0.0030 (mean of a 10 ms cell).
@pytest.mark.parametrize(
    ("rate_hz", "largest"),
    [
        (40.0, 0.010),
        (60.0, 0.004),
        (100.0, 0.001),
        (120.0, 0.001),
        (200.0, 0.004),
        (333.0, 0.003),
        (400.0, 0.003),
    ],
)
@pytest.mark.parametrize("phase_s", [0.0, 0.0031, 0.0087])
def test_a_slow_sine_comes_through(rate_hz: float, largest: float, phase_s: float) -> None:
    t = 2.0 + phase_s + np.arange(int(10 * rate_hz)) / rate_hz
    at, x = joined(resampled(t, tone(t)))
    end = 0.0101 if rate_hz < 150.0 else 0.0201  # a cell that is cut off at its end has its mean elsewhere
    assert t[0] <= at[0] < t[0] + end
    assert t[-1] - end < at[-1] <= t[-1] + 1e-9
    np.testing.assert_allclose(np.diff(at), 0.01, atol=1e-9)
    assert np.abs((x - tone(at)) / SCALE).max() < largest


@pytest.mark.parametrize(("rate_hz", "jitter_s", "largest"), [(60.0, 0.002, 0.006), (100.0, 0.002, 0.001)])
def test_true_uneven_sampling_is_followed(rate_hz: float, jitter_s: float, largest: float) -> None:
    """Measured 0.0034 and 0.0003."""
    t = np.arange(int(10 * rate_hz)) / rate_hz
    t = np.sort(t + jitter_s * np.random.default_rng(0).standard_normal(len(t)))
    at, x = joined(resampled(t, tone(t)))
    assert np.abs((x - tone(at)) / SCALE).max() < largest


@pytest.mark.parametrize("first", [0, 417, 360_000])
def test_samples_on_the_grid_pass_unchanged(first: int) -> None:
    k = np.arange(first, first + 500)
    x = np.random.default_rng(1).standard_normal((500, 6))
    at, out = joined(resampled(k / GRID_HZ, x))
    np.testing.assert_array_equal(np.round(at * GRID_HZ).astype(int), k)
    np.testing.assert_array_equal(out, x)


def test_samples_on_the_grid_pass_unchanged_beside_those_that_are_not() -> None:
    k = np.arange(300)
    t = k / GRID_HZ
    t[100:200:3] += 0.004
    x = np.random.default_rng(2).standard_normal((300, 6))
    _, out = joined(resampled(t, x))
    on = np.ones(300, dtype=bool)
    on[100:200:3] = False
    np.testing.assert_array_equal(out[on], x[on])


def test_samples_on_the_grid_pass_at_once_however_few_come() -> None:
    """Once 20 of them have told the rate: an angle on a screen waits for no neighbour it does not need."""
    t = np.arange(200) / GRID_HZ
    stage, out = Resampler(), 0
    for a in range(0, 200, 5):
        out += sum(len(run.signals) for run in stage.push(block(t[a : a + 5], tone(t[a : a + 5]))))
        assert out == (a + 5 if a >= 15 else 0)


def test_a_parabola_is_followed_exactly_however_uneven_the_stamps() -> None:
    """The tangent at each sample is that of the parabola through it and its neighbours."""
    t = 3.0 + np.sort(np.random.default_rng(4).uniform(0.0, 4.0, 400))
    x = (t[:, np.newaxis] - 4.0) ** 2 * SCALE
    stage = Resampler(max_gap_s=1.0)
    at, out = joined(stage.push(block(t, x)) + stage.flush())
    inner = (at > t[1]) & (at < t[-2])
    assert inner.sum() > 350
    np.testing.assert_allclose(out[inner], ((at - 4.0)[:, np.newaxis] ** 2 * SCALE)[inner], atol=1e-12)


@pytest.mark.parametrize("late_s", [0.0, 0.004])
def test_arrays_may_lie_in_memory_as_they_like(late_s: float) -> None:
    """Read-only, as from a file; columns of one table; single precision."""
    t = np.arange(300) / GRID_HZ + late_s
    table = np.column_stack([t, tone(t)])
    frozen = table.copy()
    frozen.flags.writeable = False
    packed = np.frombuffer(b"." + table.tobytes(), np.uint8)[1:].view(np.float64).reshape(300, 7)
    _, expected = joined(resampled(t, tone(t)))
    for it in (table, frozen, packed, np.asfortranarray(table)):
        _, out = joined(resampled(it[:, 0], it[:, 1:]))
        np.testing.assert_array_equal(out, expected)
    single = tone(t).astype(np.float32)
    _, out = joined(resampled(t, single))  # type: ignore[arg-type]
    _, expected = joined(resampled(t, single.astype(np.float64)))
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(("n_t", "n_acc", "n_gyr"), [(40, 50, 40), (40, 40, 30), (50, 40, 50)])
def test_as_many_samples_as_time_stamps(n_t: int, n_acc: int, n_gyr: int) -> None:
    """Loops in machine code would read or write beside the arrays."""
    t, x = np.arange(50) / GRID_HZ, np.ones((50, 3))
    with pytest.raises(ValueError, match=f"{n_t} time stamps"):
        Resampler().push(ImuBlock(Placement.PELVIS, t[:n_t], x[:n_acc], x[:n_gyr]))


def test_a_clock_that_is_ahead_moves_the_signal_by_as_much() -> None:
    """Stamps 3.7 ms late: what is at grid time t happened 3.7 ms earlier.  Measured 0.0006."""
    t = np.arange(1000) / 100.0
    at, x = joined(resampled(t + 0.0037, tone(t)))
    assert np.abs((x - tone(at - 0.0037)) / SCALE).max() < 0.001


@pytest.mark.parametrize("rate_hz", [60.0, 100.0, 333.0])
def test_a_gap_stays_a_gap(rate_hz: float) -> None:
    """No grid sample further than one step from a real one; rows on either side as if nothing was missing."""
    t = np.arange(int(6 * rate_hz)) / rate_hz
    t = t[(t < 2.0) | (t > 2.5)]
    runs = resampled(t, tone(t))
    assert [r.starts for r in runs].count(True) == 2
    at, x = joined(runs)
    last, first = t[t < 2.1][-1], t[t > 2.1][0]
    assert not np.any((at > last + 1e-6) & (at < first - 1e-6))
    assert np.any(at > last - 0.0101)
    assert np.any((at > 2.4) & (at < first + 0.0101))
    assert np.abs((x - tone(at)) / SCALE).max() < 0.004  # as without a gap: measured 0.0024


@pytest.mark.parametrize(("missing", "runs"), [(1, 1), (5, 1), (7, 2), (30, 2)])
def test_a_hole_of_up_to_70_ms_is_bridged_and_no_more(missing: int, runs: int) -> None:
    k = np.delete(np.arange(400), np.arange(200, 200 + missing))
    found = resampled(k / GRID_HZ, tone(k / GRID_HZ))
    assert sum(r.starts for r in found) == runs
    at, _ = joined(found)
    assert len(at) == (400 if runs == 1 else 400 - missing)


def test_bad_and_late_samples_are_left_out_and_counted() -> None:
    t = np.arange(500) / 100.0
    x = tone(t)
    x[[50, 300], 4] = np.nan
    x[51, 0] = np.inf
    t[120] = np.nan
    t = np.insert(t, 400, [t[398], t[399]])
    x = np.insert(x, 400, 99.0, axis=0)
    x = np.insert(x, 400, 99.0, axis=0)
    stage = Resampler()
    at, out = joined(stage.push(block(t, x)) + stage.flush())
    assert (stage.dropped_bad, stage.dropped_late) == (4, 2)
    assert len(at) == 500
    assert np.abs((out - tone(at)) / SCALE).max() < 0.002  # two samples missing at 3 Hz: measured 0.0008


def test_above_150_hz_a_vibration_does_not_fold_into_the_walk() -> None:
    """120 Hz seen at 400 Hz would fold to 20 Hz.  The 10 ms mean leaves sin(1.2 pi) / (1.2 pi) = 0.16;
    measured 0.24, because the cubic through the means overshoots."""
    t = np.arange(4000) / 400.0
    _, x = joined(resampled(t, tone(t, 120.0)))
    assert np.abs(x[:, 0]).max() < 0.3


def test_an_accelerometer_alone_has_three_columns() -> None:
    t = np.arange(200) / 50.0
    stage = Resampler()
    runs = stage.push(ImuBlock(Placement.PHONE, t, tone(t)[:, :3], None)) + stage.flush()
    assert {r.signals.shape[1] for r in runs} == {3}


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_next_to_nothing_is_no_trouble(n: int) -> None:
    t = np.arange(n) / 100.0
    runs = resampled(t, tone(t))
    assert sum(len(r.signals) for r in runs) == n
