"""``python -m tests.validation [SECTION ...]``: write docs/validation.md, or print some sections.

``--age``: say whether the document is of this code, as a reminder and not as a failure.
"""

from __future__ import annotations

import sys

from gaitmon.analysis_provenance import produced_by
from tests.validation.report import DOCUMENT, SECTIONS, report


def main(names: list[str]) -> int:
    if names == ["--age"]:
        if produced_by() not in DOCUMENT.read_text(encoding="utf-8"):
            print(f"docs/{DOCUMENT.name} was written by another core: make validate before a release")
        return 0
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
