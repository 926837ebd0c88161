"""An analysis as tables in a terminal."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gaitmon.analysis import Analysis
from gaitmon.model import MetricValue, NoticeKind, Side
from gaitmon.symmetry.metrics import METRICS, Group, MetricDefinition

_DIGITS = {"s": 3, "m": 3, "deg": 1, "%": 1, "steps/min": 1, "m/s²": 1}
_TITLES = {
    Group.TEMPORAL: "Times",
    Group.SPATIAL: "Length and speed",
    Group.WAVEFORM: "Thigh and hip",
    Group.PELVIS: "Pelvis",
    Group.SMOOTHNESS: "Smoothness and regularity",
    Group.LOADING: "Loading: accelerations, not forces",
}
_UNIT_AFTER = {"deg": "°"}
_LEFT, _RIGHT = "_left_", "_right_"


def show(analysis: Analysis, console: Console) -> None:
    """Everything at a glance; readable from 80 columns on."""
    r = analysis.recording
    kind = "SIMULATED recording" if r.simulated else "recording"
    console.print(Text(f"{r.name}: {kind}, {r.source_format}, {r.end_s - r.start_s:.1f} s", style="bold"))
    console.print(Text(f"worn: {', '.join(p for p in r.streams if not p.is_reference)}"))
    remarks = _Remarks()
    console.print(_counts(analysis))
    for group in _TITLES:
        for table in (_sides(analysis, group, remarks), _whole(analysis, group, remarks)):
            if table.row_count:
                console.print(table)
    console.print(_bouts(analysis, remarks) if analysis.bouts else Text("No walking bout.", style="bold"))
    for remark in remarks.lines():
        console.print(Text(remark))
    for notice in analysis.notices:
        harmless = notice.kind is NoticeKind.RECORDING
        console.print(
            Text(f"{'-' if harmless else '!'} {notice.text}", style="dim" if harmless else "yellow")
        )
    console.print(
        Text(
            "Right vs left is 100 ln(R/L): positive is longer or larger on the right. ± is the standard "
            "error. gaitmon measures and shows; it does not diagnose.",
            style="dim",
        )
    )


@dataclass(slots=True)
class _Remarks:
    """What is too long for a cell: the cell has a letter, the line below the tables the words."""

    _words: list[str] = field(default_factory=list)

    def letter(self, words: str) -> str:
        if words not in self._words:
            self._words.append(words)
        return chr(ord("a") + self._words.index(words) % 26)

    def lines(self) -> list[str]:
        return [f"{self.letter(words)}: {words}" for words in self._words]


def text_of(m: MetricValue, *, signed: bool = False) -> str:
    """A value with its uncertainty.  m.value must not be None."""
    digits = _DIGITS.get(METRICS[m.metric].unit, 2)
    value = f"{m.value:+.{digits}f}" if signed else f"{m.value:.{digits}f}"
    return value if m.standard_error is None else f"{value} ± {m.standard_error:.{digits}f}"


def _cell(m: MetricValue | None, remarks: _Remarks, *, signed: bool = False) -> str:
    if m is not None and m.value is not None:
        return text_of(m, signed=signed)
    note = "" if m is None else m.note
    if note.startswith("not enough strides"):
        note += "; only strides of a bout that count (straight, steady) are used"
    return f"n/a ({remarks.letter(note or 'not measured')})"


def _table(title: str, *columns: str, header: bool = True) -> Table:
    """The first column to the left, numbers to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.show_header = header
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", no_wrap=True)
    return table


def _counts(a: Analysis) -> Table:
    table = _table("What was found", "", "left", "right", "side unknown")
    sides: tuple[Side | None, ...] = (Side.LEFT, Side.RIGHT, None)
    ics = [sum(c.kind == "ic" and c.side is s for c in a.contacts) for s in sides]
    strides = [sum(x.side is s for x in a.strides) for s in sides]
    used = [sum(v.accepted and v.side is s for v in a.verdicts.values()) for s in sides]
    table.add_row("Steps (initial contacts)", *map(str, ics))
    table.add_row("Strides", *map(str, strides))
    table.add_row("Strides that count (straight, steady)", *map(str, used))
    return table


def _sides(a: Analysis, group: Group, remarks: _Remarks) -> Table:
    """What each side has, beside how the sides compare."""
    table = _table(f"{_TITLES[group]} (median ± standard error)", "", "left", "right", "right vs left")
    for d in _shown(a, group):
        if _LEFT not in d.id:
            continue
        sides = [a.metric(id_) for id_ in (d.id, d.id.replace(_LEFT, _RIGHT))]
        index = next((METRICS[id_] for id_ in _comparisons(d.id) if id_ in METRICS), None)
        compared = "" if index is None else _signed(a.metric(index.id), index, remarks)
        name = d.name.removesuffix(", left")
        table.add_row(f"{name} ({d.unit})", *(_cell(m, remarks) for m in sides), compared)
    return table


def _comparisons(left: str) -> tuple[str, str]:
    """Ids of what compares the sides of this metric, the one that a table has room for first."""
    what, _, unit = left.partition(_LEFT)
    return f"{what}_ln_pct", f"{what}_asym_{unit}"


def _signed(m: MetricValue | None, index: MetricDefinition, remarks: _Remarks) -> str:
    text = _cell(m, remarks, signed=True)
    return text if m is None or m.value is None else text + _UNIT_AFTER.get(index.unit, f" {index.unit}")


def _whole(a: Analysis, group: Group, remarks: _Remarks) -> Table:
    table = _table(f"{_TITLES[group]}, both sides together", "", "", header=False)
    shown = _shown(a, group)
    beside = {id_ for d in shown if _LEFT in d.id for id_ in _comparisons(d.id)}
    for d in shown:
        if _LEFT not in d.id and _RIGHT not in d.id and d.id not in beside:
            unit = f" ({d.unit})" if d.unit else ""
            table.add_row(f"{d.name}{unit}", _cell(a.metric(d.id), remarks))
    return table


def _shown(a: Analysis, group: Group) -> list[MetricDefinition]:
    """Of a group, what these sensors could measure, and what is watched in any case."""
    out = []
    for d in METRICS.values():
        m = a.metric(d.id)
        if d.group is group and m is not None and (d.core or m.n_left + m.n_right > 0 or m.value is not None):
            out.append(d)
    return out


def _bouts(a: Analysis, remarks: _Remarks) -> Table:
    table = _table("Walking bouts", "", "from - to (s)", "strides", "count", "turns", "kind", "quality")
    for b in a.bouts:
        counting = sum(v.accepted for v in b.strides)
        table.add_row(
            str(b.ordinal), f"{b.start_s:.1f} - {b.end_s:.1f}", str(len(b.strides)), str(counting),
            str(len(b.turns)), b.stratum, " ".join(map(remarks.letter, b.quality)) or "good",
        )  # fmt: skip
    return table
