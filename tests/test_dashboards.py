"""The Grafana dashboard: what the committed script makes, provisioned, without overlaps, and its Flux
checked by the compiler of InfluxData."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import cast

import pytest
import yaml

from gaitmon.model import MetricValue
from gaitmon.store.influx import points_of
from gaitmon.store.series import BoutRow, DayRow, Row
from gaitmon.symmetry.metrics import METRICS
from gaitmon.trends import CORE_METRICS
from tests.needs import ROOT, require

FOLDER = ROOT / "dashboards"
BOARD = FOLDER / "grafana/boards/wearer.json"
FLUX_CHECKER = "@influxdata/flux-lsp-node@0.8.40"

Panel = dict[str, object]


def board() -> dict[str, object]:
    return cast("dict[str, object]", json.loads(BOARD.read_text()))


def panels() -> list[Panel]:
    return cast("list[Panel]", board()["panels"])


def variables() -> list[Panel]:
    return cast("dict[str, list[Panel]]", board()["templating"])["list"]


def targets() -> list[Panel]:
    return [t for panel in panels() for t in cast("list[Panel]", panel.get("targets", []))]


def queries() -> list[str]:
    """Every Flux text of the dashboard, variables included, with the variables filled in."""
    texts = [str(t["query"]) for t in targets()]
    texts += [str(cast("Panel", v["query"])["query"]) for v in variables()]
    return [re.sub(r"\$\{\w+\}", "w1", text) for text in texts]


def test_the_committed_board_is_what_the_script_makes() -> None:
    require(util.find_spec("grafana_foundation_sdk"), "grafana-foundation-sdk is not installed")
    script = "import build, sys; sys.stdout.write(build.board_json())"
    made = subprocess.run(
        [sys.executable, "-c", script], cwd=FOLDER, capture_output=True, text=True, check=True
    ).stdout
    assert made == BOARD.read_text(), "run: python dashboards/build.py"


def test_panel_ids_are_unique_and_nothing_overlaps() -> None:
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        position = cast("dict[str, int]", panel["gridPos"])
        columns = range(position["x"], position["x"] + position["w"])
        rows = range(position["y"], position["y"] + position["h"])
        cells = {(x, y) for x in columns for y in rows}
        assert columns.stop <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_datasource_is_provisioned() -> None:
    (source,) = yaml.safe_load((FOLDER / "grafana/datasources/influxdb.yaml").read_text())["datasources"]
    used = [o["datasource"] for o in [*targets(), *variables(), *(p for p in panels() if p.get("targets"))]]
    assert used
    assert all(d == {"type": source["type"], "uid": source["uid"]} for d in used)
    assert source["jsonData"]["version"] == "Flux"
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    names = re.findall(r"\$(\w+)", source["jsonData"]["organization"] + source["jsonData"]["defaultBucket"])
    assert set(names) <= set(compose["environment"])
    secret = re.fullmatch(r"\$__file\{/run/secrets/(\w+)\}", source["secureJsonData"]["token"])
    assert secret is not None
    assert secret[1] in compose["secrets"]


def test_the_board_lies_where_grafana_looks() -> None:
    (provider,) = yaml.safe_load((FOLDER / "grafana/providers/gaitmon.yaml").read_text())["providers"]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    mounts = {v.split(":")[1]: v.split(":")[0] for v in compose["volumes"]}
    assert (ROOT / mounts[provider["options"]["path"]] / BOARD.name) == BOARD


def test_every_core_metric_has_a_trend_and_what_is_simulated_says_so() -> None:
    for rule in CORE_METRICS:
        (panel,) = [p for p in panels() if rule.metric in str(p.get("description", ""))]
        texts = [str(t["query"]) for t in cast("list[Panel]", panel["targets"])]
        assert all(f'r.metric == "{rule.metric}"' in text for text in texts)
        assert any('"simulated day"' in text and 'r.simulated == "true"' in text for text in texts)
        assert any('"day"' in text and 'r.simulated == "false"' in text for text in texts)
    note = json.dumps(panels()[0])
    assert "not a medical device" in note
    assert "diagnosis" in note


def written() -> dict[str, tuple[set[str], set[str]]]:
    """measurement: its tags and its fields, from points that gaitmon.store.influx makes."""
    value = MetricValue("step_time_ln_pct", 1.0, 0.5, 10, 10, "note")
    rows: list[Row] = [
        BoutRow("w1", "s", 0, 0, 0, 1, 0.0, 9.0, "straight", 22, 10, 10, (), (value,), ("gap",), True),
        DayRow("w1", "2026-03-01", "straight", "step_time_ln_pct", 1.0, 0.5, 200, 3, True, True),
    ]
    names: dict[str, tuple[set[str], set[str]]] = {}
    for row in rows:
        for point in points_of(row):
            # "day,metric=m,wearer=w1 n_strides=200i,value=1 1772323200000000000"; no spaces in these names
            key, fields, _ = str(point).split(" ")
            measurement, *tags = key.split(",")
            names[measurement] = (
                {tag.split("=")[0] for tag in tags},
                {name.split("=")[0] for name in fields.split(",")},
            )
    return names


def test_every_name_in_a_query_is_one_that_is_written() -> None:
    names = written()
    known_metrics = set(METRICS) | {rule.metric for rule in CORE_METRICS}
    reads = [text for text in queries() if "from(" in text]
    assert len(reads) == len(targets())
    for text in reads:
        (measurement,) = re.findall(r'r\._measurement == "(\w+)"', text)
        tags, fields = names[measurement]
        assert set(re.findall(r'r\._field == "(\w+)"', text)) <= fields
        read = text.partition("pivot(")[0]
        assert set(re.findall(r"r\.([a-z]\w*) (?:==|=~)", read)) <= tags
        assert set(re.findall(r'r\.metric == "(\w+)"', text)) <= known_metrics
        assert set(re.findall(r'r\.simulated == "(\w+)"', text)) <= {"true", "false"}
    (sided,) = [text for text in reads if "left|right" in text]
    pattern = re.compile(next(iter(re.findall(r"r\.metric =~ /(.*?)/", sided))))
    sides = {name for name in METRICS if pattern.search(name)}
    assert {"stance_time_left_s", "stance_time_right_s"} <= sides
    assert {n.replace("_left_", "_right_") for n in sides if "_left_" in n} == {
        n for n in sides if "_right_" in n
    }
    for variable in variables():
        assert str(variable["name"]) in names["day"][0]


@pytest.fixture(scope="module")
def flux_checker() -> Path:
    """InfluxData's own compiler as a WebAssembly module, installed once into the cache folder."""
    require(shutil.which("node") and shutil.which("npm"), "node and npm are not installed")
    folder = ROOT / ".cache" / "flux"
    if not (folder / "node_modules/@influxdata/flux-lsp-node").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder)]
        done = subprocess.run(
            [*install, FLUX_CHECKER], capture_output=True, text=True, check=False, timeout=120
        )
        require(done.returncode == 0, f"npm could not install {FLUX_CHECKER}")
    return folder


CHECK = """
const { Flux } = require('@influxdata/flux-lsp-node');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(texts.map((text) => new Flux(text).is_valid())));
"""
OPTION = (
    "option v = {timeRangeStart: 2026-01-01T00:00:00Z, timeRangeStop: 2026-04-01T00:00:00Z, "
    'defaultBucket: "gaitmon"}\n'
)


def check_flux(folder: Path, texts: list[str]) -> list[bool]:
    # Imports come first in Flux; what Grafana puts into v comes after them.
    whole = [re.sub(r"\A((?:import .*\n)*)", lambda m: m[0] + OPTION, text) for text in texts]
    done = subprocess.run(
        ["node", "-e", CHECK], cwd=folder, input=json.dumps(whole), capture_output=True, text=True, check=True
    )
    return cast("list[bool]", json.loads(done.stdout))


def test_the_flux_compiles(flux_checker: Path) -> None:
    texts = queries()
    assert len(texts) == len(CORE_METRICS) * 3 + 3
    assert dict(zip(texts, check_flux(flux_checker, texts), strict=True)) == dict.fromkeys(texts, True)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("|> sort(", "|> sorted("),
        ("limit(n: 14)", 'limit(n: "14")'),
        ("2.0 * r.value_sd", "2 * r.value_mean + true"),
        ("|> filter(fn: (r) => r.valid", "|> filter(fn: (r) => (r.valid"),
    ],
)
def test_the_flux_check_sees_mistakes(flux_checker: Path, right: str, wrong: str) -> None:
    text = next(q for q in queries() if right in q)
    assert check_flux(flux_checker, [text.replace(right, wrong)]) == [False]
