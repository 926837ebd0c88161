"""Finite, symmetric kernels: the output at grid index k needs ``half`` samples on either side, so it is
exact in time (zero phase), known ``half`` samples late, and the same however the stream was cut into blocks.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gaitmon.model import Floats


@lru_cache(maxsize=32)
def lowpass_kernel(cutoff_hz: float, half: int, rate_hz: float) -> Floats:
    """Symmetric windowed-sinc low-pass of 2 * half + 1 taps and unit gain at 0 Hz.

    With few taps the passband is soft: the -6 dB point is at cutoff_hz, as scipy's firwin defines it.
    """
    kernel = _sinc(cutoff_hz, half, rate_hz)
    return np.asarray(kernel / kernel.sum())


@lru_cache(maxsize=32)
def bandpass_kernel(low_hz: float, high_hz: float, half: int, rate_hz: float) -> Floats:
    """Symmetric band-pass of 2 * half + 1 taps with zero gain at 0 Hz exactly."""
    kernel = _sinc(high_hz, half, rate_hz) - _sinc(low_hz, half, rate_hz)
    away_s = np.arange(-half, half + 1) / rate_hz
    kernel /= np.sum(kernel * np.cos(np.pi * (low_hz + high_hz) * away_s))  # unit gain in the middle
    return np.asarray(kernel - kernel.mean())


def _sinc(cutoff_hz: float, half: int, rate_hz: float) -> Floats:
    """Written out: scipy.signal, which has it, is 75 MB in memory and half a second at every start."""
    share = 2.0 * cutoff_hz / rate_hz
    return np.asarray(share * np.sinc(share * np.arange(-half, half + 1)) * np.hamming(2 * half + 1))
