"""Windows without steps say nothing about the clocks, and do not silence those that do."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.model import Floats, Placement
from gaitmon.sensors.clock_check import ClockCheck
from gaitmon.sensors.windows import RATE_HZ, Window

N = round(10 * RATE_HZ)
LATE_S = 0.2


def window(start_s: float, bounce: Floats) -> Window:
    """A trunk and a left thigh that move together, and a right thigh LATE_S behind."""
    late = round(LATE_S * RATE_HZ)

    def acc(up: Floats) -> Floats:
        return np.column_stack([np.zeros((N, 2)), 9.81 + up])

    return Window(
        start_s,
        {
            Placement.PELVIS: acc(bounce[late:]),
            Placement.LEFT_THIGH: acc(bounce[late:]),
            Placement.RIGHT_THIGH: acc(bounce[:-late]),
        },
    )


SWAYS = {
    "slow": (8.0, 0.4, 0.0),
    # The only peak of its autocorrelation is in the trough between one sway and the next, below zero.
    "trembling": (8.0, 0.85, 1.2),
}


@pytest.mark.parametrize(("sway_m_s2", "sway_hz", "tremble_m_s2"), SWAYS.values(), ids=SWAYS)
def test_a_window_of_sway_does_not_silence_the_check(
    sway_m_s2: float, sway_hz: float, tremble_m_s2: float
) -> None:
    t = np.arange(N + round(LATE_S * RATE_HZ)) / RATE_HZ
    rng = np.random.default_rng(4)
    # Steps of 0.55 s, no two quite alike: a delay is told from a step.
    steps = 1.5 * np.sin(2.0 * np.pi * t / 0.55) + np.convolve(
        rng.standard_normal(len(t)), np.ones(9) / 3.0, "same"
    )
    swaying = 2.0 * np.pi * sway_hz * t
    sway = sway_m_s2 * np.sin(swaying) + tremble_m_s2 * np.sin(4.0 * swaying)
    check = ClockCheck()
    for k in range(6):
        check.see(window(10.0 * k, sway if k == 2 else steps))
    fault = check.fault()
    assert fault is not None
    assert abs(fault.apart_s - LATE_S) < 0.02
