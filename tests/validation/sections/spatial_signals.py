"""What gaitmon.gait.spatial is given, read off any stride of a recording, as the pipeline reads it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gaitmon.gait.spatial import StrideLength, measure_length
from gaitmon.gait.turns import heading_change_rad
from gaitmon.imu.alignment import along
from gaitmon.imu.chain import SensorChain
from gaitmon.model import Alignment, Floats, ImuBlock, Placement, Result, Side
from gaitmon.model_leg import SpatialParams
from gaitmon.pipeline_angles import CONTEXT, SMOOTH
from gaitmon.symmetry.pelvis import thigh_flexion_deg


class Signals:
    """Thigh flexion and the pelvis' vertical force over any stride, as the pipeline sees them."""

    def __init__(self, blocks: Iterable[ImuBlock], results: Iterable[Result]) -> None:
        self._chains: dict[Placement, SensorChain] = {}
        for block in blocks:
            self._chains.setdefault(block.placement, SensorChain(block.placement)).push(block)
        for chain in self._chains.values():
            chain.close_run()
        self._alignments = [r for r in results if isinstance(r, Alignment)]

    def flexion_deg(self, side: Side, start_s: float, end_s: float) -> Floats | None:
        placement = Placement(f"{side}_thigh")
        own = [a for a in self._alignments if a.placement is placement and a.effective_s <= start_s]
        if not own or placement not in self._chains:
            return None
        a, b = round(100 * start_s) - CONTEXT, round(100 * end_s) + 1 + CONTEXT
        seen = self._chains[placement].raw.view(a, b)[:, 6:9]
        if np.isnan(seen).any():
            return None
        flexion = thigh_flexion_deg(np.column_stack([along(seen, axis) for axis in own[-1].rotation]))
        return np.convolve(flexion, SMOOTH, mode="valid")

    def pelvis_up_m_s2(self, start_s: float, end_s: float) -> Floats | None:
        if Placement.PELVIS not in self._chains:
            return None
        x = self._chains[Placement.PELVIS].raw.view(round(100 * start_s), round(100 * end_s) + 1)
        return np.asarray(x[:, 0] * x[:, 6] + x[:, 1] * x[:, 7] + x[:, 2] * x[:, 8])

    def pelvis_heading_change_rad(self, start_s: float, end_s: float) -> float:
        a = round(100 * start_s) - 1
        rate = self._chains[Placement.PELVIS].raw.view(a, round(100 * end_s) + 1)[:, 9]
        return heading_change_rad(rate, a, start_s, end_s)

    def length(self, start_s: float, end_s: float, params: SpatialParams) -> StrideLength:
        flexion = [self.flexion_deg(side, start_s, end_s) for side in Side]
        return measure_length(end_s - start_s, flexion, self.pelvis_up_m_s2(start_s, end_s), params)
