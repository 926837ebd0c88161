"""The house in order: who imports whom, what the core may touch, and that the simulator shares nothing with
the detector it grades."""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests import long_code
from tests.needs import ROOT

PACKAGE = ROOT / "gaitmon"
CORE = ("model", "errors", "compiled", "imu", "gait", "symmetry", "trends", "simulate", "pipeline")

# Who may import whom, beside itself, COMMON, which everybody may.  The cli is on top of all.
COMMON = {"model", "errors", "compiled"}
IMPORTS = {
    "model": set[str](),
    "errors": set[str](),
    "compiled": set[str](),
    "imu": set[str](),
    "gait": {"imu"},
    "symmetry": set[str](),
    "simulate": set[str](),
    "trends": {"store", "symmetry"},  # store.series for its rows only, see below
    "pipeline": {"imu", "gait", "symmetry"},
    "sensors": {"imu", "simulate"},
    "virtual": {"sensors", "simulate"},  # sensors on a virtual radio: of demo and tests only
    "transport": {"store"},
    "store": {"sensors"},  # sensors.raw only: what the raw archive keeps
    "analysis": {"pipeline", "sensors", "symmetry", "trends"},
    "sessions": {"analysis", "gait", "imu", "pipeline", "sensors", "symmetry"},
    "report": {"analysis", "sensors", "sessions", "store", "symmetry", "trends", "imu"},
    "review": {"store", "symmetry", "trends"},
    "web": {"store", "symmetry", "trends"},
    "config": {"store", "transport"},
    "collector": {"analysis", "config", "pipeline", "sensors", "store", "transport"},
    "server": {"config", "review", "store", "transport", "web"},
    "demo": {
        *("analysis", "collector", "config", "sensors", "server", "simulate", "store", "transport"),
        *("virtual", "web"),
    },
}
# What the core may take from Python and from others: no asyncio, socket, sqlite3, time, logging, os, pathlib.
PURE = {
    *("__future__", "bisect", "collections", "dataclasses", "enum", "functools", "hashlib", "itertools"),
    *("math", "operator", "re", "statistics", "types", "typing", "numpy", "scipy", "vqf"),
}
PURE_BESIDES = {
    "compiled": {"numba"},
    "simulate": {"importlib", "json"},  # its normative curves lie beside it
    "symmetry": {"importlib", "json"},  # so do those it shows for context: a copy of its own
    "trends": {"datetime", "zoneinfo"},  # local days are dates; now() and today() are not asked for
}

# Numbers that simulator and detector may both know, and why that is no circle.
COMMON_GROUND = {9.81: "gravity"}


# ---- who imports whom -------------------------------------------------------------------------


@cache
def trees() -> dict[str, ast.Module]:
    """Module path inside the package -> its syntax tree."""
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def room(path: str) -> str:
    """model.py -> model, gait/strides.py -> gait, demo_feeds.py -> demo."""
    return Path(path).with_suffix("").parts[0].split("_")[0] or "__init__"


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names of every module imported anywhere in it, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            module = node.module or ""
            yield from [f"gaitmon.{a.name}" for a in node.names] if module == "gaitmon" else [module]


def rooms_imported(path: str) -> set[str]:
    names = [name.split(".") for name in imported(trees()[path])]
    return {name[1].split("_")[0] for name in names if name[0] == "gaitmon" and len(name) > 1} - {""}


def test_imports_point_one_way() -> None:
    wrong = [
        f"{path} imports gaitmon.{other}"
        for path in trees()
        if room(path) not in ("cli", "__init__")
        for other in sorted(rooms_imported(path) - IMPORTS[room(path)] - {room(path), *COMMON})
    ]
    assert not wrong
    assert {room(p) for p in trees()} <= {*IMPORTS, "cli", "__init__"}, "a new room: say whom it may import"


def test_the_allowed_imports_have_no_circle() -> None:
    def below(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"circle: {' -> '.join([*above, name])}"
        for other in IMPORTS[name]:
            below(other, (*above, name))

    for name in IMPORTS:
        below(name, ())


def test_trends_takes_only_the_rows_from_the_store() -> None:
    for path in trees():
        if room(path) == "trends":
            assert {n for n in imported(trees()[path]) if n.startswith("gaitmon.store")} <= {
                "gaitmon.store.series"
            }


def test_the_core_does_not_know_the_world() -> None:
    wrong = []
    for path, tree in trees().items():
        if room(path) not in CORE:
            continue
        allowed = PURE | PURE_BESIDES.get(room(path), set())
        tops = {name.split(".")[0] for name in imported(tree)} - {"gaitmon"}
        wrong += [f"{path} imports {name}" for name in sorted(tops - allowed)]
        wrong += [f"{path}:{line} {what}" for line, what in touches_the_world(tree)]
    assert not wrong


def touches_the_world(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls that need no import: files, terminal, and the clock behind datetime."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input", "exec", "eval"):
            yield node.lineno, node.func.id
        if isinstance(node.func, ast.Attribute) and node.func.attr in (
            "now", "utcnow", "today", "tofile", "fromfile", "savetxt", "loadtxt", "memmap",
        ):  # fmt: skip
            yield node.lineno, node.func.attr


def test_what_touches_the_world_is_seen() -> None:
    source = "import datetime\nx = open('a')\ny = datetime.date.today()\nprint(x)\nz = x.nowhere()\n"
    assert [what for _, what in sorted(touches_the_world(ast.parse(source)))] == ["open", "today", "print"]


# ---- the simulator is graded by nothing of its own --------------------------------------------


def numbers(tree: ast.Module) -> Iterator[tuple[str, float]]:
    """(name, value) of every constant and field default that is a number other than 0 and 1."""
    for node in ast.walk(tree):
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        target = node.target if isinstance(node, ast.AnnAssign) else target
        if not isinstance(target, ast.Name) or not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        value = node.value.value if isinstance(node.value, ast.Constant) else None
        if isinstance(value, int | float) and value not in (0, 1):  # True and False among them
            yield target.id, float(value)


def telling(tree: ast.Module) -> set[float]:
    """Every literal of three or more digits that is no eighth: nobody writes 0.276 twice by chance."""
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {v for v in found if isinstance(v, float) and digits(v) >= 3 and v % 0.125}


def digits(value: float) -> int:
    """Significant ones: 2 of 1500.0, 3 of 0.000225."""
    return len(repr(abs(value)).split("e")[0].replace(".", "").strip("0"))


def in_json(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from in_json(inner)


def test_simulator_and_detector_share_no_constant() -> None:
    names: tuple[dict[str, set[float]], ...] = (defaultdict(set), defaultdict(set))
    values: tuple[set[float], ...] = (set(), set())
    for path, tree in trees().items():
        if room(path) in ("simulate", "imu", "gait"):
            side = int(room(path) != "simulate")
            values[side].update(telling(tree))
            for name, value in numbers(tree):
                names[side][name].add(value)
    for path_ in (PACKAGE / "simulate").glob("*.json"):
        values[0].update(v for v in in_json(json.loads(path_.read_text())) if digits(v) >= 4)
    assert min(len(n) for n in (*names, *values)) > 3, "nothing to compare"
    both = {name for name in names[0].keys() & names[1].keys() if names[0][name] & names[1][name]}
    assert both <= {"GRAVITY_M_S2"}
    assert values[0] & values[1] <= COMMON_GROUND.keys(), "say why in COMMON_GROUND"


def test_a_shared_constant_would_be_seen() -> None:
    tree = ast.parse(
        "IC_AFTER_PEAK = 0.345\nclass P:\n    share: float = 0.56\nx = [1000.0, 1.25, 2.25e-4]\n"
    )
    assert dict(numbers(tree)) == {"IC_AFTER_PEAK": 0.345, "share": 0.56}
    assert telling(tree) == {0.345, 2.25e-4}
    assert set(in_json({"a": [0.172, {"b": 1.5}], "c": "0.3"})) == {0.172, 1.5}


def test_nothing_has_grown_out_of_hand() -> None:
    """`make check` lists what is over 50 and 400 lines; this is where it stops being a matter of taste."""
    assert not list(long_code.long_functions(over=80))
    assert not list(long_code.long_modules(over=500))
