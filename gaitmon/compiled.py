"""Loops over samples in machine code (ADR 19).

A push of a second is a hundred rows: numpy spends more on being called than on computing.  What runs
every second of every sensor, or at every step, is therefore one plain loop, translated by numba when its
module is imported and kept on disk for the next start.

Such a function takes arrays, numbers and tuples of numbers, and gives them.  It reads and calls nothing of
another of our modules: numba notices a change of its own file alone.  It adds in the order that is written,
so its results are the same on every machine and for every length of block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., object])

# Told of each loop that had to be translated, and whether it could be kept: the first start takes long.
listeners: list[Callable[[str, bool], None]] = []


def compiled(signature: str) -> Callable[[_Function], _Function]:
    """Decorator.  signature: types in numba's words, such as ``"f8(f8[:, :], i8)"``; calls with others are
    refused with a TypeError.  An inner call costs nothing, a call from Python about a microsecond."""

    def translate(function: _Function) -> _Function:
        from numba import njit  # noqa: PLC0415  # 0.2 s, which a program that only listens does not need

        try:
            made = njit(signature, cache=True)(function)
        except RuntimeError as error:  # nowhere to keep it: neither beside the source nor at home
            if "no locator available" not in str(error):
                raise
            made = njit(signature)(function)
        if made.stats.cache_misses:
            for tell in [*listeners]:
                tell(function.__name__, made.stats.cache_path is not None)
        return cast(_Function, made)

    return translate


def inner(function: _Function) -> _Function:
    """Decorator of what compiled functions of its own module call, and nobody else: translated with them, of
    whatever types they call it with.  It is not kept by itself, which spares 5 ms at every start."""
    from numba import njit  # noqa: PLC0415

    return cast(_Function, njit(function))
