"""The automaton: strides from contacts, nothing guessed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gaitmon.gait.strides import MAX_STRIDE_S, MIN_STRIDE_S, StrideAssembler, StrideTimes
from gaitmon.model import Contact, ContactKind, Side

L, R = Side.LEFT, Side.RIGHT
IC, FC = ContactKind.IC, ContactKind.FC


def walk(n: int = 6, start_s: float = 0.0, side: Side | None = None) -> list[Contact]:
    """n strides of 1.0 s: left IC at 0, right FC 0.1, right IC 0.5, left FC 0.6."""
    out = []
    for k in range(n):
        t = start_s + k
        out += [Contact(IC, L, t), Contact(FC, R, t + 0.1), Contact(IC, R, t + 0.5), Contact(FC, L, t + 0.6)]
    return [c for c in out if side in (None, c.side)]


def strides(contacts: Sequence[Contact]) -> list[StrideTimes]:
    stage = StrideAssembler()
    out: list[StrideTimes] = []
    for c in contacts:
        stage.push(c)
        out += stage.ready(c.t_s)
    return out + stage.ready(np.inf)


def test_each_stride_has_its_five_times() -> None:
    found = strides(walk(3))
    assert found[0] == StrideTimes(L, 1, 0.0, 0.6, 1.0, 0.5, 0.1)
    assert found[1] == StrideTimes(R, 1, 0.5, 1.1, 1.5, 1.0, 0.6)
    assert [(s.side, s.ordinal) for s in found] == [(L, 1), (R, 1), (L, 2), (R, 2)]


@pytest.mark.parametrize(
    ("kind", "side", "name"), [(FC, L, "fc_s"), (IC, R, "opposite_ic_s"), (FC, R, "opposite_fc_s")]
)
def test_a_missing_contact_is_none(kind: ContactKind, side: Side, name: str) -> None:
    contacts = [c for c in walk() if not (c.kind is kind and c.side is side and 2.0 <= c.t_s < 3.0)]
    left = {s.ordinal: s for s in strides(contacts) if s.side is L}
    assert getattr(left[3], name) is None
    assert all(getattr(left[k], name) is not None for k in (1, 2, 4, 5))


@pytest.mark.parametrize(
    ("kind", "side", "name"), [(FC, L, "fc_s"), (IC, R, "opposite_ic_s"), (FC, R, "opposite_fc_s")]
)
def test_of_two_contacts_none_is_chosen(kind: ContactKind, side: Side, name: str) -> None:
    again = next(c for c in walk() if c.kind is kind and c.side is side and c.t_s > 2.0)
    contacts = sorted([*walk(), Contact(kind, side, again.t_s + 0.15)], key=lambda c: c.t_s)
    left = {s.ordinal: s for s in strides(contacts) if s.side is L}
    assert getattr(left[3], name) is None
    assert getattr(left[2], name) is not None


def test_a_missing_initial_contact_makes_no_double_stride_of_its_own() -> None:
    """Two strides in one are 2 s long, which a slow walker's stride can be: the bout knows it as an outlier;
    its final contacts are two, so none is chosen."""
    contacts = [c for c in walk() if not (c.kind is IC and c.side is L and c.t_s == 3.0)]
    long = next(s for s in strides(contacts) if s.side is L and s.end_s - s.start_s > 1.5)
    assert (long.start_s, long.end_s, long.fc_s, long.opposite_ic_s) == (2.0, 4.0, None, None)


def test_never_from_one_gait_sequence_into_another() -> None:
    stage = StrideAssembler()
    for c in walk(3):
        stage.push(c)
    before = stage.ready(np.inf)
    stage.new_sequence()
    for c in walk(3, start_s=3.0):  # would go on without a break
        stage.push(c)
    after = stage.ready(np.inf)
    assert max(s.end_s for s in before) == 2.5
    assert min(s.start_s for s in after) == 3.0
    assert all(s.fc_s is not None for s in after)
    assert [s.ordinal for s in after if s.side is L] == [4, 5]  # counted on: 3 closed no stride


@pytest.mark.parametrize("period_s", [MIN_STRIDE_S - 0.01, MAX_STRIDE_S + 0.01])
def test_too_short_and_too_long_are_no_strides(period_s: float) -> None:
    contacts = [Contact(IC, L, k * period_s) for k in range(5)]
    assert strides(contacts) == []


def test_ordinals_count_initial_contacts_even_where_no_stride_comes_of_them() -> None:
    contacts = [Contact(IC, L, t) for t in (0.0, 1.0, 6.0, 7.0)]
    assert [(s.ordinal, s.start_s) for s in strides(contacts)] == [(1, 0.0), (3, 6.0)]


def test_a_stride_waits_until_both_sides_are_known() -> None:
    stage = StrideAssembler()
    for c in walk(3):
        stage.push(c)
    assert [s.end_s for s in stage.ready(1.0)] == []
    assert [s.end_s for s in stage.ready(1.2)] == [1.0]
    assert [s.end_s for s in stage.ready(1.2)] == []
    assert [s.end_s for s in stage.ready(np.inf)] == [1.5, 2.0, 2.5]


def test_without_a_side_there_is_no_other() -> None:
    contacts = [Contact(c.kind, None, c.t_s) for c in walk(4, side=L)]
    found = strides(contacts)
    assert [s.side for s in found] == [None] * 3
    assert all(s.opposite_ic_s is None and s.fc_s is not None for s in found)


def blind_strides(durations_s: Sequence[float], blind: int) -> list[StrideTimes]:
    """Left strides of these durations; samples are missing in number ``blind``."""
    stage, at_s = StrideAssembler(), 0.0
    for k, duration_s in enumerate([0.0, *durations_s]):
        at_s += duration_s
        stage.push(Contact(IC, L, at_s), blind=k == blind + 1, period_s=1.1)
    return stage.ready(np.inf)


@pytest.mark.parametrize(("duration_s", "given"), [(1.0, True), (1.3, True), (1.5, False), (2.0, False)])
def test_over_a_hole_there_is_no_room_for_two(duration_s: float, given: bool) -> None:
    """A contact may hide in the hole: what could be two strides is none."""
    found = blind_strides([1.0, 1.02, duration_s, 1.0], blind=2)
    assert [s.ordinal for s in found] == ([1, 2, 3, 4] if given else [1, 2, 4])
    assert len(blind_strides([1.0, 1.02, duration_s, 1.0], blind=-5)) == 4


def test_without_strides_the_sequence_says_what_is_usual() -> None:
    assert len(blind_strides([1.2], blind=0)) == 1
    assert blind_strides([2.2], blind=0) == []


def test_contacts_of_either_foot_in_turn_make_strides_of_two_steps() -> None:
    """A pelvis that does not know its forward: no side is told, and no step is taken for a stride."""
    assembler = StrideAssembler()
    for t_s in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 3.5, 4.0):  # the foot at 2.5 was missed
        assembler.push(Contact(ContactKind.IC, None, t_s), both_feet=True)
    found = [(s.start_s, s.end_s) for s in assembler.ready(9.0)]
    assert found == [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0), (3.0, 4.0)]
