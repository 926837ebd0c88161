"""What follows exactly from a stored value, and several bouts' waveforms as one."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.model import Angle, MetricValue, Side, Waveform
from gaitmon.symmetry.derived import derived, stance_load_ratio
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.waveforms import pool


def ln(value: float | None) -> MetricValue:
    return MetricValue("stance_time_ln_pct", value, 2.0 if value is not None else None, 10, 12)


def test_derived_are_those_of_the_definition() -> None:
    left, right = 0.71, 0.64
    found = derived(ln(100 * np.log(right / left)))
    assert set(found) == set(METRICS["stance_time_ln_pct"].derived)
    assert found["symmetry_ratio"] == pytest.approx(right / left)
    assert found["symmetry_index_pct"] == pytest.approx(200 * (right - left) / (right + left))
    assert derived(ln(None)) == {}
    assert derived(MetricValue("drop_asym_deg", 1.0, None, 6, 6)) == {}


def test_load_ratio() -> None:
    found = stance_load_ratio(ln(-10.0))
    assert found.value == pytest.approx(np.exp(-0.1))
    assert found.standard_error == pytest.approx(np.exp(-0.1) * 0.02)
    assert (found.n_left, found.n_right) == (10, 12)
    assert stance_load_ratio(ln(None)).value is None


def test_pooled_waveforms_are_those_of_all_strides_together() -> None:
    rng = np.random.default_rng(5)
    strides = 20.0 + rng.normal(0.0, 3.0, (30, 101)) + rng.normal(0.0, 2.0, (30, 1))

    def waveform(x: np.ndarray, angle: Angle = Angle.THIGH_FLEXION) -> Waveform:
        return Waveform.of(angle, Side.LEFT, len(x), x.mean(axis=0), x.std(axis=0, ddof=1))

    other = waveform(strides, Angle.PELVIC_TILT)
    found = pool([[other, waveform(strides[:8])], [], [waveform(strides[8:])]])
    assert [(w.angle, w.n) for w in found] == [(Angle.THIGH_FLEXION, 30), (Angle.PELVIC_TILT, 30)]
    assert found[1] is other
    np.testing.assert_allclose(found[0].mean_deg, strides.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(found[0].sd_deg, strides.std(axis=0, ddof=1), atol=0.02)
