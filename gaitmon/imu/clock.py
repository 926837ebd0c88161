"""From what a sensor says of time to the common clock: ticks that wrap, counters, or nothing at all.

ticks, arrival -> DeviceClock  unwraps; tells wrap, duplicate, late packet, reboot      device_clock.py
               -> ClockMap     lower edge of the arrivals: device -> common time        clock_map.py
               -> SensorClock  both, and samples within a packet: what a collector uses
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gaitmon.imu.clock_map import ClockMap, MapState
from gaitmon.imu.clock_quality import ClockQuality
from gaitmon.imu.device_clock import ClockParams, DeviceClock, DeviceState, RestartReason, Ticks
from gaitmon.model import Floats

__all__ = ["ClockParams", "ClockRestart", "RestartReason", "SensorClock", "SensorClockState", "Timed"]


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """Samples with their common time: t_s (m,) strictly increasing within a segment; rows (m, k) as given."""

    t_s: Floats
    rows: Floats


@dataclass(frozen=True, slots=True)
class ClockRestart:
    """The segment ends here: what follows is on a new epoch.  arrival_s: of its first packet."""

    reason: RestartReason
    arrival_s: float


@dataclass(frozen=True, slots=True)
class SensorClockState:
    """Everything but the rows of the first HOLD_S, as plain numbers.

    held_rows: samples x columns of what is held; empty but in the first seconds of a segment.
    last: (device, common) of the newest packet that came out.
    """

    device: DeviceState = field(default_factory=DeviceState)
    mapped: MapState = field(default_factory=MapState)
    held_rows: tuple[tuple[float, ...], ...] = ()
    held_device_s: tuple[float, ...] = ()
    last: tuple[float, float] | None = None


class SensorClock:
    """Raw packets of one sensor -> samples on the common clock, the host's less origin_s.  Stateful, causal.

    The first HOLD_S (2 s) of a segment come out together, after that each sample at once; nothing is
    ever revised.  A disconnection within an epoch needs no call: the clock goes on.
    """

    def __init__(
        self, params: ClockParams, origin_s: float = 0.0, state: SensorClockState | None = None
    ) -> None:
        state = SensorClockState() if state is None else state
        self.params = params
        self.origin_s = origin_s
        self._device = DeviceClock(params, state.device)
        self._map = ClockMap(params.of_map, state.mapped)
        self._held_rows: list[Floats] = [np.array(state.held_rows)] if state.held_rows else []
        self._held_device: list[Floats] = [np.array(state.held_device_s)] if state.held_device_s else []
        self._last = state.last

    def push(self, ticks: Ticks | None, arrival_s: Floats, rows: Floats) -> list[Timed | ClockRestart]:
        """ticks: (n,) as sent or None; arrival_s: (n,) host seconds, monotonic; rows: (n * samples, k)."""
        out: list[Timed | ClockRestart] = []
        arrival = arrival_s - self.origin_s
        size, i = self.params.samples, 0
        while i < len(arrival):
            seen = self._device.push(None if ticks is None else ticks[i:], arrival[i:])
            given = slice(i, i + seen.looked_at)
            if seen.taken is None:
                heard, values = arrival[given], rows[i * size : given.stop * size]
            else:
                heard, values = arrival[seen.taken + i], _packets(rows, seen.taken + i, size)
            done = self._through(seen.device_s, heard, values, out)
            reason = seen.restart
            if done < len(heard):  # the device clock was set by less than DeviceClock can tell
                i, reason = (
                    i + (done if seen.taken is None else int(seen.taken[done])),
                    RestartReason.CLOCK_SET,
                )
            else:
                i = given.stop
            if reason is not None:
                out += self.flush()
                out.append(ClockRestart(reason, float(arrival[i])))
                self._device.restart()
                self._map, self._last = ClockMap(self.params.of_map), None
        return out

    def flush(self) -> list[Timed | ClockRestart]:
        """The segment ends: what is still held, by what is known."""
        t = self._map.flush()
        return [self._out(t)] if len(t) else []

    @property
    def quality(self) -> ClockQuality | None:
        """For pair_uncertainty_s; None in the first HOLD_S."""
        return self._map.quality

    @property
    def counts(self) -> DeviceState:
        """duplicates, late, lost (packets), epochs."""
        return self._device.state

    @property
    def state(self) -> SensorClockState:
        rows = np.concatenate(self._held_rows).tolist() if self._held_rows else []
        device = np.concatenate(self._held_device).tolist() if self._held_device else []
        return SensorClockState(
            self._device.state, self._map.state, tuple(map(tuple, rows)), tuple(device), self._last
        )

    def _through(self, device: Floats, arrival: Floats, rows: Floats, out: list[Timed | ClockRestart]) -> int:
        """Map packets; those of before and these come out together.  Returns how many were taken in."""
        if len(device) == 0:
            return 0
        last_sample = device
        if self.params.stamps == "first_sample":
            last_sample = device + (self.params.samples - 1) * self.params.period_s
        t, done = self._map.push(last_sample, arrival)
        self._held_device.append(last_sample[:done])
        self._held_rows.append(rows[: done * self.params.samples])
        if len(t):
            out.append(self._out(t))
        return done

    def _out(self, t: Floats) -> Timed:
        device, rows = _joined(self._held_device), _joined(self._held_rows)
        self._held_device, self._held_rows = [], []
        size = self.params.samples
        if size > 1:
            t = self._spread(device, t, size)
        else:
            self._last = (float(device[-1]), float(t[-1]))
        return Timed(t, rows)

    def _spread(self, device: Floats, t: Floats, size: int) -> Floats:
        """Times of all samples, (n * size,): even between consecutive packets, nominal after a loss."""
        before_device = np.concatenate([[-math.inf if self._last is None else self._last[0]], device[:-1]])
        before_t = np.concatenate([[0.0 if self._last is None else self._last[1]], t[:-1]])
        follows = device - before_device < 1.1 * self.params.packet_period_s
        nominal = self.params.period_s
        step = np.where(follows, (t - before_t) / size, nominal)
        self._last = (float(device[-1]), float(t[-1]))
        back = step[:, np.newaxis] * np.arange(size - 1, -1, -1)
        return np.asarray((t[:, np.newaxis] - back).ravel())


def _joined(parts: list[Floats]) -> Floats:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _packets(rows: Floats, index: NDArray[np.intp], size: int) -> Floats:
    """The samples of these packets, in order."""
    return np.asarray(rows[(index[:, np.newaxis] * size + np.arange(size)).ravel()])
