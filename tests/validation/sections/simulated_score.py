"""One simulated walk through the real GaitPipeline, and what came out against the exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaitmon.model import (
    Bools,
    Contact,
    ContactKind,
    Floats,
    Notice,
    NoticeKind,
    Result,
    Side,
    Stride,
    WalkingBout,
)
from gaitmon.pipeline import run
from gaitmon.simulate import Truth, simulate
from tests.validation.sections.simulated_cases import Case

LOOSE_S, TIGHT_S = 0.15, 0.05
_NONE = np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """One kind of contact of one limb.  errors_s: found - true, of the pairs within LOOSE_S.

    Counted on straight, steady walking; *_all on everything walked, with turns, starts and stops.
    """

    errors_s: Floats
    fp: int
    fn: int
    tp_all: int
    fp_all: int
    fn_all: int

    @property
    def tight(self) -> int:
        """Pairs within TIGHT_S; all others count as one miss and one extra."""
        return int((np.abs(self.errors_s) <= TIGHT_S).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """stride_errors_s: found - true stride time of straight strides found with both ends within LOOSE_S.

    extra_strides: found strides that are none.  turns: rows (true, found) angle in rad, NaN where there is
    none.  asymmetry_pct: per metric (found by the bout, true of the walk).  doubts: what was said of sides.
    stance_s: true mean of straight strides.
    """

    case: Case
    minutes: float
    events: dict[tuple[ContactKind, Side], Events]
    stride_errors_s: Floats
    stride_times_s: Floats
    extra_strides: int
    turns: Floats
    asymmetry_pct: dict[str, tuple[float, float]]
    doubts: tuple[str, ...]
    stance_s: float


def score(case: Case) -> Score:
    simulated = simulate(case.script, case.walker, case.sensors, case.seed)
    results = run(simulated.blocks(1.0), simulated.streams)
    truth = simulated.truth
    errors, times, extra = stride_errors(results, truth)
    return Score(
        case,
        truth.duration_s / 60.0,
        {(k, s): _events(results, truth, k, s) for k in ContactKind for s in Side},
        errors,
        times,
        extra,
        turn_pairs(results, truth),
        {name: (found, _true_ln_pct(truth, name)) for name, found in _metrics(results).items()},
        doubts(results),
        float(np.mean([s.stance_s for side in Side for s in truth.own(side)])),
    )


def doubts(results: Sequence[Result]) -> tuple[str, ...]:
    return tuple(r.text for r in results if isinstance(r, Notice) and r.kind is NoticeKind.SIDES)


def pairs(found: Floats, true: Floats, within_s: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of sorted times that are each other's nearest and no further apart than within_s."""
    if not len(found) or not len(true):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    distance = np.abs(found[:, np.newaxis] - true)
    i = np.arange(len(found))
    j = distance.argmin(axis=1)
    mutual: Bools = (distance.argmin(axis=0)[j] == i) & (distance[i, j] <= within_s)
    return i[mutual], j[mutual].astype(np.int64)


def times_of(results: Sequence[Result] | Sequence[Contact], side: Side | None, kind: ContactKind) -> Floats:
    return np.array(
        sorted(r.t_s for r in results if isinstance(r, Contact) and r.side is side and r.kind is kind)
    )


def _events(results: Sequence[Result], truth: Truth, kind: ContactKind, side: Side) -> Events:
    found, true = times_of(results, side, kind), times_of(truth.contacts, side, kind)
    i, j = pairs(found, true, LOOSE_S)
    straight = truth.own(side)
    if kind is ContactKind.IC:
        counted = {t for s in straight for t in (s.start_s, s.end_s)}
    else:
        counted = {s.fc_s for s in straight}
    is_counted: Bools = np.array([t in counted for t in true.tolist()], dtype=bool)
    missed = np.ones(len(true), dtype=bool)
    missed[j] = False
    extra = np.delete(found, i)
    starts = np.array([s.start_s for s in straight])
    ends = np.array([s.end_s for s in straight])
    inside = (extra[:, np.newaxis] >= starts) & (extra[:, np.newaxis] <= ends)
    return Events(
        (found[i] - true[j])[is_counted[j]] if len(j) else _NONE,
        fp=int(inside.any(axis=1).sum()),
        fn=int((missed & is_counted).sum()),
        tp_all=len(i),
        fp_all=len(extra),
        fn_all=int(missed.sum()),
    )


def stride_errors(results: Sequence[Result], truth: Truth) -> tuple[Floats, Floats, int]:
    """(found - true, true) stride time of straight strides, and how many found strides are none."""
    errors, times, extra = [], [], 0
    for side in Side:
        own = [s for s in truth.strides if s.side is side]
        true = np.array([(s.start_s, s.end_s) for s in own]).reshape(-1, 2)
        straight = np.array([s.straight and s.steady for s in own], dtype=bool)
        mine = [r for r in results if isinstance(r, Stride) and r.side is side]
        found = np.array(sorted((r.start_s, r.end_s) for r in mine)).reshape(-1, 2)
        i, j = pairs(found[:, 0], true[:, 0], LOOSE_S)
        both = np.abs(found[i, 1] - true[j, 1]) <= LOOSE_S
        extra += len(found) - int(both.sum())
        i, j = i[both & straight[j]], j[both & straight[j]]
        errors.append((found[i] - true[j]) @ [-1.0, 1.0])
        times.append(true[j] @ [-1.0, 1.0])
    return np.concatenate(errors), np.concatenate(times), extra


def turn_pairs(results: Sequence[Result], truth: Truth) -> Floats:
    """Rows (true, found) angle, rad: turns that overlap are paired, each once; others stand beside NaN."""
    found = [t for r in results if isinstance(r, WalkingBout) for t in r.turns]
    rows, left = [], list(found)
    for t in truth.turns:
        shared = [(min(t.end_s, f.end_s) - max(t.start_s, f.start_s), k) for k, f in enumerate(left)]
        overlap, k = max(shared, default=(0.0, 0))
        rows.append((t.angle_rad, left.pop(k).angle_rad if overlap > 0.0 else np.nan))
    rows += [(np.nan, f.angle_rad) for f in left]
    return np.array(rows).reshape(-1, 2)


def _metrics(results: Sequence[Result]) -> dict[str, float]:
    """Of the longest bout."""
    bouts = [r for r in results if isinstance(r, WalkingBout)]
    if not bouts:
        return {}
    longest = max(bouts, key=lambda b: len(b.strides))
    found = {n: longest.metric(f"{n}_ln_pct") for n in ("step_time", "stance_time")}
    return {n: m.value for n, m in found.items() if m is not None and m.value is not None}


def _true_ln_pct(truth: Truth, name: str) -> float:
    """Of the medians of the straight and steady strides, as the bout does it."""
    medians = {
        side: np.median([s.step_s if name == "step_time" else s.stance_s for s in truth.own(side)])
        for side in Side
    }
    return float(100.0 * np.log(medians[Side.RIGHT] / medians[Side.LEFT]))
