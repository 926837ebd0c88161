"""Markdown tables and the figures in them, written in one way everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gaitmon.model import Floats
from tests.validation.foot_rule import wilson


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def share(k: int, n: int) -> str:
    """A share with its 95 % Wilson interval: ``0.978 (44/45) [0.884, 0.996]``."""
    if n == 0:
        return "none"
    low, high = wilson(k, n)
    return f"{k / n:.3f} ({k}/{n}) [{low:.3f}, {high:.3f}]"


def milliseconds(errors_s: Floats) -> str:
    """Bias and SD: ``+3.7 ± 8.3``."""
    if len(errors_s) < 2:
        return "too few"
    return f"{1000 * np.mean(errors_s):+.0f} ± {1000 * np.std(errors_s, ddof=1):.0f}"


def held(true: bool) -> str:
    return "yes" if true else "**no**"
