"""Two thighs over modelled links, through bytes, decoder and clocks: their error, and what they say it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gaitmon.model import Floats, ImuBlock, Placement, SyncBound
from gaitmon.sensors.stream import EventStream
from tests.imu.ble_link import Link, Sent, send
from tests.sensors import raw_events as raw

THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH)


@dataclass(frozen=True)
class StreamErrors:
    """On a grid of common time: error of the difference of the thighs' times, and the bound in force."""

    at_s: Floats
    error_s: Floats
    bound_s: Floats


def stream_errors(link: Link, duration_s: float, seed: int) -> StreamErrors:
    """Two sensors within 50 ppm of the host, drawn by the seed."""
    rng = np.random.default_rng(1000 + seed)
    sent = [
        send(replace(link, ppm=float(rng.uniform(-50.0, 50.0))), duration_s, 2 * seed + k) for k in range(2)
    ]
    opened = raw.opened([raw.dot(p, link.rate_hz) for p in THIGHS])
    events = raw.in_order(*(raw.notifications(n, s.arrival_s, _payloads(s)) for n, s in enumerate(sent)))
    stream = EventStream(raw.PROFILES)
    items = [item for event in [opened, *events] for item in stream.push(event)]
    at = np.arange(3.0, duration_s - 3.0, 1.0)
    errors = []
    for placement, s in zip(THIGHS, sent, strict=True):
        block = ImuBlock.joined([i for i in items if isinstance(i, ImuBlock) and i.placement is placement])
        true_s = s.true_s[block.acc_m_s2[:, 0].astype(int)]
        errors.append(np.interp(at, true_s, block.t_s - true_s))
    bounds = [i for i in items if isinstance(i, SyncBound)]
    in_force = np.searchsorted([b.at_s for b in bounds], at, side="right") - 1
    said = np.array([b.left_right_s for b in bounds])[in_force]
    return StreamErrors(at, errors[0] - errors[1], said)


def _payloads(sent: Sent) -> list[bytes]:
    """acc x is the number of the sample."""
    acc = np.zeros((len(sent.true_s), 3))
    acc[:, 0] = np.arange(len(acc))
    return raw.dot_payloads(sent.device_s, acc, np.zeros_like(acc))
