"""One minute of signals with the detected contacts, as a PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gaitmon.analysis import Analysis
from gaitmon.errors import RecordingError
from gaitmon.imu.resample import Resampler
from gaitmon.model import Alignment, ContactKind, Floats, Placement, Side

# Left and right differ in marker, line style and row as well as in colour (Okabe & Ito's palette).
_STYLE = {Side.LEFT: ("#0072B2", "-", "v", "left"), Side.RIGHT: ("#D55E00", "--", "^", "right")}
_UNKNOWN = ("#444444", ":", "o", "side unknown")
_SHOWN_S = 60.0


def plot_contacts(analysis: Analysis, path: Path, *, start_s: float | None = None) -> None:
    """Write the figure.  start_s: where the minute begins, by default where most contacts are.

    Raises RecordingError where the file cannot be written or there is nothing to draw.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    recording = analysis.recording
    worn = [p for p in recording.streams if not p.is_reference]
    if not worn:
        raise RecordingError(f"{recording.name}: no worn sensor to draw.")
    begin = _busiest_minute(analysis) if start_s is None else start_s
    end = min(begin + _SHOWN_S, recording.end_s)
    rows = 2 * len(worn)
    figure, axes = plt.subplots(rows, 1, figsize=(22, 2.1 * rows + 1), sharex=True, squeeze=False)
    for i, placement in enumerate(worn):
        t, acc, gyr = _grid(analysis, placement, begin, end)
        _draw_rate(axes[2 * i, 0], analysis, placement, t, gyr)
        axes[2 * i + 1, 0].plot(t, np.linalg.norm(acc, axis=1), color="#333333", lw=0.7)
        axes[2 * i + 1, 0].set_ylabel("|acc| (m/s²)")
        for axis in axes[2 * i : 2 * i + 2, 0]:
            _draw_contacts(axis, analysis, placement, begin, end)
        axes[2 * i, 0].set_title(placement.replace("_", " "), loc="left", fontweight="bold")
    axes[-1, 0].set_xlabel("time on the recording's clock (s)")
    axes[-1, 0].set_xlim(begin, end)
    simulated = "SIMULATED: " if recording.simulated else ""
    figure.suptitle(
        f"{simulated}{recording.name}, {analysis.produced_by}\n"
        "filled marker = initial contact, hollow = final contact; left: blue, solid, pointing down; "
        "right: orange, dashed, pointing up"
    )
    figure.tight_layout()
    try:
        figure.savefig(path, dpi=80)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: cannot write the figure ({error}).", "Give a .png path.") from None
    finally:
        plt.close(figure)


def _busiest_minute(a: Analysis) -> float:
    t = np.array([c.t_s for c in a.contacts])
    if len(t) == 0:
        return a.recording.start_s
    within = np.searchsorted(t, t + _SHOWN_S) - np.arange(len(t))
    return float(max(t[int(within.argmax())] - 1.0, a.recording.start_s))


def _grid(
    a: Analysis, placement: Placement, begin: float, end: float
) -> tuple[Floats, Floats, Floats | None]:
    resampler = Resampler()
    runs = []
    for block in a.recording.streams[placement].chunks():
        if block.t_s[-1] >= begin - 1 and block.t_s[0] <= end + 1:
            runs += resampler.push(block)
    runs += resampler.flush()
    if not runs:
        return np.empty(0), np.empty((0, 3)), None
    gap = np.full((1, runs[0].signals.shape[1]), np.nan)
    t = np.concatenate([np.append(np.arange(r.first, r.end), r.end) / 100.0 for r in runs])
    x = np.vstack([np.vstack([r.signals, gap]) for r in runs])
    shown = (t >= begin) & (t <= end)
    return t[shown], x[shown, :3], x[shown, 3:] if x.shape[1] == 6 else None


def _alignment(a: Analysis, placement: Placement, at_s: float) -> Alignment | None:
    """The alignment in force at a time: the last one that takes effect before it."""
    own = [x for x in a.alignments if x.placement is placement and x.flexion_known and x.effective_s <= at_s]
    return own[-1] if own else None


def _draw_rate(axis, a: Analysis, placement: Placement, t: Floats, gyr: Floats | None) -> None:  # type: ignore[no-untyped-def]  # matplotlib's Axes is untyped here
    if gyr is None or len(t) == 0:
        axis.text(0.01, 0.5, "no gyroscope", transform=axis.transAxes)
        return
    found = _alignment(a, placement, float(t[-1]))
    if found is None or placement is Placement.PELVIS:
        axis.plot(t, np.linalg.norm(gyr, axis=1), color="#333333", lw=0.8)
        axis.set_ylabel("|gyr| (rad/s)")
        return
    colour, line, _, _ = _STYLE.get(placement.side, _UNKNOWN) if placement.side else _UNKNOWN
    axis.plot(t, -gyr @ found.rotation[1], color=colour, ls=line, lw=0.9)
    axis.axhline(0.0, color="#999999", lw=0.5)
    axis.set_ylabel("flexion rate (rad/s)")


def _draw_contacts(axis, a: Analysis, placement: Placement, begin: float, end: float) -> None:  # type: ignore[no-untyped-def]  # as above
    """Own limb's contacts on a thigh, everyone's on the pelvis."""
    low, high = axis.get_ylim()
    for c in a.contacts:
        if not begin <= c.t_s <= end or (placement.side is not None and c.side is not placement.side):
            continue
        colour, line, marker, _ = _STYLE[c.side] if c.side else _UNKNOWN
        axis.axvline(c.t_s, color=colour, ls=line, lw=0.5, alpha=0.6)
        y = high if c.side is not Side.RIGHT else low
        face = colour if c.kind is ContactKind.IC else "white"
        axis.plot([c.t_s], [y], marker=marker, color=colour, markerfacecolor=face, ms=6, clip_on=False)
    axis.set_ylim(low, high)
