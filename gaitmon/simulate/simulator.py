"""simulate: a script, a walker and sensors in; signals and exact truth out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gaitmon.errors import ConfigError
from gaitmon.model import Floats, ImuBlock, Placement, Side
from gaitmon.simulate.kinematics import Impacts, Tissue, measured, pelvis_acceleration, spin
from gaitmon.simulate.normative import normative
from gaitmon.simulate.params import SensorParams, WalkerParams, sensors_by_placement
from gaitmon.simulate.plan import Plan, make_plan
from gaitmon.simulate.script import Step, check
from gaitmon.simulate.sensor import (
    ClockMap,
    ImuArrays,
    corrupted,
    deliver,
    mounts,
    reading_offsets,
    sample_times,
    slipped,
    stamped,
)
from gaitmon.simulate.trajectory import Trajectory
from gaitmon.simulate.truth import MotionRecorder, Truth, strides

TRANSIENT_SPEED_M_S = 1.25  # the speed at which the stated transient amplitude holds


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """streams: what the host received, per sensor.  truth: what happened."""

    streams: dict[Placement, ImuArrays]
    truth: Truth

    def blocks(self, seconds: float = 1.0) -> Iterator[ImuBlock]:
        """The streams as blocks of that length, sensors interleaved in time, stamps as clock.

        Samples that came twice or late are put in order of their counter.
        """
        ordered = {p: _in_order(p, arrays) for p, arrays in self.streams.items()}
        starts = {p: float(b.t_s[0]) for p, b in ordered.items() if len(b)}
        ends = [float(b.t_s[-1]) for b in ordered.values() if len(b)]
        if not starts:
            return
        first, last = min(starts.values()), max(ends)
        for k in range(int((last - first) // seconds) + 1):
            low, high = first + k * seconds, first + (k + 1) * seconds
            for block in ordered.values():
                i, j = np.searchsorted(block.t_s, (low, high))
                if j > i:
                    yield _cut(block, slice(int(i), int(j)))


def _in_order(placement: Placement, arrays: ImuArrays) -> ImuBlock:
    _, once = np.unique(arrays.counter, return_index=True)
    gyr = None if arrays.gyr_rad_s is None else arrays.gyr_rad_s[once]
    return ImuBlock(placement, arrays.t_s[once], arrays.acc_m_s2[once], gyr)


def _cut(block: ImuBlock, where: slice) -> ImuBlock:
    gyr = None if block.gyr_rad_s is None else block.gyr_rad_s[where]
    return ImuBlock(block.placement, block.t_s[where], block.acc_m_s2[where], gyr)


def simulate(
    script: tuple[Step, ...],
    walker: WalkerParams | None = None,
    sensors: SensorParams | dict[Placement, SensorParams] | None = None,
    seed: int = 0,
) -> Simulated:
    """Signals of the pelvis and both thighs for a script, with exact truth; the same for the same arguments.

    sensors: one for all three placements, or those that are worn, each with its own.
    Raises ConfigError for a script or parameters that cannot be simulated.
    """
    walker = WalkerParams() if walker is None else walker
    check(script)
    if seed < 0:
        raise ConfigError(f"seed = {seed} cannot be used.", "Seeds are 0 or more.")
    worn = sensors_by_placement(SensorParams() if sensors is None else sensors)
    plan = make_plan(script, walker, normative(), _rng(seed, 7000))
    trajectory = Trajectory(plan, walker, seed)
    rng = _rng(seed, 7003)
    tissue = Tissue(walker.tissue, _impacts(plan, walker, rng), rng.uniform(0.0, 2.0 * np.pi, (2, 3)))

    times = {p: sample_times(params, plan.duration_s) for p, params in worn.items()}
    recorder = MotionRecorder(next(iter(times.values())))
    ideal = _perfect(worn, times, trajectory, tissue, recorder)
    streams: dict[Placement, ImuArrays] = {}
    gaps, lost = {}, {}
    for placement, params in worn.items():
        force, rate = ideal[placement]
        streams[placement], delivery_gaps, lost[placement] = _sensed(
            placement, params, times[placement], force, rate, seed=seed
        )
        gaps[placement] = delivery_gaps
    moved = recorder.motion()
    truth = Truth(
        duration_s=plan.duration_s,
        contacts=tuple(sorted((c for w in plan.walks for c in w.contacts()), key=lambda c: c.t_s)),
        strides=strides(plan, moved),
        turns=plan.turns,
        states=plan.states,
        motion=moved,
        mounts={p: mounts(p, params, seed) for p, params in worn.items()},
        clocks={p: ClockMap(params.skew_ppm, params.offset_s) for p, params in worn.items()},
        gaps_s=gaps,
        loss_fraction=lost,
        sample_times_s=times,
        _trajectory=trajectory,
    )
    return Simulated(streams, truth)


def _rng(seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, purpose]))


def _impacts(plan: Plan, walker: WalkerParams, rng: np.random.Generator) -> dict[Side, Impacts]:
    """When and how hard each foot strikes: proportional to speed, softer in the first and last step."""
    out = {}
    for side in Side:
        onset, amplitude = [np.zeros(0)], [np.zeros(0)]
        for walked in plan.walks:
            own = walked.own(side)
            ic, size = walked.ic_s[own], walked.nominal_speed_m_s[own] / TRANSIENT_SPEED_M_S
            size = size * np.where(ic >= walked.ic_s[-1], 0.4, np.where(ic <= walked.ic_s[0], 0.7, 1.0))
            onset.append(ic + walker.tissue.onset_s)
            varied = 1.0 + walker.tissue.transient_cv * rng.standard_normal(len(ic))
            amplitude.append(size * np.clip(varied, 0.3, 2.0))
        share = walker.tissue.impact_ratio ** (0.5 if side is Side.RIGHT else -0.5)
        out[side] = Impacts(np.concatenate(onset), share * np.concatenate(amplitude))
    return out


def _perfect(
    worn: dict[Placement, SensorParams],
    times: dict[Placement, Floats],
    trajectory: Trajectory,
    tissue: Tissue,
    recorder: MotionRecorder,
) -> dict[Placement, tuple[Floats, Floats]]:
    """Specific force and rate per sensor in segment axes.  Sensors on one grid share the computation."""
    out = {p: (np.empty((len(t), 3)), np.empty((len(t), 3))) for p, t in times.items()}
    grids: dict[tuple[float, float, bool], list[Placement]] = {}
    for placement, params in worn.items():
        grids.setdefault((params.rate_hz, params.skew_ppm, params.averaged), []).append(placement)
    for number, placements in enumerate(grids.values()):
        offsets = reading_offsets(worn[placements[0]])
        for where, body in trajectory.blocks(times[placements[0]], offsets):
            pelvis, acc = spin(body.pelvis, body.heading), pelvis_acceleration(body)
            if number == 0:
                recorder.add(where, body, slice(len(offsets) // 2, None, len(offsets)))
            for placement in placements:
                shaking = tissue.shaking(placement, body)
                force, rate = measured(
                    placement, worn[placement], body, pelvis=pelvis, pelvis_acc=acc, shaking=shaking
                )
                for whole, read in zip(out[placement], (force, rate), strict=True):
                    whole[where] = read.reshape(-1, len(offsets), 3).mean(axis=1)
    return out


def _sensed(
    placement: Placement, params: SensorParams, common_s: Floats, force: Floats, rate: Floats, *, seed: int
) -> tuple[ImuArrays, tuple[tuple[float, float], ...], float]:
    """Mounting, errors, clock and radio of one sensor."""
    mount = mounts(placement, params, seed)[0].rotation
    force, rate = slipped(common_s, force, rate, params.slips)
    acc, gyr = corrupted(placement, params, force @ mount, rate @ mount, seed)
    stamps = stamped(placement, params, common_s, seed)
    delivery = deliver(placement, params.radio, common_s, seed)
    order = delivery.order
    arrays = ImuArrays(
        t_s=stamps[order],
        arrival_s=delivery.arrival_s,
        acc_m_s2=acc[order],
        gyr_rad_s=gyr[order] if params.has_gyroscope else None,
        counter=order.astype(np.int64),
    )
    lost = float(delivery.lost.mean()) if len(delivery.lost) else 0.0
    return arrays, delivery.gaps_s, lost
