"""The table of metrics in docs/units-and-frames.md: python -m tests.metric_table writes it."""

from __future__ import annotations

import re

from gaitmon.symmetry.metrics import METRICS
from tests.needs import ROOT

PAGE = ROOT / "docs" / "units-and-frames.md"
BETWEEN = re.compile(
    r"(?<=<!-- metrics: written by python -m tests.metric_table -->\n).*?(?=<!-- end of metrics -->)", re.S
)


def table() -> str:
    rows = ["| id | unit | what | positive, or more | strides | MDC |", "|---|---|---|---|---|---|"]
    for m in METRICS.values():
        what = f"{m.name}: {m.formula}".replace("|", "\\|")
        mdc = "–" if m.mdc is None else f"{m.mdc:g}"
        rows.append(f"| `{m.id}` | {m.unit} | {what} | {m.sign} | {m.min_strides} | {mdc} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert BETWEEN.search(text), f"{PAGE} has no place for the table"
    PAGE.write_text(BETWEEN.sub(lambda _: table(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
