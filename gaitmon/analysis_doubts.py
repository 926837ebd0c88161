"""Values that no walking person has: a sensor worn elsewhere, or no walking.  Told, never corrected."""

from __future__ import annotations

from collections.abc import Sequence

from gaitmon.model import MetricValue, Notice, NoticeKind, Placement

# Beyond what patients and fast walkers show: thighs 30 to 60 deg, up to 70 on stairs; shanks of the qmt
# walker 94.  Pelvis 3 to 15 deg about each axis, up to 30 in extreme limps.
_SEGMENTS = (
    ("thigh_rom_left_deg", 75.0, Placement.LEFT_THIGH, "thigh"),
    ("thigh_rom_right_deg", 75.0, Placement.RIGHT_THIGH, "thigh"),
    ("pelvis_tilt_rom_deg", 30.0, Placement.PELVIS, "pelvis"),
    ("pelvis_obliquity_rom_deg", 30.0, Placement.PELVIS, "pelvis"),
    ("pelvis_rotation_rom_deg", 45.0, Placement.PELVIS, "pelvis"),
)
LEAST_STANCE_PCT = 50.0  # by definition: below, both feet are off the ground at times


def doubts(summary: Sequence[MetricValue]) -> list[Notice]:
    """One notice a sensor, and one if the strides are none of walking.  summary: of all bouts together."""
    values = {m.metric: m.value for m in summary if m.value is not None}
    out: dict[Placement, Notice] = {}
    for metric, limit_deg, placement, segment in _SEGMENTS:
        if (value := values.get(metric, 0.0)) > limit_deg:
            text = (
                f"{placement}: moves through {value:.0f} degrees in a stride, which no {segment} does in "
                "walking: check where the sensor sits, and do not use its angles."
            )
            out.setdefault(placement, Notice(NoticeKind.SIDES, text, placement))
    told = list(out.values())
    if (stance := values.get("stance_pct")) is not None and stance < LEAST_STANCE_PCT:
        text = (
            f"Stance lasts {stance:.0f} % of the stride, which is no walking: cycling, running, or sensors "
            "that are not on the thighs."
        )
        told.append(Notice(NoticeKind.SIDES, text))
    return told
