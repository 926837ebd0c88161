"""The tables of docs/metrics.md, from the table of metrics: python -m tests.metric_table writes them."""

from __future__ import annotations

import re

from gaitmon.symmetry.metrics import METRICS, Group, MetricDefinition
from tests.needs import ROOT

PAGE = ROOT / "docs" / "metrics.md"
TITLES = {
    Group.TEMPORAL: "Times",
    Group.SPATIAL: "Length and speed",
    Group.WAVEFORM: "Thigh and hip",
    Group.PELVIS: "Pelvis",
    Group.SMOOTHNESS: "Smoothness and regularity",
    Group.LOADING: "Loading proxies and limp",
    Group.VOLUME: "Volume of a day",
    Group.SESSION: "Guided tests",
}

BETWEEN = re.compile(
    r"(?<=<!-- metrics: written by python -m tests.metric_table -->\n).*?(?=<!-- end of metrics -->)", re.S
)
COLUMNS = (
    "id", "unit", "what it is, and what more or positive means", "bouts", "strides", "MDC", "healthy adults",
    "H", "source",
)  # fmt: skip


def _number(x: float) -> str:
    return f"{x:.6g}"


def _row(m: MetricDefinition) -> str:
    what = f"**{m.name}.** {m.formula}. {m.sign[0].upper()}{m.sign[1:]}."
    if m.parts:
        what += f" Parts: {', '.join(f'`{p}`' for p in m.parts)}."
    if not m.stored:
        what += " Not stored: worked out where it is shown."
    normal = (
        "–" if m.normal is None else f"{_number(m.normal.low)} to {_number(m.normal.high)} [{m.normal.tag}]"
    )
    mdc = "–" if m.change is None else f"{_number(m.change.value)} [{m.change.tag}]"
    sources = [m.source]
    if m.change is not None:
        sources.append(f"MDC: {m.change.source}")
    if m.normal is not None:
        sources.append(f"range: {m.normal.source}")
    cells = (
        f"`{m.id}`{' (watched)' if m.core else ''}", m.unit or "1", what, ", ".join(m.strata),
        str(m.min_strides), mdc, normal, f"{m.persistence:g}", "; ".join(sources),
    )  # fmt: skip
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def table() -> str:
    parts = []
    for group, title in TITLES.items():
        rows = [m for m in METRICS.values() if m.group is group]
        head = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
        parts.append("\n".join([f"## {title}", *head, *map(_row, rows)]) + "\n")
    assert sum(m.group in TITLES for m in METRICS.values()) == len(METRICS)
    return "\n".join(parts)


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert BETWEEN.search(text), f"{PAGE} has no place for the tables"
    PAGE.write_text(BETWEEN.sub(lambda _: table(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
