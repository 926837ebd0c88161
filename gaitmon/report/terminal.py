"""An analysis as tables in a terminal, in the order in which a therapist asks."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gaitmon.analysis import Analysis
from gaitmon.model import NoticeKind, Side
from gaitmon.report.metric_tables import (
    TITLES,
    WIDE,
    MetricTables,
    Remarks,
    index_table,
    table,
    volume_table,
    waveform_table,
)
from gaitmon.report.words import DISCLAIMER, PLUS_MINUS, lengths, postures, recorded, uncounted, worn


def show(analysis: Analysis, console: Console, *, every: bool = False, indices: bool = False) -> None:
    """The usual tables, readable from 80 columns on.  every: all metrics.  indices: of asymmetry, too."""
    remarks = Remarks()
    _head(analysis, console)
    console.print(_counts(analysis))
    tables = MetricTables(analysis, remarks, every, console.width >= WIDE)
    shown = [made for group in TITLES for made in tables.of(group)]
    if indices:
        shown.append(index_table(analysis))
    if every:
        shown.append(waveform_table(analysis))
    shown.append(volume_table(analysis, every=every))
    for made in shown:
        if made.row_count:
            console.print(made)
    _quality(analysis, console, remarks)
    console.print(
        Text(
            f"Right vs left is 100 ln(R/L), or R - L of angles: positive is longer or larger on the right. "
            f"{PLUS_MINUS}; L|R counts the strides behind it. MDC is the smallest change from one day to "
            f"another that is worth a look; ranges are context. {DISCLAIMER}",
            style="dim",
        )
    )


def _head(a: Analysis, console: Console) -> None:
    r = a.recording
    kind = "SIMULATED recording" if r.simulated else "recording"
    console.print(Text(f"{r.name}: {kind}, {r.source_format}, {recorded(a)}", style="bold"))
    console.print(Text(f"worn: {worn(a)}"))
    if a.postures:
        console.print(Text(f"in it: {postures(a)}"))


def _counts(a: Analysis) -> Table:
    out = table("What was found", "", "left", "right", "side unknown")
    sides: tuple[Side | None, ...] = (Side.LEFT, Side.RIGHT, None)
    ics = [sum(c.kind == "ic" and c.side is s for c in a.contacts) for s in sides]
    strides = [sum(x.side is s for x in a.strides) for s in sides]
    used = [sum(v.accepted and v.side is s for v in a.verdicts.values()) for s in sides]
    out.add_row("Steps (initial contacts)", *map(str, ics))
    out.add_row("Strides", *map(str, strides))
    out.add_row("Strides that count (straight, steady)", *map(str, used))
    return out


def _quality(a: Analysis, console: Console, remarks: Remarks) -> None:
    """The bouts, what was left out and why, and what is missing or doubtful."""
    console.print(_bouts(a, remarks) if a.bouts else Text("No walking bout.", style="bold"))
    if why := uncounted(a):
        console.print(Text(f"Strides that do not count: {why}"))
    if said := lengths(a):
        console.print(Text(f"Length and speed: {said}"))
    for remark in remarks.lines():
        console.print(Text(remark))
    for notice in a.notices:
        harmless = notice.kind is NoticeKind.RECORDING
        mark, style = ("-", "dim") if harmless else ("!", "yellow")
        console.print(Text(f"{mark} {notice.text}", style=style))


def _bouts(a: Analysis, remarks: Remarks) -> Table:
    out = table("Walking bouts", "", "from - to (s)", "strides", "count", "turns", "kind", "quality")
    for b in a.bouts:
        counting = sum(v.accepted for v in b.strides)
        out.add_row(
            str(b.ordinal), f"{b.start_s:.1f} - {b.end_s:.1f}", str(len(b.strides)), str(counting),
            str(len(b.turns)), b.stratum, " ".join(map(remarks.letter, b.quality)) or "good",
        )  # fmt: skip
    return out
