"""Energy and periodicity of windows in which samples are missing, from the samples that there are.

Nothing is filled in.  The autocorrelation at a lag is taken over the pairs of samples that are both there
and divided by the energy of those very pairs, so that a hole neither adds nor takes away likeness.
"""

from __future__ import annotations

import numpy as np

from gaitmon.model import Bools, Floats


def autocorrelation(x: Floats, known: Bools, *, fft: int, fewest_pairs: int) -> Floats:
    """x: shape (windows, n, 3), about the mean of what is known, 0 where not known; known: (windows, n).

    Returns shape (windows, n): of each lag the correlation -1..1 over all axes, -inf where fewer than
    fewest_pairs pairs of samples are both known.
    """
    n = x.shape[1]
    mask, energy = known.astype(np.float64), (x * x).sum(axis=2)
    signal_f = np.fft.rfft(x, fft, axis=1)
    mask_f, energy_f = np.fft.rfft(mask, fft, axis=1), np.fft.rfft(energy, fft, axis=1)
    product = np.fft.irfft((signal_f.real**2 + signal_f.imag**2).sum(axis=2), fft, axis=1)[:, :n]
    pairs = np.fft.irfft(mask_f.real**2 + mask_f.imag**2, fft, axis=1)[:, :n]
    cross = mask_f * energy_f.conj()  # energy of the earlier of each pair; its conjugate, of the later
    earlier = np.fft.irfft(cross, fft, axis=1)[:, :n]
    later = np.fft.irfft(cross.conj(), fft, axis=1)[:, :n]
    shared = np.sqrt(np.maximum(earlier, 0.0) * np.maximum(later, 0.0))
    told = (pairs > fewest_pairs - 0.5) & (shared > 0.0)
    return np.where(told, product / np.where(told, shared, 1.0), -np.inf)
