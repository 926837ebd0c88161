"""A sensor's ticks without their wraps; a wrap told from a reboot, a loss from a packet that came twice."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gaitmon.imu.clock_map import MapParams
from gaitmon.model import Floats

Ticks = NDArray[np.uint64]

TOLERANCE_S = 0.1  # earlier than the edge by more than this is impossible
SETTLED_S = 10.0  # before that the edge itself may be a stall
MAX_DELAY_S = 5.0  # later than this is not a stall: the clock has been away
REORDER_S = 0.5  # a step back by less is a packet that was overtaken
LOST_S = 3.0  # silence after which a sensor without clock and counter is taken to have lost, not to be late
MAX_COUNTED_SKEW = 0.03  # nominal output rates of motion chips are off by a few percent
CRYSTAL_WANDER = 0.5e-6 / math.sqrt(60.0)  # random walk of the rate, per square root of a second
COUNTED_WANDER = 10e-6 / math.sqrt(60.0)  # motion chips time their samples by an RC oscillator
NEAR_ZERO_S = 60.0

Stamps = Literal["this_sample", "first_sample", "last_sample"]


class RestartReason(StrEnum):
    """Why a device clock's epoch, and with it the segment, ended."""

    REBOOT = "reboot"  # it began near 0 again
    CLOCK_SET = "clock_set"  # it jumped against the host's


@dataclass(frozen=True, slots=True)
class ClockParams:
    """What the profile says of a sensor's clock.

    bits, tick_s: ``seconds = ticks * tick_s``, wrapping at 2 ** bits; None: nothing in the packets tells.
    period_s: nominal sample period.  samples: in one packet.  stamps: the sample that the ticks belong to.
    max_skew: how far its rate may be from nominal.
    """

    bits: int | None
    tick_s: float
    period_s: float
    samples: int = 1
    stamps: Stamps = "last_sample"
    max_skew: float = 200e-6

    @classmethod
    def stamped(
        cls, bits: int, tick_s: float, period_s: float, samples: int = 1, stamps: Stamps = "last_sample"
    ) -> ClockParams:
        """A device clock, such as u32 microseconds: bits 32, tick_s 1e-6."""
        return cls(bits, tick_s, period_s, samples, stamps)

    @classmethod
    def counted(cls, bits: int, period_s: float, samples: int = 1, *, per_packet: bool = True) -> ClockParams:
        """A counter that grows by 1 with each packet, or with each sample."""
        tick_s = period_s * samples if per_packet else period_s
        return cls(bits, tick_s, period_s, samples, "last_sample", MAX_COUNTED_SKEW)

    @classmethod
    def arrival_only(cls, period_s: float, samples: int = 1) -> ClockParams:
        """Neither.  A packet lost on the sensor cannot be seen; uncertainty is never below a packet."""
        return cls(None, period_s * samples, period_s, samples, "last_sample", MAX_COUNTED_SKEW)

    @property
    def packet_period_s(self) -> float:
        return self.period_s * self.samples

    @property
    def of_map(self) -> MapParams:
        floor = self.packet_period_s if self.bits is None else 0.0
        wander = CRYSTAL_WANDER if self.max_skew < 1e-3 else COUNTED_WANDER
        return MapParams(self.packet_period_s, self.max_skew, wander, floor_s=floor)


@dataclass(frozen=True, slots=True)
class DeviceState:
    last_tick: int | None = None
    count: int = 0  # ticks since the first of this epoch
    arrival_s: float = 0.0
    edge_s: float = math.inf  # least (arrival - device - creep * device) so far
    duplicates: int = 0
    late: int = 0
    lost: int = 0
    epochs: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Unwrapped:
    """taken: (n,), packets that are used, None for all; device_s: (n,), since the epoch's first packet,
    strictly increasing.  restart: the row after the last looked at begins a new epoch; None at the end."""

    taken: NDArray[np.intp] | None
    device_s: Floats
    looked_at: int
    restart: RestartReason | None


class DeviceClock:
    """Unwraps the ticks of one sensor.  Stateful, independent of how packets were cut into pushes.

    A packet is placed by its arrival: the number of wraps is the largest that does not make it arrive before
    the lower edge of the packets so far, which may creep up by the largest skew.  So a wrap may go unseen in
    silence, and an 8-bit counter survives a loss as long as stall and loss together stay below one turn.
    """

    def __init__(self, params: ClockParams, state: DeviceState | None = None) -> None:
        self.params = params
        self._bits = 64 if params.bits is None else params.bits
        self._turn = 1 << self._bits
        self._turn_s = self._turn * params.tick_s
        self._mask, self._half = np.uint64(self._turn - 1), self._turn >> 1
        self._strict = min(TOLERANCE_S, 0.25 * self._turn_s)
        self._creep = 1.5 * params.max_skew
        self.state = DeviceState() if state is None else state

    def push(self, ticks: Ticks | None, arrival_s: Floats) -> Unwrapped:
        """ticks: (n,) as sent, None for a sensor that has none; arrival_s: (n,), host, not decreasing.

        Stops before a packet of a new epoch: call ``restart`` and push the rest.
        """
        given = self._made_up(arrival_s) if ticks is None else ticks.astype(np.uint64, copy=False)
        taken: list[NDArray[np.intp]] = []
        seconds: list[Floats] = []
        i, n = 0, len(given)
        while i < n:
            good, device = self._plain(given[i:], arrival_s[i:])
            if good == n:
                return Unwrapped(None, device, n, None)
            taken.append(np.arange(i, i + good))
            seconds.append(device)
            i += good
            if i == n:
                break
            verdict = self._place(int(given[i]), float(arrival_s[i]))
            if isinstance(verdict, RestartReason):
                return Unwrapped(np.concatenate(taken), np.concatenate(seconds), i, verdict)
            if verdict is not None:
                taken.append(np.array([i]))
                seconds.append(np.array([verdict]))
            i += 1
        if not taken:
            return Unwrapped(np.empty(0, dtype=np.intp), np.empty(0), n, None)
        return Unwrapped(np.concatenate(taken), np.concatenate(seconds), n, None)

    def restart(self) -> None:
        """A new epoch; the counters go on."""
        s = self.state
        self.state = DeviceState(duplicates=s.duplicates, late=s.late, lost=s.lost, epochs=s.epochs + 1)

    def _made_up(self, arrival_s: Floats) -> Ticks:
        """A packet count where the sensor sends none; a long silence counts as packets lost."""
        s = self.state
        before = arrival_s[:1] if s.last_tick is None else np.array([s.arrival_s])
        silence = np.diff(np.concatenate([before, arrival_s]))
        steps = np.where(silence >= LOST_S, np.floor(silence / self.params.tick_s), 1.0).astype(np.int64)
        start = -1 if s.last_tick is None else s.last_tick
        return (start + np.cumsum(steps)).astype(np.uint64)

    def _plain(self, ticks: Ticks, arrival_s: Floats) -> tuple[int, Floats]:
        """The longest beginning in which every packet simply follows the one before, and its device times."""
        s, first = self.state, self.state.last_tick is None
        before = np.empty_like(ticks)
        before[1:] = ticks[:-1]
        before[0] = ticks[0] if s.last_tick is None else s.last_tick
        step = (ticks - before) & self._mask
        longest = int(np.maximum.reduce(step))
        # A step that cannot follow is cut off below; clipped, so that the sum cannot overflow before that.
        plain = step if longest < self._half else np.minimum(step, np.uint64(self._half - 1))
        count = plain.astype(np.int64).cumsum() + s.count
        device = count * self.params.tick_s
        base = arrival_s - device * (1.0 + self._creep)
        n = self._following(step, longest, device, base, arrival_s)
        if n:
            lost = self._lost(step[1:n] if first else step[:n], longest)
            edge = min(s.edge_s, float(np.minimum.reduce(base[:n])))
            self.state = DeviceState(
                int(ticks[n - 1]), int(count[n - 1]), float(arrival_s[n - 1]), edge,
                s.duplicates, s.late, s.lost + lost, s.epochs,
            )  # fmt: skip
        return n, device[:n]

    def _following(self, step: Ticks, longest: int, device: Floats, base: Floats, arrival_s: Floats) -> int:
        """How many packets, from the first on, are neither early nor too late for their ticks."""
        s, first = self.state, self.state.last_tick is None
        limit = min(MAX_DELAY_S, 0.95 * self._turn_s)
        if not first and longest < self._half and np.minimum.reduce(step) > 0:
            least, most = float(np.minimum.reduce(base)), float(np.maximum.reduce(base))
            if least >= s.edge_s - self._strict and most - min(s.edge_s, least) <= limit:
                return len(step)  # a quick way to the same answer
        edge = np.minimum.accumulate(np.concatenate([[s.edge_s], base[:-1]]))
        late = base - edge
        silence = np.diff(arrival_s, prepend=arrival_s[0] if first else s.arrival_s)
        good = (
            (step > 0)
            & (step < np.uint64(self._half))
            & (late >= -self._tolerance(device, silence))
            & (late <= limit)
        )
        if first:
            good[0] = True
        return len(good) if good.all() else int(np.argmin(good))

    def _lost(self, step: Ticks, longest: int) -> int:
        per_packet = self.params.packet_period_s / self.params.tick_s
        if longest < 1.5 * per_packet:
            return 0
        gaps = np.rint(step.astype(np.float64) / per_packet).astype(np.int64) - 1
        return int(np.maximum(gaps, 0).sum())

    def _place(self, tick: int, arrival: float) -> float | RestartReason | None:
        """Device time of a packet that does not simply follow; None when it is not to be used."""
        s, tick_s = self.state, self.params.tick_s
        step = (tick - (s.last_tick or 0)) % self._turn
        newest = np.array([s.count * tick_s]), np.array([arrival - s.arrival_s])
        tolerance = float(self._tolerance(*newest)[0])
        late = self._late(s.count + step, arrival)
        if late >= -tolerance:
            turns = max(0, math.floor((late + tolerance) / (self._turn_s * (1.0 + self._creep))))
            step += turns * self._turn
            late = self._late(s.count + step, arrival)
            if step == 0:
                self.state = replace(s, duplicates=s.duplicates + 1)
                return None
            if late <= MAX_DELAY_S:
                lost = max(0, round(step * tick_s / self.params.packet_period_s) - 1)
                device = (s.count + step) * tick_s
                edge = min(s.edge_s, arrival - device * (1.0 + self._creep))
                self.state = DeviceState(
                    tick, s.count + step, arrival, edge, s.duplicates, s.late, s.lost + lost, s.epochs
                )
                return device
        back = (-step) % self._turn * tick_s
        if back <= REORDER_S:
            self.state = replace(s, late=s.late + 1)
            return None
        near_zero = tick * tick_s <= max(0.0, arrival - s.arrival_s) + NEAR_ZERO_S
        return RestartReason.REBOOT if near_zero else RestartReason.CLOCK_SET

    def _late(self, count: int, arrival: float) -> float:
        device = count * self.params.tick_s
        return arrival - device * (1.0 + self._creep) - self.state.edge_s

    def _tolerance(self, device: Floats, silence: Floats) -> Floats:
        """How much earlier than the edge a packet may be, (n,), before it must be another clock's."""
        least = np.where(device < SETTLED_S, MAX_DELAY_S, TOLERANCE_S)
        return np.minimum(least + 2.0 * self._creep * silence, 0.25 * self._turn_s)
