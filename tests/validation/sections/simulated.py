"""Simulated truth through the real GaitPipeline: contacts, asymmetry, turns, and everything that goes wrong.

``python -m tests.validation.sections.simulated [--quick]`` prints the Markdown of this section alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from typing import TypeVar

import numpy as np

from gaitmon.model import Floats
from gaitmon.simulate import Stand, Walk
from tests.validation.figures import bland_altman
from tests.validation.progress import follow
from tests.validation.sections import clock_walk, simulated_causes
from tests.validation.sections import simulated_bars as bars
from tests.validation.sections import simulated_cases as cases
from tests.validation.sections import simulated_report as report
from tests.validation.sections.simulated_cases import Case, Limbs
from tests.validation.sections.simulated_causes import Cause, cause
from tests.validation.sections.simulated_faults import (
    WORN,
    Degraded,
    Swap,
    Worn,
    degraded,
    swap,
    swap_case,
    verdict,
)
from tests.validation.sections.simulated_loss import BURSTS_S, Loss, loss, loss_case
from tests.validation.sections.simulated_score import Score, score

J = TypeVar("J")
R = TypeVar("R")
METRICS = ("step_time", "stance_time")
LEVELS_PCT = (-10.0, -5.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is simulated.  strides: of each side per asymmetry walk.  skew_s: length of that walk."""

    persons_per_speed: int = 9
    asymmetry_persons: int = 7
    strides: int = 206
    swaps: int = 42
    losses: int = 12
    persons_degraded: int = 3
    skew_s: float = 3600.0
    processes: int = 2


QUICK = Scale(1, 1, 30, 3, 1, 1, 90.0, processes=1)


def _each(work: Callable[[J], R], jobs: Sequence[J], scale: Scale) -> list[R]:
    """The work on every job, in order."""
    if scale.processes == 1:
        return [work(job) for job in follow(jobs)]
    with ProcessPoolExecutor(scale.processes, get_context("spawn")) as pool:
        done = pool.map(work, jobs)
        return [next(done) for _ in follow(jobs)]


# ---- injected asymmetry


@dataclass(frozen=True, slots=True)
class Injected:
    """level_pct of one metric, injected into a walk of this case; "" with 0 serves both."""

    metric: str
    level_pct: float
    case: Case


def injections(scale: Scale) -> list[Injected]:
    script = (Stand(6.0), Walk(strides=scale.strides), Stand(5.0))
    out = []
    for person in range(scale.asymmetry_persons):
        speed = cases.SPEEDS_M_S[(person + 3) % len(cases.SPEEDS_M_S)]
        of = cases.case(Limbs.ALIKE, 3000 + person, script, speed)
        out.append(Injected("", 0.0, of))
        for metric in METRICS:
            for level in LEVELS_PCT:
                walker = (
                    replace(of.walker, step_time_asymmetry_pct=level)
                    if metric == "step_time"
                    else replace(of.walker, stance_time_asymmetry_pct=level)
                )
                out.append(Injected(metric, level, replace(of, walker=walker)))
    return out


def recovered(injected: Sequence[Injected], scores: Sequence[Score], metric: str) -> Floats:
    """Rows (person, speed, injected, found, true of these strides), in per cent."""
    rows = []
    for of, seen in zip(injected, scores, strict=True):
        if of.metric in ("", metric) and metric in seen.asymmetry_pct:
            found, true = seen.asymmetry_pct[metric]
            rows.append((of.case.number, of.case.walker.speed_m_s, of.level_pct, found, true))
    return np.array(rows).reshape(-1, 5)


def causes(injected: Sequence[Injected], scores: Sequence[Score]) -> dict[str, list[Cause]]:
    """Of every person's slope of every metric."""
    out: dict[str, list[Cause]] = {}
    for metric in METRICS:
        for person in dict.fromkeys(i.case.number for i in injected):
            mine = [
                (of.level_pct, seen)
                for of, seen in zip(injected, scores, strict=True)
                if of.case.number == person and of.metric in ("", metric)
            ]
            levels, walks = zip(*mine, strict=True)
            out.setdefault(metric, []).append(cause(metric, levels, walks))
    return out


# ---- one hour of skew


def skew_differences_s(seconds: float) -> dict[str, tuple[float, tuple[int, int]]]:
    """Left less right mean error of initial contacts, by clock, and how many contacts of each side."""
    walked = clock_walk.walk(seconds, seed=cases.FIRST_SEED)
    ways = {
        "the simulator's own clock": clock_walk.true_clock,
        "device clocks, set once, uncorrected": clock_walk.uncorrected,
        "gaitmon.imu.clock, live": clock_walk.corrected,
    }
    seen = {name: clock_walk.biases(walked, way) for name, way in ways.items()}
    return {name: (b.left_less_right_s, b.n) for name, b in seen.items()}


# ---- all together


def _degraded(of: tuple[int, Worn]) -> Degraded:
    return degraded(*of)


@dataclass(frozen=True, slots=True)
class Measured:
    grid: list[Score]
    injected: list[Injected]
    asymmetry: list[Score]
    swaps: list[Swap]
    losses: list[Loss]
    degraded: list[Degraded]
    skew: dict[str, tuple[float, tuple[int, int]]]

    @property
    def unswapped_minutes(self) -> float:
        return sum(s.minutes for s in [*self.grid, *self.asymmetry]) + sum(s.minutes for s in self.swaps)

    def said_unswapped(self, what: str) -> int:
        """On how many walks with right labels this was said."""
        said = [verdict(s.doubts) for s in [*self.grid, *self.asymmetry]]
        return (said + [s.right_labels for s in self.swaps]).count(what)


@cache
def measured(scale: Scale) -> Measured:
    injected = injections(scale)
    return Measured(
        _each(score, cases.grid(scale.persons_per_speed), scale),
        injected,
        _each(score, [i.case for i in injected], scale),
        _each(swap, [swap_case(n) for n in range(scale.swaps)], scale),
        _each(loss, [loss_case(n, b) for b in (0.0, *BURSTS_S) for n in range(scale.losses)], scale),
        _each(_degraded, [(n, w) for w in WORN for n in range(scale.persons_degraded)], scale),
        _each(skew_differences_s, [scale.skew_s], replace(scale, processes=1))[0],
    )


def figure(m: Measured) -> str:
    groups = {}
    for metric in METRICS:
        rows = recovered(m.injected, m.asymmetry, metric)
        groups[metric.replace("_", " ")] = (rows[:, 3], rows[:, 4])
    return bland_altman("asymmetry_simulated", "Asymmetry, 100 ln(R/L)", "%", groups, "true")


def section(scale: Scale | None = None) -> str:
    """Markdown of docs/validation.md on simulated truth."""
    m = measured(scale or Scale())
    rows = {metric: recovered(m.injected, m.asymmetry, metric) for metric in METRICS}
    parts = [
        report.introduction(len(m.grid), m.unswapped_minutes),
        bars.bars(
            m.grid,
            rows,
            swaps=m.swaps,
            losses=m.losses,
            clocks=m.skew,
            false_alarms=(m.unswapped_minutes, m.said_unswapped("swapped")),
        ),
        report.contacts(m.grid),
        report.left_against_right(m.grid),
        report.asymmetry(rows),
        simulated_causes.causes(causes(m.injected, m.asymmetry)),
        figure(m) if scale is None else "",
        report.turns(m.grid),
        report.swapped(
            m.swaps, m.unswapped_minutes, {w: m.said_unswapped(w) for w in ("swapped", "cannot tell")}
        ),
        report.skew(m.skew),
        report.lost(m.losses),
        report.degradation(m.degraded),
    ]
    return "\n\n".join(part for part in parts if part)


if __name__ == "__main__":
    print(section(QUICK if "--quick" in sys.argv[1:] else None))
