"""Who walks, and with which sensors: every knob of the simulator, with its unit and its source.

"R" marks an engineering judgement without a published figure behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from gaitmon.errors import ConfigError
from gaitmon.model import Floats, Placement, Side


@dataclass(frozen=True, slots=True)
class TissueParams:
    """What the skin and soft parts add to the motion of the bones.

    transient_m_s2: largest acceleration of the limb's own sensor after its own initial contact, at
    1.25 m/s, proportional to speed; the sensors of a real walker show 0 (soft shoe) to 10 and more.
    conducted_pelvis, conducted_other: share of it that reaches the pelvis and the other thigh (R).
    onset_s: delay from the true contact to the onset, -0.005 .. 0.025 (R).
    impact_ratio: right over left amplitude.
    wobble_deg: soft tissue: largest angle, mostly about the flexion axis, of the ringing after contact
    of the thigh's own limb; the other thigh gets conducted_other of it, the pelvis wobble_pelvis.
    ripple_deg: continuous small band-limited wobble (3-9 Hz) of the thigh sensor while walking.
    """

    transient_m_s2: float = 8.0
    transient_hz: float = 17.0
    transient_decay_s: float = 0.025
    transient_cv: float = 0.15
    conducted_pelvis: float = 0.35
    conducted_other: float = 0.15
    wobble_pelvis: float = 0.15
    onset_s: float = 0.005
    impact_ratio: float = 1.0
    wobble_deg: float = 1.5
    wobble_hz: float = 10.0
    wobble_damping: float = 0.2
    ripple_deg: float = 0.1

    @classmethod
    def none(cls) -> TissueParams:
        """Sensors on the bones, soft ground."""
        return cls(transient_m_s2=0.0, wobble_deg=0.0, ripple_deg=0.0)


@dataclass(frozen=True, slots=True)
class WalkerParams:
    """One person on one day.  Signed ratios are right over left, 100 ln(R / L).

    stride_time_cv: long-range correlated (DFA exponent 0.75) variation of stride time, fraction.
    step_time_sd_s: further, independent variation of each step.
    stance_cv: variation of the stance share of each stride, fraction.
    speed_cv: stride-to-stride variation of speed, fraction.
    step_time_asymmetry_pct: 100 ln(R / L) of step times; the right step is left IC -> right IC.
    stance_time_asymmetry_pct: 100 ln(R / L) of stance times.
    thigh_rom_ratio: right over left range of motion of the thigh, shared out as sqrt.
    extension_loss_*_deg: terminal extension of that thigh is smaller by this much; flexion is kept.
    pelvic_drop_*_deg: extra drop of the opposite side during stance of this side; negative holds it up.
    sway_*_m: extra displacement of the pelvis toward this side in its stance;
    with a negative drop it is a Duchenne gait.
    rise_ratio: vertical excursion of the pelvis over that of the published centre of mass (the sacrum
    rises more).
    walking_tilt_deg: mean pelvic tilt in walking against standing, anterior +.
    person_seed: draws this person's own limb curves around the normative ones, within the
    between-subject spread times person_spread; limbs_alike says whether both limbs get the same.
    cadence_ratio: own cadence over the normative one at the same speed.
    foot_off_shift_pct: own foot-off against the normative one, points of the cycle.
    """

    leg_length_m: float = 0.9
    speed_m_s: float = 1.25
    cadence_ratio: float = 1.0
    foot_off_shift_pct: float = 0.0
    stride_time_cv: float = 0.02
    step_time_sd_s: float = 0.004
    stance_cv: float = 0.008
    speed_cv: float = 0.03
    step_time_asymmetry_pct: float = 0.0
    stance_time_asymmetry_pct: float = 0.0
    thigh_rom_ratio: float = 1.0
    extension_loss_left_deg: float = 0.0
    extension_loss_right_deg: float = 0.0
    pelvic_drop_left_deg: float = 0.0
    pelvic_drop_right_deg: float = 0.0
    sway_left_m: float = 0.0
    sway_right_m: float = 0.0
    rise_ratio: float = 1.0
    walking_tilt_deg: float = 1.0
    heading_wander_deg: float = 2.0
    standing_sway_deg: float = 0.25
    person_seed: int | None = None
    limbs_alike: bool = True
    person_spread: float = 1.0
    tissue: TissueParams = field(default_factory=TissueParams)

    def __post_init__(self) -> None:
        _require(0.5 <= self.leg_length_m <= 1.3, "leg_length_m", self.leg_length_m, "0.5 .. 1.3")
        _require(0.2 <= self.speed_m_s <= 2.2, "speed_m_s", self.speed_m_s, "0.2 .. 2.2")
        _require(0.6 <= self.cadence_ratio <= 1.6, "cadence_ratio", self.cadence_ratio, "0.6 .. 1.6")
        _require(0.0 <= self.stride_time_cv <= 0.15, "stride_time_cv", self.stride_time_cv, "0 .. 0.15")
        _require(0.0 <= self.step_time_sd_s <= 0.05, "step_time_sd_s", self.step_time_sd_s, "0 .. 0.05")
        _require(0.0 <= self.speed_cv <= 0.15, "speed_cv", self.speed_cv, "0 .. 0.15")
        _require(0.0 <= self.stance_cv <= 0.05, "stance_cv", self.stance_cv, "0 .. 0.05")
        _require(0.0 <= self.rise_ratio <= 4.0, "rise_ratio", self.rise_ratio, "0 .. 4")
        for name in ("step_time_asymmetry_pct", "stance_time_asymmetry_pct"):
            _require(abs(getattr(self, name)) <= 60.0, name, getattr(self, name), "-60 .. 60")
        _require(0.3 <= self.thigh_rom_ratio <= 3.0, "thigh_rom_ratio", self.thigh_rom_ratio, "0.3 .. 3")
        for name in ("extension_loss_left_deg", "extension_loss_right_deg"):
            _require(-10.0 <= getattr(self, name) <= 25.0, name, getattr(self, name), "-10 .. 25")
        for name in ("pelvic_drop_left_deg", "pelvic_drop_right_deg"):
            _require(abs(getattr(self, name)) <= 15.0, name, getattr(self, name), "-15 .. 15")

    @classmethod
    def steady(cls, **changes: float) -> WalkerParams:
        """A walker without any variability or soft tissue: every stride equals the one before.

        changes: numeric fields of WalkerParams.
        """
        still = cls(
            stride_time_cv=0.0,
            step_time_sd_s=0.0,
            stance_cv=0.0,
            speed_cv=0.0,
            heading_wander_deg=0.0,
            standing_sway_deg=0.0,
            tissue=TissueParams.none(),
        )
        return replace(still, **changes)  # type: ignore[arg-type]  # only numbers; replace checks the names

    def extension_loss_deg(self, side: Side) -> float:
        return self.extension_loss_left_deg if side is Side.LEFT else self.extension_loss_right_deg

    def pelvic_drop_deg(self, side: Side) -> float:
        return self.pelvic_drop_left_deg if side is Side.LEFT else self.pelvic_drop_right_deg

    def sway_m(self, side: Side) -> float:
        return self.sway_left_m if side is Side.LEFT else self.sway_right_m


@dataclass(frozen=True, slots=True)
class Slip:
    """The strap gives way: within 0.3 s from at_s the sensor turns by angle_deg about a segment axis.

    axis: unit vector in the segment's frame (x forward, y left, z up).
    """

    at_s: float
    angle_deg: float
    axis: tuple[float, float, float] = (0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class RadioParams:
    """How samples reach the host: packets of consecutive samples, lost in bursts, late, twice, swapped.

    loss_fraction, burst_s: Gilbert-Elliott: share of packets lost, mean length of a lost burst.
    latency_s: from a packet's last sample to its arrival; jitter_s: mean of the exponential further wait.
    connection_interval_s: arrivals wait for the next connection event; 0 for none.
    duplicate_fraction, reorder_fraction: packets that come twice, that come after their successor.
    gaps_s: stretches [start, end) of common time without connection; reconnects_per_hour draws more,
    each reconnect_gap_s[0] .. [1] long.
    """

    samples_per_packet: int = 1
    loss_fraction: float = 0.0
    burst_s: float = 0.2
    latency_s: float = 0.015
    jitter_s: float = 0.0
    connection_interval_s: float = 0.0
    duplicate_fraction: float = 0.0
    reorder_fraction: float = 0.0
    gaps_s: tuple[tuple[float, float], ...] = ()
    reconnects_per_hour: float = 0.0
    reconnect_gap_s: tuple[float, float] = (1.0, 60.0)

    def __post_init__(self) -> None:
        _require(
            1 <= self.samples_per_packet <= 1000, "samples_per_packet", self.samples_per_packet, "1 .. 1000"
        )
        for name in ("loss_fraction", "duplicate_fraction", "reorder_fraction"):
            _require(0.0 <= getattr(self, name) <= 0.9, name, getattr(self, name), "0 .. 0.9")
        _require(self.burst_s > 0.0, "burst_s", self.burst_s, "more than 0")
        _require(
            self.jitter_s >= 0.0 and self.latency_s >= 0.0, "latency_s, jitter_s", self.jitter_s, "0 or more"
        )


@dataclass(frozen=True, slots=True, eq=False)
class SensorParams:
    """One sensor: how it sits, how it errs, how it keeps time, how it is heard.

    The defaults are a good consumer chip (BMI270 / LSM6 class data sheets, from memory) without any
    clock error, so that its stamps are the common clock.

    mounting_max_deg: fixed random rotation of sensor against segment by up to this angle about any
    axis; 180 is any orientation with equal chance, 0 is aligned.  mounting_seed None: from the seed of
    the simulation.  mounting_rotation overrides both: (3, 3), v_segment = rotation @ v_sensor.
    position_m: where it sits in the segment's frame (pelvis: from the midpoint of the hips; thigh:
    from the hip joint); None: sacrum, or outer thigh 0.20 m below the hip.
    acc_bias_m_s2, gyr_bias_rad_s: standard deviation of the constant per-axis offset drawn by seed.
    gyr_drift_rad_s_sqrt_h: standard deviation of the bias random walk after an hour.
    skew_ppm: the device clock runs fast by this much; offset_s: what it shows at common time 0.
    stamp_jitter_s: standard deviation of the error of the stamp (not of the sampling instant).
    averaged: each sample is the mean over one period around its stamp, as a chip's digital low-pass and
    decimation make it: 3 dB down at 0.44 of the rate, nothing left at multiples of it (BMI088: 40 Hz at
    100 Hz; BMI160 gyroscope: 74.6 Hz at 200 Hz).  A chip's constant delay is left to offset_s.
    False reads the motion at the instant, and all above half the rate folds down.
    """

    rate_hz: float = 100.0
    averaged: bool = True
    mounting_max_deg: float = 180.0
    mounting_seed: int | None = None
    mounting_rotation: Floats | None = None
    position_m: tuple[float, float, float] | None = None
    slips: tuple[Slip, ...] = ()
    has_gyroscope: bool = True
    acc_noise_m_s2_sqrt_hz: float = 160e-6 * 9.81
    gyr_noise_rad_s_sqrt_hz: float = float(np.radians(0.007))
    acc_bias_m_s2: float = 0.01 * 9.81
    gyr_bias_rad_s: float = float(np.radians(0.3))
    gyr_drift_rad_s_sqrt_h: float = float(np.radians(0.1))
    gyr_per_acc_rad_s_m_s2: float = float(np.radians(0.1) / 9.81)
    acc_scale_sd: float = 0.003
    gyr_scale_sd: float = 0.005
    acc_range_m_s2: float | None = 16.0 * 9.81
    gyr_range_rad_s: float | None = float(np.radians(2000.0))
    bits: int | None = 16
    skew_ppm: float = 0.0
    offset_s: float = 0.0
    stamp_jitter_s: float = 0.0
    radio: RadioParams = field(default_factory=RadioParams)

    def __post_init__(self) -> None:
        _require(5.0 <= self.rate_hz <= 2000.0, "rate_hz", self.rate_hz, "5 .. 2000")
        _require(0.0 <= self.mounting_max_deg <= 180.0, "mounting_max_deg", self.mounting_max_deg, "0 .. 180")
        _require(abs(self.skew_ppm) <= 5000.0, "skew_ppm", self.skew_ppm, "-5000 .. 5000")
        _require(self.bits is None or 4 <= self.bits <= 32, "bits", self.bits, "4 .. 32 or None")
        if self.mounting_rotation is not None:
            product = self.mounting_rotation @ self.mounting_rotation.T
            proper = np.allclose(product, np.eye(3), atol=1e-6) and np.linalg.det(self.mounting_rotation) > 0
            _require(bool(proper), "mounting_rotation", "a matrix", "a proper rotation matrix")

    @classmethod
    def ideal(cls, rate_hz: float = 100.0, *, mounting_max_deg: float = 0.0) -> SensorParams:
        """Of the instant, without noise, bias, range or quantisation; mounting_max_deg 0 is aligned."""
        return cls(
            rate_hz=rate_hz,
            averaged=False,
            mounting_max_deg=mounting_max_deg,
            acc_noise_m_s2_sqrt_hz=0.0,
            gyr_noise_rad_s_sqrt_hz=0.0,
            acc_bias_m_s2=0.0,
            gyr_bias_rad_s=0.0,
            gyr_drift_rad_s_sqrt_h=0.0,
            gyr_per_acc_rad_s_m_s2=0.0,
            acc_scale_sd=0.0,
            gyr_scale_sd=0.0,
            acc_range_m_s2=None,
            gyr_range_rad_s=None,
            bits=None,
        )


PLACEMENTS = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)

DEFAULT_POSITION_M = {
    Placement.PELVIS: (-0.10, 0.0, 0.08),
    Placement.LEFT_THIGH: (0.03, 0.07, -0.20),
    Placement.RIGHT_THIGH: (0.03, -0.07, -0.20),
}


def sensors_by_placement(
    sensors: SensorParams | dict[Placement, SensorParams],
) -> dict[Placement, SensorParams]:
    """One SensorParams stands for all three; a dict says which are worn."""
    if isinstance(sensors, SensorParams):
        return dict.fromkeys(PLACEMENTS, sensors)
    strange = [p.value for p in sensors if p not in PLACEMENTS]
    if strange or not sensors:
        raise ConfigError(
            f"The simulator has no sensor for {', '.join(strange) or 'an empty set of placements'}.",
            f"Use {', '.join(p.value for p in PLACEMENTS)}.",
        )
    return {p: sensors[p] for p in PLACEMENTS if p in sensors}


def _require(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        raise ConfigError(f"{name} = {value} cannot be simulated.", f"Allowed: {allowed}.")
