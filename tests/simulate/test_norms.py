"""The simulated walker resembles published people (Schwartz 2008, scaled to a leg of 0.9 m)."""

from __future__ import annotations

import numpy as np
import pytest

from gaitmon.model import Placement, Side
from gaitmon.simulate import SensorParams, Stand, TissueParams, Walk, WalkerParams, simulate

# Ranges of motion and peak swing rate at the five speeds, and cadence, foot off, double support, from
# the published mean curves.
NORMS = [
    # v     spm  FO  DS  thigh max  min   tilt  obl   rot   rate
    (0.51, 67, 68, 36, 31.1, 20.0, -11.0, 0.8, 4.3, 8.4, 77),
    (0.86, 90, 62, 24, 36.7, 23.0, -14.0, 0.9, 6.0, 6.9, 137),
    (1.27, 112, 59, 19, 42.2, 24.5, -18.0, 1.9, 8.1, 8.8, 186),
    (1.66, 131, 58, 16, 48.0, 26.5, -21.0, 2.5, 11.1, 12.8, 234),
    (2.06, 150, 56, 14, 51.7, 28.0, -24.0, 3.5, 12.8, 15.9, 275),
]


@pytest.mark.parametrize("norm", NORMS, ids=lambda n: f"{n[0]} m/s")
def test_walking_matches_the_published_curves(norm: tuple[float, ...]) -> None:
    speed, cadence, foot_off, double_support, rom, high, low, tilt, obliquity, rotation, rate = norm
    sim = simulate(
        (Stand(2.0), Walk(strides=10)), WalkerParams.steady(speed_m_s=speed), SensorParams.ideal(200.0), 1
    )
    truth = sim.truth
    strides = truth.own(Side.LEFT)
    s = strides[4]
    assert 120.0 / s.duration_s == pytest.approx(cadence, rel=0.015)
    assert 100.0 * s.stance_s / s.duration_s == pytest.approx(foot_off, abs=0.5)
    shared = (s.opposite_fc_s - s.start_s) + (s.fc_s - s.opposite_ic_s)
    assert 100.0 * shared / s.duration_s == pytest.approx(double_support, abs=2.5)
    assert s.thigh_rom_deg == pytest.approx(rom, abs=1.0)
    assert s.thigh_flexion_max_deg == pytest.approx(high, abs=1.0)
    assert s.thigh_flexion_min_deg == pytest.approx(low, abs=1.0)
    assert s.length_m == pytest.approx(speed * s.duration_s, rel=0.01)
    motion = truth.motion
    now = (motion.t_s >= s.start_s) & (motion.t_s <= s.end_s)
    for curve, published in (
        (motion.pelvic_tilt_rad, tilt),
        (motion.pelvic_obliquity_rad, obliquity),
        (motion.pelvic_rotation_rad, rotation),
    ):
        assert np.degrees(np.ptp(curve[now])) == pytest.approx(published, abs=0.5)
    gyr = sim.streams[Placement.LEFT_THIGH].gyr_rad_s
    assert gyr is not None
    assert np.degrees(-gyr[now, 1].min()) == pytest.approx(rate, rel=0.07)


def test_signs_follow_the_clinical_convention() -> None:
    """Free speed, left cycle: obliquity left up in early stance, left side forward at left contact."""
    truth = simulate(
        (Walk(strides=8),), WalkerParams.steady(speed_m_s=1.27), SensorParams.ideal(200.0), 1
    ).truth
    s = truth.own(Side.LEFT)[3]
    phase = np.array([0.0, 0.15, 0.5, 0.65]) * s.duration_s + s.start_s
    motion = truth.motion_at(phase)
    obliquity, rotation = np.degrees(motion.pelvic_obliquity_rad), np.degrees(motion.pelvic_rotation_rad)
    assert obliquity[1] == pytest.approx(4.1, abs=0.5)  # contralateral drop peaks at 15 %
    assert obliquity[3] == pytest.approx(-4.1, abs=0.5)
    assert rotation[0] == pytest.approx(-4.3, abs=0.4)  # left forward is a turn to the right
    assert rotation[2] == pytest.approx(4.3, abs=0.4)
    flexion = np.degrees(motion.thigh_flexion_rad[Side.LEFT])
    assert flexion[0] == pytest.approx(23.6, abs=1.0)
    assert flexion[2] == pytest.approx(-17.4, abs=1.0)
    assert np.degrees(motion.thigh_flexion_rad[Side.RIGHT])[2] == pytest.approx(23.6, abs=1.0)


def test_pelvis_rises_as_the_centre_of_mass_does() -> None:
    for speed, rise_mm in ((0.51, 14.6), (0.86, 20.9), (1.27, 27.9), (1.66, 30.9)):
        walker = WalkerParams.steady(speed_m_s=speed, rise_ratio=1.5)
        truth = simulate((Walk(strides=8),), walker, SensorParams.ideal(), 1).truth
        s = truth.own(Side.LEFT)[3]
        now = (truth.motion.t_s >= s.start_s) & (truth.motion.t_s <= s.end_s)
        assert 1000.0 * np.ptp(truth.motion.position_m[now, 2]) == pytest.approx(1.5 * rise_mm, rel=0.05)


def test_limb_timing_relations_of_the_norm_survive() -> None:
    """Peak swing rate follows the own foot-off; the thigh is most extended around the opposite contact."""
    truth = simulate(
        (Walk(strides=8),), WalkerParams.steady(speed_m_s=1.27), SensorParams.ideal(400.0), 1
    ).truth
    s = truth.own(Side.RIGHT)[3]
    motion = truth.motion
    now = (motion.t_s >= s.start_s) & (motion.t_s <= s.end_s)
    t, flexion = motion.t_s[now], motion.thigh_flexion_rad[Side.RIGHT][now]
    assert t[np.argmax(np.gradient(flexion))] - s.fc_s == pytest.approx(0.069, abs=0.015)
    assert t[np.argmin(flexion)] - s.opposite_ic_s == pytest.approx(0.022, abs=0.015)


def test_transients_have_their_amplitude_and_onset() -> None:
    """What the tissue adds begins at the stated delay after the contact and reaches the stated size."""
    script = (Stand(2.0), Walk(strides=8))
    tissue = TissueParams(transient_m_s2=10.0, transient_cv=0.0, onset_s=0.02, wobble_deg=0.0, ripple_deg=0.0)
    hard = WalkerParams(tissue=tissue, speed_cv=0.0)
    soft = WalkerParams(tissue=TissueParams.none(), speed_cv=0.0)
    sensors = SensorParams.ideal(1000.0)
    with_, without = (simulate(script, w, sensors, 3) for w in (hard, soft))
    assert with_.truth.contacts == without.truth.contacts
    thigh = Placement.LEFT_THIGH
    added = with_.streams[thigh].acc_m_s2[:, 2] - without.streams[thigh].acc_m_s2[:, 2]
    s = with_.truth.own(Side.LEFT)[3]
    window = slice(int(1000 * s.start_s) - 20, int(1000 * s.start_s) + 150)
    t = np.arange(window.start, window.stop) / 1000.0 - s.start_s
    assert np.abs(added[window]).max() == pytest.approx(10.0, rel=0.06)
    assert np.all(np.abs(added[window][t < 0.019]) < 0.3)
    assert np.abs(added[window][(t > 0.02) & (t < 0.05)]).max() > 3.0
