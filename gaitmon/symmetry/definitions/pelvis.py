"""The pelvis over the stride.  Rotation is known as excursion only, tilt as change from standing only."""

from __future__ import annotations

from gaitmon.symmetry.definition import (
    EVENTS,
    PART,
    PROPORTION,
    Change,
    Group,
    MetricDefinition,
    Normal,
    Tag,
    difference,
    ln_ratio,
    normalised,
    per_side,
)

_G = Group.PELVIS
_FREE = "Schwartz 2008 at free speed, mean ± 1.96 SD (children)"
_DROP = "contralateral pelvic drop, Allison 2016; gaitmon.symmetry.pelvis"
_DROPS_MORE = "positive: the pelvis drops more while standing on the right leg"
_TWO = Change(2.0, "no figure for these sensors is published", Tag.JUDGEMENT)


def _both(
    id_: str, name: str, unit: str, formula: str, source: str, *, normal: Normal | None = None,
    sign: str = "more: moves further", change: Change | None = None,
) -> MetricDefinition:  # fmt: skip
    formula = f"{formula}, median over strides"
    return MetricDefinition(
        id_, name, unit, sign, formula, source, _G, normal=normal, change=change, persistence=PART
    )


ROWS: tuple[MetricDefinition, ...] = (
    difference(
        "drop", "Pelvic drop, right stance minus left stance", "deg",
        "drop; drop_s = largest ipsilateral obliquity in single support of s, against standing", _G,
        sign=_DROPS_MORE, source=_DROP, change=_TWO, core=True,
        normal=Normal(-4.0, 4.0, "a note to look at, not a diagnosis", Tag.JUDGEMENT),
    ),
    normalised("drop", "Pelvic drop", "drop", _G, _DROPS_MORE),
    *(
        difference(
            f"drop_{when}", f"Pelvic drop {text}, right stance minus left stance", "deg",
            f"drop {text}", _G, sign=_DROPS_MORE, source=_DROP, change=_TWO,
        )
        for when, text in (("mean", "on average over single support"), ("at_30_pct", "at 30 % of the stride"))
    ),
    _both(
        "pelvis_tilt_rom_deg", "Pelvic tilt, range of motion", "deg", "max - min of tilt over a stride",
        "CLINICAL 1.6", normal=Normal(2.2, 7.0, _FREE, Tag.CODE),
    ),
    _both(
        "pelvis_obliquity_rom_deg", "Pelvic obliquity, range of motion", "deg",
        "max - min of obliquity over a stride", "CLINICAL 1.6",
        normal=Normal(8.1, 13.1, "mean curves of two marker models at free speed", Tag.COMPUTED),
    ),
    _both(
        "pelvis_rotation_rom_deg", "Pelvic rotation, range of motion", "deg",
        "max - min of rotation over a stride after removing its linear trend",
        "excursion only: the offset cannot be seen without a magnetometer",
        normal=Normal(3.8, 20.2, _FREE, Tag.CODE),
    ),
    *per_side(
        "drop", "Pelvic drop in stance", "deg", "largest ipsilateral obliquity in single support", _G,
        persistence=PART,
        source=_DROP, normal=Normal(2.2, 6.6, _FREE, Tag.CODE),
    ),
    *per_side(
        "drop_mean", "Pelvic drop on average", "deg", "mean ipsilateral obliquity in single support", _G,
        persistence=PART,
        source=f"{_DROP}; 1.3 at free speed (D)",
    ),
    *per_side(
        "drop_at_30_pct", "Pelvic drop at 30 %", "deg", "ipsilateral obliquity at 30 % of the stride", _G,
        persistence=PART,
        source=f"{_DROP}; 0.3 at free speed (D)",
    ),
    *per_side(
        "rotation_forward", "Pelvic rotation forward", "deg",
        "largest forward rotation of the side, from the stride's mean", _G,
        persistence=PART,
        source="excursion only: the offset cannot be seen without a magnetometer",
    ),
    _both(
        "pelvis_tilt_change_deg", "Pelvic tilt in walking, against standing", "deg",
        "mean tilt over a stride minus that of the calibration standing",
        "the strap hides the absolute tilt, and no tilt is a fault: compare with the wearer's own",
        sign="positive: further forward (anterior) than in standing",
        change=Change(3.0, "CLINICAL 3.2", Tag.JUDGEMENT),
    ),
    _both(
        "pelvis_obliquity_change_deg", "Pelvic obliquity in walking, against standing", "deg",
        "mean obliquity over a stride minus that of the calibration standing", "persistent hike or drop",
        sign="positive: left side up", change=Change(3.0, "CLINICAL 3.2", Tag.JUDGEMENT),
    ),
    _both(
        "pelvis_sway_m", "Sideways sway of the pelvis", "m",
        "max - min of mediolateral displacement over a stride",
        "to be read beside drop: less drop with more sway can be a compensated (Duchenne) gait",
    ),
    *per_side(
        "vertical_excursion", "Vertical excursion", "m",
        "max - min of vertical displacement from the own IC to the other side's", _G,
        persistence=PROPORTION, source="CLINICAL 1.8",
        normal=Normal(0.015, 0.045, "centre of mass 15 to 31 mm, the sacrum rises more", Tag.UNSURE),
    ),
    ln_ratio(
        "vertical_excursion", "Vertical excursion", "vertical excursions on the two legs", _G,
        persistence=EVENTS,
        change=Change(10.0, "no figure for these sensors is published", Tag.JUDGEMENT),
    ),
    *(
        MetricDefinition(
            f"standing_{what}_deg", f"Pelvic {what} in standing, against calibration", "deg", sign,
            f"mean {what} in the seconds of standing at rest before the bout, less that of the calibration "
            "standing; counted are seconds, not strides",
            "CLINICAL 1.7: never a fault, how the strap sits is in it; only against the wearer's own, and "
            "only where the strap was not touched",
            _G, change=Change(3.0, "CLINICAL 3.2", Tag.JUDGEMENT),
        )
        for what, sign in (
            ("tilt", "positive: further forward (anterior) than at calibration"),
            ("obliquity", "positive: left side up"),
        )
    ),
)  # fmt: skip
