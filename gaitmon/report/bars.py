"""How the sides compare, and how far the pelvis drops on either: bars, 95 % intervals and their context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gaitmon.analysis import Analysis
from gaitmon.model import MetricValue, Side
from gaitmon.report.look import COLOUR, FAINT, GREY, HATCH, NORM, bare
from gaitmon.report.words import text_of, unit_of
from gaitmon.symmetry.metrics import METRICS, MetricDefinition
from gaitmon.symmetry.uncertainty import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST = {"%": 15.0, "deg": 8.0}  # half the scale at least: what is small shall look small
_MOST = {"%": 40.0, "deg": 20.0}  # and at most: what is beyond has an arrow and its number
_DROPS = (("drop", "largest"), ("drop_mean", "mean"), ("drop_at_30_pct", "at 30 % of the stride"))

_COUNTS_AT = 1.55  # axes widths from the left
_ELSEWHERE = ("drop_mean_asym_deg", "drop_at_30_pct_asym_deg")  # both sides stand in their own panel


def compared(a: Analysis, unit: str) -> list[MetricValue]:
    """What compares the sides in this unit, of what these sensors can measure."""
    return [
        m
        for d in METRICS.values()
        if d.unit == unit and d.id.endswith(("_ln_pct", "_asym_deg")) and d.id not in _ELSEWHERE
        and (m := a.metric(d.id)) is not None and (m.value is not None or min(m.n_left, m.n_right) > 0)
    ]  # fmt: skip


def draw_symmetry(axis: Axes, values: list[MetricValue], unit: str) -> None:
    """A row each, right against left: to the left what is larger on the left."""
    reach = _LEAST[unit]
    for m in values:
        limits = interval(m)
        reach = max(reach, *(1.1 * abs(x) for x in (*(limits or ()), m.value or 0.0)))
    reach = min(reach, _MOST[unit])
    for row, m in enumerate(values):
        _row(axis, -row, m, reach)
    axis.set_xlim(-reach, reach)
    axis.set_ylim(-len(values) + 0.4, 0.6)
    axis.axvline(0.0, color="black", lw=0.8, zorder=3)
    axis.set_yticks([-row for row in range(len(values))], [_name(METRICS[m.metric]) for m in values])
    bare(axis, "bottom")
    axis.tick_params(axis="y", length=0, labelsize=7.5, pad=7)  # room for an arrow
    sign = unit_of(METRICS[values[0].metric]).strip()
    axis.annotate(
        sign, (1.0, 0.0), (10, -3), xycoords="axes fraction", textcoords="offset points", fontsize=7, va="top"
    )


def _name(d: MetricDefinition) -> str:
    return (
        d.name.removesuffix(", right against left")
        .removesuffix(", right minus left")
        .replace(", right stance minus left stance", "")
    )


def _row(axis: Axes, y: float, m: MetricValue, reach: float) -> None:
    d = METRICS[m.metric]
    to_the_right: dict[str, Any] = {"transform": axis.get_yaxis_transform(), "va": "center", "fontsize": 7.5}
    if m.value is None:
        axis.text(1.06, y, m.note or "not measured", color=GREY, **to_the_right)
        return
    if d.normal is not None:
        axis.barh(y, d.normal.high - d.normal.low, 0.86, d.normal.low, color=NORM, zorder=0)
    side = Side.RIGHT if m.value > 0.0 else Side.LEFT
    colour = COLOUR[side]
    axis.barh(y, m.value, 0.5, facecolor="white" if HATCH[side] else colour, edgecolor=colour, lw=0.8,
              hatch=HATCH[side], zorder=2)  # fmt: skip
    if (limits := interval(m)) is not None:
        axis.plot(limits, [y, y], color="black", lw=1.1, zorder=4)
        axis.plot(limits, [y, y], color="black", ls="", marker="|", ms=5, mew=1.1, zorder=4)
    if abs(m.value) > reach:
        edge = reach if m.value > 0.0 else -reach
        axis.plot([edge], [y], ls="", marker=">" if edge > 0.0 else "<", ms=6, color="black", clip_on=False)
    if d.mdc is not None:
        axis.plot(
            [-d.mdc, d.mdc], [y, y], ls="", marker="d", ms=3.5, mfc="white", mec="black", mew=0.7, zorder=5
        )
    text = f"{text_of(m, signed=True)}{unit_of(d)}".replace("-", "−")
    axis.text(1.06, y, text, **to_the_right)
    axis.text(_COUNTS_AT, y, f"{m.n_left} | {m.n_right}", color=GREY, ha="right", **to_the_right)


def has_drop(a: Analysis) -> bool:
    return any(m.value is not None for side in Side for m in a.summary if m.metric == f"drop_{side}_deg")


def draw_drop(axis: Axes, a: Analysis) -> None:
    """Of the other side, in single support of either leg: largest, mean, at a fixed moment."""
    for column, (what, _) in enumerate(_DROPS):
        d = METRICS[f"{what}_left_deg"]
        if d.normal is not None:
            axis.bar(column, d.normal.high - d.normal.low, 0.84, d.normal.low, color=NORM, zorder=0)
        for at, side in ((column - 0.19, Side.LEFT), (column + 0.19, Side.RIGHT)):
            m = a.metric(f"{what}_{side}_deg")
            if m is None or m.value is None:
                continue
            axis.bar(at, m.value, 0.3, facecolor="white" if HATCH[side] else COLOUR[side],
                     edgecolor=COLOUR[side], hatch=HATCH[side], lw=0.8, zorder=2)  # fmt: skip
            limits = interval(m) or (m.value, m.value)
            axis.plot([at, at], limits, color="black", lw=1.1, marker="_", ms=5, mew=1.1, zorder=4)
            text = text_of(m).split(" ")[0].replace("-", "−")
            axis.annotate(text, (at, max(*limits, 0.0)), (0, 2), textcoords="offset points", ha="center",
                          fontsize=7, zorder=5)  # fmt: skip
    axis.set_xticks(range(len(_DROPS)), [text for _, text in _DROPS], fontsize=7)
    axis.axhline(0.0, color=FAINT, lw=0.8, zorder=1)
    axis.set_title("Pelvic drop in stance (°)", loc="left", fontsize=8.5, fontweight="bold", pad=3)
    axis.text(1.0, 1.01, "↑ other side drops", transform=axis.transAxes, fontsize=6.5, color=GREY, ha="right",
              va="bottom")  # fmt: skip
    axis.margins(y=0.16)
    bare(axis, "left")
