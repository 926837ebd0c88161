"""A walk whose thigh sensors' clocks run apart, through clock and pipeline: what left and right lose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gaitmon.imu.clock import ClockParams, SensorClock, Timed
from gaitmon.model import Contact, ContactKind, Floats, ImuBlock, Placement, Side
from gaitmon.pipeline import run
from gaitmon.simulate import (
    ImuArrays,
    RadioParams,
    SensorParams,
    Simulated,
    Stand,
    Truth,
    Walk,
    WalkerParams,
    simulate,
)
from tests.gait.walks import match

RATE_HZ = 60.0
SETTLED_S = 30.0
RADIO = RadioParams(latency_s=0.002, jitter_s=0.004, connection_interval_s=0.015, loss_fraction=0.002)
PPM = {Placement.PELVIS: 10.0, Placement.LEFT_THIGH: 50.0, Placement.RIGHT_THIGH: -50.0}

Clocked = Callable[[Placement, ImuArrays, Truth], Iterator[tuple[float, Floats, Floats]]]


def walk(seconds: float, seed: int = 7) -> Simulated:
    """Standing, then a straight walk, with clocks that start anywhere and run 100 ppm apart."""
    sensors = {
        p: SensorParams(rate_hz=RATE_HZ, skew_ppm=ppm, offset_s=17.0 * (n + 1), radio=RADIO)
        for n, (p, ppm) in enumerate(PPM.items())
    }
    return simulate((Stand(6.0), Walk(seconds=seconds), Stand(4.0)), WalkerParams(), sensors, seed)


def true_clock(
    placement: Placement, arrays: ImuArrays, truth: Truth
) -> Iterator[tuple[float, Floats, Floats]]:
    """(host time, common times, rows) of each second, by the simulator's own clocks."""
    for part in _pushes(arrays):
        t = truth.clocks[placement].to_common(arrays.t_s[part])
        yield float(arrays.arrival_s[part.stop - 1]), t, _rows(arrays, part)


def uncorrected(
    placement: Placement, arrays: ImuArrays, truth: Truth
) -> Iterator[tuple[float, Floats, Floats]]:
    """The device's own seconds, set once by the quickest packet of the first 30 s."""
    early = arrays.arrival_s < 30.0
    offset = float((arrays.arrival_s - arrays.t_s)[early].min())
    for part in _pushes(arrays):
        yield float(arrays.arrival_s[part.stop - 1]), arrays.t_s[part] + offset, _rows(arrays, part)


def corrected(
    placement: Placement, arrays: ImuArrays, truth: Truth
) -> Iterator[tuple[float, Floats, Floats]]:
    """gaitmon's clock, live."""
    clock = SensorClock(ClockParams.stamped(32, 1e-6, 1.0 / RATE_HZ))
    ticks = np.round(arrays.t_s * 1e6).astype(np.uint64)
    for part in _pushes(arrays):
        for item in clock.push(ticks[part], arrays.arrival_s[part], _rows(arrays, part)):
            assert isinstance(item, Timed)
            yield float(arrays.arrival_s[part.stop - 1]), item.t_s, item.rows


@dataclass(frozen=True)
class Biases:
    """Mean error of initial contacts against the truth, s; n of each side."""

    left_s: float
    right_s: float
    n: tuple[int, int]

    @property
    def left_less_right_s(self) -> float:
        return self.left_s - self.right_s


def biases(simulated: Simulated, clocked: Clocked) -> Biases:
    """Contacts of the real pipeline on blocks of about a second, by this clock, from SETTLED_S on."""
    parts = [
        (host, n, ImuBlock(p, t, rows[:, :3], rows[:, 3:]))
        for n, (p, arrays) in enumerate(simulated.streams.items())
        for host, t, rows in clocked(p, arrays, simulated.truth)
    ]
    parts.sort(key=lambda part: part[:2])
    results = run([block for _, _, block in parts], simulated.streams)
    errors = {}
    for side in Side:
        found = [
            r.t_s
            for r in results
            if isinstance(r, Contact) and r.kind is ContactKind.IC and r.side is side and r.t_s > SETTLED_S
        ]
        true = [
            c.t_s
            for c in simulated.truth.contacts
            if c.kind is ContactKind.IC and c.side is side and c.t_s > SETTLED_S
        ]
        errors[side] = match(found, true, 0.25).error_s
    left, right = errors[Side.LEFT], errors[Side.RIGHT]
    return Biases(float(left.mean()), float(right.mean()), (len(left), len(right)))


def _pushes(arrays: ImuArrays) -> Iterator[slice]:
    cuts = np.searchsorted(arrays.arrival_s, np.arange(0.0, arrays.arrival_s[-1] + 1.0, 1.0) + 1.0).tolist()
    for a, b in zip([0, *cuts[:-1]], cuts, strict=True):
        if b > a:
            yield slice(a, b)


def _rows(arrays: ImuArrays, part: slice) -> Floats:
    gyr = arrays.gyr_rad_s
    assert gyr is not None
    return np.column_stack([arrays.acc_m_s2[part], gyr[part]])
