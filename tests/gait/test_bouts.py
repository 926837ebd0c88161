"""Bouts: pauses, ends, verdicts, strata."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gaitmon.gait.bouts import Heading, judge, stratum
from gaitmon.model import Side, Stride, StrideVerdict
from gaitmon.simulate import Stairs, Stand, Turn, Walk, WalkerParams
from tests.gait.walks import plain_walk, walked

L, R = Side.LEFT, Side.RIGHT


def strides(n: int = 10, start_s: float = 5.0, period_s: float = 1.0) -> list[Stride]:
    """n strides of each side."""
    out = []
    for k in range(n):
        for side, shift in ((L, 0.0), (R, 0.5 * period_s)):
            t = start_s + shift + k * period_s
            out.append(
                Stride(
                    side, k + 1, t, t + 0.62 * period_s, t + period_s, t + 0.5 * period_s, 42.0, 24.0, -18.0
                )
            )
    return out


def straight_on(seconds: float = 30.0) -> Heading:
    return Heading(0, np.zeros(round(100 * seconds)))


def by_name(verdicts: tuple[StrideVerdict, ...]) -> dict[tuple[Side | None, int], StrideVerdict]:
    return {(v.side, v.ordinal): v for v in verdicts}


def test_first_and_last_of_each_side_are_start_or_stop() -> None:
    verdicts, turns = judge(strides(), straight_on())
    assert turns == ()
    for v in verdicts:
        assert v.straight
        assert v.reason == ("start or stop" if v.ordinal in (1, 10) else "")
        assert v.accepted == (v.reason == "")


def test_beside_a_missing_stride_is_start_or_stop() -> None:
    own = [s for s in strides() if not (s.side is L and s.ordinal == 5)]
    reasons = {k: v.reason for k, v in by_name(judge(own, straight_on())[0]).items()}
    assert reasons[L, 4] == reasons[L, 6] == "start or stop"
    assert reasons[L, 3] == reasons[R, 5] == ""


def test_verdicts_come_in_the_order_of_the_strides() -> None:
    own = strides()[::-1]
    assert [(v.side, v.ordinal) for v in judge(own, straight_on())[0]] == [(s.side, s.ordinal) for s in own]


def test_an_unknown_heading_is_not_straight() -> None:
    heading = straight_on()
    heading.yaw_rate_rad_s[850:860] = np.nan
    verdicts = by_name(judge(strides(), heading)[0])
    assert verdicts[L, 4].reason == "heading unknown"
    assert not verdicts[L, 4].straight
    assert verdicts[L, 6].accepted


def test_a_bend_of_more_than_15_degrees_a_stride_is_not_straight() -> None:
    for rate, straight in ((14.0, True), (16.0, False)):
        heading = straight_on()
        heading.yaw_rate_rad_s[900:1000] = np.radians(rate)  # 1 s: left stride 5
        verdict = by_name(judge(strides(), heading)[0])[L, 5]
        assert verdict.straight is straight
        assert verdict.reason == ("" if straight else "curved")


@pytest.mark.parametrize(("change", "reason"), [(1.7, "outlier"), (0.45, "outlier")])
def test_a_stride_of_quite_another_length_is_an_outlier(change: float, reason: str) -> None:
    own = strides()
    k = next(i for i, s in enumerate(own) if s.side is L and s.ordinal == 5)
    s = own[k]
    later = change - 1.0
    own[k] = Stride(L, 5, s.start_s, s.start_s + 0.62 * change, s.start_s + change, None)
    own = own[: k + 1] + [
        Stride(o.side, o.ordinal, o.start_s + later, (o.fc_s or 0.0) + later, o.end_s + later)
        for o in own[k + 1 :]
    ]  # fmt: skip
    assert by_name(judge(own, straight_on(40.0))[0])[L, 5].reason == reason


@pytest.mark.parametrize(
    ("share", "reason"), [(0.40, "implausible stance"), (0.85, "implausible stance"), (0.7, "")]
)
def test_implausible_stance(share: float, reason: str) -> None:
    own = [
        Stride(s.side, s.ordinal, s.start_s, s.start_s + (share if s.ordinal == 5 else 0.62), s.end_s)
        for s in strides()
    ]  # fmt: skip
    assert by_name(judge(own, straight_on())[0])[L, 5].reason == reason


def test_a_gap_does_not_count() -> None:
    own = [
        Stride(s.side, s.ordinal, s.start_s, s.fc_s, s.end_s, flags=("gap",) if s.ordinal == 5 else ())
        for s in strides()
    ]  # fmt: skip
    verdict = by_name(judge(own, straight_on())[0])[R, 5]
    assert (verdict.accepted, verdict.reason) == (False, "gap")


def test_strata() -> None:
    def of(period_s: float, flexion: float, seconds: float) -> str:
        own = [Stride(L, 1, 0.0, None, period_s, thigh_flexion_max_deg=flexion)]
        return stratum(own, 0.0, seconds)

    assert of(1.1, 25.0, 30.0) == "straight"
    assert of(1.1, 25.0, 9.0) == "short"
    assert of(1.3, 55.0, 30.0) == "excluded:stairs"
    assert of(0.75, 30.0, 30.0) == "excluded:running"


@pytest.mark.parametrize(("pause_s", "bouts"), [(1.0, 1), (8.0, 2)])
def test_a_pause_of_more_than_3_s_ends_a_bout(pause_s: float, bouts: int) -> None:
    script = (Stand(6.0), Walk(seconds=14.0), Stand(pause_s), Walk(seconds=14.0), Stand(6.0))
    walk = walked(script, seed=4)
    assert len(walk.bouts) == bouts
    assert [b.ordinal for b in walk.bouts] == list(range(1, bouts + 1))


def test_within_a_bout_no_pause_is_longer_than_3_s() -> None:
    script = (
        Stand(5.0),
        Walk(seconds=9.0),
        Stand(2.0),
        Walk(seconds=9.0),
        Stand(5.0),
        Walk(seconds=9.0),
        Stand(5.0),
    )
    walk = walked(script, seed=5)
    times = {(s.side, s.ordinal): s for s in walk.strides}
    for bout in walk.bouts:
        own = sorted((times[v.side, v.ordinal] for v in bout.strides), key=lambda s: s.start_s)
        assert len(own) >= 4
        assert (bout.start_s, bout.end_s) == (own[0].start_s, max(s.end_s for s in own))
        end = own[0].end_s
        for s in own[1:]:
            assert s.start_s - end <= 3.0
            end = max(end, s.end_s)
    ends = [(b.start_s, b.end_s) for b in walk.bouts]
    assert all(b[0] - a[1] > 3.0 for a, b in pairwise(ends))


def test_first_and_last_strides_of_a_real_bout_do_not_count() -> None:
    walk = plain_walk()
    (bout,) = walk.bouts
    for side in Side:
        own = [v for v in bout.strides if v.side is side]
        assert own[0].reason == own[-1].reason == "start or stop"
        assert sum(v.accepted for v in own) >= len(own) - 3


def test_stairs_are_kept_apart() -> None:
    walk = walked((Stand(5.0), Stairs(15.0), Stand(6.0), Walk(seconds=15.0), Stand(5.0)), seed=3)
    assert [b.stratum for b in walk.bouts] == ["excluded:stairs", "straight"]
    stairs = walk.bouts[0]
    assert all(m.value is None for m in stairs.metrics)


def test_a_turn_belongs_to_its_bout() -> None:
    script = (
        Stand(5.0),
        Walk(seconds=10.0),
        Turn(90.0, 2.0),
        Walk(seconds=8.0),
        Stand(8.0),
        Walk(seconds=10.0),
        Stand(4.0),
    )
    walk = walked(script, WalkerParams(), seed=6)
    assert [len(b.turns) for b in walk.bouts] == [1, 0]
