"""Kernels: gain and delay.  What is made with them of a stream: test_smooth.py."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import firwin

from gaitmon.imu.filters import bandpass_kernel, lowpass_kernel
from gaitmon.model import Floats

KERNEL = lowpass_kernel(6.0, 20, 100.0)


def filtered(kernel: Floats, x: Floats) -> Floats:
    """Output rows that belong to the input rows [half, n - half)."""
    return np.column_stack([np.correlate(column, kernel, "valid") for column in x.T])


@pytest.mark.parametrize("hz", [0.5, 1.0, 3.0, 5.0])
def test_there_is_no_phase(hz: float) -> None:
    """In the pass band the output is the input times a number: any phase would leave a remainder.

    A symmetric kernel has none; 1e-12 is rounding."""
    t = np.arange(1000) / 100.0
    x = np.column_stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t)])
    y = filtered(KERNEL, x)[80:-80]
    x = x[100 : 100 + len(y)]
    gain = float((x * y).sum() / (x * x).sum())
    assert 0.5 < gain < 1.01
    np.testing.assert_allclose(y, gain * x, atol=1e-12)


def test_six_db_at_the_cutoff_and_nothing_above() -> None:
    response = np.abs(np.fft.rfft(KERNEL, 10_000))
    assert response[0] == pytest.approx(1.0, abs=1e-12)
    assert response[600] == pytest.approx(0.5, abs=0.01)
    assert response[1500:].max() < 0.01


def test_a_band_pass_takes_nothing_of_gravity() -> None:
    assert bandpass_kernel(0.4, 4.0, 150, 100.0).sum() == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(("hz", "half", "rate_hz"), [(4.0, 15, 100.0), (9.0, 20, 100.0), (2.0, 50, 50.0)])
def test_the_low_pass_is_scipys(hz: float, half: int, rate_hz: float) -> None:
    expected = firwin(2 * half + 1, hz, fs=rate_hz, window="hamming")
    np.testing.assert_allclose(lowpass_kernel(hz, half, rate_hz), expected, rtol=0.0, atol=1e-15)


@pytest.mark.parametrize(("low_hz", "high_hz", "half"), [(1.0, 6.0, 50), (0.5, 3.0, 100)])
def test_the_band_pass_is_scipys_about_its_mean(low_hz: float, high_hz: float, half: int) -> None:
    expected = firwin(2 * half + 1, [low_hz, high_hz], fs=50.0, pass_zero=False, window="hamming")
    expected -= expected.mean()
    np.testing.assert_allclose(bandpass_kernel(low_hz, high_hz, half, 50.0), expected, rtol=0.0, atol=1e-15)
