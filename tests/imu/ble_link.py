"""A BLE link with exact truth: connection events, lost PDUs, stalls, host jitter, two drifting clocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaitmon.model import Floats


@dataclass(frozen=True)
class Link:
    """loss: of one PDU, which takes pdu_s.  stall_s: longest stall.  base_s: fixed latency.
    wander_ppm: of the rate, in a minute; swell_ppm: a swing of the rate with swell_s period, as of heat."""

    rate_hz: float = 60.0
    interval_s: float = 0.030
    loss: float = 0.2
    stalls_per_min: float = 0.5
    stall_s: float = 2.0
    ppm: float = 0.0
    wander_ppm: float = 0.5
    swell_ppm: float = 0.0
    swell_s: float = 1200.0
    host_ppm: float = 3.0
    host_jitter_s: float = 0.0003
    base_s: float = 0.002
    pdu_s: float = 0.0015


@dataclass(frozen=True)
class Sent:
    """true_s: host time of each sample; device_s: its stamp; arrival_s: when the host got it."""

    true_s: Floats
    device_s: Floats
    arrival_s: Floats


def send(link: Link, duration_s: float, seed: int) -> Sent:
    rng = np.random.default_rng(seed)
    n = int(duration_s * link.rate_hz)
    k = np.arange(n) / link.rate_hz
    walk = np.cumsum(rng.normal(0.0, link.wander_ppm / np.sqrt(60.0 * link.rate_hz), n))
    swell = link.swell_ppm * np.sin(2.0 * np.pi * (k / link.swell_s + rng.random()))
    rate = 1e-6 * (link.ppm + walk + swell)
    start = rng.uniform(0.0, 0.1)
    true = start + np.concatenate([[0.0], np.cumsum((1.0 - rate)[1:] / link.rate_hz)])
    device = rng.uniform(1.0, 60.0) + k
    interval = link.interval_s * (1.0 + 1e-6 * link.host_ppm)
    phase = rng.random()
    at = _events(link, true / interval + phase, interval, _stalls(link, duration_s, rng), rng)
    arrival = at - phase * interval + link.base_s + np.abs(rng.normal(0.0, link.host_jitter_s, n))
    return Sent(true, device, np.maximum.accumulate(arrival))


def _events(
    link: Link, ready: Floats, interval: float, stalls: list[tuple[float, float]], rng: np.random.Generator
) -> Floats:
    """When each packet gets through, in order: a PDU takes pdu_s, a lost one is repeated at once, two losses
    in a row close the event (as the specification has it for the checksum)."""
    slots = int(interval / link.pdu_s)
    at = np.empty(len(ready))
    event, slot, lost = 0, 0, 0
    for i, now in enumerate(ready.tolist()):
        if now > event + slot * link.pdu_s / interval:
            event, slot, lost = int(np.ceil(now)), 0, 0
        while True:
            while stalls and event * interval >= stalls[0][1]:
                stalls.pop(0)
            if stalls and event * interval >= stalls[0][0]:
                event, slot, lost = int(np.ceil(stalls[0][1] / interval)), 0, 0
            if slot >= slots or lost == 2:
                event, slot, lost = event + 1, 0, 0
                continue
            slot += 1
            if rng.random() >= link.loss:
                lost = 0
                break
            lost += 1
        at[i] = event * interval + slot * link.pdu_s
    return at


def _stalls(link: Link, duration_s: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    starts = np.sort(rng.uniform(0.0, duration_s, rng.poisson(link.stalls_per_min * duration_s / 60.0)))
    return [(float(s), float(s + rng.uniform(0.2, link.stall_s))) for s in starts]
