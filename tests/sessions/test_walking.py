"""Steps of a timed walk, counted from contacts of which some were dated badly or not found."""

from __future__ import annotations

import pytest

from gaitmon.model import Side
from gaitmon.sessions.walking import _steps_between


@pytest.mark.parametrize(
    ("passed", "side", "after", "steps"),
    [
        (1.0, Side.LEFT, Side.RIGHT, 1),
        (0.4, Side.LEFT, Side.RIGHT, 1),
        (1.6, Side.LEFT, Side.RIGHT, 1),  # the next one was dated late
        (2.9, Side.LEFT, Side.RIGHT, 3),  # two were not found
        (1.4, Side.LEFT, Side.LEFT, 2),
        (2.0, None, None, 2),
        (0.4, None, Side.LEFT, 1),
    ],
)
def test_legs_take_turns(passed: float, side: Side | None, after: Side | None, steps: int) -> None:
    assert _steps_between(passed, side, after) == steps
