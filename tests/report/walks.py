"""Walks that several of these tests show."""

from __future__ import annotations

from functools import cache

from gaitmon.analysis import Analysis, analyse
from gaitmon.model import Placement
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import Sit, Stand, Turn, Walk, WalkerParams, simulate


@cache
def limper() -> Recording:
    """There and back, right step short, right thigh stiff, pelvis dropping on the right; then sits down."""
    walker = WalkerParams(
        speed_m_s=1.1, step_time_asymmetry_pct=-9.0, thigh_rom_ratio=0.8, pelvic_drop_right_deg=4.0
    )
    steps = (Stand(6.0), Walk(seconds=24.0), Turn(180.0, 2.5), Walk(seconds=24.0), Stand(8.0), Sit(20.0))
    return recording_of(simulate(steps, walker, seed=4), "limper")


@cache
def limping() -> Analysis:
    return analyse(limper())


def only(recording: Recording, *placements: Placement) -> Recording:
    streams = [s for p, s in recording.streams.items() if p in placements]
    return Recording.of(recording.name, recording.source_format, streams, simulated=recording.simulated)
