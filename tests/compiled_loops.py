"""The compiled loops of the package, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tests.needs import ROOT

PACKAGE = ROOT / "gaitmon"
DECORATORS = ("compiled", "inner")


def decorator(function: ast.FunctionDef) -> str | None:
    """By which of DECORATORS it is translated, if it is."""
    for d in function.decorator_list:
        name = d.func if isinstance(d, ast.Call) else d
        if isinstance(name, ast.Name) and name.id in DECORATORS:
            return name.id
    return None


def loops() -> Iterator[tuple[str, ast.Module, Mapping[str, ast.FunctionDef]]]:
    """Path inside the package, its tree, and its compiled functions by name; of each module that has any."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef) and decorator(n)}
        if own:
            yield str(path.relative_to(PACKAGE)), tree, own


def of_ours(tree: ast.Module) -> set[str]:
    """Names that the module takes from other modules of the package."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gaitmon")
        for alias in node.names
    }


def read(function: ast.FunctionDef) -> set[str]:
    """Names that its body reads: not those of annotations, which numba ignores."""
    nodes = [node for part in function.body for node in ast.walk(part)]
    types = [n.annotation for n in nodes if isinstance(n, ast.AnnAssign)]
    ignored = {id(node) for annotation in types for node in ast.walk(annotation)}
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in ignored}
