"""Sensors worn elsewhere than they are said to be, on the real walker with sensors all over."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from gaitmon.analysis import analyse
from gaitmon.analysis_doubts import doubts
from gaitmon.model import MetricValue, Placement
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.recording import Recording
from tests.loaders import mtw, qmt
from tests.needs import recording

THIGHS = {"upper_leg_left": Placement.LEFT_THIGH, "upper_leg_right": Placement.RIGHT_THIGH}


@cache
def texts(*worn: tuple[str, Placement]) -> str:
    path = recording("qmt_full_body", "full_body_example_data.mat")
    return "\n".join(n.text for n in analyse(open_recording(path, dict(worn))).notices)


@pytest.mark.data
def test_shanks_are_no_thighs() -> None:
    told = texts(
        ("hip", Placement.PELVIS),
        ("lower_leg_left", Placement.LEFT_THIGH),
        ("lower_leg_right", Placement.RIGHT_THIGH),
    )
    assert "left_thigh: moves through 9" in told
    assert "right_thigh: moves through 9" in told
    assert "which is no walking" in told


@pytest.mark.data
def test_a_pelvis_sensor_in_a_trouser_pocket() -> None:
    told = texts(("lower_leg_left", Placement.PELVIS), *THIGHS.items())
    assert "which no pelvis does in walking" in told


@pytest.mark.data
@pytest.mark.parametrize("load", [qmt, mtw])
def test_nothing_is_doubted_of_sensors_where_they_belong(load: Callable[[], Recording]) -> None:
    assert not doubts(analyse(load()).summary)


def test_one_notice_a_sensor() -> None:
    summary = [
        MetricValue(metric, value, None, 20, 20, "")
        for metric, value in (("pelvis_tilt_rom_deg", 40.0), ("pelvis_obliquity_rom_deg", 70.0))
    ]
    assert [n.placement for n in doubts(summary)] == [Placement.PELVIS]
