"""What a look at the samples tells before any gait is analysed: sensors that are dead, late, clipped or on
another clock.  Used for recordings, live and batch alike, so that both say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from gaitmon.errors import EmptyRecordingError, RecordingError
from gaitmon.model import Floats, ImuBlock, Notice, NoticeKind, Placement
from gaitmon.sensors.recording import Recording, SampleStream

SLOWEST_HZ = 20.0  # below, the impact at initial contact is no longer seen
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
BIN_S = 0.1
LAG_BINS = 300
LAG_WINDOW_BINS = 36_000


@dataclass(frozen=True, slots=True, eq=False)
class Inspected:
    """recording: without the sensors that gave nothing.  notices: what a reader must know beforehand."""

    recording: Recording
    notices: tuple[Notice, ...]


def inspect(recording: Recording) -> Inspected:
    """One pass over the samples of every worn sensor.

    Raises EmptyRecordingError when no worn sensor gave anything, RecordingError when the time stamps or
    units cannot be what they should be, or when the sensors were never worn at the same time.
    """
    seen = [_look(s) for s in recording.streams.values() if not s.placement.is_reference]
    if not seen:
        raise EmptyRecordingError(
            f"{recording.name}: only foot sensors, which serve as reference.",
            "Record with sensors on pelvis and thighs.",
        )
    dead = {s.placement: why for s in seen if (why := _dead(s))}
    alive = [s for s in seen if s.placement not in dead]
    if not alive:
        raise EmptyRecordingError(
            f"{recording.name}: {'; '.join(f'{p}: {why}' for p, why in dead.items())}.",
            "Check the sensors and record again.",
        )
    for s in alive:
        _check(recording.name, s)
    _check_overlap(recording.name, alive)
    notices = missing_sensors({s.placement for s in alive})
    notices += [Notice(NoticeKind.BAD_SAMPLES, f"{p}: {why}; it is left out.", p) for p, why in dead.items()]
    notices += _notes(recording, dead)
    for s in alive:
        notices += _no_gyroscope(s) + _clipped(s)
    notices += _unequal(alive) + _late_clocks(alive) + _too_short(alive)
    streams = {p: s for p, s in recording.streams.items() if p not in dead}
    return Inspected(replace(recording, streams=streams), tuple(notices))


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


# ---- one pass over one sensor -------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Seen:
    """low, high: (6,) or (3,) extremes of each channel, acc then gyr.  at_limit: how many samples of each
    channel are part of a plateau at its greatest magnitude.  motion: bin -> (sum, count)."""

    placement: Placement
    n: int = 0
    good: int = 0
    start_s: float = np.nan
    end_s: float = np.nan
    gap_s: float = 0.0
    gap_at_s: float = 0.0
    acc_sum: float = 0.0
    rate_hz: float = np.nan
    low: Floats = field(default_factory=lambda: np.empty(0))
    high: Floats = field(default_factory=lambda: np.empty(0))
    at_limit: Floats = field(default_factory=lambda: np.empty(0))
    motion: list[tuple[Floats, Floats]] = field(default_factory=list)


def _look(stream: SampleStream) -> _Seen:
    s = _Seen(stream.placement, rate_hz=stream.rate_hz)
    for block in stream.chunks():
        if len(block):
            _take(s, block)
    return s


def _take(s: _Seen, block: ImuBlock) -> None:
    t = block.t_s if s.n == 0 else np.concatenate([[s.end_s], block.t_s])
    steps = np.diff(t)
    if len(steps) and steps.max() > s.gap_s:
        s.gap_s, s.gap_at_s = float(steps.max()), float(t[int(steps.argmax())])
    s.start_s = float(block.t_s[0]) if s.n == 0 else s.start_s
    s.end_s = float(block.t_s[-1])
    s.n += len(block)
    x = block.acc_m_s2 if block.gyr_rad_s is None else np.hstack([block.acc_m_s2, block.gyr_rad_s])
    good = np.isfinite(x).all(axis=1)
    if not good.any():
        return
    x, t_good = x[good], block.t_s[good]
    norm = np.linalg.norm(x[:, :3], axis=1)
    s.good += len(x)
    s.acc_sum += float(norm.sum())
    effort = np.abs(norm - 9.81) if x.shape[1] == 3 else np.linalg.norm(x[:, 3:], axis=1)
    s.motion.append((np.floor(t_good / BIN_S), effort))
    if len(s.low) == 0:
        s.low, s.high, s.at_limit = x[0], x[0], np.zeros(x.shape[1])
    before = np.maximum(-s.low, s.high)
    s.low, s.high = np.minimum(s.low, x.min(axis=0)), np.maximum(s.high, x.max(axis=0))
    limit = np.maximum(-s.low, s.high)
    s.at_limit = np.where(limit > before, 0.0, s.at_limit)
    at = np.abs(x) >= limit
    s.at_limit += (at[:-2] & at[1:-1] & at[2:]).sum(axis=0)


# ---- what that means ----------------------------------------------------------------------------


def _dead(s: _Seen) -> str:
    if s.good == 0:
        return "not one sample has all its values"
    if s.n > 1 and (s.low == s.high).all():
        return "the signal never changes"
    return ""


def _check(name: str, s: _Seen) -> None:
    if s.gap_s > LONGEST_GAP_S:
        raise RecordingError(
            f"{name}: {s.placement}: the time stamps jump by {s.gap_s:.0f} s at {s.gap_at_s:.2f} s.",
            "It looks like two recordings in one; split it there.",
        )
    rate_hz = (s.n - 1) / (s.end_s - s.start_s) if s.n > 1 else np.nan
    typical_hz = s.rate_hz if np.isfinite(s.rate_hz) else rate_hz
    if typical_hz < SLOWEST_HZ or typical_hz > FASTEST_HZ:
        raise RecordingError(
            f"{name}: {s.placement}: {typical_hz:.3g} samples a second; it takes {SLOWEST_HZ:.0f} or more.",
            "Are the time stamps in seconds? Otherwise record at 50 Hz or more.",
        )
    mean = s.acc_sum / s.good
    low, high = MEAN_ACC_M_S2
    if not low < mean < high:
        raise RecordingError(
            f"{name}: {s.placement}: the mean acceleration is {mean:.3g}, where gravity alone is 9.81 m/s².",
            "Give it in m/s².",
        )
    fastest = float(np.maximum(-s.low, s.high)[3:].max(initial=0.0))
    if fastest > FASTEST_RAD_S:
        raise RecordingError(
            f"{name}: {s.placement}: an angular rate of {fastest:.0f} rad/s, which no limb reaches.",
            "Give it in rad/s, not in deg/s.",
        )


def _check_overlap(name: str, alive: Sequence[_Seen]) -> None:
    late = max(alive, key=lambda s: s.start_s)
    early = min(alive, key=lambda s: s.end_s)
    apart_s = late.start_s - early.end_s
    if apart_s > UNEQUAL_S:
        raise RecordingError(
            f"{name}: {late.placement} starts {apart_s:.0f} s after the end of {early.placement}.",
            "Put all sensors on one clock, or analyse them one by one.",
        )


def _notes(recording: Recording, dead: dict[Placement, str]) -> list[Notice]:
    """What the importer did.  It names what it did to one sensor's samples "<placement>: <what>"."""
    named: dict[str, Placement] = {p.value: p for p in Placement}
    out = []
    for key, text in recording.notes.items():
        sensor, _, what = key.partition(":")
        placement = named.get(sensor)
        if placement in dead or what == " NaN":  # told already, or counted by the pipeline
            continue
        kind = NoticeKind.RECORDING if placement is None else NoticeKind.BAD_SAMPLES
        out.append(Notice(kind, f"{placement or key}: {text}.", placement))
    return out


def _no_gyroscope(s: _Seen) -> list[Notice]:
    if len(s.low) == 6 or s.placement is Placement.PHONE:
        return []
    lost = "pelvic angles" if s.placement is Placement.PELVIS else "angles and final contacts"
    return [
        Notice(NoticeKind.SENSOR_MISSING, f"{s.placement}: no gyroscope, so no {lost} from it.", s.placement)
    ]


def _clipped(s: _Seen) -> list[Notice]:
    out = []
    limit = np.maximum(-s.low, s.high)
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


def _unequal(alive: Sequence[_Seen]) -> list[Notice]:
    """Late starts; that a sensor has gone silent is told by the pipeline, live as well."""
    start_s = min(s.start_s for s in alive)
    out = []
    for s in alive:
        if s.start_s - start_s > UNEQUAL_S:
            text = f"{s.placement}: starts {s.start_s - start_s:.1f} s after the first sensor."
            out.append(Notice(NoticeKind.GAP, text, s.placement, start_s, s.start_s))
    return out


def _too_short(alive: Sequence[_Seen]) -> list[Notice]:
    length_s = max(s.end_s for s in alive) - min(s.start_s for s in alive)
    if length_s >= SHORTEST_S:
        return []
    return [
        Notice(
            NoticeKind.TOO_SHORT,
            f"The recording lasts {length_s:.1f} s; walking is found from {SHORTEST_S:.0f} s.",
        )
    ]


# ---- clocks -------------------------------------------------------------------------------------


def _late_clocks(alive: Sequence[_Seen]) -> list[Notice]:
    """Sensors on one body start and stop moving together; one that does so later has another clock.

    Finds seconds, not milliseconds: starts and stops must be in the recording.
    """
    motion = {s.placement: _envelope(s, alive) for s in alive}
    lags = {
        (a, b): lag_s
        for a, b in combinations(motion, 2)
        if (lag_s := _lag_s(motion[a], motion[b])) is not None
    }
    if not lags:
        return []
    everywhere = [p for p in motion if all(p in pair for pair in lags)] if len(lags) > 1 else []
    (a, b), lag_s = max(lags.items(), key=lambda item: abs(item[1]))
    text = (
        f"The clocks of {a} and {b} seem to be {abs(lag_s):.1f} s apart"
        f"{f' ({everywhere[0]} differs from the others too)' if everywhere else ''}: "
        "left and right cannot be compared in time. Synchronise the sensors and record again."
    )
    return [Notice(NoticeKind.UNSYNCHRONISED, text, everywhere[0] if everywhere else None)]


def _envelope(s: _Seen, alive: Sequence[_Seen]) -> Floats:
    """Logarithm of the mean motion in each bin, smoothed over 1 s; NaN where nothing was measured.

    Bin 0 is where the sensors have their first time in common; at most the first hour.
    """
    first = np.floor(max(x.start_s for x in alive) / BIN_S)
    last = np.floor(min(x.end_s for x in alive) / BIN_S)
    n = int(min(max(last - first, 0.0), LAG_WINDOW_BINS))
    bins = np.concatenate([b for b, _ in s.motion]) - first
    effort = np.concatenate([e for _, e in s.motion])
    inside = (bins >= 0) & (bins < n)
    where = bins[inside].astype(np.int64)
    total = np.bincount(where, effort[inside], minlength=n)
    count = np.bincount(where, minlength=n)
    with np.errstate(invalid="ignore"):
        level: Floats = np.log(total / count + 0.1)
    if n < 10:
        return level
    return np.convolve(level, np.full(10, 0.1), mode="same")


def _lag_s(a: Floats, b: Floats) -> float | None:
    """How much later b moves than a, where that is beyond doubt and at least 0.5 s; else None."""
    n = len(a)
    reach = min(LAG_BINS, n // 3)
    if reach < 10:
        return None
    alike = np.array([_correlation(a, b, lag) for lag in range(-reach, reach + 1)])
    best = int(np.argmax(alike))
    lag_s = (best - reach) * BIN_S
    gain = alike[best] - alike[reach]
    clear = alike[best] > 0.7 and gain > 0.05 and gain > 0.5 * (1.0 - alike[reach])
    return lag_s if clear and abs(lag_s) >= 0.5 else None


def _correlation(a: Floats, b: Floats, lag: int) -> float:
    """Of a[i] and b[i + lag]; 0 where either does not change."""
    x = a[max(0, -lag) : len(a) - max(0, lag)]
    y = b[max(0, lag) : len(b) - max(0, -lag)]
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 50:
        return 0.0
    x, y = x[both] - x[both].mean(), y[both] - y[both].mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 1e-9 else 0.0
