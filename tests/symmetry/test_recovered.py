"""What was put into a simulated walker comes out of the whole pipeline: sign and size."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gaitmon.model import ContactKind, Floats, Side, Stride
from gaitmon.simulate import Stand, TrueStride, Walk, WalkerParams
from gaitmon.symmetry.cycle import COLUMNS, OBLIQUITY, POINTS, rotation_deg
from gaitmon.symmetry.pelvis import pelvis_strides
from tests.gait.walks import Walked, metric, times, walked

L, R = Side.LEFT, Side.RIGHT
SEEDS = (1, 2, 3)
RATIOS = {"step_time_ln_pct": "step_s", "stance_time_ln_pct": "stance_s", "thigh_rom_ln_pct": "thigh_rom_deg"}
# step %, stance %, ROM ratio, drop left, drop right
CASES = (
    (0.0, 0.0, 1.0, 0.0, 0.0),
    (8.0, 0.0, 1.0, 0.0, 0.0),
    (-8.0, 0.0, 1.0, 0.0, 0.0),
    (0.0, 6.0, 1.0, 0.0, 0.0),
    (0.0, -6.0, 1.0, 0.0, 0.0),
    (0.0, 0.0, 1.2, 0.0, 0.0),
    (0.0, 0.0, 0.83, 0.0, 0.0),
    (0.0, 0.0, 1.0, 5.0, 0.0),
    (0.0, 0.0, 1.0, 0.0, 5.0),
)


@cache
def walks(step: float, stance: float, rom: float, drop_left: float, drop_right: float) -> list[Walked]:
    walker = WalkerParams(
        step_time_asymmetry_pct=step, stance_time_asymmetry_pct=stance, thigh_rom_ratio=rom,
        pelvic_drop_left_deg=drop_left, pelvic_drop_right_deg=drop_right,
    )  # fmt: skip
    return [walked((Stand(6.0), Walk(seconds=45.0), Stand(6.0)), walker, seed=s) for s in SEEDS]


def true_ratio_pct(walk: Walked, name: str) -> float:
    left, right = ([getattr(s, name) for s in walk.simulated.truth.own(side)] for side in Side)
    return float(100.0 * np.log(np.median(right) / np.median(left)))


def during(walk: Walked, values: Floats, start_s: float, end_s: float) -> Floats:
    a, b = np.searchsorted(walk.simulated.truth.motion.t_s, (start_s, end_s))
    return values[a : b + 1]


def true_range_deg(walk: Walked, values: Floats, *, detrend: bool = False) -> float:
    def one(s: TrueStride) -> float:
        x = np.degrees(during(walk, values, s.start_s, s.end_s))
        return float(np.ptp(x - np.linspace(x[0], x[-1], len(x)) if detrend else x))

    return float(np.median([one(s) for side in Side for s in walk.simulated.truth.own(side)]))


def true_drop_deg(walk: Walked, side: Side) -> float:
    roll = walk.simulated.truth.motion.pelvic_obliquity_rad
    sign = 1.0 if side is L else -1.0
    own = walk.simulated.truth.own(side)
    return float(
        np.median(
            [np.degrees(sign * during(walk, roll, s.opposite_fc_s, s.opposite_ic_s)).max() for s in own]
        )
    )


@pytest.mark.parametrize("case", CASES)
def test_asymmetry_comes_out_with_sign_and_size(case: tuple[float, ...]) -> None:
    """About 40 strides a side.  Largest errors measured over all cases and seeds: step 1.2, stance 1.0,
    ROM 1.0 (percent)."""
    for walk in walks(*case):
        (bout,) = walk.bouts
        for name, true in RATIOS.items():
            asked = true_ratio_pct(walk, true)
            assert metric(bout, name) == pytest.approx(asked, abs=1.6), name
            if abs(asked) > 4.0:
                assert np.sign(metric(bout, name)) == np.sign(asked)


def test_alike_limbs_have_no_offset() -> None:
    """Mean over the seeds of a symmetric walker.  Measured 0.0, 0.55, 0.11 %."""
    for name, true in RATIOS.items():
        errors = [metric(w.bouts[0], name) - true_ratio_pct(w, true) for w in walks(*CASES[0])]
        assert abs(np.mean(errors)) < 1.0, name


@pytest.mark.parametrize("case", CASES)
def test_pelvic_ranges_of_motion(case: tuple[float, ...]) -> None:
    """Targets 1.0 degree (CLINICAL 2.6).  Measured at most 0.41 tilt, 0.20 obliquity, 0.09 rotation."""
    for walk in walks(*case):
        motion, (bout,) = walk.simulated.truth.motion, walk.bouts
        tilt = true_range_deg(walk, motion.pelvic_tilt_rad)
        assert metric(bout, "pelvis_tilt_rom_deg") == pytest.approx(tilt, abs=0.6)
        obliquity = true_range_deg(walk, motion.pelvic_obliquity_rad)
        assert metric(bout, "pelvis_obliquity_rom_deg") == pytest.approx(obliquity, abs=0.4)
        rotation = true_range_deg(walk, motion.pelvic_rotation_rad, detrend=True)
        assert metric(bout, "pelvis_rotation_rom_deg") == pytest.approx(rotation, abs=0.3)


@pytest.mark.parametrize("case", CASES)
def test_pelvic_drop(case: tuple[float, ...]) -> None:
    """Measured at most 0.25 degrees a side, 0.38 between the sides."""
    for walk in walks(*case):
        (bout,) = walk.bouts
        left, right = true_drop_deg(walk, L), true_drop_deg(walk, R)
        assert metric(bout, "drop_left_deg") == pytest.approx(left, abs=0.4)
        assert metric(bout, "drop_right_deg") == pytest.approx(right, abs=0.4)
        assert metric(bout, "drop_asym_deg") == pytest.approx(right - left, abs=0.5)
        if abs(right - left) > 2.0:
            assert np.sign(metric(bout, "drop_asym_deg")) == np.sign(right - left)


@pytest.mark.parametrize("drop", [0.0, 5.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_side_difference_of_drop_within_0_3_degrees(drop: float, seed: int) -> None:
    """CLINICAL 2.6, for 100 strides, after 20 s of standing.  Measured 0.26 at worst over 24 such walks.

    After 6 s of standing it is up to 0.38 (above): zero is the wearer's mean posture then, and who stands
    sways by 0.1 to 0.2 degrees about it for longer than that.
    """
    walker = WalkerParams(pelvic_drop_right_deg=drop, speed_m_s=0.7 + 0.2 * seed)
    walk = walked((Stand(20.0), Walk(strides=102), Stand(6.0)), walker, seed=seed)
    true = true_drop_deg(walk, R) - true_drop_deg(walk, L)
    assert metric(walk.bouts[0], "drop_asym_deg") == pytest.approx(true, abs=0.3)


@pytest.mark.parametrize("case", CASES)
def test_hip_and_step_length(case: tuple[float, ...]) -> None:
    """Hip: the thigh and the pelvis together, from standing.  Steps: two make a stride."""
    for walk in walks(*case):
        motion, (bout,) = walk.simulated.truth.motion, walk.bouts
        standing = np.degrees(motion.pelvic_tilt_rad[:300].mean())
        for side in Side:
            hip = np.degrees(motion.thigh_flexion_rad[side] + motion.pelvic_tilt_rad) - standing
            own = [during(walk, hip, s.start_s, s.end_s) for s in walk.simulated.truth.own(side)]
            rom = float(np.median([np.ptp(x) for x in own]))
            extension = float(np.median([-x.min() for x in own]))
            assert metric(bout, f"hip_rom_{side}_deg") == pytest.approx(rom, abs=1.6)
            assert metric(bout, f"hip_extension_{side}_deg") == pytest.approx(extension, abs=1.5)
        steps = sum(metric(bout, f"step_length_{side}_m") for side in Side)
        assert steps == pytest.approx(metric(bout, "stride_length_m"), rel=0.01)


@pytest.mark.parametrize("step", [8.0, -8.0])
def test_the_trap_of_the_inter_thigh_angle(step: float) -> None:
    """CLINICAL 2.2 B: with limb curves shifted in phase, an event at the extremum of the angle between the
    thighs reverses the sign of a step-time asymmetry.  Ours must not; and the trap is real on these walks.
    """
    walk = walks(step, 0.0, 1.0, 0.0, 0.0)[0]
    motion = walk.simulated.truth.motion
    between = np.degrees(motion.thigh_flexion_rad[L] - motion.thigh_flexion_rad[R])
    ours = times(walk.contacts(), R, ContactKind.IC)
    left = np.array(times(walk.contacts(), L, ContactKind.IC))

    def extremum(t: float, sign: float) -> float:
        window = during(walk, sign * between, t - 0.25, t + 0.25)
        return t - 0.25 + float(window.argmax()) / 100.0

    def right_minus_left_step(ic_left: Floats, ic_right: Floats) -> float:
        """Mean of right step minus mean of left step, s."""
        right_steps = [r - ic_left[ic_left < r].max() for r in ic_right if (ic_left < r).any()]
        left_steps = [x - ic_right[ic_right < x].max() for x in ic_left if (ic_right < x).any()]
        return float(np.median(right_steps) - np.median(left_steps))

    trap_left = np.array([extremum(t, 1.0) for t in left[2:-2]])
    trap_right = np.array([extremum(t, -1.0) for t in ours[2:-2]])
    trapped = right_minus_left_step(trap_left, trap_right)
    assert np.sign(metric(walk.bouts[0], "step_time_ln_pct")) == np.sign(step)
    assert np.sign(right_minus_left_step(left[2:-2], np.array(ours[2:-2]))) == np.sign(step)
    assert np.sign(trapped) == -np.sign(step)  # measured -37 ms where our contacts give +50 ms


def test_rotation_and_drop_of_one_stride() -> None:
    t = np.arange(101) / 100.0
    rate = np.radians(5.0) * 2 * np.pi * np.cos(2 * np.pi * t) + np.radians(7.0)  # ±5 degrees on a bend
    rotation = rotation_deg(rate[np.newaxis], np.array([1.0]))[0]
    np.testing.assert_allclose(rotation, 5.0 * np.sin(2 * np.pi * t), atol=0.02)
    curves = np.full((3, POINTS, COLUMNS), np.nan)
    curves[..., OBLIQUITY] = np.interp(100.0 * t, [0, 5, 10, 20, 40, 60, 100], [9, 9, -2, -2, 4, 1, 1])
    strides = [Stride(side, 1, 0.0, 0.6, 1.0, 0.5) for side in (L, R, None)]
    left, right, unknown = pelvis_strides(curves, [(s, 0.1) for s in strides])
    assert (left.drop_deg, right.drop_deg) == (4.0, 2.0)  # the rise before 10 % is not single support
    assert (left.drop_at_30_pct_deg, right.drop_at_30_pct_deg) == (1.0, -1.0)
    assert np.isnan([unknown.drop_deg, unknown.drop_at_30_pct_deg, left.rise_m]).all()
    (no_final_contact,) = pelvis_strides(curves[:1], [(strides[0], None)])
    assert np.isnan(no_final_contact.drop_mean_deg)
    assert no_final_contact.drop_at_30_pct_deg == 1.0
