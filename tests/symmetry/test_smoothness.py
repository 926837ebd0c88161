"""Harmonic ratios and regularity of signals whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.model import Floats
from gaitmon.symmetry.acceleration import CONTEXT, Piece, Pieces
from gaitmon.symmetry.smoothness import AXES, harmonics, regularity
from gaitmon.symmetry.uncertainty import batches

PERIOD_S = 1.137  # no multiple of the grid's step
AP, ML, V = (AXES.index(a) for a in ("ap", "ml", "v"))


def walk(amplitudes: dict[int, Floats], strides: int = 20) -> tuple[Floats, Floats, Pieces]:
    """Strides of a periodic signal.  amplitudes: of the harmonics, forward, left, up; some phase each."""
    start = np.asarray(3.0 + PERIOD_S * np.arange(strides), dtype=np.float64)
    t = np.arange(0, round(100 * (start[-1] + PERIOD_S)) + 60) / 100.0
    rows = np.zeros((len(t), 3))
    for k, amplitude in amplitudes.items():
        rows += np.cos(2 * np.pi * k * (t - 3.0) / PERIOD_S + 0.7 * k)[:, np.newaxis] * amplitude
    rows[:, V] += 9.81
    pieces = []
    for s in start:
        a = int(np.floor(100 * s)) - CONTEXT
        pieces.append(Piece(a, rows[a : int(np.ceil(100 * (s + PERIOD_S))) + 1 + CONTEXT], np.eye(3)))
    return start, np.asarray(start + PERIOD_S), Pieces.of(pieces)


def test_harmonic_ratios_are_those_of_the_amplitudes() -> None:
    """Exact harmonics of a stride that is no whole number of samples, up to the twentieth."""
    own = {1: np.array([0.2, 1.0, 0.3]), 2: np.array([1.0, 0.1, 2.0]), 4: np.array([0.5, 0.0, 0.6]),
           19: np.array([0.1, 0.2, 0.1]), 20: np.array([0.2, 0.1, 0.2])}  # fmt: skip
    h = harmonics(*walk(own))
    assert h.hr[:, V] == pytest.approx((2.0 + 0.6 + 0.2) / (0.3 + 0.1), rel=0.02)
    assert h.hr[:, AP] == pytest.approx((1.0 + 0.5 + 0.2) / (0.2 + 0.1), rel=0.02)
    assert h.hr[:, ML] == pytest.approx((1.0 + 0.2) / (0.1 + 0.1), rel=0.02)
    even, odd = 4.0 + 0.36 + 0.04, 0.09 + 0.01
    assert h.ihr_pct[:, V] == pytest.approx(100 * even / (even + odd), rel=0.001)
    assert h.ihr_pct[:, ML] == pytest.approx(100 * 1.04 / 1.06, rel=0.002)


def test_even_steps_are_symmetric_and_uneven_ones_are_not() -> None:
    alike = harmonics(*walk({2: np.array([1.0, 0.0, 2.0]), 1: np.array([0.0, 1.0, 0.0])}))
    assert np.allclose(alike.ihr_pct, 100.0, atol=0.01)
    uneven = harmonics(*walk({2: np.array([1.0, 1.0, 2.0]), 1: np.array([1.0, 1.0, 2.0])}))
    assert np.allclose(uneven.ihr_pct, 50.0, atol=0.1)


def test_regularity_of_a_periodic_walk_is_one() -> None:
    found = regularity(*walk({2: np.array([1.0, 0.0, 2.0]), 1: np.array([0.0, 1.0, 0.0])}), 20)
    assert found is not None
    assert found.step == pytest.approx(1.0, abs=0.02)  # the lag is a whole number of samples
    assert found.stride == pytest.approx(1.0, abs=0.02)
    assert found.symmetry_index == pytest.approx(np.sqrt(2 / 3), abs=0.02)  # sideways steps are opposite


def test_step_regularity_tells_uneven_steps() -> None:
    """Step 1 - 2 odd power / all, stride 1, up to the sampling of the lag."""
    found = regularity(*walk({2: np.array([1.0, 0.1, 2.0]), 1: np.array([0.5, 1.0, 0.8])}), 20)
    assert found is not None
    assert found.stride[V] == pytest.approx(1.0, abs=0.02)
    assert found.step[V] < 0.85
    assert 0.6 < found.step[V] / found.stride[V] < 0.9


def test_noise_makes_it_less_regular() -> None:
    start, end, pelvis = walk({2: np.ones(3)})
    noisy = pelvis.rows + np.random.default_rng(0).standard_normal(pelvis.rows.shape)
    found = regularity(start, end, Pieces(noisy, pelvis.at), 20)
    assert found is not None
    assert np.all(found.stride < 0.5)


def test_a_gap_or_a_short_walk_has_no_regularity() -> None:
    start, end, pelvis = walk({2: np.ones(3)})
    rows = pelvis.rows.copy()
    rows[500] = np.nan
    assert regularity(start, end, Pieces(rows, pelvis.at), 20) is None
    assert np.isnan(harmonics(start, end, Pieces(rows, pelvis.at)).hr).any(axis=1).sum() == 1
    assert regularity(*walk({2: np.ones(3)}, strides=2), 1) is None


def test_regularity_is_the_unbiased_autocorrelation_over_what_was_walked() -> None:
    """With a pause between the strides, in which nothing is known."""
    start, end, pelvis = walk({2: np.array([1.0, 0.1, 2.0]), 1: np.array([0.5, 1.0, 0.8])})
    rows = pelvis.rows + 0.5 * np.random.default_rng(1).standard_normal(pelvis.rows.shape)
    held = [i for i in range(20) if i not in (7, 8)]
    pieces = Pieces(rows, pelvis.at[held])
    found = regularity(start[held], end[held], pieces, 9)
    assert found is not None
    begin, stop = np.ceil(100 * start[held]).astype(int), np.ceil(100 * end[held]).astype(int)
    x, known = np.zeros((stop[-1] - begin[0], 3)), np.zeros(stop[-1] - begin[0])
    for a, b, at in zip(begin, stop, pieces.at, strict=True):
        x[a - begin[0] : b - begin[0]] = rows[a + at : b + at]
        known[a - begin[0] : b - begin[0]] = 1.0
    x = (x - x.sum(axis=0) / known.sum()) * known[:, np.newaxis]
    assert known.min() == 0.0

    def unbiased(axis: int) -> Floats:
        a, pairs = (np.correlate(y, y, "full")[len(y) - 1 :][:180] for y in (x[:, axis], known))
        return np.asarray(a / pairs * (pairs[0] / a[0]))

    for axis, sign in ((AP, 1.0), (ML, -1.0), (V, 1.0)):
        a = unbiased(axis)
        for value, lag, up in ((found.step[axis], 56.85, sign), (found.stride[axis], 113.7, 1.0)):
            m = np.arange(1, 179)
            peaks = m[(up * a[m - 1] < up * a[m]) & (up * a[m] >= up * a[m + 1])]
            assert value == pytest.approx(up * a[peaks[np.argmin(np.abs(peaks - lag))]])
    for parts in (found.step_parts, found.stride_parts):
        assert parts.shape == (batches(9), 3)
        assert parts.sum(axis=0) == pytest.approx(0.0, abs=1e-9)


def test_rows_are_turned_into_the_segment_by_each_piece_s_own_alignment() -> None:
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    rows = np.arange(60.0).reshape(20, 3)
    both = Pieces.of([Piece(0, rows, np.eye(3)), Piece(100, rows, turn)])
    assert np.array_equal(both.rows[:20], rows)
    assert np.array_equal(both.rows[20:, 0], rows[:, 1])
    assert both.between(np.array([[2.5], [102.0]]))[:, 0, 2] == pytest.approx([9.5, 8.0])
