"""Translates the compiled loops for this machine (ADR 19): once after an installation.

Translating takes memory that a process does not give back, up to 600 MB for all loops together.  So each
module is translated in a process of its own, in 260 MB at most; afterwards whoever needs it finds it kept.
Run by hand, or for an image: ``python -m gaitmon.cli_translate``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent
ROOMS = ("imu", "gait", "symmetry", "")  # in this order: each takes from those before it


def modules() -> list[str]:
    """Dotted names of the modules with compiled loops."""
    return [
        ".".join(["gaitmon", *path.relative_to(PACKAGE).with_suffix("").parts])
        for room in ROOMS
        for path in sorted((PACKAGE / room).glob("*.py"))
        if "\n@compiled(" in path.read_text(encoding="utf-8")
    ]


def translate() -> None:
    """What is kept already costs the start of a process.  One that fails is translated by who needs it."""
    for name in modules():
        subprocess.run([sys.executable, "-c", f"import {name}"], check=False, cwd=PACKAGE.parent)  # noqa: S603


if __name__ == "__main__":
    translate()
