"""One minute of signals with the detected contacts, as a PNG to look at on a laptop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gaitmon.analysis import Analysis
from gaitmon.errors import RecordingError
from gaitmon.imu.filters import lowpass_kernel
from gaitmon.imu.resample import Resampler
from gaitmon.model import Alignment, Contact, ContactKind, Floats, Placement, Side
from gaitmon.report.look import COLOUR, LINE, MARKER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN_S = 60.0
LINE_S = 20.0  # the minute is broken into lines, like a text: at 20 s a line single contacts can be seen
_PELVIS = "#555555"
_SMOOTH = lowpass_kernel(6.0, 20, 100.0)


def plot_contacts(analysis: Analysis, path: Path, *, start_s: float | None = None) -> None:
    """Write the figure.  start_s: where the minute begins, by default where most contacts are.

    Per line of 20 s: the flexion rate of both thighs (of an unaligned one the magnitude of its angular
    rate) and the pelvis' acceleration.  Initial contacts are filled, final contacts hollow.
    Raises RecordingError where the file cannot be written or there is nothing to draw.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    recording = analysis.recording
    worn = [p for p in recording.streams if not p.is_reference]
    if not worn:
        raise RecordingError(f"{recording.name}: no worn sensor to draw.", "Record with sensors.")
    begin = _busiest_minute(analysis) if start_s is None else start_s
    end = min(begin + SHOWN_S, recording.end_s)
    if not begin < end:
        raise RecordingError(
            f"{recording.name} ends at {recording.end_s:.1f} s.", "Give an earlier --plot-from."
        )
    lines = max(1, round((end - begin) / LINE_S))
    line_s = (end - begin) / lines
    figure = Figure(figsize=(14.0, 1.3 + 2.5 * lines), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2 * lines, 1, squeeze=False, height_ratios=[3, 1.4] * lines)[:, 0]
    signals = {p: _grid(analysis, p, begin, end) for p in worn}
    for line in range(lines):
        from_s = begin + line * line_s
        _draw_line(axes[2 * line], axes[2 * line + 1], analysis, signals, (from_s, from_s + line_s))
    for kind in (axes[::2], axes[1::2]):
        _same_scale(list(kind))
    for axis in axes[::2]:
        _draw_contacts(axis, analysis.contacts)
    axes[-1].set_xlabel("time on the recording's clock (s)")
    _title(figure, analysis, begin, end)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: cannot write the figure ({error}).", "Give a .png path.") from None


_Signal = tuple[Floats, Floats, Floats | None]  # t_s, acc, gyr on the 100 Hz grid, NaN rows at holes


def _draw_line(
    thighs: Axes, below: Axes, a: Analysis, signals: dict[Placement, _Signal], span: tuple[float, float]
) -> None:
    """Thigh rates above, one accelerometer below.  Bold: below 6 Hz, as contacts are sought; pale: raw."""
    from_s, to_s = span
    for placement, (t, _, gyr) in signals.items():
        shown = (t >= from_s) & (t <= to_s)
        if placement in (Placement.PELVIS, Placement.PHONE) or gyr is None or not shown.any():
            continue
        side = placement.side
        rate = _flexion_rate(a, placement, to_s, gyr)
        smooth = np.convolve(rate, _SMOOTH, mode="same")
        thighs.plot(t[shown], rate[shown], color=COLOUR[side], lw=0.6, alpha=0.3)
        thighs.plot(t[shown], smooth[shown], color=COLOUR[side], ls=LINE[side], lw=1.6)
    placement = Placement.PELVIS if Placement.PELVIS in signals else next(iter(signals))
    t, acc, _ = signals[placement]
    shown = (t >= from_s) & (t <= to_s)
    below.plot(t[shown], np.linalg.norm(acc[shown], axis=1), color=_PELVIS, lw=1.0)
    below.axhline(9.81, color="#bbbbbb", lw=0.8, zorder=0)
    thighs.axhline(0.0, color="#bbbbbb", lw=0.8, zorder=0)
    thighs.set_ylabel("thigh flexion\nrate (rad/s)")
    below.set_ylabel(f"{placement.replace('_', ' ')}\n|acc| (m/s²)")
    _shade_turns(thighs, below, a, from_s, to_s)
    for c in a.contacts:
        if c.kind is ContactKind.IC:
            for axis in (thighs, below):
                axis.axvline(c.t_s, color=COLOUR[c.side], ls=LINE[c.side], lw=0.7, alpha=0.5, zorder=0)
    for axis in (thighs, below):
        axis.set_xlim(from_s, to_s)
        for edge in ("top", "right"):
            axis.spines[edge].set_visible(False)
    thighs.tick_params(labelbottom=False)


def _same_scale(axes: Sequence[Axes]) -> None:
    """So that a quiet line looks quiet."""
    limits = np.array([axis.get_ylim() for axis in axes])
    for axis in axes:
        axis.set_ylim(limits[:, 0].min(), limits[:, 1].max())


def _draw_contacts(thighs: Axes, contacts: Sequence[Contact]) -> None:
    """Left at the top, right at the bottom, side unknown at the top too."""
    low, high = thighs.get_ylim()
    from_s, to_s = thighs.get_xlim()
    room = 0.16 * (high - low)
    thighs.set_ylim(low - room, high + room)
    for c in contacts:
        if not from_s <= c.t_s <= to_s:
            continue
        y = low - room / 2 if c.side is Side.RIGHT else high + room / 2
        face = COLOUR[c.side] if c.kind is ContactKind.IC else "white"
        marker, colour = MARKER[c.side], COLOUR[c.side]
        thighs.plot([c.t_s], [y], marker=marker, ms=8, mew=1.3, color=colour, markerfacecolor=face)


def _shade_turns(thighs: Axes, below: Axes, a: Analysis, from_s: float, to_s: float) -> None:
    for turn in (t for b in a.bouts for t in b.turns):
        start_s, end_s = max(turn.start_s, from_s), min(turn.end_s, to_s)
        if start_s >= end_s:
            continue
        for axis in (thighs, below):
            axis.axvspan(start_s, end_s, color="#eadfb4", zorder=-1, lw=0)
        to = "left" if turn.angle_rad > 0 else "right"
        text = f"turn {abs(np.degrees(turn.angle_rad)):.0f}° to the {to}"
        # At the end of a line the words grow inwards.
        at, grow = (start_s, "left") if start_s < from_s + 1.0 else (0.5 * (start_s + end_s), "center")
        at, grow = (end_s, "right") if end_s > to_s - 1.0 else (at, grow)
        thighs.text(at, 1.01, text, transform=thighs.get_xaxis_transform(), ha=grow, fontsize=9)


def _title(figure: Figure, a: Analysis, begin: float, end: float) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415 - as above
    from matplotlib.patches import Patch  # noqa: PLC0415 - as above

    r = a.recording
    simulated = "SIMULATED  " if r.simulated else ""
    figure.suptitle(
        f"{simulated}{r.name}, {begin:.0f} to {end:.0f} s", x=0.01, ha="left", fontweight="bold",
        color="#a00000" if r.simulated else "black",
    )  # fmt: skip
    handles: list[Line2D | Patch] = []
    for side in (s for s in (Side.LEFT, Side.RIGHT, None) if any(c.side is s for c in a.contacts)):
        name, colour, marker = side or "side unknown", COLOUR[side], MARKER[side]
        handles.append(Line2D([], [], color=colour, ls=LINE[side], lw=1.5, label=f"{name} thigh"))
        for kind, face in (("initial contact", colour), ("final contact", "white")):
            handles.append(
                Line2D(
                    [],
                    [],
                    ls="",
                    marker=marker,
                    ms=8,
                    color=colour,
                    markerfacecolor=face,
                    label=f"{name} {kind}",
                )
            )
    handles.append(Patch(color="#eadfb4", label="turn"))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), fontsize=9, frameon=False)
    figure.text(0.995, 0.002, a.produced_by, ha="right", va="bottom", fontsize=7, color="#777777")


# ---- data ---------------------------------------------------------------------------------------


def _busiest_minute(a: Analysis) -> float:
    t = np.array([c.t_s for c in a.contacts])
    if len(t) == 0:
        return a.recording.start_s
    within = np.searchsorted(t, t + SHOWN_S) - np.arange(len(t))
    latest = max(a.recording.end_s - SHOWN_S, a.recording.start_s)
    return float(np.floor(np.clip(t[int(within.argmax())] - 1.0, a.recording.start_s, latest)))


def _grid(a: Analysis, placement: Placement, begin: float, end: float) -> _Signal:
    resampler = Resampler()
    runs = []
    for block in a.recording.streams[placement].chunks():
        if block.t_s[-1] >= begin - 1 and block.t_s[0] <= end + 1:
            runs += resampler.push(block)
    runs += resampler.flush()
    if not runs:
        return np.empty(0), np.empty((0, 3)), None
    t = np.concatenate([np.arange(r.first, r.end + 1) / 100.0 for r in runs])
    gap = np.full((1, runs[0].signals.shape[1]), np.nan)
    x = np.vstack([row for r in runs for row in (r.signals, gap)])
    joined = np.array([not r.starts for r in runs[1:]] + [False])  # runs that follow without a hole
    keep = np.ones(len(t), dtype=bool)
    keep[np.cumsum([len(r.signals) + 1 for r in runs])[joined] - 1] = False
    t, x = t[keep], x[keep]
    shown = (t >= begin) & (t <= end)
    return t[shown], x[shown, :3], x[shown, 3:] if x.shape[1] == 6 else None


def _flexion_rate(a: Analysis, placement: Placement, at_s: float, gyr: Floats) -> Floats:
    """About the thigh's own left axis, flexion positive; without alignment the magnitude of gyr."""
    found = _alignment(a, placement, at_s)
    rate: Floats = np.linalg.norm(gyr, axis=1) if found is None else -gyr @ found.rotation[1]
    return rate


def _alignment(a: Analysis, placement: Placement, at_s: float) -> Alignment | None:
    """The alignment in force at a time: the last one that takes effect before it."""
    own = [x for x in a.alignments if x.placement is placement and x.flexion_known and x.effective_s <= at_s]
    return own[-1] if own else None
