"""Impact peaks and the limp index."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.symmetry.acceleration import CONTEXT, Piece, Pieces
from gaitmon.symmetry.loading import GRAVITY_M_S2, LIMP_PARTS, Usual, impact_peaks_m_s2, limp_index
from gaitmon.symmetry.metrics import METRICS


def peak(jolt_m_s2: float, at_s: float, hz: float = 8.0) -> float:
    """Of a half wave at some time after an initial contact at 1.004 s."""
    t = np.arange(0, 200) / 100.0
    since = t - 1.004 - at_s
    up = GRAVITY_M_S2 + np.where(np.abs(since) < 0.25 / hz, jolt_m_s2 * np.cos(2 * np.pi * hz * since), 0.0)
    rows = np.column_stack([np.zeros((200, 2)), up])
    a = 100 - CONTEXT
    return float(impact_peaks_m_s2(np.array([1.004]), Pieces.of([Piece(a, rows[a:130], np.eye(3))]))[0])


def test_the_peak_is_what_lies_below_20_hz_within_150_ms() -> None:
    assert peak(5.0, 0.05) == pytest.approx(5.0, rel=0.1)
    assert peak(10.0, 0.05) == pytest.approx(2.0 * peak(5.0, 0.05), rel=1e-6)
    assert peak(5.0, 0.25) < 0.5
    assert peak(5.0, 0.05, hz=45.0) < 2.0


def limp(**changes: float) -> float:
    values = dict.fromkeys(LIMP_PARTS, 1.0) | changes
    found = limp_index(values, dict.fromkeys(LIMP_PARTS, Usual(1.0, 2.0)))
    assert found is not None
    assert set(found.parts) == set(LIMP_PARTS)  # never without its parts
    return found.index


def test_the_limp_index_is_a_distance_from_the_own_baseline() -> None:
    assert limp() == 0.0
    assert limp(stance_time_ln_pct=5.0) == pytest.approx(2.0 / np.sqrt(5))
    assert limp(stance_time_ln_pct=-3.0) == limp(stance_time_ln_pct=5.0)  # whichever way


def test_without_a_part_or_its_baseline_there_is_no_limp_index() -> None:
    values = dict.fromkeys(LIMP_PARTS, 1.0)
    usual = dict.fromkeys(LIMP_PARTS, Usual(1.0, 2.0))
    assert limp_index(values, {m: u for m, u in usual.items() if m != "drop_asym_deg"}) is None
    assert limp_index({m: v for m, v in values.items() if m != "drop_asym_deg"}, usual) is None
    assert limp_index(values, usual | {"drop_asym_deg": Usual(1.0, 0.0)}) is None


def test_what_is_no_force_does_not_call_itself_one() -> None:
    for m in METRICS.values():
        if m.group == "loading":
            assert "force" not in m.name.lower(), m.id
        if "impact_" in m.id and "_ln_" not in m.id:
            assert "not a force" in m.source, m.id
