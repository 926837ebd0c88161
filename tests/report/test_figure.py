"""The page for the chart: every curve and bar is the analysis' own, and nothing runs off the paper."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from gaitmon.analysis import analyse
from gaitmon.errors import RecordingError
from gaitmon.model import Angle, Placement, Side
from gaitmon.report.figure import page_of, plot_page
from gaitmon.report.look import COLOUR, HATCH, LINE
from gaitmon.report.words import text_of
from tests.loaders import mtw, qmt
from tests.report.walks import limper, limping, only

TITLES = {
    Angle.THIGH_FLEXION: "Thigh flexion (°)",
    Angle.HIP_FLEXION: "Hip flexion (°)",
    Angle.PELVIC_TILT: "Pelvic tilt (°)",
    Angle.PELVIC_OBLIQUITY: "Pelvic obliquity (°)",
    Angle.PELVIC_ROTATION: "Pelvic rotation (°)",
}
DROP = "Pelvic drop in stance (°)"
THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH)


@cache
def page() -> Figure:
    return page_of(limping())


def panels(figure: Figure) -> dict[str, Axes]:
    return {axis.get_title(loc="left"): axis for axis in figure.axes}


def texts(figure: Figure) -> list[Text]:
    return [*figure.texts, *(t for axis in figure.axes for t in axis.texts)]


def words(figure: Figure) -> str:
    return "\n".join(t.get_text() for t in texts(figure))


def bars(axis: Axes) -> list[Rectangle]:
    return [p for p in axis.patches if isinstance(p, Rectangle)]


def test_every_curve_is_the_analysis_own() -> None:
    found = panels(page())
    for angle, title in TITLES.items():
        for side in Side:
            waveform = limping().waveform(angle, side)
            assert waveform is not None
            (line,) = [
                x
                for x in found[title].lines
                if np.size(x.get_xdata()) == 101 and x.get_color() == COLOUR[side]
            ]
            np.testing.assert_array_equal(line.get_ydata(), waveform.mean_deg)


def test_the_norm_lies_behind_at_the_wearer_s_height() -> None:
    a = limping()
    for angle, title in TITLES.items():
        norm = a.norm(angle)
        assert norm is not None
        (dotted,) = [x for x in panels(page())[title].lines if x.get_linestyle() == ":"]
        own = np.mean([w.mean_deg[:-1].mean() for s in Side if (w := a.waveform(angle, s)) is not None])
        y = np.asarray(dotted.get_ydata())
        assert y[:-1].mean() == pytest.approx(own, abs=1e-6)
        np.testing.assert_allclose(y - y.mean(), norm.mean_deg - norm.mean_deg.mean(), atol=1e-6)


def test_bars_and_intervals_are_the_metrics() -> None:
    a = limping()
    figure = page()
    said = words(figure)
    for id_ in ("step_time_ln_pct", "thigh_rom_ln_pct", "drop_asym_deg", "hip_extension_asym_deg"):
        m = a.metric(id_)
        assert m is not None
        assert m.value is not None
        assert text_of(m, signed=True).replace("-", "−") in said
        assert any(p.get_width() == pytest.approx(m.value) for x in figure.axes for p in bars(x))
    heights = [p.get_height() for p in bars(panels(figure)[DROP])]
    for side in Side:
        drop = a.metric(f"drop_{side}_deg")
        assert drop is not None
        assert drop.value in heights


def test_without_colour_the_sides_differ() -> None:
    assert LINE[Side.LEFT] != LINE[Side.RIGHT]
    assert HATCH[Side.LEFT] != HATCH[Side.RIGHT]
    assert to_hex(COLOUR[Side.LEFT]) != to_hex(COLOUR[Side.RIGHT])
    drawn = [p.get_hatch() or "" for p in bars(panels(page())[DROP])]
    assert drawn.count(HATCH[Side.RIGHT]) == 3


def test_it_says_what_it_is() -> None:
    a = limping()
    said = words(page())
    for phrase in ("SIMULATED  limper", "does not diagnose", a.produced_by, "95 % interval", "MDC", "Bout 1"):
        assert phrase in said, phrase


def beyond_the_paper(figure: Figure) -> list[str]:
    figure.savefig(BytesIO(), format="png")
    width, height = figure.canvas.get_width_height()
    out = []
    for text in texts(figure):
        box = text.get_window_extent()
        if text.get_text() and not (box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height):
            out.append(text.get_text())
    bounds = [axis.get_position() for axis in figure.axes]
    return out + [str(b) for b in bounds if b.y0 < 0.05 or b.x1 > 1.0]


def test_nothing_runs_off_the_paper() -> None:
    assert beyond_the_paper(page()) == []


def test_thighs_alone_have_no_pelvis_on_their_page() -> None:
    figure = page_of(analyse(only(limper(), *THIGHS)))
    shown = panels(figure).keys() - {""}
    assert shown == {TITLES[Angle.THIGH_FLEXION]}
    assert "No pelvis sensor" in words(figure)
    assert beyond_the_paper(figure) == []


def test_one_sensor_has_nothing_to_compare() -> None:
    said = words(page_of(analyse(only(limper(), Placement.LEFT_THIGH))))
    assert "The sides are not compared: that takes a sensor on each thigh." in said


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_the_ending_says_the_format(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"page{suffix}"
    plot_page(limping(), path)
    start = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[suffix]
    assert path.read_bytes().startswith(start)
    if suffix == ".svg":
        assert "Pelvic obliquity" in path.read_text(encoding="utf-8")


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"Use \.png, \.pdf, \.svg"):
        plot_page(limping(), tmp_path / "page.docx")


@pytest.mark.data
def test_real_walks_fit_too() -> None:
    assert beyond_the_paper(page_of(analyse(qmt()))) == []
    short = page_of(analyse(mtw()))
    assert beyond_the_paper(short) == []
    assert "No mean waveform" in words(short)
    assert "beside a turn" in words(short)
