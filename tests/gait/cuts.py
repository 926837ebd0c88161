"""Cutting and shuffling streams at random, the same way every time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from hypothesis import Phase, settings
from hypothesis import strategies as st

from gaitmon.model import Gap, Placement
from tests.gait.walks import Item, item_end_s, part

Streams = dict[Placement, list[Item]]
# Empty blocks, single samples, less and more than any kernel, window or tick.
SIZES = st.lists(st.sampled_from([0, 1, 2, 3, 7, 20, 33, 100, 377, 1500]), min_size=1, max_size=6).filter(any)


def few(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same examples every time: a failure here is for everybody.  They are not shrunk: the first cut
    that shows it says as much as the smallest, and a pipeline run hundreds of times takes minutes."""
    return settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, phases=[Phase.generate]
    )


def spans(n: int, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """[a, b) that follow each other and together are [0, n)."""
    a = 0
    for size in cycle(sizes):
        if a >= n:
            return
        yield a, min(a + size, n)
        a += size


def cut(items: Sequence[Item], sizes: Sequence[int]) -> Iterator[Item]:
    """Blocks cut anew; gaps stay where they are."""
    for item in items:
        if isinstance(item, Gap):
            yield item
        else:
            yield from (part(item, a, b) for a, b in spans(len(item), sizes))


@dataclass(frozen=True, slots=True)
class Shuffle:
    """How streams arrive.  sizes: of the blocks of each sensor; turns: who comes next (of those that may)
    with how many blocks; lead_s: how far a sensor may be ahead of the last one, from live to one by one."""

    sizes: dict[Placement, list[int]]
    turns: list[tuple[int, int]]
    lead_s: float


def shuffled(streams: Streams, how: Shuffle) -> list[Item]:
    """Every sensor cut and interleaved in its own way, its own order kept."""
    queues = {p: deque(cut(items, how.sizes[p])) for p, items in streams.items()}
    heard = dict.fromkeys(streams, -1e9)
    out: list[Item] = []
    for who, how_many in cycle(how.turns):
        left = [p for p in queues if queues[p]]
        if not left:
            return out
        last = min(heard[p] for p in left)
        may = [p for p in left if heard[p] <= last + how.lead_s]
        chosen = may[who % len(may)]
        for _ in range(how_many):
            if not queues[chosen] or heard[chosen] > last + how.lead_s:
                break
            item = queues[chosen].popleft()
            out.append(item)
            heard[chosen] = max(heard[chosen], item_end_s(item))
    raise AssertionError("unreachable: turns is not empty")


def shuffles(placements: Sequence[Placement]) -> st.SearchStrategy[Shuffle]:
    sizes = st.lists(st.sampled_from([0, 1, 7, 20, 60, 100, 377, 1500, 9000]), min_size=1, max_size=5).filter(
        lambda s: sum(s) >= 20 * len(s)
    )
    turns = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 2, 10, 1000])), min_size=1, max_size=12)
    lead_s = st.sampled_from([0.0, 0.3, 4.0, math.inf])
    return st.builds(Shuffle, st.fixed_dictionaries(dict.fromkeys(placements, sizes)), turns, lead_s)
