"""A recording's motion in pieces of a few seconds, every sensor on one grid, for checks before analysis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from gaitmon.model import Floats, ImuBlock, Placement
from gaitmon.sensors.recording import Recording

RATE_HZ = 50.0
LENGTH_S = 6.0
STEP_S = 3.0
MAX_STEP_S = 0.1  # between samples; more is a hole, and the sensor is left out of the window
EDGE_S = 0.2  # a window may begin and end this much beside the samples
MOVES_M_S2 = 0.3  # s.d. of the magnitude of acceleration from which somebody moves
MOVES_RAD_S = 0.2  # root mean square
ENOUGH = 600  # half an hour of motion shows how the sensors are; of more, every tenth window


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """samples: (n, 6) or (n, 3), acc then gyr, sensor frame, at RATE_HZ from start_s; of the sensors that
    moved and have no hole in it."""

    start_s: float
    samples: dict[Placement, Floats]


def windows(recording: Recording) -> Iterator[Window]:
    """Every STEP_S a window of LENGTH_S, where a worn sensor moved; after half an hour of motion, a tenth."""
    found = 0
    before: tuple[int, dict[Placement, ImuBlock]] = (0, {})
    for cell, blocks in groupby(recording.blocks(STEP_S), lambda b: int(np.floor(b.t_s[0] / STEP_S))):
        now = {b.placement: b for b in blocks}
        both = [p for p in now if p in before[1]] if before[0] == cell - 1 else []
        pieces = {p: ImuBlock.joined([before[1][p], now[p]]) for p in both}
        before = cell, now
        moving = {p: piece for p, piece in pieces.items() if _moves(piece)}
        found += bool(moving)
        if not moving or (found > ENOUGH and found % 10):
            continue
        start_s = (cell - 1) * STEP_S
        on_grid = {p: _on_grid(piece, start_s) for p, piece in moving.items()}
        yield Window(start_s, {p: x for p, x in on_grid.items() if x is not None})


def _moves(block: ImuBlock) -> bool:
    norm = np.sqrt(np.square(block.acc_m_s2).sum(axis=1))
    norm = norm[np.isfinite(norm)]
    if len(norm) > 1 and float(norm.std()) > MOVES_M_S2:
        return True
    if block.gyr_rad_s is None:
        return False
    turning = np.square(block.gyr_rad_s).sum(axis=1)
    turning = turning[np.isfinite(turning)]
    return len(turning) > 1 and float(turning.mean()) > MOVES_RAD_S**2


def _on_grid(block: ImuBlock, start_s: float) -> Floats | None:
    """Straight lines between the samples; None where there is a hole."""
    x = block.acc_m_s2 if block.gyr_rad_s is None else np.hstack([block.acc_m_s2, block.gyr_rad_s])
    good = np.isfinite(x).all(axis=1)
    t, x = block.t_s[good], x[good]
    end_s = start_s + LENGTH_S
    if len(t) < 2 or t[0] > start_s + EDGE_S or t[-1] < end_s - EDGE_S or np.diff(t).max() > MAX_STEP_S:
        return None
    at = start_s + np.arange(round(LENGTH_S * RATE_HZ)) / RATE_HZ
    return np.column_stack([np.interp(at, t, column) for column in x.T])
