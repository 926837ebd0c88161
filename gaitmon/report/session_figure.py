"""What a session's tests rest on: angles of pelvis and thighs, with what was marked and what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gaitmon.errors import RecordingError
from gaitmon.model import Side
from gaitmon.sessions.body import HZ
from gaitmon.sessions.results import SessionResults

_COLOUR = {Side.LEFT: "#0072B2", Side.RIGHT: "#D55E00"}
_LINE = {Side.LEFT: "-", Side.RIGHT: (0, (4, 1.5))}


def plot_session(r: SessionResults, path: Path) -> None:
    """One row for each test: grey what was marked, a line at either end of what was found.

    Raises RecordingError where there is nothing to draw or the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    if not r.results:
        raise RecordingError(f"Session {r.session.id} has no test to draw.", "Add one with --test.")
    figure = Figure(figsize=(12.0, 0.8 + 2.2 * len(r.results)), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(r.results), 2, squeeze=False)
    for row, result in zip(axes, r.results, strict=True):
        test = result.test
        where = r.body.at(test.start_s - 4.0, test.stop_s + 4.0)
        t = (r.body.first + np.arange(where.start, where.stop)) / HZ
        for side in Side:
            row[0].plot(
                t, r.body.flexion(side, where), color=_COLOUR[side], ls=_LINE[side], lw=1.0, label=side
            )
        row[1].plot(t, r.body.obliquity(where), color="#009E73", lw=1.0, label="obliquity, left up +")
        row[1].plot(
            t, r.body.tilt(where), color="#555555", ls=(0, (4, 1.5)), lw=1.0, label="tilt, anterior +"
        )
        row[0].set_ylabel("thigh flexion (deg)")
        row[1].set_ylabel("pelvis (deg)")
        row[0].set_title(test.title, loc="left", fontsize=10)
        for axis in row:
            axis.axvspan(test.start_s, test.stop_s, color="#eeeeee", lw=0, zorder=-1)
            for edge in result.found_s or ():
                axis.axvline(edge, color="black", lw=0.8)
            axis.margins(x=0.0)
    axes[0, 0].legend(fontsize=8, loc="upper right")
    axes[0, 1].legend(fontsize=8, loc="upper right")
    axes[-1, 0].set_xlabel("time on the recording's clock (s); grey: marked, lines: found")
    simulated = "SIMULATED  " if r.analysis.recording.simulated else ""
    figure.suptitle(f"{simulated}session {r.session.id}, {r.produced_by}", x=0.01, ha="left", fontsize=9)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: cannot write the figure ({error}).", "Give a .png path.") from None
