"""What is going on now, for somebody who is watching: angles at 25 Hz and contacts as they happen.

Read from what the pipeline holds, only when asked for; nothing of it is stored, and nothing the pipeline
gives out depends on it.  Contacts here are provisional: the committed ones, up to 2 s later, count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isnan

import numpy as np

from gaitmon.gait.provisional import HALF, KERNEL, ProvisionalLimb
from gaitmon.imu.alignment import along
from gaitmon.imu.chain import SensorChain
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Alignment, Contact, Floats, Placement, Result
from gaitmon.pipeline_contacts import THIGHS
from gaitmon.symmetry.pelvis import obliquity_deg, thigh_flexion_deg, tilt_deg

STEP = 4  # grid samples of a frame: 25 Hz
PATIENCE = 50  # grid samples a sensor may be behind the newest before it is shown as missing
_WALKING_S = 2.5  # a swing of either leg not longer ago than this: a contact is part of a walk


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """Means over 0.04 s about t_s, degrees, signs as everywhere; None where a sensor is not heard, not
    aligned, or its vertical not known."""

    t_s: float
    thigh_flexion_left_deg: float | None
    thigh_flexion_right_deg: float | None
    pelvic_tilt_deg: float | None
    pelvic_obliquity_deg: float | None


@dataclass(frozen=True, slots=True)
class LiveNews:
    """contacts: provisional, each once, as soon as it has happened; the committed one replaces it."""

    frames: tuple[LiveFrame, ...] = ()
    contacts: tuple[Contact, ...] = ()


class LiveView:
    """Stateful: ask for news after every push.  Made by GaitPipeline.live()."""

    def __init__(
        self, chains: Mapping[Placement, SensorChain], alignment: Mapping[Placement, Alignment]
    ) -> None:
        self._chains = chains
        self._alignment = alignment
        self._next: int | None = None  # grid index of the next frame's first row
        self._limbs = {p: ProvisionalLimb(p.side) for p in chains if p in THIGHS}
        self._seen: dict[Placement, int] = {}  # grid index after the last smoothed rate

    def news(self, committed: Iterable[Result] = ()) -> LiveNews:
        """What is new.  committed: what GaitPipeline.push has just given out."""
        for result in committed:
            if isinstance(result, Contact):
                for limb in self._limbs.values():
                    if limb.side is result.side:
                        limb.learn(result)
        for chain in self._chains.values():
            chain.release()
        return LiveNews(tuple(self._frames()), tuple(self._contacts()))

    def _frames(self) -> list[LiveFrame]:
        heard = [c.raw.end for c in self._chains.values() if c.begun]
        newest = max(heard, default=0)
        end = min((e for e in heard if e > newest - PATIENCE), default=0) // STEP * STEP
        first = max(end - STEP, 0) if self._next is None else self._next
        if end <= first:
            return []
        self._next = end
        columns = [
            self._angle(Placement.LEFT_THIGH, first, end, thigh_flexion_deg),
            self._angle(Placement.RIGHT_THIGH, first, end, thigh_flexion_deg),
            self._angle(Placement.PELVIS, first, end, tilt_deg),
            self._angle(Placement.PELVIS, first, end, obliquity_deg),
        ]
        times = [(k + 0.5 * (STEP - 1)) / GRID_HZ for k in range(first, end, STEP)]
        return [LiveFrame(t, *angles) for t, *angles in zip(times, *columns, strict=True)]

    def _angle(
        self, placement: Placement, first: int, end: int, of: Callable[[Floats], Floats]
    ) -> list[float | None]:
        chain, alignment = self._chains.get(placement), self._alignment.get(placement)
        if chain is None or alignment is None or not alignment.flexion_known:
            return [None] * ((end - first) // STEP)
        up = chain.raw.view(first, end)[:, 6:9].reshape(-1, STEP, 3).mean(axis=1)
        degrees = of(np.column_stack([along(up, axis) for axis in alignment.rotation]))
        return [None if isnan(x) else x for x in degrees.tolist()]

    def _contacts(self) -> list[Contact]:
        out: list[Contact] = []
        for placement, limb in self._limbs.items():
            self._follow(placement, limb)
        for placement, limb in self._limbs.items():
            now_s = self._chains[placement].raw.end / GRID_HZ
            out += [c for c in limb.happened(now_s) if self._walking(limb, c.t_s)]
        return sorted(out, key=lambda c: c.t_s)

    def _follow(self, placement: Placement, limb: ProvisionalLimb) -> None:
        """Its flexion rate as far as the kernel reaches."""
        chain, alignment = self._chains[placement], self._alignment.get(placement)
        end = chain.raw.end - HALF
        start = self._seen.get(placement, end)
        self._seen[placement] = max(end, start)
        if alignment is None or not alignment.flexion_known or not chain.has_gyroscope or end <= start:
            return
        rows = chain.raw.samples(start - HALF, end + HALF)
        rate = np.correlate(-along(rows[:, 3:6], alignment.rotation[1]), KERNEL, "valid")
        limb.push(start, rate)

    def _walking(self, limb: ProvisionalLimb, t_s: float) -> bool:
        """Whether a swing of either leg came not long before, and not both at once, as in sitting down."""
        others = [other for other in self._limbs.values() if other is not limb]
        before = [s.peak_s for o in self._limbs.values() for s in o.swings if s.peak_s is not None]
        if not any(t_s - _WALKING_S < peak_s < t_s - 0.05 for peak_s in before):
            return False
        return not any(abs(other.last_peak_s - limb.last_peak_s) < 0.15 for other in others)
