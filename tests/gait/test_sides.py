"""Swapped thigh sensors: found, never silent, and no false alarm."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gaitmon.gait.sides import SideWitnesses
from gaitmon.model import ImuBlock, Notice, NoticeKind, Placement, Side
from gaitmon.pipeline import run
from gaitmon.simulate import Stand, Walk, WalkerParams, simulate
from tests.gait.walks import run_whole, whole

L, R = Placement.LEFT_THIGH, Placement.RIGHT_THIGH
SEEDS = range(8)


@cache
def streams(seed: int, seconds: float = 45.0) -> dict[Placement, ImuBlock]:
    """At least 30 strides a leg: 60 in all."""
    rng = np.random.default_rng([seed, 2])
    walker = WalkerParams(
        speed_m_s=float(np.linspace(0.6, 1.7, len(SEEDS))[seed % len(SEEDS)]),
        person_seed=seed,
        limbs_alike=bool(seed % 2),
        step_time_asymmetry_pct=float(rng.uniform(-8.0, 8.0)),
    )
    return whole(simulate((Stand(5.0), Walk(seconds=seconds), Stand(6.0)), walker, seed=seed))


def swapped(s: dict[Placement, ImuBlock]) -> dict[Placement, ImuBlock]:
    left, right = s[L], s[R]
    return {
        **s,
        L: ImuBlock(L, right.t_s, right.acc_m_s2, right.gyr_rad_s),
        R: ImuBlock(R, left.t_s, left.acc_m_s2, left.gyr_rad_s),
    }


def said(s: dict[Placement, ImuBlock]) -> list[str]:
    return [r.text for r in run_whole(s) if isinstance(r, Notice) and r.kind is NoticeKind.SIDES]


@pytest.mark.parametrize("seed", SEEDS)
def test_swapped_thighs_are_found(seed: int) -> None:
    """In 60 straight strides; the labels are kept and the reader is told."""
    texts = said(swapped(streams(seed)))
    assert texts, "silent"
    assert "swapped" in texts[-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_false_alarm(seed: int) -> None:
    assert said(streams(seed)) == []


@pytest.mark.parametrize("seed", [2, 5])
def test_few_strides_are_never_called_swapped(seed: int) -> None:
    """A dozen strides: doubt may be voiced, a verdict not."""
    texts = said(swapped(streams(seed, 14.0)))
    assert texts
    assert not any("look swapped" in t for t in texts)


def test_sides_are_never_swapped_by_us() -> None:
    """Whatever is suspected, a result carries the label of the sensor it came from."""
    right, wrong = run_whole(streams(3)), run_whole(swapped(streams(3)))

    def starts(results: list[object], side: Side) -> set[float]:
        return {
            round(s.start_s, 1) for s in results if getattr(s, "side", None) is side and hasattr(s, "start_s")
        }

    assert len(starts(list(right), Side.LEFT) & starts(list(wrong), Side.RIGHT)) > 20


def test_without_a_pelvis_nothing_is_claimed() -> None:
    s = swapped(streams(4))
    only = {p: b for p, b in s.items() if p is not Placement.PELVIS}
    texts = [r.text for r in run(only.values(), only) if isinstance(r, Notice)]
    assert not any("swapped" in t for t in texts)


def test_witnesses_that_disagree_say_that_it_cannot_be_told() -> None:
    right = run_phases(-70.0, 130.0)
    assert right is None
    doubt = run_phases(110.0, 130.0)
    assert doubt is not None
    assert "cannot be told" in doubt.text
    both = run_phases(110.0, -50.0)
    assert both is not None
    assert "swapped" in both.text


def witnesses_of(yaw_deg: float, roll_deg: float, *, straight: bool = True) -> SideWitnesses:
    witnesses = SideWitnesses()
    for _ in range(60):
        yaw, roll = (complex(np.exp(1j * np.radians(a))) for a in (yaw_deg, roll_deg))
        witnesses.add(yaw, roll, straight=straight)
    return witnesses


def run_phases(yaw_deg: float, roll_deg: float, *, straight: bool = True) -> Notice | None:
    return witnesses_of(yaw_deg, roll_deg, straight=straight).verdict()


def test_strides_in_turns_can_raise_a_doubt_but_no_verdict() -> None:
    doubt = run_phases(110.0, -50.0, straight=False)
    assert doubt is not None
    assert "cannot be told" in doubt.text


def test_the_same_doubt_is_said_once() -> None:
    witnesses = witnesses_of(110.0, -50.0)
    assert witnesses.verdict() is not None
    assert witnesses.verdict() is None
