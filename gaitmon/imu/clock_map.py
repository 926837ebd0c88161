"""One sensor's device clock seen from the host: where is the lower edge of the arrivals?

A packet never arrives before its last sample was taken: it waits for the next connection event, is
repeated, is stuck in a stall.  So ``arrival - device`` lies above a line that is nearly straight, and the
line is what we want (Moon, Skelly & Towsley 1999; Zhang, Liu & Xia 2002).  Departures from the papers,
whose hull needs the whole segment: causal, with a memory of a quarter of an hour, and honest about beats.

**Beats.** Where packet period and connection interval are nearly commensurate (50 Hz and 30 ms), no packet
comes without waiting for minutes on end; the lowest one is up to a *grain* late, the grain being the
largest common divisor of both periods.  The grain shows: arrivals leave holes in the phases modulo
the packet period.  Hence each cell of time gives two constraints, not one: the edge lies below its lowest
packet and no more than a grain under it.  All (offset, rate) that satisfy every constraint of the memory,
older ones with slack for a wandering rate, are equally credible; their mean is the estimate, their spread
the uncertainty.  A cell whose lower constraint contradicts the upper ones was a stall: no lower constraint.

**Never revised.**  The line in force within a cell is a function of earlier cells.  Differences to a new
line are slewed away; output is continuous and strictly increasing.  The first ``HOLD_S`` are held back,
then given out at once.  Nothing depends on how the packets were cut into pushes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gaitmon.imu.clock_quality import ClockQuality
from gaitmon.model import Floats

HOLD_S = 2.0  # of packets, by both clocks, before the first line
YOUNG_S = 30.0  # after a start and after a long silence cells are short
YOUNG_CELL_S, CELL_S = 1.0, 10.0
SILENCE_S = 60.0  # after which the clock is young again
MEMORY_S = 900.0
BINS = 64  # phases of the packet period
SLOPES = 41
JITTER_S = 0.0003  # of the host: softness of the constraints
CONTRADICTED_S = 0.001  # lower constraint above every upper line by this much: the cell was a stall
UNLEARN_S = 30.0  # of nothing but contradictions: it was not a stall, the clock does something else
STEP_S = 0.25  # too far to slew: earlier than the edge at once, or later for UNLEARN_S
SAME_EVENT_S = 0.004  # packets nearer than this came in one connection event; only the first tells its time
EVENTS = 3.0  # in this many of n connection events, one is fresh to a period / n (95 %)
SPAN_S = 0.005  # arrival phases wider than this are not jitter about one phase


@dataclass(frozen=True, slots=True)
class MapParams:
    """packet_period_s: nominal.  max_skew: bound of |rate - 1|: 200e-6 for a crystal, 0.03 for a counted
    nominal rate.  wander: random walk of the rate, per square root of a second (0.5 ppm in a minute).
    grain_cap_s: no connection interval is longer.  floor_s: see ClockQuality."""

    packet_period_s: float
    max_skew: float = 200e-6
    wander: float = 0.5e-6 / math.sqrt(60.0)
    grain_cap_s: float = 0.05
    floor_s: float = 0.0

    @property
    def slew(self) -> float:
        """Largest share of a second by which a small lag is made up per second."""
        return max(500e-6, self.max_skew / 10.0)

    @property
    def fast_slew(self) -> float:
        return max(2000e-6, self.max_skew)


@dataclass(frozen=True, slots=True)
class Cell:
    """lowest_s: least (arrival - device) at device time at_s.  below: lower constraint counts."""

    at_s: float
    lowest_s: float
    grain_s: float
    below: bool


@dataclass(frozen=True, slots=True)
class MapState:
    """All that a ClockMap remembers, as plain numbers."""

    first: tuple[float, float] | None = None  # device, arrival of the first packet
    held: tuple[tuple[float, float], ...] = ()  # device, arrival; before the first line
    newest_s: float = 0.0  # device
    heard_s: float = -1e9  # host
    young_until_s: float = 0.0
    cell: tuple[float, float] = (0.0, 0.0)  # device time, [start, end)
    lowest: tuple[float, float] | None = None  # (arrival - device, at device) of the open cell
    phases: tuple[int, ...] = (0,) * BINS
    cells: tuple[Cell, ...] = ()
    ready: bool = False
    line_at_s: float = 0.0  # device time of the line's knot
    offset_s: float = 0.0  # common - device there
    rate: float = 0.0  # and its slope
    correction_s: float = 0.0
    slew_s: float = 1.0
    mean_s: float = 0.0  # the estimate there
    sd_s: float = math.inf
    rate_sd: float = math.inf
    covariance_s: float = 0.0
    late_since_s: float | None = None
    unlearned: int = 0


class ClockMap:
    """Stateful, causal.  Times: device seconds since the start of the clock's epoch, and host seconds."""

    def __init__(self, params: MapParams, state: MapState | None = None) -> None:
        self.params = params
        s = MapState() if state is None else state
        self._first: tuple[float, float] | None = s.first
        self._held: list[tuple[float, float]] = list(s.held)
        self._newest, self._heard, self._young_until = s.newest_s, s.heard_s, s.young_until_s
        self._cell = s.cell
        self._lowest: tuple[float, float] | None = s.lowest
        self._phases = np.array(s.phases, dtype=np.intp)
        self._open: list[tuple[Floats, Floats]] = []  # packets of the open cell, not yet gathered
        # Columns as in Cell; rows in order of time.
        self._cells = np.array([(c.at_s, c.lowest_s, c.grain_s, c.below) for c in s.cells]).reshape(-1, 4)
        self._ready = s.ready
        self._line_at, self._offset, self._rate = s.line_at_s, s.offset_s, s.rate
        self._correction, self._slew = s.correction_s, s.slew_s
        self._mean, self._sd, self._rate_sd = s.mean_s, s.sd_s, s.rate_sd
        self._covariance = s.covariance_s
        self._late_since: float | None = s.late_since_s
        self._unlearned = s.unlearned
        self._output()

    def push(self, device_s: Floats, arrival_s: Floats) -> tuple[Floats, int]:
        """Common time of the packets' last samples, and how many packets were taken in.

        device_s: (n,), strictly increasing, also across calls.  Packets that were held come out first, so
        that more may be returned than were given; none while holding.  Fewer than n taken in: somebody set
        the clock; begin a new map with the rest.
        """
        out: list[Floats] = []
        i, n = 0, len(device_s)
        while i < n and not self._ready:
            i += 1
            out += self._hold(float(device_s[i - 1]), float(arrival_s[i - 1]))
        while i < n:
            if device_s[i] >= self._cell[1]:
                if self._close_cell():
                    break
                self._open_cell(float(device_s[i]))
            j = n if device_s[-1] < self._cell[1] else int(np.searchsorted(device_s, self._cell[1]))
            x = device_s if j - i == n else device_s[i:j]
            out.append(self._common(x))
            self._open.append((x, arrival_s if j - i == n else arrival_s[i:j]))
            self._newest = float(x[-1])
            i = j
        return (out[0] if len(out) == 1 else np.concatenate(out) if out else np.empty(0)), i

    def flush(self) -> Floats:
        """Common times of what is still held, by what is known."""
        return self._release() if self._held else np.empty(0)

    @property
    def quality(self) -> ClockQuality | None:
        """None while holding."""
        if not self._ready:
            return None
        return ClockQuality(
            at_s=self._line_at + self._offset,
            offset_sd_s=self._sd,
            skew=self._rate,
            skew_sd=self._rate_sd,
            covariance_s=self._covariance,
            lag_s=self._mean - self._offset,
            correction_s=self._correction,
            slew_s=self._slew,
            wander_s_s32=self.params.wander / math.sqrt(3.0),
            floor_s=self.params.floor_s,
        )

    @property
    def rate(self) -> float:
        """Common seconds per device second, minus 1; 0 while nothing is known."""
        return self._rate

    @property
    def unlearned(self) -> int:
        """How often the memory was given up because the clock did not behave as a clock."""
        return self._unlearned

    # ---- holding ----------------------------------------------------------------------------

    def _hold(self, x: float, arrival: float) -> list[Floats]:
        if self._first is None:
            self._first = (x, arrival)
        enough = x - self._first[0] >= HOLD_S and arrival - self._first[1] >= HOLD_S
        if not enough:
            self._held.append((x, arrival))
            return []
        held = self._release()
        self._open_cell(x)
        at = np.array([x])
        self._open.append((at, np.array([arrival])))
        self._newest = x
        return [held, self._common(at)]

    def _release(self) -> Floats:
        held = np.array(self._held)
        x = held[:, 0]
        self._held = []
        self._young_until = float(x[-1]) + YOUNG_S
        self._cell = (float(x[0]), float(x[-1]))
        self._open.append((x, held[:, 1]))
        self._close_cell()
        self._offset, self._correction = self._mean, 0.0
        self._ready = True
        self._output()
        return self._common(x)

    # ---- cells ------------------------------------------------------------------------------

    def _open_cell(self, x: float) -> None:
        if x - self._newest > SILENCE_S:
            self._young_until = x + YOUNG_S
        length = YOUNG_CELL_S if x < self._young_until else CELL_S
        start = math.floor(x / length) * length
        self._cell = (max(start, self._cell[1]), start + length)
        self._output()

    def _gather(self) -> None:
        """Fold the open packets into lowest and phases.  Rate taken out, so that a cell is level.

        When it is done makes no difference, so it is done seldom.
        """
        if not self._open:
            return
        x = np.concatenate([device for device, _ in self._open])
        arrival = np.concatenate([host for _, host in self._open])
        self._open = []
        y = arrival - x
        level = y - self._rate * (x - self._line_at)
        k = int(np.argmin(level))
        lowest = self._lowest
        if lowest is None or level[k] < lowest[0] - self._rate * (lowest[1] - self._line_at):
            self._lowest = (float(y[k]), float(x[k]))
        first = np.diff(arrival, prepend=self._heard) > SAME_EVENT_S
        cycle = level[first] / self.params.packet_period_s
        phase = ((cycle - np.floor(cycle)) * BINS).astype(np.intp)
        self._phases += np.bincount(np.minimum(phase, BINS - 1), minlength=BINS)
        self._heard = float(arrival[-1])

    def _close_cell(self) -> bool:
        """The cell's evidence becomes a new line from its end on.  True: somebody set the clock."""
        self._gather()
        if self._lowest is None:
            return False
        lowest, at = self._lowest
        grain = min(grain_s(self._phases, self.params.packet_period_s), self.params.grain_cap_s)
        # The newest packet of a connection event is up to a period old: few events, no fresh one.
        grain += min(1.0, EVENTS / max(1, int(self._phases.sum()))) * self.params.packet_period_s
        if self._ready and self._set_by_hand(lowest - self._offset_at(at), at):
            return True
        now = self._cell[1]
        kept = self._cells[self._cells[:, 0] >= now - MEMORY_S]
        self._cells = np.vstack([kept, [at, lowest, grain, 1.0]])
        self._lowest, self._phases = None, np.zeros(BINS, dtype=np.intp)
        offset = self._offset_at(now)
        self._estimate(now)
        if self._contradicted():
            self._estimate(now)
        if self._ready and abs(self._mean - offset) > STEP_S:
            return True
        self._aim(now, offset)
        return False

    def _set_by_hand(self, late: float, at: float) -> bool:
        if late < STEP_S:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = at
        return self._late_since is not None and at - self._late_since > UNLEARN_S

    def _contradicted(self) -> bool:
        """Give up the memory where all that is recent contradicts it; a stall is short."""
        if self._cells[-1, 3]:
            return False
        credible = np.flatnonzero(self._cells[:, 3])
        recent = self._cells[int(credible[-1]) + 1 if len(credible) else 0 :]
        if len(recent) < 4 or recent[-1, 0] - recent[0, 0] < UNLEARN_S:
            return False
        recent[:, 3] = 1.0
        self._cells = recent
        self._rate_sd = math.inf
        self._unlearned += 1
        return True

    # ---- the estimate -----------------------------------------------------------------------

    def _estimate(self, now: float) -> None:
        """Mean and spread of all (offset, rate) that the cells allow, at device time now."""
        table = self._cells
        age = now - table[:, 0]
        slack = self.params.wander / math.sqrt(3.0) * age * np.sqrt(age)
        upper, lower = table[:, 1] + slack, table[:, 1] - table[:, 2] - JITTER_S - slack
        below = table[:, 3] > 0
        limit = self.params.max_skew
        half = min(
            limit, max(5.0 * self._rate_sd, 0.01 * limit) + 4.0 * self.params.wander * math.sqrt(CELL_S)
        )
        mid = self._rate if half < limit else 0.0
        for _ in range(6):
            low, high = max(-limit, mid - half), min(limit, mid + half)
            rates = np.linspace(low, high, SLOPES)
            run = rates[:, np.newaxis] * age
            above = (upper + run).min(axis=1)
            beneath = lower + run
            stall = below & ((beneath - above[:, np.newaxis]).min(axis=0) > CONTRADICTED_S)
            if stall.any():
                below &= ~stall
                table[:, 3] = below
            least = beneath[:, below].max(axis=1) if below.any() else above - self.params.grain_cap_s
            self._weigh(rates, above, above - least)
            if half <= max(0.02 * limit, 10.0 * self._rate_sd):
                return
            mid, half = self._rate, max(5.0 * self._rate_sd, 0.01 * limit)

    def _weigh(self, rates: Floats, above: Floats, width: Floats) -> None:
        """Moments of the credible region: at each rate the offset is uniform below the upper bound."""
        z = np.minimum(width / JITTER_S, 500.0)
        soft = np.log1p(np.exp(z))
        log_weight = np.where(z < -30.0, z, np.log(np.maximum(soft, 1e-300)))
        log_weight -= 0.5 * (rates / (self.params.max_skew / 4.0)) ** 2
        weight = np.exp(log_weight - log_weight.max())
        depth = JITTER_S * soft
        middle = above - 0.5 * depth
        total = _sum(weight)
        self._rate = _sum(weight * rates) / total
        self._mean = _sum(weight * middle) / total
        off, turn = middle - self._mean, rates - self._rate
        self._sd = math.sqrt(_sum(weight * (off * off + depth * depth / 12.0)) / total)
        step = float(rates[1] - rates[0])
        self._rate_sd = math.sqrt(_sum(weight * turn * turn) / total + step * step / 12.0)
        self._covariance = _sum(weight * off * turn) / total

    def _aim(self, now: float, offset: float) -> None:
        """From the present output, without a jump, towards the estimate."""
        self._line_at, self._offset = now, offset
        self._slew = 5.0 if now < self._young_until else 2.0 * CELL_S
        lag = self._mean - offset
        rate = self.params.slew if abs(lag) <= 0.003 else self.params.fast_slew
        self._correction = math.copysign(min(abs(lag), rate * self._slew), lag)

    def _output(self) -> None:
        """The piece of the output line that holds in the open cell: common = gain * device + base."""
        run = self._cell[0] - self._line_at
        slewing = run < self._slew
        start = self._offset + self._rate * run + self._correction * min(run, self._slew) / self._slew
        slope = self._rate + (self._correction / self._slew if slewing else 0.0)
        self._gain, self._base = 1.0 + slope, start - slope * self._cell[0]

    def _common(self, x: Floats) -> Floats:
        return self._gain * x + self._base

    def _offset_at(self, x: float) -> float:
        return self._gain * x + self._base - x

    # ---- checkpoint -------------------------------------------------------------------------

    @property
    def state(self) -> MapState:
        self._gather()
        cells = tuple(Cell(at, low, grain, below > 0) for at, low, grain, below in self._cells.tolist())
        return MapState(
            self._first, tuple(self._held), self._newest, self._heard, self._young_until, self._cell,
            self._lowest, tuple(self._phases.tolist()), cells, self._ready, self._line_at,
            self._offset, self._rate, self._correction, self._slew, self._mean, self._sd, self._rate_sd,
            self._covariance, self._late_since, self._unlearned,
        )  # fmt: skip


def grain_s(phases: np.typing.NDArray[np.intp], period_s: float) -> float:
    """How late the earliest packets of a cell may be, by the holes in their phases.

    phases: (BINS,), how many arrivals fell into each part of the packet period.  The widest hole, unless
    arrivals spread over more than SPAN_S: then the widest one only says that the link is quicker than the
    sensor, and the second widest is the grain.  One narrow phase alone: the whole period.
    """
    least = max(1.0, 0.3 * float(phases.max()))
    taken = np.flatnonzero(phases >= least)
    step = period_s / BINS
    if len(taken) < 2:
        return period_s
    holes = np.diff(taken)
    around = int(taken[0]) + BINS - int(taken[-1])
    ordered = sorted([*holes.tolist(), around])
    spread = period_s - (ordered[-1] - 1) * step
    return float(min(period_s, ordered[-2 if spread > SPAN_S else -1] * step))


def _sum(x: Floats) -> float:
    """Correctly rounded, so that it does not depend on where in memory x lies."""
    return math.fsum(x.tolist())
