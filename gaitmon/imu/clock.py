"""From what a sensor says of time to the common clock: ticks that wrap, counters, or nothing at all.

ticks, arrival -> DeviceClock  unwraps; tells wrap, duplicate, late packet, reboot      clock.py
               -> ClockMap     lower edge of the arrivals: device -> common time        clock_map.py
               -> SensorClock  both, and samples within a packet: what a collector uses
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gaitmon.imu.clock_map import ClockMap, MapParams, MapState
from gaitmon.imu.clock_quality import ClockQuality
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
    """taken: (n,), rows that were given and are used; device_s: (n,), since the epoch's first packet,
    strictly increasing.  restart: the row after the last looked at begins a new epoch; None at the end."""

    taken: NDArray[np.intp]
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
        self._creep = 1.5 * params.max_skew
        self.state = DeviceState() if state is None else state

    def push(self, ticks: Ticks | None, arrival_s: Floats) -> Unwrapped:
        """ticks: (n,) as sent, None for a sensor that has none; arrival_s: (n,), host, not decreasing.

        Stops before a packet of a new epoch: call ``restart`` and push the rest.
        """
        given = self._made_up(arrival_s) if ticks is None else ticks.astype(np.uint64)
        taken: list[NDArray[np.intp]] = []
        seconds: list[Floats] = []
        i, n = 0, len(given)
        while i < n:
            good, device = self._plain(given[i:], arrival_s[i:])
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
        """The longest beginning in which every packet simply follows the one before."""
        s, tick_s = self.state, self.params.tick_s
        last = int(ticks[0]) if s.last_tick is None else s.last_tick
        before = np.concatenate([np.array([last], dtype=np.uint64), ticks[:-1]])
        step = (ticks - before) & np.uint64(self._turn - 1)
        half = np.uint64(self._turn >> 1)
        # A step that cannot follow is cut off below; clipped, so that the sum cannot overflow before that.
        count = s.count + np.cumsum(np.minimum(step, half - np.uint64(1)).astype(np.int64))
        device = count * tick_s
        base = arrival_s - device - self._creep * device
        edge = np.minimum.accumulate(np.concatenate([[s.edge_s], base]))
        first = s.last_tick is None
        late = base - edge[:-1]
        silence = np.diff(arrival_s, prepend=arrival_s[0] if first else s.arrival_s)
        most = min(MAX_DELAY_S, 0.95 * self._turn * tick_s)
        early = -self._tolerance(device, silence)
        good = (step > 0) & (step < half) & (late >= early) & (late <= most)
        if first:
            good[0] = True
        n = len(good) if good.all() else int(np.argmin(good))
        if n:
            per_packet = self.params.packet_period_s
            gaps = np.rint(step[:n].astype(np.float64) * tick_s / per_packet).astype(np.int64) - 1
            lost = s.lost + int(np.maximum(gaps[1:] if first else gaps, 0).sum())
            self.state = replace(
                s, last_tick=int(ticks[n - 1]), count=int(count[n - 1]), arrival_s=float(arrival_s[n - 1]),
                edge_s=float(edge[n]), lost=lost,
            )  # fmt: skip
        return n, device[:n]

    def _place(self, tick: int, arrival: float) -> float | RestartReason | None:
        """Device time of a packet that does not simply follow; None when it is not to be used."""
        s, tick_s = self.state, self.params.tick_s
        turn_s = self._turn * tick_s
        step = (tick - (s.last_tick or 0)) % self._turn
        newest = np.array([s.count * tick_s]), np.array([arrival - s.arrival_s])
        tolerance = float(self._tolerance(*newest)[0])
        late = self._late(s.count + step, arrival)
        if late >= -tolerance:
            turns = max(0, math.floor((late + tolerance) / (turn_s * (1.0 + self._creep))))
            step += turns * self._turn
            late = self._late(s.count + step, arrival)
            if step == 0:
                self.state = replace(s, duplicates=s.duplicates + 1)
                return None
            if late <= MAX_DELAY_S:
                lost = s.lost + max(0, round(step * tick_s / self.params.packet_period_s) - 1)
                base = arrival - (s.count + step) * tick_s * (1.0 + self._creep)
                self.state = replace(
                    s, last_tick=tick, count=s.count + step, arrival_s=arrival,
                    edge_s=min(s.edge_s, base), lost=lost,
                )  # fmt: skip
                return (s.count + step) * tick_s
        back = (-step) % self._turn * tick_s
        if back <= REORDER_S:
            self.state = replace(s, late=s.late + 1)
            return None
        near_zero = tick * tick_s <= max(0.0, arrival - s.arrival_s) + NEAR_ZERO_S
        return RestartReason.REBOOT if near_zero else RestartReason.CLOCK_SET

    def _late(self, count: int, arrival: float) -> float:
        device = count * self.params.tick_s
        return arrival - device - self._creep * device - self.state.edge_s

    def _tolerance(self, device: Floats, silence: Floats) -> Floats:
        """How much earlier than the edge a packet may be, (n,), before it must be another clock's."""
        least = np.where(device < SETTLED_S, MAX_DELAY_S, TOLERANCE_S)
        return np.minimum(least + 2.0 * self._creep * silence, 0.25 * self._turn * self.params.tick_s)


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
            index = seen.taken + i
            done = self._through(seen.device_s, arrival[index], _packets(rows, index, size), out)
            i += seen.looked_at
            reason = seen.restart
            if done < len(index):  # the device clock was set by less than DeviceClock can tell
                i, reason = int(index[done]), RestartReason.CLOCK_SET
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
        device, rows = np.concatenate(self._held_device), np.concatenate(self._held_rows)
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


def _packets(rows: Floats, index: NDArray[np.intp], size: int) -> Floats:
    """The samples of these packets, in order."""
    if size == 1:
        return rows[index]
    return rows[(index[:, np.newaxis] * size + np.arange(size)).ravel()]
