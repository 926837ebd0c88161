"""How alike step is to step and stride to stride, from the acceleration of the pelvis."""

from __future__ import annotations

from gaitmon.symmetry.definition import (
    EVENTS,
    LONG_WALKING,
    PART,
    Change,
    Group,
    MetricDefinition,
    Normal,
    Tag,
)

_G = Group.SMOOTHNESS
_AXES = (("v", "vertical"), ("ap", "forward"), ("ml", "sideways"))
_FALLS = "falls when walking slowly or on a curve (Lowry 2012, Brach 2011)"
_WINDOW = 10  # strides a side: windows of 20 strides, CLINICAL 1.4
_MOE_NILSSEN = "Moe-Nilssen & Helbostad 2004; unbiased autocorrelation, mean removed"
_HR = {"v": Normal(3.0, 4.0, "young adults", Tag.UNSURE), "ap": Normal(3.0, 4.0, "young adults", Tag.UNSURE),
       "ml": Normal(2.0, 3.0, "young adults", Tag.UNSURE)}  # fmt: skip


def _own(axis: str) -> tuple[str, str]:
    """Harmonics that both steps share, and those that make them differ."""
    return ("odd", "even") if axis == "ml" else ("even", "odd")


ROWS: tuple[MetricDefinition, ...] = (
    *(
        MetricDefinition(
            f"pelvis_{axis}_ihr_pct",
            f"Symmetry of {name} acceleration (improved harmonic ratio)",
            "%",
            "more: the two steps of a stride are more alike; 100 at most",
            f"100 P({_own(axis)[0]}) / P(all) of the first 20 harmonics of each stride, median over strides",
            f"Pasciuto 2017 (M); {_FALLS}",
            _G,
            change=Change(5.0, "no figure is published", Tag.JUDGEMENT) if axis == "v" else None,
            persistence=PART,
            core=axis == "v",
        )
        for axis, name in _AXES
    ),
    *(
        MetricDefinition(
            f"pelvis_{axis}_hr",
            f"Harmonic ratio, {name}",
            "",
            "more: the two steps of a stride are more alike",
            f"sum of {_own(axis)[0]} / sum of {_own(axis)[1]} amplitudes of the first 20 harmonics of each "
            "stride, median over strides",
            f"symmetry of steps, not stability (Bellanca 2013); {_FALLS}",
            _G,
            normal=_HR[axis],
            persistence=PART,
        )
        for axis, name in _AXES
    ),
    *(
        MetricDefinition(
            f"pelvis_{axis}_{what}_regularity",
            f"{what.capitalize()} regularity, {name}",
            "",
            f"more: one {what} is more like the next; 1 at most",
            f"autocorrelation of {name} acceleration at its peak nearest one {what}"
            + ("; the size of the negative peak" if (what, axis) == ("step", "ml") else ""),
            _MOE_NILSSEN,
            _G,
            strata=LONG_WALKING,
            min_strides=_WINDOW,
            normal=Normal(0.7, 0.95, "healthy adults", Tag.UNSURE) if axis == "v" else None,
            persistence=EVENTS if what == "stride" and axis != "ml" else PART,
            correlation=True,
        )
        for what in ("step", "stride")
        for axis, name in _AXES
    ),
    MetricDefinition(
        "gait_symmetry_index",
        "Gait symmetry index",
        "",
        "more: the two steps of a stride are more alike",
        "sqrt(sum over the axes of max(0, autocorrelation at half the stride lag) / 3), below 10 Hz",
        "Zhang 2018, as scikit-digital-health computes it, with unbiased sums",
        _G,
        strata=LONG_WALKING,
        min_strides=_WINDOW,
        persistence=PART,
        correlation=True,
    ),
)
