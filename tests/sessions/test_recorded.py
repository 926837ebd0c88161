"""Two recordings of people who did none of the tests: what is found is so, and the rest is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.model import Side
from gaitmon.sensors.recording import Recording
from gaitmon.sessions.kinds import Kind
from gaitmon.sessions.record import GuidedTest, Session
from gaitmon.sessions.results import SessionResults, session_results
from tests.loaders import mtw, qmt


def results(recording: Recording, *tests: GuidedTest) -> SessionResults:
    session = Session(
        id="s", wearer="w", recording="r", content_id=recording.content_id, start_s=recording.start_s,
        stop_s=recording.end_s, purpose="p", tests=tests,
    )  # fmt: skip
    return session_results(session, recording)


def test_somebody_who_sits_does_not_stand_quietly_and_rises_once() -> None:
    """qmt: sits down at 48 s, sits without a movement until 79 s, gets up, and walks from 95 s on."""
    found = results(
        qmt(),
        GuidedTest(kind=Kind.QUIET_STANCE, start_s=55.0, stop_s=78.0),
        GuidedTest(kind=Kind.SIT_TO_STAND, start_s=78.0, stop_s=84.0),
        GuidedTest(kind=Kind.TWO_MINUTE_WALK, start_s=95.0, stop_s=139.9),
        GuidedTest(kind=Kind.SINGLE_LEG_STANCE, start_s=84.0, stop_s=88.0, side=Side.LEFT),
    )
    stance, rising, walk, leg = found.results
    assert stance["test_stance_tilt_deg"].value is None
    assert stance["test_stance_tilt_deg"].note == "not standing: the thighs are flexed by 81 degrees"
    assert rising["test_rising_n"].value == 1.0
    assert rising["test_rising_time_s"].note == "not enough rises (1 of 5)"
    assert rising.found_s is not None
    assert 78.5 < rising.found_s[0] < 80.0
    assert 80.0 < rising.found_s[1] < 82.0
    steps = walk["test_walk_steps_n"].value
    assert steps is not None
    assert steps == pytest.approx(91.0, abs=3)  # its foot sensors: about 45 strides a foot
    assert walk.flags == ("walked 45 s, not 120",)
    assert leg["test_single_leg_held_s"].value is None
    assert (
        leg["test_single_leg_held_s"].note == "the right thigh was not lifted by 12 degrees between the marks"
    )


def test_a_short_walk_between_two_lines() -> None:
    """mtw: stands for 5 s, walks, turns, walks back.  The way was not measured: 6 m is a guess."""
    walk = GuidedTest(kind=Kind.TEN_METRE_WALK, start_s=6.0, stop_s=11.0, distance_m=6.0)
    found = results(mtw(), walk, GuidedTest(kind=Kind.QUIET_STANCE, start_s=0.0, stop_s=5.5))
    timed, stance = found.results
    assert timed.flags == ("walked through the marks: the time is theirs",)  # he turns and comes back
    assert found.calibration is None
    assert "Too few straight strides" in found.why_not
    quiet = stance["test_stance_quiet_s"].value
    assert quiet is not None
    assert 4.0 < quiet < 5.5
    cadence = timed["test_walk_cadence_steps_min"].value
    assert cadence is not None
    assert np.isfinite(cadence)
    assert 95.0 < cadence < 110.0
