"""Intervals that mean what they say; the large test is the section "uncertainty" of the validation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from gaitmon.model import Floats, MetricValue
from gaitmon.symmetry.batches import batch_means, distance_error, of_median
from gaitmon.symmetry.estimates import of_both
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.persistence import exponents
from gaitmon.symmetry.summary import summarise
from gaitmon.symmetry.uncertainty import (
    batches,
    factor,
    half_width,
    interval,
    interval_of,
    standard_error,
)
from tests.symmetry.drawn import Asked, Noise, bouts

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
    low, high = binom.interval(1 - 0.01 / len(NULL), N, 0.95)
    for metric in NULL:
        values = [d[metric] for d in drawn]
        mean = float(np.mean([m.value for m in values if m.value is not None]))
        assert low <= covered(values, mean) <= high, metric


def test_the_median_of_two_strides_is_their_mean() -> None:
    median, worse, off = of_median(np.array([1.0, 1.2]))
    assert (median, worse) == (1.1, 0.0)
    assert off == pytest.approx([-0.1, 0.1])


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


def means_of(x: Floats) -> Floats:
    """Batch means of strides (n, k): (B, k)."""
    return np.stack([batch_means(column, batches(len(x))) for column in x.T], axis=1)


def partly_persistent(n: int, columns: int, share: float, seed: int) -> Floats:
    """(n, columns) of unit variance, of which a share is fractional Gaussian noise of H = 0.75."""
    noise = Noise((columns, n), 0.75, np.random.default_rng(seed))
    return np.asarray(np.sqrt(share) * noise.persistent().T + np.sqrt(1.0 - share) * noise.white().T)


@pytest.mark.parametrize("n", [12, 40, 100])
@pytest.mark.parametrize(("model", "share"), [(2, 0.12), (4, 0.4), (6, 1.0)])
def test_intervals_of_means_and_medians_cover_whatever_persists(n: int, model: int, share: float) -> None:
    """The factor against series that persist as they are expected to."""
    columns = 2000
    x = partly_persistent(n, columns, share, seed=model)
    h = [round(float(exponents(n)[model]), 3)] * columns
    reach = factor(n, h[0])
    low, high = binom.interval(1 - 0.01 / 18, columns, 0.95)
    error = standard_error(means_of(x - x.mean(axis=0)), n, h)
    assert low <= np.sum(np.abs(x.mean(axis=0)) <= reach * error) <= high
    assert low <= sum(abs(e.value) <= reach * e.error for e in of_both(x, h, sides=1)) <= high


def test_the_strides_themselves_are_asked_how_much_they_persist() -> None:
    """Series that persist more than expected are given larger errors, the more so the more strides."""
    larger = []
    for n in (40, 100):
        white, persistent = (partly_persistent(n, 500, share, seed=4) for share in (0.0, 1.0))
        errors = [standard_error(means_of(x), n, [0.6] * 500) for x in (white, persistent)]
        larger.append(float(np.median(errors[1]) / np.median(errors[0])))
    assert 1.15 < larger[0] < larger[1] < 100**0.25
    assert larger[1] > 1.5


def test_values_that_alternate_have_an_error_too() -> None:
    """Batches of two would all have the same mean, and no scatter."""
    x = np.tile([1.0, 2.0], 6)[:, np.newaxis]
    assert of_both(x, [0.65], sides=1)[0].error > 0.0


def test_a_distance_made_of_noise_errs_by_less_than_its_derivative_says() -> None:
    walks = np.random.default_rng(6).standard_normal((400, 40, 4))

    def relative(d: Floats, walk: Floats) -> float:
        means = means_of(walk)
        error = float(standard_error((means @ d)[:, np.newaxis], 40, [0.52])[0])
        return distance_error(d, np.ascontiguousarray(means.T), error)

    error = [relative(x.mean(axis=0), x) for x in walks]
    # The root of a sum of four squares: SD of the logarithm about sqrt(1 / 8).
    length = np.linalg.norm(walks.mean(axis=1), axis=1)
    assert np.median(error) == pytest.approx(np.log(length).std(), rel=0.15)
    along = standard_error(means_of(walks[0]), 40, [0.52] * 4)[0]
    far = relative(np.array([100.0, 0.0, 0.0, 0.0]), walks[0])
    assert far == pytest.approx(along / 100.0, rel=0.02)


def test_the_interval_of_a_distance_reaches_further_up_than_down() -> None:
    m = MetricValue("thigh_flexion_rmsd_deg", 0.4, 0.14, 40, 40)
    low, high = interval(m) or (0.0, 0.0)
    assert 0.0 < low < 0.4 < high
    assert high - 0.4 > 2.0 * (0.4 - low)
    assert half_width(0.4, (low, high)) is None
    low, high = interval(MetricValue("thigh_flexion_rmsd_deg", 4.0, 0.14, 40, 40)) or (0.0, 0.0)
    assert half_width(4.0, (low, high)) == pytest.approx(0.5 * (high - low))


def test_a_metric_that_is_not_known_has_a_normal_interval() -> None:
    assert interval_of("of_a_later_version", 10.0, 1.0, 40) == pytest.approx((8.04, 11.96))
    assert interval_of("of_a_later_version", 10.0, None, 40) is None


def test_the_interval_of_a_scatter_is_one_of_ratios() -> None:
    low, high = interval(MetricValue("pci_pct", 4.0, 1.0, 40, 0)) or (0.0, 0.0)
    assert low * high == pytest.approx(16.0)
    assert METRICS["pci_pct"].logarithmic
    assert interval(MetricValue("pci_pct", None, None, 3, 0)) is None


def test_the_interval_of_a_correlation_ends_below_one() -> None:
    low, high = interval(MetricValue("pelvic_tilt_correlation", 0.97, 0.02, 40, 40)) or (0.0, 0.0)
    assert low < 0.97 < high < 1.0
    assert 0.97 - low > 2.0 * (high - 0.97)
