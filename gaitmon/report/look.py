"""How the sides look on paper: told apart by line, fill and place as well as by colour (Okabe & Ito)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gaitmon.model import Side

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOUR = {Side.LEFT: "#0072B2", Side.RIGHT: "#D55E00", None: "#444444"}
LINE = {Side.LEFT: "-", Side.RIGHT: (0, (4, 1.5)), None: "-"}
MARKER = {Side.LEFT: "v", Side.RIGHT: "^", None: "o"}
HATCH = {Side.LEFT: "", Side.RIGHT: "//////", None: ""}
NORM, FAINT, GREY = "#e4e4e4", "#bbbbbb", "#666666"


def bare(axis: Axes, *spines: str) -> None:
    """Without the frame, but for these sides of it."""
    for name, spine in axis.spines.items():
        spine.set_visible(name in spines)
        spine.set_color(GREY)
    axis.tick_params(labelsize=7, length=2, color=GREY)
