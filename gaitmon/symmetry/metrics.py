"""The one table of every metric: what it is called, measured in, means, and needs.

Pages, messages, the store, the alerts and the documentation read this table; nothing is defined
twice.  A metric's id never changes its meaning: a new definition gets a new id.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """id: stable key.  sign: what a positive value, or more of it, means.

    min_strides: per side, in one bout, below which no value is given.
    mdc: change of a day's value below which a difference is not worth a look, in the metric's unit;
    None where no such figure is at hand.  core: one of the five that may raise an alert.
    """

    id: str
    name: str
    unit: str
    sign: str
    formula: str
    source: str
    min_strides: int = 6
    mdc: float | None = None
    core: bool = False


_RATIO = "positive: longer on the right"
_MOTTI = "medians per side; at least 6 cycles per bout (Motti Ader 2020)"


_LENGTH = "thigh range and inverted pendulum of the pelvis (Zijlstra & Hof 2003), gaitmon.gait.spatial"


def _ln(what: str, name: str, formula: str, *, mdc: float, core: bool) -> MetricDefinition:
    return MetricDefinition(
        f"{what}_ln_pct",
        name,
        "%",
        _RATIO,
        f"100 ln(R/L) of {formula}",
        f"signed form of Plotnik 2005; {_MOTTI}",
        mdc=mdc,
        core=core,
    )


def _side(id_: str, name: str, unit: str, formula: str) -> MetricDefinition:
    return MetricDefinition(id_, name, unit, "more: longer or larger", formula, _MOTTI)


_DEFINITIONS = (
    _ln("step_time", "Step time, right against left", "step times", mdc=3.0, core=True),
    _ln("stance_time", "Stance time, right against left", "stance times", mdc=3.0, core=True),
    _ln("swing_time", "Swing time, right against left", "swing times", mdc=3.0, core=False),
    _ln(
        "single_support",
        "Single support, right against left",
        "single-support times",
        mdc=3.0,
        core=False,
    ),
    MetricDefinition(
        "thigh_rom_ln_pct",
        "Thigh range of motion, right against left",
        "%",
        "positive: larger on the right",
        "100 ln(R/L) of max - min thigh flexion over a stride",
        _MOTTI,
        mdc=8.0,
        core=True,
    ),
    MetricDefinition(
        "drop_asym_deg",
        "Pelvic drop, right stance minus left stance",
        "deg",
        "positive: the pelvis drops more while standing on the right leg",
        "drop_R - drop_L; drop_s = largest ipsilateral obliquity in single support of s, against standing",
        "contralateral pelvic drop, Allison 2016",
        mdc=2.0,
        core=True,
    ),
    MetricDefinition(
        "pelvis_tilt_rom_deg",
        "Pelvic tilt, range of motion",
        "deg",
        "more: moves further",
        "max - min of tilt over a stride, median over strides",
        "Schwartz 2008 for normal values",
    ),
    MetricDefinition(
        "pelvis_obliquity_rom_deg",
        "Pelvic obliquity, range of motion",
        "deg",
        "more: moves further",
        "max - min of obliquity over a stride, median over strides",
        "Schwartz 2008 for normal values",
    ),
    MetricDefinition(
        "pelvis_rotation_rom_deg",
        "Pelvic rotation, range of motion",
        "deg",
        "more: moves further",
        "max - min of rotation over a stride after removing its linear trend, median over strides",
        "excursion only: the offset cannot be seen without a magnetometer",
    ),
    MetricDefinition(
        "cadence_steps_min",
        "Cadence",
        "steps/min",
        "more: faster steps",
        "120 / mean stride time",
        "CLINICAL 1.1",
        mdc=6.0,
    ),
    MetricDefinition(
        "stride_time_s", "Stride time", "s", "more: slower", "mean of both sides' strides", "as cadence"
    ),
    MetricDefinition(
        "double_support_pct",
        "Double support",
        "%",
        "more: both feet longer on the ground",
        "100 (initial + terminal double support) / stride time, median over both sides' strides",
        "falls with speed: compare like with like",
    ),
    *(
        MetricDefinition(
            f"stride_time_cv_{side}_pct",
            f"Stride time variability, {side}",
            "%",
            "more: less steady",
            f"100 SD / mean of {side} stride times",
            "Hausdorff 2005; poorly repeatable (Almarwani 2016): never a reason for an alert",
            min_strides=30,
        )
        for side in ("left", "right")
    ),
    MetricDefinition(
        "walking_speed_m_s",
        "Walking speed",
        "m/s",
        "more: faster",
        "stride length / stride time, median over both sides' strides",
        f"{_LENGTH}; MDC of a slow clinical group (PMC7506931)",
        mdc=0.18,
    ),
    MetricDefinition(
        "stride_length_m",
        "Stride length",
        "m",
        "more: longer",
        "length of each stride, median over both sides' strides",
        f"{_LENGTH}; MDC twice that of step length in a slow clinical group (PMC7506931)",
        mdc=0.21,
    ),
    *(
        MetricDefinition(
            f"stride_length_{side}_m",
            f"Stride length, {side}",
            "m",
            "more: longer; on a straight way both sides' strides are equally long",
            f"length of each {side} stride, median",
            _LENGTH,
        )
        for side in ("left", "right")
    ),
    _side("drop_left_deg", "Pelvic drop in left stance", "deg", "median over left strides of drop_L"),
    _side("drop_right_deg", "Pelvic drop in right stance", "deg", "median over right strides of drop_R"),
    *(
        _side(f"{what}_{side}_{unit}", f"{name}, {side}", unit, f"median over {side} strides")
        for what, name, unit in (
            ("stride_time", "Stride time", "s"),
            ("step_time", "Step time", "s"),
            ("stance_time", "Stance time", "s"),
            ("swing_time", "Swing time", "s"),
            ("single_support", "Single support", "s"),
            ("thigh_rom", "Thigh range of motion", "deg"),
        )
        for side in ("left", "right")
    ),
    *(
        _side(
            f"{which}_double_support_{side}_s",
            f"{name}, {side}",
            "s",
            f"{formula}, median over {side} strides",
        )
        for which, name, formula in (
            ("initial", "Initial double support", "own IC to the other side's FC"),
            ("terminal", "Terminal double support", "the other side's IC to own FC"),
        )
        for side in ("left", "right")
    ),
)

METRICS: dict[str, MetricDefinition] = {m.id: m for m in _DEFINITIONS}
CORE: tuple[str, ...] = tuple(m.id for m in _DEFINITIONS if m.core)
