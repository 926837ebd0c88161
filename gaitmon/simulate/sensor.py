"""From what a perfect sensor would measure to what a real one delivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gaitmon.model import Bools, Floats, Placement
from gaitmon.simulate.calculus import Profile
from gaitmon.simulate.kinematics import turned
from gaitmon.simulate.params import PLACEMENTS, RadioParams, SensorParams, Slip

SLIP_S = 0.3
READINGS = 3  # per averaged sample, odd: the one in the middle is of the stamp's own instant


@dataclass(frozen=True, slots=True)
class ClockMap:
    """device = offset_s + (1 + skew_ppm / 1e6) * common."""

    skew_ppm: float = 0.0
    offset_s: float = 0.0

    @property
    def rate(self) -> float:
        return 1.0 + 1e-6 * self.skew_ppm

    def to_device(self, common_s: Floats) -> Floats:
        return self.offset_s + self.rate * common_s

    def to_common(self, device_s: Floats) -> Floats:
        return (device_s - self.offset_s) / self.rate


@dataclass(frozen=True, slots=True, eq=False)
class Mount:
    """How a sensor sits from a time on: v_segment = rotation @ v_sensor."""

    from_s: float
    rotation: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ImuArrays:
    """What the host received from one sensor, in order of arrival.

    t_s: (n,), the sensor's stamp on its device clock; arrival_s: (n,), host time, common clock.
    acc_m_s2: (n, 3) specific force, sensor axes; gyr_rad_s: (n, 3), None without a gyroscope.
    counter: (n,), the sensor's own sample counter, from 0, without wrap.
    """

    t_s: Floats
    arrival_s: Floats
    acc_m_s2: Floats
    gyr_rad_s: Floats | None
    counter: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.t_s)


def sample_times(params: SensorParams, duration_s: float) -> Floats:
    """Common times of the samples: every 1 / rate_hz of the device's own clock, from common time 0."""
    rate = params.rate_hz * (1.0 + 1e-6 * params.skew_ppm)
    return np.arange(int(np.floor(duration_s * rate)) + 1) / rate


def reading_offsets(params: SensorParams) -> Floats:
    """(k,) s, around a sample's instant, of the readings it is the mean of; the middle one is 0."""
    if not params.averaged:
        return np.zeros(1)
    return (np.arange(READINGS) - READINGS // 2) / (READINGS * params.rate_hz)


def stream_rng(seed: int, placement: Placement, purpose: int) -> np.random.Generator:
    """An independent stream per sensor and purpose, so that changing one leaves the others as they are."""
    return np.random.default_rng(np.random.SeedSequence([seed, 7100 + PLACEMENTS.index(placement), purpose]))


def first_mount(placement: Placement, params: SensorParams, seed: int) -> Floats:
    """(3, 3), v_segment = rotation @ v_sensor."""
    if params.mounting_rotation is not None:
        return np.array(params.mounting_rotation, dtype=float)
    if params.mounting_max_deg == 0.0:
        return np.eye(3)
    rng = stream_rng(seed if params.mounting_seed is None else params.mounting_seed, placement, 1)
    if params.mounting_max_deg >= 180.0:
        quaternion = rng.standard_normal(4)
        return Rotation.from_quat(quaternion / np.linalg.norm(quaternion)).as_matrix()
    axis = rng.standard_normal(3)
    angle = np.radians(params.mounting_max_deg) * rng.random()
    return Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle).as_matrix()


def mounts(placement: Placement, params: SensorParams, seed: int) -> tuple[Mount, ...]:
    """The first mounting and the one after each slip has ended."""
    rotation = first_mount(placement, params, seed)
    out = [Mount(0.0, rotation)]
    for slip in params.slips:
        turn = Rotation.from_rotvec(_unit(slip) * np.radians(slip.angle_deg)).as_matrix()
        rotation = turn @ rotation
        out.append(Mount(slip.at_s + SLIP_S, rotation))
    return tuple(out)


def _unit(slip: Slip) -> Floats:
    axis = np.array(slip.axis, dtype=float)
    unit: Floats = axis / np.linalg.norm(axis)
    return unit


def slipped(t_s: Floats, force: Floats, rate: Floats, slips: tuple[Slip, ...]) -> tuple[Floats, Floats]:
    """Segment axes as the strap carries them: each slip turns the sensor about a segment axis.

    Later slips are about axes of the segment too, so the earlier turns come last.
    """
    for slip in reversed(slips):
        angle = Profile(0.0, [(slip.at_s, slip.at_s + SLIP_S, float(np.radians(slip.angle_deg)))])
        force, rate = turned(force, rate, _unit(slip), angle(t_s))
    return force, rate


def corrupted(
    placement: Placement, params: SensorParams, force: Floats, rate: Floats, seed: int
) -> tuple[Floats, Floats]:
    """Scale, bias, g-sensitivity, noise, range, quantisation; force and rate (n, 3) in sensor axes."""
    rng = stream_rng(seed, placement, 2)
    n, root_band = len(force), np.sqrt(0.5 * params.rate_hz)
    acc_scale, gyr_scale, acc_bias, gyr_bias = rng.standard_normal((4, 3))
    acc = force * (1.0 + params.acc_scale_sd * acc_scale) + params.acc_bias_m_s2 * acc_bias
    gyr = rate * (1.0 + params.gyr_scale_sd * gyr_scale) + params.gyr_bias_rad_s * gyr_bias
    if params.gyr_per_acc_rad_s_m_s2:
        gyr += params.gyr_per_acc_rad_s_m_s2 * force
    if params.acc_noise_m_s2_sqrt_hz:
        acc += params.acc_noise_m_s2_sqrt_hz * root_band * rng.standard_normal((n, 3))
    if params.gyr_noise_rad_s_sqrt_hz:
        gyr += params.gyr_noise_rad_s_sqrt_hz * root_band * rng.standard_normal((n, 3))
    if params.gyr_drift_rad_s_sqrt_h:
        every = max(1, int(params.rate_hz))
        knots = rng.standard_normal((n // every + 2, 3)).cumsum(axis=0)
        step = params.gyr_drift_rad_s_sqrt_h / np.sqrt(3600.0)
        at = np.arange(n) / every
        gyr += step * np.stack([np.interp(at, np.arange(len(knots)), knots[:, k]) for k in range(3)], axis=1)
    return _digitised(acc, params.acc_range_m_s2, params.bits), _digitised(
        gyr, params.gyr_range_rad_s, params.bits
    )


def _digitised(values: Floats, full_scale: float | None, bits: int | None) -> Floats:
    """Whole steps of the converter, clipped at its ends."""
    if full_scale is None:
        return values
    if bits is None:
        return np.clip(values, -full_scale, full_scale)
    step = full_scale / 2 ** (bits - 1)
    out: Floats = np.clip(np.rint(values / step), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) * step
    return out


def stamped(placement: Placement, params: SensorParams, common_s: Floats, seed: int) -> Floats:
    """What the sensor writes on its samples."""
    device = ClockMap(params.skew_ppm, params.offset_s).to_device(common_s)
    if params.stamp_jitter_s > 0.0:
        device = device + params.stamp_jitter_s * stream_rng(seed, placement, 3).standard_normal(len(device))
    return device


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """order: which samples the host gets, in order of arrival (some twice, some never); arrival_s: when.

    lost: (n,) per produced sample.  gaps_s: stretches without connection.
    """

    order: NDArray[np.int64]
    arrival_s: Floats
    lost: Bools
    gaps_s: tuple[tuple[float, float], ...]


def deliver(placement: Placement, radio: RadioParams, common_s: Floats, seed: int) -> Delivery:
    """Send the samples in packets through a lossy, late radio."""
    rng = stream_rng(seed, placement, 4)
    n, size = len(common_s), radio.samples_per_packet
    packet = np.arange(n) // size
    n_packets = int(packet[-1]) + 1 if n else 0
    closed = common_s[np.minimum((np.arange(n_packets) + 1) * size, n) - 1]
    gaps = _gaps(radio, float(common_s[-1]) if n else 0.0, rng)
    gone = _bursts(radio, closed, rng)
    for start, end in gaps:
        gone |= (closed >= start) & (closed < end)
    arrival = closed + radio.latency_s
    if radio.jitter_s > 0.0:
        arrival = arrival + rng.exponential(radio.jitter_s, n_packets)
    if radio.connection_interval_s > 0.0:
        interval = radio.connection_interval_s
        arrival = np.ceil(arrival / interval) * interval
    arrival = np.maximum.accumulate(arrival) if n else arrival  # a radio link keeps the order ...
    late = np.flatnonzero((rng.random(n_packets) < radio.reorder_fraction)[:-1])
    arrival[late] = arrival[late + 1] + 1e-4  # ... unless it is told not to
    again = np.flatnonzero((rng.random(n_packets) < radio.duplicate_fraction) & ~gone)
    sent = np.concatenate([np.flatnonzero(~gone), again])
    when = np.concatenate([arrival[~gone], arrival[again] + 2e-4])
    by_arrival = np.argsort(when, kind="stable")
    sent, when = sent[by_arrival], when[by_arrival]
    counts = np.minimum((sent + 1) * size, n) - sent * size
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return Delivery(np.repeat(sent * size, counts) + within, np.repeat(when, counts), gone[packet], gaps)


def _gaps(radio: RadioParams, end_s: float, rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
    drawn = []
    for _ in range(rng.poisson(radio.reconnects_per_hour * end_s / 3600.0)):
        start = rng.uniform(0.0, end_s)
        drawn.append((start, start + rng.uniform(*radio.reconnect_gap_s)))
    return tuple(sorted([*radio.gaps_s, *drawn]))


def _bursts(radio: RadioParams, closed_s: Floats, rng: np.random.Generator) -> Bools:
    """Gilbert-Elliott: good and bad stretches of geometric length, every packet lost in a bad one."""
    n = len(closed_s)
    if radio.loss_fraction == 0.0 or n < 2:
        return np.zeros(n, dtype=bool)
    period = float(closed_s[-1] - closed_s[0]) / (n - 1)
    leave_bad = min(1.0, period / radio.burst_s)
    leave_good = min(1.0, leave_bad * radio.loss_fraction / (1.0 - radio.loss_fraction))
    runs = int(4 + 3 * n * max(leave_good, leave_bad))
    lengths = np.empty(2 * runs, dtype=np.int64)
    lengths[0::2], lengths[1::2] = rng.geometric(leave_good, runs), rng.geometric(leave_bad, runs)
    bad = np.tile([False, True], runs)
    first = int(rng.random() < radio.loss_fraction)  # may begin inside a burst
    return np.repeat(bad[first:], np.minimum(lengths[first:], n))[:n]
