"""Kernels: gain and delay.  What is made with them of a stream: test_smooth.py."""

from __future__ import annotations

import numpy as np
import pytest

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
