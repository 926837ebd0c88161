"""Guided tests of a simulated session against its exact truth, with marks some seconds off."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from gaitmon.errors import ConfigError
from gaitmon.model import Side
from gaitmon.sensors.recording import Recording, SampleStream
from gaitmon.sensors.synthetic import recording_of
from gaitmon.sessions.kinds import Kind
from gaitmon.sessions.record import GuidedTest, Session
from gaitmon.sessions.results import SessionResults, session_results
from gaitmon.sessions.tell import results_json
from gaitmon.sessions.values import Outcome
from gaitmon.simulate import SingleLegStance, Sit, SitToStand, Stand, StateKind, Walk, WalkerParams, simulate
from tests.sessions.practice import HELD_S, path_m, practice, rises, spans


@pytest.fixture(scope="module", params=[0.0, 2.0], ids=["exact marks", "marks 2 s off"])
def found(request: pytest.FixtureRequest) -> SessionResults:
    return practice().results(marks_s=request.param)


def of(found: SessionResults, kind: Kind, side: Side | None = None) -> list[Outcome]:
    return [r for r in found.results if r.test.kind is kind and r.test.side is side]


def number(result: Outcome, metric: str) -> float:
    value = result[metric].value
    assert value is not None, result[metric].note
    return value


def test_quiet_stance_is_level_and_sways_as_it_should(found: SessionResults) -> None:
    (stance,) = of(found, Kind.QUIET_STANCE)
    assert number(stance, "test_stance_quiet_s") > 25.0
    assert abs(number(stance, "test_stance_tilt_deg")) < 0.5
    assert abs(number(stance, "test_stance_obliquity_deg")) < 0.5
    true = practice().simulated.truth.motion_at(np.arange(1.0, 31.0, 0.01))
    sway = np.hypot(np.std(true.pelvic_tilt_rad), np.std(true.pelvic_obliquity_rad))
    assert number(stance, "test_stance_sway_deg") == pytest.approx(np.degrees(sway), rel=0.15)


def test_ten_metres_take_the_true_time_and_speed(found: SessionResults) -> None:
    walks = spans(practice().simulated, StateKind.WALK)
    for result, (start, stop) in zip(of(found, Kind.TEN_METRE_WALK), walks, strict=False):
        assert number(result, "test_walk_time_s") == pytest.approx(stop - start, abs=0.3)
        true = (result.test.distance_m or 0.0) / (stop - start)
        assert number(result, "test_walk_speed_m_s") == pytest.approx(true, rel=0.03)
        contacts = practice().simulated.truth.contacts
        steps = sum(c.kind == "ic" and start <= c.t_s <= stop + 0.01 for c in contacts)
        assert number(result, "test_walk_steps_n") == pytest.approx(steps, abs=1)


def test_three_walks_together_have_strides_enough_for_symmetry(found: SessionResults) -> None:
    together = {v.metric: v for v in found.together}
    assert together["step_time_ln_pct"].value == pytest.approx(0.0, abs=4.0)
    assert together["pci_pct"].value is None
    assert together["pci_pct"].note.startswith("not enough strides (")


def test_the_timed_walks_make_stride_length_the_wearers_own(found: SessionResults) -> None:
    assert found.calibration is not None
    true = [s.length_m for side in Side for s in practice().simulated.truth.own(side) if s.end_s < 75.0]
    length = next(v for v in found.together if v.metric == "stride_length_m")
    assert length.value is not None
    before = practice().results().analysis.metric("stride_length_m")
    assert before is not None
    assert before.value is not None
    assert length.value == pytest.approx(np.median(true), rel=0.04)


@pytest.mark.parametrize("side", Side)
def test_one_leg_is_held_as_long_and_drops_as_far_as_it_did(found: SessionResults, side: Side) -> None:
    (result,) = of(found, Kind.SINGLE_LEG_STANCE, side)
    (start, stop) = spans(practice().simulated, StateKind.SINGLE_LEG)[list(Side).index(side)]
    assert (
        HELD_S[side] < number(result, "test_single_leg_held_s") < HELD_S[side] + 2.0
    )  # up and down, 1 s each
    sign = 1.0 if side is Side.LEFT else -1.0
    true = practice().simulated.truth
    up = sign * np.degrees(true.motion_at(np.arange(start, stop, 0.01)).pelvic_obliquity_rad)
    stood = sign * np.degrees(true.motion_at(np.arange(1.0, 31.0, 0.01)).pelvic_obliquity_rad).mean()
    assert number(result, "test_single_leg_drop_mean_deg") == pytest.approx(up.mean() - stood, abs=0.5)
    assert number(result, "test_single_leg_drop_end_deg") == pytest.approx(up[-300:].mean() - stood, abs=0.7)
    assert number(result, "test_single_leg_drop_max_deg") == pytest.approx(up.max() - stood, abs=0.7)
    assert "quiet stance" in result["test_single_leg_drop_mean_deg"].note


def test_five_rises_are_counted_and_timed(found: SessionResults) -> None:
    (result,) = of(found, Kind.SIT_TO_STAND)
    up = rises(practice().simulated)
    assert number(result, "test_rising_n") == 5.0
    # A movement begins and ends below what can be seen: the first and last 3 % of it.
    assert number(result, "test_rising_time_s") == pytest.approx(up[-1][1] - up[0][0] - 0.2, abs=0.2)
    assert number(result, "test_rising_one_s") == pytest.approx(up[0][1] - up[0][0] - 0.2, abs=0.2)
    assert abs(number(result, "test_rising_rate_ln_pct")) < 8.0
    true = practice().simulated.truth
    leans = [np.degrees(true.motion_at(np.arange(a, b, 0.01)).pelvic_tilt_rad.max()) for a, b in up]
    assert number(result, "test_rising_lean_deg") == pytest.approx(np.mean(leans), abs=1.5)


def test_two_minutes_go_as_far_as_they_did() -> None:
    p = practice(two_minutes=True)
    (result,) = of(p.results(marks_s=2.0), Kind.TWO_MINUTE_WALK)
    assert result.found_s is not None
    true = path_m(p.simulated, *result.found_s)
    assert number(result, "test_walk_distance_m") == pytest.approx(true, rel=0.06)
    assert result["test_walk_distance_m"].note == "calibrated by the timed walk"
    assert abs(number(result, "test_walk_speed_change_pct")) < 5.0
    assert number(result, "step_time_ln_pct") == pytest.approx(0.0, abs=3.0)


# ---- what goes wrong in a practice


def session_of(recording: Recording, *tests: GuidedTest) -> Session:
    return Session(
        id="s", wearer="w", recording="r", content_id=recording.content_id, start_s=recording.start_s,
        stop_s=recording.end_s, purpose="p", leg_length_m=0.9, tests=tests,
    )  # fmt: skip


def test_without_walking_times_are_known_and_angles_are_not() -> None:
    script = (
        Stand(6.0), SingleLegStance(Side.LEFT, 12.0, 5.0), Stand(3.0), Sit(5.0), SitToStand(5, 3.0), Sit(3.0),
    )  # fmt: skip
    simulated = simulate(script, WalkerParams(), seed=3)
    recording = recording_of(simulated, "no walk")
    a, b = spans(simulated, StateKind.SINGLE_LEG)[0]
    up = [s for s in simulated.truth.states if s.kind is StateKind.TRANSFER][3]
    found = session_results(
        session_of(
            recording,
            GuidedTest(kind=Kind.SINGLE_LEG_STANCE, start_s=a - 1.0, stop_s=b + 1.0, side=Side.LEFT),
            GuidedTest(kind=Kind.SIT_TO_STAND, start_s=up.start_s, stop_s=recording.end_s - 2.0),
            GuidedTest(kind=Kind.TEN_METRE_WALK, start_s=1.0, stop_s=6.0, distance_m=10.0),
        ),
        recording,
    )
    leg, rising, walk = found.results
    assert number(leg, "test_single_leg_held_s") == pytest.approx(13.3, abs=0.7)
    assert leg["test_single_leg_drop_mean_deg"].value is None
    assert "walk ten steps first" in leg["test_single_leg_drop_mean_deg"].note
    assert number(rising, "test_rising_n") == 5.0
    assert number(rising, "test_rising_time_s") == pytest.approx(4 * 3.0 + 1.35 - 0.34 - 0.2, abs=0.3)
    assert "the lean is not known" in rising["test_rising_time_s"].note
    assert "walk ten steps first" in rising.flags[0]
    assert walk["test_walk_speed_m_s"].value is None
    assert any("walk ten steps first" in n.text for n in found.notices)


def test_the_wrong_leg_a_foot_put_down_and_too_few_rises_are_said() -> None:
    script = (
        Stand(8.0), Walk(seconds=12.0), Stand(4.0), SingleLegStance(Side.LEFT, 8.0),
        SingleLegStance(Side.LEFT, 12.0), Stand(4.0), Sit(4.0), SitToStand(3, 3.0), Sit(3.0),
    )  # fmt: skip
    simulated = simulate(script, WalkerParams(), seed=9)
    recording = recording_of(simulated, "wrong")
    legs = spans(simulated, StateKind.SINGLE_LEG)
    a, b = legs[0][0], legs[-1][1]
    sits = spans(simulated, StateKind.SIT)
    tests = [
        GuidedTest(kind=Kind.SINGLE_LEG_STANCE, start_s=a, stop_s=b, side=Side.RIGHT),
        GuidedTest(kind=Kind.SINGLE_LEG_STANCE, start_s=a, stop_s=b, side=Side.LEFT),
        GuidedTest(kind=Kind.SIT_TO_STAND, start_s=sits[0][1], stop_s=recording.end_s - 2.0),
    ]
    wrong, left, few = session_results(session_of(recording, *tests), recording).results
    assert (
        wrong["test_single_leg_held_s"].note
        == "the right thigh was lifted, and the right leg should have stood"
    )
    assert left.flags == ("foot down in between: the longest of 2 holds counts",)
    assert number(left, "test_single_leg_held_s") == pytest.approx(13.4, abs=0.6)
    assert "the standing just before" in left["test_single_leg_drop_mean_deg"].note
    assert few["test_rising_time_s"].note == "not enough rises (3 of 5)"


def test_a_walk_through_the_marks_is_timed_by_them() -> None:
    recording = practice().recording
    (start, stop), *_ = spans(practice().simulated, StateKind.WALK)
    test = GuidedTest(
        kind=Kind.TEN_METRE_WALK, start_s=start + 2.7, stop_s=stop - 2.7, distance_m=4.5
    )  # fmt: skip
    (result,) = session_results(session_of(recording, test), recording).results
    assert result.flags == ("walked through the marks: the time is theirs",)
    assert number(result, "test_walk_time_s") == pytest.approx(stop - start - 5.4)


def test_another_recording_is_refused() -> None:
    other = practice(seed=6).recording
    with pytest.raises(ConfigError, match="its samples differ"):
        session_results(practice().session(), other)


def worn(*placements: str, acceleration_only: bool = False) -> SessionResults:
    """The practice as it would be with these sensors alone."""
    streams = [s for p, s in practice().recording.streams.items() if p in placements]
    if acceleration_only:
        streams = [SampleStream.from_arrays(s.placement, *s.arrays()[:2]) for s in streams]
    recording = Recording.of("fewer", "simulator", streams, simulated=True)
    session = practice().session().model_copy(update={"content_id": recording.content_id})
    return session_results(session, recording)


@pytest.mark.parametrize(
    ("found", "given"),
    [
        (lambda: worn("pelvis"), {"stance_tilt", "walk_speed"}),
        (lambda: worn("left_thigh"), {"walk_speed", "held, right", "rising_time"}),
        (
            lambda: worn("pelvis", "left_thigh"),
            {"stance_tilt", "walk_speed", "held, right", "drop, right", "rising_time"},
        ),
        (
            lambda: worn("left_thigh", "right_thigh"),
            {"walk_speed", "steps", "held, left", "held, right", "rising_time"},
        ),
        (lambda: worn("pelvis", "left_thigh", "right_thigh", acceleration_only=True), {"walk_speed"}),
    ],
    ids=["pelvis", "left thigh", "pelvis and left thigh", "thighs", "accelerometers"],
)  # fmt: skip
def test_what_a_missing_sensor_takes_away_is_said(
    found: Callable[[], SessionResults], given: set[str]
) -> None:
    """And what is left is right, or its uncertainty says how far it may be off."""
    results = found()
    json.dumps(results_json(results), allow_nan=False)
    full = {(r.test, v.metric): v.value for r in practice().results().results for v in r.values}
    seen = set()
    names = {
        "stance_tilt_deg": "stance_tilt", "walk_speed_m_s": "walk_speed", "walk_steps_n": "steps",
        "single_leg_held_s": "held", "single_leg_drop_mean_deg": "drop", "rising_time_s": "rising_time",
    }  # fmt: skip
    for r in results.results:
        for v in r.values:
            if v.value is None:
                assert v.note, v.metric
            elif name := names.get(v.metric.removeprefix("test_")):
                seen.add(f"{name}, {r.test.side}" if r.test.side else name)
                true = full[r.test, v.metric]
                assert true is not None
                assert abs(v.value - true) <= max(2.0 * (v.standard_error or 0.0), 0.05), v
    assert seen == given
