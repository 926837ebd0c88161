"""What compares one limb's moment with the other's is withheld while the thighs' clocks disagree; what one
limb's own sensor tells is not."""

from __future__ import annotations

from gaitmon.model import Notice, NoticeKind, Stride, SyncBound
from gaitmon.pipeline import GaitPipeline
from tests.gait.walks import plain_walk

GOOD, BAD = 0.002, 0.004  # seconds; the limit is 3 ms


def strides(*bounds: SyncBound) -> tuple[list[Stride], list[Notice]]:
    simulated = plain_walk().simulated
    pipeline = GaitPipeline(simulated.streams)
    waiting = list(bounds)
    results = []
    for block in simulated.blocks(1.0):
        while waiting and waiting[0].at_s <= block.t_s[0]:
            results += pipeline.push(waiting.pop(0))
        results += pipeline.push(block)
    results += pipeline.flush()
    return (
        [r for r in results if isinstance(r, Stride)],
        [r for r in results if isinstance(r, Notice) and r.kind is NoticeKind.UNSYNCHRONISED],
    )


def test_without_a_bound_and_with_a_good_one_nothing_is_withheld() -> None:
    plain, none = strides()
    good, neither = strides(SyncBound(0.0, GOOD))
    assert plain == good
    assert none == neither == []
    assert sum(s.opposite_ic_s is not None for s in plain) > 20


def test_a_bad_bound_withholds_the_other_limb_and_nothing_else() -> None:
    plain, _ = strides()
    bad, notices = strides(SyncBound(0.0, BAD))
    assert all(s.opposite_ic_s is None for s in bad)
    assert [(s.side, s.start_s, s.fc_s, s.end_s, s.thigh_rom_deg) for s in bad] == [
        (s.side, s.start_s, s.fc_s, s.end_s, s.thigh_rom_deg) for s in plain
    ]
    assert len(notices) == 1
    assert "4.0 ms" in notices[0].text


def test_only_the_strides_of_that_time_are_touched() -> None:
    plain, _ = strides()
    middle = plain[len(plain) // 2].start_s
    some, notices = strides(SyncBound(0.0, GOOD), SyncBound(middle, BAD))
    for before, after in zip(plain, some, strict=True):
        if before.end_s < middle:
            assert after == before
        else:
            assert after.opposite_ic_s is None
    assert len(notices) == 1
