"""Who walks in the demo, with which sensors on.  All of them are simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from gaitmon.demo_tie import DemoPlan
from gaitmon.model_leg import LegLength, SpatialParams
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import (
    Deterioration,
    Simulated,
    Sit,
    Stand,
    Turn,
    Walk,
    WalkerParams,
    Wearer,
    daily_walk,
    simulate,
)

DOTS, OPEN = "movella-dot", "gaitmon-open"  # firmware profiles
HISTORY_DAYS = 28
WORSE_FROM_DAY = 19
PASSER_BY = WalkerParams(speed_m_s=1.2, step_time_asymmetry_pct=2.0, stance_time_asymmetry_pct=-3.0)


@dataclass(frozen=True, slots=True)
class Outing:
    """One walk.  profile: which kind of sensor the wearer has on."""

    name: str
    wearer: str
    profile: str
    walk: Simulated
    spatial: SpatialParams


def outings(plan: DemoPlan) -> Iterator[Outing]:
    """First a short one: soon there is something to see.  Then today's walks of those with a history."""
    yield Outing("simulated walk 1", "demo-live", DOTS, _next_walk(0), leg(PASSER_BY))
    if plan.history:
        for (wearer_id, wearer), profile in zip(demo_wearers().items(), (DOTS, OPEN), strict=True):
            walk = daily_walk(wearer, HISTORY_DAYS).walks[0]
            yield Outing(f"today's walk of {wearer_id}", wearer_id, profile, walk, leg(wearer.usual))
    if not plan.until_done:
        for number in count(1):
            walk = _next_walk(number)
            yield Outing(f"simulated walk {number + 1}", "demo-live", DOTS, walk, leg(PASSER_BY))


def leg(person: WalkerParams) -> SpatialParams:
    """As somebody would have measured it."""
    return SpatialParams(LegLength(person.leg_length_m))


def _next_walk(number: int) -> Simulated:
    """A minute or so of a simulated person's day."""
    steps: tuple[Stand | Walk | Turn | Sit, ...] = (
        Stand(4.0), Walk(seconds=15.0), Turn(180.0, 2.2), Walk(seconds=15.0),
    )  # fmt: skip
    if number:
        steps = (*steps, Turn(-90.0, 1.8), Walk(seconds=20.0), Stand(6.0), Sit(10.0), Stand(3.0))
    else:
        steps = (*steps, Stand(8.0))
    return simulate(steps, PASSER_BY, seed=number)


def demo_wearers() -> dict[str, Wearer]:
    """Two simulated histories of some weeks: one gets worse from WORSE_FROM_DAY on, one does not."""
    worse = Deterioration(
        WORSE_FROM_DAY, ramp_days=5, step_time_pct=5.0, stance_time_pct=-6.0, thigh_rom_pct=-12.0,
        pelvic_drop_right_deg=3.0, speed_m_s=-0.05,
    )  # fmt: skip
    usual = WalkerParams(speed_m_s=1.15, step_time_asymmetry_pct=2.5, stance_time_asymmetry_pct=-3.0)
    return {
        "demo-a": Wearer(usual=usual, deterioration=worse, walks_per_day=3, legs_per_walk=3, seed=11),
        "demo-b": Wearer(usual=replace(usual, speed_m_s=1.25), walks_per_day=3, legs_per_walk=3, seed=12),
    }


def walks_of_a_day(wearer_id: str, wearer: Wearer, day: int, morning: datetime) -> Iterator[Recording]:
    for number, walk in enumerate(daily_walk(wearer, day).walks):
        start_us = round((morning + timedelta(hours=2 * number)).timestamp() * 1e6)
        yield recording_of(walk, f"{wearer_id} day {day} walk {number + 1}", start_utc_us=start_us)
