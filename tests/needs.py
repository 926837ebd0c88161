"""What a test needs from its surroundings, and what happens when it is not there.

``require(condition, reason)`` skips the test, saying what is missing.  With GAITMON_REQUIRE=1, as in
continuous integration where everything is installed, a skip is a failure: otherwise a check could
vanish without anyone seeing it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("GAITMON_DATA", ROOT.parent / "shared" / "data"))


def require(condition: object, reason: str) -> None:
    if condition:
        return
    if os.environ.get("GAITMON_REQUIRE") == "1":
        pytest.fail(f"GAITMON_REQUIRE=1, and {reason}")
    pytest.skip(reason)


def program(name: str) -> str:
    """Path of an installed program, else skip (Debian keeps servers in sbin)."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    require(found, f"{name} is not installed (apt-get install {name})")
    assert found is not None
    return found


def recording(*parts: str) -> Path:
    """Path of a recording in the folder that GAITMON_DATA names, else skip."""
    path = DATA.joinpath(*parts)
    require(path.exists(), f"the recording {'/'.join(parts)} is not in {DATA} (set GAITMON_DATA)")
    return path
