"""Bad input: a clear one-line error with the remedy, or a result that says what is missing and why."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from gaitmon.analysis import Analysis, analyse
from gaitmon.errors import EmptyRecordingError, GaitmonError, RecordingError
from gaitmon.model import Floats, Notice, NoticeKind, Placement, Side
from gaitmon.sensors.recording import Recording, SampleStream
from tests.damaged import Change, Samples, changed, cut, only, walk, without
from tests.loaders import mtw, qmt

P = Placement


def told(analysis: Analysis, kind: NoticeKind) -> list[Notice]:
    return [n for n in analysis.notices if n.kind is kind]


def texts(analysis: Analysis) -> str:
    return "\n".join(n.text for n in analysis.notices)


def between(notice: Notice) -> list[float | None]:
    return [notice.start_s, notice.end_s]


def count(analysis: Analysis, side: Side | None) -> int:
    return sum(s.side is side for s in analysis.strides)


def refused(recording: Recording, kind: type[GaitmonError] = RecordingError) -> str:
    with pytest.raises(kind) as error:
        analyse(recording)
    assert "\n" not in str(error.value)
    assert error.value.remedy
    return str(error.value)


@cache
def whole() -> Analysis:
    return analyse(walk())


def test_the_walk_as_it_is() -> None:
    assert count(whole(), Side.LEFT) >= 25
    assert count(whole(), Side.RIGHT) >= 25
    assert whole().notices == ()


# ---- one sensor only ----------------------------------------------------------------------------


@pytest.mark.parametrize("thigh", [P.LEFT_THIGH, P.RIGHT_THIGH])
def test_one_thigh(thigh: Placement) -> None:
    """Its own strides are as good as with all sensors; nothing is said of the other side."""
    analysis = analyse(changed(walk(), only(thigh)))
    side = thigh.side
    assert side is not None
    assert count(analysis, side) >= 25
    assert count(analysis, side.other) == 0
    assert f"Only the {thigh.replace('_', ' ')} is there: no left-right comparison" in texts(analysis)
    assert "No pelvis sensor" in texts(analysis)
    assert (m := analysis.metric("step_time_ln_pct")) is None or m.value is None
    own = [s.start_s for s in analysis.strides]
    reference = [s.start_s for s in whole().strides if s.side is side]
    assert own == pytest.approx(reference, abs=1e-3)  # the vertical rests on fewer sensors


def test_a_thigh_of_unknown_side() -> None:
    analysis = analyse(changed(walk(), only(P.LEFT_THIGH, called=P.THIGH)))
    assert count(analysis, None) >= 25
    assert len(analysis.strides) == count(analysis, None)
    assert "its strides have no side, and nothing can be compared" in texts(analysis)
    for metric in analysis.summary:
        assert metric.value is None or not metric.metric.endswith("ln_pct")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (only(P.LEFT_THIGH, called=P.PHONE), "No thigh sensor"),
        (only(P.LEFT_THIGH, called=P.PHONE, gyroscope=False), "No thigh sensor"),
        (only(P.LEFT_THIGH, gyroscope=False), "left_thigh: no gyroscope"),
    ],
)
def test_what_no_stride_side_can_be_told_from(change: Change, said: str) -> None:
    analysis = analyse(changed(walk(), change))
    assert count(analysis, Side.RIGHT) == 0
    assert said in texts(analysis)
    assert told(analysis, NoticeKind.SENSOR_MISSING)


def test_thigh_accelerometers_tell_strides_and_nothing_across() -> None:
    analysis = analyse(changed(walk(), only(P.LEFT_THIGH, P.RIGHT_THIGH, gyroscope=False)))
    assert "right_thigh: no gyroscope" in texts(analysis)
    for side in Side:
        assert abs(count(analysis, side) - count(whole(), side)) <= 3
    assert all(s.fc_s is None and s.opposite_ic_s is None for s in analysis.strides)
    assert (m := analysis.metric("step_time_ln_pct")) is not None
    assert m.value is None


def test_the_pelvis_alone_stands_in_and_says_so() -> None:
    """Sides and step times, told as less certain; what needs a thigh is absent, not made up."""
    for gyroscope in (True, False):
        analysis = analyse(changed(walk(), only(P.PELVIS, gyroscope=gyroscope)))
        assert abs(count(analysis, Side.LEFT) - count(whole(), Side.LEFT)) <= 2
        assert abs(count(analysis, Side.RIGHT) - count(whole(), Side.RIGHT)) <= 2
        assert "contacts come from the pelvis alone, with less certain sides" in texts(analysis)
        assert any("contacts from the pelvis alone" in q for b in analysis.bouts for q in b.quality)
        assert all(s.fc_s is None and s.thigh_rom_deg is None for s in analysis.strides)


def test_only_feet() -> None:
    feet = Recording.of(
        "feet",
        "changed",
        [
            SampleStream.from_arrays(P.LEFT_FOOT, *walk().streams[P.LEFT_THIGH].arrays()),
        ],
    )
    assert "only foot sensors, which serve as reference" in refused(feet, EmptyRecordingError)


# ---- nothing to find ----------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.005, 2.0])
def test_a_very_short_recording(seconds: float) -> None:
    analysis = analyse(changed(walk(), cut(12.0, 12.0 + seconds)))
    assert analysis.strides == ()
    assert told(analysis, NoticeKind.TOO_SHORT)
    assert told(analysis, NoticeKind.NO_WALKING)


@pytest.mark.data
def test_standing_only() -> None:
    analysis = analyse(changed(qmt(), cut(52.0, 79.0)))
    assert analysis.strides == ()
    assert analysis.bouts == ()
    (notice,) = told(analysis, NoticeKind.NO_WALKING)
    assert "at least 4 strides" in notice.text


def test_sensors_that_never_change() -> None:
    text = refused(changed(walk(), lambda p, t, a, g: (p, t, 0 * a, 0 * g)), EmptyRecordingError)
    assert "left_thigh: the signal never changes" in text


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_one_sensor_that_gave_nothing_is_left_out(value: float) -> None:
    def change(p: Placement, t: Floats, acc: Floats, gyr: Floats) -> Samples:
        return (p, t, 0 * acc + value, 0 * gyr + value) if p is P.LEFT_THIGH else (p, t, acc, gyr)

    analysis = analyse(changed(walk(), change))
    assert count(analysis, Side.LEFT) == 0
    assert count(analysis, Side.RIGHT) >= 25
    (notice,) = told(analysis, NoticeKind.BAD_SAMPLES)
    assert notice.placement is P.LEFT_THIGH
    assert "it is left out" in notice.text
    assert "Only the right thigh is there" in texts(analysis)


# ---- NaN, gaps, order ---------------------------------------------------------------------------


def test_scattered_nan_change_little_and_are_counted() -> None:
    rng = np.random.default_rng(1)

    def change(p: Placement, t: Floats, acc: Floats, gyr: Floats) -> Samples:
        acc[rng.random(len(t)) < 0.01, 1] = np.nan
        return p, t, acc, gyr

    analysis = analyse(changed(walk(), change))
    for side in Side:
        starts = [[s.start_s for s in a.strides if s.side is side] for a in (analysis, whole())]
        assert starts[0] == pytest.approx(starts[1], abs=0.05)
    assert {n.placement for n in told(analysis, NoticeKind.BAD_SAMPLES)} == set(walk().streams)


def test_a_stretch_of_nan_is_a_gap() -> None:
    def change(p: Placement, t: Floats, acc: Floats, gyr: Floats) -> Samples:
        if p is P.RIGHT_THIGH:
            gyr[(t >= 18.0) & (t < 20.5)] = np.nan
        return p, t, acc, gyr

    analysis = analyse(changed(walk(), change))
    (gap,) = told(analysis, NoticeKind.GAP)
    assert gap.placement is P.RIGHT_THIGH
    assert between(gap) == pytest.approx([18.0, 20.5], abs=0.03)
    assert count(analysis, Side.RIGHT) < count(analysis, Side.LEFT)
    for s in analysis.strides:
        assert s.side is Side.LEFT or s.end_s < 18.5 or s.start_s > 20.0


@pytest.mark.parametrize("who", [(P.PELVIS,), (P.LEFT_THIGH,), (P.RIGHT_THIGH,), ()])
def test_a_gap_of_10_s_is_told_and_never_bridged(who: tuple[Placement, ...]) -> None:
    analysis = analyse(changed(walk(), without(12.0, 22.0, *who)))
    gaps = told(analysis, NoticeKind.GAP)
    assert {g.placement for g in gaps} == (set(who) or set(walk().streams))
    for g in gaps:
        assert between(g) == pytest.approx([12.0, 22.0], abs=0.02)
    for s in analysis.strides:
        if who == (P.PELVIS,) or (who and s.side is not who[0].side):
            continue
        assert s.end_s <= 12.05 or s.start_s >= 21.95
        assert s.duration_s < 2.0
    untouched = [side for side in Side if who and side is not who[0].side]
    for side in untouched:
        assert count(analysis, side) == count(whole(), side)
    if not who:
        assert len(analysis.bouts) == 2


def test_samples_twice_and_out_of_order_cannot_be_given() -> None:
    """Importers sort and drop (tests/sensors); from Python it is refused."""
    t, acc, gyr = walk().streams[P.PELVIS].arrays()
    for bad in (np.sort(np.concatenate([t[:-1], t[:1]])), t[::-1]):
        with pytest.raises(RecordingError, match="strictly increasing"):
            SampleStream.from_arrays(P.PELVIS, bad, acc, gyr)


# ---- clocks and lengths -------------------------------------------------------------------------


def shifted(seconds: float) -> Change:
    return lambda p, t, acc, gyr: (p, t + seconds if p is P.LEFT_THIGH else t, acc, gyr)


@pytest.mark.parametrize("seconds", [2.0, -2.0, 5.0])
def test_a_clock_that_is_seconds_off_is_told(seconds: float) -> None:
    (notice,) = told(analyse(changed(walk(), shifted(seconds))), NoticeKind.UNSYNCHRONISED)
    assert notice.placement in (P.LEFT_THIGH, None)
    assert "left_thigh" in notice.text
    assert "cannot be compared in time" in notice.text


@pytest.mark.data
@pytest.mark.parametrize("load", [qmt, mtw])
def test_so_it_is_on_real_walks_and_only_there(load: Callable[[], Recording]) -> None:
    assert not told(analyse(load()), NoticeKind.UNSYNCHRONISED)
    assert told(analyse(changed(load(), shifted(2.0))), NoticeKind.UNSYNCHRONISED)


@pytest.mark.parametrize("seconds", [3600.0, -1e9])
def test_clocks_without_a_common_time(seconds: float) -> None:
    text = refused(changed(walk(), shifted(seconds)))
    assert "left_thigh" in text
    assert "Put all sensors on one clock" in text


def test_a_jump_of_years_within_a_sensor() -> None:
    text = refused(changed(walk(), lambda p, t, a, g: (p, np.where(t < 10.0, t, t + 1e9), a, g)))
    assert "the time stamps jump by" in text


def test_utc_seconds_are_as_good_as_any() -> None:
    analysis = analyse(changed(walk(), lambda p, t, a, g: (p, t + 1_700_000_000.0, a, g)))
    assert [s.duration_s for s in analysis.strides] == pytest.approx(
        [s.duration_s for s in whole().strides], abs=0.002
    )


def test_a_sensor_that_starts_late_is_told() -> None:
    analysis = analyse(changed(walk(), cut(10.0, 99.0, P.LEFT_THIGH)))
    (gap,) = told(analysis, NoticeKind.GAP)
    assert (gap.placement, gap.start_s) == (P.LEFT_THIGH, 0.0)
    assert "left_thigh: starts 10.0 s after the first sensor" in gap.text
    assert count(analysis, Side.RIGHT) == count(whole(), Side.RIGHT)


def test_a_sensor_that_starts_late_is_used_from_then_on() -> None:
    analysis = analyse(changed(walk(), cut(10.0, 99.0, P.LEFT_THIGH)))
    assert count(analysis, Side.LEFT) >= 13  # 34 s less 10, less 8 to learn how it sits


@pytest.mark.parametrize("who", [P.PELVIS, P.LEFT_THIGH])
def test_a_sensor_that_ends_early_is_told(who: Placement) -> None:
    analysis = analyse(changed(walk(), cut(0.0, 20.0, who)))
    (gap,) = told(analysis, NoticeKind.GAP)
    assert gap.placement is who
    assert "no samples from" in gap.text
    assert "to the end" in gap.text
    assert count(analysis, Side.RIGHT) == count(whole(), Side.RIGHT)
    assert count(analysis, Side.LEFT) >= 10


def test_one_sample_of_a_sensor() -> None:
    analysis = analyse(changed(walk(), cut(0.0, 0.005, P.PELVIS)))
    assert "pelvis: no samples from" in texts(analysis)
    assert len(analysis.strides) == len(whole().strides)


# ---- units and limits ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p, t, a, g: (p, t, a / 9.81, g), "the mean acceleration is 1.0"),
        (lambda p, t, a, g: (p, t, a * 1000 / 9.81, g), "where gravity alone is 9.81 m/s²"),
        (lambda p, t, a, g: (p, t, a, np.degrees(g)), "Give it in rad/s, not in deg/s"),
        (lambda p, t, a, g: (p, t * 1000, a, g), "Are the time stamps in seconds?"),
        (lambda p, t, a, g: (p, t / 1000, a, g), "Are the time stamps in seconds?"),
        (lambda p, t, a, g: (p, t * 1000, a, g), "as milliseconds: divide them by 1000"),
        (lambda p, t, a, g: (p, t * 1e9, a, g), "as nanoseconds: divide them by 1000000000"),
        (lambda p, t, a, g: (p, t[::10], a[::10], g[::10]), "10 samples a second"),
        (lambda p, t, a, g: (p, np.floor(t * 10) / 10 + t / 100, a, g), "times of arrival"),
    ],
)
def test_wrong_units_and_rates(change: Change, said: str) -> None:
    assert said in refused(changed(walk(), change))


def test_a_clipped_gyroscope_is_told() -> None:
    analysis = analyse(changed(walk(), lambda p, t, a, g: (p, t, a, np.clip(g, -2.18, 2.18))))
    clipped = told(analysis, NoticeKind.CLIPPED)
    assert P.LEFT_THIGH in {n.placement for n in clipped}
    assert "ranges of motion may be too small" in clipped[0].text
    assert len(analysis.strides) == len(whole().strides)


@pytest.mark.data
def test_a_clipped_accelerometer_is_told() -> None:
    limit = 2 * 9.81
    analysis = analyse(changed(qmt(), lambda p, t, a, g: (p, t, np.clip(a, -limit, limit), g)))
    assert any("accelerometer was at its limit of 19.6 m/s²" in n.text for n in analysis.notices)
    assert not told(analyse(qmt()), NoticeKind.CLIPPED)


# ---- sides --------------------------------------------------------------------------------------


SWAPPED = {P.LEFT_THIGH: P.RIGHT_THIGH, P.RIGHT_THIGH: P.LEFT_THIGH}


@pytest.mark.parametrize(
    "load",
    [walk, pytest.param(qmt, marks=pytest.mark.data), pytest.param(mtw, marks=pytest.mark.data)],
)
def test_swapped_sides_are_never_silent(load: Callable[[], Recording]) -> None:
    assert not told(analyse(load()), NoticeKind.SIDES)
    swapped = analyse(changed(load(), lambda p, t, a, g: (SWAPPED.get(p, p), t, a, g)))
    sides = told(swapped, NoticeKind.SIDES)
    assert sides
    assert "swapped" in sides[-1].text or "cannot be told" in sides[-1].text


def test_pelvis_and_thigh_exchanged_is_not_silent() -> None:
    exchanged = {P.PELVIS: P.LEFT_THIGH, P.LEFT_THIGH: P.PELVIS}
    analysis = analyse(changed(walk(), lambda p, t, a, g: (exchanged.get(p, p), t, a, g)))
    assert told(analysis, NoticeKind.SIDES)


# ---- what is harmless ---------------------------------------------------------------------------


@pytest.mark.data
def test_what_reading_left_out_is_no_bad_sample() -> None:
    analysis = analyse(qmt())
    assert not told(analysis, NoticeKind.BAD_SAMPLES)
    assert any("not used" in n.text for n in told(analysis, NoticeKind.RECORDING))
