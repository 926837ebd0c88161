"""What a look at the samples tells: clocks, axes, stuck and repeated values, before any gait is analysed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from gaitmon.analysis import analyse
from gaitmon.errors import RecordingError
from gaitmon.model import Floats, NoticeKind, Placement
from gaitmon.sensors.inspection import Inspected, inspect
from gaitmon.sensors.recording import Recording, SampleStream
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import SensorParams, Stand, TissueParams, Turn, Walk, WalkerParams, simulate
from tests.loaders import mtw, qmt

P = Placement
THIGHS = (P.LEFT_THIGH, P.RIGHT_THIGH)
Samples = tuple[Floats, Floats, Floats | None]
Change = Callable[[Floats, Floats, Floats], Samples]


def simulated(walker: WalkerParams, sensors: SensorParams | None = None, seed: int = 3) -> Recording:
    steps = (Stand(4.0), Walk(seconds=15.0), Turn(180.0, 2.5), Walk(seconds=15.0), Stand(4.0))
    return recording_of(simulate(steps, walker, sensors or SensorParams(), seed), "walk")


@cache
def walk() -> Recording:
    return simulated(WalkerParams(speed_m_s=1.1, step_time_asymmetry_pct=6.0))


def changed(of: Recording, change: Change, *who: Placement) -> Recording:
    """The recording's worn sensors, with change applied to those of who, or to all."""
    streams = []
    for p, stream in of.streams.items():
        if p.is_reference:
            continue
        t, acc, gyr = stream.arrays()
        assert gyr is not None
        samples = change(t.copy(), acc.copy(), gyr.copy()) if p in who or not who else (t, acc, gyr)
        streams.append(SampleStream.from_arrays(p, *samples))
    return Recording.of(of.name, "changed", streams, simulated=of.simulated)


def texts(found: Inspected) -> str:
    return "\n".join(n.text for n in found.notices)


def later(seconds: float) -> Change:
    return lambda t, acc, gyr: (t + seconds, acc, gyr)


# ---- clocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.1, -0.2, 0.4, 0.6])
def test_thighs_that_are_tenths_of_a_second_apart_are_not_compared(seconds: float) -> None:
    found = inspect(changed(walk(), later(seconds), P.LEFT_THIGH))
    assert [n.kind for n in found.notices] == [NoticeKind.UNSYNCHRONISED]
    assert "cannot be compared in time" in texts(found)
    assert found.bound is not None
    assert found.bound.left_right_s > 0.08


def test_what_compares_the_limbs_is_withheld_then_and_the_rest_is_as_it_was() -> None:
    as_it_is, shifted = analyse(walk()), analyse(changed(walk(), later(0.15), P.LEFT_THIGH))
    told = [n for n in shifted.notices if n.kind is NoticeKind.UNSYNCHRONISED]
    assert len(told) == 1
    for metric in ("step_time_ln_pct", "single_support_ln_pct", "drop_left_deg"):
        before, after = as_it_is.metric(metric), shifted.metric(metric)
        assert before is not None
        assert before.value is not None
        assert after is None or after.value is None
    for metric in ("stride_time_s", "thigh_rom_left_deg"):
        before, after = as_it_is.metric(metric), shifted.metric(metric)
        assert before is not None
        assert after is not None
        assert after.value == pytest.approx(before.value, rel=0.01)


def test_thighs_that_drift_apart_are_not_compared() -> None:
    found = inspect(changed(walk(), lambda t, a, g: (t * 1.003, a, g), P.RIGHT_THIGH))
    assert "drift apart" in texts(found)
    assert found.bound is not None


def test_a_pelvis_on_another_clock_is_left_out() -> None:
    found = inspect(changed(walk(), later(0.25), P.PELVIS))
    assert set(found.recording.streams) == set(THIGHS)
    assert found.bound is None
    assert "pelvis: its clock seems to be" in texts(found)
    assert "No pelvis sensor" in texts(found)


@pytest.mark.parametrize(
    "walker",
    [
        WalkerParams(speed_m_s=0.4),
        WalkerParams(speed_m_s=0.6, step_time_asymmetry_pct=30.0, stance_time_asymmetry_pct=10.0),
        WalkerParams(speed_m_s=1.0, thigh_rom_ratio=0.5, extension_loss_left_deg=10.0),
        WalkerParams(speed_m_s=0.8, thigh_rom_ratio=0.3),
        WalkerParams(speed_m_s=1.2, thigh_rom_ratio=3.0),
        WalkerParams(speed_m_s=1.6, person_seed=7, limbs_alike=False, tissue=TissueParams(impact_ratio=2.0)),
    ],
)
def test_a_limp_is_no_fault_of_clocks_or_axes(walker: WalkerParams) -> None:
    assert not inspect(simulated(walker)).notices


@pytest.mark.data
@pytest.mark.parametrize("load", [qmt, mtw])
def test_so_it_is_on_real_walks(load: Callable[[], Recording]) -> None:
    assert inspect(load()).bound is None
    assert inspect(changed(load(), later(0.15), P.RIGHT_THIGH)).bound is not None
    assert inspect(changed(load(), later(0.6), P.RIGHT_THIGH)).bound is not None
    with pytest.raises(RecordingError, match="do not have the same axes"):
        inspect(changed(load(), lambda t, a, g: (t, a, -g), *THIGHS))


# ---- axes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        (lambda g: -g, "-x, -y, -z"),
        (lambda g: g[:, [1, 0, 2]], "y, x, z"),
        (lambda g: g[:, [1, 2, 0]], "z, x, y"),
        (lambda g: g * [1.0, -1.0, 1.0], "x, -y, z"),
    ],
)
def test_a_gyroscope_in_another_frame_is_refused_with_the_frame(
    given: Callable[[Floats], Floats], fits: str
) -> None:
    with pytest.raises(RecordingError, match=f"left_thigh: gyroscope and .* fit as {fits}"):
        inspect(changed(walk(), lambda t, a, g: (t, a, given(g)), P.LEFT_THIGH))


def test_a_left_handed_frame_is_refused() -> None:
    mirror = np.array([1.0, 1.0, -1.0])
    with pytest.raises(RecordingError, match="right-handed"):
        inspect(changed(walk(), lambda t, a, g: (t, a * mirror, g * mirror)))


def test_any_way_to_wear_a_sensor_is_fine() -> None:
    turn = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    assert not inspect(changed(walk(), lambda t, a, g: (t, a @ turn.T, g @ turn.T))).notices


# ---- values that are none -------------------------------------------------------------------------


def test_one_file_given_twice_is_refused() -> None:
    left = walk().streams[P.LEFT_THIGH].arrays()
    with pytest.raises(RecordingError, match="left_thigh and right_thigh hold the same samples"):
        inspect(changed(walk(), lambda _t, _a, _g: left, P.RIGHT_THIGH))


def test_a_sensor_that_gets_stuck_is_missing_from_then_on() -> None:
    def stuck(t: Floats, acc: Floats, gyr: Floats) -> Samples:
        return t, np.where(t[:, None] > 20.0, acc[2000], acc), np.where(t[:, None] > 20.0, gyr[2000], gyr)

    found = inspect(changed(walk(), stuck, P.PELVIS))
    assert "pelvis: the very same values from 20.0 to" in texts(found)
    t, acc, _ = found.recording.streams[P.PELVIS].arrays()
    assert np.isnan(acc[t >= 20.0]).all()
    assert np.isfinite(acc[t < 20.0]).all()


def test_a_rest_on_a_coarse_converter_is_no_stuck_sensor() -> None:
    def coarse(t: Floats, acc: Floats, gyr: Floats) -> Samples:
        return t, np.round(acc, 0), np.round(gyr, 0)

    assert "very same values" not in texts(inspect(changed(walk(), coarse)))


@pytest.mark.parametrize("code", [0.0, -156.9064])
def test_codes_for_no_value_are_missing_values(code: float) -> None:
    def coded(t: Floats, acc: Floats, gyr: Floats) -> Samples:
        acc[1000:1040:4], gyr[1000:1040:4] = code, code / 10.0
        return t, acc, gyr

    found = inspect(changed(walk(), coded, P.LEFT_THIGH))
    assert "left_thigh: 10 samples are no measurement" in texts(found)
    _, acc, _ = found.recording.streams[P.LEFT_THIGH].arrays()
    assert np.isnan(acc[:, 0]).sum() == 10


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t, a, g: (t, a, g * 0.0), "the rate of turn about x never changes"),
        (lambda t, a, g: (t, a, g * [1.0, 0.0, 1.0]), "the rate of turn about y never changes"),
        (lambda t, a, g: (t, a, np.radians(g)), "is it in rad/s"),
        (lambda t, a, g: (t, a, (g + 1.5) % 3.0 - 1.5), "the numbers overflow"),
    ],
)
def test_a_gyroscope_that_cannot_be_is_left_out(change: Change, said: str) -> None:
    found = inspect(changed(walk(), change, P.RIGHT_THIGH))
    assert said in texts(found)
    assert not found.recording.streams[P.RIGHT_THIGH].has_gyroscope


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t, a, g: (t, a * [1.0, 0.0, 1.0], g), "its acceleration along y never changes"),
        (lambda t, a, g: (t, (a + 10.0) % 20.0 - 10.0, g), "the numbers overflow"),
    ],
)
def test_an_accelerometer_that_cannot_be_is_left_out_with_its_sensor(change: Change, said: str) -> None:
    found = inspect(changed(walk(), change, P.RIGHT_THIGH))
    assert said in texts(found)
    assert P.RIGHT_THIGH not in found.recording.streams


def test_samples_that_only_repeat_are_told_with_the_rate_behind_them() -> None:
    def held(t: Floats, acc: Floats, gyr: Floats) -> Samples:
        at = np.arange(len(t)) // 4 * 4
        return t, acc[at], gyr[at]

    found = inspect(changed(walk(), held))
    assert "measures only about 25 times a second, not 100" in texts(found)
    assert not [n for n in found.notices if n.kind is NoticeKind.CLIPPED]
