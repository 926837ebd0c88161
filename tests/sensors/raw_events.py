"""Raw events as a gateway would hear them: real bytes by a profile, arrivals by a modelled link."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gaitmon.model import Floats, Placement
from gaitmon.sensors.layout import Decoded
from gaitmon.sensors.profile import FirmwareProfile, load_profiles, profiles_folder
from gaitmon.sensors.raw import (
    AssignedSensor,
    LinkDown,
    LinkUp,
    Notification,
    RawEvent,
    SessionClosed,
    SessionOpened,
)
from gaitmon.simulate import Simulated

PROFILES = load_profiles(profiles_folder())
DOT, DOT_MODE = PROFILES["movella-dot"], 21
PLACEMENTS = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
BOOT_NS = 7_000_000_000_000
UTC_US = 1_767_225_600_000_000


def variant(
    name: str,
    *,
    clock: Mapping[str, object] | None = None,
    counter: Mapping[str, object] | None = None,
    samples: int = 1,
) -> FirmwareProfile:
    """The DOT's profile with another clock, counter and number of samples in a notification.

    ``stamp`` u32 at 0 and ``counter`` u8 at 4, where there are such, then f32 acc and gyr.
    """
    sample = [
        {"quantity": "acc", "offset": 0, "type": "f32", "unit": "m/s^2"},
        {"quantity": "gyr", "offset": 12, "type": "f32", "unit": "rad/s"},
    ]
    header: list[dict[str, object]] = []
    if clock is not None:
        header.append({"quantity": "clock", "offset": 0, "type": "u32", "unit": "tick"})
    if counter is not None:
        kind = f"u{counter['bits']}"
        header.append({"quantity": "counter", "offset": 4, "type": kind, "unit": "tick"})
    values = {"acc_m_s2": [[0.0] * 3] * samples, "gyr_rad_s": [[0.0] * 3] * samples}
    length = 8 + 24 * samples
    base = DOT.model_dump(exclude={"clock", "counter", "mode", "example", "default_mode", "name"})
    return FirmwareProfile.model_validate(
        {
            **base,
            "name": name,
            "clock": clock,
            "counter": counter,
            "default_mode": 1,
            "mode": [
                {
                    "id": 1,
                    "name": "test",
                    "role": "medium_payload",
                    "layout": {
                        "length": length,
                        "header": 8,
                        "samples": samples,
                        "sample_length": 24,
                        "fields": [*header, *sample],
                    },
                }
            ],
            "example": [
                {
                    "mode": 1,
                    "payload": bytes(length).hex(),
                    "source": "constructed",
                    "clock": None if clock is None else 0,
                    "counter": None if counter is None else 0,
                    "values": values,
                }
            ],
        }
    )


def opened(
    sensors: Sequence[AssignedSensor], session: str = "live-1", at_s: float = 0.0, utc_s: float | None = None
) -> SessionOpened:
    utc_us = UTC_US + round(1e6 * (at_s if utc_s is None else utc_s))
    return SessionOpened(session, "wearer-1", "gw-1", tuple(sensors), ns(at_s), utc_us, "ntp")


def ns(at_s: float) -> int:
    return BOOT_NS + round(1e9 * at_s)


def dot(placement: Placement, rate_hz: float = 60.0) -> AssignedSensor:
    return AssignedSensor(f"s-{placement}", placement, DOT.name, DOT_MODE, rate_hz)


def dot_payloads(ticks_s: Floats, acc: Floats, gyr: Floats) -> list[bytes]:
    """u32 microseconds, f32 acc in m/s², f32 gyr in deg/s."""
    ticks = np.round(ticks_s * 1e6).astype(np.uint64)
    return DOT.encode(Decoded(ticks, None, {"acc_m_s2": acc, "gyr_rad_s": gyr}), DOT_MODE)


def notifications(
    sensor: int, arrival_s: Floats, payloads: Sequence[bytes], connection: int = 1
) -> list[RawEvent]:
    """With the LinkUp that the first one brings."""
    first: list[RawEvent] = [LinkUp(sensor, connection, ns(float(arrival_s[0])))]
    return first + [
        Notification(sensor, connection, ns(at), payload)
        for at, payload in zip(arrival_s.tolist(), payloads, strict=True)
    ]


def in_order(*streams: Iterable[RawEvent]) -> list[RawEvent]:
    return list(heapq.merge(*streams, key=lambda event: event.monotonic_ns))


def away(events: Sequence[RawEvent], sensor: int, start_s: float, end_s: float) -> list[RawEvent]:
    """The link of one sensor is lost from start_s to end_s; what it would have said is never heard."""
    before = [e for e in events if e.monotonic_ns < ns(start_s)]
    during = [e for e in events if ns(start_s) <= e.monotonic_ns < ns(end_s)]
    after = [e for e in events if e.monotonic_ns >= ns(end_s)]
    other = [e for e in during if getattr(e, "sensor", None) != sensor]
    renewed: list[RawEvent] = [LinkUp(sensor, 2, ns(end_s))]
    for e in after:
        mine = isinstance(e, Notification) and e.sensor == sensor
        renewed.append(Notification(sensor, 2, e.monotonic_ns, e.payload) if mine else e)  # type: ignore[union-attr]
    return [*before, LinkDown(sensor, 1, ns(start_s), "out of range"), *other, *renewed]


def walk_events(simulated: Simulated, session: str = "live-1", *, closed: bool = True) -> list[RawEvent]:
    """What three DOTs on this walker would have sent, in the order of arrival."""
    sensors = [dot(p) for p in simulated.streams]
    streams: list[list[RawEvent]] = []
    for n, a in enumerate(simulated.streams.values()):
        assert a.gyr_rad_s is not None
        arrival = np.maximum.accumulate(a.arrival_s)
        streams.append(notifications(n, arrival, dot_payloads(a.t_s, a.acc_m_s2, a.gyr_rad_s)))
    events = in_order(*streams)
    end: list[RawEvent] = [SessionClosed(events[-1].monotonic_ns, "stopped")] if closed else []
    return [opened(sensors, session), *events, *end]
