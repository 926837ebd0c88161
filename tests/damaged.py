"""A walk, and ways in which recordings of it go wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from gaitmon.model import Floats, Placement
from gaitmon.sensors.recording import Recording, SampleStream
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import Stand, Walk, WalkerParams, simulate

WALK_S = (4.0, 34.0)
Samples = tuple[Placement, Floats, Floats, Floats | None]
Change = Callable[[Placement, Floats, Floats, Floats], Samples | None]


@cache
def walk() -> Recording:
    """Half a minute of a simulated walker, who stands before and after."""
    steps = (Stand(4.0), Walk(seconds=30.0), Stand(5.0))
    return recording_of(simulate(steps, WalkerParams(speed_m_s=1.2), seed=3), "walk")


def changed(of: Recording, change: Change) -> Recording:
    """The recording's worn sensors, each as change gives it back, or without it for None."""
    streams = []
    for placement, stream in of.streams.items():
        if placement.is_reference:
            continue
        t, acc, gyr = (np.array(x) for x in stream.arrays())
        if (samples := change(placement, t, acc, gyr)) is not None:
            streams.append(SampleStream.from_arrays(*samples))
    return Recording.of(of.name, "changed", streams, simulated=of.simulated)


def only(*placements: Placement, called: Placement | None = None, gyroscope: bool = True) -> Change:
    return lambda p, t, acc, gyr: (
        (called or p, t, acc, gyr if gyroscope else None) if p in placements else None
    )


def cut(start_s: float, end_s: float, *placements: Placement) -> Change:
    """Only the samples in [start_s, end_s), of the placements or of all."""

    def change(p: Placement, t: Floats, acc: Floats, gyr: Floats) -> Samples:
        kept = (t >= start_s) & (t < end_s) | bool(placements and p not in placements)
        return p, t[kept], acc[kept], gyr[kept]

    return change


def without(start_s: float, end_s: float, *placements: Placement) -> Change:
    """A hole in [start_s, end_s)."""

    def change(p: Placement, t: Floats, acc: Floats, gyr: Floats) -> Samples:
        kept = (t < start_s) | (t >= end_s) | bool(placements and p not in placements)
        return p, t[kept], acc[kept], gyr[kept]

    return change
