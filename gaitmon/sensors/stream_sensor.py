"""One sensor of a session: its notifications to samples on the common clock, and what is missing of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gaitmon.errors import ProfileError
from gaitmon.imu.clock import ClockParams, ClockRestart, SensorClock, Timed
from gaitmon.imu.clock_quality import ClockQuality
from gaitmon.model import Floats, Gap, ImuBlock, Placement
from gaitmon.sensors.layout import Decoded
from gaitmon.sensors.profile import FirmwareProfile
from gaitmon.sensors.raw import AssignedSensor

LATE_S = 3.0  # a linked sensor that is silent may still bring what is this old: stalls are shorter
UNLINKED_LATE_S = 0.25  # what a sensor took just before its link was up
PIECE_S = 0.5  # of a gap that is still open; the pipeline decides every 0.5 s


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets that the sensor made and that never came, between two that did.

    after_s: common time of the last packet before.  by: "counter", "clock" or "arrivals", the best
    evidence that the profile has.
    """

    placement: Placement
    after_s: float
    packets: int
    by: str


@dataclass(frozen=True, slots=True)
class SensorCounts:
    """Since the session began.  lost, duplicates, late: packets that never came, came twice, or came after
    their time had been declared a gap.  refused: notifications, or parts of them, that are not what the
    profile says.  gaps: stretches without samples, missing_s together.  restarts: of its clock, whose
    drift_ppm is against the host's, positive is fast; None while it is not known."""

    notifications: int = 0
    samples: int = 0
    refused: int = 0
    lost: int = 0
    duplicates: int = 0
    late: int = 0
    gaps: int = 0
    missing_s: float = 0.0
    restarts: int = 0
    drift_ppm: float | None = None


Out = ImuBlock | Gap | Loss | ClockRestart


class SensorStream:
    """Stateful.  All times in host seconds since the session's origin."""

    def __init__(self, sensor: AssignedSensor, profile: FirmwareProfile) -> None:
        """Raises ProfileError for a mode without accelerometer."""
        self.sensor, self.placement = sensor, sensor.placement
        self._profile = profile
        self._params = clock_params(profile, sensor)
        self._by = _evidence(profile)
        counter = None if profile.clock is None else profile.counter
        self._counted = counter is not None  # it comes besides the clock
        self._turn = 1.0 if counter is None else 2.0**counter.bits
        self._unit = self._params.samples if counter is not None and counter.counts == "samples" else 1
        self._clock = SensorClock(self._params)
        self._counts = SensorCounts()
        self._decoder = profile.decoder(sensor.mode, sensor.rate_hz)
        self._connection: int | None = None  # None: not linked
        self._links = 0
        self._waiting: list[tuple[float, bytes]] = []
        self._heard_s = 0.0
        self._upto_s: float | None = None  # before this, samples or gaps have been given
        self._in_gap = False
        self._last: tuple[float, float] | None = None  # time and counter of the newest packet of this link

    @property
    def quality(self) -> ClockQuality | None:
        """Of the clock now; None while it is not known yet."""
        return self._clock.quality

    @property
    def counts(self) -> SensorCounts:
        seen, quality = self._clock.counts, self._clock.quality
        return replace(
            self._counts,
            duplicates=self._counts.duplicates + seen.duplicates,
            late=self._counts.late + seen.late,
            drift_ppm=None if quality is None else -quality.skew_ppm,
        )

    def heard(self, connection: int, at_s: float, payload: bytes) -> list[Out]:
        """Kept until the next drain.  What comes out now is of the link before."""
        out = [] if connection == self._connection else self.link_up(connection)
        self._heard_s = max(self._heard_s, at_s)
        self._waiting.append((self._heard_s, payload))
        return out

    def link_up(self, connection: int) -> list[Out]:
        out = self.drain()
        self._connection, self._last = connection, None
        self._links += 1
        self._decoder = self._profile.decoder(self.sensor.mode, self.sensor.rate_hz)
        if self._links > 1 and _begins_with_the_link(self._profile):
            out += self.flush()
            seen = self.counts
            self._counts = replace(self._counts, duplicates=seen.duplicates, late=seen.late)
            self._clock = SensorClock(self._params)
        return out

    def link_down(self) -> list[Out]:
        out = self.drain()
        self._connection = None
        return out

    def drain(self) -> list[Out]:
        """What the notifications since the last drain give."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return []
        found = self._decoder.push([payload for _, payload in waiting])
        self._add(notifications=len(waiting), refused=len(found.refused))
        if found.samples is None:
            return []
        arrival = np.array([at_s for at_s, _ in waiting])[found.completed_by]
        ticks = found.samples.counter if found.samples.clock is None else found.samples.clock
        return self._given(self._clock.push(ticks, arrival, self._rows(found.samples)))

    def flush(self) -> list[Out]:
        """What the clock still holds: nothing more of it will come."""
        return self._given(self._clock.flush())

    def pass_time(self, to_s: float, since_s: float) -> list[Out]:
        """Time has come to to_s: what is missing before is declared so, but for what may still come.

        since_s: where the segment begins.
        """
        if self._connection is None:
            end, reason = to_s - UNLINKED_LATE_S, "not linked"
        elif to_s - self._heard_s > LATE_S:
            end, reason = to_s - LATE_S, "silent"
        else:
            return []
        start = since_s if self._upto_s is None else self._upto_s
        if end - start < PIECE_S:
            return []
        return [self._gap(start, end, reason)]

    # ---- samples ------------------------------------------------------------------------------

    def _rows(self, samples: Decoded) -> Floats:
        """(n, columns): acc, gyr where there is one, and the counter where the clock is something else."""
        columns = [samples.values["acc_m_s2"]]
        if (gyr := samples.values.get("gyr_rad_s")) is not None:
            columns.append(gyr)
        if self._counted and samples.counter is not None:
            counter = np.repeat(samples.counter.astype(np.float64), self._params.samples)
            columns.append(counter[:, np.newaxis])
        return np.concatenate(columns, axis=1)

    def _given(self, items: list[Timed | ClockRestart]) -> list[Out]:
        out: list[Out] = []
        for item in items:
            if isinstance(item, ClockRestart):
                self._last = None
                self._add(restarts=1)
                out.append(item)
            else:
                out += self._block(item)
        return out

    def _block(self, timed: Timed) -> list[Out]:
        t, rows = timed.t_s, timed.rows
        if self._upto_s is not None and t[0] < self._upto_s:  # came after its time was declared a gap
            keep = t >= self._upto_s
            self._add(late=int(len(t) - keep.sum()))
            t, rows = t[keep], rows[keep]
            if len(t) == 0:
                return []
        out: list[Out] = list(self._losses(t, rows))
        if self._in_gap and self._upto_s is not None:
            out.append(self._gap(self._upto_s, float(t[0]), "no samples"))
        self._in_gap = False
        self._upto_s = float(t[-1])
        self._add(samples=len(t))
        gyr = np.ascontiguousarray(rows[:, 3:6]) if rows.shape[1] >= 6 else None
        out.append(ImuBlock(self.placement, t, np.ascontiguousarray(rows[:, :3]), gyr))
        return out

    def _losses(self, t: Floats, rows: Floats) -> Iterator[Loss]:
        """Between the packets of one link."""
        at = t[:: self._params.samples]
        counter = rows[:: self._params.samples, -1] if self._counted else np.zeros(len(at))
        before_s, before = (math.nan, math.nan) if self._last is None else self._last
        self._last = (float(at[-1]), float(counter[-1]))
        step = np.diff(at, prepend=before_s) / self._params.packet_period_s
        grown = np.diff(counter, prepend=before)
        for k in np.flatnonzero(step > 1.5).tolist():
            packets = round(float(step[k])) - 1
            if self._counted:
                packets = round(float(grown[k]) % self._turn) // self._unit - 1
            if packets > 0:
                self._add(lost=packets)
                yield Loss(self.placement, before_s if k == 0 else float(at[k - 1]), packets, self._by)

    def _gap(self, start: float, end: float, reason: str) -> Gap:
        self._add(gaps=0 if self._in_gap else 1, missing_s=end - start)
        self._in_gap, self._upto_s = True, end
        return Gap(self.placement, start, end, reason)

    def _add(self, **more: float) -> None:
        c = self._counts
        self._counts = replace(c, **{name: getattr(c, name) + n for name, n in more.items()})


def clock_params(profile: FirmwareProfile, sensor: AssignedSensor) -> ClockParams:
    """What the profile has to tell time with: its clock, else its counter, else nothing.  Raises ProfileError
    for a mode that gait cannot be measured with."""
    mode = profile.mode_of(sensor.mode)
    if "acc" not in mode.quantities:
        raise ProfileError(
            f"{profile.name} mode {mode.id} ({mode.name}) has no acceleration.", "Choose another mode."
        )
    period_s, samples = 1.0 / sensor.rate_hz, mode.samples
    if (clock := profile.clock) is not None:
        stamps = "last_sample" if samples == 1 else clock.stamps
        return ClockParams.stamped(clock.bits, clock.tick_s, period_s, samples, stamps)
    if (counter := profile.counter) is not None:
        of_packets = counter.counts == "packets"
        params = ClockParams.counted(counter.bits, period_s, samples, per_packet=of_packets)
        return params if of_packets else replace(params, stamps="first_sample")
    return ClockParams.arrival_only(period_s, samples)


def _evidence(profile: FirmwareProfile) -> str:
    if profile.counter is not None:
        return "counter"
    return "arrivals" if profile.clock is None else "clock"


def _begins_with_the_link(profile: FirmwareProfile) -> bool:
    """Whether clock or count begin anew with every link, so that nothing in the packets would tell."""
    return profile.clock is None or profile.clock.epoch == "start"
