"""What a window shows, against sums and spectra of numpy."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.gait.rhythm import DECIMATE, LAG_S, evidence
from gaitmon.gait.sequences import SequenceParams
from gaitmon.gait.windows import Window, quiet, windows
from gaitmon.model import Floats

LAGS = SequenceParams().lags(SequenceParams().thigh_acc)


def shaken(seed: int, n: int = 400, period_s: float = 1.1) -> Floats:
    """Gravity, a rhythm of two harmonics along and across it, and noise: shape (n, 6)."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / 100.0
    x = rng.standard_normal((n, 6)) * rng.uniform(0.2, 2.0)
    for axis in range(6):
        for harmonic in (1, 2):
            x[:, axis] += rng.uniform(0.0, 2.0) * np.sin(2 * np.pi * t * harmonic / period_s + axis)
    x[:, :3] += (3.0, -4.0, 8.0)
    return x


@pytest.mark.parametrize("seed", range(8))
def test_shares_of_power_are_those_of_a_spectrum(seed: int) -> None:
    rows = shaken(seed)
    e = evidence(rows, 0, LAGS, True)
    x = rows[::DECIMATE, :3]
    mean = x.mean(axis=0)
    hz = np.fft.rfftfreq(160, LAG_S)
    power = (np.abs(np.fft.rfft(x - mean, 160, axis=0)) ** 2).sum(axis=1)
    assert e.shaking_share == pytest.approx(power[hz > 3.5].sum() / power.sum(), rel=1e-9)
    vertical = (x - mean) @ mean / np.linalg.norm(mean)
    lifted = np.abs(np.fft.rfft(vertical * np.hanning(len(vertical)), 160)) ** 2
    harmonic = hz * e.period_s
    first = lifted[(harmonic > 0.5) & (harmonic <= 1.5)].sum()
    second = lifted[(harmonic > 1.5) & (harmonic <= 2.5)].sum()
    assert e.step_share == pytest.approx(second / (first + second), rel=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_periodicity_is_the_unbiased_autocorrelation_over_all_axes(seed: int) -> None:
    rows = shaken(seed)
    e = evidence(rows, 3, LAGS, False)
    x = rows[::DECIMATE, 3:6] - rows[::DECIMATE, 3:6].mean(axis=0)
    n = len(x)
    acov = np.array([(x[: n - lag] * x[lag:]).sum() / (n - lag) for lag in range(LAGS[1] + 1)])
    assert e.rms == pytest.approx(np.sqrt(acov[0]))
    assert e.periodicity == pytest.approx(acov[LAGS[0] :].max() / acov[0])
    assert acov[round(e.period_s / LAG_S)] >= 0.85 * acov[LAGS[0] :].max()
    assert np.isnan([e.step_share, e.shaking_share]).all()


@pytest.mark.parametrize("seed", range(4))
def test_energy_and_gravity_of_windows(seed: int) -> None:
    rows = shaken(seed, 450)
    found = [Window(*row) for row in windows(rows, 3, (50, 8, 4), (0.3, 0.2)).tolist()]
    assert len(found) == 2
    for window, start in zip(found, (0, 50), strict=True):
        x = rows[start : start + 400]
        assert window.mean_square == pytest.approx(x[:, 3:6].var(axis=0).sum())
        up = x[:, :3].mean(axis=0)
        np.testing.assert_allclose(window[3:6], up / np.linalg.norm(up))
        cells = x[:, :3].reshape(8, 50, 3).mean(axis=1)
        cells /= np.linalg.norm(cells, axis=1, keepdims=True)
        assert window.swings == pytest.approx((cells[1:] @ cells[1:].T).min())
    level = max(w.mean_square for w in found)
    assert quiet(rows, 3, 50, 8, 1.001 * level)
    assert not quiet(rows, 3, 50, 8, 0.999 * level)
    rows[225] = np.nan
    assert not quiet(rows, 3, 50, 8, 1e9), "who is not heard is not at rest"


def test_a_window_of_which_half_is_missing_is_the_last_that_is_looked_at() -> None:
    rows = shaken(1)
    rows[:200] = np.nan
    half = Window(*windows(rows, 3, (50, 8, 4), (0.3, 0.2))[0].tolist())
    assert half.mean_square == pytest.approx(rows[200:, 3:6].var(axis=0).sum())
    assert half.settled == 0.0
    rows[200:230] = np.nan
    assert np.isnan(windows(rows, 3, (50, 8, 4), (0.3, 0.2))[0, 0])
