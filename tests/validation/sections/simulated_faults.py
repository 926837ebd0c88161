"""Simulated walks on which something is wrong: sensors swapped, missing, dropping out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaitmon.model import (
    Bools,
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
from gaitmon.simulate import Simulated, Stand, Walk, simulate
from tests.validation.sections.simulated_cases import Case, Limbs, case
from tests.validation.sections.simulated_score import LOOSE_S, doubts, pairs

LEFT, RIGHT, PELVIS = Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.PELVIS
SWAPPED = {LEFT: RIGHT, RIGHT: LEFT, PELVIS: PELVIS}


# ---- swapped thighs


@dataclass(frozen=True, slots=True)
class Swap:
    """What was said of the same walk with right and with swapped labels: "swapped", "cannot tell" or ""."""

    case: Case
    straight_strides: int
    right_labels: str
    swapped_labels: str
    minutes: float


def swap_case(number: int) -> Case:
    """A walk of no more than 60 straight strides, both sides counted; the limbs of all three kinds."""
    limbs = tuple(Limbs)[number % 3]
    return case(limbs, 4000 + number, (Stand(6.0), Walk(strides=30), Stand(6.0)))


def swap(of: Case) -> Swap:
    simulated = simulate(of.script, of.walker, of.sensors, of.seed)
    blocks = list(simulated.blocks(1.0))
    said = [
        verdict(doubts(run((_labelled(b, SWAPPED if swapped else {}) for b in blocks), simulated.streams)))
        for swapped in (False, True)
    ]
    straight = sum(s.straight for s in simulated.truth.strides)
    return Swap(of, straight, said[0], said[1], simulated.truth.duration_s / 60.0)


def verdict(said: Sequence[str]) -> str:
    """The strongest thing said of the sides."""
    if any("swapped" in text for text in said):
        return "swapped"
    return "cannot tell" if said else ""


def _labelled(block: ImuBlock, names: dict[Placement, Placement]) -> ImuBlock:
    return replace(block, placement=names.get(block.placement, block.placement))


# ---- strides that are none


def invented_strides(results: Iterable[Result], simulated: Simulated) -> tuple[int, int]:
    """How many strides were given out, and how many of them are none of their side."""
    strides = [r for r in results if isinstance(r, Stride)]
    wrong = 0
    for side in (*Side, None):
        own = sorted((s.start_s, s.end_s) for s in strides if s.side is side)
        true = sorted((s.start_s, s.end_s) for s in simulated.truth.strides if side in (None, s.side))
        a, b = np.array(own).reshape(-1, 2), np.array(true).reshape(-1, 2)
        i, j = pairs(a[:, 0], b[:, 0], LOOSE_S)
        wrong += len(a) - int((np.abs(a[i, 1] - b[j, 1]) <= LOOSE_S).sum())
    return len(strides), wrong


# ---- sensors missing, dropping out


@dataclass(frozen=True, slots=True)
class Worn:
    """absent: never there.  out: silent from 40 % to 60 % of the walk, then back."""

    name: str
    absent: tuple[Placement, ...] = ()
    out: tuple[Placement, ...] = ()


WORN = (
    Worn("all three"),
    Worn("no pelvis", absent=(PELVIS,)),
    Worn("no left thigh", absent=(LEFT,)),
    Worn("no right thigh", absent=(RIGHT,)),
    Worn("left thigh only", absent=(PELVIS, RIGHT)),
    Worn("pelvis only", absent=(LEFT, RIGHT)),
    Worn("pelvis drops out", out=(PELVIS,)),
    Worn("left thigh drops out", out=(LEFT,)),
    Worn("both thighs drop out", out=(LEFT, RIGHT)),
    Worn("pelvis and right thigh drop out", out=(PELVIS, RIGHT)),
)


@dataclass(frozen=True, slots=True)
class Degraded:
    """Against the truth: recall of strides by label, strides that are none, the side asymmetry given or not.

    recall: of true strides, by the label they should have; unsided: strides given without a side, over true.
    told: whether a notice or the bout's quality says what was missing.
    """

    worn: Worn
    recall: dict[Side, float]
    unsided: float
    invented: int
    step_time: bool
    drop: bool
    told: bool


def degraded(number: int, worn: Worn) -> Degraded:
    of = case(Limbs.ALIKE, 6000 + number, (Stand(6.0), Walk(seconds=90.0), Stand(8.0)))
    simulated = simulate(of.script, of.walker, of.sensors, of.seed)
    truth = simulated.truth
    start, end = truth.contacts[0].t_s, truth.contacts[-1].t_s
    hole = start + 0.4 * (end - start), start + 0.6 * (end - start)
    there = [p for p in simulated.streams if p not in worn.absent]
    results = run(_with_holes(simulated, there, worn.out, hole), there)
    recall = {}
    for side in Side:
        true = np.array([s.end_s for s in truth.strides if s.side is side])
        found = np.array(sorted(r.end_s for r in results if isinstance(r, Stride) and r.side is side))
        recall[side] = len(pairs(found, true, LOOSE_S)[0]) / len(true)
    bouts = [r for r in results if isinstance(r, WalkingBout)]
    strides = [r for r in results if isinstance(r, Stride)]
    return Degraded(
        worn,
        recall,
        sum(s.side is None for s in strides) / len(truth.strides),
        invented_strides(results, simulated)[1],
        any(_given(b, "step_time_ln_pct") for b in bouts),
        any(_given(b, "drop_asym_deg") for b in bouts),
        any(b.quality for b in bouts) or any(isinstance(r, Notice) for r in results),
    )


def _given(bout: WalkingBout, name: str) -> bool:
    metric = bout.metric(name)
    return metric is not None and metric.value is not None


def _with_holes(
    simulated: Simulated, there: Sequence[Placement], out: Sequence[Placement], hole: tuple[float, float]
) -> Iterable[ImuBlock | Gap]:
    """Blocks of 1 s of the sensors that are there; the hole of those that drop out is declared by a Gap."""
    told: set[Placement] = set()
    for b in simulated.blocks(1.0):
        if b.placement not in there:
            continue
        if b.placement not in out:
            yield b
            continue
        keep: Bools = (b.t_s < hole[0]) | (b.t_s >= hole[1])
        before: Bools = b.t_s < hole[0]
        if before.any():
            yield _kept(b, before)
        if b.t_s[-1] >= hole[1] and b.placement not in told:
            told.add(b.placement)
            yield Gap(b.placement, *hole, "out of reach")
        after: Bools = keep & ~before
        if after.any():
            yield _kept(b, after)


def _kept(b: ImuBlock, keep: Bools) -> ImuBlock:
    gyr = None if b.gyr_rad_s is None else b.gyr_rad_s[keep]
    return ImuBlock(b.placement, b.t_s[keep], b.acc_m_s2[keep], gyr)
