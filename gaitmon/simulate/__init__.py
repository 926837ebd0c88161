"""A walker with exact truth: pelvis and two-thigh IMU signals from normative joint curves.

Simulation proves arithmetic, not clinical validity.  Nothing here knows gaitmon.gait, and no constant
is shared with it (docs/adr/0008-simulator.md).
"""

from gaitmon.simulate.history import (
    Deterioration,
    SimulatedDay,
    Variation,
    Wearer,
    daily_walk,
    day_walker,
    history,
)
from gaitmon.simulate.params import RadioParams, SensorParams, Slip, TissueParams, WalkerParams
from gaitmon.simulate.plan import State, StateKind
from gaitmon.simulate.script import (
    Lie,
    SingleLegStance,
    Sit,
    SitToStand,
    Stairs,
    Stand,
    Step,
    Turn,
    Walk,
)
from gaitmon.simulate.sensor import ClockMap, ImuArrays, Mount
from gaitmon.simulate.simulator import Simulated, simulate
from gaitmon.simulate.truth import Motion, TrueStride, Truth

__all__ = [
    "ClockMap",
    "Deterioration",
    "ImuArrays",
    "Lie",
    "Motion",
    "Mount",
    "RadioParams",
    "SensorParams",
    "Simulated",
    "SimulatedDay",
    "SingleLegStance",
    "Sit",
    "SitToStand",
    "Slip",
    "Stairs",
    "Stand",
    "State",
    "StateKind",
    "Step",
    "TissueParams",
    "TrueStride",
    "Truth",
    "Turn",
    "Variation",
    "Walk",
    "WalkerParams",
    "Wearer",
    "daily_walk",
    "day_walker",
    "history",
    "simulate",
]
