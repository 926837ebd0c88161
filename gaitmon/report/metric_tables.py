"""The metrics of an analysis, a table per group: left and right beside how they compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rich import box
from rich.table import Table

from gaitmon.analysis import Analysis
from gaitmon.model import Angle, MetricValue
from gaitmon.report.words import normal_of, text_of, unit_of
from gaitmon.symmetry.derived import derived, stance_load_ratio
from gaitmon.symmetry.metrics import METRICS, Group, MetricDefinition

WIDE = 104  # columns from which normal ranges and MDC have columns of their own
TITLES = {
    Group.TEMPORAL: "Times",
    Group.SPATIAL: "Length and speed",
    Group.WAVEFORM: "Thigh and hip",
    Group.PELVIS: "Pelvis",
    Group.SMOOTHNESS: "Smoothness and regularity",
    Group.LOADING: "Loading: accelerations and times, not forces",
}
_LEFT, _RIGHT = "_left_", "_right_"
_MOST_DAYS = 4
_LIKENESS = ("rmsd_deg", "correlation", "lag_pct", "amplitude_ratio")  # of an angle: a table of their own
# What is shown unless everything is asked for; of a pair the left one stands for both.
_USUAL = {
    *("stride_time_left_s", "step_time_left_s", "stance_time_left_s", "swing_time_left_s"),
    *("single_support_left_s", "cadence_steps_min", "stance_pct", "double_support_pct"),
    *("walking_speed_m_s", "stride_length_m", "step_length_left_m"),
    *("thigh_rom_left_deg", "hip_rom_left_deg", "thigh_extension_left_deg", "hip_extension_left_deg"),
    *("drop_left_deg", "pelvis_tilt_rom_deg", "pelvis_obliquity_rom_deg", "pelvis_rotation_rom_deg"),
    *("pelvis_sway_m", "gait_symmetry_index", "stance_load_ratio", "impact_left_m_s2"),
}
_USUAL_OF_DAY = (
    *("day_sitting_min", "day_lying_min", "day_sitting_or_lying_min", "day_standing_min", "day_walking_min"),
    *("day_unworn_min", "day_rises_n", "day_steps_n", "day_bouts_n", "day_turns_n"),
)


@dataclass(slots=True)
class Remarks:
    """What is too long for a cell: the cell has a letter, the line below the tables the words."""

    _words: list[str] = field(default_factory=list)

    def letter(self, words: str) -> str:
        if words not in self._words:
            self._words.append(words)
        return chr(ord("a") + self._words.index(words) % 26)

    def lines(self) -> list[str]:
        return [f"{self.letter(words)}: {words}" for words in self._words]


def table(title: str, *columns: str, header: bool = True) -> Table:
    """The first column to the left and free to wrap, numbers to the right."""
    out = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    out.show_header = header
    for i, column in enumerate(columns):
        out.add_column(column, justify="right" if i else "left", no_wrap=i > 0)
    return out


@dataclass(frozen=True, slots=True)
class MetricTables:
    """every: all metrics that there are, else the usual ones.  wide: room for context in columns."""

    analysis: Analysis
    remarks: Remarks
    every: bool
    wide: bool

    def of(self, group: Group) -> Iterator[Table]:
        for made in (self._sides(group), self._whole(group)):
            if made.row_count:
                yield made

    def _sides(self, group: Group) -> Table:
        context = ("healthy adults", "MDC") if self.wide else ()
        out = table(TITLES[group], "", "left", "right", "right vs left", "L|R", *context)
        told = []
        for d in self._shown(group):
            if _LEFT not in d.id:
                continue
            sides = [self._metric(id_) for id_ in (d.id, d.id.replace(_LEFT, _RIGHT))]
            index = next((METRICS[id_] for id_ in _comparisons(d.id) if id_ in METRICS), None)
            compared = None if index is None else self._metric(index.id)
            n = f"{sides[0].n_left if sides[0] else 0}|{sides[1].n_right if sides[1] else 0}"
            name = d.name.removesuffix(", left")
            range_, mdc = normal_of(d), _mdc(index)
            if not self.wide and (range_ or mdc):
                told.append(f"{name} {', '.join(x for x in (range_, mdc and f'MDC {mdc}') if x)}")
            words = "" if index is None else self._cell(compared, signed=True)
            if compared is not None and compared.value is not None and index is not None:
                words += unit_of(index)
            shown = (range_, mdc) if self.wide else ()
            out.add_row(_with_unit(name, d), *(self._cell(m) for m in sides), words, n, *shown)
        if told:
            out.caption = f"Healthy adults, MDC right vs left: {'; '.join(told)}"
            out.caption_justify = "left"
        return out

    def _whole(self, group: Group) -> Table:
        out = table(f"{TITLES[group]}, both sides together", "", "value", "strides", "healthy adults", "MDC")
        shown = self._shown(group)
        beside = {id_ for d in METRICS.values() if _LEFT in d.id for id_ in _comparisons(d.id)}
        beside |= {f"{angle}_{what}" for angle in Angle for what in _LIKENESS}
        for d in shown:
            if _LEFT not in d.id and _RIGHT not in d.id and d.id not in beside:
                m = self._metric(d.id)
                n = "" if m is None else str(m.n_left + m.n_right or "")
                out.add_row(_with_unit(d.name, d), self._cell(m), n, normal_of(d), _mdc(d))
        return out

    def _shown(self, group: Group) -> list[MetricDefinition]:
        """Of a group, what these sensors could measure, and what is watched in any case."""
        out = []
        for d in METRICS.values():
            m = self._metric(d.id) if d.group is group else None
            could = m is not None and (m.n_left + m.n_right > 0 or m.value is not None)
            if m is not None and (self.every or (d.id in _USUAL and (could or _watched(d)))):
                out.append(d)
        return out

    def _metric(self, id_: str) -> MetricValue | None:
        if id_ == "stance_load_ratio":
            part = self.analysis.metric("stance_time_ln_pct")
            return None if part is None else stance_load_ratio(part)
        return self.analysis.metric(id_)

    def _cell(self, m: MetricValue | None, *, signed: bool = False) -> str:
        if m is not None and m.value is not None:
            return text_of(m, signed=signed)
        note = "" if m is None else m.note
        if note.startswith("not enough strides"):
            note += "; only strides of a bout that count (straight, steady) are used"
        return f"n/a ({self.remarks.letter(note or 'not measured')})"


def _watched(d: MetricDefinition) -> bool:
    return any(METRICS[id_].core for id_ in _comparisons(d.id) if id_ in METRICS)


def _with_unit(name: str, d: MetricDefinition) -> str:
    return f"{name} ({unit_of(d).strip()})" if d.unit else name


def _mdc(d: MetricDefinition | None) -> str:
    return "" if d is None or d.mdc is None else f"{d.mdc:g}{unit_of(d)}"


def _comparisons(left: str) -> tuple[str, str]:
    """Ids of what compares the sides of this metric, the one that a table has room for first."""
    what, _, unit = left.partition(_LEFT)
    return f"{what}_ln_pct", f"{what}_asym_{unit}"


def index_table(a: Analysis) -> Table:
    """The other indices of asymmetry in use, from the same values."""
    out = table(
        "Indices of asymmetry, right against left", "", "100 ln(R/L)", "R/L", "Robinson SI", "angle", "NSI"
    )
    for d in METRICS.values():
        m, nsi = a.metric(d.id), a.metric(d.id.replace("_asym_deg", "_nsi_pct"))
        if d.derived and m is not None and m.value is not None:
            found = derived(m)
            out.add_row(
                d.name.removesuffix(", right against left"), f"{text_of(m, signed=True)} %",
                f"{found['symmetry_ratio']:.3f}", f"{found['symmetry_index_pct']:+.1f} %",
                f"{found['symmetry_angle_pct']:+.1f} %", "",
            )  # fmt: skip
        elif d.id.endswith("_asym_deg") and nsi is not None and nsi.value is not None and nsi is not m:
            name = METRICS[nsi.metric].name.removesuffix(", normalised symmetry index")
            out.add_row(name, "", "", "", "", f"{text_of(nsi, signed=True)} %")
    return out


def waveform_table(a: Analysis) -> Table:
    """How alike the sides' mean waveforms are."""
    heads = ("difference (°)", "correlation", "right later (%)", "right/left")
    out = table("Mean waveforms, right against left", "", *heads)
    for angle in Angle:
        found = [a.metric(f"{angle}_{what}") for what in _LIKENESS]
        if any(m is not None and m.value is not None for m in found):
            cells = ["" if m is None or m.value is None else text_of(m) for m in found]
            out.add_row(angle.replace("_", " ").capitalize(), *cells)
    return out


def volume_table(a: Analysis, *, every: bool) -> Table:
    """Columns: 24 hours each, from the first sample on."""
    days = a.volume()
    heads = ["", *(f"{i}. 24 h" for i in range(1, len(days) + 1))][: 1 + _MOST_DAYS]
    more = f", first {_MOST_DAYS} of {len(days)}" if len(days) > _MOST_DAYS else ""
    out = table(f"Volume{more}", *heads, header=len(days) > 1)
    for d in (d for d in METRICS.values() if d.group is Group.VOLUME):
        values = [day.values.get(d.id) for day in days[:_MOST_DAYS]]
        if any(v is not None for v in values) and (every or (d.id in _USUAL_OF_DAY and any(values))):
            out.add_row(
                _with_unit(d.name, d), *("" if v is None else f"{v:.{_decimals(d)}f}" for v in values)
            )
    return out


def _decimals(d: MetricDefinition) -> int:
    return 0 if d.id.endswith("_n") else 2 if d.unit in ("m", "m/s") else 1
