"""What the definition of a metric consists of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SIDES = ("left", "right")
LEVEL_WALKING = ("straight", "short")  # strata of gaitmon.gait.bouts.stratum that are walking on the level
LONG_WALKING = ("straight",)

# How strongly what a stride shows is expected to hang together with the strides before it, as the Hurst
# exponent that gives the mean of some forty the same error: 0.5 is independence.  Stride times of healthy
# adults persist with 0.75 (Hausdorff 1995), the errors of single contacts do not, and what is made of both
# has less, the more the errors weigh.  PACE: both sides' strides together.  PART: one side's, and angles.
# PROPORTION: short phases, and how the stride is divided between them.  DIFFERENCE: one side against the
# other.  EVENTS: the same where it rests on final contacts or other less certain moments.  SCATTER: how far
# values lie from their mean, and differences of single peaks.
PACE, PART, PROPORTION, DIFFERENCE, EVENTS, SCATTER = 0.73, 0.69, 0.65, 0.63, 0.58, 0.52


class Group(StrEnum):
    TEMPORAL = "temporal"
    SPATIAL = "spatial"
    WAVEFORM = "waveform"
    PELVIS = "pelvis"
    SMOOTHNESS = "smoothness"
    LOADING = "loading"
    VOLUME = "volume"
    SESSION = "session"


class Tag(StrEnum):
    """How well a number is founded."""

    PAPER = "P"  # read in a paper
    CODE = "C"  # read in published code or data
    COMPUTED = "D"  # computed from a public data file
    JUDGEMENT = "R"  # engineering judgement, to be replaced by measurement
    MEMORY = "M"  # known, not read again
    UNSURE = "M?"  # known with little certainty: check before quoting


@dataclass(frozen=True, slots=True)
class Change:
    """Smallest change of a day's value that is worth a look, in the metric's unit."""

    value: float
    source: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class Normal:
    """What healthy adults show, as context and never as a verdict.  Limits in the metric's unit."""

    low: float
    high: float
    source: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """id: stable key.  sign: what a positive value, or more of it, means.

    strata: kinds of walking bout in which the value is given.
    min_strides: per side, in one bout, below which no value is given; where a value has no sides, together.
    change: None where no figure is at hand.  normal: likewise.
    persistence: Hurst exponent that is expected of the strides (gaitmon.symmetry.persistence).
    logarithmic: whether its interval is symmetric in the logarithm, as for what measures a scatter.
    distance: whether it is a distance, which noise makes larger, never smaller.
    correlation: whether its interval is that of the distance that lacks to 1.
    derived: functions of gaitmon.symmetry.indices that give further indices exactly from the value.
    parts: metrics that this one is made of and must be shown with.
    core: one of the five that may raise an alert.
    stored: whether a bout carries it.  What is not stored is worked out from its parts when it is shown, or
    of a whole day (group volume), or of a guided test (group session).
    """

    id: str
    name: str
    unit: str
    sign: str
    formula: str
    source: str
    group: Group
    strata: tuple[str, ...] = LEVEL_WALKING
    min_strides: int = 6
    change: Change | None = None
    normal: Normal | None = None
    persistence: float = PACE
    logarithmic: bool = False
    distance: bool = False
    correlation: bool = False
    derived: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    core: bool = False
    stored: bool = True

    @property
    def mdc(self) -> float | None:
        return None if self.change is None else self.change.value

    @property
    def decimals(self) -> int:
        """Digits behind the point in tables and figures."""
        fine = (self.group, self.unit) == (Group.PELVIS, "m") or self.id.endswith("_correlation")
        return 3 if fine else decimals(self.unit)  # a pelvis moves by centimetres; curves are nearly alike


_DECIMALS = {"s": 3, "%": 1, "deg": 1, "m": 2, "m/s": 2, "m/s²": 1, "steps/min": 1, "min": 1}


def decimals(unit: str) -> int:
    """Digits behind the point of a value in this unit, wherever one is shown."""
    return _DECIMALS.get(unit, 2)


MEDIAN = "medians per side; at least 6 cycles per bout (Motti Ader 2020)"
TEN_PER_CENT = Normal(-10.0, 10.0, "general criterion, Hodt-Billington 2012", Tag.PAPER)
DERIVED_OF_LN = ("symmetry_ratio", "symmetry_index_pct", "symmetry_angle_pct")


def ln_ratio(
    what: str,
    name: str,
    quantity: str,
    group: Group,
    *,
    more: str = "larger",
    change: Change | None = None,
    normal: Normal | None = None,
    persistence: float = DIFFERENCE,
    core: bool = False,
) -> MetricDefinition:
    """100 ln(R/L) of the two sides' medians of ``what``."""
    return MetricDefinition(
        f"{what}_ln_pct",
        f"{name}, right against left",
        "%",
        f"positive: {more} on the right",
        f"100 ln(R/L) of {quantity}",
        f"signed form of Plotnik 2005; {MEDIAN}",
        group,
        change=change,
        normal=normal,
        persistence=persistence,
        derived=DERIVED_OF_LN,
        core=core,
    )


def per_side(
    what: str,
    name: str,
    unit: str,
    formula: str,
    group: Group,
    *,
    suffix: str = "",
    sign: str = "more: longer or larger",
    source: str = MEDIAN,
    normal: Normal | None = None,
    persistence: float = PACE,
) -> tuple[MetricDefinition, ...]:
    """The median of each side's strides.  suffix: of the id, where the unit itself will not do."""
    return tuple(
        MetricDefinition(
            f"{what}_{side}_{suffix or unit}",
            f"{name}, {side}",
            unit,
            sign,
            f"{formula}, median over {side} strides",
            source,
            group,
            normal=normal,
            persistence=persistence,
        )
        for side in SIDES
    )


def difference(
    what: str,
    name: str,
    unit: str,
    quantity: str,
    group: Group,
    *,
    sign: str,
    source: str,
    change: Change | None = None,
    normal: Normal | None = None,
    core: bool = False,
) -> MetricDefinition:
    """R - L of the two sides' medians, for what crosses zero."""
    return MetricDefinition(
        f"{what}_asym_{unit}",
        name,
        unit,
        sign,
        f"R - L of {quantity}",
        source,
        group,
        change=change,
        normal=normal,
        persistence=DIFFERENCE,
        core=core,
    )


def normalised(what: str, name: str, quantity: str, group: Group, sign: str) -> MetricDefinition:
    """Queen's normalised symmetry index, for what crosses zero."""
    return MetricDefinition(
        f"{what}_nsi_pct",
        f"{name}, normalised symmetry index",
        "%",
        sign,
        f"100 (R - L) / (max(0, all strides) - min(0, all strides)), R and L medians of {quantity}",
        "Queen 2020 (M)",
        group,
        persistence=DIFFERENCE,
    )
