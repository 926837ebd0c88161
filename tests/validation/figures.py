"""Small figures for docs/validation.md: the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gaitmon.model import Floats

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images" / "validation"
_STYLES = (("#0072B2", "v"), ("#D55E00", "^"), ("#009E73", "o"), ("#CC79A7", "s"))


def bland_altman(
    name: str, what: str, unit: str, groups: Mapping[str, tuple[Floats, Floats]], reference: str
) -> str:
    """Write name.png and return the Markdown that shows it.

    groups: label -> (found, reference), pairs of the same length, in ``unit``.  Lines: mean difference and
    95 % limits of agreement, mean ± 1.96 SD, over all groups (Bland and Altman 1986).
    """
    figure = Figure(figsize=(6.4, 3.2), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for (label, (found, wanted)), (colour, marker) in zip(groups.items(), _STYLES, strict=False):
        axis.plot(
            0.5 * (found + wanted), found - wanted, ls="", marker=marker, ms=5, mfc="none", color=colour,
            label=label,
        )  # fmt: skip
    difference = np.concatenate([found - wanted for found, wanted in groups.values()])
    mean, spread = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
    for level, style in ((mean, "-"), (mean - spread, "--"), (mean + spread, "--")):
        axis.axhline(level, color="#444444", ls=style, lw=1.0)
        axis.annotate(
            f"{level:+.3g}",
            (1.0, level),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
        )
    axis.set_xlabel(f"{what}, mean of both ({unit})")
    axis.set_ylabel(f"gaitmon - {reference} ({unit})")
    axis.legend(fontsize=8, ncols=len(groups), loc="upper left")
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / f"{name}.png", metadata={"Software": None})
    text = (
        f"{what}: mean difference {mean:+.3g} {unit}, 95 % limits of agreement {mean - spread:+.3g} to "
        f"{mean + spread:+.3g} {unit}, n = {len(difference)}"
    )
    return f"![{text}](images/validation/{name}.png)\n\n{text}."
