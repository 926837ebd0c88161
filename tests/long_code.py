"""What has grown long: python -m tests.long_code prints it, as a reminder and not as a failure.

A function over 50 lines or a module over 400 is usually missing a noun.  tests/test_house.py fails above
80 and 500.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.needs import ROOT

FUNCTION_LINES = 50
MODULE_LINES = 400


def modules() -> list[Path]:
    folders = (ROOT / name for name in ("gaitmon", "tests", "dashboards"))
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def long_modules(over: int = MODULE_LINES) -> Iterator[tuple[str, int]]:
    """(path, lines) of modules with more lines than that."""
    for path in modules():
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > over:
            yield str(path.relative_to(ROOT)), lines


def long_functions(over: int = FUNCTION_LINES) -> Iterator[tuple[str, int]]:
    """(path:line name, lines) likewise; a class is as long as it needs to be."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > over:
                    yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines


def main() -> None:
    for what, found in (("module", long_modules()), ("function", long_functions())):
        for name, lines in sorted(found, key=lambda item: -item[1]):
            print(f"long {what}: {name}, {lines} lines")


if __name__ == "__main__":
    main()
