"""A bout's mean waveforms, left and right over the cycle: an SVG's coordinates, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

from gaitmon.model import Angle, Floats, MetricValue, Side, Waveform
from gaitmon.symmetry.uncertainty import interval
from gaitmon.web.formats import margin, number, quantity

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 264.0, 130.0, 30.0, 112.0, 6.0
_LEAST_SPAN_DEG = 6.0  # so that a pelvis that hardly moves does not look like one that does
_TITLES = {
    Angle.THIGH_FLEXION: ("Thigh flexion", "forward +"),
    Angle.HIP_FLEXION: ("Hip flexion", "forward +"),
    Angle.PELVIC_TILT: ("Pelvic tilt", "anterior +"),
    Angle.PELVIC_OBLIQUITY: ("Pelvic obliquity", "own side up +"),
    Angle.PELVIC_ROTATION: ("Pelvic rotation", "own side forward +, about its mean"),
}


@dataclass(frozen=True, slots=True)
class Curve:
    """line: SVG path of the mean.  band: closed path of mean ± SD of the strides."""

    side: str
    line: str
    band: str


@dataclass(frozen=True, slots=True)
class WaveChart:
    """ticks: (text, y).  likeness: how far the sides differ, "" where that is not known.  text: in words."""

    name: str
    sign: str
    curves: tuple[Curve, ...]
    ticks: tuple[tuple[str, float], ...]
    likeness: str
    text: str


def wave_charts(waveforms: Sequence[Waveform], metrics: Mapping[str, MetricValue]) -> tuple[WaveChart, ...]:
    """One for each angle that at least one side has.  metrics: the bout's, by id."""
    found = []
    for angle in Angle:
        own = [w for side in Side for w in waveforms if w.angle is angle and w.side is side]
        if own:
            found.append(_chart(angle, own, metrics))
    return tuple(found)


def _chart(angle: Angle, own: Sequence[Waveform], metrics: Mapping[str, MetricValue]) -> WaveChart:
    low, high = _range(own)
    name, sign = _TITLES[angle]

    def path(x: Floats, *, back: bool = False) -> str:
        rows = range(100, -1, -2) if back else range(0, 101, 2)
        return " L".join(
            f"{LEFT + (WIDTH - LEFT - 4) * i / 100:.1f} "
            f"{BOTTOM - (BOTTOM - TOP) * (float(x[i]) - low) / (high - low):.1f}"
            for i in rows
        )

    curves = tuple(
        Curve(
            w.side.value,
            f"M{path(w.mean_deg)}",
            f"M{path(w.mean_deg + w.sd_deg)} L{path(w.mean_deg - w.sd_deg, back=True)} Z",
        )
        for w in own
    )
    ticks = sorted({low, high, *((0.0,) if low < 0.0 < high else ())})
    likeness = _likeness(metrics.get(f"{angle}_rmsd_deg"))
    sides = "; ".join(
        f"{w.side.value} from {number(float(w.mean_deg.min()), 'deg')}° "
        f"to {number(float(w.mean_deg.max()), 'deg')}°, {w.n} strides"
        for w in own
    )
    return WaveChart(
        name=name,
        sign=sign,
        curves=curves,
        ticks=tuple(
            (f"{number(t, decimals=0)}°", round(BOTTOM - (BOTTOM - TOP) * (t - low) / (high - low), 1))
            for t in ticks
        ),
        likeness=likeness,
        text=f"{name} over the gait cycle: {sides}." + (f" {likeness}." if likeness else ""),
    )


def _range(own: Sequence[Waveform]) -> tuple[float, float]:
    """Whole even degrees that hold every band, at least _LEAST_SPAN_DEG."""
    low = min(float((w.mean_deg - w.sd_deg).min()) for w in own)
    high = max(float((w.mean_deg + w.sd_deg).max()) for w in own)
    missing = max(_LEAST_SPAN_DEG - (high - low), 0.0)
    return 2.0 * floor((low - missing / 2) / 2), 2.0 * ceil((high + missing / 2) / 2)


def _likeness(rmsd: MetricValue | None) -> str:
    if rmsd is None or rmsd.value is None:
        return ""
    limits = interval(rmsd)
    error = "" if limits is None else f" (95 % interval {margin(rmsd.value, limits, 'deg')})"
    return f"The sides differ by {quantity(rmsd.value, 'deg')} RMS{error}"
