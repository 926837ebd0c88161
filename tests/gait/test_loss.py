"""Walks of which a third of the samples is lost in bursts: what is found, what is made up, what is said."""

from __future__ import annotations

import pytest

from tests.validation.sections.simulated_loss import loss, loss_case

DEVELOPMENT = 5000 - 5300  # persons that the validation does not use


@pytest.mark.parametrize("burst_s", [0.05, 0.2, 1.0, 4.0])
@pytest.mark.parametrize("number", [0, 2])
def test_strides_in_bursts_of_loss(burst_s: float, number: int) -> None:
    """All that is whole is found, nothing is made up but beside standing, and no hole goes unsaid."""
    seen = loss(loss_case(DEVELOPMENT + number, burst_s))
    both = seen.outside + seen.inside
    true, found = seen.outside.contacts
    assert found >= 0.99 * true
    assert both.invented == both.at_ends
    assert both.doubled == 0
    assert seen.unflagged == 0
    assert both.given > (0 if burst_s < 1.0 else 60)


def test_bursts_that_can_be_bridged_leave_contacts() -> None:
    """Mean bursts of 50 ms: without the bridge 1 contact in 10 of those near a hole."""
    seen = loss(loss_case(DEVELOPMENT, 0.05))
    true, found = seen.inside.contacts
    assert found > 0.18 * true
