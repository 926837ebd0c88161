"""How soon and how well the live view tells contacts: ``python -m tests.bench_live_view``

Simulated walkers of seven speeds and the qmt recording, pushed 20 samples at a time, all sensors abreast.
Late: signal time from a true contact (qmt: a committed one) to the push that told it; the third of a second
between the pushes of a 60 Hz sensor is in it.  Against committed contacts: pairs within 150 ms, from 10 s
after both thighs were aligned; before, there is nothing to tell contacts with.  qmt was looked at in
development, these walkers were not.  Exit status 1 if a contact came more than 0.4 s late.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gaitmon.model import Alignment, Contact, ContactKind, Floats, ImuBlock, Placement, Result, Side
from gaitmon.pipeline import GaitPipeline
from gaitmon.simulate import Stand, Turn, Walk, simulate
from tests.gait.cuts import Streams, cut
from tests.gait.walks import Item, in_order, whole
from tests.loaders import qmt
from tests.validation.sections.simulated_cases import SPEEDS_M_S, Limbs, case
from tests.validation.sections.simulated_score import LOOSE_S, pairs
from tests.validation.tables import table

LATE_BAR_S = 0.4
WALKERS = 21


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """contacts: provisional, and the newest sample there was when each was told."""

    contacts: list[tuple[Contact, float]]
    results: list[Result]

    @property
    def aligned_s(self) -> float:
        """When the last alignment of a thigh was given out, by the results around it."""
        known = [r for r in self.results if isinstance(r, Alignment) and r.flexion_known]
        first = {r.placement: r.effective_s for r in reversed(known)}
        return max((t for p, t in first.items() if p is not Placement.PELVIS), default=np.inf)


def watched(placements: Iterable[Placement], items: Iterable[Item]) -> Watched:
    pipeline = GaitPipeline(placements)
    view = pipeline.live()
    told: list[tuple[Contact, float]] = []
    results: list[Result] = []
    newest = 0.0
    for item in items:
        out = pipeline.push(item)
        results += out
        if isinstance(item, ImuBlock) and len(item):
            newest = max(newest, float(item.t_s[-1]))
        told += [(c, newest) for c in view.news(out).contacts]
    return Watched(told, results + pipeline.flush())


@dataclass(slots=True)
class Tally:
    late_s: list[float] = field(default_factory=list)
    errors_s: list[float] = field(default_factory=list)
    told: int = 0
    committed: int = 0

    def add(self, w: Watched, kind: ContactKind, side: Side, true_s: Floats | None) -> None:
        after = w.aligned_s + 10.0
        mine = sorted((c.t_s, at) for c, at in w.contacts if (c.kind, c.side) == (kind, side))
        own = [r.t_s for r in w.results if isinstance(r, Contact) and (r.kind, r.side) == (kind, side)]
        found = np.array([t for t, _ in mine if t > after])
        at = np.array([a for t, a in mine if t > after])
        committed = np.array(sorted(t for t in own if t > after))
        i, j = pairs(found, committed, LOOSE_S)
        self.told += len(found)
        self.committed += len(committed)
        self.errors_s += (found[i] - committed[j]).tolist()
        true_s = committed if true_s is None else true_s
        i, j = pairs(found, true_s, LOOSE_S)
        self.late_s += (at[i] - true_s[j]).tolist()

    def row(self, name: str) -> list[str]:
        late, n = np.array(self.late_s), len(self.errors_s)
        p50, p95, most = np.percentile(late, [50, 95, 100])
        return [
            name, str(len(late)), f"{p50:.2f}", f"{p95:.2f}", f"{most:.2f}",
            f"{2 * n / (self.told + self.committed):.3f}", f"{1000 * np.mean(self.errors_s):.0f}",
            f"{1000 * np.std(self.errors_s):.0f}",
        ]  # fmt: skip


def of_simulated(rate_hz: float) -> dict[ContactKind, Tally]:
    out = {kind: Tally() for kind in ContactKind}
    script = (Stand(6.0), Walk(seconds=45.0), Turn(150.0, 2.5), Walk(seconds=25.0), Stand(4.0))
    for number in range(WALKERS):
        of = case(tuple(Limbs)[number % 3], 7200 + number, script, SPEEDS_M_S[number % len(SPEEDS_M_S)])
        if of.sensors.rate_hz != rate_hz:
            continue
        simulated = simulate(of.script, of.walker, of.sensors, of.seed)
        streams: Streams = {p: [b] for p, b in whole(simulated).items()}
        seen = watched(streams, in_order(i for items in streams.values() for i in cut(items, [20])))
        for kind in ContactKind:
            for side in Side:
                true = [c.t_s for c in simulated.truth.contacts if (c.kind, c.side) == (kind, side)]
                out[kind].add(seen, kind, side, np.array(true))
    return out


def of_qmt() -> dict[ContactKind, Tally]:
    recording = qmt()
    placements = [p for p in recording.streams if not p.is_reference]
    blocks = [b for b in recording.blocks(1000.0) if b.placement in placements]
    seen = watched(placements, in_order(cut(blocks, [20])))
    out = {kind: Tally() for kind in ContactKind}
    for kind in ContactKind:
        for side in Side:
            out[kind].add(seen, kind, side, None)
    return out


def rows() -> list[list[str]]:
    names: Sequence[tuple[str, dict[ContactKind, Tally]]] = [
        *((f"simulated, {rate:g} Hz", of_simulated(rate)) for rate in (60.0, 100.0, 120.0)),
        ("qmt", of_qmt()),
    ]
    return [tally.row(f"{name}, {kind.name}") for name, each in names for kind, tally in each.items()]


def main() -> int:
    head = ["walks", "contacts", "late p50 (s)", "p95", "most", "F1 to committed", "mean (ms)", "SD (ms)"]
    told = rows()
    print(table(head, told))
    return 0 if all(float(row[4]) <= LATE_BAR_S for row in told) else 1


if __name__ == "__main__":
    sys.exit(main())
