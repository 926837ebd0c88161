"""Steps of a bout, whoever told its strides."""

from __future__ import annotations

import pytest

from gaitmon.model import Side, steps_of

L, R = Side.LEFT, Side.RIGHT


def run(side: Side | None, first: int, n: int) -> list[tuple[Side | None, int]]:
    return [(side, first + k) for k in range(n)]


def test_both_legs_are_added() -> None:
    assert steps_of([*run(L, 1, 5), *run(R, 1, 4)], both_feet=False) == 11


def test_a_stride_that_is_missing_begins_a_new_run() -> None:
    assert steps_of([*run(L, 1, 2), *run(L, 4, 2), *run(R, 1, 1)], both_feet=False) == 8


@pytest.mark.parametrize("side", [L, R, None])
def test_where_one_leg_is_told_the_other_has_walked_too(side: Side | None) -> None:
    assert steps_of(run(side, 1, 5), both_feet=False) == 12


def test_a_pelvis_that_knows_no_sides_has_told_every_step() -> None:
    """Steps 1 to 7: strides 1-3, 2-4, 3-5, 4-6, 5-7."""
    assert steps_of(run(None, 1, 5), both_feet=True) == 7


def test_no_strides_no_steps() -> None:
    assert steps_of([], both_feet=False) == 0
