"""What a look at the samples tells before any gait is analysed: sensors that are dead, late, clipped or on
another clock.  Used for recordings, live and batch alike, so that both say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from gaitmon.errors import EmptyRecordingError, RecordingError
from gaitmon.model import Notice, NoticeKind, Placement, SyncBound
from gaitmon.sensors.clock_check import ClockCheck, ClockFault
from gaitmon.sensors.frame_check import FrameCheck
from gaitmon.sensors.inspection_clocks import late_clocks, told
from gaitmon.sensors.inspection_pass import BIN_S, Seen, cleaned, look
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.windows import windows

SLOWEST_HZ = 20.0  # below, the impact at initial contact is no longer seen
USUAL_HZ = 500.0
_UNITS = (("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9))
FASTEST_HZ = 10_000.0  # above, the time stamps are not in seconds
LONGEST_GAP_S = 86_400.0
SHORTEST_S = 5.0
UNEQUAL_S = 1.0  # sensors that start or end this much apart are told
MEAN_ACC_M_S2 = (4.9, 19.6)  # half and twice gravity: a day's mean outside is another unit
CLIPS_FROM = (
    15.0,
    2.0,
)  # m/s², rad/s: the smallest full scales there are, ±2 g and ±125 deg/s, less a margin
FASTEST_RAD_S = 80.0  # twice the full scale of the usual gyroscopes
MANY = 10  # jumps across the scale: fewer are single bad samples
_OVERFLOWS = "jumps from one end of its scale to the other: the numbers overflow; record with a larger range"
NEVER_TURNS_RAD_S = 0.12  # 7 deg/s: a tenth of what the stillest pelvis does in walking
STRIDES_M_S2 = 8.0  # between the extremes of a channel
MOVES = 0.5  # rad/s or m/s²
HELD = 0.45  # of the samples in motion


@dataclass(frozen=True, slots=True, eq=False)
class Inspected:
    """recording: without the sensors, gyroscopes and stretches that gave nothing.  notices: what a reader
    must know beforehand.  bound: how far the thighs' clocks are apart; None while they seem together."""

    recording: Recording
    notices: tuple[Notice, ...]
    bound: SyncBound | None = None


def inspect(recording: Recording) -> Inspected:
    """Two passes over the samples of every worn sensor.

    Raises EmptyRecordingError when no worn sensor gave anything, RecordingError when the time stamps, units
    or axes cannot be what they should be, or when the sensors were never worn at the same time.
    """
    seen = [look(s) for s in recording.streams.values() if not s.placement.is_reference]
    if not seen:
        raise EmptyRecordingError(
            f"{recording.name}: only foot sensors, which serve as reference.",
            "Record with sensors on pelvis and thighs.",
        )
    gone = {s.placement: why for s in seen if (why := _dead(s))}
    alive = [s for s in seen if s.placement not in gone]
    if not alive:
        raise EmptyRecordingError(
            f"{recording.name}: {'; '.join(f'{p}: {why}' for p, why in gone.items())}.",
            "Check the sensors and record again.",
        )
    for s in alive:
        _check(recording.name, s)
        s.frozen = _while_others_moved(s, alive)
    for s in alive:
        s.forget_frozen()
    _check_overlap(recording.name, alive)
    _check_twins(recording.name, alive)
    notices = _notes(recording, gone)
    for s in alive:
        notices += _no_gyroscope(s) + _not_measured(s) + _held(s) + _clipped(s)
    good = _without(recording, alive)
    moved = _moved_together(good)
    clocks = late_clocks(alive) or told(moved)
    if clocks.left_out is not None:
        gone[clocks.left_out] = clocks.text
        good = replace(good, streams={p: s for p, s in good.streams.items() if p not in gone})
    elif clocks.text:
        notices.append(Notice(NoticeKind.UNSYNCHRONISED, clocks.text, clocks.placement))
    notices += _unequal(alive) + _too_short(alive)
    left_out = [Notice(NoticeKind.BAD_SAMPLES, f"{p}: {why}; it is left out.", p) for p, why in gone.items()]
    missing = missing_sensors({s.placement for s in alive if s.placement not in gone})
    return Inspected(good, (*missing, *left_out, *notices), clocks.bound(good.start_s))


def missing_sensors(placements: set[Placement]) -> list[Notice]:
    """What cannot be said without the sensors that are not there."""
    thighs = placements & {Placement.LEFT_THIGH, Placement.RIGHT_THIGH}
    out: list[str] = []
    if len(thighs) == 1:
        one = next(iter(thighs)).replace("_", " ")
        out.append(f"Only the {one} is there: no left-right comparison, step times or pelvic drop.")
    elif not thighs and Placement.THIGH in placements:
        out.append("One thigh of unknown side: its strides have no side, and nothing can be compared.")
    elif not thighs:
        told = "contacts come from the pelvis alone, with less certain sides and without stance or swing"
        instead = told if Placement.PELVIS in placements else "no contacts and strides can be told"
        out.append(f"No thigh sensor: {instead}; wear one on each thigh.")
    if Placement.PELVIS not in placements:
        out.append("No pelvis sensor: no pelvic tilt, obliquity, rotation or drop.")
    return [Notice(NoticeKind.SENSOR_MISSING, text) for text in out]


# ---- what that means ----------------------------------------------------------------------------


def _dead(s: Seen) -> str:
    """Why the sensor cannot be used at all; "" where it can."""
    if s.good == 0 and s.impossible < s.n:
        return "not one sample has all its values"
    if s.n == 1 and s.good:
        return ""
    if s.good == 0 or (s.low == s.high).all():
        return "the signal never changes"
    if (still := _still(s, 0)) is not None:
        return f"its acceleration along {still} never changes"
    if s.overflows[:3].max() >= MANY:
        return f"its acceleration {_OVERFLOWS}"
    return ""


def _bad_gyroscope(s: Seen) -> str:
    """Why the gyroscope cannot be used; "" where it can or there is none."""
    if len(s.low) < 6 or s.n == 1:
        return ""
    if (still := _still(s, 3)) is not None:
        return f"the rate of turn about {still} never changes"
    if s.overflows[3:].max() >= MANY:
        return f"the rate of turn {_OVERFLOWS}"
    fastest = float(s.limit[3:].max())
    if fastest < NEVER_TURNS_RAD_S and float((s.high - s.low)[:3].max()) > STRIDES_M_S2:
        return (
            f"no rate of turn above {fastest:.2g} rad/s where the accelerometer shakes: is it in rad/s "
            "(deg/s times 0.0174533, and only once)?"
        )
    return ""


def _still(s: Seen, first: int) -> str | None:
    """Which of the three axes from channel first on never changes."""
    return next((axis for i, axis in enumerate("xyz", first) if s.low[i] == s.high[i]), None)


def _check(name: str, s: Seen) -> None:
    _check_time(name, s)
    mean = s.acc_sum / s.good
    low, high = MEAN_ACC_M_S2
    if not low < mean < high:
        raise RecordingError(
            f"{name}: {s.placement}: the mean acceleration is {mean:.3g}, where gravity alone is 9.81 m/s².",
            "Give it in m/s².",
        )
    fastest = float(s.limit[3:].max(initial=0.0))
    if fastest > FASTEST_RAD_S:
        raise RecordingError(
            f"{name}: {s.placement}: an angular rate of {fastest:.0f} rad/s, which no limb reaches.",
            "Give it in rad/s, not in deg/s.",
        )


def _check_time(name: str, s: Seen) -> None:
    rate_hz = (s.n - 1) / (s.end_s - s.start_s) if s.n > 1 else np.nan
    typical_hz = s.rate_hz if np.isfinite(s.rate_hz) else rate_hz
    if s.bunched:
        raise RecordingError(
            f"{name}: {s.placement}: the time stamps come in bunches with pauses between them.",
            "They look like times of arrival: give the sensor's own times, or number the samples and divide "
            "by its rate.",
        )
    if typical_hz < 0.99 * SLOWEST_HZ or typical_hz > FASTEST_HZ:
        fits = [(unit, f) for unit, f in _UNITS if SLOWEST_HZ <= typical_hz * f <= USUAL_HZ]
        otherwise = " They may be sample numbers. Otherwise record at 50 Hz or more."
        which = f" They would do as {fits[0][0]}: divide them by {fits[0][1]:.0f}." if fits else ""
        raise RecordingError(
            f"{name}: {s.placement}: {typical_hz:.3g} samples a second; it takes {SLOWEST_HZ:.0f} or more.",
            f"Are the time stamps in seconds?{which or otherwise}",
        )
    if s.gap_s > LONGEST_GAP_S:
        raise RecordingError(
            f"{name}: {s.placement}: the time stamps jump by {s.gap_s:.0f} s at {s.gap_at_s:.2f} s.",
            "It looks like two recordings in one; split it there.",
        )


def _check_overlap(name: str, alive: Sequence[Seen]) -> None:
    late = max(alive, key=lambda s: s.start_s)
    early = min(alive, key=lambda s: s.end_s)
    apart_s = late.start_s - early.end_s
    if apart_s > UNEQUAL_S:
        raise RecordingError(
            f"{name}: {late.placement} starts {apart_s:.0f} s after the end of {early.placement}.",
            "Put all sensors on one clock, or analyse them one by one.",
        )


def _check_twins(name: str, alive: Sequence[Seen]) -> None:
    for a, b in combinations(alive, 2):
        if a.n > 1 and a.same_as == b.same_as:
            raise RecordingError(
                f"{name}: {a.placement} and {b.placement} hold the same samples.",
                "One file was given twice: take the other sensor's.",
            )


def _while_others_moved(s: Seen, alive: Sequence[Seen]) -> list[tuple[float, float]]:
    """The stretches in which the values stood still and the wearer did not: a coarse converter may give the
    same values through a whole rest."""
    out = []
    for start_s, end_s in s.frozen:
        for other in alive:
            bins = np.concatenate([b for b, _ in other.motion])
            during = (bins > start_s / BIN_S) & (bins < end_s / BIN_S)
            effort = np.concatenate([e for _, e in other.motion])[during]
            if other is not s and effort.size and float(effort.mean()) > MOVES:
                out.append((start_s, end_s))
                break
    return out


def _without(recording: Recording, alive: Sequence[Seen]) -> Recording:
    """Only what was measured."""
    streams = {p: stream for p, stream in recording.streams.items() if p.is_reference}
    for s in alive:
        stream = recording.streams[s.placement]
        streams[s.placement] = cleaned(stream, s, gyroscope=not _bad_gyroscope(s))
    return replace(recording, streams={p: streams[p] for p in recording.streams if p in streams})


def _moved_together(recording: Recording) -> ClockFault | None:
    """What walking tells of the clocks.  Raises RecordingError where the axes of a gyroscope are not its
    accelerometer's."""
    clocks = ClockCheck()
    frames = {p: FrameCheck() for p, s in recording.streams.items() if s.has_gyroscope and not p.is_reference}
    for window in windows(recording):
        clocks.see(window)
        for p, samples in window.samples.items():
            if p in frames:
                frames[p].see(samples)
    for p, frame in frames.items():
        if axes := frame.fault():
            raise RecordingError(
                f"{recording.name}: {p}: gyroscope and accelerometer do not have the same axes.",
                f"Give both in one right-handed frame; the rates of turn would fit as {axes}.",
            )
    return clocks.fault()


def _notes(recording: Recording, gone: dict[Placement, str]) -> list[Notice]:
    """What the importer did.  It names what it did to one sensor's samples "<placement>: <what>"."""
    named: dict[str, Placement] = {p.value: p for p in Placement}
    out = []
    for key, text in recording.notes.items():
        sensor, _, what = key.partition(":")
        placement = named.get(sensor)
        if placement in gone or what == " NaN":  # told already, or counted by the pipeline
            continue
        kind = NoticeKind.RECORDING if placement is None else NoticeKind.BAD_SAMPLES
        out.append(Notice(kind, f"{placement or key}: {text}.", placement))
    return out


def _no_gyroscope(s: Seen) -> list[Notice]:
    why = _bad_gyroscope(s)
    if (len(s.low) == 6 and not why) or s.placement is Placement.PHONE:
        return []
    lost = "pelvic angles" if s.placement is Placement.PELVIS else "angles and final contacts"
    what = f"the gyroscope is left out, {why};" if why else "no gyroscope, so"
    text = f"{s.placement}: {what} no {lost} from it."
    return [Notice(NoticeKind.BAD_SAMPLES if why else NoticeKind.SENSOR_MISSING, text, s.placement)]


def _not_measured(s: Seen) -> list[Notice]:
    out = []
    if s.impossible:
        text = (
            f"{s.placement}: {s.impossible} samples are no measurement, three equal values of 0 or at the "
            "end of the scale, and were left out."
        )
        out.append(Notice(NoticeKind.BAD_SAMPLES, text, s.placement))
    for start_s, end_s in s.frozen:
        text = (
            f"{s.placement}: the very same values from {start_s:.1f} to {end_s:.1f} s while another sensor "
            "moved: it was stuck, and they are left out."
        )
        out.append(Notice(NoticeKind.BAD_SAMPLES, text, s.placement, start_s, end_s))
    return out


def _repeating(s: Seen) -> bool:
    return s.moving > 100 and s.held > HELD * s.moving


def _held(s: Seen) -> list[Notice]:
    if s.frozen or not _repeating(s):
        return []
    rate_hz = s.rate_hz * (1.0 - s.held / s.moving)
    text = (
        f"{s.placement}: many samples repeat the one before: it measures only about {rate_hz:.0f} times a "
        f"second, not {s.rate_hz:.0f}, or very coarsely. Record or export it at its own rate."
    )
    return [Notice(NoticeKind.BAD_SAMPLES, text, s.placement)]


def _clipped(s: Seen) -> list[Notice]:
    out: list[Notice] = []
    limit = s.limit
    if _repeating(s):
        return out
    for what, unit, channels, least in (
        ("accelerometer", "m/s²", slice(0, 3), CLIPS_FROM[0]),
        ("gyroscope", "rad/s", slice(3, 6), CLIPS_FROM[1]),
    ):
        cut = (s.at_limit[channels] > 0) & (limit[channels] >= least)
        if cut.any():
            count = int(s.at_limit[channels][cut].sum())
            text = (
                f"{s.placement}: the {what} was at its limit of {limit[channels][cut].min():.3g} {unit} in "
                f"{count} samples or more: peaks are cut off, ranges of motion may be too small."
            )
            out.append(Notice(NoticeKind.CLIPPED, text, s.placement))
    return out


def _unequal(alive: Sequence[Seen]) -> list[Notice]:
    """Late starts; that a sensor has gone silent is told by the pipeline, live as well."""
    start_s = min(s.start_s for s in alive)
    out = []
    for s in alive:
        if s.start_s - start_s > UNEQUAL_S:
            text = f"{s.placement}: starts {s.start_s - start_s:.1f} s after the first sensor."
            out.append(Notice(NoticeKind.GAP, text, s.placement, start_s, s.start_s))
    return out


def _too_short(alive: Sequence[Seen]) -> list[Notice]:
    length_s = max(s.end_s for s in alive) - min(s.start_s for s in alive)
    if length_s >= SHORTEST_S:
        return []
    return [
        Notice(
            NoticeKind.TOO_SHORT,
            f"The recording lasts {length_s:.1f} s; walking is found from {SHORTEST_S:.0f} s.",
        )
    ]
