"""Simulated and recorded walks as the tests of the core want them: cut, shuffled, run, and matched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from gaitmon.model import (
    Alignment,
    Contact,
    ContactKind,
    Floats,
    Gap,
    ImuBlock,
    Notice,
    Placement,
    Result,
    Side,
    Stride,
    WalkingBout,
)
from gaitmon.pipeline import run
from gaitmon.simulate import Simulated, Stand, Step, Walk, WalkerParams, simulate
from gaitmon.simulate.params import SensorParams

Item = ImuBlock | Gap
SENSORS = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
THIGH = {Side.LEFT: Placement.LEFT_THIGH, Side.RIGHT: Placement.RIGHT_THIGH}


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """A simulation and what the pipeline made of it."""

    simulated: Simulated
    results: list[Result]

    def contacts(self, side: Side | None = None, kind: ContactKind | None = None) -> list[Contact]:
        return [
            c
            for c in self.results
            if isinstance(c, Contact) and side in (None, c.side) and kind in (None, c.kind)
        ]

    @property
    def strides(self) -> list[Stride]:
        return [r for r in self.results if isinstance(r, Stride)]

    @property
    def bouts(self) -> list[WalkingBout]:
        return [r for r in self.results if isinstance(r, WalkingBout)]

    @property
    def notices(self) -> list[Notice]:
        return [r for r in self.results if isinstance(r, Notice)]

    @property
    def alignments(self) -> list[Alignment]:
        return [r for r in self.results if isinstance(r, Alignment)]

    def alignment(self, placement: Placement) -> Alignment:
        """The last one."""
        return [a for a in self.alignments if a.placement is placement][-1]


def walked(
    script: Sequence[Step],
    walker: WalkerParams | None = None,
    sensors: SensorParams | dict[Placement, SensorParams] | None = None,
    seed: int = 0,
) -> Walked:
    simulated = simulate(tuple(script), walker, sensors, seed)
    return Walked(simulated, run(simulated.blocks(5.0), simulated.streams))


@cache
def plain_walk(speed_m_s: float = 1.25, seconds: float = 40.0, seed: int = 1) -> Walked:
    """Standing, a straight walk, standing."""
    return walked(
        (Stand(6.0), Walk(seconds=seconds), Stand(6.0)), WalkerParams(speed_m_s=speed_m_s), seed=seed
    )


def whole(simulated: Simulated) -> dict[Placement, ImuBlock]:
    """Each sensor's samples as one block."""
    return {b.placement: b for b in simulated.blocks(1e9)}


def part(block: ImuBlock, a: int, b: int) -> ImuBlock:
    gyr = None if block.gyr_rad_s is None else block.gyr_rad_s[a:b]
    return ImuBlock(block.placement, block.t_s[a:b], block.acc_m_s2[a:b], gyr)


def between(block: ImuBlock, start_s: float, end_s: float) -> ImuBlock:
    a, b = np.searchsorted(block.t_s, (start_s, end_s))
    return part(block, int(a), int(b))


def without(block: ImuBlock, start_s: float, end_s: float, *, silent: bool = False) -> list[Item]:
    """The sensor's samples with a hole, declared by a Gap unless it is silent."""
    before, after = between(block, -np.inf, start_s), between(block, end_s, np.inf)
    gap = Gap(block.placement, start_s, end_s, "out of reach")
    return [before, after] if silent else [before, gap, after]


def item_end_s(item: Item) -> float:
    """Its last moment; that of an empty block is long ago."""
    if isinstance(item, Gap):
        return item.end_s
    return float(np.nanmax(item.t_s)) if len(item) else -np.inf


def in_order(items: Iterable[Item]) -> list[Item]:
    """Items of several sensors in order of their last moment, as a live session would deliver them."""
    return sorted(items, key=item_end_s)


def pieces(block: ImuBlock, samples: int) -> list[Item]:
    return [part(block, i, i + samples) for i in range(0, len(block), samples)]


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Found against true event times, each used once.  error_s: found minus true, of the matched."""

    n_found: int
    n_true: int
    error_s: Floats

    @property
    def precision(self) -> float:
        return len(self.error_s) / self.n_found if self.n_found else 1.0

    @property
    def recall(self) -> float:
        return len(self.error_s) / self.n_true if self.n_true else 1.0


def match(found: Iterable[float], true: Iterable[float], within_s: float) -> Matched:
    """Nearest first, one to one."""
    f, t = np.array(sorted(found)), np.array(sorted(true))
    near = [(abs(x - y), i, j) for i, x in enumerate(f) for j, y in enumerate(t) if abs(x - y) <= within_s]
    used_f: set[int] = set()
    used_t: set[int] = set()
    error = []
    for _, i, j in sorted(near):
        if i not in used_f and j not in used_t:
            used_f.add(i)
            used_t.add(j)
            error.append(f[i] - t[j])
    return Matched(len(f), len(t), np.array(error))


def times(contacts: Iterable[Contact], side: Side | None, kind: ContactKind) -> list[float]:
    return [c.t_s for c in contacts if c.side is side and c.kind is kind]


def metric(bout: WalkingBout, name: str) -> float:
    value = bout.metric(name)
    assert value is not None
    assert value.value is not None, value
    return value.value


def as_text(results: Iterable[Result]) -> list[str]:
    """Every bit of every result but an Alignment's quality figures, which are sums over a walk."""
    return [
        repr((r.placement, r.alignment_id, r.effective_s, r.flexion_known, r.rotation.tolist()))
        if isinstance(r, Alignment)
        else repr(r)
        for r in results
    ]


def run_whole(streams: Mapping[Placement, ImuBlock]) -> list[Result]:
    return run(streams.values(), streams)
