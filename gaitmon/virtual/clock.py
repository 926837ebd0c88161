"""The sensor's one oscillator: when it samples and what it writes on the samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaitmon.model import Floats

_KNOT_S = 1.0
_BLOCK = 600  # knots made at once


@dataclass(frozen=True, slots=True)
class ClockModel:
    """skew_ppm: a sensor that is fast is positive.  wander_ppm: standard deviation of the skew's random
    walk after a minute.  initial_s: what the clock reads at the first power-on; after a reboot it is 0."""

    skew_ppm: float = 0.0
    wander_ppm: float = 0.0
    initial_s: float = 0.0


class Oscillator:
    """Device seconds against true seconds since one power-on, straight between knots a second apart."""

    def __init__(
        self, model: ClockModel, rng: np.random.Generator, power_on_s: float, reads_s: float
    ) -> None:
        self._rng = rng
        self._skew_ppm = model.skew_ppm
        self._step_ppm = model.wander_ppm * np.sqrt(_KNOT_S / 60.0)
        self._true_s: Floats = np.array([power_on_s])
        self._device_s: Floats = np.array([reads_s])

    def device_s(self, true_s: float) -> float:
        while self._true_s[-1] < true_s:
            self._extend()
        return float(np.interp(true_s, self._true_s, self._device_s))

    def true_s(self, device_s: Floats) -> Floats:
        while self._device_s[-1] < device_s[-1]:
            self._extend()
        first = max(0, int(np.searchsorted(self._device_s, device_s[0])) - 1)
        return np.interp(device_s, self._device_s[first:], self._true_s[first:])

    def _extend(self) -> None:
        skew = self._skew_ppm + self._step_ppm * self._rng.standard_normal(_BLOCK).cumsum()
        self._skew_ppm = float(skew[-1])
        true_s = self._true_s[-1] + _KNOT_S * np.arange(1, _BLOCK + 1)
        device_s = self._device_s[-1] + _KNOT_S * (1.0 + 1e-6 * skew).cumsum()
        self._true_s = np.concatenate([self._true_s, true_s])
        self._device_s = np.concatenate([self._device_s, device_s])
