"""Strides from committed contacts: an automaton that looks at each contact once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from gaitmon.model import Contact, ContactKind, Side

MIN_STRIDE_S, MAX_STRIDE_S = 0.4, 3.0  # Mobilise-D accepts 0.2-3.0 s a stride; a thigh cannot do 0.2
TWO_STRIDES = (
    1.4  # times the usual stride: more, with samples missing in between, may be two (geometric mean)
)
LONGEST_TO_SHORTEST_STEP = 1.6  # a marked limp is 1.3; a step left out makes 2
USUAL_OF, USUAL_FOR_S = 6, 20.0  # strides that say what is usual, and for how long


class StrideTimes(NamedTuple):
    """The bare times of a stride; see model.Stride for their meaning."""

    side: Side | None
    ordinal: int
    start_s: float
    fc_s: float | None
    end_s: float
    opposite_ic_s: float | None
    opposite_fc_s: float | None


@dataclass(slots=True)
class StrideAssembler:
    """Pairs each side's initial contacts within one gait sequence.  Stateful.

    Where samples are missing a contact may be, too: two contacts with a hole in between are a stride only
    if there is no room for two.
    ordinals count a side's initial contacts over the whole segment and never start again.
    """

    _ordinal: dict[Side | None, int] = field(default_factory=dict)
    _open: dict[Side | None, tuple[Contact, int]] = field(default_factory=dict)  # with its ordinal
    _other_foot: tuple[Contact, int] | None = None  # of contacts without side: the last but one
    _recent: dict[tuple[ContactKind, Side | None], list[float]] = field(default_factory=dict)  # their times
    _waiting: list[tuple[Side | None, int, Contact, Contact]] = field(default_factory=list)
    _usual: list[tuple[float, float]] = field(default_factory=list)  # end and duration of whole strides

    def new_sequence(self) -> None:
        """A stride never reaches from one gait sequence into another."""
        self._open.clear()
        self._other_foot = None
        self._recent.clear()
        self._waiting.clear()

    def push(
        self, contact: Contact, *, blind: bool = False, period_s: float = 0.0, both_feet: bool = False
    ) -> None:
        """blind: samples of what tells this side are missing since its initial contact before.  period_s:
        the gait sequence's stride period, for want of strides.  both_feet: contacts without a side are of
        either foot in turn, not of one leg whose side is unknown: then every other one closes a stride."""
        recent = self._recent.setdefault((contact.kind, contact.side), [])
        insort(recent, contact.t_s)
        if recent[0] < contact.t_s - 4 * MAX_STRIDE_S:
            del recent[: bisect_right(recent, contact.t_s - 3 * MAX_STRIDE_S)]
        if contact.kind is not ContactKind.IC:
            return
        ordinal = self._ordinal[contact.side] = self._ordinal.get(contact.side, 0) + 1
        last, before = self._open.get(contact.side), self._open.get(contact.side)
        if both_feet and contact.side is None:
            before, self._other_foot = self._other_foot, last
            if before is not None and last is not None and not _in_turn(before[0], last[0], contact):
                before = None
        if before is not None and self._is_one(before[0].t_s, contact.t_s, period_s, blind=blind):
            self._waiting.append((contact.side, before[1], before[0], contact))
        self._open[contact.side] = contact, ordinal

    def _is_one(self, start_s: float, end_s: float, period_s: float, *, blind: bool) -> bool:
        duration_s = end_s - start_s
        if not MIN_STRIDE_S <= duration_s <= MAX_STRIDE_S:
            return False
        if not blind:
            self._usual = [*self._usual[1 - USUAL_OF :], (end_s, duration_s)]
            return True
        recent = [d for at_s, d in self._usual if at_s > end_s - USUAL_FOR_S]
        return duration_s < TWO_STRIDES * (median(recent) if recent else period_s)

    def opened_s(self, side: Side | None) -> float | None:
        """The side's last initial contact in this gait sequence."""
        before = self._open.get(side)
        return None if before is None else before[0].t_s

    def ready(self, complete_until_s: float) -> list[StrideTimes]:
        """Strides that end before complete_until_s, up to which both sides' contacts are known."""
        if not self._waiting:
            return []
        done = [w for w in self._waiting if w[3].t_s < complete_until_s]
        self._waiting = [w for w in self._waiting if w[3].t_s >= complete_until_s]
        return [self._times(*w) for w in done]

    def _times(self, side: Side | None, ordinal: int, a: Contact, b: Contact) -> StrideTimes:
        start_s, end_s = a.t_s, b.t_s
        fc_s = self._only(ContactKind.FC, side, start_s, end_s)
        opposite_ic_s = opposite_fc_s = None
        if side is not None:
            other = side.other
            opposite_ic_s = self._only(ContactKind.IC, other, start_s, end_s)
            opposite_fc_s = self._only(ContactKind.FC, other, start_s, end_s)
        return StrideTimes(side, ordinal, start_s, fc_s, end_s, opposite_ic_s, opposite_fc_s)

    def _only(self, kind: ContactKind, side: Side | None, start_s: float, end_s: float) -> float | None:
        """The one time between these there is; with none or several it is not known which is meant: never
        choose silently."""
        times = self._recent.get((kind, side), [])
        first = bisect_right(times, start_s)
        return times[first] if bisect_left(times, end_s) == first + 1 else None


def _in_turn(a: Contact, b: Contact, c: Contact) -> bool:
    """Whether two steps are alike enough for none to be missing between them."""
    one, other = b.t_s - a.t_s, c.t_s - b.t_s
    return max(one, other) < LONGEST_TO_SHORTEST_STEP * min(one, other)
