"""Compiled loops: what they take, in which order they add, and that they need no place to be kept."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gaitmon.cli_translate import modules
from gaitmon.compiled import compiled
from gaitmon.model import Floats
from tests.compiled_loops import decorator, loops, of_ours, read
from tests.needs import ROOT


@compiled("f8(f8[:])")
def total(x: Floats) -> float:
    out = 0.0
    for i in range(len(x)):
        out += x[i]
    return out


def test_it_adds_in_the_order_that_is_written() -> None:
    x = np.array([1.0, 1e100, 1.0, -1e100] * 100)
    assert total(x) == 0.0  # 200 exactly, 0 in this order
    assert total(x[::4]) == 100.0


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError):
        total(np.arange(3))  # type: ignore[arg-type]


def test_a_translation_is_told_and_a_kept_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "kept_loop.py").write_text(
        "from gaitmon.compiled import compiled\n\n@compiled('f8(f8)')\ndef thrice(x):\n    return 3.0 * x\n"
    )
    told: list[tuple[str, bool]] = []
    monkeypatch.setattr("gaitmon.compiled.listeners", [lambda *news: told.append(news)])
    for expected in ([("thrice", True)], []):
        told.clear()
        assert importlib.import_module("kept_loop").thrice(2.0) == 6.0
        assert told == expected
        del sys.modules["kept_loop"]


def test_it_needs_no_place_to_be_kept(tmp_path: Path) -> None:
    """Source and home read-only, as in a container."""
    source = tmp_path / "loop.py"
    source.write_text(
        "from gaitmon.compiled import compiled\n@compiled('f8(f8)')\ndef twice(x):\n    return 2.0 * x\n"
    )
    code = (
        "from numba.core import caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import loop; print(loop.twice(21.0))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "42.0"


def test_loops_read_nothing_of_other_modules() -> None:
    """Of which a change would leave the kept translation as it was."""
    wrong = [
        f"{path}: {name} reads {other}"
        for path, tree, own in loops()
        for name, function in own.items()
        for other in sorted(read(function) & of_ours(tree))
    ]
    assert not wrong


def test_all_modules_with_loops_are_translated_ahead() -> None:
    names = {"gaitmon." + path.removesuffix(".py").replace("/", ".") for path, _, _ in loops()}
    assert set(modules()) == names


def test_what_only_loops_call_is_inner() -> None:
    """Else it is loaded at every start for nothing; and what others call is compiled, or it is translated in
    the middle of a push."""
    wrong = []
    for path, tree, own in loops():
        outside = [n for n in tree.body if not (isinstance(n, ast.FunctionDef) and n.name in own)]
        used = {n.id for part in outside for n in ast.walk(part) if isinstance(n, ast.Name)}
        for name, function in own.items():
            called = any(name in read(other) for other in own.values() if other is not function)
            private = name.startswith("_") and name not in used
            if private != (decorator(function) == "inner") or (private and not called):
                wrong.append(f"{path}: {name}")
    assert not wrong
