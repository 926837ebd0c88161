"""Exported tables: documented, typed, one row each, and the same numbers when they are read back."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow.parquet import read_schema, read_table

from gaitmon import cli
from gaitmon.analysis import analyse
from gaitmon.errors import GaitmonError
from gaitmon.report import export_docs
from gaitmon.report.export import TABLES, write_csv, write_parquet
from gaitmon.sensors.formats import write_recording
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import Stand, WalkerParams, simulate
from gaitmon.symmetry.metrics import METRICS
from tests.needs import ROOT
from tests.report.walks import limper, limping

Row = dict[str, Any]


def read_csv(folder: Path) -> dict[str, list[Row]]:
    """By the types that the documentation promises."""
    read: dict[str, Callable[[str], Any]] = {
        "string": str,
        "integer": int,
        "number": float,
        "boolean": lambda v: {"true": True, "false": False}[v],
    }
    out = {}
    for table in TABLES:
        kinds = {c.name: read[c.kind] for c in table.columns}
        with (folder / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            assert rows.fieldnames == list(kinds)
            out[table.name] = [{k: kinds[k](v) if v else None for k, v in row.items()} for row in rows]
    return out


def read_parquet(folder: Path) -> dict[str, list[Row]]:
    return {t.name: read_table(folder / f"{t.name}.parquet").to_pylist() for t in TABLES}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    folder = tmp_path_factory.mktemp("csv") / "made" / "here"
    assert [p.name for p in write_csv(limping(), folder)] == [f"{t.name}.csv" for t in TABLES]
    return read_csv(folder)


def test_the_page_is_the_code_s() -> None:
    written = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    assert written == export_docs.page(), "run: python -m gaitmon.report.export_docs > docs/exports.md"


def test_strides_are_the_analysis_own(tables: dict[str, list[Row]]) -> None:
    a = limping()
    assert len(tables["strides"]) == len(a.strides)
    for row, s in zip(tables["strides"], a.strides, strict=True):
        assert (row["side"], row["ordinal"], row["start_s"], row["fc_s"], row["end_s"]) == (
            s.side, s.ordinal, s.start_s, s.fc_s, s.end_s
        )  # fmt: skip
        assert row["stride_time_s"] == s.duration_s
        assert row["thigh_rom_deg"] == s.thigh_rom_deg
        verdict = a.verdicts.get((s.side, s.ordinal))
        assert row["accepted"] == (None if verdict is None else verdict.accepted)
        assert row["simulated"] is True
    assert {row["accepted"] for row in tables["strides"]} >= {True, False}


def test_bouts_and_their_metrics(tables: dict[str, list[Row]]) -> None:
    a = limping()
    assert [(r["bout"], r["start_s"], r["n_strides"]) for r in tables["bouts"]] == [
        (b.ordinal, b.start_s, len(b.strides)) for b in a.bouts
    ]
    assert {r["content_id"] for r in tables["bouts"]} == {a.recording.content_id}
    for bout, metrics in [*((b.ordinal, b.metrics) for b in a.bouts), (None, a.summary)]:
        own = [r for r in tables["metrics"] if r["bout"] == bout]
        assert [(r["metric"], r["value"], r["standard_error"], r["n_left"]) for r in own] == [
            (m.metric, m.value, m.standard_error, m.n_left) for m in metrics
        ]
    for r in tables["metrics"]:
        assert (r["unit"] or "") == METRICS[r["metric"]].unit
        assert r["value"] is None or r["low_95"] is None or r["low_95"] <= r["value"] <= r["high_95"]
        assert r["value"] is not None or r["note"]


def test_waveforms_have_101_points(tables: dict[str, list[Row]]) -> None:
    a = limping()
    for w in a.waveforms:
        own = [
            r for r in tables["waveforms"]
            if r["bout"] is None and r["angle"] == w.angle and r["side"] == w.side
        ]  # fmt: skip
        assert [r["cycle_pct"] for r in own] == list(range(101))
        assert [r["mean_deg"] for r in own] == w.mean_deg.tolist()
        assert [r["sd_deg"] for r in own] == w.sd_deg.tolist()
        assert {r["n"] for r in own} == {w.n}
    assert len(tables["waveforms"]) == 101 * sum(len(b.waveforms) for b in a.bouts) + 101 * len(a.waveforms)


def test_parquet_holds_the_same(tables: dict[str, list[Row]], tmp_path: Path) -> None:
    write_parquet(limping(), tmp_path)
    nothing = {"": None}  # a CSV cannot tell an empty text from none
    for name, rows in read_parquet(tmp_path).items():
        assert [
            {k: nothing.get(v, v) if isinstance(v, str) else v for k, v in r.items()} for r in rows
        ] == tables[name]
    arrow = {"string": "string", "integer": "int64", "number": "double", "boolean": "bool"}
    for table in TABLES:
        schema = read_schema(tmp_path / f"{table.name}.parquet")
        assert {f.name: str(f.type) for f in schema} == {c.name: arrow[c.kind] for c in table.columns}
        assert schema.metadata[b"produced_by"].decode() == limping().produced_by


def test_no_walking_gives_columns_without_rows(tmp_path: Path) -> None:
    still = analyse(recording_of(simulate((Stand(20.0),), WalkerParams(), seed=1), "still"))
    write_parquet(still, tmp_path)
    write_csv(still, tmp_path)
    found = read_csv(tmp_path)
    assert found["strides"] == found["bouts"] == found["waveforms"] == []
    assert {r["value"] for r in found["metrics"]} == {None}
    for table in TABLES:
        assert read_table(tmp_path / f"{table.name}.parquet").column_names == [c.name for c in table.columns]


def test_units_stand_in_the_names() -> None:
    beside = {"value", "standard_error", "low_95", "high_95"}
    for table in TABLES:
        for c in table.columns:
            if c.kind == "number" and c.name not in beside:
                assert c.name.endswith(("_s", "_deg", "_pct")), c.name


def test_both_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "walk.gaitrec"
    write_recording(limper(), path)
    where = tmp_path / "tables"
    assert cli.main(["analyse", str(path), "--csv", str(where), "--parquet", str(where)]) == 0
    assert {p.name for p in where.iterdir()} == {f"{t.name}{s}" for t in TABLES for s in (".csv", ".parquet")}
    assert f"wrote {where}" in capsys.readouterr().err


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(GaitmonError, match="Give a folder to write to"):
        write_csv(limping(), tmp_path / "file")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(GaitmonError, match=r"pip install 'gaitmon\[parquet\]'"):
        write_parquet(limping(), tmp_path)
    assert not list(tmp_path.iterdir())
