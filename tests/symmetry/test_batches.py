"""Loops over batches and mean curves against the formulas they stand for, written in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gaitmon.model import Floats
from gaitmon.symmetry.batches import batch_means, distance_error, errors_of_batches, of_median
from gaitmon.symmetry.estimates import of_both, of_sides
from gaitmon.symmetry.mean_curves import batch_curves, compare, mean_curve
from gaitmon.symmetry.persistence import models
from gaitmon.symmetry.uncertainty import batches


def drawn(*shape: int) -> Floats:
    return np.random.default_rng(7).standard_normal(shape)


def test_batches_are_means_of_neighbours() -> None:
    assert batch_means(np.arange(7.0), 3).tolist() == [0.5, 2.5, 5.0]
    curves = drawn(7, 11)
    mean = mean_curve(curves)
    assert mean == pytest.approx(curves[:, :-1].mean(axis=0))
    assert batch_curves(curves, mean, 3)[:, 2] == pytest.approx(curves[4:, :-1].mean(axis=0) - mean)


def test_an_error_is_the_models_geometric_mean_by_their_weights() -> None:
    means, expected = drawn(12, 3), (0.55, 0.65, 0.75)
    cosines, per_power, logs, prior = models(40, 12, expected)
    assert cosines.T @ cosines == pytest.approx(np.eye(11), abs=1e-12)
    scale = np.log((cosines.T @ means).T ** 2 @ per_power)  # (quantities, models)
    fit = prior - 0.5 * (logs[0] + 11 * scale)
    weight = np.exp(fit) / np.exp(fit).sum(axis=1, keepdims=True)
    asked = np.exp(0.5 * (weight * (scale + logs[1])).sum(axis=1))
    assert errors_of_batches(means, models(40, 12, expected)) == pytest.approx(asked)


def test_what_is_not_a_number_has_no_error() -> None:
    means = drawn(12, 2)
    means[3, 0] = math.nan
    found = errors_of_batches(means, models(40, 12, (0.6, 0.6)))
    assert np.isnan(found).tolist() == [True, False]


def test_far_values_are_drawn_in_to_three_robust_sds() -> None:
    x = np.append(drawn(30), 100.0)
    median, _, off = of_median(x)
    assert median == np.median(x)
    reach = 3.0 * 1.4826 * np.median(np.abs(x - median))
    assert off[-1] == pytest.approx(reach)
    assert off == pytest.approx(np.clip(x - median, -reach, reach))


def test_quantities_that_other_strides_lack_do_not_matter() -> None:
    """Each column as if it were alone and without its gaps."""
    left, right = drawn(20, 3) + 5.0, drawn(17, 3) + 6.0
    left[3, 1], right[[0, 5], 1], right[:, 2] = math.nan, math.nan, math.nan
    for column, found in enumerate(of_sides(left, right, [0.6] * 3, [0.55] * 3)):
        x, y = (own[np.isfinite(own[:, column]), column][:, np.newaxis] for own in (left, right))
        (alone,) = of_sides(x, y, [0.6], [0.55])
        assert [*found.left, *found.right, *found[2:]] == pytest.approx(
            [*alone.left, *alone.right, *alone[2:]], nan_ok=True
        )
        assert (found.left.n, found.right.n) == (len(x), len(y))
    both = of_both(left, [0.6] * 3)
    assert both[1] == pytest.approx(of_both(np.delete(left, 3, axis=0)[:, 1:2], [0.6])[0])


def test_one_stride_has_a_value_and_no_error() -> None:
    (found,) = of_sides(np.array([[2.0]]), drawn(9, 1), [0.6], [0.6])
    assert (found.left.n, found.left.value, found.right.n) == (1, 2.0, 9)
    assert math.isnan(found.left.error)
    assert math.isnan(found.difference_error)
    assert found.right.error > 0.0
    assert of_both(np.array([[3.0, math.nan]]), [0.6] * 2)[0].value == 3.0
    assert of_both(np.array([[3.0, math.nan]]), [0.6] * 2)[1].n == 0


def test_range_and_scatter_of_both_sides() -> None:
    left, right = drawn(20, 1) + 5.0, drawn(15, 1) + 4.0
    (found,) = of_sides(left, right, [0.6], [0.6])
    assert found.span == pytest.approx(max(left.max(), right.max()))
    off = np.concatenate([left - np.median(left), right - np.median(right)])
    assert found.scatter == pytest.approx(off.std())


def test_the_error_of_a_distance_is_that_of_its_square_s_variance() -> None:
    d, added, error = drawn(50), 0.1 * drawn(50, 14), 0.05
    off = added - added.mean(axis=1, keepdims=True)
    gram, dof = off.T @ off, 13
    wider = error**2 / float(((d @ off) ** 2).sum())
    trace = float(np.trace(gram))
    of_square = max(float((gram**2).sum()) - trace**2 / dof, 0.0) * dof**2 / ((dof + 2) * (dof - 1))
    noise = wider**2 * of_square
    variance = 4.0 * max(error**2 - noise, 0.0) + 2.0 * noise
    asked = math.sqrt(variance) / (2.0 * max(float(d @ d), wider * trace))
    assert distance_error(d, added, error) == pytest.approx(asked)
    assert math.isnan(distance_error(np.zeros(50), added, error))


def test_a_curve_that_is_another_one_later_and_larger() -> None:
    phase = 2.0 * np.pi * np.arange(100) / 100.0
    left, right = np.cos(phase), 1.2 * np.cos(phase - 2.0 * np.pi * 0.043)
    (correlation, lag, ratio, rmsd, shift, _), x, y = compare(left, right)
    assert lag == pytest.approx(4.3, abs=0.01)
    assert shift == 4.0
    assert correlation == pytest.approx(1.0, abs=1e-5)
    assert ratio == pytest.approx(1.2, abs=1e-4)
    assert rmsd == pytest.approx(np.sqrt(np.mean((right - left) ** 2)))
    assert y == pytest.approx(np.roll(right, -4))
    assert x == pytest.approx(left)


@pytest.mark.parametrize("n", [1, 2, 3, 30, 94])
def test_as_many_batches_as_the_strides_allow(n: int) -> None:
    assert 1 <= batches(n) <= n
