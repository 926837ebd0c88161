"""Finite, symmetric kernels: the output at grid index k needs ``half`` samples on either side, so it is
exact in time (zero phase), known ``half`` samples late, and the same however the stream was cut into blocks.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.signal import firwin

from gaitmon.model import Floats


@lru_cache(maxsize=32)
def lowpass_kernel(cutoff_hz: float, half: int, rate_hz: float) -> Floats:
    """Symmetric windowed-sinc low-pass of 2 * half + 1 taps and unit gain at 0 Hz.

    With few taps the passband is soft: the -6 dB point is at cutoff_hz, as scipy's firwin defines it.
    """
    return np.asarray(firwin(2 * half + 1, cutoff_hz, fs=rate_hz, window="hamming"))


@lru_cache(maxsize=32)
def bandpass_kernel(low_hz: float, high_hz: float, half: int, rate_hz: float) -> Floats:
    """Symmetric band-pass of 2 * half + 1 taps with zero gain at 0 Hz exactly."""
    kernel = np.asarray(
        firwin(2 * half + 1, [low_hz, high_hz], fs=rate_hz, pass_zero=False, window="hamming")
    )
    return np.asarray(kernel - kernel.mean())
