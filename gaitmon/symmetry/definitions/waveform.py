"""Thigh and hip over the stride."""

from __future__ import annotations

from gaitmon.symmetry.definition import (
    PART,
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
)  # fmt: skip
