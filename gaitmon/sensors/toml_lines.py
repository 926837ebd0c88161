"""Where in a TOML text something stands: tomllib does not say."""

from __future__ import annotations

import re

Where = tuple[int | str, ...]


def line_of(text: str, where: Where) -> int:
    """The line that says it: of the longest known beginning of the path, such as ("mode", 0, "layout")."""
    lines: dict[Where, int] = {(): 1}
    tables: dict[Where, int] = {}  # array of tables -> how many so far
    table: Where = ()
    inline: Where = ()  # array of inline tables, one on each line
    items = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*(\[\[?)\s*([\w.\-]+)\s*\]", line):
            *parents, last = header[2].split(".")
            table = ()
            for name in parents:
                table = (*table, name)
                table = (*table, tables[table] - 1) if table in tables else table
            table = (*table, last)
            if header[1] == "[[":
                tables[table] = tables.get(table, 0) + 1
                table = (*table, tables[table] - 1)
            lines[table] = number
        elif key := re.match(r"\s*([\w\-]+)\s*=", line):
            inline, items = (*table, key[1]), 0
            lines[inline] = number
        elif line.lstrip().startswith("{"):
            lines[*inline, items] = number
            items += 1
    return next(lines[where[:n]] for n in range(len(where), -1, -1) if where[:n] in lines)
