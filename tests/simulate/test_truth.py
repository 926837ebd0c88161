"""The truth agrees with itself and with what was asked for."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import gaitmon.simulate
from gaitmon.errors import ConfigError
from gaitmon.model import ContactKind, Placement, Side
from gaitmon.simulate import (
    Lie,
    SensorParams,
    SingleLegStance,
    Sit,
    SitToStand,
    Stairs,
    Stand,
    StateKind,
    Step,
    TrueStride,
    Truth,
    Turn,
    Walk,
    WalkerParams,
    simulate,
)

PELVIS_ONLY = {Placement.PELVIS: SensorParams.ideal(50.0)}


def truth_of(script: tuple[Step, ...], walker: WalkerParams, seed: int = 0) -> Truth:
    return simulate(script, walker, PELVIS_ONLY, seed).truth


def ln_ratio_pct(truth: Truth, name: str) -> float:
    left, right = ([getattr(s, name) for s in truth.own(side)] for side in (Side.LEFT, Side.RIGHT))
    return float(100.0 * np.log(np.mean(right) / np.mean(left)))


def test_contacts_of_each_side_alternate_and_strides_follow_them() -> None:
    script = (Stand(3.0), Walk(seconds=30.0), Turn(120.0, 2.0), Walk(strides=12), Sit(6.0), Walk(seconds=9.0))
    truth = truth_of(script, WalkerParams(step_time_asymmetry_pct=6.0, stance_time_asymmetry_pct=-5.0), 8)
    for side in Side:
        kinds = [c.kind for c in truth.contacts if c.side is side]
        assert kinds[::2] == [ContactKind.FC] * len(kinds[::2])
        assert kinds[1::2] == [ContactKind.IC] * len(kinds[1::2])
    times = [c.t_s for c in truth.contacts]
    assert times == sorted(times)
    ics = {
        side: [c.t_s for c in truth.contacts if (c.side, c.kind) == (side, ContactKind.IC)] for side in Side
    }
    for s in truth.strides:
        assert s.start_s < s.opposite_fc_s < s.opposite_ic_s < s.fc_s < s.end_s
        assert ics[s.side][s.ordinal] == s.start_s
        assert s.opposite_ic_s in ics[s.side.other]
    assert 2 * len(truth.strides) == len(truth.contacts) - 4 * 2  # two walks, two sides, one IC more each


@pytest.mark.parametrize("speed", [0.6, 1.25, 1.6])
@pytest.mark.parametrize(("step", "stance"), [(0.0, 0.0), (10.0, 0.0), (0.0, -10.0), (-4.0, 7.0)])
def test_injected_asymmetry_is_in_the_truth(speed: float, step: float, stance: float) -> None:
    walker = WalkerParams.steady(
        speed_m_s=speed, step_time_asymmetry_pct=step, stance_time_asymmetry_pct=stance
    )
    truth = truth_of((Stand(2.0), Walk(strides=15)), walker, 3)
    assert ln_ratio_pct(truth, "step_s") == pytest.approx(step, abs=0.01)
    assert ln_ratio_pct(truth, "stance_s") == pytest.approx(stance, abs=0.01)


def test_variability_does_not_bias_asymmetry() -> None:
    walker = WalkerParams(step_time_asymmetry_pct=5.0, stance_time_asymmetry_pct=-3.0)
    values = np.array(
        [
            [ln_ratio_pct(t, "step_s"), ln_ratio_pct(t, "stance_s")]
            for t in (truth_of((Walk(strides=60),), walker, seed) for seed in range(30))
        ]
    )
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert np.all(error < 0.08)
    assert np.all(np.abs(values.mean(axis=0) - [5.0, -3.0]) < 4.0 * error)


def test_stride_time_variability_is_as_asked() -> None:
    walker = WalkerParams(stride_time_cv=0.03, step_time_sd_s=0.0)
    cv = [
        np.std([s.duration_s for s in t.own(Side.LEFT)]) / np.mean([s.duration_s for s in t.own(Side.LEFT)])
        for t in (truth_of((Walk(strides=200),), walker, seed) for seed in range(6))
    ]
    assert np.mean(cv) == pytest.approx(0.03, rel=0.2)


def test_rom_ratio_extension_loss_and_drop_are_in_the_truth() -> None:
    def mean(truth: Truth, side: Side, name: str) -> float:
        return float(np.mean([getattr(s, name) for s in truth.own(side)]))

    script = (Stand(2.0), Walk(strides=12))
    plain = truth_of(script, WalkerParams.steady())
    scaled = truth_of(script, WalkerParams.steady(thigh_rom_ratio=0.8))
    ratio = mean(scaled, Side.RIGHT, "thigh_rom_deg") / mean(scaled, Side.LEFT, "thigh_rom_deg")
    assert ratio == pytest.approx(0.8, abs=0.003)
    for loss in (5.0, 15.0):
        stiff = truth_of(script, WalkerParams.steady(extension_loss_left_deg=loss))
        change = mean(stiff, Side.LEFT, "thigh_flexion_min_deg") - mean(
            plain, Side.LEFT, "thigh_flexion_min_deg"
        )
        assert change == pytest.approx(loss, abs=0.1)
        assert mean(stiff, Side.LEFT, "thigh_flexion_max_deg") == pytest.approx(
            mean(plain, Side.LEFT, "thigh_flexion_max_deg"), abs=0.3
        )
        assert mean(stiff, Side.RIGHT, "thigh_rom_deg") == pytest.approx(
            mean(plain, Side.RIGHT, "thigh_rom_deg")
        )


def largest_drop_deg(truth: Truth, stride: TrueStride) -> float:
    """Contralateral drop in single support: obliquity of the own side, own side up +."""
    motion = truth.motion
    single = (motion.t_s >= stride.opposite_fc_s) & (motion.t_s <= stride.opposite_ic_s)
    own_up = 1.0 if stride.side is Side.LEFT else -1.0
    return float(np.degrees((own_up * motion.pelvic_obliquity_rad[single]).max()))


def test_injected_drop_has_slope_one() -> None:
    drops = np.array([0.0, 2.0, 4.0, 8.0])
    found = []
    for d in drops:
        walker = WalkerParams.steady(pelvic_drop_right_deg=float(d))
        truth = truth_of((Stand(2.0), Walk(strides=10)), walker, 2)
        by_side = {s: np.mean([largest_drop_deg(truth, x) for x in truth.own(s)]) for s in Side}
        found.append(by_side[Side.RIGHT] - by_side[Side.LEFT])
    slope = np.polyfit(drops, found, 1)[0]
    assert slope == pytest.approx(1.0, abs=0.04)


def test_turns_and_states() -> None:
    script = (
        Stand(4.0),
        Walk(seconds=10.0),
        Turn(90.0, 1.5),
        Turn(-30.0, 1.0),
        Walk(seconds=8.0),
        Stairs(5.0),
    )
    truth = truth_of((*script, Walk(seconds=5.0), Sit(5.0), Lie(6.0)), WalkerParams.steady())
    (turn,) = truth.turns  # 30 degrees are no turn
    motion = truth.motion
    at = np.interp([turn.start_s, turn.end_s], motion.t_s, motion.heading_rad)
    assert at[1] - at[0] == pytest.approx(np.radians(90.0), abs=1e-3) == turn.angle_rad
    assert motion.heading_rad[-1] == pytest.approx(np.radians(60.0))
    kinds = [s.kind for s in truth.states]
    for kind in (
        StateKind.STAND,
        StateKind.WALK,
        StateKind.TURN,
        StateKind.STAIRS,
        StateKind.SIT,
        StateKind.LIE,
    ):
        assert kind in kinds
    ends = [s.end_s for s in truth.states]
    assert [s.start_s for s in truth.states] == [0.0, *ends[:-1]]
    assert ends[-1] == pytest.approx(truth.duration_s)
    for stride in truth.own(Side.LEFT):
        assert stride.end_s < turn.start_s or stride.start_s > turn.end_s
        assert stride.terrain == "level"
    (sitting,) = truth.intervals(StateKind.SIT)
    now = (motion.t_s > sitting[0]) & (motion.t_s < sitting[1])
    assert np.all(np.degrees(motion.thigh_flexion_rad[Side.LEFT][now]) > 70.0)


def test_inner_steps_of_a_turn_are_shorter() -> None:
    truth = truth_of((Walk(seconds=6.0), Turn(180.0, 3.0), Walk(seconds=6.0)), WalkerParams.steady())
    (turn,) = truth.turns
    inside = [s for s in truth.strides if s.start_s < turn.end_s and s.end_s > turn.start_s]
    left, right = (
        np.mean([(s.length_m, s.thigh_rom_deg) for s in inside if s.side is side], axis=0)
        for side in (Side.LEFT, Side.RIGHT)
    )
    assert np.all(left < right)
    assert not any(s.straight for s in inside)


def test_first_and_last_steps_are_smaller() -> None:
    truth = truth_of((Stand(2.0), Walk(strides=10), Stand(2.0)), WalkerParams.steady())
    motion = truth.motion
    swings = {
        side: [np.max(motion.thigh_flexion_rad[side][abs(motion.t_s - c.t_s) < 0.25])
               for c in truth.contacts if c.side is side and c.kind is ContactKind.IC]
        for side in Side
    }  # fmt: skip
    last = max(Side, key=lambda s: max(c.t_s for c in truth.contacts if c.side is s))
    assert swings[last][-1] < 0.8 * swings[last][3]
    steady = truth.own(Side.LEFT, straight=False)
    assert len(steady) < len([s for s in truth.strides if s.side is Side.LEFT])


def test_limbs_alike_and_unlike() -> None:
    def roms(walker: WalkerParams) -> tuple[float, float]:
        truth = truth_of((Walk(strides=6),), walker)
        left, right = (
            np.mean([s.thigh_rom_deg for s in truth.own(side)]) for side in (Side.LEFT, Side.RIGHT)
        )
        return float(left), float(right)

    alike = WalkerParams.steady(person_seed=5)
    unlike = WalkerParams.steady(person_seed=5, limbs_alike=False)
    left, right = roms(alike)
    assert left == pytest.approx(right, abs=0.05)
    left, right = roms(unlike)
    assert abs(left - right) > 0.2
    several = [roms(WalkerParams.steady(person_seed=k))[0] for k in range(12)]
    assert 1.0 < np.std(several) < 7.0  # people differ, and stay people
    assert 25.0 < min(several) < max(several) < 65.0


def test_guided_tests_are_in_the_motion() -> None:
    truth = truth_of(
        (Stand(2.0), SingleLegStance(Side.LEFT, 8.0, drop_deg=5.0), SitToStand(5, 2.5)), WalkerParams.steady()
    )
    (single,) = truth.intervals(StateKind.SINGLE_LEG)
    motion = truth.motion
    now = (motion.t_s > single[0] + 0.1) & (motion.t_s < single[1] - 0.1)
    assert np.allclose(np.degrees(motion.pelvic_obliquity_rad[now]), 5.0, atol=0.01)
    assert np.allclose(np.degrees(motion.thigh_flexion_rad[Side.RIGHT][now]), 40.0, atol=0.2)
    assert len([s for s in truth.states if s.kind is StateKind.SIT]) == 5


@pytest.mark.parametrize(
    ("script", "walker", "says"),
    [
        ((), {}, "empty"),
        ((Walk(),), {}, "either seconds or strides"),
        ((Stand(-1.0),), {}, "lasts no time"),
        ((Walk(seconds=5.0),), {"speed_m_s": 9.0}, "speed_m_s"),
        ((Walk(seconds=9.0),), {"stance_time_asymmetry_pct": 58.0}, "stance"),
        ((Walk(seconds=9.0),), {"step_time_asymmetry_pct": 55.0, "speed_m_s": 1.6}, "double support"),
    ],
)
def test_what_cannot_be_simulated_says_so(
    script: tuple[Step, ...], walker: dict[str, float], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        simulate(script, WalkerParams.steady(**walker), SensorParams.ideal(), 0)


def test_simulate_knows_nothing_of_the_detectors() -> None:
    """Otherwise the detector would be graded by its own assumptions."""
    allowed = {"gaitmon.model", "gaitmon.errors"}
    folder = Path(gaitmon.simulate.__file__).parent
    seen = 0
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                seen += 1
                ours = name.startswith("gaitmon") and not name.startswith("gaitmon.simulate")
                assert not ours or name in allowed, f"{file.name} imports {name}"
    assert seen > 20
