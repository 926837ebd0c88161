"""How sensors sit on their segments, found without any fixed mounting: against the simulator's mountings."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gaitmon.model import Alignment, Floats, Placement
from gaitmon.pipeline import run
from gaitmon.simulate import SensorParams, Sit, Stand, Walk, WalkerParams
from tests.gait.walks import SENSORS, Walked, between, run_whole, walked, whole

N = 50
THIGHS = SENSORS[1:]
FORWARD, LEFT, UP = range(3)


def walker(seed: int) -> WalkerParams:
    """Someone: any speed, own limb curves, every second one with limbs unlike each other, often limping."""
    rng = np.random.default_rng([seed, 1])
    return WalkerParams(
        speed_m_s=float(rng.uniform(0.5, 1.7)),
        person_seed=seed,
        limbs_alike=bool(seed % 2),
        step_time_asymmetry_pct=float(rng.uniform(-12.0, 12.0)),
        stance_time_asymmetry_pct=float(rng.uniform(-6.0, 6.0)),
        thigh_rom_ratio=float(rng.uniform(0.8, 1.25)),
        extension_loss_left_deg=float(rng.choice([0.0, 0.0, 8.0])),
        pelvic_drop_right_deg=float(rng.choice([0.0, 0.0, 5.0])),
    )


def off_deg(walk: Walked, placement: Placement, axis: int, alignment: Alignment | None = None) -> float:
    """Angle between an axis of the segment as found and as it was when the sensor was put on."""
    found = alignment or walk.alignment(placement)
    true = walk.simulated.truth.mounts[placement][0].rotation
    return float(np.degrees(np.arccos(np.clip(found.rotation[axis] @ true[axis], -1.0, 1.0))))


@cache
def fifty() -> dict[Placement, Floats]:
    """Per sensor (50, 3): how far forward, left and up are off, degrees.  Mountings in any orientation."""
    walks = [walked((Stand(5.0), Walk(seconds=14.0), Stand(3.0)), walker(s), seed=s) for s in range(N)]
    return {p: np.array([[off_deg(w, p, a) for a in range(3)] for w in walks]) for p in SENSORS}


def test_left_is_never_taken_for_right() -> None:
    """A sign that is wrong turns every flexion into an extension.  The worst axis is 12 degrees off."""
    for p in THIGHS:
        assert (fifty()[p][:, LEFT] < 45.0).all()


def test_forward_is_never_taken_for_backward() -> None:
    assert (fifty()[Placement.PELVIS][:, FORWARD] < 60.0).all()


def test_the_vertical_comes_from_standing() -> None:
    """Measured 0.6 degrees (median), 1.9 at worst: the sway of standing and the bias of the accelerometer."""
    for p in SENSORS:
        assert np.median(fifty()[p][:, UP]) < 1.0
        assert fifty()[p][:, UP].max() < 2.5


def test_flexion_axis_does_not_get_worse() -> None:
    """Measured 3.5 degrees (median), 6.0 (90 %), 12 (worst).  The bar is 3, see below."""
    off = np.concatenate([fifty()[p][:, LEFT] for p in THIGHS])
    assert np.median(off) < 4.5
    assert np.quantile(off, 0.9) < 8.0


@pytest.mark.xfail(
    reason="median 3.4, 90 % within 5.7: in walking the thigh turns about an axis 3.7 +- 1.9 off its own"
)
def test_flexion_axis_is_within_3_degrees() -> None:
    """Adduction goes with flexion in the published curves, the same way in both limbs (as much with ideal
    sensors on the bones).  Taking off the mean of 3.7 degrees would make this pass, and grade the alignment
    by the simulator's own assumption.  It costs 0.2 % of a range of motion.
    """
    assert np.quantile(np.concatenate([fifty()[p][:, LEFT] for p in THIGHS]), 0.9) < 3.0


def test_pelvis_forward_is_within_10_degrees() -> None:
    """Measured 2.5 degrees (median), 6.9 (90 %), 10.4 (worst)."""
    off = fifty()[Placement.PELVIS][:, FORWARD]
    assert np.median(off) < 4.0
    assert np.quantile(off, 0.9) < 10.0


UPSIDE_DOWN = {
    "about forward": np.diag([1.0, -1.0, -1.0]),
    "about left": np.diag([-1.0, 1.0, -1.0]),
    "back to front": np.diag([-1.0, -1.0, 1.0]),
    "on its side": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
}


@pytest.mark.parametrize("how", UPSIDE_DOWN)
def test_upside_down_is_like_any_other_way(how: str) -> None:
    """The same walk, worn in another way: the segment's axes come out the same.

    Measured 0.0025 degrees, with sensors without bias (which would turn with the sensor).
    """
    script, ideal = (Stand(5.0), Walk(seconds=12.0), Stand(3.0)), SensorParams.ideal()
    plain = walked(script, sensors=ideal)
    turned = walked(script, sensors=SensorParams(
        **{f: getattr(ideal, f) for f in ideal.__dataclass_fields__ if f != "mounting_rotation"},
        mounting_rotation=UPSIDE_DOWN[how],
    ))  # fmt: skip
    for p in SENSORS:
        for axis in range(3):
            change = (
                plain.alignment(p).rotation[axis] @ (turned.alignment(p).rotation @ UPSIDE_DOWN[how].T)[axis]
            )
            assert np.degrees(np.arccos(np.clip(change, -1.0, 1.0))) < 0.1


def test_rotations_are_proper() -> None:
    walk = walked((Stand(5.0), Walk(seconds=14.0), Stand(3.0)), walker(3), seed=3)
    for r in walk.results:
        if isinstance(r, Alignment):
            np.testing.assert_allclose(r.rotation @ r.rotation.T, np.eye(3), atol=1e-8)
            assert np.linalg.det(r.rotation) == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sitting_is_never_taken_for_standing(seed: int) -> None:
    """A long sit, a short stand: the vertical is that of the stand.  As close as without the sit."""
    walk = walked((Sit(25.0), Stand(4.0), Walk(seconds=12.0), Stand(2.0), Sit(20.0)), seed=seed)
    for p in SENSORS:
        assert walk.alignment(p).quality["standing"] == 1.0
        assert off_deg(walk, p, UP) < 2.5


@pytest.mark.parametrize("seed", [0, 1])
def test_without_standing_the_result_says_so(seed: int) -> None:
    """Up from the chair and off: no rest upright is seen, and none is made up from sitting."""
    whole_walk = walked((Sit(8.0), Walk(seconds=14.0)), seed=seed)
    start = next(s.start_s for s in whole_walk.simulated.truth.states if s.kind == "walk")
    seated_end = next(s.end_s for s in whole_walk.simulated.truth.states if s.kind == "sit")
    blocks = whole(whole_walk.simulated)
    items = [i for b in blocks.values() for i in (between(b, 0.0, seated_end - 0.5), between(b, start, 99.0))]
    results = run(items, SENSORS)
    seen = Walked(whole_walk.simulated, results)
    for p in SENSORS:
        assert seen.alignment(p).quality["standing"] == 0.0
        assert off_deg(seen, p, UP) < 10.0  # mean walking posture; measured at most 7
    assert all(any("no standing" in q for q in b.quality) for b in seen.bouts)
    assert seen.bouts


def test_alignment_takes_effect_outside_of_walking_only() -> None:
    """Never within a bout: at or before its first contact, or when it is over."""
    walk = walked((Stand(5.0), Walk(seconds=30.0), Stand(8.0), Walk(seconds=26.0), Stand(6.0)), seed=2)
    bouts = [(b.start_s, b.end_s) for b in walk.bouts]
    assert len(bouts) == 2
    effective = [r.effective_s for r in walk.results if isinstance(r, Alignment)]
    assert effective
    assert not any(a < e < b for e in effective for a, b in bouts)


def test_versions_only_grow() -> None:
    walk = walked((Stand(5.0), Walk(seconds=9.0), Stand(8.0), Walk(seconds=26.0), Stand(6.0)), seed=2)
    for p in SENSORS:
        versions = [r.alignment_id for r in walk.results if isinstance(r, Alignment) and r.placement is p]
        assert versions == sorted(set(versions))
        assert len(versions) >= 2


def test_one_thigh_alone_is_enough_for_its_own_axis() -> None:
    walk = walked((Stand(5.0), Walk(seconds=14.0), Stand(3.0)), seed=5)
    p = Placement.LEFT_THIGH
    alone = Walked(walk.simulated, run_whole({p: whole(walk.simulated)[p]}))
    assert alone.alignment(p).flexion_known
    assert off_deg(alone, p, LEFT) == pytest.approx(off_deg(walk, p, LEFT), abs=1.0)


@pytest.mark.parametrize("worn", [(), (Placement.LEFT_THIGH,), (Placement.LEFT_THIGH, Placement.RIGHT_THIGH)])
def test_the_pelvis_finds_forward_by_itself(worn: tuple[Placement, ...]) -> None:
    """From the exchange of energy in walking, whichever thighs are there; measured 0.3 to 2 degrees here."""
    walk = walked((Stand(5.0), Walk(seconds=14.0), Stand(3.0)), seed=5)
    blocks = whole(walk.simulated)
    found = Walked(walk.simulated, run_whole({p: blocks[p] for p in (Placement.PELVIS, *worn)}))
    alignment = found.alignment(Placement.PELVIS)
    assert alignment.flexion_known
    assert off_deg(walk, Placement.PELVIS, LEFT, alignment) < 5.0
    assert off_deg(walk, Placement.PELVIS, UP, alignment) < 2.5
