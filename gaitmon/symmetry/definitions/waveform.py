"""Thigh and hip over the stride."""

from __future__ import annotations

from gaitmon.symmetry.definition import (
    LONG_WALKING,
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

_G = Group.WAVEFORM
_HIP = "hip flexion = thigh flexion + anterior pelvic tilt, a sagittal approximation (CLINICAL 2.6)"
_SPEEDS = "from 0.5 to 2.1 m/s, mean curves of Schwartz 2008 (children, scaled)"
_ROM = Change(8.0, "no figure for these sensors is published", Tag.JUDGEMENT)
_ANGLE = Change(5.0, "sessions must differ by about 5 degrees (Wilken 2012)", Tag.PAPER)
_EXTENSION = "positive: extends further on the right"

_ANGLES = (
    ("thigh_flexion", "Thigh flexion"),
    ("hip_flexion", "Hip flexion"),
    ("pelvic_tilt", "Pelvic tilt"),
    ("pelvic_obliquity", "Pelvic obliquity"),
    ("pelvic_rotation", "Pelvic rotation"),
)
_CURVES = "mean curves over 101 points from each side's own IC, own side up and own side forward +"
_SHIFTED = "over shifts of the right curve by up to 20 % of the cycle"
_CHANGED = (
    ("left_thigh_flexion_deviation_deg", "Left thigh flexion"),
    ("right_thigh_flexion_deviation_deg", "Right thigh flexion"),
    *((f"{angle}_deviation_deg", name) for angle, name in _ANGLES if angle.startswith("pelvic")),
)
_ALIKE = "Gurchiek 2019 (idea), CLINICAL 1.3"
_NO_ZERO = "; about its own mean: the offset cannot be seen without a magnetometer"


def _alike(angle: str, name: str) -> tuple[MetricDefinition, ...]:
    source = _ALIKE + (_NO_ZERO if angle == "pelvic_rotation" else "")
    rows = (
        MetricDefinition(
            f"{angle}_rmsd_deg", f"{name}, difference of the sides' curves", "deg",
            "more: the sides move less alike; 0 is never reached, the strides' scatter alone makes some",
            f"RMS over the cycle of right - left; {_CURVES}", source, _G,
            persistence=PROPORTION, distance=True,
        ),
        MetricDefinition(
            f"{angle}_correlation", f"{name}, likeness of the sides' curves", "",
            "1: the same shape; less: the sides move in another way",
            f"largest correlation {_SHIFTED}; {_CURVES}", source, _G, persistence=PROPORTION,
            correlation=True,
        ),
    )  # fmt: skip
    if angle.startswith("pelvic"):
        return rows
    return (
        *rows,
        MetricDefinition(
            f"{angle}_lag_pct", f"{name}, lag of the right", "%",
            "positive: the right is later in its cycle",
            f"shift with the largest correlation, in per cent of the cycle, {_SHIFTED}", source, _G,
            persistence=PROPORTION,
        ),
        MetricDefinition(
            f"{angle}_amplitude_ratio", f"{name}, size of the right curve to the left", "",
            "above 1: moves further on the right", f"slope of right on left at that shift; {_CURVES}",
            source, _G, persistence=PROPORTION,
        ),
    )  # fmt: skip


ROWS: tuple[MetricDefinition, ...] = (
    ln_ratio(
        "thigh_rom", "Thigh range of motion", "max - min of thigh flexion over a stride", _G,
        change=_ROM, core=True,
    ),
    ln_ratio("hip_rom", "Hip range of motion", "max - min of hip flexion over a stride", _G, change=_ROM),
    *per_side(
        "thigh_rom", "Thigh range of motion", "deg", "max - min of thigh flexion over a stride", _G,
        persistence=PART,
        normal=Normal(31.1, 51.7, _SPEEDS, Tag.COMPUTED),
    ),
    *per_side(
        "hip_rom", "Hip range of motion", "deg", "max - min of hip flexion over a stride", _G,
        persistence=PART, source=_HIP,
        normal=Normal(30.5, 52.8, _SPEEDS, Tag.COMPUTED),
    ),
    *per_side(
        "thigh_extension", "Thigh extension", "deg", "largest extension behind the vertical", _G,
        persistence=PART,
        normal=Normal(11.0, 24.0, _SPEEDS, Tag.COMPUTED),
    ),
    *per_side(
        "hip_extension", "Hip extension", "deg", "largest hip extension over a stride, from standing", _G,
        persistence=PART, source=_HIP,
    ),
    *(
        row
        for joint, name in (("thigh", "Thigh"), ("hip", "Hip"))
        for row in (
            difference(
                f"{joint}_extension", f"{name} extension, right minus left", "deg",
                f"{joint} extension", _G, sign=_EXTENSION, source="CLINICAL 1.5", change=_ANGLE,
            ),
            normalised(f"{joint}_extension", f"{name} extension", f"{joint} extension", _G, _EXTENSION),
        )
    ),
    *(row for angle, name in _ANGLES for row in _alike(angle, name)),
    MetricDefinition(
        "gps5_norm_deg", "Distance of the curves from the norm of this speed (GPS-5)", "deg",
        "more: further from the mean curves of children; context, never a verdict",
        "RMS of five RMS differences about the mean: thigh flexion left and right, pelvic tilt, obliquity "
        "and rotation (both sides' cycles)",
        "after Baker 2009 (M), not the GPS of nine angles; Schwartz 2008, speed scaled by leg length", _G,
        persistence=PART, distance=True,
    ),
    MetricDefinition(
        "waveform_deviation_deg", "Personal waveform change (GPS-5)", "deg",
        "more: the curves have another shape than in the baseline; 0 is never reached",
        "RMS of the five parts; of a day, stride-weighted over bouts, about the curves' own means",
        "CLINICAL 1.9: against the wearer's own mean curve in the same speed band (0.2 m/s); not the GPS of "
        "nine angles, whose limits do not hold here", _G,
        strata=LONG_WALKING, persistence=PART, parts=tuple(i for i, _ in _CHANGED), stored=False,
    ),
    *(
        MetricDefinition(
            id_, f"{name}, change of the curve", "deg",
            "more: the curve has another shape than in the baseline",
            "RMS over the cycle of the day's mean curve less the baseline's, about their own means",
            "a part of waveform_deviation_deg" + (_NO_ZERO if "rotation" in id_ else ""), _G,
            strata=LONG_WALKING, persistence=PART, stored=False,
        )
        for id_, name in _CHANGED
    ),
)  # fmt: skip
