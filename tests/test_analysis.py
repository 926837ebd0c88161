"""The whole pipeline on real recordings, against foot sensors it never sees."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gaitmon
from gaitmon.analysis import Analysis, to_json
from gaitmon.model import Angle, ContactKind, Placement, Side
from gaitmon.sensors.recording import Recording
from gaitmon.symmetry.metrics import METRICS
from tests.loaders import foot_samples, mtw, qmt
from tests.needs import recording
from tests.validation.foot_rule import FootStride, foot_contacts, foot_strides
from tests.validation.strides import pair_strides

pytestmark = pytest.mark.data

TOLERANCE_S = 0.15
QMT_WALK_S = (95.0, 140.0)


@cache
def analysed(which: str) -> Analysis:
    return gaitmon.analyse(of(which))


def of(which: str) -> Recording:
    return qmt() if which == "qmt" else mtw()


def wanted(which: str, side: Side) -> list[FootStride]:
    return foot_strides(foot_contacts(*foot_samples(of(which), side), side))


def strides_of(analysis: Analysis, side: Side) -> list[tuple[float, float]]:
    return [(s.start_s, s.end_s) for s in analysis.strides if s.side is side]


@pytest.mark.parametrize("side", Side)
def test_strides_of_a_long_walk(side: Side) -> None:
    low, high = QMT_WALK_S
    found = [s for s in strides_of(analysed("qmt"), side) if low <= s[0] and s[1] <= high]
    reference = [(r.start_s, r.end_s) for r in wanted("qmt", side) if low <= r.start_s and r.end_s <= high]
    assert len(reference) >= 40
    pairs = pair_strides(found, reference, TOLERANCE_S).n
    assert pairs / len(found) >= 0.97
    assert pairs / len(reference) >= 0.97


@pytest.mark.parametrize("side", Side)
def test_strides_of_a_short_walk_with_a_turn(side: Side) -> None:
    found = strides_of(analysed("mtw"), side)
    reference = [(r.start_s, r.end_s) for r in wanted("mtw", side)]
    assert len(reference) >= 8
    pairs = pair_strides(found, reference, TOLERANCE_S).n
    assert len(reference) - pairs <= 1
    assert len(found) - pairs <= 1


def test_mean_stride_time() -> None:
    """Of all strides of the walking stretch: as the foot sensors have it.  (The bar of 0.99 ± 0.02 s has two
    decimals; the foot sensors' own mean is 0.970 s, their median 0.989 s.)"""
    low, high = QMT_WALK_S
    found = [s.duration_s for s in analysed("qmt").strides if low <= s.start_s and s.end_s <= high]
    reference = [
        r.end_s - r.start_s
        for side in Side
        for r in wanted("qmt", side)
        if low <= r.start_s and r.end_s <= high
    ]
    assert np.mean(found) == pytest.approx(np.mean(reference), abs=0.005)
    assert round(float(np.mean(found)), 2) == pytest.approx(0.99, abs=0.0201)
    assert np.median(found) == pytest.approx(np.median(reference), abs=0.01)


def turning_from_the_pelvis(of: Recording) -> tuple[float, float]:
    """When the heading leaves the way there by 20 degrees, and when it is within 20 degrees of the way
    back: the pelvis' angular rate about its own mean vertical while standing, integrated.  Nothing of the
    pipeline is used.
    """
    t, acc, gyr = of.streams[Placement.PELVIS].arrays()
    assert gyr is not None
    standing = t < t[0] + 4.0
    up = acc[standing].mean(axis=0)
    up /= np.linalg.norm(up)
    yaw = np.degrees(np.cumsum((gyr - gyr[standing].mean(axis=0)) @ up) * np.median(np.diff(t)))
    there = np.median(yaw[(t > 6.5) & (t < 9.0)])
    back = np.median(yaw[(t > 13.5) & (t < 15.0)])
    assert 150.0 < abs(back - there) < 210.0
    share = (yaw - there) / (back - there)
    middle = int(np.argmax(share > 0.5))
    begin = np.flatnonzero(share[:middle] < 20.0 / 180.0)[-1]
    end = middle + int(np.argmax(share[middle:] > 160.0 / 180.0))
    return float(t[begin]), float(t[end])


def test_no_stride_in_the_turn_counts_as_straight() -> None:
    begin_s, end_s = turning_from_the_pelvis(mtw())
    assert 1.0 < end_s - begin_s < 4.0
    analysis = analysed("mtw")
    inside = [s for s in analysis.strides if s.start_s < end_s and begin_s < s.end_s]
    assert len(inside) >= 3
    for s in inside:
        verdict = analysis.verdicts[s.side, s.ordinal]
        assert not verdict.straight
        assert not verdict.accepted
    turns = [t for b in analysis.bouts for t in b.turns]
    assert any(t.start_s < end_s and begin_s < t.end_s for t in turns)
    assert any(v.straight for v in analysis.verdicts.values())


def test_a_path_and_a_recording_give_the_same() -> None:
    path = recording("qmt_full_body", "full_body_example_data.mat")
    from_path = to_json(gaitmon.analyse(path))
    assert from_path == to_json(gaitmon.analyse(str(path))) == to_json(analysed("qmt"))


def test_progress_is_told_from_0_to_1() -> None:
    told: list[float] = []
    gaitmon.analyse(mtw(), progress=told.append)
    assert told == sorted(told)
    assert 0.0 < told[0] < 0.2
    assert told[-1] == pytest.approx(1.0, abs=0.01)


# ---- the JSON object ----------------------------------------------------------------------------


def parsed(which: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(to_json(analysed(which)), allow_nan=False))
    return found


def numbers(value: object, key: str = "") -> Iterator[tuple[str, float]]:
    """(key, number) of every number in a JSON value; a list's numbers have the list's key."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from numbers(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from numbers(v, key)
    elif isinstance(value, float):
        yield key, value


@pytest.mark.parametrize("which", ["qmt", "mtw"])
def test_json_is_what_the_documentation_promises(which: str) -> None:
    found = parsed(which)
    assert {"contacts", "strides", "bouts", "turns", "summary"} <= set(found)
    for contact in found["contacts"]:
        assert set(contact) == {"kind", "side", "t_s"}
        assert contact["kind"] in set(ContactKind)
        assert contact["side"] in {*Side, None}
    assert [c["t_s"] for c in found["contacts"]] == sorted(c["t_s"] for c in found["contacts"])
    for stride in found["strides"]:
        assert {"side", "start_s", "fc_s", "end_s", "straight"} <= set(stride)
        assert stride["fc_s"] is None or stride["start_s"] < stride["fc_s"] < stride["end_s"]
    assert len({(s["side"], s["ordinal"]) for s in found["strides"]}) == len(found["strides"])
    summary = found["summary"]
    assert summary["n_strides_left"] + summary["n_strides_right"] == len(found["strides"])


def test_one_thigh_tells_the_steps_of_both_feet() -> None:
    whole = of("qmt")
    one = [whole.streams[p] for p in (Placement.PELVIS, Placement.RIGHT_THIGH)]
    alone = gaitmon.analyse(Recording.of("one thigh", whole.source_format, one))
    steps = [json.loads(json.dumps(to_json(a)))["summary"]["n_steps"] for a in (analysed("qmt"), alone)]
    assert abs(steps[0] - steps[1]) <= 2


@pytest.mark.parametrize("which", ["qmt", "mtw"])
def test_every_number_has_its_unit_in_its_key(which: str) -> None:
    """A metric's value stands beside its unit; everything else carries it in the key."""
    units = ("_s", "_m_s2", "_rad_s", "_rad", "_deg", "_pct", "_hz", "_m", "_m_s", "_us")
    beside = {"value", "standard_error", "low_95", "high_95", "symmetry_ratio"}
    for key, number in numbers(parsed(which)):
        assert math.isfinite(number)
        assert key.endswith(units) or key in beside, key
    for block in [parsed(which)["summary"], *parsed(which)["bouts"]]:
        for name, metric in block["metrics"].items():
            assert metric["unit"] == METRICS[name].unit


def test_waveforms_derived_and_volume_are_in_it() -> None:
    found, analysis = parsed("qmt"), analysed("qmt")
    waveforms = [w for b in found["bouts"] for w in b["waveforms"]]
    assert [w["mean_deg"] for w in waveforms] == [
        w.mean_deg.tolist() for b in analysis.bouts for w in b.waveforms
    ]
    assert {w["angle"] for w in found["summary"]["waveforms"]} == set(Angle)
    assert {n["angle"] for n in found["summary"]["norms"]} == set(Angle)
    stance = {s: found["summary"]["metrics"][f"stance_time_{s}_s"]["value"] for s in Side}
    ratio = found["summary"]["metrics"]["stance_time_ln_pct"]["derived"]["symmetry_ratio"]
    assert ratio == pytest.approx(stance[Side.RIGHT] / stance[Side.LEFT])
    (volume,) = found["volume"]
    minutes = [v["value"] for k, v in volume["metrics"].items() if k in ("day_worn_min", "day_unworn_min")]
    known = [p for p in found["postures"] if p["posture"] != "unknown"]
    assert sum(minutes) == pytest.approx(sum(p["end_s"] - p["start_s"] for p in known) / 60.0)


def test_every_key_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "analysis-json.md").read_text()

    def keys(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for k, v in value.items():
                if k not in METRICS and k not in set(Placement):
                    yield k
                yield from keys(v)
        elif isinstance(value, list):
            for v in value:
                yield from keys(v)

    assert [k for k in sorted(set(keys(parsed("qmt")))) if f"`{k}`" not in text] == []
