"""A table of numbers as loggers and spreadsheets write it: comma, semicolon or tab between cells, decimal
comma, quotes, comment lines, columns in any order and others beside them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from gaitmon.errors import RecordingError
from gaitmon.model import Floats

COMMENT = "#"


@dataclass(frozen=True, slots=True)
class Head:
    """names: of the columns, lower case.  line: number of the line they are in, from 1."""

    names: list[str]
    separator: str
    line: int


def head_of(lines: Iterator[str]) -> Head:
    """The first line that is neither empty nor a comment; no names where there is none."""
    for number, line in enumerate(lines, start=1):
        if text := line.strip().lstrip("\ufeff"):
            if text.startswith(COMMENT):
                continue
            separator = next((s for s in (";", "\t", ",") if s in text), ",")
            cells = next(csv.reader([text], delimiter=separator))
            return Head([cell.strip().strip('"').lower() for cell in cells], separator, number)
    return Head([], ",", 1)


def read_head(path: Path, remedy: str) -> Head:
    try:
        with _opened(path) as file:
            return head_of(file)
    except (UnicodeDecodeError, csv.Error):
        raise RecordingError(f"{path}: not a text file in UTF-8.", f"Save it as UTF-8. {remedy}") from None


def read_columns(path: Path, head: Head, wanted: Sequence[str]) -> Floats:
    """(n, len(wanted)) float64; an empty cell is NaN.  The quick parser first, the slow one finds bad cells.

    Raises RecordingError with line and column.
    """
    at = [head.names.index(name) for name in wanted]
    with _opened(path) as file:
        lines = _after(file, head)
        first = next(lines, "")
        if not first.strip():
            return _slowly(path, head, at)
        try:
            table: Floats = np.loadtxt(
                _chained(first, lines), delimiter=head.separator, comments=COMMENT, quotechar='"', ndmin=2
            )
        except (ValueError, UnicodeDecodeError):
            return _slowly(path, head, at)
    # A blank line, which loadtxt skips, shifts the line numbers of later messages: they are rare.
    return table[:, at] if table.shape[1] == len(head.names) else _slowly(path, head, at)


def _opened(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", newline=None)


def _chained(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _after(file: TextIO, head: Head) -> Iterator[str]:
    """The lines below the head, with decimal points."""
    for _ in range(head.line):
        file.readline()
    return (line.replace(",", ".") for line in file) if head.separator != "," else iter(file)


def _slowly(path: Path, head: Head, at: Sequence[int]) -> Floats:
    rows: list[list[float]] = []
    with _opened(path) as file:
        for number, line in enumerate(_after(file, head), start=head.line + 1):
            if not line.strip() or line.lstrip().startswith(COMMENT):
                continue
            cells = next(csv.reader([line.rstrip("\n")], delimiter=head.separator))
            if len(cells) != len(head.names):
                raise RecordingError(
                    f"{path}, line {number}: {len(cells)} cells where {len(head.names)} are expected.",
                    "Correct the line, or remove it if the file was cut off there.",
                )
            rows.append([_number(path, number, head.names[i], cells[i]) for i in at])
    return np.array(rows, dtype=np.float64).reshape(-1, len(at))


def _number(path: Path, line: int, column: str, cell: str) -> float:
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError:
        remedy = "Correct it, or leave the cell empty if the sample is missing."
        if column == "t_s":
            remedy = "Time stamps are seconds as numbers, such as 12.34: no dates, no clock."
        raise RecordingError(
            f"{path}, line {line}, column {column}: '{cell.strip()[:40]}' is not a number.", remedy
        ) from None
