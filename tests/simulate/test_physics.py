"""The signals are those of a rigid body that really moves like the truth says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from gaitmon.model import Floats, Placement, Side
from gaitmon.simulate import (
    Motion,
    SensorParams,
    Sit,
    Slip,
    Stairs,
    Stand,
    Step,
    TissueParams,
    Turn,
    Walk,
    WalkerParams,
    simulate,
)
from gaitmon.simulate.calculus import Jet, Profile, Ring
from gaitmon.simulate.kinematics import LIMB_PULSE, WOBBLE_AXIS, Shaking, measured, spin
from gaitmon.simulate.params import DEFAULT_POSITION_M
from gaitmon.simulate.trajectory import Body, Segment

G = 9.81
EVERYTHING: tuple[Step, ...] = (
    Stand(4.0),
    Walk(seconds=12.0),
    Turn(180.0, 2.0),
    Walk(seconds=8.0, speed_m_s=0.7),
    Stairs(5.0),
    Walk(strides=4),
    Stand(2.0),
    Sit(12.0),
    Stand(2.0),
    Walk(seconds=6.0),
    Stand(2.0),
)
LAME = WalkerParams(
    pelvic_drop_left_deg=5.0,
    sway_right_m=0.01,
    extension_loss_right_deg=8.0,
    step_time_asymmetry_pct=8.0,
    tissue=TissueParams.none(),
)


def pelvis_rotation(motion: Motion) -> Rotation:
    yaw = motion.heading_rad + motion.pelvic_rotation_rad
    angles = np.stack([yaw, motion.pelvic_tilt_rad, motion.pelvic_obliquity_rad], axis=1)
    return Rotation.from_euler("ZYX", angles)


def integrate(gyr: Floats, rate_hz: float, start: Rotation) -> Rotation:
    """Orientation after all samples (4th order: the rate inside a step from its cubic)."""
    dt = 1.0 / rate_hz
    quaternion = start
    w0, w1 = gyr[:-2:2], gyr[2::2]
    middle = gyr[1:-1:2]
    # Magnus expansion, 4th order over two samples (Simpson nodes)
    h = 2.0 * dt
    steps = h / 6.0 * (w0 + 4.0 * middle + w1) + h**2 / 12.0 * np.cross(w0, w1)
    for step in Rotation.from_rotvec(steps):
        quaternion = quaternion * step
    return quaternion


def test_integrating_the_gyroscope_gives_the_orientation() -> None:
    script = (Stand(2.0), Walk(seconds=25.0), Turn(-90.0, 1.5), Walk(seconds=28.0), Stand(3.5))
    sim = simulate(script, LAME, SensorParams.ideal(200.0), seed=4)
    gyr = sim.streams[Placement.PELVIS].gyr_rad_s
    assert gyr is not None
    assert len(gyr) / 200.0 > 60.0
    n = 2 * ((len(gyr) - 1) // 2) + 1
    truth = pelvis_rotation(sim.truth.motion)
    reached = integrate(gyr[:n], 200.0, truth[0])
    assert np.degrees((reached * truth[n - 1].inv()).magnitude()) < 0.05


def test_specific_force_is_the_second_derivative_of_the_position() -> None:
    """Pelvis sensor at the hips' midpoint: R f - g must be what the positions say.

    The difference stencil errs where the jerk jumps, by jump times dt on a few samples: with 4 times
    the rate its RMS must fall about 8 times, while an error of the physics would stay.
    """
    coarse, fine = (_force_error(rate_hz) for rate_hz in (400.0, 1600.0))
    assert coarse < 1e-3  # of about 2 m/s²
    assert fine < 0.2 * coarse


def _force_error(rate_hz: float) -> float:
    sim = simulate(
        EVERYTHING,
        LAME,
        {Placement.PELVIS: replace(SensorParams.ideal(rate_hz), position_m=(0.0, 0.0, 0.0))},
        seed=1,
    )
    motion, dt = sim.truth.motion, 1.0 / rate_hz
    world = pelvis_rotation(motion).apply(sim.streams[Placement.PELVIS].acc_m_s2) - [0.0, 0.0, G]
    p = motion.position_m
    second = (-p[:-4] + 16.0 * p[1:-3] - 30.0 * p[2:-2] + 16.0 * p[3:-1] - p[4:]) / (12.0 * dt**2)
    return float(np.sqrt(np.mean((world[2:-2] - second) ** 2)))


def test_thigh_force_includes_both_lever_arms() -> None:
    """The thigh sensor's position from pelvis, hip and lever, differentiated twice, through a turn."""
    coarse, fine = (_thigh_force_error(rate_hz) for rate_hz in (200.0, 800.0))
    assert coarse < 0.02
    assert fine < 0.2 * coarse


def _thigh_force_error(rate_hz: float) -> float:
    lever = (0.3, 0.4, -0.6)  # long, so that every term of the rotation counts
    ideal = SensorParams.ideal(rate_hz)
    sim = simulate(
        (Stand(2.0), Walk(seconds=4.0), Turn(90.0, 1.0), Walk(seconds=2.0)),
        WalkerParams.steady(speed_m_s=1.6, pelvic_drop_left_deg=5.0),
        {Placement.PELVIS: ideal, Placement.LEFT_THIGH: replace(ideal, position_m=lever)},
        seed=2,
    )
    motion, arrays = sim.truth.motion, sim.streams[Placement.LEFT_THIGH]
    thigh = _thigh_rotation(arrays.gyr_rad_s, motion)
    p = motion.position_m + pelvis_rotation(motion).apply([0.0, 0.085, 0.0]) + thigh.apply(lever)
    second = (-p[:-4] + 16.0 * p[1:-3] - 30.0 * p[2:-2] + 16.0 * p[3:-1] - p[4:]) * rate_hz**2 / 12.0
    world = thigh.apply(arrays.acc_m_s2) - [0.0, 0.0, G]
    return float(np.sqrt(np.mean((world[2:-2] - second) ** 2)))


def test_soft_tissue_moves_the_sensor_as_a_body_would() -> None:
    """A sensor that shakes along the limb and turns about its axis, against differentiated positions."""
    dt = 1e-4
    t = np.arange(0.0, 1.0, dt)

    def wave(amplitude: float, hz: float) -> Jet:
        w = 2.0 * np.pi * hz
        s, c = np.sin(w * t), np.cos(w * t)
        return Jet(amplitude * s, amplitude * w * c, -amplitude * w * w * s)

    still = Jet.zeros(len(t))
    thigh = Segment(roll=wave(0.1, 1.0), pitch=wave(0.5, 1.2), yaw=wave(0.3, 0.8))
    body = Body(t, still, still, (still,) * 3, Segment(still, still, still), {Side.LEFT: thigh}, still)
    pelvis = spin(body.pelvis, still)
    shaking = Shaking(along=wave(0.01, 12.0), about=wave(0.05, 9.0))
    placement = Placement.LEFT_THIGH
    acc, gyr = measured(
        placement,
        SensorParams.ideal(),
        body,
        pelvis=pelvis,
        pelvis_acc=np.zeros((len(t), 3)),
        shaking=shaking,
    )
    angles = np.stack([thigh.yaw.value, thigh.pitch.value, thigh.roll.value], axis=1)
    bone = Rotation.from_euler("ZYX", angles)
    sensor = bone * Rotation.from_rotvec(shaking.about.value[:, None] * WOBBLE_AXIS)
    place = np.array(DEFAULT_POSITION_M[placement]) + shaking.along.value[:, None] * LIMB_PULSE
    p = bone.apply(place) + np.array([0.0, 0.085, 0.0])
    second = (p[2:] - 2.0 * p[1:-1] + p[:-2]) / dt**2
    assert_allclose(sensor.apply(acc)[1:-1] - [0.0, 0.0, G], second, atol=2e-3)
    turning = (sensor[:-2].inv() * sensor[2:]).as_rotvec() / (2.0 * dt)
    assert_allclose(gyr[1:-1], turning, atol=2e-3)


def _thigh_rotation(gyr: Floats | None, motion: Motion) -> Rotation:
    """Thigh orientation by integrating its own rate from neutral standing, where it is upright."""
    assert gyr is not None
    dt = motion.t_s[1] - motion.t_s[0]
    mid = 0.5 * (gyr[1:] + gyr[:-1]) * dt + dt**2 / 12.0 * np.cross(gyr[:-1], gyr[1:])
    quaternions = [Rotation.identity()]
    for step in Rotation.from_rotvec(mid):
        quaternions.append(quaternions[-1] * step)
    return Rotation.concatenate(quaternions)


def test_thigh_gyroscope_agrees_with_true_flexion() -> None:
    sim = simulate((Stand(2.0), Walk(seconds=20.0)), LAME, SensorParams.ideal(200.0), seed=3)
    for side, placement in ((Side.LEFT, Placement.LEFT_THIGH), (Side.RIGHT, Placement.RIGHT_THIGH)):
        up = _thigh_rotation(sim.streams[placement].gyr_rad_s, sim.truth.motion).inv().apply([0.0, 0.0, 1.0])
        flexion = np.degrees(np.arctan2(up[:, 0], up[:, 2]))
        truth = np.degrees(sim.truth.motion.thigh_flexion_rad[side])
        assert np.max(np.abs((flexion - flexion[0]) - (truth - truth[0]))) < 0.5  # sway at the start


def test_at_rest_the_accelerometer_reads_gravity_upward() -> None:
    walker = WalkerParams.steady()
    sim = simulate((Stand(5.0), Sit(5.0)), walker, SensorParams.ideal(), seed=0)
    for placement in sim.streams:
        still = sim.streams[placement].acc_m_s2[50:400]
        assert_allclose(still, np.tile([0.0, 0.0, G], (len(still), 1)), atol=1e-9)
    seated = sim.streams[Placement.LEFT_THIGH].acc_m_s2[-100:]
    assert np.all(seated[:, 0] > 0.97 * G)  # the thigh's forward axis points up when sitting
    assert_allclose(np.linalg.norm(seated, axis=1), G, atol=1e-9)


@pytest.mark.parametrize("angle", [30.0, 180.0])
def test_mounting_keeps_norms_and_is_in_the_truth(angle: float) -> None:
    script = (Stand(2.0), Walk(seconds=6.0))
    plain = simulate(script, WalkerParams(), SensorParams.ideal(), seed=7)
    turned = simulate(script, WalkerParams(), SensorParams.ideal(mounting_max_deg=angle), seed=7)
    for placement, arrays in plain.streams.items():
        rotation = turned.truth.mounts[placement][0].rotation
        other = turned.streams[placement]
        assert not np.allclose(rotation, np.eye(3), atol=1e-3)
        assert_allclose(np.linalg.norm(arrays.acc_m_s2, axis=1), np.linalg.norm(other.acc_m_s2, axis=1))
        assert_allclose(arrays.acc_m_s2, other.acc_m_s2 @ rotation.T, atol=1e-9)
        assert arrays.gyr_rad_s is not None
        assert other.gyr_rad_s is not None
        assert_allclose(arrays.gyr_rad_s, other.gyr_rad_s @ rotation.T, atol=1e-9)


def test_random_mountings_cover_all_orientations() -> None:
    ups = []
    for seed in range(60):
        sensors = {Placement.PELVIS: SensorParams.ideal(20.0, mounting_max_deg=180.0)}
        sim = simulate((Stand(0.5),), WalkerParams(), sensors, seed)
        ups.append(sim.truth.mounts[Placement.PELVIS][0].rotation.T[:, 2])
    assert np.abs(np.mean(ups, axis=0)).max() < 0.25
    assert np.min(np.array(ups)[:, 2]) < -0.8  # some are upside down


def test_slip_turns_the_sensor_by_what_the_truth_says() -> None:
    slip = Slip(at_s=4.0, angle_deg=12.0, axis=(0.0, 0.0, 1.0))
    ideal = SensorParams.ideal(mounting_max_deg=180.0)
    sensors = replace(ideal, slips=(slip,))
    script = (Stand(3.0), Sit(5.0))
    walker = WalkerParams.steady()
    slipped, firm = simulate(script, walker, sensors, 1), simulate(script, walker, ideal, 1)
    placement = Placement.LEFT_THIGH
    before, after = slipped.truth.mounts[placement]
    assert after.from_s == pytest.approx(4.3)
    late = firm.truth.motion.t_s > 4.31
    expected = firm.streams[placement].acc_m_s2 @ before.rotation.T @ after.rotation
    assert_allclose(slipped.streams[placement].acc_m_s2[late], expected[late], atol=1e-9)
    angle = Rotation.from_matrix(after.rotation @ before.rotation.T).magnitude()
    assert np.degrees(angle) == pytest.approx(12.0)
    gyr, plain = slipped.streams[placement].gyr_rad_s, firm.streams[placement].gyr_rad_s
    assert gyr is not None
    assert plain is not None
    about_z = (gyr @ before.rotation.T - plain @ before.rotation.T)[:, 2]
    assert np.degrees(np.sum(about_z) / 100.0) == pytest.approx(12.0, abs=0.1)


@pytest.mark.parametrize("rate_hz", [20.0, 50.0, 60.0, 104.0, 204.8, 400.0])
def test_every_rate_samples_the_same_motion(rate_hz: float) -> None:
    script = (Stand(1.0), Walk(seconds=6.0), Stand(1.0))
    fine = simulate(script, WalkerParams(), SensorParams.ideal(3.0 * rate_hz), seed=5)
    sim = simulate(script, WalkerParams(), SensorParams.ideal(rate_hz), seed=5)
    arrays, reference = sim.streams[Placement.RIGHT_THIGH], fine.streams[Placement.RIGHT_THIGH]
    assert len(arrays) == int(sim.truth.duration_s * rate_hz) + 1
    assert_allclose(arrays.acc_m_s2, reference.acc_m_s2[::3][: len(arrays)], atol=1e-8)
    assert sim.truth.contacts == fine.truth.contacts


def test_derivatives_of_profiles_and_rings_are_exact() -> None:
    t = np.linspace(0.0, 10.0, 200_001)
    profile = Profile(1.0, [(1.0, 2.0, 3.0), (2.0, 4.0, -1.0), (6.0, 7.0, 0.5)])
    ring_jet = Jet.zeros(len(t))
    Ring(17.0, 0.03, 0.012).add(ring_jet, t, np.array([2.0, 5.03]), np.array([4.0, 2.0]), of_accel=True)
    assert np.abs(ring_jet.accel).max() == pytest.approx(4.0, rel=1e-3)
    for jet in (profile(t), ring_jet):
        dt = t[1]
        assert_allclose(np.gradient(jet.value, dt)[2:-2], jet.rate[2:-2], atol=5e-4)
        assert_allclose(np.gradient(jet.rate, dt)[2:-2], jet.accel[2:-2], atol=5e-2)
    area = np.concatenate([[0.0], np.cumsum(0.5 * (profile(t).value[1:] + profile(t).value[:-1])) * t[1]])
    assert_allclose(profile.integral(t), area, atol=1e-8)
    with pytest.raises(ValueError, match="overlap"):
        Profile(0.0, [(1.0, 3.0, 1.0), (2.0, 4.0, 0.0)])
