"""Proxies of loading: accelerations and times, not forces."""

from __future__ import annotations

from gaitmon.symmetry.definition import (
    DIFFERENCE,
    PROPORTION,
    SCATTER,
    Change,
    Group,
    MetricDefinition,
    Normal,
    Tag,
    ln_ratio,
    per_side,
)

_G = Group.LOADING
_PROXY = (
    "a proxy, not a force: such peaks agree poorly with force plates (ICC 0.18 to 0.35, PLoS ONE 0273308)"
)
_TEN = Change(10.0, "no figure for these sensors is published", Tag.JUDGEMENT)
_PEAK = "largest {} below 20 Hz within 150 ms of own IC"

_LIMP = ("stance_time_ln_pct", "step_time_ln_pct", "impact_ln_pct", "thigh_rom_ln_pct", "drop_asym_deg")

ROWS: tuple[MetricDefinition, ...] = (
    *per_side(
        "impact", "Impact peak at the pelvis", "m/s²",
        _PEAK.format("vertical acceleration of the pelvis less gravity"), _G, suffix="m_s2",
        sign="more: harder landing", persistence=DIFFERENCE, source=_PROXY,
        normal=Normal(2.3, 4.4, "centre of mass, slow to fast, from ground reaction curves", Tag.COMPUTED),
    ),
    ln_ratio("impact", "Impact peak at the pelvis", "impact peaks", _G, change=_TEN, persistence=SCATTER),
    *per_side(
        "thigh_impact", "Impact peak at the thigh", "m/s²",
        _PEAK.format("acceleration along the own thigh less gravity"), _G, suffix="m_s2",
        sign="more: harder landing", persistence=DIFFERENCE, source=f"{_PROXY}; soft tissue rings",
    ),
    ln_ratio(
        "thigh_impact", "Impact peak at the thigh", "impact peaks", _G, change=_TEN, persistence=SCATTER
    ),
    MetricDefinition(
        "stance_load_ratio",
        "Stance-time load ratio, right to left",
        "",
        "below 1: stands on the right leg for less time, as with pain on the right",
        "stance time R / L = exp(stance_time_ln_pct / 100)",
        "antalgic gait shortens stance on the painful side (CLINICAL 1.8); time, not force",
        _G,
        normal=Normal(0.905, 1.105, "10 % either way, Hodt-Billington 2012", Tag.PAPER),
        persistence=PROPORTION,
        parts=("stance_time_ln_pct",),
        stored=False,
    ),
    MetricDefinition(
        "limp_index",
        "Limp index",
        "SD",
        "more: further from the wearer's own baseline, whichever way; about 1 when nothing changed",
        "root mean square of the parts' distances from the baseline's mean in its SDs",
        "gaitmon's own, no norm is published: only against the wearer's own baseline, always with its parts",
        _G,
        parts=_LIMP,
        persistence=PROPORTION,
        stored=False,
    ),
)  # fmt: skip
