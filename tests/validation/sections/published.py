"""What others publish or reach, beside our figures, with what makes the two unlike."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from gaitmon.model import ContactKind, Side
from tests.validation.sections.events import walked
from tests.validation.tables import milliseconds, table

PUBLISHED = Path(__file__).with_name("published.csv")  # collected for this project; the sources say more


def _ours(name: str) -> str:
    w = walked(name)
    parts = []
    for kind in ContactKind:
        matched = [w.contacts(side, kind) for side in Side]
        tp, fp, fn = (sum(getattr(m, part) for m in matched) for part in ("tp", "fp", "fn"))
        errors_s = np.concatenate([m.errors_s for m in matched])
        f1 = 2 * tp / (2 * tp + fp + fn)
        parts.append(f"{kind.upper()} {milliseconds(errors_s)} ms, F1 {f1:.3f}")
    times = np.concatenate(
        [
            (found[:, 2] - found[:, 0]) - (wanted[:, 2] - wanted[:, 0])
            for _, found, wanted in (w.strides(side) for side in Side)
        ]
    )
    return f"{'; '.join(parts)}; stride-time MAE {1000 * np.abs(times).mean():.0f} ms"


def section() -> str:
    with PUBLISHED.open(newline="", encoding="utf-8") as file:
        head, *others = csv.reader(file)
    ours = [
        [
            "**gaitmon**",
            "pelvis and both thighs",
            f"1 healthy ({name}); foot IMUs",
            _ours(name),
            "this document",
        ]
        for name in ("qmt", "mtw")
    ]
    return "\n".join(
        [
            "## Beside what others publish",
            "",
            "Unlike people, sensors and references: no ranking. A figure from one healthy person says "
            "little about "
            "people with a limp. Two references of the same walk (INDIP and optical) differ by 50 ms on "
            "average, so "
            "nobody can be shown to be better than that there.",
            "",
            table(head, [*ours, *others]),
        ]
    )
