"""An analysis as tables in a terminal."""

from __future__ import annotations

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from gaitmon.analysis import Analysis
from gaitmon.model import MetricValue, Side
from gaitmon.symmetry.metrics import METRICS

_PER_SIDE = (
    ("Stride time", "stride_time", "s", None),
    ("Step time", "step_time", "s", "step_time_ln_pct"),
    ("Stance time", "stance_time", "s", "stance_time_ln_pct"),
    ("Swing time", "swing_time", "s", "swing_time_ln_pct"),
    ("Thigh range of motion", "thigh_rom", "deg", "thigh_rom_ln_pct"),
    ("Pelvic drop in stance", "drop", "deg", "drop_asym_deg"),
)
_WHOLE = ("cadence_steps_min", "pelvis_tilt_rom_deg", "pelvis_obliquity_rom_deg", "pelvis_rotation_rom_deg")
_DIGITS = {"s": 3, "deg": 1, "%": 1, "steps/min": 1}


def show(analysis: Analysis, console: Console) -> None:
    r = analysis.recording
    kind = "SIMULATED recording" if r.simulated else "recording"
    head = f"{r.name}: {kind}, {r.source_format}, {r.end_s - r.start_s:.1f} s, {', '.join(r.streams)}"
    console.print(Group(Text(head, style="bold"), _counts(analysis), _sides(analysis), _pelvis(analysis)))
    console.print(_bouts(analysis) if analysis.bouts else Text("No walking bout.", style="bold"))
    for notice in analysis.notices:
        console.print(Text(f"! {notice.text}", style="yellow"))
    console.print(
        Text(
            "Right against left is 100 ln(R/L): positive is longer or larger on the right. ± is the standard "
            "error. gaitmon measures and shows; it does not diagnose.",
            style="dim",
        )
    )


def text_of(m: MetricValue | None, *, signed: bool = False) -> str:
    """A value with its uncertainty, or why there is none."""
    if m is None:
        return "not measured"
    if m.value is None:
        return m.note or "not measured"
    digits = _DIGITS.get(METRICS[m.metric].unit, 2)
    value = f"{m.value:+.{digits}f}" if signed else f"{m.value:.{digits}f}"
    return value if m.standard_error is None else f"{value} ± {m.standard_error:.{digits}f}"


def _counts(a: Analysis) -> Table:
    table = Table(title="What was found", title_justify="left", show_header=True)
    for column in ("", "left", "right", "side unknown"):
        table.add_column(column, justify="left" if not column else "right")
    sides: tuple[Side | None, ...] = (Side.LEFT, Side.RIGHT, None)
    ics = [sum(c.kind == "ic" and c.side is s for c in a.contacts) for s in sides]
    strides = [sum(x.side is s for x in a.strides) for s in sides]
    used = [sum(v.accepted and v.side is s for v in a.verdicts.values()) for s in sides]
    table.add_row("Steps (initial contacts)", *map(str, ics))
    table.add_row("Strides", *map(str, strides))
    table.add_row("Strides that count (straight, steady)", *map(str, used))
    return table


def _sides(a: Analysis) -> Table:
    table = Table(title="Left and right (straight strides, median ± standard error)", title_justify="left")
    for column in ("", "left", "right", "right against left"):
        table.add_column(column, justify="left" if not column else "right")
    for name, metric, unit, index in _PER_SIDE:
        left, right = (
            a.metric(f"{metric}_{s}_{unit}" if metric != "drop" else f"drop_{s}_deg") for s in Side
        )
        compared = "" if index is None else text_of(a.metric(index), signed=True)
        if index is not None and (m := a.metric(index)) is not None and m.value is not None:
            compared += f" {METRICS[index].unit}"
        table.add_row(f"{name} ({unit})", text_of(left), text_of(right), compared)
    return table


def _pelvis(a: Analysis) -> Table:
    table = Table(title="Both sides together", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for metric in _WHOLE:
        d = METRICS[metric]
        table.add_row(f"{d.name} ({d.unit})", text_of(a.metric(metric)))
    return table


def _bouts(a: Analysis) -> Table:
    table = Table(title="Walking bouts", title_justify="left")
    for column in ("", "start (s)", "end (s)", "strides", "count", "turns", "kind", "quality"):
        table.add_column(column, justify="left" if column in ("kind", "quality") else "right")
    for b in a.bouts:
        counting = sum(v.accepted for v in b.strides)
        table.add_row(
            str(b.ordinal), f"{b.start_s:.1f}", f"{b.end_s:.1f}", str(len(b.strides)), str(counting),
            str(len(b.turns)), b.stratum, "; ".join(b.quality) or "good",
        )  # fmt: skip
    return table
