"""Filters whose output does not depend on how the stream was cut into blocks.

A filter sees each sample once.  Those here are finite, symmetric kernels: the output at grid index k
needs ``half`` samples on either side, so it is exact in time (zero phase) and known ``half`` samples
late.
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


class ZeroPhase:
    """A symmetric kernel that remembers its past between calls.

    push returns as many rows as it is given; row i of the output of all calls taken together belongs
    to row i - half of the input.  Before the first sample the signal is taken as constant, so a
    stream that starts in motion does not start with a step from zero.
    """

    def __init__(self, kernel: Floats) -> None:
        if len(kernel) % 2 == 0:
            raise ValueError("a zero-phase kernel has an odd number of taps")
        self._taps = np.ascontiguousarray(kernel[::-1])
        self._past: Floats | None = None  # (channels, 2 half)
        self.half = len(kernel) // 2

    def push(self, x: Floats) -> Floats:
        """x: shape (n, channels) -> shape (n, channels), delayed by ``half`` rows."""
        n, channels, reach = len(x), x.shape[1], 2 * self.half
        if n == 0:
            return x
        seen = np.empty((channels, n + reach))
        seen[:, :reach] = x[0][:, np.newaxis] if self._past is None else self._past
        seen[:, reach:] = x.T
        self._past = seen[:, n:].copy()
        # Each output is one product with all taps in a fixed order, whatever the length of the call.  One
        # call for all channels, end to end; what mixes two of them is left out.
        out = np.empty(channels * (n + reach))
        out[: len(out) - reach] = np.correlate(seen.ravel(), self._taps, "valid")
        return np.asarray(out.reshape(channels, n + reach)[:, :n].T)
