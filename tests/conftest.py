"""What every test finds: no settings of the one who runs it, a home of its own, patient hypothesis."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A shared or slow machine is no finding.  In continuous integration the same examples are tried each time.
settings.register_profile("gaitmon", deadline=None, print_blob=True)
settings.register_profile("same every time", settings.get_profile("gaitmon"), derandomize=True)
settings.load_profile("same every time" if os.environ.get("GAITMON_REQUIRE") == "1" else "gaitmon")

_KEPT = {"GAITMON_DATA", "GAITMON_REQUIRE"}


@pytest.fixture(scope="session", autouse=True)
def _own_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of this user's gaitmon is read or written, by a test or by a process it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("GAITMON_") and n not in _KEPT]:
            patch.delenv(name)
        patch.setenv("GAITMON_HOME", str(tmp_path_factory.mktemp("gaitmon-home")))
        yield
