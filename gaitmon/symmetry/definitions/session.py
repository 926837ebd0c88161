"""What guided tests of a session give: values of a test, not of a walking bout (gaitmon.sessions)."""

from __future__ import annotations

from gaitmon.symmetry.definition import Change, Group, MetricDefinition, Normal, Tag

TEST = ("test",)
_UNPUBLISHED = "no figure for these sensors is published"
_TWO_DEG = Change(2.0, _UNPUBLISHED, Tag.JUDGEMENT)
_THREE_DEG = Change(3.0, "CLINICAL 3.2", Tag.JUDGEMENT)
_SWAY = "angular sway of the pelvis; smaller than that of the trunk, which has no sensor"
_DROP = "Hardcastle & Nade 1985 (M) as measured by a pelvis sensor; no diagnosis"
_RISE = "five times sit-to-stand, rises from the thighs, lean from the pelvis; no trunk sensor"
_TEN_METRES = "distance told / time from the first foot off to the last foot down"


def _test(
    id_: str, name: str, unit: str, formula: str, sign: str, *, source: str,
    change: Change | None = None, normal: Normal | None = None,
) -> MetricDefinition:  # fmt: skip
    return MetricDefinition(
        f"test_{id_}", name, unit, sign, formula, source, Group.SESSION, strata=TEST, min_strides=0,
        change=change, normal=normal, stored=False,
    )  # fmt: skip


_STANDING = (
    _test(
        "stance_quiet_s", "Quiet standing found", "s", "longest stretch without a movement",
        "more: longer", source="CLINICAL 1.7",
    ),
    _test(
        "stance_tilt_deg", "Pelvic tilt in quiet standing", "deg",
        "mean tilt, against the standing that the sensors were aligned with", "positive: further forward",
        source="not a fault in itself; comparable only while the strap has not moved", change=_THREE_DEG,
    ),
    _test(
        "stance_obliquity_deg", "Pelvic obliquity in quiet standing", "deg",
        "mean obliquity, against the standing that the sensors were aligned with", "positive: left side up",
        source="comparable only while the strap has not moved", change=_THREE_DEG,
    ),
    _test(
        "stance_sway_deg", "Sway in quiet standing", "deg",
        "root of the summed variances of tilt and obliquity", "more: sways more", source=_SWAY,
    ),
    _test(
        "single_leg_held_s", "Single-leg stance, held", "s", "longest time with the other thigh lifted",
        "more: longer", source="30 s are asked for (Magee); other leg's thigh flexed by more than 12 degrees",
    ),
    *(
        _test(
            f"single_leg_drop_{when}_deg", f"Pelvic drop on one leg, {text}", "deg", formula,
            "positive: the lifted side drops; negative: it is held up", source=_DROP, change=_TWO_DEG,
        )
        for when, text, formula in (
            ("mean", "mean", "mean ipsilateral obliquity while held, against standing on both legs"),
            ("max", "largest", "largest over 0.3 s, while held"),
            ("end", "at the end", "mean over the last 3 s of what was held"),
        )
    ),
    _test(
        "single_leg_sway_deg", "Sway on one leg", "deg",
        "root of the summed variances of tilt and obliquity, each about its line", "more: sways more",
        source=_SWAY,
    ),
)  # fmt: skip

_WALKS = (
    _test(
        "walk_time_s", "Timed walk, time", "s", "first foot off to last foot down", "more: slower",
        source=_TEN_METRES,
    ),
    _test(
        "walk_speed_m_s", "Timed walk, speed", "m/s", "distance / time", "more: faster", source=_TEN_METRES,
        change=Change(0.18, "MDC95 of a slow clinical group (PMC7506931)", Tag.PAPER),
    ),
    _test("walk_steps_n", "Steps", "", "steps from the first foot off to the last foot down",
          "more: shorter steps on the same way", source="initial contacts of both feet"),
    _test(
        "walk_cadence_steps_min", "Cadence", "steps/min", "60 / median time between initial contacts",
        "more: faster steps", source="initial contacts of both feet",
        change=Change(12.2, "MDC95 of a slow clinical group (PMC7506931)", Tag.PAPER),
    ),
    _test(
        "walk_distance_m", "2-minute walk, distance", "m",
        "as told; else mean speed of all strides times the time walked", "more: farther",
        source="stride lengths: gaitmon.gait.spatial",
        change=Change(42.5, "MDC95 of adults of 18 to 85 years, Bohannon 2015", Tag.MEMORY),
        normal=Normal(64.6, 300.8, "range of 1137 adults of 18 to 85 years, Bohannon 2015", Tag.PAPER),
    ),
    _test(
        "walk_speed_change_pct", "2-minute walk, second half against first", "%",
        "100 ln of the halves' mean speeds", "negative: slower in the second half",
        source="stride lengths: gaitmon.gait.spatial",
    ),
    _test(
        "walk_cadence_change_pct", "Cadence, second half against first", "%",
        "100 ln of the halves' mean cadences", "negative: slower steps in the second half",
        source="initial contacts",
    ),
)  # fmt: skip

_RISING = (
    _test(
        "rising_time_s", "Five times sit-to-stand, time", "s",
        "start of the first rise to the end of the fifth", "more: slower",
        source=f"{_RISE}; the usual stop is the fifth stand or the fifth sitting down: this is the stand",
        change=Change(2.5, "MDC95 of 29 women, mean age 74, Goldberg 2012", Tag.PAPER),
        normal=Normal(0.0, 14.8, "means of 11.4, 12.6, 14.8 s at 60-69, 70-79, 80-89, Bohannon 2006",
                      Tag.MEMORY),
    ),
    _test("rising_n", "Rises", "", "changes from sitting to standing", "more: oftener", source=_RISE),
    _test("rising_one_s", "One rise", "s", "start of leaning to standing, mean of the rises",
          "more: slower", source=_RISE),
    _test("rising_lean_deg", "Forward lean of the pelvis in rising", "deg",
          "largest tilt in each rise against standing, mean of the rises", "more: leans further",
          source="the pelvis leans less than the trunk, which has no sensor"),
    _test(
        "rising_rate_ln_pct", "Speed of the thighs in rising, right against left", "%",
        "100 ln(R/L) of the largest extension rate in each rise, mean of the rises",
        "positive: faster on the right", source=_RISE,
    ),
    _test(
        "rising_flexion_asym_deg", "Thigh flexion in rising, right minus left", "deg",
        "mean R - L between sitting and standing, against that in standing, mean of the rises",
        "positive: the right thigh is flexed further on the way up", source=_RISE,
    ),
)  # fmt: skip

ROWS: tuple[MetricDefinition, ...] = (*_STANDING, *_WALKS, *_RISING)
