"""Clock, radio and errors of the simulated sensors do what their parameters say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import butter, filtfilt

from gaitmon.errors import ConfigError
from gaitmon.model import Placement
from gaitmon.simulate import RadioParams, SensorParams, Stand, Walk, WalkerParams, simulate

SCRIPT = (Stand(2.0), Walk(seconds=28.0))
LONG = (Stand(600.0),)
PELVIS = Placement.PELVIS


def test_the_same_seed_gives_the_same_bits() -> None:
    sensors = SensorParams(radio=RadioParams(loss_fraction=0.1, jitter_s=0.01))
    first = simulate(SCRIPT, WalkerParams(person_seed=3), sensors, 11)
    again = simulate(SCRIPT, WalkerParams(person_seed=3), sensors, 11)
    other = simulate(SCRIPT, WalkerParams(person_seed=3), sensors, 12)
    for placement, arrays in first.streams.items():
        twin = again.streams[placement]
        assert_array_equal(arrays.acc_m_s2, twin.acc_m_s2)
        assert arrays.gyr_rad_s is not None
        assert twin.gyr_rad_s is not None
        assert_array_equal(arrays.gyr_rad_s, twin.gyr_rad_s)
        assert_array_equal(arrays.arrival_s, twin.arrival_s)
    assert first.truth.contacts == again.truth.contacts != other.truth.contacts


def test_default_stamps_are_the_common_clock() -> None:
    sim = simulate(SCRIPT, WalkerParams(), SensorParams(), 0)
    for placement, arrays in sim.streams.items():
        assert_array_equal(arrays.t_s, np.arange(len(arrays)) / 100.0)
        assert_array_equal(arrays.t_s, sim.truth.sample_times_s[placement])
        assert np.all(arrays.arrival_s > arrays.t_s)
    assert_array_equal(sim.truth.motion.t_s, sim.streams[PELVIS].t_s)


def test_skew_and_offset_map_exactly() -> None:
    sensors = {
        PELVIS: SensorParams(skew_ppm=50.0, offset_s=-0.37),
        Placement.LEFT_THIGH: SensorParams(skew_ppm=-35.0),
    }
    sim = simulate((Stand(1800.0),), WalkerParams(), sensors, 0)
    arrays, clock = sim.streams[PELVIS], sim.truth.clocks[PELVIS]
    common = sim.truth.sample_times_s[PELVIS]
    assert_allclose(arrays.t_s, -0.37 + np.arange(len(arrays)) / 100.0, atol=1e-9)  # even on its own clock
    assert_allclose(clock.to_common(arrays.t_s), common, atol=1e-9)
    assert_allclose(clock.to_device(common), arrays.t_s, atol=1e-9)
    assert arrays.t_s[-1] + 0.37 - common[-1] == pytest.approx(0.09, abs=1e-4)  # 50 ppm of half an hour


def test_skewed_sensor_samples_the_same_motion() -> None:
    ideal = SensorParams.ideal()
    sim = simulate(SCRIPT, WalkerParams(), {PELVIS: replace(ideal, skew_ppm=300.0, offset_s=5.0)}, 2)
    fine = simulate(SCRIPT, WalkerParams(), {PELVIS: SensorParams.ideal(2000.0)}, 2)
    common = sim.truth.clocks[PELVIS].to_common(sim.streams[PELVIS].t_s)
    reference = fine.streams[PELVIS]
    for axis in range(3):
        expected = np.interp(common, reference.t_s, reference.acc_m_s2[:, axis])
        assert_allclose(sim.streams[PELVIS].acc_m_s2[:, axis], expected, atol=0.03)


def test_loss_comes_in_bursts_of_the_stated_length() -> None:
    radio = RadioParams(loss_fraction=0.3, burst_s=0.25, samples_per_packet=4)
    sim = simulate(LONG, WalkerParams(), {PELVIS: SensorParams(radio=radio)}, 1)
    counter = sim.streams[PELVIS].counter
    missing = np.diff(counter) - 1
    runs = missing[missing > 0]
    produced = len(sim.truth.sample_times_s[PELVIS])
    assert 1.0 - len(counter) / produced == pytest.approx(0.3, abs=0.04)
    assert sim.truth.loss_fraction[PELVIS] == pytest.approx(1.0 - len(counter) / produced)
    assert np.all(runs % 4 == 0)  # whole packets
    assert np.mean(runs) / 100.0 == pytest.approx(0.25, rel=0.15)
    assert_allclose(sim.streams[PELVIS].t_s, counter / 100.0)


def test_duplicates_and_reordering() -> None:
    radio = RadioParams(samples_per_packet=5, duplicate_fraction=0.1, reorder_fraction=0.05)
    plain = simulate(LONG, WalkerParams(), {PELVIS: SensorParams()}, 1).streams[PELVIS]
    arrays = simulate(LONG, WalkerParams(), {PELVIS: SensorParams(radio=radio)}, 1).streams[PELVIS]
    counts = np.bincount(arrays.counter)
    assert set(counts) == {1, 2}
    assert np.mean(counts == 2) == pytest.approx(0.1, abs=0.03)
    backward = np.sum(np.diff(arrays.counter) < -5)
    assert backward / (len(counts) / 5) == pytest.approx(0.05, abs=0.02)
    assert np.all(np.diff(arrays.arrival_s) >= 0.0)
    assert_array_equal(arrays.acc_m_s2, plain.acc_m_s2[arrays.counter])


def test_gaps_and_reconnects() -> None:
    radio = RadioParams(gaps_s=((100.0, 130.0),), reconnects_per_hour=30.0, reconnect_gap_s=(2.0, 4.0))
    sim = simulate(LONG, WalkerParams(), {PELVIS: SensorParams(radio=radio)}, 4)
    t, gaps = sim.streams[PELVIS].t_s, sim.truth.gaps_s[PELVIS]
    assert (100.0, 130.0) in gaps
    assert len(gaps) > 1
    for start, end in gaps:
        assert not np.any((t >= start) & (t < end))
    holes = np.flatnonzero(np.diff(t) > 0.5)
    assert len(holes) <= len(gaps)


def test_arrival_waits_for_connection_events_and_jitters() -> None:
    radio = RadioParams(samples_per_packet=3, connection_interval_s=0.03, jitter_s=0.02)
    arrays = simulate(SCRIPT, WalkerParams(), {PELVIS: SensorParams(radio=radio)}, 1).streams[PELVIS]
    assert_allclose(np.round(arrays.arrival_s / 0.03) * 0.03, arrays.arrival_s, atol=1e-9)
    assert np.all(arrays.arrival_s - arrays.t_s > 0.0)
    assert np.std(arrays.arrival_s - arrays.t_s) > 0.005


def test_noise_bias_range_and_quantisation() -> None:
    sensors = SensorParams(acc_range_m_s2=8 * 9.81, gyr_range_rad_s=3.0, bits=12)
    sim = simulate(SCRIPT, WalkerParams(speed_m_s=1.7), sensors, 0)
    gyr = sim.streams[Placement.LEFT_THIGH].gyr_rad_s
    assert gyr is not None
    step = 3.0 / 2**11
    assert_allclose(np.rint(gyr / step) * step, gyr, atol=1e-12)
    assert gyr.min() >= -3.0
    assert gyr.max() <= 3.0 - step + 1e-12
    clipped = np.isclose(np.abs(gyr), 3.0, atol=1.5 * step).sum()
    assert clipped > 0  # this walker exceeds 172 deg/s
    quiet = SensorParams(
        bits=None, gyr_drift_rad_s_sqrt_h=0.0, gyr_per_acc_rad_s_m_s2=0.0, mounting_max_deg=0.0
    )
    still = simulate(LONG, WalkerParams.steady(), {PELVIS: quiet}, 0).streams[PELVIS]
    assert still.gyr_rad_s is not None
    assert np.std(still.gyr_rad_s, axis=0) == pytest.approx(np.radians(0.007) * np.sqrt(50.0), rel=0.03)
    assert np.std(still.acc_m_s2, axis=0) == pytest.approx(160e-6 * 9.81 * np.sqrt(50.0), rel=0.03)
    assert 1e-5 < np.abs(np.mean(still.gyr_rad_s, axis=0)).max() < np.radians(1.5)


def test_blocks_are_in_order_and_complete() -> None:
    radio = RadioParams(loss_fraction=0.1, duplicate_fraction=0.1, reorder_fraction=0.1, samples_per_packet=6)
    sim = simulate(SCRIPT, WalkerParams(), SensorParams(radio=radio), 3)
    blocks = list(sim.blocks(0.5))
    starts = [b.t_s[0] // 0.5 for b in blocks]
    assert starts == sorted(starts)
    for placement, arrays in sim.streams.items():
        times = np.concatenate([b.t_s for b in blocks if b.placement is placement])
        assert np.all(np.diff(times) > 0.0)
        assert len(times) == len(np.unique(arrays.counter))


def test_an_accelerometer_only_sensor_and_an_unknown_placement() -> None:
    sim = simulate(SCRIPT, WalkerParams(), {Placement.LEFT_THIGH: SensorParams(has_gyroscope=False)}, 0)
    assert sim.streams[Placement.LEFT_THIGH].gyr_rad_s is None
    assert list(sim.streams) == [Placement.LEFT_THIGH]
    with pytest.raises(ConfigError, match="left_foot"):
        simulate(SCRIPT, WalkerParams(), {Placement.LEFT_FOOT: SensorParams()}, 0)
    with pytest.raises(ConfigError, match="rotation"):
        SensorParams(mounting_rotation=2.0 * np.eye(3))


@pytest.mark.parametrize("rate_hz", [60.0, 100.0])
def test_an_averaged_sensor_does_not_fold_the_landing_into_the_gait(rate_hz: float) -> None:
    """Below 4 Hz it delivers what a sensor ten times as fast delivers; reading the instant does not."""
    averaged, instant = (_error_below_4_hz(rate_hz, averaged=averaged) for averaged in (True, False))
    assert averaged < 0.015  # m/s², of about 3
    assert instant > 5.0 * averaged


def _error_below_4_hz(rate_hz: float, *, averaged: bool) -> float:
    sensor = replace(SensorParams.ideal(rate_hz), averaged=averaged)
    found, true = (
        simulate(SCRIPT, WalkerParams(), {Placement.LEFT_THIGH: each}, 1).streams[Placement.LEFT_THIGH]
        for each in (sensor, SensorParams.ideal(10.0 * rate_hz))
    )
    slow, slow_true = (
        filtfilt(*butter(2, 4.0, fs=hz), arrays.acc_m_s2, axis=0)
        for hz, arrays in ((rate_hz, found), (10.0 * rate_hz, true))
    )
    inside = slice(int(rate_hz), -int(rate_hz))
    return float(np.sqrt(np.mean((slow - slow_true[::10][: len(slow)])[inside] ** 2, axis=0)).max())


def test_averaging_passes_the_gait_in_its_time_and_leaves_the_truth_alone() -> None:
    """Mean over one period: sinc(f / rate) of an oscillation, in phase."""
    ideal = SensorParams.ideal(60.0)
    still = WalkerParams.steady()
    instant = simulate(SCRIPT, still, {PELVIS: ideal}, 2)
    averaged = simulate(SCRIPT, still, {PELVIS: replace(ideal, averaged=True)}, 2)
    x, y = (s.streams[PELVIS].acc_m_s2[300:-300, 2] for s in (instant, averaged))
    step_hz = float(np.argmax(np.abs(np.fft.rfft(x - x.mean()))) * 60.0 / len(x))
    gain, seen = np.sinc(step_hz / 60.0), np.dot(y - y.mean(), x - x.mean()) / np.var(x) / len(x)
    assert seen == pytest.approx(gain, abs=0.01)
    assert np.abs(y - x).max() < 0.05 * np.abs(x - x.mean()).max()
    assert averaged.truth.contacts == instant.truth.contacts
    assert_array_equal(averaged.truth.motion.position_m, instant.truth.motion.position_m)
    assert_array_equal(averaged.streams[PELVIS].t_s, instant.streams[PELVIS].t_s)
