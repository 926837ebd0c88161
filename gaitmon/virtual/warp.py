"""An event loop whose time runs faster than the wall clock, for everything in it alike.

A demo at 20 times, a soak of hours, a test that does not wait: sensors, connection intervals, time-outs
and back-offs keep their relations because they all ask the same loop.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from collections.abc import Callable, Mapping
from typing import Any

from gaitmon.errors import ConfigError


class _WarpedSelector(selectors.BaseSelector):
    """Waits 1 / speed of what it is told; with an infinite speed not at all: then time jumps."""

    def __init__(self, speed: float) -> None:
        self._real = selectors.DefaultSelector()
        self._speed = speed
        self.jumped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return self._real.select(timeout)
        ready = self._real.select(0 if math.isinf(self._speed) else timeout / self._speed)
        if not ready and math.isinf(self._speed):
            self.jumped_s += timeout
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class _WarpedLoop(asyncio.SelectorEventLoop):
    def __init__(self, speed: float) -> None:
        self._warped = _WarpedSelector(speed)
        self._speed = speed
        super().__init__(self._warped)

    def time(self) -> float:
        return self._warped.jumped_s if math.isinf(self._speed) else time.monotonic() * self._speed


def warped_loop(speed: float) -> Callable[[], asyncio.AbstractEventLoop]:
    """For ``asyncio.Runner(loop_factory=warped_loop(20))``.

    speed: seconds of the loop in a second of the wall clock.  inf: whenever everybody waits, time jumps to
    the first who is due; runs are then repeatable, but nothing outside the loop (a thread, another
    process) gets time to answer.  Raises ConfigError for a speed that is not positive.
    """
    if not speed > 0:
        raise ConfigError(f"The speed {speed} is not positive.", "Use 1 for real time, 20 for twenty times.")
    return lambda: _WarpedLoop(speed)
