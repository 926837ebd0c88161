"""Days of a simulated wearer: ordinary day-to-day variation, and what gets worse.

Each day has its own walker, drawn around the wearer's usual values with a first-order autoregressive
day-to-day variation (CLINICAL reference: lag-1 correlation about 0.3), and is worn anew, so that the
mounting differs from day to day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from gaitmon.errors import ConfigError
from gaitmon.model import Floats
from gaitmon.simulate.params import SensorParams, WalkerParams
from gaitmon.simulate.script import Stand, Step, Turn, Walk
from gaitmon.simulate.simulator import Simulated, simulate

_WITHIN_DAY = 0.3  # variation between walks of one day, as a share of that between days (R)


@dataclass(frozen=True, slots=True)
class Variation:
    """Standard deviations of the day values, and their lag-1 correlation (R, see docs/adr/0008)."""

    step_time_pct: float = 1.2
    stance_time_pct: float = 1.2
    thigh_rom_pct: float = 1.5
    pelvic_drop_deg: float = 0.4
    speed_m_s: float = 0.05
    autocorrelation: float = 0.3


@dataclass(frozen=True, slots=True)
class Deterioration:
    """Changes that begin on start_day and are complete ramp_days later (0: at once).

    *_pct: change of 100 ln(R / L); drops: change of the extra pelvic drop.
    """

    start_day: int
    ramp_days: int = 0
    step_time_pct: float = 0.0
    stance_time_pct: float = 0.0
    thigh_rom_pct: float = 0.0
    pelvic_drop_left_deg: float = 0.0
    pelvic_drop_right_deg: float = 0.0
    speed_m_s: float = 0.0

    def share(self, day: int) -> float:
        """0 before, 1 when complete."""
        if self.ramp_days <= 0:
            return float(day >= self.start_day)
        return float(np.clip((day - self.start_day) / self.ramp_days, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Wearer:
    """A simulated wearer.  walks_per_day walks of legs_per_walk straight legs with a turn between each.

    The defaults give about 255 straight strides per side and day, in 6.4 minutes.
    """

    usual: WalkerParams = field(default_factory=WalkerParams)
    variation: Variation = field(default_factory=Variation)
    deterioration: Deterioration | None = None
    sensors: SensorParams = field(default_factory=SensorParams)
    walks_per_day: int = 4
    legs_per_walk: int = 3
    strides_per_leg: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.walks_per_day, self.legs_per_walk) < 1 or self.strides_per_leg < 2:
            raise ConfigError("This wearer does not walk.", "At least 1 walk, 1 leg and 2 strides per leg.")


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedDay:
    """day: number from 0.  walker: the day's injected truth.  walks: in order, each with its own clock."""

    day: int
    walker: WalkerParams
    walks: tuple[Simulated, ...]

    def straight_strides(self) -> tuple[int, int]:
        """Left and right, straight and steady."""
        counts = [w.truth.straight_count for w in self.walks]
        left, right = zip(*[tuple(c.values()) for c in counts], strict=True)
        return sum(left), sum(right)


_CHANNELS = 6


def _deviations(wearer: Wearer, day: int) -> Floats:
    """(_CHANNELS,) standard normal AR(1) values of this day; the same whichever days are asked for."""
    rng = np.random.default_rng(np.random.SeedSequence([wearer.seed, 7200]))
    phi = wearer.variation.autocorrelation
    shocks = rng.standard_normal((day + 1, _CHANNELS))
    state: Floats = shocks[0]
    for shock in shocks[1:]:
        state = phi * state + np.sqrt(1.0 - phi**2) * shock
    return state


def _shifted(walker: WalkerParams, variation: Variation, z: Floats) -> WalkerParams:
    return replace(
        walker,
        step_time_asymmetry_pct=walker.step_time_asymmetry_pct + variation.step_time_pct * z[0],
        stance_time_asymmetry_pct=walker.stance_time_asymmetry_pct + variation.stance_time_pct * z[1],
        thigh_rom_ratio=float(walker.thigh_rom_ratio * np.exp(variation.thigh_rom_pct / 100.0 * z[2])),
        pelvic_drop_left_deg=walker.pelvic_drop_left_deg + variation.pelvic_drop_deg * z[3],
        pelvic_drop_right_deg=walker.pelvic_drop_right_deg + variation.pelvic_drop_deg * z[4],
        speed_m_s=float(np.clip(walker.speed_m_s + variation.speed_m_s * z[5], 0.3, 2.0)),
    )


def day_walker(wearer: Wearer, day: int) -> WalkerParams:
    """What is injected on that day: usual values, the day's deviation, and the deterioration so far."""
    walker = _shifted(wearer.usual, wearer.variation, _deviations(wearer, day))
    worse = wearer.deterioration
    if worse is None:
        return walker
    k = worse.share(day)
    return replace(
        walker,
        step_time_asymmetry_pct=walker.step_time_asymmetry_pct + k * worse.step_time_pct,
        stance_time_asymmetry_pct=walker.stance_time_asymmetry_pct + k * worse.stance_time_pct,
        thigh_rom_ratio=float(walker.thigh_rom_ratio * np.exp(k * worse.thigh_rom_pct / 100.0)),
        pelvic_drop_left_deg=walker.pelvic_drop_left_deg + k * worse.pelvic_drop_left_deg,
        pelvic_drop_right_deg=walker.pelvic_drop_right_deg + k * worse.pelvic_drop_right_deg,
        speed_m_s=max(0.3, walker.speed_m_s + k * worse.speed_m_s),
    )


def daily_walk(wearer: Wearer, day: int) -> SimulatedDay:
    """One day: the same for the same wearer and day, whichever other days are simulated."""
    if day < 0:
        raise ConfigError(f"day = {day} does not exist.", "Days count from 0.")
    walker = day_walker(wearer, day)
    rng = np.random.default_rng(np.random.SeedSequence([wearer.seed, 7201, day]))
    mounted = int(rng.integers(2**31))
    sensors = replace(wearer.sensors, mounting_seed=mounted)
    walks = []
    for number in range(wearer.walks_per_day):
        own = _shifted(walker, wearer.variation, _WITHIN_DAY * rng.standard_normal(_CHANNELS))
        script = _errand(wearer, leftward=(day + number) % 2 == 0)
        walks.append(simulate(script, own, sensors, seed=int(rng.integers(2**31))))
    return SimulatedDay(day, walker, tuple(walks))


def history(wearer: Wearer, days: int, first_day: int = 0) -> Iterator[SimulatedDay]:
    """Day after day, made when asked for."""
    for day in range(first_day, first_day + days):
        yield daily_walk(wearer, day)


def _errand(wearer: Wearer, *, leftward: bool) -> tuple[Step, ...]:
    """Stand, walk there and back, stand.  Turns go both ways in equal number over two walks."""
    steps: list[Step] = [Stand(8.0)]
    for leg in range(wearer.legs_per_walk):
        if leg:
            left = leftward == (leg % 2 == 1)
            steps.append(Turn(180.0 if left else -180.0, 2.2))
        steps.append(Walk(strides=wearer.strides_per_leg))
    return (*steps, Stand(4.0))
