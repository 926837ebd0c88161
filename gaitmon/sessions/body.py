"""The body's angles over a whole recording, walking or not, with what the walking told of the sensors.

The pipeline gives angles of strides only.  Here the same sensor chains and the same angle track run over
everything, once more, and afterwards it is known which alignment rests on the most walking: that one counts
for the whole time in which the sensor did not move, also for what came before the first walk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gaitmon.imu.aligner import MOVED_DEG, moved_deg
from gaitmon.imu.chain import SensorChain
from gaitmon.model import Alignment, Bools, Floats, Gap, Placement, Side
from gaitmon.pipeline_angles import angles
from gaitmon.sensors.inspection import inspect
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.replay import deliveries
from gaitmon.symmetry.cycle import COLUMNS, FLEXION_OF, OBLIQUITY, TILT

HZ = 100
THIGH_OF = {Side.LEFT: Placement.LEFT_THIGH, Side.RIGHT: Placement.RIGHT_THIGH}
QUIET_RAD_S = (
    0.20  # rate of pelvis and thighs above which somebody moves and does not merely sway (judgement)
)

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Rows on the 100 Hz grid.  first: grid index of row 0.

    angles: (n, COLUMNS) of gaitmon.symmetry.cycle, deg, NaN where a sensor or its alignment is missing.
    turning: per sensor its rate in rad/s, smoothed over 0.2 s, (n,).  up: per sensor the vertical in its own
    frame, (n, 3).  alignments: in force, per sensor and from when.
    """

    first: int
    angles: Floats
    turning: dict[Placement, Floats]
    up: dict[Placement, Floats]
    alignments: dict[Placement, tuple[tuple[float, Alignment], ...]]
    chains: dict[Placement, SensorChain]

    @classmethod
    def of(cls, recording: Recording, alignments: Sequence[Alignment]) -> Body:
        """alignments: what the walking in it told."""
        chains = _chains(recording)
        begun = [c.raw for c in chains.values() if c.begun]
        first, end = min((t.first for t in begun), default=0), max((t.end for t in begun), default=0)
        aligned = {p: _eras(alignments, p) for p in chains}
        rows = {p: c.raw.view(first, end) for p, c in chains.items()}
        turning = {p: _smooth(np.linalg.norm(x[:, 3:6], axis=1)) for p, x in rows.items()}
        up = {p: x[:, 6:9].copy() for p, x in rows.items()}
        return cls(first, _angles(chains, aligned, first, end), turning, up, aligned, chains)

    @property
    def span(self) -> Span:
        return self.first / HZ, (self.first + len(self.angles)) / HZ

    def at(self, start_s: float, stop_s: float) -> slice:
        """Rows of a span, as far as there are any."""
        n = len(self.angles)
        a, b = (min(max(round(HZ * t) - self.first, 0), n) for t in (start_s, stop_s))
        return slice(a, max(a, b))

    def time_s(self, row: int) -> float:
        return (self.first + row) / HZ

    def tilt(self, where: slice) -> Floats:
        return self.angles[where, TILT]

    def obliquity(self, where: slice) -> Floats:
        return self.angles[where, OBLIQUITY]

    def flexion(self, side: Side, where: slice) -> Floats:
        return self.angles[where, FLEXION_OF[side]]

    def in_force(self, at_s: float) -> dict[Placement, Alignment]:
        """Alignments at a time, of the sensors that have one."""
        return {p: [a for t, a in eras if t <= at_s][-1] for p, eras in self.alignments.items() if eras}

    def same_strap(self, one_s: float, other_s: float) -> bool:
        """Whether no sensor has moved between two times."""
        ids = [{p: a.alignment_id for p, a in self.in_force(t).items()} for t in (one_s, other_s)]
        return ids[0] == ids[1]

    def aligned(self, *placements: Placement) -> bool:
        return all(any(a.flexion_known for _, a in self.alignments.get(p, ())) for p in placements)

    def quiet(self, where: slice) -> Bools:
        """Whether what is heard in most of the span is heard, and turns no faster than sway does."""
        out = np.ones(where.stop - where.start, dtype=bool)
        for p, turning in self.turning.items():
            known = np.isfinite(self.up[p][where, 0])
            if 2 * known.sum() > len(known):
                out &= known & ~(turning[where] > QUIET_RAD_S)
        for column in (OBLIQUITY, *FLEXION_OF.values()):
            known = np.isfinite(self.angles[where, column])
            if 2 * known.sum() > len(known):
                out &= known
        return out

    def leaning_deg(self, placement: Placement, where: slice, reference: Floats) -> Floats:
        """Angle between the sensor's vertical and a reference (3,) in its frame: known without alignment."""
        return np.asarray(np.degrees(np.arccos(np.clip(self.up[placement][where] @ reference, -1.0, 1.0))))


def longest(mask: Bools) -> slice:
    """The longest stretch of True."""
    return max(runs(mask), key=lambda r: r.stop - r.start, default=slice(0, 0))


def runs(mask: Bools, bridge: int = 0) -> list[slice]:
    """Stretches of True; those no more than ``bridge`` rows apart are one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    out: list[slice] = []
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if out and a - out[-1].stop <= bridge:
            out[-1] = slice(out[-1].start, b)
        else:
            out.append(slice(a, b))
    return out


def _smooth(x: Floats, rows: int = 20) -> Floats:
    if len(x) < rows:
        return x
    return np.convolve(x, np.full(rows, 1.0 / rows), "same")


def _chains(recording: Recording) -> dict[Placement, SensorChain]:
    recording = inspect(recording).recording
    chains = {p: SensorChain(p) for p in recording.streams if not p.is_reference}
    for item in deliveries(recording):
        if isinstance(item, Gap):
            chains[item.placement].gap(item)
        else:
            chains[item.placement].push(item)
    for chain in chains.values():
        chain.close_run()
    return chains


def _eras(alignments: Sequence[Alignment], placement: Placement) -> tuple[tuple[float, Alignment], ...]:
    """(from when, alignment): a new one only where the sensor has moved, each the last known in it."""
    out: list[tuple[float, Alignment]] = []
    for a in sorted(
        (a for a in alignments if a.placement is placement and a.flexion_known), key=lambda a: a.alignment_id
    ):
        if out and moved_deg(out[-1][1], a) <= MOVED_DEG:
            out[-1] = out[-1][0], a
        else:
            out.append((a.effective_s if out else -np.inf, a))
    return tuple(out)


def _angles(
    chains: dict[Placement, SensorChain],
    aligned: dict[Placement, tuple[tuple[float, Alignment], ...]],
    first: int,
    end: int,
) -> Floats:
    out = np.full((end - first, COLUMNS), np.nan)
    starts = {max(first, round(HZ * max(t, -1e9))) for eras in aligned.values() for t, _ in eras}
    cuts = [*sorted(c for c in starts | {first} if c < end), end]
    for a, b in pairwise(cuts):
        in_force = {
            p: [x for t, x in eras if t * HZ <= a][-1]
            for p, eras in aligned.items()
            if eras and eras[0][0] * HZ <= a
        }
        out[a - first : b - first] = angles(chains, in_force, a, b)
    return out
