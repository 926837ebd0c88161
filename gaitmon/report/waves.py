"""Mean waveforms of both sides over the gait cycle, the norm of the speed behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gaitmon.analysis import Analysis
from gaitmon.model import Angle, Side, Waveform
from gaitmon.report.look import COLOUR, FAINT, GREY, HATCH, LINE, NORM, bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CYCLE_PCT = np.arange(101)
_LEAST_SPAN_DEG = 12.0  # so that a curve that hardly moves looks as if it hardly moved
_SAYS = {
    Angle.THIGH_FLEXION: ("Thigh flexion", "back", "forward"),
    Angle.HIP_FLEXION: ("Hip flexion", "extends", "flexes"),
    Angle.PELVIC_TILT: ("Pelvic tilt", "back", "forward"),
    Angle.PELVIC_OBLIQUITY: ("Pelvic obliquity", "own side down", "own side up"),
    Angle.PELVIC_ROTATION: ("Pelvic rotation", "own side back", "own side forward"),
}


def angles(a: Analysis) -> list[Angle]:
    """Those with a mean waveform of at least one side."""
    known = {w.angle for w in a.waveforms}
    return [angle for angle in Angle if angle in known]


def draw_waves(axis: Axes, a: Analysis, angle: Angle) -> None:
    """Each side over its own cycle, mean and SD between strides."""
    own = [w for side in Side if (w := a.waveform(angle, side)) is not None]
    _norm(axis, a, angle, own)
    for w in own:
        low, high = w.mean_deg - w.sd_deg, w.mean_deg + w.sd_deg
        colour = COLOUR[w.side]
        axis.fill_between(
            _CYCLE_PCT, low, high, facecolor="none" if HATCH[w.side] else colour, hatch=HATCH[w.side],
            edgecolor=colour, alpha=0.28, lw=0.0, zorder=2,
        )  # fmt: skip
        axis.plot(_CYCLE_PCT, w.mean_deg, color=colour, ls=LINE[w.side], lw=1.6, zorder=4)
        _foot_off(axis, a, w.side)
    name, less, more = _SAYS[angle]
    axis.axhline(0.0, color=FAINT, lw=0.6, zorder=1)
    axis.set_xlim(0, 100)
    axis.set_ylim(*_limits(own))
    axis.set_title(f"{name} (°)", loc="left", fontsize=8.5, fontweight="bold", pad=3)
    bare(axis, "left", "bottom")
    axis.text(1.0, 1.01, f"↑ {more}   ↓ {less}", transform=axis.transAxes, fontsize=6.5, color=GREY,
              ha="right", va="bottom")  # fmt: skip


def _norm(axis: Axes, a: Analysis, angle: Angle, own: list[Waveform]) -> None:
    """The published curve, moved to the height of the wearer's own: zero is elsewhere (symmetry.norms)."""
    norm = a.norm(angle)
    if norm is None:
        return
    height = np.mean([w.mean_deg[:-1].mean() for w in own]) - norm.mean_deg[:-1].mean()
    mean = norm.mean_deg + height
    axis.fill_between(_CYCLE_PCT, mean - norm.sd_deg, mean + norm.sd_deg, color=NORM, lw=0.0, zorder=0)
    axis.plot(_CYCLE_PCT, mean, color=GREY, ls=":", lw=0.9, zorder=1)


def _foot_off(axis: Axes, a: Analysis, side: Side) -> None:
    stance, stride = a.metric(f"stance_time_{side}_s"), a.metric(f"stride_time_{side}_s")
    if stance is None or stride is None or stance.value is None or stride.value is None:
        return
    at = 100.0 * stance.value / stride.value
    axis.axvline(at, 0.0, 0.09, color=COLOUR[side], ls=LINE[side], lw=1.2)


def _limits(own: list[Waveform]) -> tuple[float, float]:
    """Of the wearer's curves: a norm whose subjects differ much, as in tilt, does not press them flat."""
    low = min(float((w.mean_deg - w.sd_deg).min()) for w in own)
    high = max(float((w.mean_deg + w.sd_deg).max()) for w in own)
    room = max(0.08 * (high - low), 0.5 * (_LEAST_SPAN_DEG - (high - low)))
    return low - room, high + room
