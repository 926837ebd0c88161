"""Angles against the simulator's truth and the sensors' own orientation: the bars of CLINICAL 2.6."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.simulate import simulate
from tests.loaders import mtw, mtw_up, qmt, qmt_up
from tests.validation.sections.angles import (
    DROP_BAR_DEG,
    RECORDED_BAR_DEG,
    RMSE_BARS_DEG,
    ROM_BARS_DEG,
    SCRIPT,
    SLOPE_BAR,
    errors,
    recorded,
    slopes,
)
from tests.validation.sections.simulated_cases import Limbs, case


@pytest.mark.parametrize(
    ("limbs", "speed_m_s"), [(Limbs.ALIKE, 0.7), (Limbs.PATHOLOGICAL, 1.1), (Limbs.UNLIKE, 1.6)]
)
def test_waveforms_and_ranges(limbs: Limbs, speed_m_s: float) -> None:
    """A held-out walker, 100 strides a side.  Measured: pelvis 0.3, thigh and hip 0.8 degrees at most."""
    of = case(limbs, 4950, SCRIPT, speed_m_s)
    found = errors(simulate(of.script, of.walker, of.sensors, of.seed))
    assert found.n >= 180
    assert (found.rmse <= np.array(RMSE_BARS_DEG)).all()
    assert (found.rom <= np.array(ROM_BARS_DEG)).all()
    assert found.drop <= DROP_BAR_DEG


def test_what_is_injected_comes_out() -> None:
    for line in slopes(1):
        assert line.slope == pytest.approx(1.0, abs=SLOPE_BAR), line


@pytest.mark.data
def test_qmt_against_its_own_orientation() -> None:
    """Segments of the body, after that author's calibration."""
    for angle, (rmse, n) in recorded(qmt(), qmt_up()).items():
        assert rmse <= RECORDED_BAR_DEG, angle
        assert n > 4000


@pytest.mark.data
def test_mtw_against_its_own_orientation() -> None:
    for angle, (rmse, n) in recorded(mtw(), mtw_up()).items():
        assert rmse <= RECORDED_BAR_DEG, angle
        assert n > 900
