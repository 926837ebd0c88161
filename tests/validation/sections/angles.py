"""Angles of pelvis, thigh and hip: simulated truth, and the sensors' own orientation on recordings.

``python -m tests.validation.sections.angles [--quick]`` prints the Markdown of this section alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from gaitmon.imu.chain import SensorChain
from gaitmon.model import (
    Alignment,
    Contact,
    ContactKind,
    Floats,
    ImuBlock,
    Placement,
    Result,
    Side,
    Stride,
    WalkingBout,
)
from gaitmon.pipeline import run
from gaitmon.pipeline_angles import angles
from gaitmon.sensors.recording import Recording
from gaitmon.simulate import Simulated, Stand, Walk, WalkerParams, simulate
from gaitmon.symmetry.cycle import (
    FLEXION_OF,
    OBLIQUITY,
    POINTS,
    TILT,
    YAW_RATE,
    cut,
    levelled,
    rotation_deg,
    together,
)
from gaitmon.symmetry.pelvis import obliquity_deg, thigh_flexion_deg, tilt_deg
from tests.loaders import mtw, mtw_up, qmt, qmt_up
from tests.validation.progress import follow
from tests.validation.sections.simulated_cases import SPEEDS_M_S, Limbs, case
from tests.validation.sections.spatial import accepted
from tests.validation.tables import held, table

ANGLES = ("pelvic tilt", "pelvic obliquity", "pelvic rotation", "thigh flexion", "hip flexion")
RMSE_BARS_DEG = (1.5, 1.5, 1.5, 2.4, 2.4)
ROM_BARS_DEG = (1.0, 1.0, 1.0, 1.6, 1.6)
DROP_BAR_DEG, RECORDED_BAR_DEG, SLOPE_BAR = 0.3, 2.5, 0.05
PHASE = np.arange(POINTS) / (POINTS - 1)
SCRIPT = (Stand(20.0), Walk(strides=206), Stand(5.0))
FIRST_PERSON = 4000


def curves_of(blocks: Iterable[ImuBlock], results: Sequence[Result]) -> tuple[list[Stride], Floats]:
    """Accepted strides of a recording with one bout, and their curves (n, POINTS, COLUMNS), as the pipeline
    sums them up."""
    chains: dict[Placement, SensorChain] = {}
    for block in blocks:
        chains.setdefault(block.placement, SensorChain(block.placement)).push(block)
    for chain in chains.values():
        chain.close_run()
    strides = accepted(results)
    start_s = min(s.start_s for s in strides)
    found = (r for r in results if isinstance(r, Alignment) and r.effective_s <= start_s)
    strides.sort(key=lambda s: s.start_s)
    start, end = np.array([s.start_s for s in strides]), np.array([s.end_s for s in strides])
    a = int(100 * start.min())
    rows = angles(chains, {x.placement: x for x in found}, a, int(100 * end.max()) + 2)
    return strides, levelled(together(list(cut(rows.T, a, start, end))), strides)


# ---- simulated


@dataclass(frozen=True, slots=True)
class Errors:
    """Of one walker, in the order of ANGLES, degrees.  rmse, rom: medians over strides of the waveform's RMS
    error and of the range's error.  drop: of the difference between the sides.  fc_s: how late the final
    contacts of the left and the right leg are found, medians."""

    rmse: Floats
    rom: Floats
    drop: float
    fc_s: tuple[float, float]
    n: int


def truth_deg(sim: Simulated, strides: Sequence[Stride]) -> tuple[Floats, ...]:
    """The true curves over these very stretches, each (n, POINTS), in the order of ANGLES."""
    motion = sim.truth.motion
    t = np.array([s.start_s + PHASE * s.duration_s for s in strides])

    def at(x: Floats) -> Floats:
        return np.asarray(np.degrees(np.interp(t, motion.t_s, x)))

    tilt = at(motion.pelvic_tilt_rad)
    flexion = {side: at(motion.thigh_flexion_rad[side]) for side in Side}
    own = np.array([flexion[s.side or Side.LEFT][i] for i, s in enumerate(strides)])
    yaw = at(motion.pelvic_rotation_rad + motion.heading_rad)
    return tilt, at(motion.pelvic_obliquity_rad), _excursion(yaw), own, own + tilt


def _excursion(yaw: Floats) -> Floats:
    yaw = yaw - yaw[:, :1] - (yaw[:, -1:] - yaw[:, :1]) * PHASE
    return np.asarray(yaw - yaw[:, :-1].mean(axis=1, keepdims=True))


def found_deg(strides: Sequence[Stride], curves: Floats) -> tuple[Floats, ...]:
    duration_s = np.array([s.duration_s for s in strides])
    own = np.array([curves[i, :, FLEXION_OF[s.side]] for i, s in enumerate(strides)])
    tilt, rotation = curves[..., TILT], rotation_deg(curves[..., YAW_RATE], duration_s)
    return tilt, curves[..., OBLIQUITY], rotation, own, own + tilt


def walked(sim: Simulated) -> tuple[list[Result], list[Stride], Floats]:
    blocks = list(sim.blocks(5.0))
    results = run(blocks, sim.streams)
    return results, *curves_of(blocks, results)


def errors(sim: Simulated) -> Errors:
    results, strides, curves = walked(sim)
    found, true = found_deg(strides, curves), truth_deg(sim, strides)
    pairs = list(zip(found, true, strict=True))
    rmse = [np.median(np.sqrt(np.mean((f - t) ** 2, axis=1))) for f, t in pairs]
    rom = [abs(np.median(np.ptp(f, axis=1) - np.ptp(t, axis=1))) for f, t in pairs]
    drop = metric(results, "drop_asym_deg") - (true_drop_deg(sim, Side.RIGHT) - true_drop_deg(sim, Side.LEFT))
    return Errors(np.array(rmse), np.array(rom), abs(drop), _late_fc_s(sim, results), len(strides))


def _late_fc_s(sim: Simulated, results: Sequence[Result]) -> tuple[float, float]:
    """Medians over the true final contacts of the left and the right leg, each against the nearest found."""

    def late_s(side: Side) -> float:
        found = np.array(
            [r.t_s for r in results if isinstance(r, Contact) and (r.kind, r.side) == (ContactKind.FC, side)]
        )
        off = found - np.array([[s.fc_s] for s in sim.truth.own(side)])
        return float(np.median(np.take_along_axis(off, np.abs(off).argmin(axis=1)[:, np.newaxis], axis=1)))

    return late_s(Side.LEFT), late_s(Side.RIGHT)


def metric(results: Sequence[Result], name: str) -> float:
    """Of the only bout; NaN where it is withheld."""
    (bout,) = [r for r in results if isinstance(r, WalkingBout)]
    value = bout.metric(name)
    return np.nan if value is None or value.value is None else value.value


def true_drop_deg(sim: Simulated, side: Side) -> float:
    motion, up = sim.truth.motion, 1.0 if side is Side.LEFT else -1.0
    tops = []
    for s in sim.truth.own(side):
        a, b = np.searchsorted(motion.t_s, (s.opposite_fc_s, s.opposite_ic_s))
        tops.append(np.degrees(up * motion.pelvic_obliquity_rad[a : b + 1]).max())
    return float(np.median(tops))


@cache
def simulated(per_speed: int) -> list[Errors]:
    jobs = [
        case(limbs, FIRST_PERSON + 10 * k + person, SCRIPT, speed)
        for limbs in Limbs
        for k, speed in enumerate(SPEEDS_M_S)
        for person in range(per_speed)
    ]
    return [errors(simulate(c.script, c.walker, c.sensors, c.seed)) for c in follow(jobs)]


# ---- what is injected comes out


@dataclass(frozen=True, slots=True)
class Slope:
    what: str
    levels: str
    slope: float
    offset: float
    n: int


def _walk(walker: WalkerParams, seed: int) -> tuple[Simulated, list[Result]]:
    sim = simulate((Stand(20.0), Walk(strides=60), Stand(5.0)), walker, seed=seed)
    return sim, run(sim.blocks(5.0), sim.streams)


def _fitted(what: str, levels: str, rows: Sequence[tuple[float, float]]) -> Slope:
    true, found = np.array(rows).T
    slope, offset = np.polyfit(true, found, 1)
    return Slope(what, levels, float(slope), float(offset), len(rows))


@cache
def slopes(persons: int) -> list[Slope]:
    drop, ratio, loss = [], [], []
    for n in range(persons):
        c = case(Limbs.ALIKE, FIRST_PERSON + 500 + n, SCRIPT, (0.9, 1.2, 1.5)[n % 3])
        for level in (1.0, 3.0, 5.0, 8.0):
            sim, results = _walk(replace(c.walker, pelvic_drop_right_deg=level), c.seed)
            drop.append((true_drop_deg(sim, Side.RIGHT), metric(results, "drop_right_deg")))
        for level in (0.8, 0.9, 1.1, 1.2):
            sim, results = _walk(replace(c.walker, thigh_rom_ratio=level), c.seed)
            rom = [np.median([s.thigh_rom_deg for s in sim.truth.own(side)]) for side in Side]
            ratio.append((100.0 * float(np.log(rom[1] / rom[0])), metric(results, "thigh_rom_ln_pct")))
        for level in (0.0, 5.0, 10.0, 15.0):
            sim, results = _walk(replace(c.walker, extension_loss_right_deg=level), c.seed)
            true = np.median([s.thigh_flexion_min_deg for s in sim.truth.own(Side.RIGHT)])
            least = [s.thigh_flexion_min_deg for s in accepted(results) if s.side is Side.RIGHT]
            loss.append((float(true), float(np.median([x for x in least if x is not None]))))
    return [
        _fitted("contralateral drop, right stance", "1 to 8 deg", drop),
        _fitted("thigh range of motion, 100 ln(R/L)", "ratio 0.8 to 1.2", ratio),
        _fitted("extension loss, least thigh flexion", "0 to 15 deg", loss),
    ]


# ---- against the sensors' own orientation


def recorded(
    of: Recording, up: Mapping[Placement, tuple[Floats, Floats, bool]]
) -> dict[str, tuple[float, int]]:
    """RMS difference after one constant offset, and rows, per angle, over the longest bout, its turns too.

    up: per sensor, times and the vertical as its own filter has it; whether in the segment's frame already,
    else in the sensor's, and this module's alignment is taken for both.
    """
    blocks = [b for p in up for b in of.streams[p].chunks()]
    results = run(blocks, up)
    chains: dict[Placement, SensorChain] = {}
    for block in blocks:
        chains.setdefault(block.placement, SensorChain(block.placement)).push(block)
    for chain in chains.values():
        chain.close_run()
    bout = max((r for r in results if isinstance(r, WalkingBout)), key=lambda r: r.end_s - r.start_s)
    found = (r for r in results if isinstance(r, Alignment) and r.effective_s <= bout.start_s)
    alignment = {a.placement: a for a in found}
    on = np.arange(int(100 * bout.start_s), int(100 * bout.end_s))
    rows = angles(chains, alignment, int(on[0]), int(on[-1]) + 1)
    out = {}
    for p, (t_s, v, in_segment) in up.items():
        told = v if in_segment else v @ alignment[p].rotation.T
        told = np.column_stack([np.interp(on / 100.0, t_s, x) for x in told.T])
        pairs = (
            {"pelvic tilt": (TILT, tilt_deg), "pelvic obliquity": (OBLIQUITY, obliquity_deg)}
            if p is Placement.PELVIS
            else {f"{p.side} thigh flexion": (FLEXION_OF[p.side], thigh_flexion_deg)}
        )
        for name, (column, angle) in pairs.items():
            d = rows[:, column] - angle(told)
            d = d[np.isfinite(d)]
            out[name] = float(np.std(d)), len(d)
    return out


# ---- Markdown


def section(per_speed: int = 2, persons: int = 6) -> str:
    found = simulated(per_speed)
    parts = [
        "## Angles of pelvis, thigh and hip",
        f"Waveforms of {sum(e.n for e in found)} accepted strides of {len(found)} held-out simulated "
        "walkers (0.5 to 1.7 m/s; limbs alike, unlike and pathological; any mounting; noise, bias, soft "
        "tissue; 100 strides a side after 20 s of standing). Each walker counts with the median over her "
        "strides; the table has the median, the 90 % quantile and the worst over the walkers. Offsets count, "
        "except for rotation, which has none. A drop is the largest in single support, from the other foot's "
        "final contact on: where that is found early on one leg and late on the other, as in very slow "
        f"walking, one side's is looked for too early, the other's too late. {_worst_drop(found)}",
        _bars(found),
        "What is injected comes out: straight line through found against true, "
        f"{slopes(persons)[0].n // 4} walkers at each level, 30 strides a side.",
        _slopes(slopes(persons)),
        "Against the orientation that the sensors' own filters computed (qmt: of body segments, after that "
        "author's calibration; mtw: of the sensor, in our alignment), over the longest bout, its turns too, "
        "after one constant offset.",
        _recorded(),
    ]
    return "\n\n".join(parts)


def _worst_drop(found: Sequence[Errors]) -> str:
    worst = max(found, key=lambda e: e.drop)
    left_ms, right_ms = (1000.0 * t for t in worst.fc_s)
    return (
        f"{sum(e.drop > DROP_BAR_DEG for e in found)} of {len(found)} walkers are beyond the bar; final "
        f"contacts of the worst are {left_ms:+.0f} ms off on the left and {right_ms:+.0f} ms on the right."
    )


def _bars(found: Sequence[Errors]) -> str:
    def cells(x: Floats, bar: float) -> list[str]:
        q = np.quantile(x, [0.5, 0.9, 1.0])
        return [" / ".join(f"{v:.2f}" for v in q), f"{bar:.1f}", held(bool(q[-1] <= bar))]

    rows: list[list[str]] = []
    for i, name in enumerate(ANGLES):
        rows.append(
            [f"{name}, waveform RMSE", *cells(np.array([e.rmse[i] for e in found]), RMSE_BARS_DEG[i])]
        )
        rows.append([f"{name}, ROM error", *cells(np.array([e.rom[i] for e in found]), ROM_BARS_DEG[i])])
    rows.append(["drop, right minus left, error", *cells(np.array([e.drop for e in found]), DROP_BAR_DEG)])
    return table(["deg", "median / 90 % / worst", "bar", "worst within"], rows)


def _slopes(found: Sequence[Slope]) -> str:
    rows = [
        [s.what, s.levels, f"{s.slope:.3f}", f"{s.offset:+.2f}", s.n, held(abs(s.slope - 1.0) <= SLOPE_BAR)]
        for s in found
    ]
    return table(["injected", "levels", "slope", "offset", "walks", "1.00 ± 0.05"], rows)


def _recorded() -> str:
    rows = []
    for name, of, up in (("qmt", qmt(), qmt_up()), ("mtw", mtw(), mtw_up())):
        for angle, (rmse, n) in recorded(of, up).items():
            rows.append(
                [name, angle, f"{rmse:.2f}", n, f"{RECORDED_BAR_DEG}", held(rmse <= RECORDED_BAR_DEG)]
            )
    return table(["recording", "angle", "RMSE, deg", "samples", "bar", "held"], rows)


if __name__ == "__main__":
    print(section(1, 3) if "--quick" in sys.argv[1:] else section())
