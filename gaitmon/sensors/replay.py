"""A recording played as if live: what a Source of the collector is."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from gaitmon.errors import ConfigError
from gaitmon.model import Gap, ImuBlock
from gaitmon.sensors.recording import Recording

SILENCE_S = 1.0  # a sensor silent for this long is declared missing, so that nobody waits for it


def deliveries(recording: Recording, block_s: float = 1.0) -> Iterator[ImuBlock | Gap]:
    """What a live session would deliver, in its order: blocks of block_s, and a Gap wherever a worn sensor
    has been silent for SILENCE_S while another one was heard.

    The Gaps of one sensor do not overlap, neither each other nor its blocks.
    """
    worn = [stream for stream in recording.streams.values() if not stream.placement.is_reference]
    heard = {stream.placement: min(s.start_s for s in worn) for stream in worn}
    for block in recording.blocks(block_s):
        now_s = float(block.t_s[0])
        for placement, last_s in heard.items():
            # The block of this very cell may still come: only silence before it counts.
            if now_s - last_s > SILENCE_S + block_s:
                heard[placement] = now_s - block_s
                yield Gap(placement, last_s, heard[placement], "no samples")
        yield block
        heard[block.placement] = float(block.t_s[-1])


def due_s(item: ImuBlock | Gap) -> float:
    """When a live session could deliver it at the earliest: with its last sample."""
    return item.end_s if isinstance(item, Gap) else float(item.t_s[-1])


async def replay(
    recording: Recording,
    *,
    speed: float = 1.0,
    block_s: float = 1.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[ImuBlock | Gap]:
    """The deliveries, each when it is due: speed 20 plays a minute in three seconds, inf as fast as can be.

    clock: seconds, monotonic; t_s = recording.start_s is the moment of the first call.  A
    consumer that is slow gets everything, later; nothing is dropped.  Raises ConfigError for a speed that
    is not positive.
    """
    if not speed > 0:
        raise ConfigError(
            f"The replay speed {speed} is not positive.", "Use 1 for real time, 20 for twenty times."
        )
    start = clock()
    for item in deliveries(recording, block_s):
        wait = 0.0 if math.isinf(speed) else start + (due_s(item) - recording.start_s) / speed - clock()
        await sleep(max(0.0, wait))  # also with 0, so that other tasks get their turn
        yield item
