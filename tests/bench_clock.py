"""Clocks: CPU per sensor and hour, and the error between two thighs through the whole decoder.

``python -m tests.bench_clock``
"""

from __future__ import annotations

import time

import numpy as np

from gaitmon.imu.clock import ClockParams, SensorClock
from tests.imu.ble_link import Link, send
from tests.imu.clock_runs import ticks_of
from tests.sensors.stream_clock import stream_errors

FIRST_SEED, PAIRS, LINK_S, SETTLED_S = 700, 4, 300.0, 30.0


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


def error_between_thighs(rate_hz: float, interval_s: float) -> str:
    """From raw events with real bytes, PAIRS pairs: after 30 s."""
    runs = [stream_errors(Link(rate_hz, interval_s), LINK_S, FIRST_SEED + k) for k in range(PAIRS)]
    error = np.abs(np.concatenate([r.error_s[r.at_s > SETTLED_S] for r in runs]))
    bound = np.concatenate([r.bound_s[r.at_s > SETTLED_S] for r in runs])
    p95, largest, said = 1e3 * np.percentile(error, 95.0), 1e3 * error.max(), 1e3 * np.median(bound)
    return (
        f"{rate_hz:.0f} Hz, {1e3 * interval_s:.0f} ms: p95 {p95:.2f} ms, largest {largest:.2f} ms, "
        f"bound {said:.2f} ms (median), holds {100 * np.mean(error <= bound):.1f} % of the time"
    )


if __name__ == "__main__":
    for rate_hz, push_s in ((60.0, 1.0), (120.0, 1.0), (60.0, 0.2), (60.0, 10.0)):
        used = min(seconds_per_hour(rate_hz, push_s) for _ in range(3))
        print(f"{rate_hz:.0f} packets/s, pushes of {push_s} s: {used:.3f} CPU s per hour")
    print(f"between two thighs, {PAIRS} pairs of {LINK_S:.0f} s, 20 % PDU errors, stalls, +-50 ppm, wander:")
    for rate_hz in (60.0, 120.0, 50.0, 100.0):
        for interval_s in (0.015, 0.030, 0.045):
            print(error_between_thighs(rate_hz, interval_s))
