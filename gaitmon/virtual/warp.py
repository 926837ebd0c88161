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

LAG_S = 0.1  # of the wall clock, that a loop which was busy may make good


class _WarpedSelector(selectors.BaseSelector):
    """Keeps the loop's time, which moves only while everybody waits: a slow machine has slower time, and
    nobody in the loop can tell."""

    def __init__(self, speed: float) -> None:
        self._real = selectors.DefaultSelector()
        self._speed = speed
        self._wall_s = time.monotonic()  # when now_s was due
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._real.select(0)
        self._wall_s = max(self._wall_s, time.monotonic() - LAG_S)
        wait_s = None if timeout is None else timeout / self._speed + self._wall_s - time.monotonic()
        ready = self._real.select(None if wait_s is None else max(0.0, wait_s))
        if ready and math.isinf(self._speed):
            return ready
        passed_s = math.inf if timeout is None else timeout
        if ready:
            passed_s = min(passed_s, max(0.0, (time.monotonic() - self._wall_s) * self._speed))
        self.now_s += passed_s
        self._wall_s += passed_s / self._speed
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
        super().__init__(self._warped)

    def time(self) -> float:
        return self._warped.now_s


def warped_loop(speed: float) -> Callable[[], asyncio.AbstractEventLoop]:
    """For ``asyncio.Runner(loop_factory=warped_loop(20))``.

    speed: seconds of the loop in a second of the wall clock, at most: time stands still while the loop is
    busy, so that what happens in it does not depend on how fast the machine is.  inf: whenever everybody
    waits, time jumps to the first who is due; then nothing outside the loop (a thread, another process) gets
    time to answer.  Raises ConfigError for a speed that is not positive.
    """
    if not speed > 0:
        raise ConfigError(f"The speed {speed} is not positive.", "Use 1 for real time, 20 for twenty times.")
    return lambda: _WarpedLoop(speed)
