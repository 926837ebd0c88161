"""The signals are those of a rigid body that really moves like the truth says."""

from __future__ import annotations

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
    """Pelvis sensor at the hips' midpoint: R f - g must be what the positions say, at 400 Hz."""
    sensors = {Placement.PELVIS: _at_origin(400.0)}
    sim = simulate(EVERYTHING, LAME, sensors, seed=1)
    motion, dt = sim.truth.motion, 1.0 / 400.0
    force = sim.streams[Placement.PELVIS].acc_m_s2
    world = pelvis_rotation(motion).apply(force) - [0.0, 0.0, G]
    p = motion.position_m
    second = (-p[:-4] + 16.0 * p[1:-3] - 30.0 * p[2:-2] + 16.0 * p[3:-1] - p[4:]) / (12.0 * dt**2)
    error = world[2:-2] - second
    assert np.sqrt(np.mean(error**2)) < 5e-4
    assert np.abs(error).max() < 0.06  # the stencil across a jump of the jerk, which is dt times the jump


def _at_origin(rate_hz: float) -> SensorParams:
    ideal = SensorParams.ideal(rate_hz)
    return SensorParams(
        **{name: getattr(ideal, name) for name in ideal.__slots__ if name != "position_m"},
        position_m=(0.0, 0.0, 0.0),
    )


def test_thigh_force_includes_both_lever_arms() -> None:
    """The thigh sensor's position, hip and lever from truth angles, differentiated twice."""
    walker = WalkerParams.steady(speed_m_s=1.4)
    sim = simulate((Stand(2.0), Walk(seconds=8.0)), walker, SensorParams.ideal(400.0), seed=2)
    truth, dt = sim.truth, 1.0 / 400.0
    trajectory_frames = _thigh_rotation(sim.streams[Placement.LEFT_THIGH].gyr_rad_s, truth.motion)
    hip = truth.motion.position_m + pelvis_rotation(truth.motion).apply([0.0, 0.085, 0.0])
    p = hip + trajectory_frames.apply([0.03, 0.07, -0.20])
    second = (-p[:-4] + 16.0 * p[1:-3] - 30.0 * p[2:-2] + 16.0 * p[3:-1] - p[4:]) / (12.0 * dt**2)
    world = trajectory_frames.apply(sim.streams[Placement.LEFT_THIGH].acc_m_s2) - [0.0, 0.0, G]
    assert_allclose(world[10:-10], second[8:-8], atol=0.05)


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
    ideal = SensorParams.ideal()
    sensors = SensorParams(**{n: getattr(ideal, n) for n in ideal.__slots__ if n != "slips"}, slips=(slip,))
    script = (Stand(3.0), Sit(5.0))
    walker = WalkerParams.steady()
    slipped, firm = simulate(script, walker, sensors, 1), simulate(script, walker, ideal, 1)
    placement = Placement.LEFT_THIGH
    before, after = slipped.truth.mounts[placement]
    assert after.from_s == pytest.approx(4.3)
    late = firm.truth.motion.t_s > 4.31
    expected = firm.streams[placement].acc_m_s2 @ after.rotation
    assert_allclose(slipped.streams[placement].acc_m_s2[late], expected[late], atol=1e-9)
    angle = Rotation.from_matrix(after.rotation @ before.rotation.T).magnitude()
    assert np.degrees(angle) == pytest.approx(12.0)
    gyr, plain = slipped.streams[placement].gyr_rad_s, firm.streams[placement].gyr_rad_s
    assert gyr is not None
    assert plain is not None
    assert np.degrees(np.sum(gyr[:, 2] - plain[:, 2]) / 100.0) == pytest.approx(12.0, abs=2.0)


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
        assert_allclose(np.gradient(jet.rate, dt)[2:-2], jet.accel[2:-2], atol=2e-2)
    area = np.concatenate([[0.0], np.cumsum(0.5 * (profile(t).value[1:] + profile(t).value[:-1])) * t[1]])
    assert_allclose(profile.integral(t), area, atol=1e-8)
    with pytest.raises(ValueError, match="overlap"):
        Profile(0.0, [(1.0, 3.0, 1.0), (2.0, 4.0, 0.0)])
