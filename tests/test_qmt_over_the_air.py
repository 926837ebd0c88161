"""A real walk played through three virtual DOTs at 60 Hz gives the strides of the file.

``python -m tests.test_qmt_over_the_air`` prints the figures.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from gaitmon.analysis import analyse
from gaitmon.demo_air import assigned
from gaitmon.model import Floats, Gap, ImuBlock, Placement, Side, Stride, SyncBound
from gaitmon.pipeline import GaitPipeline
from gaitmon.sensors.ble.health import Health, LinkState
from gaitmon.sensors.ble.service import stream
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.raw import RawEvent, SessionOpened
from gaitmon.sensors.stream import EventStream
from gaitmon.virtual import Motion, warped_loop
from gaitmon.virtual.people import PLACEMENTS, room
from tests.needs import DATA, recording
from tests.sensors.ble.bed import DOT

QMT = ("qmt_full_body", "full_body_example_data.mat")
MATCH_S = 0.1  # of both contacts of a stride: a quarter of the shortest step
# The file is cut in the middle of a step.  After it the virtual sensors hold its last sample, which ends the
# last strides otherwise than the end of a file does: those that end in its last second are left out of both.
CUT_S = 1.0
MOST_STRIDE_DIFFERENCE_S = 0.010
LEAST_FOUND = 0.98


@dataclass(frozen=True)
class Agreement:
    """wanted, found: strides of the file and over the air.  difference_s: of the times of matched strides."""

    wanted: int
    found: int
    difference_s: Floats

    @property
    def recall(self) -> float:
        return len(self.difference_s) / self.wanted

    @property
    def precision(self) -> float:
        return len(self.difference_s) / self.found

    @property
    def p95_s(self) -> float:
        return float(np.quantile(np.abs(self.difference_s), 0.95))


def over_the_air(motions: dict[Placement, Motion], seconds: float) -> list[Stride]:
    """Strides of the motions' wearer; their times are those of the motions."""

    async def walk() -> list[Stride]:
        decoder, pipeline = EventStream({DOT.name: DOT}), GaitPipeline(PLACEMENTS)
        strides: list[Stride] = []
        streaming = asyncio.Event()

        def sink(event: RawEvent) -> None:
            for item in decoder.push(event):
                if isinstance(item, ImuBlock | Gap | SyncBound):
                    strides.extend(r for r in pipeline.push(item) if isinstance(r, Stride))

        def tell(health: Health) -> None:
            if all(s.state is LinkState.STREAMING for s in health.sensors):
                streaming.set()

        async with room(DOT, motions) as around:
            assignments = assigned(around)
            now_ns = around.radio.now_ns
            opened_ns = now_ns()
            sensors = tuple(a.sensor for a in assignments)
            sink(SessionOpened("qmt", "w", "gw", sensors, opened_ns, 0, "simulated"))
            task = asyncio.create_task(
                stream(assignments, sink, adapters=around.adapters, now_ns=now_ns, tell=tell)
            )
            await streaming.wait()
            begin_s = around.radio.play() - 1e-9 * opened_ns
            await asyncio.sleep(seconds + 2.0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        strides.extend(r for r in pipeline.flush() if isinstance(r, Stride))
        return [_moved(s, begin_s) for s in strides]

    with asyncio.Runner(loop_factory=warped_loop(math.inf)) as runner:
        return runner.run(walk())


def _moved(stride: Stride, by_s: float) -> Stride:
    return replace(stride, start_s=stride.start_s - by_s, end_s=stride.end_s - by_s)


def agreement(wanted: list[Stride], found: list[Stride], offset_s: float) -> Agreement:
    """Each stride of the file with the nearest of that side over the air."""
    differences = []
    for side in (Side.LEFT, Side.RIGHT):
        mine = [s for s in found if s.side is side]
        for stride in (s for s in wanted if s.side is side):
            best = min(mine, key=lambda s: abs(s.start_s - stride.start_s + offset_s), default=None)
            if best is None:
                continue
            ends = (best.start_s - stride.start_s, best.end_s - stride.end_s)
            if max(abs(e + offset_s) for e in ends) < MATCH_S:
                mine.remove(best)
                differences.append(ends[1] - ends[0])
    return Agreement(len(wanted), len(found), np.array(differences))


def measured(path: Path) -> Agreement:
    walk = open_recording(path)
    wanted = list(analyse(walk).strides)
    motions = {p: Motion.of_recording(walk, p) for p in PLACEMENTS}
    found = over_the_air(motions, walk.end_s - walk.start_s)
    until_s = walk.end_s - CUT_S
    wanted = [s for s in wanted if s.end_s < until_s]
    found = [s for s in found if s.end_s + walk.start_s < until_s]
    return agreement(wanted, found, walk.start_s)


@pytest.mark.data
def test_a_real_walk_over_the_air_has_the_strides_of_the_file() -> None:
    got = measured(recording(*QMT))
    assert got.recall >= LEAST_FOUND
    assert got.precision >= LEAST_FOUND
    assert got.p95_s <= MOST_STRIDE_DIFFERENCE_S


if __name__ == "__main__":
    result = measured(DATA.joinpath(*QMT))
    print(
        f"{result.wanted} strides in the file, {result.found} over the air: recall {result.recall:.3f}, "
        f"precision {result.precision:.3f}, stride time differs by {1e3 * result.p95_s:.1f} ms (p95), "
        f"{1e3 * float(np.abs(result.difference_s).max()):.1f} ms at most"
    )
