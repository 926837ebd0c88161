"""The files that are, or are about to be, committed."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tests.needs import ROOT, require


@cache
def committed(*, vendored: bool = False) -> list[Path]:
    """Paths from the root; without what others wrote (folders named vendor), unless asked for."""
    require((ROOT / ".git").exists(), "this is no checkout: git cannot say what is committed")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    paths = [Path(name) for name in listed if name]
    return [p for p in paths if (vendored or "vendor" not in p.parts) and (ROOT / p).is_file()]


def text_of(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")
