"""Compiled loops: what they take, in which order they add, and that they need no place to be kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gaitmon.compiled import compiled
from gaitmon.model import Floats
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
