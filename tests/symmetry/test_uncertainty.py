"""Intervals that mean what they say; the large test is the section "uncertainty" of the validation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from gaitmon.model import MetricValue
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.summary import summarise
from gaitmon.symmetry.uncertainty import (
    batch_means,
    batches,
    freedom,
    interval,
    median_influence,
    standard_error,
)
from tests.symmetry.drawn import Asked, bouts

N = 300
ZERO = ("step_time_ln_pct", "stance_time_ln_pct", "swing_time_ln_pct", "thigh_rom_ln_pct", "drop_asym_deg",
        "thigh_extension_nsi_pct")  # fmt: skip
NULL = ("cadence_steps_min", "stride_time_left_s", "pci_pct", "stride_time_cv_left_pct", "pelvis_v_ihr_pct",
        "pelvis_v_step_regularity", "gait_symmetry_index")  # fmt: skip


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, MetricValue]]:
    return [{m.metric: m for m in summarise(b)} for b in bouts(N, 40, 11, acceleration=True)]


def covered(values: list[MetricValue], target: float) -> int:
    found = [interval(m) for m in values]
    return sum(f is not None and f[0] <= target <= f[1] for f in found)


def test_a_symmetric_walker_s_signed_indices_contain_zero(drawn: list[dict[str, MetricValue]]) -> None:
    low, high = binom.interval(1 - 0.01 / len(ZERO), N, 0.95)
    for metric in ZERO:
        assert low <= covered([d[metric] for d in drawn], 0.0) <= high, metric


def test_other_values_contain_what_such_bouts_have_on_average(drawn: list[dict[str, MetricValue]]) -> None:
    """The lower bound alone: some intervals are known to be a little wide."""
    low, _ = binom.interval(1 - 0.01 / len(NULL), N, 0.95)
    for metric in NULL:
        values = [d[metric] for d in drawn]
        mean = float(np.mean([m.value for m in values if m.value is not None]))
        assert covered(values, mean) >= low, metric


def test_an_asymmetric_walker_s_index_contains_what_was_asked_for() -> None:
    asked = Asked(step_pct=6.0, drop_deg=2.0)
    found = [{m.metric: m for m in summarise(b)} for b in bouts(N, 25, 12, asked)]
    low, high = binom.interval(1 - 0.01 / 2, N, 0.95)
    for metric, target in (("step_time_ln_pct", 6.0), ("drop_asym_deg", 2.0)):
        assert low <= covered([d[metric] for d in found], target) <= high, metric


def test_every_value_has_an_error_and_counts(drawn: list[dict[str, MetricValue]]) -> None:
    for m in drawn[0].values():
        assert (m.value is None) == (m.standard_error is None), m.metric
        if m.value is not None:
            assert m.n_left + m.n_right > 0, m.metric


def test_errors_of_independent_values_are_the_textbook_s() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((60, 4000))
    errors = standard_error(batch_means(x, batches(60)), 60, [0.5] * 4000)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(1 / np.sqrt(60), rel=0.02)
    assert freedom(48, 0.5) == pytest.approx(batches(48) - 1)
    median = np.median(x, axis=0)
    influence = median_influence(x, median)
    of_median = standard_error(batch_means(influence, batches(60)), 60, [0.5] * 4000, signs=True)
    assert np.sqrt(np.mean(of_median**2)) == pytest.approx(median.std(), rel=0.04)


def test_persistence_widens_and_leaves_less_freedom() -> None:
    x = batch_means(np.random.default_rng(4).standard_normal((40, 1)), 10)
    errors = [standard_error(x, 40, [h])[0] for h in (0.5, 0.6, 0.75)]
    assert errors == sorted(errors)
    assert errors[2] > 1.9 * errors[0]
    assert freedom(40, 0.75) < freedom(40, 0.5)


def test_a_mean_of_fractional_noise() -> None:
    """The factor against the noise itself: the mean of 40 values with H = 0.75."""
    strides = [np.array([m.stride.duration_s for m in b]) for b in bouts(600, 40, 5)]
    x = np.stack([s[:80] for s in strides], axis=1)
    errors = standard_error(batch_means(x, 12), 80, [0.75] * 600)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(x.mean(axis=0).std(), rel=0.12)


def test_the_interval_of_a_scatter_is_one_of_ratios() -> None:
    low, high = interval(MetricValue("pci_pct", 4.0, 1.0, 40, 0)) or (0.0, 0.0)
    assert low * high == pytest.approx(16.0)
    assert METRICS["pci_pct"].logarithmic
    assert interval(MetricValue("pci_pct", None, None, 3, 0)) is None


def test_the_interval_of_a_correlation_ends_below_one() -> None:
    low, high = interval(MetricValue("pelvic_tilt_correlation", 0.97, 0.02, 40, 40)) or (0.0, 0.0)
    assert low < 0.97 < high < 1.0
    assert 0.97 - low > 2.0 * (high - 0.97)
