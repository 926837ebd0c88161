"""How much of a day was sat, stood and walked: values of a day, not of a bout (gaitmon.trends.volume)."""

from __future__ import annotations

from gaitmon.symmetry.definition import Group, MetricDefinition

DAY = ("day",)
_POSTURE = "thigh beyond 45 degrees sits (Lugade 2013), pelvis beyond 75 lies (docs/validation.md)"
_SEDENTARY = "as activPAL users count it; less than two minutes upright do not interrupt"
_MOBILISE = "walking bouts as Mobilise-D aggregates them"
_MORE = {"min": "more: longer", "s": "more: longer", "m/s": "more: faster", "": "more: oftener"}


def _day(
    id_: str, name: str, unit: str, formula: str, *, source: str = _MOBILISE, sign: str = ""
) -> MetricDefinition:
    return MetricDefinition(
        f"day_{id_}",
        name,
        unit,
        sign or _MORE[unit],
        formula,
        source,
        Group.VOLUME,
        strata=DAY,
        min_strides=0,
        stored=False,
    )


def _minutes(posture: str, name: str) -> MetricDefinition:
    return _day(f"{posture}_min", name, "min", f"minutes of {name.lower()}", source=_POSTURE)


_POSTURES = (
    _minutes("sitting", "Sitting"),
    _minutes("lying", "Lying"),
    _minutes("sitting_or_lying", "Sitting or lying, not told apart"),
    _minutes("standing", "Standing"),
    _minutes("walking", "Walking"),
    _day(
        "unworn_min",
        "Sensors not worn",
        "min",
        "minutes of stillness, of half an hour and more",
        source="limit of stillness: van Hees 2011",
    ),
    _day("worn_min", "Sensors worn", "min", "minutes of known posture", source=_POSTURE),
    _day("rises_n", "Rises from sitting or lying", "", "changes to upright", source=_POSTURE),
    _day(
        "longest_sit_min",
        "Longest stretch of sitting or lying",
        "min",
        "longest without any upright moment",
        source=_SEDENTARY,
    ),
    _day(
        "sitting_breaks_per_h",
        "Breaks of sitting",
        "1/h",
        "rises per hour of sitting or lying",
        source=_SEDENTARY,
        sign="more: broken oftener",
    ),
    *(
        _day(
            f"sits_over_{m}_min_n",
            f"Stretches of sitting of {m} min and more",
            "",
            f"stretches of sitting or lying of at least {m} min",
            source=_SEDENTARY,
        )
        for m in (30, 60)
    ),
)

_CLASSES = {
    "under_10_s": "under 10 s",
    "10_30_s": "of 10 to 30 s",
    "30_60_s": "of 30 to 60 s",
    "over_60_s": "of a minute and more",
}
_LENGTHS = {"10_30_s": "bouts of 10 to 30 s", "over_30_s": "bouts of 30 s and more"}

_BOUTS = (
    _day("steps_n", "Steps", "", "initial contacts of both feet in walking bouts"),
    _day("bouts_n", "Walking bouts", "", "bouts of 4 strides and more"),
    *(_day(f"bouts_{c}_n", f"Walking bouts {name}", "", f"bouts {name}") for c, name in _CLASSES.items()),
    _day("bout_median_s", "Length of walking bouts, median", "s", "median over all bouts"),
    _day("bout_p90_s", "Length of walking bouts, 90th percentile", "s", "percentile over all bouts"),
    _day("turns_n", "Turns", "", "turns of 45 degrees and more in bouts"),
    _day(
        "turns_leftward_pct",
        "Turns to the left",
        "%",
        "100 left / all turns",
        source="a bias may come from the way as well as from the hip",
        sign="50: as often to either side; more: oftener to the left",
    ),
    *(
        _day(f"speed_{c}_m_s", f"Walking speed, {name}", "m/s", f"mean over {name}")
        for c, name in _LENGTHS.items()
    ),
    *(
        _day(
            f"cadence_{c}_steps_min",
            f"Cadence, {name}",
            "steps/min",
            f"mean over {name}",
            sign="more: faster steps",
        )
        for c, name in _LENGTHS.items()
    ),
    *(
        _day(f"stride_length_{c}_m", f"Stride length, {name}", "m", f"mean over {name}", sign="more: longer")
        for c, name in _LENGTHS.items()
    ),
    _day("speed_p90_m_s", "Walking speed, 90th percentile", "m/s", "percentile over bouts of 10 s and more"),
)

ROWS: tuple[MetricDefinition, ...] = (*_POSTURES, *_BOUTS)
