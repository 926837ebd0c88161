"""Values, uncertainties and their context in words: what the table and the figure both say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gaitmon.analysis import Analysis
from gaitmon.model import MetricValue, Posture, Side, WalkingBout
from gaitmon.model_leg import SpatialParams
from gaitmon.symmetry.metrics import METRICS, MetricDefinition
from gaitmon.symmetry.uncertainty import interval

DISCLAIMER = "gaitmon measures and shows; it does not diagnose."
PLUS_MINUS = "± is half of the 95 % interval"


def half_interval(m: MetricValue) -> float | None:
    """Half the width of the 95 % interval, in the metric's unit."""
    limits = interval(m)
    return None if limits is None else 0.5 * (limits[1] - limits[0])


def text_of(m: MetricValue, *, signed: bool = False) -> str:
    """A value with its 95 % uncertainty, without its unit.  m.value must not be None."""
    n = METRICS[m.metric].decimals
    value = f"{m.value:+z.{n}f}" if signed else f"{m.value:z.{n}f}"
    half = half_interval(m)
    if half is None:
        return value
    shown = max(half, 10.0**-n) if half > 0.0 else half  # rounded to nothing it would read as certain
    return f"{value} ± {shown:.{n}f}"


def unit_of(d: MetricDefinition) -> str:
    """As it follows a number."""
    return "°" if d.unit == "deg" else f" {d.unit}" if d.unit else ""


def normal_of(d: MetricDefinition) -> str:
    """What healthy adults show, without its unit; empty where no figure is at hand."""
    return "" if d.normal is None else f"{d.normal.low:g} to {d.normal.high:g}"


def counted(a: Analysis) -> str:
    """Strides behind the values, by side."""
    bouts = [b for b in a.bouts if not b.stratum.startswith("excluded")]
    accepted = [v.side for b in bouts for v in b.strides if v.accepted]
    unknown = f", {accepted.count(None)} of unknown side" if None in accepted else ""
    return f"{accepted.count(Side.LEFT)} left, {accepted.count(Side.RIGHT)} right{unknown}"


def worn(a: Analysis) -> str:
    return ", ".join(p.replace("_", " ") for p in a.recording.streams if not p.is_reference)


def recorded(a: Analysis) -> str:
    """When, as far as the file says it, and for how long."""
    r = a.recording
    length = duration(r.end_s - r.start_s)
    if r.start_utc_us is None:
        return f"{length}, date not in the file"
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=r.start_utc_us, seconds=r.start_s)
    return f"{start:%Y-%m-%d %H:%M} UTC, {length}"


def lengths(a: Analysis) -> str:
    """What lengths and speeds rest on, and what is doubtful of them; empty where there are none."""
    speed, spatial = a.metric("walking_speed_m_s"), a.params.spatial
    if speed is None or speed.value is None:
        return ""
    return ", ".join([*rest_on(spatial), *([speed.note] if speed.note else [])])


def rest_on(spatial: SpatialParams) -> list[str]:
    """What lengths and speeds of a wearer rest on; empty where the leg is only assumed."""
    leg = [] if spatial.leg.assumed else [f"for a leg of {spatial.leg.length_m:.2f} m"]
    tied = spatial.calibration
    return leg if tied is None else [*leg, f"tied to the wearer by a timed walk at {tied.speed_m_s:.2f} m/s"]


def duration(seconds: float) -> str:
    if seconds < 100.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000.0 else f"{seconds / 3600:.1f} h"


def postures(a: Analysis) -> str:
    """How long in which posture, those that occur."""
    told = []
    for posture in Posture:
        spans = [s.end_s - s.start_s for s in a.postures if s.posture is posture]
        if spans:
            told.append(f"{posture.replace('_', ' ')} {duration(sum(spans))}")
    return ", ".join(told)


def uncounted(a: Analysis) -> str:
    """Why strides do not count, and how many; empty where all do."""
    reasons = [v.reason or "not straight" for v in a.verdicts.values() if not v.accepted]
    outside = len(a.strides) - len(a.verdicts)
    told = [f"{reasons.count(reason)} {reason}" for reason in dict.fromkeys(reasons)]
    return "; ".join([*told, f"{outside} outside any bout"] if outside > 0 else told)


def bout_line(b: WalkingBout) -> str:
    words = [
        f"{b.start_s:.0f} to {b.end_s:.0f} s",
        f"{len(b.strides)} strides, {sum(v.accepted for v in b.strides)} of them straight and steady",
        *([f"turns: {len(b.turns)}"] if b.turns else []),
        b.stratum,
    ]
    return f"Bout {b.ordinal}: {', '.join(words)}"
