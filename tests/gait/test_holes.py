"""Periodicity through holes: what is missing neither adds likeness nor takes it away."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.gait.rhythm import evidence, likeness
from gaitmon.gait.sequences import SequenceParams, SequenceTracker, Verdict, looks_like_walking
from gaitmon.gait.windows import edges
from gaitmon.model import Bools, Floats

HZ = 25.0


def wave(period_s: float, n: int = 100) -> Floats:
    t = np.arange(n) / HZ
    once, twice = 2 * np.pi * t / period_s, 4 * np.pi * t / period_s
    return np.column_stack([np.sin(once), 0.4 * np.cos(twice), 0.2 * np.sin(twice + 1.0)])


def of(x: Floats, known: Bools, fewest_pairs: int = 25) -> Floats:
    """Of each lag, the likeness of what is known."""
    there = np.where(known[:, np.newaxis], x - x[known].mean(axis=0), 0.0)
    r = np.array([np.sum(there[: len(x) - lag] * there[lag:]) for lag in range(len(x))])
    likeness(np.ascontiguousarray(there.T), known.astype(np.float64), fewest_pairs, 0, r)
    return r


@pytest.mark.parametrize("seed", range(6))
def test_a_rhythm_is_seen_through_random_holes(seed: int) -> None:
    """A third of the samples lost in bursts of 0.2 s: the stride is where it was, and as sure."""
    rng = np.random.default_rng(seed)
    known = np.repeat(rng.random(20) > 0.33, 5)
    x = wave(1.12)
    lags = slice(18, 56)
    whole, holed = of(x, np.ones(100, bool)), of(x, known, 12)
    assert abs(int(whole[lags].argmax()) - int(holed[lags].argmax())) <= 1
    assert holed[28] == pytest.approx(1.0, abs=0.03)


def test_lags_with_too_few_pairs_say_nothing() -> None:
    known = np.arange(100) < 50
    r = of(wave(1.12), known)
    assert np.isfinite(r[:26]).all()
    assert (r[26:] == -np.inf).all()


def test_noise_has_no_rhythm_with_holes_either() -> None:
    """No window of noise passes as periodic, with as much missing as is allowed."""
    rng, params = np.random.default_rng(4), SequenceParams()
    highest = []
    for _ in range(200):
        x = 0.5 * rng.standard_normal((400, 3))
        x = np.column_stack([np.convolve(c, np.ones(12) / 12.0, "same") for c in x.T])
        x[np.repeat(rng.random(40) < 0.35, 10)] = np.nan
        highest.append(evidence(x, 0, params.lags(params.thigh_gyr), False).periodicity)
    assert np.mean(np.array(highest) > params.periodicity) < 0.02


def test_half_a_window_is_the_least_that_is_looked_at() -> None:
    x = 2.0 * np.repeat(wave(1.12), 4, axis=0)
    params = SequenceParams()
    for missing, told in ((200, True), (208, False)):
        seen = x.copy()
        seen[:missing] = np.nan
        e = evidence(seen, 0, params.lags(params.thigh_gyr), False)
        assert np.isfinite(e.rms) == told
        assert looks_like_walking(e, params.thigh_gyr, params, gyroscope=True) == told
        assert not e.told, "two seconds cannot show a stride of two seconds"


def test_the_edges_of_a_walk_are_read_past_missing_cells() -> None:
    nan = np.nan
    assert edges(np.array([0.0, nan, 1.0, 1.0, nan, 1.0, 1.0, 0.0]), 0.3, 0.2, 4) == (2, 1)
    assert edges(np.array([nan] * 4 + [1.0] * 4), 0.3, 0.2, 4) == (4, 0)


def test_nobody_heard_is_not_somebody_at_rest() -> None:
    """Windows of which nobody can tell do not use up the patience for windows without walking; a pause of
    2 s since walking was last seen ends the sequence all the same."""
    assert Verdict(False).heard
    for heard, n_open in ((True, 3), (False, 3)):
        tracker = SequenceTracker(patience=1)
        tracker.push(10, True, 1.1)
        closed = [tracker.push(11 + k, False, 1.1, heard=heard) for k in range(4)]
        assert (closed[1] is None) == (not heard)
        assert closed[n_open] is not None or heard
