"""``python -m tests.validation [SECTION ...]``: write docs/validation.md, or print some sections."""

from __future__ import annotations

import sys

from tests.validation.report import DOCUMENT, SECTIONS, report


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f"No section {unknown[0]!r}. There are: {', '.join(SECTIONS)}.", file=sys.stderr)
        return 2
    text = report(names)
    if names:
        print(text)
    else:
        DOCUMENT.write_text(text, encoding="utf-8")
        print(f"wrote docs/{DOCUMENT.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
