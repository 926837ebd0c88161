"""Sensors missing, dropping out, returning, talking nonsense: what can be known, and no made-up side."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from gaitmon.model import (
    Contact,
    ContactKind,
    Gap,
    ImuBlock,
    Notice,
    NoticeKind,
    Placement,
    Posture,
    PostureSpan,
    Result,
    Side,
    Stride,
    WalkingBout,
)
from gaitmon.pipeline import run
from gaitmon.simulate import SensorParams, Stand, Walk, WalkerParams, simulate
from gaitmon.symmetry.metrics import METRICS, Group
from tests.gait.walks import (
    SENSORS,
    THIGH,
    Item,
    between,
    in_order,
    match,
    part,
    pieces,
    plain_walk,
    run_whole,
    times,
    whole,
    without,
)

PELVIS, LEFT, RIGHT = SENSORS


def streams() -> dict[Placement, ImuBlock]:
    return whole(plain_walk().simulated)


def shown(results: list[Result]) -> tuple[set[Side | None], list[WalkingBout], list[Notice]]:
    return (
        {r.side for r in results if isinstance(r, Contact | Stride)},
        [r for r in results if isinstance(r, WalkingBout)],
        [r for r in results if isinstance(r, Notice)],
    )


def given(bout: WalkingBout) -> set[str]:
    return {m.metric for m in bout.metrics if m.value is not None}


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("with_pelvis", [True, False])
def test_one_thigh_speaks_for_its_own_leg_only(side: Side, with_pelvis: bool) -> None:
    s = streams()
    worn = [THIGH[side], *([PELVIS] if with_pelvis else [])]
    results = run([s[p] for p in worn], worn)
    sides, bouts, _ = shown(results)
    assert sides == {side}
    (bout,) = bouts
    assert f"no {THIGH[side.other]}" in bout.quality
    assert not any(m.endswith(("_ln_pct", "asym_deg")) or str(side.other) in m for m in given(bout))
    assert f"stance_time_{side}_s" in given(bout)
    assert all(r.opposite_ic_s is None for r in results if isinstance(r, Stride))


def test_without_a_pelvis_the_legs_are_compared_and_the_pelvis_is_not() -> None:
    s = streams()
    _, bouts, _ = shown(run([s[LEFT], s[RIGHT]], [LEFT, RIGHT]))
    (bout,) = bouts
    assert "no pelvis" in bout.quality
    assert {"step_time_ln_pct", "stance_time_ln_pct"} <= given(bout)
    assert not any("pelvis" in m or "drop" in m for m in given(bout))


def test_a_pelvis_alone_makes_up_no_side() -> None:
    sides, _, notices = shown(run([streams()[PELVIS]], [PELVIS]))
    assert sides <= {None, *Side}
    if not sides:
        assert NoticeKind.NO_WALKING in {n.kind for n in notices}


def test_a_thigh_of_unknown_side_gives_strides_without_a_side() -> None:
    left = streams()[LEFT]
    block = ImuBlock(Placement.THIGH, left.t_s, left.acc_m_s2, left.gyr_rad_s)
    results = run([block], [Placement.THIGH])
    sides, bouts, _ = shown(results)
    assert sides == {None}
    assert sum(isinstance(r, Stride) for r in results) > 30
    assert not any("left" in m or "right" in m or "_ln_" in m for m in given(bouts[0]))


@pytest.mark.parametrize("who", SENSORS)
@pytest.mark.parametrize("silent", [True, False], ids=["silent", "declared"])
def test_a_sensor_drops_out_and_returns(who: Placement, silent: bool) -> None:
    """6 s in the middle of a walk.  Told; no stride of that leg in the hole; before and after all of them."""
    s = streams()
    items = [i for p in SENSORS for i in (without(s[p], 20.0, 26.0, silent=silent) if p is who else [s[p]])]
    results = run(
        in_order(x for i in items for x in (pieces(i, 50) if isinstance(i, ImuBlock) else [i])), SENSORS
    )
    _, _, notices = shown(results)
    (notice,) = [n for n in notices if n.kind is NoticeKind.GAP]
    assert notice.placement is who
    assert notice.start_s == pytest.approx(20.0, abs=0.02)
    assert notice.end_s == pytest.approx(26.0, abs=0.02)
    whole_walk = {(r.side, round(r.start_s, 2)) for r in plain_walk().results if isinstance(r, Stride)}
    strides = [r for r in results if isinstance(r, Stride)]
    for r in strides:
        if who.side is r.side:
            assert r.end_s <= 20.0 or r.start_s >= 26.0
            assert "gap" not in r.flags
    untouched = {x for x in whole_walk if not 17.5 < x[1] < 28.0}
    found = {(r.side, round(r.start_s, 2)) for r in strides}
    assert len(untouched & found) >= 0.9 * len(untouched)


@pytest.mark.parametrize("who", list(itertools.combinations(SENSORS, 2)), ids="+".join)
def test_two_sensors_drop_out_one_after_the_other(who: tuple[Placement, Placement]) -> None:
    s = streams()
    holes = {who[0]: (18.0, 22.0), who[1]: (21.0, 27.5)}
    items: list[Item] = [i for p in SENSORS for i in (without(s[p], *holes[p]) if p in holes else [s[p]])]
    results = run(
        in_order(x for i in items for x in (pieces(i, 50) if isinstance(i, ImuBlock) else [i])), SENSORS
    )
    _, bouts, notices = shown(results)
    assert {n.placement for n in notices if n.kind is NoticeKind.GAP} == set(who)
    assert bouts
    truth = plain_walk().simulated.truth.contacts
    for side in Side:
        m = match(times([r for r in results if isinstance(r, Contact)], side, ContactKind.IC),
                  times(truth, side, ContactKind.IC), 0.25)  # fmt: skip
        assert len(m.error_s) == m.n_found, "a contact that was not"


def ended_early(who: Placement) -> list[Result]:
    s = streams()
    cut = without(s[who], 24.0, float(s[who].t_s[-1]))[:2]
    return run([*cut, *(s[p] for p in SENSORS if p is not who)], SENSORS)


@pytest.mark.parametrize("who", SENSORS)
def test_a_sensor_that_ends_early_stops_nobody(who: Placement) -> None:
    results = ended_early(who)
    for side in Side:
        last = max(r.end_s for r in results if isinstance(r, Stride) and r.side is side)
        assert last < 24.0 if who.side is side else last > 40.0


def test_a_sensor_that_ends_early_is_told_of() -> None:
    for who in SENSORS:
        _, bouts, notices = shown(ended_early(who))
        flagged = any(who in q for b in bouts for q in b.quality)
        assert flagged or any(n.placement is who for n in notices)


def never_heard(who: Placement) -> list[Result]:
    s = streams()
    gap = Gap(who, 0.0, float(s[PELVIS].t_s[-1]), "never heard")
    return run([gap, *(s[p] for p in SENSORS if p is not who)], SENSORS)


@pytest.mark.parametrize("who", SENSORS)
def test_a_sensor_that_is_never_heard_changes_nothing_for_the_others(who: Placement) -> None:
    s = streams()
    worn = [p for p in SENSORS if p is not who]
    expected = [repr(r) for r in run([s[p] for p in worn], worn) if isinstance(r, Contact | Stride)]
    assert [repr(r) for r in never_heard(who) if isinstance(r, Contact | Stride)] == expected


def test_a_sensor_that_is_never_heard_is_told_of() -> None:
    for who in SENSORS:
        _, bouts, notices = shown(never_heard(who))
        assert any(who in q for b in bouts for q in b.quality) or any(n.placement is who for n in notices)


@pytest.mark.parametrize("who", SENSORS)
def test_an_accelerometer_without_gyroscope(who: Placement) -> None:
    """Gives no angles; as a thigh no contacts either, and nobody else's in its place.  Smoothness and
    regularity of the pelvis rest on its acceleration alone."""
    s = streams()
    mute = ImuBlock(who, s[who].t_s, s[who].acc_m_s2, None)
    sides, bouts, _ = shown(run([mute if p is who else s[p] for p in SENSORS], SENSORS))
    assert sides == {side for side in Side if THIGH[side] is not who}
    if who is PELVIS:
        assert not any(METRICS[m].group is Group.PELVIS for m in given(bouts[0]))
        assert "step_time_ln_pct" in given(bouts[0])


def test_bad_and_double_samples_are_counted_and_told() -> None:
    s = streams()
    left = s[LEFT]
    acc = left.acc_m_s2.copy()
    acc[1500:1503, 0] = np.nan
    bad = ImuBlock(LEFT, left.t_s, acc, left.gyr_rad_s)
    items = [s[PELVIS], part(bad, 0, 2000), part(bad, 1990, len(bad)), s[RIGHT]]
    results = run(items, SENSORS)
    texts = [n.text for n in shown(results)[2] if n.kind is NoticeKind.BAD_SAMPLES]
    assert any("3 samples without a number" in t for t in texts)
    assert any("10 samples came late or twice" in t for t in texts)
    assert sum(isinstance(r, Stride) for r in results) == len(plain_walk().strides)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [Gap(p, 0.0, 5.0, "nothing") for p in SENSORS],
        [part(b, 0, n) for n in (0, 1, 2) for b in whole(simulate((Stand(3.0),), seed=1)).values()],
    ],
    ids=["nothing", "gaps", "three samples"],
)
def test_next_to_nothing_gives_one_notice(items: list[Item]) -> None:
    results = run(items, SENSORS)
    assert {r.posture for r in results if isinstance(r, PostureSpan)} <= {Posture.UNKNOWN}
    assert {type(r) for r in results} - {PostureSpan} == {Notice}
    assert NoticeKind.NO_WALKING in {r.kind for r in results if isinstance(r, Notice)}


def test_feet_never_enter() -> None:
    s = streams()
    feet = [ImuBlock(p, s[LEFT].t_s, s[LEFT].acc_m_s2, s[LEFT].gyr_rad_s) for p in (Placement.LEFT_FOOT,)]
    results = run([*s.values(), *feet], [*SENSORS, Placement.LEFT_FOOT])
    assert [repr(r) for r in results if isinstance(r, Stride)] == [repr(r) for r in plain_walk().strides]


def shifted(block: ImuBlock, by_s: float) -> ImuBlock:
    return ImuBlock(block.placement, block.t_s + by_s, block.acc_m_s2, block.gyr_rad_s)


def test_the_origin_of_time_does_not_matter() -> None:
    """Some hours into a segment the same strides come, that much later (on the 10 ms grid: exactly)."""
    later = run_whole({p: shifted(b, 36_000.0) for p, b in streams().items()})
    a, b = plain_walk().strides, [r for r in later if isinstance(r, Stride)]
    assert [(s.side, s.ordinal) for s in a] == [(s.side, s.ordinal) for s in b]
    np.testing.assert_allclose([s.end_s - 36_000.0 for s in b], [s.end_s for s in a], atol=1e-6)


def test_nor_does_it_when_it_lies_within_the_recording() -> None:
    earlier = run_whole({p: shifted(b, -30.0) for p, b in streams().items()})
    assert sum(isinstance(r, Stride) for r in earlier) == len(plain_walk().strides)


def test_a_sensor_that_is_never_heard_costs_no_memory() -> None:
    """Promised, silent, and not declared by a Gap, some time into a segment."""

    def peak(origin_s: float) -> int:
        s = {p: shifted(between(b, 0.0, 12.0), origin_s) for p, b in streams().items() if p is not PELVIS}
        tracemalloc.start()
        run(s.values(), SENSORS)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(1000.0) < 1.5 * peak(0.0)


def test_sensors_of_different_rates_and_clocks_of_one_walk() -> None:
    """60, 100 and 120 Hz: the same strides, within 30 ms (the slow sensor's contacts are less sharp)."""
    rates = {
        PELVIS: SensorParams(rate_hz=100.0),
        LEFT: SensorParams(rate_hz=60.0),
        RIGHT: SensorParams(rate_hz=120.0),
    }
    script = (Stand(6.0), Walk(seconds=40.0), Stand(6.0))
    mixed = run_whole(whole(simulate(script, WalkerParams(speed_m_s=1.25), rates, seed=1)))
    for side in Side:
        a = [r.end_s for r in plain_walk().strides if r.side is side]
        b = [r.end_s for r in mixed if isinstance(r, Stride) and r.side is side]
        assert len(match(b, a, 0.03).error_s) >= len(a) - 1
