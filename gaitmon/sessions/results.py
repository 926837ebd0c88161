"""From a session and its recording to the results of its guided tests."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gaitmon.analysis import Analysis, analyse
from gaitmon.analysis_provenance import produced_by
from gaitmon.errors import ConfigError
from gaitmon.model import Notice, NoticeKind
from gaitmon.model_leg import PersonalCalibration, SpatialParams
from gaitmon.pipeline import PipelineParams
from gaitmon.pipeline_strides import StrideMeter
from gaitmon.sensors.recording import Recording, SampleStream
from gaitmon.sessions import walking
from gaitmon.sessions.body import Body, Span
from gaitmon.sessions.kinds import Kind
from gaitmon.sessions.record import GuidedTest, Session
from gaitmon.sessions.rising import rising
from gaitmon.sessions.standing import MARK_S, WALK_FIRST, Zero, quiet_stance, single_leg
from gaitmon.sessions.values import Error, Outcome, Value, of_repeats

WALKS = (Kind.TEN_METRE_WALK, Kind.TWO_MINUTE_WALK)


@dataclass(frozen=True, slots=True, eq=False)
class SessionResults:
    """results: of each test, in the session's order.  together: the 10-metre walks as one, with every metric
    of walking.  calibration: of the wearer's stride length, None with why_not."""

    session: Session
    produced_by: str
    results: tuple[Outcome, ...]
    together: tuple[Value, ...]
    calibration: PersonalCalibration | None
    why_not: str
    notices: tuple[Notice, ...]
    body: Body
    analysis: Analysis


def session_results(session: Session, recording: Recording) -> SessionResults:
    """Raises ConfigError where the recording is another one than the session's."""
    if recording.content_id != session.content_id:
        raise ConfigError(
            f"{recording.name} is not the recording of session {session.id}: its samples differ.",
            "Put the right one back, or make the session anew.",
        )
    spatial = SpatialParams(session.leg)
    params = PipelineParams(spatial=spatial)
    unlike = _unlike_walking(session)
    analysis = analyse(_without(recording, unlike), params=params)
    body = Body.of(recording, analysis.alignments)
    zeros, standing = _quiet(session, body)
    walks = _Walks(analysis, body, spatial)
    found: dict[int, Outcome] = dict(standing)
    for i, t in enumerate(session.tests):
        if t.kind is Kind.TEN_METRE_WALK:
            found[i] = walks.ten_metres(t)
    together, calibration, why_not = walks.together()
    for i, t in enumerate(session.tests):
        zero = _zero_for(t, zeros, body)
        if t.kind is Kind.SINGLE_LEG_STANCE:
            found[i] = single_leg(body, t, zero)
        elif t.kind is Kind.SIT_TO_STAND:
            found[i] = rising(body, t, zero)
        elif t.kind is Kind.TWO_MINUTE_WALK:
            found[i] = walks.two_minutes(t, replace(spatial, calibration=calibration))
    results = tuple(found[i] for i in range(len(session.tests)))
    notices = _notices(analysis, body, unlike)
    return SessionResults(
        session, produced_by(params), results, together, calibration, why_not, notices, body, analysis
    )


def _unlike_walking(session: Session) -> tuple[Span, ...]:
    """Where somebody rises and sits down in a quick rhythm, which the pipeline may take for walking and then
    for a sensor that has turned."""
    walks = [t for t in session.tests if t.kind in WALKS]
    out = []
    for t in session.tests:
        if t.kind is Kind.SIT_TO_STAND:
            before = [w.stop_s + MARK_S for w in walks if w.stop_s <= t.start_s]
            after = [w.start_s - MARK_S for w in walks if w.start_s >= t.stop_s]
            a, b = max([t.start_s - MARK_S, *before]), min([t.stop_s + MARK_S, *after])
            out.append((min(a, t.start_s), max(b, t.stop_s)))
    return tuple(out)


def _without(recording: Recording, spans: tuple[Span, ...]) -> Recording:
    """The recording without the samples of these spans, all sensors' alike."""
    if not spans:
        return recording
    streams = []
    for stream in recording.streams.values():
        t, acc, gyr = stream.arrays()
        keep = np.ones(len(t), dtype=bool)
        for a, b in spans:
            keep &= (t < a) | (t > b)
        if keep.any():
            kept = SampleStream.from_arrays(
                stream.placement,
                t[keep],
                acc[keep],
                None if gyr is None else gyr[keep],
                nominal_rate_hz=stream.nominal_rate_hz,
                acc_range_m_s2=stream.acc_range_m_s2,
                gyr_range_rad_s=stream.gyr_range_rad_s,
            )
            streams.append(kept)
    return Recording.of(recording.name, recording.source_format, streams, simulated=recording.simulated)


def _quiet(session: Session, body: Body) -> tuple[list[tuple[float, Zero]], dict[int, Outcome]]:
    zeros, results = [], {}
    for i, t in enumerate(session.tests):
        if t.kind is Kind.QUIET_STANCE:
            results[i], zero = quiet_stance(body, t)
            if zero is not None:
                zeros.append((t.start_s, zero))
    return zeros, results


def _zero_for(test: GuidedTest, zeros: list[tuple[float, Zero]], body: Body) -> Zero | None:
    """The latest before the test (else the first after it) since which no strap has moved."""
    good = [(t, z) for t, z in zeros if body.same_strap(t, test.start_s)]
    before = [z for t, z in good if t <= test.start_s]
    return before[-1] if before else good[0][1] if good else None


class _Walks:
    """The timed walks of one session, and what they say together."""

    def __init__(self, analysis: Analysis, body: Body, spatial: SpatialParams) -> None:
        self._analysis, self._body, self._spatial = analysis, body, spatial
        self._timed: list[tuple[walking.Walk, GuidedTest, walking.Strided]] = []
        self._speeds: list[float] = []

    def _meter(self, at_s: float) -> StrideMeter:
        return StrideMeter(self._body.chains, self._body.in_force(at_s), self._spatial)

    def ten_metres(self, test: GuidedTest) -> Outcome:
        walk = walking.find_walk(self._analysis, self._body, test)
        result = walking.ten_metres(walk, test)
        if walk is not None:
            strided = walking.strides_of(self._analysis, self._meter(walk.span_s[0]), walk)
            self._timed.append((walk, test, strided))
            speed = result["test_walk_speed_m_s"].value
            self._speeds += [] if speed is None else [speed]
        return result

    def together(self) -> tuple[tuple[Value, ...], PersonalCalibration | None, str]:
        if not self._timed:
            return (), None, "no 10-metre walk"
        calibration, why_not = walking.personal(self._timed, self._spatial)
        params = replace(self._spatial, calibration=calibration)
        at_s = self._timed[0][0].span_s[0]
        meter = StrideMeter(self._body.chains, self._body.in_force(at_s), params)
        of_walking = walking.metrics(meter, [s for _, _, s in self._timed])
        shared = walking.DISTANCE_ERROR_M / 10.0 * max(self._speeds)  # the same lines for all
        speed = of_repeats("test_walk_speed_m_s", self._speeds, "walks", Error(shared))
        return ((speed,) if len(self._speeds) > 1 else ()) + of_walking, calibration, why_not

    def two_minutes(self, test: GuidedTest, params: SpatialParams) -> Outcome:
        walk = walking.find_walk(self._analysis, self._body, test, pauses=True)
        if walk is None:
            return walking.two_minutes(None, None, test, params, ())
        meter = StrideMeter(self._body.chains, self._body.in_force(walk.span_s[0]), params)
        strided = walking.strides_of(self._analysis, meter, walk)
        return walking.two_minutes(walk, strided, test, params, walking.metrics(meter, [strided]))


def _notices(analysis: Analysis, body: Body, left_out: tuple[Span, ...]) -> tuple[Notice, ...]:
    """Without the gaps that are of our own making."""
    out = [
        n
        for n in analysis.notices
        if n.kind is not NoticeKind.GAP
        or n.start_s is None
        or not any(a - 1.0 <= n.start_s <= b for a, b in left_out)
    ]
    missing = [p for p in body.chains if not body.aligned(p)]
    if missing:
        names = ", ".join(p.replace("_", " ") for p in missing)
        text = f"{names}: how the sensor sits is not known; {WALK_FIRST}."
        out.insert(0, Notice(NoticeKind.NO_WALKING, text))
    return tuple(out)
