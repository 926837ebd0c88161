"""CPU of the clock per sensor and hour: ``python -m tests.bench_clock``."""

from __future__ import annotations

import time

import numpy as np

from gaitmon.imu.clock import ClockParams, SensorClock
from tests.imu.ble_link import Link, send
from tests.imu.clock_runs import ticks_of


def seconds_per_hour(rate_hz: float, push_s: float) -> float:
    """CPU for one hour of one sensor, in pushes of push_s."""
    sent = send(Link(rate_hz, 0.030, ppm=40.0), 3600.0, 1)
    ticks, rows = ticks_of(sent), np.zeros((len(sent.true_s), 6))
    cuts = np.searchsorted(sent.arrival_s, np.arange(push_s, sent.arrival_s[-1] + push_s, push_s)).tolist()
    clock = SensorClock(ClockParams.stamped(32, 1e-6, 1.0 / rate_hz))
    begun = time.process_time()
    for a, b in zip([0, *cuts[:-1]], cuts, strict=True):
        if b > a:
            clock.push(ticks[a:b], sent.arrival_s[a:b], rows[a:b])
    return time.process_time() - begun


if __name__ == "__main__":
    for rate_hz, push_s in ((60.0, 1.0), (120.0, 1.0), (60.0, 0.2), (60.0, 10.0)):
        used = min(seconds_per_hour(rate_hz, push_s) for _ in range(3))
        print(f"{rate_hz:.0f} packets/s, pushes of {push_s} s: {used:.3f} CPU s per hour")
