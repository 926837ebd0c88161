"""A bar for what takes long: ``for subject in follow(SUBJECTS)`` inside a section moves it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

T = TypeVar("T")
_current: list[tuple[Progress, TaskID]] = []


@contextmanager
def showing(title: str) -> Iterator[None]:
    """A bar on the error stream while the section of this title runs."""
    columns = (TextColumn("{task.description:<32}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        _current.append((bar, bar.add_task(title, total=None)))
        try:
            yield
        finally:
            bar.update(_current.pop()[1], total=1.0, completed=1.0)


def follow(items: Iterable[T]) -> Iterator[T]:
    """The items; the bar of the section shows how many are done.  Without a bar just the items."""
    items = items if isinstance(items, Sequence) else list(items)
    for done, item in enumerate(items):
        if _current:
            bar, task = _current[-1]
            bar.update(task, total=len(items), completed=done)
        yield item
