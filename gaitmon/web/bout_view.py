"""A walking bout side by side: left, right, their difference, and how many strides stand behind each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import degrees

from gaitmon.model import MetricValue
from gaitmon.store.series import BoutRow, SegmentRow
from gaitmon.symmetry.uncertainty import interval
from gaitmon.web.definitions import MetricInfo, metric_info
from gaitmon.web.formats import margin, number, quantity, utc_of
from gaitmon.web.trend_view import is_per_side
from gaitmon.web.waveform_view import WaveChart, wave_charts

BAR_WIDTH = 150.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One value with its 95 % interval; ``missing`` says in words why there is none, ``doubt`` what is
    doubtful of one that is there."""

    text: str
    margin: str
    n: int
    missing: str
    bar: float | None = None  # length in the row's small chart
    whisker: tuple[float, float] | None = None  # its interval there
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class SideRow:
    name: str
    left: Cell
    right: Cell
    difference: Cell


@dataclass(frozen=True, slots=True)
class ValueRow:
    info: MetricInfo
    cell: Cell
    n_left: int
    n_right: int


@dataclass(frozen=True, slots=True)
class TurnRow:
    direction: str
    angle: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class BoutView:
    bout: BoutRow
    segment: SegmentRow | None
    start_utc: datetime
    end_utc: datetime
    sides: tuple[SideRow, ...]
    pelvis: tuple[ValueRow, ...]
    others: tuple[ValueRow, ...]
    turns: tuple[TurnRow, ...]
    waves: tuple[WaveChart, ...]

    @property
    def duration_s(self) -> float:
        return self.bout.end_s - self.bout.start_s

    @property
    def straight(self) -> bool:
        return not self.bout.stratum.startswith("excluded")


# name, left id, right id, id of the signed difference
_SIDES = (
    ("Step time", "step_time_left_s", "step_time_right_s", "step_time_ln_pct"),
    ("Stance time", "stance_time_left_s", "stance_time_right_s", "stance_time_ln_pct"),
    ("Swing time", "swing_time_left_s", "swing_time_right_s", "swing_time_ln_pct"),
    ("Stride time", "stride_time_left_s", "stride_time_right_s", ""),
    ("Thigh range of motion", "thigh_rom_left_deg", "thigh_rom_right_deg", "thigh_rom_ln_pct"),
    ("Pelvic drop in own stance", "drop_left_deg", "drop_right_deg", "drop_asym_deg"),
)
_SIDE_IDS = {metric for row in _SIDES for metric in row[1:]}


def bout_view(bout: BoutRow, segment: SegmentRow | None) -> BoutView:
    by_id = {value.metric: value for value in bout.metrics}
    rest = [v for v in bout.metrics if v.metric not in _SIDE_IDS and not is_per_side(v.metric)]
    pelvis = [v for v in rest if v.metric.startswith("pelvis_")]
    return BoutView(
        bout=bout,
        segment=segment,
        start_utc=utc_of(bout.start_utc_us),
        end_utc=utc_of(bout.end_utc_us),
        sides=tuple(_side_row(row, by_id) for row in _SIDES if by_id.keys() & set(row[1:])),
        pelvis=tuple(_value_row(v) for v in pelvis),
        others=tuple(_value_row(v) for v in rest if v not in pelvis),
        turns=tuple(
            TurnRow(
                "left" if turn.angle_rad > 0 else "right",
                f"{number(abs(degrees(turn.angle_rad)), decimals=0)}°",
                turn.end_s - turn.start_s,
            )
            for turn in bout.turns
        ),
        waves=wave_charts(bout.waveforms, by_id),
    )


def _side_row(row: tuple[str, str, str, str], by_id: dict[str, MetricValue]) -> SideRow:
    name, left_id, right_id, difference_id = row
    left, right, difference = by_id.get(left_id), by_id.get(right_id), by_id.get(difference_id)
    present = [v.value for v in (left, right) if v is not None and v.value is not None]
    longest = max(present, default=0.0)
    return SideRow(
        name=name,
        left=_cell(left, left_id, left.n_left if left else 0, longest),
        right=_cell(right, right_id, right.n_right if right else 0, longest),
        difference=_cell(
            difference, difference_id, difference.n_left + difference.n_right if difference else 0
        ),
    )


def _value_row(value: MetricValue) -> ValueRow:
    info = metric_info(value.metric)
    n = value.n_left + value.n_right
    return ValueRow(info, _cell(value, value.metric, n), value.n_left, value.n_right)


def _cell(value: MetricValue | None, metric: str, n: int, longest: float = 0.0) -> Cell:
    if value is None:
        return Cell("", "", 0, "not measured")
    if value.value is None:
        return Cell("", "", n, _why_missing(value, metric))
    info = metric_info(metric)
    limits = interval(value)
    scale = BAR_WIDTH / (1.08 * longest) if longest > 0 else None
    whisker = None
    if scale is not None and limits is not None:
        low, high = (round(max(x, 0.0) * scale, 1) for x in limits)
        whisker = (low, high)
    return Cell(
        text=quantity(value.value, info.unit, signed=bool(info.up)),
        margin="" if limits is None else margin(value.value, limits, info.unit),
        n=n,
        missing="",
        bar=None if scale is None else round(max(value.value, 0.0) * scale, 1),
        whisker=whisker,
        doubt=value.note,
    )


def doubts(bout: BoutRow) -> dict[str, str]:
    """What is doubtful of the values that this bout gives, by metric: such as an assumed leg."""
    return {m.metric: m.note for m in bout.metrics if m.value is not None and m.note}


def _why_missing(value: MetricValue, metric: str) -> str:
    if value.note and "stride" not in value.note:
        return value.note
    needed = metric_info(metric).min_strides
    if "_left_" in metric:
        have = value.n_left
    elif "_right_" in metric:
        have = value.n_right
    else:
        have = min(value.n_left, value.n_right)
    if needed is not None and have < needed:
        return f"not enough strides ({have} of {needed})"
    return value.note or "not enough strides"
