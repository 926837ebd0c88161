"""Mean waveforms: against the simulator's truth, against each other, and what must not enter them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gaitmon.model import Angle, Floats, Placement, Side, Stride, WalkingBout, Waveform
from gaitmon.pipeline import run
from gaitmon.simulate import Stand, Turn, Walk, WalkerParams
from gaitmon.symmetry.cycle import COLUMNS, LEFT_FLEXION, POINTS
from gaitmon.symmetry.likeness import likeness
from gaitmon.symmetry.norms import norm
from gaitmon.symmetry.waveforms import cycles, waveforms
from tests.gait.walks import Item, Walked, metric, walked, whole, without

L, R = Side.LEFT, Side.RIGHT
PHASE = np.arange(POINTS) / (POINTS - 1)


@cache
def walk(rom_ratio: float = 1.0, extension_loss: float = 0.0, drop: float = 0.0) -> Walked:
    walker = WalkerParams(
        thigh_rom_ratio=rom_ratio, extension_loss_right_deg=extension_loss, pelvic_drop_right_deg=drop
    )
    return walked((Stand(10.0), Walk(strides=40), Stand(5.0)), walker, seed=3)


def true_mean_deg(of: Walked, angle: Angle, side: Side) -> Floats:
    """Mean over the true straight, steady strides."""
    motion = of.simulated.truth.motion
    up = 1.0 if side is L else -1.0
    values = {
        Angle.THIGH_FLEXION: motion.thigh_flexion_rad[side],
        Angle.HIP_FLEXION: motion.hip_flexion_rad(side),
        Angle.PELVIC_TILT: motion.pelvic_tilt_rad,
        Angle.PELVIC_OBLIQUITY: up * motion.pelvic_obliquity_rad,
        Angle.PELVIC_ROTATION: -up * (motion.pelvic_rotation_rad + motion.heading_rad),
    }[angle]
    rows = []
    for s in of.simulated.truth.own(side):
        x = np.degrees(np.interp(s.start_s + PHASE * s.duration_s, motion.t_s, values))
        if angle is Angle.PELVIC_ROTATION:
            x = x - x[0] - (x[-1] - x[0]) * PHASE
            x -= x[:-1].mean()
        rows.append(x)
    return np.asarray(np.mean(rows, axis=0))


def rms(x: Floats) -> float:
    return float(np.sqrt(np.mean(x**2)))


@pytest.mark.parametrize("angle", Angle)
@pytest.mark.parametrize("side", Side)
def test_mean_waveforms_are_those_of_the_truth(angle: Angle, side: Side) -> None:
    """Contacts that come 10 to 20 ms late shift the thigh's curve; measured RMS errors below."""
    most = {Angle.THIGH_FLEXION: 2.0, Angle.HIP_FLEXION: 2.0}.get(angle, 0.8)
    for of in (walk(), walk(drop=6.0), walk(rom_ratio=0.8)):
        (bout,) = of.bouts
        found = bout.waveform(angle, side)
        assert found is not None
        assert found.n >= 30
        assert rms(found.mean_deg - true_mean_deg(of, angle, side)) < most
        assert 0.0 < found.sd_deg.max() < 4.0


def straight_and_bent() -> tuple[WalkingBout, WalkingBout]:
    """The same walker: straight on, and with turns, a narrow bend at the second, in one bout."""
    (straight,) = walk().bouts
    script = (
        Stand(10.0), Walk(strides=14), Turn(180.0, 2.2), Walk(strides=14), Turn(-90.0, 1.6),
        Walk(strides=14), Stand(5.0),
    )  # fmt: skip
    return straight, walked(script, seed=3).bouts[0]


def test_turns_starts_and_stops_never_enter() -> None:
    straight, bent = straight_and_bent()
    assert bent.turns
    assert sum(not v.accepted for v in bent.strides) > 12
    for angle in Angle:
        for side in Side:
            a, b = straight.waveform(angle, side), bent.waveform(angle, side)
            assert a is not None
            assert b is not None
            assert b.n <= sum(v.accepted and v.side is side for v in bent.strides)
            assert rms(a.mean_deg - b.mean_deg) < 0.6, angle
            assert b.sd_deg.max() < a.sd_deg.max() + 0.7, angle


def test_a_stride_with_a_hole_in_the_pelvis_has_thigh_curves_only() -> None:
    of = walk()
    streams = whole(of.simulated)
    start = of.simulated.truth.strides[30].start_s
    items: list[Item] = [*without(streams[Placement.PELVIS], start, start + 2.0)]
    items += [b for p, b in streams.items() if p is not Placement.PELVIS]
    (bout,) = Walked(of.simulated, run(items, streams)).bouts
    for side in Side:
        thigh, tilt = bout.waveform(Angle.THIGH_FLEXION, side), bout.waveform(Angle.PELVIC_TILT, side)
        assert thigh is not None
        assert tilt is not None
        assert tilt.n < thigh.n
        assert np.isfinite(tilt.mean_deg).all()
        assert rms(tilt.mean_deg - true_mean_deg(of, Angle.PELVIC_TILT, side)) < 1.0


# ---- arithmetic


def made(n: int, side: Side = L) -> tuple[Floats, list[Stride]]:
    """n strides of a thigh that swings, its curve a little different each time."""
    rng = np.random.default_rng(5)
    curves = np.full((n, POINTS, COLUMNS), np.nan)
    swing = 20.0 * np.cos(2 * np.pi * PHASE)
    curves[:, :, LEFT_FLEXION] = swing + rng.normal(0.0, 0.5, (n, 1)) + rng.normal(0.0, 0.2, (n, POINTS))
    return curves, [Stride(side, k, 1.1 * k, None, 1.1 * k + 1.1) for k in range(n)]


def test_an_outlier_is_left_out_and_said() -> None:
    curves, strides = made(20)
    curves[7, :, LEFT_FLEXION] += 15.0 * np.sin(2 * np.pi * PHASE)
    (only,) = waveforms(cycles(curves, strides))
    assert (only.angle, only.side) == (Angle.THIGH_FLEXION, L)
    assert 16 <= only.n <= 19
    assert rms(only.mean_deg - 20.0 * np.cos(2 * np.pi * PHASE)) < 0.3


def test_too_few_strides_have_no_waveform() -> None:
    assert waveforms(cycles(*made(5))) == ()
    curves, strides = made(8)
    curves[:3, 50, LEFT_FLEXION] = np.nan
    assert waveforms(cycles(curves, strides)) == ()


def waveform(mean_deg: Floats, side: Side = L, angle: Angle = Angle.THIGH_FLEXION) -> Waveform:
    return Waveform.of(angle, side, 10, mean_deg, np.ones(POINTS))


def test_likeness_finds_shift_and_size() -> None:
    def swing(p: Floats) -> Floats:
        return np.asarray(20.0 * np.cos(2 * np.pi * p) + 4.0 * np.sin(4 * np.pi * p))

    left, right = waveform(3.0 + swing(PHASE)), waveform(3.0 + 0.8 * swing(PHASE - 0.04), R)
    found = likeness(left, right)
    assert found.correlation == pytest.approx(1.0, abs=1e-3)
    assert found.lag_pct == pytest.approx(4.0, abs=0.02)
    assert found.amplitude_ratio == pytest.approx(0.8, abs=1e-3)
    assert likeness(left, waveform(left.mean_deg, R)).rmsd_deg == 0.0
    assert likeness(left, waveform(left.mean_deg + 2.0, R)).rmsd_deg == pytest.approx(2.0)
    assert likeness(waveform(np.zeros(POINTS)), right).correlation == 0.0


# ---- what was put in comes out


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.2])
def test_ratio_of_ranges_shows_in_the_amplitude(ratio: float) -> None:
    (bout,) = walk(rom_ratio=ratio).bouts
    left, right = (bout.waveform(Angle.THIGH_FLEXION, s) for s in Side)
    assert left is not None
    assert right is not None
    found = likeness(left, right)
    assert found.correlation > 0.99
    assert found.amplitude_ratio == pytest.approx(ratio, abs=0.03)


def test_extension_that_is_lost_shows_on_its_side() -> None:
    (bout,) = walk(extension_loss=12.0).bouts
    (whole_walk,) = walk().bouts
    for side, lost in ((L, 0.0), (R, 12.0)):
        with_loss = bout.waveform(Angle.HIP_FLEXION, side)
        without_loss = whole_walk.waveform(Angle.HIP_FLEXION, side)
        assert with_loss is not None
        assert without_loss is not None
        assert with_loss.mean_deg.min() - without_loss.mean_deg.min() == pytest.approx(lost, abs=1.0)


# ---- the norm, for context

# CLINICAL 1.5: range of the mean curve at the five speeds, of a leg of 0.9 m.
RANGES = {
    Angle.HIP_FLEXION: (30.5, 36.7, 42.6, 48.2, 52.8),
    Angle.THIGH_FLEXION: (31.1, 36.7, 42.2, 48.0, 51.7),
    Angle.PELVIC_OBLIQUITY: (4.3, 6.0, 8.1, 11.1, 12.8),
    Angle.PELVIC_ROTATION: (8.4, 6.9, 8.8, 12.8, 15.9),
    Angle.PELVIC_TILT: (0.8, 0.9, 1.9, 2.5, 3.5),
}


@pytest.mark.parametrize("angle", Angle)
def test_norms_have_the_published_ranges(angle: Angle) -> None:
    for speed, rom in zip((0.51, 0.86, 1.27, 1.66, 2.06), RANGES[angle], strict=True):
        found = norm(angle, speed, 0.9)
        assert found is not None
        assert np.ptp(found.mean_deg) == pytest.approx(rom, abs=0.8)
        assert found.mean_deg[0] == pytest.approx(found.mean_deg[-1], abs=1e-9)
        assert 1.0 < found.sd_deg < 10.0


def test_a_norm_lies_between_its_neighbours_and_ends() -> None:
    at = [norm(Angle.HIP_FLEXION, v, 0.9) for v in (1.27, 1.45, 1.66)]
    roms = [float(np.ptp(n.mean_deg)) for n in at if n is not None]
    assert roms == sorted(roms)
    assert len(roms) == 3
    assert norm(Angle.HIP_FLEXION, 3.5, 0.9) is None
    assert norm(Angle.HIP_FLEXION, 0.1, 0.9) is None


def test_a_normal_walker_is_near_the_norm_and_a_stiff_one_further() -> None:
    own, stiff = (metric(w.bouts[0], "gps5_norm_deg") for w in (walk(), walk(extension_loss=12.0)))
    assert own < 3.0
    assert stiff > 1.5 * own  # one curve of several is another
