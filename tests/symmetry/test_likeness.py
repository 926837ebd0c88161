"""Comparisons of waveforms as metrics: what was put in comes out, with honest errors, in every bout."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.model import Angle, MetricValue, Side
from gaitmon.symmetry.likeness import between_sides, from_norm
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.waveforms import MIN_STRIDES
from tests.symmetry.drawn_curves import LEG_M, SPEED_M_S, AskedCurves, drawn_cycles
from tests.symmetry.test_waveforms import walk

THIGH = "thigh_flexion"


def scatter_and_error(asked: AskedCurves, strides: int = 40) -> dict[str, tuple[float, float, float]]:
    """Per metric over 300 bouts: mean value, its SD, root mean square of the errors."""
    found: dict[str, list[tuple[float, float]]] = {}
    for bout in drawn_cycles(300, strides, 21, asked):
        for metric, _, _, e in [*between_sides(bout), from_norm(bout, SPEED_M_S, LEG_M)]:
            found.setdefault(metric, []).append((e.value, e.error))
    rows = {m: np.array(x) for m, x in found.items()}
    return {
        m: (float(x[:, 0].mean()), float(x[:, 0].std()), float(np.sqrt((x[:, 1] ** 2).mean())))
        for m, x in rows.items()
    }


def test_errors_are_the_scatter_of_such_bouts() -> None:
    """Asymmetric, so that every derivative has a direction; 300 bouts tell an SD within 4 %.  The
    errors, whose root mean square their own scatter raises, are rather larger; the factor knows that."""
    found = scatter_and_error(AskedCurves(ratio=0.8, lag_pct=4.0))
    for joint in ("thigh_flexion", "hip_flexion"):
        for what, asked in (("lag_pct", 4.0), ("amplitude_ratio", 0.8)):
            mean, sd, error = found[f"{joint}_{what}"]
            assert mean == pytest.approx(asked, rel=0.02), what
            assert 0.95 * sd < error < 1.25 * sd, what
        _, sd, error = found[f"{joint}_rmsd_deg"]
        assert 0.95 * sd < error < 1.25 * sd


def test_without_a_difference_the_errors_are_on_the_safe_side() -> None:
    found = scatter_and_error(AskedCurves())
    assert found[f"{THIGH}_lag_pct"][0] == pytest.approx(0.0, abs=0.05)
    assert found[f"{THIGH}_amplitude_ratio"][0] == pytest.approx(1.0, abs=0.005)
    for metric, (mean, sd, error) in found.items():
        assert 0.85 * sd < error < 2.2 * sd, metric
        if metric.endswith("_rmsd_deg"):
            assert 0.0 < mean < 1.5, metric
        if metric.endswith("_correlation"):
            assert 0.9 < mean <= 1.0, metric


def test_too_few_strides_of_a_side_have_no_comparison() -> None:
    (bout,) = drawn_cycles(1, MIN_STRIDES, 3)
    thigh = {k: x for k, x in bout.items() if k[0] is Angle.THIGH_FLEXION}
    short = thigh | {(Angle.THIGH_FLEXION, Side.RIGHT): thigh[Angle.THIGH_FLEXION, Side.RIGHT][1:]}
    by_metric = {m: e for m, _, _, e in between_sides(short)}
    assert by_metric[f"{THIGH}_rmsd_deg"].n == 0
    assert {m: e for m, _, _, e in between_sides(thigh)}[f"{THIGH}_rmsd_deg"].n == MIN_STRIDES
    assert np.isnan(from_norm(thigh, SPEED_M_S, LEG_M)[3].value)


def test_a_lag_beyond_the_window_is_not_told() -> None:
    (bout,) = drawn_cycles(1, 20, 4, AskedCurves(lag_pct=35.0))
    by_metric = {m: e for m, _, _, e in between_sides(bout)}
    assert np.isnan(by_metric[f"{THIGH}_lag_pct"].value)


def values(of: tuple[MetricValue, ...]) -> dict[str, MetricValue]:
    return {m.metric: m for m in of}


def test_a_closed_bout_carries_them() -> None:
    same, smaller, dropping = (
        values(walk(**k).bouts[0].metrics) for k in ({}, {"rom_ratio": 0.8}, {"drop": 6.0})
    )

    def value(of: dict[str, MetricValue], metric: str) -> float:
        found = of[metric].value
        assert found is not None, of[metric].note
        return found

    assert value(smaller, "thigh_flexion_amplitude_ratio") == pytest.approx(0.8, abs=0.03)
    assert value(same, "thigh_flexion_amplitude_ratio") == pytest.approx(1.0, abs=0.03)
    assert value(smaller, "thigh_flexion_rmsd_deg") > value(same, "thigh_flexion_rmsd_deg") + 1.0
    assert value(dropping, "pelvic_obliquity_rmsd_deg") > value(same, "pelvic_obliquity_rmsd_deg") + 1.0
    assert value(same, "gps5_norm_deg") < 4.0
    told = [m for m in same if m.endswith(("_rmsd_deg", "_correlation")) or m == "gps5_norm_deg"]
    assert len(told) == 11
    for m in told:
        assert same[m].standard_error is not None, m
        assert same[m].n_left >= 30, m
    assert "leg length" in same["gps5_norm_deg"].note
    assert METRICS["gps5_norm_deg"].change is None  # context: nothing to alert on
