"""Waveform change of a day against the wearer's own usual curves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gaitmon.model import Angle, Floats, MetricValue, Side, Waveform
from gaitmon.symmetry.cycle import POINTS
from gaitmon.symmetry.metrics import METRICS
from gaitmon.trends import CORE_METRICS, WAVEFORM_CHANGE, DayValue, usual_curves, waveform_changes
from tests.trends.wearers import FIRST_DAY, iso

PHASE = 2.0 * np.pi * np.arange(POINTS) / (POINTS - 1)
SIZE = {Angle.THIGH_FLEXION: 20.0, Angle.HIP_FLEXION: 21.0}


@dataclass(frozen=True, slots=True)
class Walked:
    start_utc_us: int
    stratum: str
    metrics: tuple[MetricValue, ...]
    waveforms: tuple[Waveform, ...]
    simulated: bool = False


def bout(
    day: int,
    off: dict[tuple[Angle, Side], Floats] | None = None,
    *,
    speed_m_s: float = 1.25,
    n: int = 60,
    stratum: str = "straight",
) -> Walked:
    """One bout a day; curves grow with speed.  off: added to a curve, degrees."""
    at = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=day, hours=9)
    speed = MetricValue("walking_speed_m_s", speed_m_s, 0.01, n, n)
    waves = []
    for angle in Angle:
        for side in Side:
            mean = SIZE.get(angle, 3.0) * speed_m_s * np.cos(PHASE) + (off or {}).get((angle, side), 0.0)
            waves.append(Waveform.of(angle, side, n, mean, np.ones(POINTS)))
    return Walked(int(at.timestamp() * 1e6), stratum, (speed,), tuple(waves))


def found(bouts: list[Walked], usual: list[Walked] | None = None) -> dict[str, DayValue]:
    own = [bout(d) for d in range(14)] if usual is None else usual
    curves = usual_curves(own, UTC, iso(0), iso(13))
    return {v.metric: v for v in waveform_changes(bouts, curves, UTC)}


def test_a_changed_thigh_shows_in_its_part_and_in_the_whole() -> None:
    changed = bout(20, {(Angle.THIGH_FLEXION, Side.RIGHT): 3.0 * np.sqrt(2.0) * np.sin(PHASE)}, n=80)
    values = found([changed])
    assert set(values) == set(WAVEFORM_CHANGE)
    assert values["right_thigh_flexion_deviation_deg"].value == pytest.approx(3.0, abs=0.01)
    assert values["left_thigh_flexion_deviation_deg"].value == pytest.approx(0.0, abs=0.01)
    assert values["waveform_deviation_deg"].value == pytest.approx(3.0 / np.sqrt(5.0), abs=0.01)
    assert all(v.day == iso(20) and v.valid and v.n_strides == 160 for v in values.values())
    assert not found([replace(changed, stratum="short")])


def test_a_new_strap_is_no_change() -> None:
    shifted = bout(20, {(angle, side): np.full(POINTS, 6.0) for angle in Angle for side in Side})
    assert all(v.value == pytest.approx(0.0, abs=0.01) for v in found([shifted]).values())


def test_another_speed_is_no_change() -> None:
    """The curves of 0.9 m/s are 7 degrees smaller than those of 1.25: they have a baseline of their own."""
    usual = [bout(d, speed_m_s=v) for d in range(14) for v in (0.9, 1.25)]
    slow = [bout(20, speed_m_s=0.9), bout(20, speed_m_s=0.9)]
    assert found(slow, usual)["waveform_deviation_deg"].value == pytest.approx(0.0, abs=0.01)
    assert found(slow) == {}  # a speed at which the wearer was never seen


def test_too_few_strides_make_no_baseline_and_no_valid_day() -> None:
    assert found([bout(20)], [bout(0, n=99)]) == {}
    assert not found([bout(20, n=60)])["waveform_deviation_deg"].valid
    outside = [bout(14), bout(15)]
    assert found([bout(20)], outside) == {}


def test_its_error_is_the_scatter_between_bouts() -> None:
    rng = np.random.default_rng(2)
    key = (Angle.THIGH_FLEXION, Side.LEFT)
    values, errors = [], []
    for _ in range(200):
        day = [bout(20, {key: (4.0 + rng.normal()) * np.sin(PHASE)}) for _ in range(5)]
        value = found(day)["left_thigh_flexion_deviation_deg"]
        assert value.value is not None
        assert value.standard_error is not None
        values.append(value.value)
        errors.append(value.standard_error)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(values), rel=0.2)
    assert found([bout(20)] * 2)["waveform_deviation_deg"].standard_error is None


def test_a_bout_without_a_pelvis_is_left_out() -> None:
    without = replace(bout(20), waveforms=bout(20).waveforms[:4])
    assert found([without]) == {}


def test_the_table_names_the_parts_and_nothing_watches_them() -> None:
    whole, *parts = WAVEFORM_CHANGE
    assert METRICS[whole].parts == tuple(parts)
    assert not {rule.metric for rule in CORE_METRICS} & set(WAVEFORM_CHANGE)
