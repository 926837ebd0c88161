"""Cutting and shuffling streams at random, the same way every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

from hypothesis import Phase, settings
from hypothesis import strategies as st

from gaitmon.model import Gap, Placement
from tests.gait.walks import Item, part

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


def shuffled(
    streams: Streams, sizes: dict[Placement, list[int]], turns: Sequence[tuple[int, int]]
) -> list[Item]:
    """Every sensor cut in its own way; who comes next and with how many blocks is drawn."""
    queues = {p: list(cut(items, sizes[p])) for p, items in streams.items()}
    out: list[Item] = []
    for who, how_many in cycle(turns):
        left = [p for p in queues if queues[p]]
        if not left:
            return out
        queue = queues[left[who % len(left)]]
        out += queue[:how_many]
        del queue[:how_many]
    return out


def shuffles(
    streams: Sequence[Placement],
) -> st.SearchStrategy[tuple[dict[Placement, list[int]], list[tuple[int, int]]]]:
    big = st.lists(st.sampled_from([0, 1, 7, 20, 60, 100, 377, 1500, 9000]), min_size=1, max_size=5).filter(
        lambda s: sum(s) >= 20 * len(s)
    )
    turns = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 2, 10, 1000])), min_size=1, max_size=12)
    return st.tuples(st.fixed_dictionaries(dict.fromkeys(streams, big)), turns)
