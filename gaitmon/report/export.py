"""An analysis as tables for a statistics program: CSV or Parquet, one file per table.

docs/exports.md is made from TABLES (gaitmon.report.export_docs).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gaitmon.analysis import Analysis
from gaitmon.errors import GaitmonError
from gaitmon.model import MetricValue, Stride, WalkingBout
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.uncertainty import interval

if TYPE_CHECKING:
    import pyarrow

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """kind: string, integer, number or boolean.  A cell that cannot be known is empty."""

    name: str
    kind: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    row: str
    columns: tuple[Column, ...]
    rows: Callable[[Analysis], Iterator[tuple[Value, ...]]]


# ---- rows


def _origin(a: Analysis) -> tuple[Value, ...]:
    return a.recording.name, a.recording.simulated


def _utc_us(a: Analysis, t_s: float) -> int | None:
    start = a.recording.start_utc_us
    return None if start is None else start + round(1e6 * t_s)


def _strides(a: Analysis) -> Iterator[tuple[Value, ...]]:
    for s in a.strides:
        yield *_origin(a), *_stride(a, s)


def _stride(a: Analysis, s: Stride) -> tuple[Value, ...]:
    verdict = a.verdicts.get((s.side, s.ordinal))
    told = (None, None, None) if verdict is None else (verdict.straight, verdict.accepted, verdict.reason)
    return (
        *(a.bout_of.get((s.side, s.ordinal)), s.side, s.ordinal),
        *(s.start_s, _utc_us(a, s.start_s), s.fc_s, s.opposite_ic_s, s.end_s),
        *(s.duration_s, s.stance_s, s.swing_s),
        *(s.thigh_rom_deg, s.thigh_flexion_max_deg, s.thigh_flexion_min_deg),
        *told,
        "; ".join(s.flags),
    )


def _bouts(a: Analysis) -> Iterator[tuple[Value, ...]]:
    for b in a.bouts:
        counting = sum(v.accepted for v in b.strides)
        yield (
            *_origin(a), b.ordinal, b.start_s, _utc_us(a, b.start_s), b.end_s, b.end_s - b.start_s, b.stratum,
            len(b.strides), counting, len(b.turns), "; ".join(b.quality), a.recording.content_id,
            a.produced_by,
        )  # fmt: skip


def _metrics(a: Analysis) -> Iterator[tuple[Value, ...]]:
    for bout in (*a.bouts, None):
        for m in a.summary if bout is None else bout.metrics:
            yield *_origin(a), *_metric(bout, m)


def _metric(bout: WalkingBout | None, m: MetricValue) -> tuple[Value, ...]:
    d = METRICS[m.metric]
    low, high = interval(m) or (None, None)
    return (
        *(None if bout is None else bout.ordinal, m.metric, d.group.value, d.unit),
        *(m.value, m.standard_error, low, high, m.n_left, m.n_right, m.note),
    )


def _waveforms(a: Analysis) -> Iterator[tuple[Value, ...]]:
    for bout in (*a.bouts, None):
        for w in a.waveforms if bout is None else bout.waveforms:
            curves = zip(w.mean_deg.tolist(), w.sd_deg.tolist(), strict=True)
            for pct, (mean, sd) in enumerate(curves):
                ordinal = None if bout is None else bout.ordinal
                yield *_origin(a), ordinal, w.angle.value, w.side.value, w.n, pct, mean, sd


# ---- what they mean

_ORIGIN = (
    Column("recording", "string", "its name"),
    Column("simulated", "boolean", "true when nobody walked"),
)
_BOUT = Column("bout", "integer", "the bout's number; empty: all that are not excluded, together")

TABLES = (
    Table(
        "strides",
        "stride, in order of its end, accepted or not",
        (
            *_ORIGIN,
            Column("bout", "integer", "its bout's number; empty outside any"),
            Column("side", "string", "left, right; empty where no sensor can tell"),
            Column("ordinal", "integer", "number of the opening contact among this side's initial contacts"),
            Column("start_s", "number", "initial contact, on the recording's clock"),
            Column("start_utc_us", "integer", "the same in UTC, microseconds since 1970, where known"),
            Column("fc_s", "number", "final contact"),
            Column("opposite_ic_s", "number", "the other side's initial contact in between"),
            Column("end_s", "number", "next initial contact of the side"),
            Column("stride_time_s", "number", "end_s - start_s"),
            Column("stance_time_s", "number", "fc_s - start_s"),
            Column("swing_time_s", "number", "end_s - fc_s"),
            Column("thigh_rom_deg", "number", "own thigh: largest minus smallest flexion"),
            Column("thigh_flexion_max_deg", "number", "forward +"),
            Column("thigh_flexion_min_deg", "number", "forward +"),
            Column("straight", "boolean", "no turn in or beside it; empty outside any bout"),
            Column("accepted", "boolean", "counts in its bout's values; empty outside any bout"),
            Column("reason", "string", "why it is not accepted"),
            Column("flags", "string", "why it is less than perfect, joined by ;"),
        ),
        _strides,
    ),
    Table(
        "bouts",
        "walking bout",
        (
            *_ORIGIN,
            Column("bout", "integer", "its number, from 1"),
            Column("start_s", "number", "on the recording's clock"),
            Column("start_utc_us", "integer", "the same in UTC, microseconds since 1970, where known"),
            Column("end_s", "number", ""),
            Column("duration_s", "number", "end_s - start_s"),
            Column("stratum", "string", "what it may be compared with; excluded:... is in no pooled value"),
            Column("n_strides", "integer", "accepted or not"),
            Column("n_accepted", "integer", "strides behind its values"),
            Column("n_turns", "integer", "changes of heading of 45 degrees or more"),
            Column("quality", "string", "what a reader must know, joined by ;"),
            Column("content_id", "string", "sha256 of the recording's samples"),
            Column(
                "produced_by", "string", "version of gaitmon, fingerprints of its parameters and of its core"
            ),
        ),
        _bouts,
    ),
    Table(
        "metrics",
        "bout and metric, then one per metric of all bouts together",
        (
            *_ORIGIN,
            _BOUT,
            Column("metric", "string", "id, with its unit at the end ([definitions](metrics.md))"),
            Column("group", "string", "temporal, spatial, waveform, pelvis, smoothness, loading"),
            Column("unit", "string", "of value, standard_error, low_95 and high_95"),
            Column("value", "number", "empty with fewer strides than the metric needs"),
            Column("standard_error", "number", "[how](metrics.md#uncertainty)"),
            Column("low_95", "number", "lower end of the 95 % interval"),
            Column("high_95", "number", "upper end"),
            Column("n_left", "integer", "strides behind it"),
            Column("n_right", "integer", ""),
            Column("note", "string", "why there is no value, or what to know of it"),
        ),
        _metrics,
    ),
    Table(
        "waveforms",
        "bout, angle, side and percent of the gait cycle, then the same of all bouts together",
        (
            *_ORIGIN,
            _BOUT,
            Column("angle", "string", "signs: [units and frames](units-and-frames.md)"),
            Column("side", "string", "whose cycle it is, and whose side the signs mean"),
            Column("n", "integer", "strides behind it"),
            Column("cycle_pct", "integer", "0 to 100, from initial contact to the next of the side"),
            Column("mean_deg", "number", ""),
            Column("sd_deg", "number", "between strides"),
        ),
        _waveforms,
    ),
)


# ---- files


def write_csv(a: Analysis, folder: Path) -> list[Path]:
    """One file per table; UTF-8, comma, a dot in numbers, true and false, nothing for what is not known.

    Numbers are written so that they read back as they were.  Raises GaitmonError where the folder cannot be
    written.
    """

    def write(table: Table, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow([c.name for c in table.columns])
            out.writerows([_text(v) for v in row] for row in table.rows(a))

    return _write(folder, ".csv", write)


def _text(v: Value) -> str:
    if v is None:
        return ""
    return str(v).lower() if isinstance(v, bool) else str(v)


def write_parquet(a: Analysis, folder: Path) -> list[Path]:
    """One file per table, with types.  Raises GaitmonError where pyarrow is missing or the folder cannot be
    written."""
    try:
        import pyarrow as pa  # noqa: PLC0415  (an optional extra)
        from pyarrow.parquet import write_table  # noqa: PLC0415
    except ImportError:
        raise GaitmonError(
            "Writing parquet needs pyarrow, which is not installed.",
            "pip install 'gaitmon[parquet]', or use --csv.",
        ) from None

    def write(table: Table, path: Path) -> None:
        write_table(_arrow(a, table, pa), path)

    return _write(folder, ".parquet", write)


def _arrow(a: Analysis, table: Table, pa: pyarrow) -> pyarrow.Table:
    types = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    schema = pa.schema(
        [pa.field(c.name, types[c.kind], metadata={"meaning": c.meaning}) for c in table.columns],
        metadata={"produced_by": a.produced_by, "content_id": a.recording.content_id},
    )
    names = [c.name for c in table.columns]
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in table.rows(a)], schema=schema)


def _write(folder: Path, suffix: str, write: Callable[[Table, Path], None]) -> list[Path]:
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in TABLES:
            paths.append(folder / f"{table.name}{suffix}")
            write(table, paths[-1])
    except OSError as error:
        raise GaitmonError(f"{folder}: cannot write there ({error}).", "Give a folder to write to.") from None
    return paths
