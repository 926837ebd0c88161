"""What moves a virtual sensor, between the samples that are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gaitmon.model import Placement
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import SensorParams, Stand, Walk, simulate
from gaitmon.virtual import Motion


def test_it_goes_through_the_samples_and_close_between_them() -> None:
    t = np.arange(0.0, 70.0, 0.01)  # three pieces of the spline
    signal = np.stack([np.sin(9 * t), np.cos(5 * t), t], axis=1)
    motion = Motion.of(t, signal, 2 * signal)
    assert np.abs(motion.at(t)["acc_m_s2"] - signal).max() < 1e-12
    between = np.arange(0.003, 69.9, 0.0071)
    wanted = np.stack([np.sin(9 * between), np.cos(5 * between), between], axis=1)
    assert np.abs(motion.at(between)["gyr_rad_s"] - 2 * wanted).max() < 1e-5
    assert np.allclose(motion.at(np.array([-5.0, 99.0]))["acc_m_s2"], signal[[0, -1]])
    with pytest.raises(ValueError, match="increase"):
        Motion.of(t[::-1], signal)
    with pytest.raises(ValueError, match=r"\(n, 3\)"):
        Motion.of(t, signal[1:])


def test_it_is_the_same_in_pieces() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(0.0, 65.0, 0.01)
    motion = Motion.of(t, rng.standard_normal((len(t), 3)))
    at = np.arange(0.0, 65.0, 0.0167)
    whole = motion.at(at)["acc_m_s2"]
    cut = np.concatenate([motion.at(part)["acc_m_s2"] for part in np.array_split(at, 97)])
    assert (whole == cut).all()


def test_of_the_simulator_and_of_a_recording() -> None:
    simulated = simulate((Stand(2.0), Walk(5.0)), sensors=SensorParams(rate_hz=100.0), seed=1)
    arrays = simulated.streams[Placement.LEFT_THIGH]
    motion = Motion.of_simulated(arrays)
    assert arrays.gyr_rad_s is not None
    assert np.allclose(motion.at(arrays.t_s)["gyr_rad_s"], arrays.gyr_rad_s, atol=1e-9)
    recording = recording_of(simulated, "walk")
    same = Motion.of_recording(recording, Placement.LEFT_THIGH)
    assert np.allclose(same.acc_m_s2, motion.acc_m_s2)
    assert same.t_s[0] == motion.t_s[0] - recording.start_s


def test_a_motion_that_begins_anew_does_so_in_the_middle_of_a_block() -> None:
    t = np.arange(0.0, 40.0, 0.01)
    values = np.stack([np.sin(t), np.cos(t), t], axis=1)
    once = Motion.of(t, values, values)
    again = dataclasses.replace(once, every_s=35.0)
    at = np.linspace(20.0, 90.0, 999)
    for key, found in again.at(at).items():
        folded = at % 35.0
        wanted = np.stack([once.at(np.array([f]))[key][0] for f in folded])
        np.testing.assert_allclose(found, wanted, atol=1e-9)
