"""Stride length on real recordings: one person's laboratory reference, two walks with foot IMUs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from scipy.io import loadmat
from vqf import VQF

from gaitmon.gait.spatial import pendulum_length_m, step_rises_m, thigh_length_m
from gaitmon.model import Floats, Side, Stride
from gaitmon.model_leg import LegLength
from gaitmon.pipeline import run
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.recording import Recording
from tests.imu.earth import to_earth
from tests.loaders import foot_reference, foot_samples, mtw, qmt
from tests.needs import recording
from tests.validation.foot_rule import FootStride, foot_contacts, foot_strides
from tests.validation.sections.spatial_signals import Signals

STRAIGHT_RAD = np.radians(15.0)

# -- one real person with a laboratory reference, pelvis only

MOBGAP_TRIALS = ("Test5/Trial1", "Test5/Trial2", "Test11/Trial1")


@dataclass(frozen=True, slots=True)
class LabStride:
    estimated_m: float
    reference_m: float
    rise_m: float
    duration_s: float


@cache
def mobgap_strides(reference: str) -> tuple[LabStride, ...]:
    """Straight strides of the reference bouts with the pendulum's length; leg length 0.53 of 1.59 m."""
    path = recording("mobgap_lab", "data.mat")
    content = loadmat(path, squeeze_me=True, struct_as_record=False)["data"].TimeMeasure1
    info = loadmat(path.with_name("infoForAlgo.mat"), squeeze_me=True, struct_as_record=False)
    leg = LegLength.of(stature_m=float(info["infoForAlgo"].TimeMeasure1.Height) / 100.0).length_m
    out = []
    for trial in MOBGAP_TRIALS:
        signals = Signals(open_recording(path, select=f"TimeMeasure1/{trial}").blocks(5.0), [])
        test, number = trial.split("/")
        standard = getattr(getattr(getattr(content, test), number).Standards, reference)
        for bout in np.atleast_1d(standard.ContinuousWalkingPeriod):
            turns = list(zip(np.atleast_1d(bout.Turn_Start), np.atleast_1d(bout.Turn_End), strict=True))
            lengths = np.atleast_1d(bout.Stride_Length).astype(float)
            contacts = np.atleast_2d(bout.Stride_InitialContacts)
            if contacts.dtype.kind == "u":  # INDIP counts samples, the cameras seconds
                contacts = contacts / 100.0
            for (a, b), true in zip(contacts, lengths, strict=True):
                if not np.isfinite([a, b, true]).all() or any(s < b and a < e for s, e in turns):
                    continue
                if abs(signals.pelvis_heading_change_rad(a, b)) > STRAIGHT_RAD:
                    continue
                up = signals.pelvis_up_m_s2(a, b)
                assert up is not None
                rises = step_rises_m(up, b - a)
                length = pendulum_length_m(rises, leg)
                out.append(LabStride(length, float(true), float(np.mean(rises)), float(b - a)))
    return tuple(out)


def laboratory() -> list[str]:
    lines = [
        "### One older adult, pelvis only (mobgap_lab), leg length 0.53 of stature",
        "",
        "Straight strides of the reference's own bouts; the pendulum alone, not calibrated. Published for "
        "this kind of sensor: 0.12-0.14 m (mobgap, free-living). Strides below 0.7 m are starts, stops and "
        "steps on the spot, which no pendulum describes.",
        "",
        "| reference | strides | length m | bias m | MAE m | correlation | of 0.7 m up | MAE m | MAE % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for reference in ("INDIP", "Stereophoto"):
        strides = mobgap_strides(reference)
        true = np.array([s.reference_m for s in strides])
        error = np.array([s.estimated_m for s in strides]) - true
        long = true >= 0.7
        r = np.corrcoef(error + true, true)[0, 1]
        relative = np.mean(np.abs(error[long]) / true[long])
        lines.append(
            f"| {reference} | {len(true)} | {true.mean():.2f} | {error.mean():+.3f} "
            f"| {np.abs(error).mean():.3f} | {r:.2f} | {long.sum()} "
            f"| {np.abs(error[long]).mean():.3f} | {100.0 * relative:.1f} |"
        )
    return [*lines, ""]


# -- two real walks with foot IMUs


def foot_lengths(
    t_s: Floats, acc_m_s2: Floats, gyr_rad_s: Floats, side: Side
) -> list[tuple[FootStride, float]]:
    """Strides of the frozen foot rule with their horizontal way: strapdown from stance to stance.

    Velocity is zero where the foot turns least in each stance.  The way belongs to stance-to-stance,
    which equals IC-to-IC in steady walking.
    """
    rate = 1.0 / float(np.median(np.diff(t_s)))
    filtered = VQF(1.0 / rate).updateBatch(np.ascontiguousarray(gyr_rad_s), np.ascontiguousarray(acc_m_s2))
    acc = to_earth(np.asarray(filtered["quat6D"]), acc_m_s2) - [0.0, 0.0, 9.81]
    n = max(1, round(0.06 * rate))
    turning = np.convolve(np.linalg.norm(gyr_rad_s, axis=1), np.ones(n) / n, "same")

    def still(s: FootStride) -> int:
        stance = s.fc_s - s.start_s
        i, j = np.searchsorted(t_s, (s.start_s + 0.10 * stance, s.fc_s - 0.15 * stance))
        return int(i + np.argmin(turning[i:j]))

    out = []
    for s, following in pairwise(foot_strides(foot_contacts(t_s, acc_m_s2, gyr_rad_s, side))):
        if s.end_s != following.start_s:
            continue
        i, j = still(s), still(following)
        velocity = np.zeros((j - i + 1, 3))
        velocity[1:] = np.cumsum(0.5 * (acc[i:j] + acc[i + 1 : j + 1]), axis=0) / rate
        velocity -= np.linspace(0.0, 1.0, j - i + 1)[:, np.newaxis] * velocity[-1]
        way = 0.5 * (velocity[1:] + velocity[:-1]).sum(axis=0) / rate
        out.append((s, float(np.hypot(way[0], way[1]))))
    return out


def foot_length_errors_m() -> Floats:
    """Of foot_lengths against motion capture (heel marker, mid stance to mid stance), foot_reference."""
    markers = np.loadtxt(recording("foot_reference", "mocap_sample.csv"), delimiter=",", skiprows=2)
    errors = []
    for side, column in ((Side.LEFT, 7), (Side.RIGHT, 10)):
        r = foot_reference()[side]
        for s, length in foot_lengths(r.t_s, r.acc_m_s2, r.gyr_rad_s, side):
            at = np.array([s.start_s, s.end_s]) + 0.2
            x, y = (np.interp(at, markers[:, 0] / 100.0, markers[:, column + k] / 1000.0) for k in (0, 1))
            errors.append(length - float(np.hypot(x[1] - x[0], y[1] - y[0])))
    return np.array(errors)


@dataclass(frozen=True, slots=True)
class FootWalk:
    """Straight strides of the pipeline with the foot IMU's length: columns length m, duration s, mean
    pelvis rise m, mean thigh range rad."""

    name: str
    rows: Floats


@cache
def foot_walks() -> tuple[FootWalk, ...]:
    return tuple(FootWalk(name, _foot_walk(of)) for name, of in (("qmt", qmt()), ("mtw", mtw())))


def _foot_walk(of: Recording) -> Floats:
    blocks = list(of.blocks(5.0))
    results = run(blocks, [p for p in of.streams if not p.is_reference])
    signals = Signals(blocks, results)
    rows = []
    for side in Side:
        feet = foot_lengths(*foot_samples(of, side), side)
        for s in results:
            if not isinstance(s, Stride) or s.side is not side:
                continue
            if not abs(signals.pelvis_heading_change_rad(s.start_s, s.end_s)) <= STRAIGHT_RAD:
                continue
            same = [w for f, w in feet if abs(f.start_s - s.start_s) < 0.15 and abs(f.end_s - s.end_s) < 0.15]
            up = signals.pelvis_up_m_s2(s.start_s, s.end_s)
            flexion = [f for p in Side if (f := signals.flexion_deg(p, s.start_s, s.end_s)) is not None]
            if len(same) == 1 and up is not None and flexion:
                rise = float(np.mean(step_rises_m(up, s.duration_s)))
                rom = float(np.radians(np.mean([np.ptp(f) for f in flexion])))
                rows.append((same[0], s.duration_s, rise, rom))
    return np.array(rows)


def implied_leg_m(of: FootWalk) -> tuple[float, float]:
    """Leg lengths with which thigh and pelvis, each alone, would give the foot IMUs' mean length."""
    length, duration, rise, rom = of.rows.T
    legs = np.arange(0.60, 1.30, 0.005)
    thigh = [np.mean([thigh_length_m(r, t, leg) for r, t in zip(rom, duration, strict=True)]) for leg in legs]
    pelvis = [np.mean([pendulum_length_m((h, h), leg) for h in rise]) for leg in legs]
    mean = length.mean()
    return float(np.interp(mean, thigh, legs)), float(np.interp(mean, pelvis, legs))


def feet() -> list[str]:
    check = foot_length_errors_m()
    lines = [
        "### Two walks with foot IMUs (leg length not known)",
        "",
        "Reference: strapdown of the foot IMUs between stances; against motion capture on foot_reference its "
        f"error is {check.mean():+.3f} m in the mean, {np.abs(check).mean():.3f} m MAE ({len(check)} "
        "strides). Leg length is not known, so the table asks the other way round: with which leg would "
        "each estimator be right in the mean? Both should name the same, believable leg.",
        "",
        "| walk | strides | length m | speed m/s | pelvis rise mm | leg by thigh m | leg by pelvis m |",
        "|---|---|---|---|---|---|---|",
    ]
    for w in foot_walks():
        length, duration, rise, _ = w.rows.T
        thigh, pelvis = implied_leg_m(w)
        lines.append(
            f"| {w.name} | {len(length)} | {length.mean():.2f} | {np.mean(length / duration):.2f} | "
            f"{1000 * rise.mean():.0f} | {thigh:.2f} | {pelvis:.2f} |"
        )
    return [*lines, ""]


def rises() -> list[str]:
    """How far real pelvis sensors rise against the published centre of mass at the same speed."""
    speed, com_mm = (
        (0.172, 0.290, 0.429, 0.560),
        (14.6, 20.9, 27.9, 30.9),
    )  # at a leg of 0.9 m, from force plates
    lines = [
        "### Does the pelvis rise as the centre of mass does?",
        "",
        "| recording | rise mm | published centre of mass, same speed, mm | ratio |",
        "|---|---|---|---|",
    ]
    cases = [
        (w.name, float(np.mean(implied_leg_m(w))), w.rows[:, 0], w.rows[:, 1], w.rows[:, 2])
        for w in foot_walks()
    ]
    lab = [s for s in mobgap_strides("Stereophoto") if s.reference_m >= 0.7]
    columns = np.array([(s.reference_m, s.duration_s, s.rise_m) for s in lab]).T
    cases.append(("mobgap_lab", LegLength.of(stature_m=1.59).length_m, columns[0], columns[1], columns[2]))
    for name, leg, length, duration, rise in cases:
        v = float(np.mean(length / duration)) / np.sqrt(9.81 * leg)
        com = float(np.interp(v, speed, com_mm)) * leg / 0.9
        lines.append(f"| {name} | {1000 * rise.mean():.0f} | {com:.0f} | {1000 * rise.mean() / com:.2f} |")
    lines += [
        "",
        "A sensor on the sacrum rises more than the centre of mass. A simulator whose pelvis follows the "
        "latter makes the pendulum's published constant look 20 % too small.",
        "",
    ]
    return lines
