"""What is remembered of one sensor."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.imu.track import Track
from gaitmon.model import Floats


def rows(a: int, b: int) -> Floats:
    return np.arange(a, b, dtype=float)[:, np.newaxis] * np.ones(2)


def test_what_was_written_is_read_at_its_index() -> None:
    track = Track(2)
    assert not track.begun
    track.extend(500, rows(500, 3000))  # more than it had room for
    track.extend(3000, rows(3000, 3001))
    assert (track.first, track.end) == (500, 3001)
    np.testing.assert_array_equal(track.view(700, 900), rows(700, 900))


def test_holes_and_outside_are_nan() -> None:
    track = Track(2)
    track.extend(10, rows(10, 20))
    track.extend(25, rows(25, 30))
    track.skip_to(33)
    seen = track.view(5, 40)
    assert np.flatnonzero(np.isfinite(seen[:, 0])).tolist() == [*range(5, 15), *range(20, 25)]
    np.testing.assert_array_equal(seen[5:15], rows(10, 20))
    assert track.end == 33


def test_nothing_is_written_twice() -> None:
    track = Track(2)
    track.extend(10, rows(10, 20))
    with pytest.raises(ValueError, match="row 19 was already written"):
        track.extend(19, rows(19, 21))


def test_forgetting_keeps_what_comes_after() -> None:
    track = Track(2)
    track.extend(0, rows(0, 20_000))
    track.forget_before(15_000)
    assert track.first <= 15_000
    np.testing.assert_array_equal(track.view(15_000, 20_000), rows(15_000, 20_000))
    track.extend(20_000, rows(20_000, 20_100))
    np.testing.assert_array_equal(track.view(19_990, 20_100), rows(19_990, 20_100))


def test_what_was_skipped_is_told_until_it_is_forgotten() -> None:
    track = Track(1)
    track.extend(10, np.zeros((5, 1)))
    track.extend(20, np.zeros((6000, 1)))
    for a, b in ((10, 15), (20, 6020), (12, 12), (5, 20), (14, 16), (19, 25), (6000, 6021), (9, 11)):
        assert track.skipped(a, b) == bool(np.isnan(track.view(a, b)).any()), (a, b)
    track.forget_before(5000)
    assert not track.skipped(5000, 6020)
    assert track.skipped(4999, 5001)
