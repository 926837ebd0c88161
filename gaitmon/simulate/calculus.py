"""Quantities over time that carry their own first and second derivative.

Everything the simulated body does is built from closed forms, so that angular rate and acceleration
are exact at any sampling rate and nothing is ever differentiated numerically.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaitmon.model import Floats

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Jet:
    """value, first and second time derivative, arrays of one shape.  Product rule included."""

    value: Floats
    rate: Floats
    accel: Floats

    @classmethod
    def zeros(cls, shape: int | tuple[int, ...]) -> Jet:
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape))

    def __add__(self, other: Jet | float) -> Jet:
        if isinstance(other, Jet):
            return Jet(self.value + other.value, self.rate + other.rate, self.accel + other.accel)
        return Jet(self.value + other, self.rate, self.accel)

    def __sub__(self, other: Jet | float) -> Jet:
        return self + other * -1.0

    def __mul__(self, other: Jet | float) -> Jet:
        if isinstance(other, Jet):
            return Jet(
                self.value * other.value,
                self.rate * other.value + self.value * other.rate,
                self.accel * other.value + 2.0 * self.rate * other.rate + self.value * other.accel,
            )
        return Jet(self.value * other, self.rate * other, self.accel * other)

    def __neg__(self) -> Jet:
        return self * -1.0

    def compose(self, value: Floats, slope: Floats, curvature: Floats) -> Jet:
        """f(self), where value, slope and curvature are f, f' and f'' at self.value."""
        return Jet(value, slope * self.rate, curvature * self.rate**2 + slope * self.accel)

    def sin(self) -> Jet:
        s, c = np.sin(self.value), np.cos(self.value)
        return self.compose(s, c, -s)

    def cos(self) -> Jet:
        s, c = np.sin(self.value), np.cos(self.value)
        return self.compose(c, -s, -c)

    def row(self, k: int) -> Jet:
        """One of several jets stacked along the first axis."""
        return Jet(self.value[k], self.rate[k], self.accel[k])

    def at(self, where: slice) -> Jet:
        """A stretch along the last axis."""
        return Jet(self.value[..., where], self.rate[..., where], self.accel[..., where])

    def add_at(self, where: slice, other: Jet) -> None:
        """In place: add other to a stretch along the last axis."""
        self.value[..., where] += other.value
        self.rate[..., where] += other.rate
        self.accel[..., where] += other.accel


class Profile:
    """A quantity that rests, and moves from one value to the next with a raised-cosine rate.

    Twice continuously differentiable.  Moves must follow each other in time; a move that would start
    before the one before it has ended is a ValueError, because the derivative would jump.
    """

    def __init__(self, start_value: float, moves: Sequence[tuple[float, float, float]] = ()) -> None:
        """moves: (start_s, end_s, value to arrive at), in order of time."""
        starts = np.array([m[0] for m in moves], dtype=float)
        ends = np.array([m[1] for m in moves], dtype=float)
        if np.any(ends <= starts) or np.any(starts[1:] < ends[:-1] - 1e-9):
            raise ValueError("the moves of a Profile must be in order and must not overlap")
        values = np.array([start_value, *(m[2] for m in moves)], dtype=float)
        self._starts = starts
        self._durations = np.concatenate([[1.0], ends - starts])
        self._begin = np.concatenate([[0.0], starts])
        self._from = np.concatenate([[start_value], values[:-1]])
        self._step = np.concatenate([[0.0], np.diff(values)])
        plateau = np.diff(self._begin) * values[:-1]  # as if each value held until the next move starts
        late = np.concatenate([[0.0], 0.5 * self._step[1:] * self._durations[1:]])  # lost while moving
        self._area = np.concatenate([[0.0], np.cumsum(plateau)]) - np.concatenate(
            [[0.0], np.cumsum(late)[:-1]] if len(late) > 1 else [[0.0]]
        )
        self.is_constant = not np.any(self._step)

    def _locate(self, t_s: Floats) -> tuple[Indices, Floats]:
        """Which move each time (sorted) belongs to, and how far along it is, 0..1."""
        first = np.searchsorted(t_s, self._starts)
        index = np.repeat(np.arange(len(self._begin)), np.diff(np.concatenate([[0], first, [len(t_s)]])))
        return index, np.clip((t_s - self._begin[index]) / self._durations[index], 0.0, 1.0)

    def __call__(self, t_s: Floats) -> Jet:
        """t_s: shape (n,), sorted."""
        if self.is_constant:
            zero = np.zeros(len(t_s))
            return Jet(np.full(len(t_s), self._from[0]), zero, zero)
        index, x = self._locate(t_s)
        step, duration = self._step[index], self._durations[index]
        jet = Jet(self._from[index] + step * (x >= 1.0), np.zeros(len(t_s)), np.zeros(len(t_s)))
        moving = np.flatnonzero((x > 0.0) & (x < 1.0) & (step != 0.0))
        xm, sm, dm = x[moving], step[moving], duration[moving]
        sin, cos = np.sin(2.0 * np.pi * xm), np.cos(2.0 * np.pi * xm)
        jet.value[moving] += sm * (xm - sin / (2.0 * np.pi))
        jet.rate[moving] = sm * (1.0 - cos) / dm
        jet.accel[moving] = sm * 2.0 * np.pi * sin / dm**2
        return jet

    def integral(self, t_s: Floats) -> Floats:
        """The integral from 0 to t_s (sorted), in closed form."""
        index, x = self._locate(t_s)
        step, duration = self._step[index], self._durations[index]
        elapsed = t_s - self._begin[index]
        moved = 0.5 * x**2 + (np.cos(2.0 * np.pi * x) - 1.0) / (4.0 * np.pi**2)
        after = np.maximum(elapsed - duration, 0.0)
        out: Floats = self._area[index] + self._from[index] * elapsed + step * (duration * moved + after)
        return out


class Ring:
    """A damped oscillation with a smooth onset: (1 - e^(-t/rise))^3 e^(-t/decay) sin(2 pi f t + phase).

    It starts and ends at rest and at zero, so as a displacement it is a possible motion (unlike an
    oscillation written down as an acceleration, which would leave a velocity behind).
    """

    _BINOMIAL = np.array([1.0, -3.0, 3.0, -1.0])

    def __init__(self, frequency_hz: float, decay_s: float, rise_s: float, phase_rad: float = 0.0) -> None:
        omega = 2.0 * np.pi * frequency_hz
        self._base = complex(-1.0 / decay_s, omega)
        self._rise_s = rise_s
        self._lambda = self._base - np.arange(4) / rise_s
        self._weight = self._BINOMIAL * np.exp(1j * phase_rad)
        self.length_s = 10.0 * decay_s
        t = np.linspace(0.0, self.length_s, 4001)[1:]
        unscaled = self._evaluate(t)
        self._peak_value = float(np.abs(unscaled[0]).max())
        size = np.abs(unscaled[2])
        first_lobe = np.sign(unscaled[2][int(np.argmax(size >= 0.4 * size.max()))])
        self._peak_accel = float(size.max() * first_lobe)  # signed: the first large lobe becomes positive

    def _evaluate(self, t_s: Floats) -> tuple[Floats, Floats, Floats]:
        envelope, rise = np.exp(self._base * t_s), np.exp(-t_s / self._rise_s)
        powers = (envelope, envelope * rise, envelope * rise**2, envelope * rise**3)
        out = []
        for order in range(3):
            weights = self._weight * self._lambda**order
            out.append(sum(w * p for w, p in zip(weights, powers, strict=True)).imag)
        return out[0], out[1], out[2]

    def add(self, jet: Jet, t_s: Floats, onsets_s: Floats, amplitudes: Floats, *, of_accel: bool) -> None:
        """In place: add one oscillation per onset, of this largest value (or acceleration, if of_accel).

        t_s: (n,) uniform or not, sorted.  Beyond length_s, where 5e-5 of it is left, nothing is added.
        """
        scale = amplitudes / (self._peak_accel if of_accel else self._peak_value)
        first = np.searchsorted(t_s, onsets_s)
        last = np.searchsorted(t_s, onsets_s + self.length_s)
        counts = last - first
        if not counts.sum():
            return
        event = np.repeat(np.arange(len(onsets_s)), counts)
        sample = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[event]
        value, rate, accel = self._evaluate(t_s[sample] - onsets_s[event])
        for target, part in zip((jet.value, jet.rate, jet.accel), (value, rate, accel), strict=True):
            np.add(target, np.bincount(sample, weights=part * scale[event], minlength=len(t_s)), out=target)
