"""Filters whose output does not depend on how the stream was cut into blocks.

A filter sees each sample once.  Those here are finite, symmetric kernels: the output at grid index k
needs ``half`` samples on either side, so it is exact in time (zero phase) and known ``half`` samples
late.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.signal import firwin, lfilter

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
    return kernel - kernel.mean()


class ZeroPhase:
    """A symmetric kernel that remembers its past between calls.

    push returns as many rows as it is given; row i of the output of all calls taken together belongs
    to row i - half of the input.  Before the first sample the signal is taken as constant, so a
    stream that starts in motion does not start with a step from zero.
    """

    def __init__(self, kernel: Floats) -> None:
        if len(kernel) % 2 == 0:
            raise ValueError("a zero-phase kernel has an odd number of taps")
        self._kernel = kernel
        self._state: Floats | None = None
        self.half = len(kernel) // 2

    def push(self, x: Floats) -> Floats:
        """x: shape (n, channels) -> shape (n, channels), delayed by ``half`` rows."""
        if len(x) == 0:
            return x
        if self._state is None:
            past = np.repeat(x[:1], len(self._kernel) - 1, axis=0)
            self._state = lfilter(self._kernel, 1.0, past, axis=0, zi=np.zeros_like(past))[1]
        y, self._state = lfilter(self._kernel, 1.0, x, axis=0, zi=self._state)
        return np.asarray(y)
