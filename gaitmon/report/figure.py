"""One page to pin to a chart: waveforms of both sides, how they compare, pelvic drop, and the key numbers."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from gaitmon.analysis import Analysis
from gaitmon.errors import RecordingError
from gaitmon.model import NoticeKind, Placement, Side
from gaitmon.report.bars import compared, draw_drop, draw_symmetry, has_drop
from gaitmon.report.look import COLOUR, GREY, HATCH, LINE, NORM
from gaitmon.report.waves import angles, draw_waves
from gaitmon.report.words import (
    DISCLAIMER,
    PLUS_MINUS,
    bout_line,
    counted,
    lengths,
    normal_of,
    postures,
    recorded,
    text_of,
    uncounted,
    unit_of,
    worn,
)
from gaitmon.symmetry.metrics import METRICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".pdf", ".svg")
_WIDTH_IN, _HEIGHT_IN = 8.27, 11.69  # A4
_LEFT_IN, _RIGHT_IN = 0.6, 7.85
_KEY = (
    *("walking_speed_m_s", "cadence_steps_min", "stride_length_m", "stance_pct", "double_support_pct"),
    *("pelvis_tilt_rom_deg", "pelvis_obliquity_rom_deg", "pelvis_rotation_rom_deg"),
)
_SHORT = {
    "double_support_pct": "Double support, of the stride",
    "stance_pct": "Stance, of the stride",
    "pelvis_tilt_rom_deg": "Pelvic tilt, range",
    "pelvis_obliquity_rom_deg": "Obliquity, range",
    "pelvis_rotation_rom_deg": "Rotation, range",
}
_COLUMNS = 4
_FOOTER_IN = 0.64


def plot_page(analysis: Analysis, path: Path) -> None:
    """Write the page, A4, as PNG, PDF or SVG by the path's suffix.

    Raises RecordingError for another suffix and where the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise RecordingError(f"{path}: no figure can be written as that.", f"Use {', '.join(SUFFIXES)}.")
    from matplotlib import rc_context  # noqa: PLC0415 - slow to import

    figure = page_of(analysis)
    try:
        with rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):  # words stay words
            figure.savefig(path)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: cannot write the figure ({error}).", "Check the folder.") from None


def page_of(analysis: Analysis) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), dpi=150)
    FigureCanvasAgg(figure)
    page = _Page(figure)
    _header(page, analysis)
    _key_numbers(page, analysis)
    _waves(page, analysis)
    _symmetry(page, analysis)
    _footer(page, analysis)
    return figure


class _Page:
    """A page that is filled from the top; every measure in inches."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.top_in = _HEIGHT_IN - 0.45

    def text(self, x_in: float, words: str, **style: Any) -> None:
        self.figure.text(x_in / _WIDTH_IN, self.top_in / _HEIGHT_IN, words, va="top", **style)

    def axes(self, x_in: float, width_in: float, height_in: float) -> Axes:
        """With its upper edge at the top of what is free."""
        bottom = self.top_in - height_in
        return self.figure.add_axes(
            (x_in / _WIDTH_IN, bottom / _HEIGHT_IN, width_in / _WIDTH_IN, height_in / _HEIGHT_IN)
        )

    def down(self, inches: float) -> None:
        self.top_in -= inches


def _header(page: _Page, a: Analysis) -> None:
    r = a.recording
    colour = "#a00000" if r.simulated else "black"
    page.text(
        _LEFT_IN,
        ("SIMULATED  " if r.simulated else "") + r.name,
        fontsize=15 if len(r.name) < 40 else 10,
        fontweight="bold",
        color=colour,
    )
    page.text(_RIGHT_IN, recorded(a), fontsize=9, ha="right")
    page.down(0.3)
    page.text(_LEFT_IN, f"Strides that count (straight, steady): {counted(a)}. Worn: {worn(a)}.", fontsize=9)
    page.down(0.19)
    if a.postures:
        page.text(_LEFT_IN, f"In this recording: {postures(a)}.", fontsize=9, color=GREY)
        page.down(0.19)
    page.down(0.1)


def _key_numbers(page: _Page, a: Analysis) -> None:
    known = [m for id_ in _KEY if (m := a.metric(id_)) is not None and m.value is not None]
    step = (_RIGHT_IN - _LEFT_IN) / _COLUMNS
    for start in range(0, len(known), _COLUMNS):
        for column, m in enumerate(known[start : start + _COLUMNS]):
            x, d, top = _LEFT_IN + column * step, METRICS[m.metric], page.top_in
            in_title = len(d.unit) > 3
            name = _SHORT.get(d.id, d.name) + (f", {d.unit}" if in_title else "")
            page.text(x, name, fontsize=7.5, color=GREY)
            page.down(0.13)
            page.text(x, text_of(m) + ("" if in_title else unit_of(d)), fontsize=11, fontweight="bold")
            page.down(0.19)
            if d.normal is not None:
                page.text(x, f"healthy adults {normal_of(d)}", fontsize=6.5, color=GREY)
            page.top_in = top
        page.down(0.52)
    page.down(0.06)


def _waves(page: _Page, a: Analysis) -> None:
    drawn = angles(a)
    if not drawn:
        page.text(
            _LEFT_IN, "No mean waveform: that takes 6 strides of a side that count, in one bout.", fontsize=9
        )
        page.down(0.35)
        return
    _legend(page, a)
    panels = len(drawn) + has_drop(a)
    height = 1.12 if panels > 4 else 1.7 if panels > 1 else 2.2
    width = 3.35 if panels > 1 else _RIGHT_IN - _LEFT_IN
    for i in range(panels):
        axis = page.axes(_LEFT_IN if i % 2 == 0 else _RIGHT_IN - width, width, height)
        if i < len(drawn):
            draw_waves(axis, a, drawn[i])
        else:
            draw_drop(axis, a)
        if i % 2 == 1 or i == panels - 1:
            page.down(height + 0.4)
    page.top_in += 0.17
    page.text(
        _LEFT_IN,
        "% of the gait cycle, from initial contact to the next of the same side; short line: foot off. "
        "Angles of thigh, hip and tilt: 0° is the calibration standing.",
        fontsize=6.5,
        color=GREY,
    )
    page.down(0.28)


def _legend(page: _Page, a: Analysis) -> None:
    from matplotlib.legend_handler import HandlerTuple  # noqa: PLC0415 - slow to import
    from matplotlib.lines import Line2D  # noqa: PLC0415 - as above
    from matplotlib.patches import Patch  # noqa: PLC0415 - as above

    sides = [side for side in Side if any(w.side is side for w in a.waveforms)]
    handles: list[Any] = []  # pairs, which the stubs of legend do not know
    for side in sides:
        colour, hatch = COLOUR[side], HATCH[side]
        band = Patch(facecolor="none" if hatch else colour, hatch=hatch, edgecolor=colour, alpha=0.35, lw=0)
        handles.append((band, Line2D([], [], color=colour, ls=LINE[side], lw=1.8)))
    handles.append((Patch(color=NORM, lw=0), Line2D([], [], color=GREY, ls=":", lw=1)))
    labels = [f"{side}, mean ± SD of strides" for side in sides] + [
        "context: norm of this speed, range of healthy adults"
    ]
    page.figure.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(_LEFT_IN / _WIDTH_IN, page.top_in / _HEIGHT_IN),
        ncols=3, fontsize=7.5, frameon=False, borderaxespad=0, borderpad=0, handlelength=3.2, columnspacing=2,
        handler_map={tuple: HandlerTuple(ndivide=1, pad=0)},
    )  # fmt: skip
    page.down(0.42)


def _symmetry(page: _Page, a: Analysis) -> None:
    parts = [(unit, values) for unit in ("%", "deg") if (values := compared(a, unit))]
    if not parts:
        both = {Placement.LEFT_THIGH, Placement.RIGHT_THIGH} <= a.recording.streams.keys()
        needs = "strides of both sides that count" if both else "a sensor on each thigh"
        page.text(_LEFT_IN, f"The sides are not compared: that takes {needs}.", fontsize=9)
        page.down(0.3)
        return
    page.text(_LEFT_IN, "Right against left", fontsize=10, fontweight="bold")
    page.text(
        4.05, "←  larger on the left      larger on the right  →", fontsize=7.5, ha="center", color=GREY
    )
    page.text(_RIGHT_IN, "strides L | R", fontsize=7, color=GREY, ha="right")
    page.down(0.22)
    for unit, values in parts:
        height = 0.165 * len(values)
        draw_symmetry(page.axes(2.25, 3.6, height), values, unit)
        page.down(height + 0.24)
    page.text(
        _LEFT_IN,
        "%: 100 ln(R/L); °: R − L. Bar: value; line: 95 % interval; ◇: smallest change worth a look (MDC); "
        "grey: healthy adults.",
        fontsize=6.5,
        color=GREY,
    )
    page.down(0.2)


def _footer(page: _Page, a: Analysis) -> None:
    """What a reader must know, then the bouts while there is room, then what holds for every page."""
    doubts = [n.text for n in a.notices if n.kind is not NoticeKind.RECORDING]
    if said := lengths(a):
        doubts.append(f"Speed and lengths: {said}.")
    if qualities := dict.fromkeys(q.replace("_", " ") for b in a.bouts for q in b.quality):
        doubts.append(f"Of bouts: {'; '.join(qualities)}.")
    why = uncounted(a)
    told = [*dict.fromkeys(doubts), *([f"Strides that do not count: {why}"] if why else [])]
    page.down(0.06)
    for words in [*told, *map(bout_line, a.bouts)]:
        for i, line in enumerate(wrap(words, 122)):
            if page.top_in < _FOOTER_IN + 0.2:
                page.text(_LEFT_IN, "and more: see the table of gaitmon analyse", fontsize=7)
                break
            page.text(_LEFT_IN, ("  " if i else "· ") + line, fontsize=7.5)
            page.down(0.14)
        else:
            continue
        break
    page.figure.text(
        _LEFT_IN / _WIDTH_IN, 0.22 / _HEIGHT_IN,
        f"{DISCLAIMER} {PLUS_MINUS}; MDC and ranges with their sources: docs/metrics.md.\n"
        f"Norm: mean ± SD of Schwartz 2008 (children, matched by speed), moved to the height of the wearer's "
        f"curves.\n{a.produced_by}",
        fontsize=6.5, color=GREY, va="bottom", linespacing=1.5,
    )  # fmt: skip
