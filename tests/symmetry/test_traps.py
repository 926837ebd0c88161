"""Mistakes that a gait laboratory knows, each shown not to be made here.

The inter-thigh angle and the sides: test_recovered.py.
"""

from __future__ import annotations

from dataclasses import replace
from math import atan2, degrees

import pytest

from gaitmon.model import MetricValue, Side
from gaitmon.simulate import Stairs, Stand, Turn, Walk, WalkerParams
from gaitmon.symmetry import indices
from gaitmon.symmetry.definition import SIDES
from gaitmon.symmetry.metrics import CORE, METRICS, Group
from gaitmon.symmetry.strides import BOTH, SIDED, MeasuredStride, PelvisStride
from gaitmon.symmetry.summary import pool, summarise
from tests.gait.walks import walked
from tests.symmetry.drawn import bouts

SIGNED = [m for m, d in METRICS.items() if d.stored and m.endswith(("_ln_pct", "_asym_deg", "_nsi_pct"))]


def by_metric(found: tuple[MetricValue, ...]) -> dict[str, MetricValue]:
    return {m.metric: m for m in found}


def exchanged(strides: list[MeasuredStride]) -> list[MeasuredStride]:
    return [
        replace(m, stride=replace(m.stride, side=None if m.stride.side is None else m.stride.side.other))
        for m in strides
    ]


def test_magnitudes_are_never_averaged() -> None:
    """Every signed index changes its sign, and nothing else, when the sides are exchanged, and a walk pooled
    with its mirror image is symmetric; a mean of magnitudes would be neither."""
    (walk,) = bouts(1, 40, 3)
    own, mirrored = by_metric(summarise(walk)), by_metric(summarise(exchanged(walk)))
    both = by_metric(pool([tuple(own.values()), tuple(mirrored.values())]))
    given = [m for m in SIGNED if own[m].value is not None]
    assert len(given) >= 10
    for metric in given:
        value = own[metric].value
        assert value is not None
        assert mirrored[metric].value == pytest.approx(-value)
        assert both[metric].value == pytest.approx(0.0, abs=1e-12)
        assert mirrored[metric].standard_error == pytest.approx(own[metric].standard_error)


def test_rotation_is_an_excursion_and_never_an_offset() -> None:
    names = list(PelvisStride._fields) + list(METRICS)
    rotation = [n for n in names if "rotation" in n]
    assert rotation
    assert not [n for n in rotation if "offset" in n or "mean" in n or "change" in n]
    for metric in rotation:
        if metric in METRICS:
            assert "offset cannot be seen" in METRICS[metric].source


def test_no_tilt_is_called_a_fault() -> None:
    tilt = METRICS["pelvis_tilt_change_deg"]
    assert tilt.normal is None
    assert not tilt.core
    assert "no tilt is a fault" in tilt.source
    assert "standing" in tilt.name  # a change from the wearer's own standing, no angle by itself
    words = ("fault", "abnormal", "pathological", "deficit", "weak")
    for m in METRICS.values():
        assert not [w for w in words if w in f"{m.name} {m.sign}".lower()], m.id


def test_turns_starts_and_stops_are_not_mixed_into_straight_walking() -> None:
    """Asked of a straight walk and of one full of turns; every counted stride of the second is straight."""
    plan = (
        Stand(5.0),
        Walk(seconds=20.0),
        Turn(180.0, 2.0),
        Walk(seconds=20.0),
        Turn(-90.0, 1.5),
        Walk(seconds=15.0),
        Stand(3.0),
    )
    walk = walked(plan, WalkerParams(), seed=5)
    for bout in walk.bouts:
        accepted = {(v.side, v.ordinal) for v in bout.strides if v.accepted}
        assert accepted
        assert len(accepted) < len(bout.strides)
        own = walk.simulated.truth.strides
        for m in bout.metrics:
            n_left = sum(side is Side.LEFT for side, _ in accepted)
            assert m.n_left <= n_left, m.metric
        ends = [s.end_s for s in own if not s.straight]
        counted = [s for s in walk.strides if (s.side, s.ordinal) in accepted]
        for s in counted:
            assert not [e for e in ends if abs(e - s.end_s) < 0.1], s
        first, last = min(s.start_s for s in own), max(s.end_s for s in own)
        assert all(s.start_s > first + 0.2 and s.end_s < last - 0.2 for s in counted)


def test_stairs_have_no_values() -> None:
    walk = walked(
        (Stand(5.0), Walk(seconds=15.0), Stand(8.0), Stairs(seconds=15.0), Stand(8.0)), WalkerParams(), seed=6
    )
    kinds = [b.stratum for b in walk.bouts]
    assert "excluded:stairs" in kinds
    for bout in walk.bouts:
        if bout.stratum.startswith("excluded"):
            assert all(m.value is None for m in bout.metrics)


def test_a_stratum_in_which_a_metric_is_not_valid_gives_none() -> None:
    (walk,) = bouts(1, 40, 4, acceleration=True)
    straight, short = (by_metric(summarise(walk, kind)) for kind in ("straight", "short"))
    stairs = by_metric(summarise(walk, "excluded:stairs"))
    for metric, d in METRICS.items():
        if not d.stored or straight[metric].value is None:
            continue
        assert (short[metric].value is not None) == ("short" in d.strata), metric
        assert stairs[metric].value is None, metric
    assert short["pci_pct"].note == "not given for a bout of kind short"


@pytest.mark.parametrize("n", [0, 1, 2, 5, 9, 22])
def test_fewer_strides_than_the_minimum_give_no_number_in_any_metric(n: int) -> None:
    (walk,) = bouts(1, 30, 8, acceleration=True)
    few = [m for m in walk if m.stride.ordinal <= n]
    n_left = sum(m.stride.side is Side.LEFT for m in few)
    n_right = len(few) - n_left
    counted = {False: max(n_left, n_right), True: n_left + n_right}  # at most what can count
    for m in summarise(few):
        need = METRICS[m.metric].min_strides
        of_both = m.metric in (*BOTH, "stride_time_s", "cadence_steps_min")
        if counted[of_both] < need:
            assert m.value is None, m.metric
            assert m.standard_error is None
            what = "seconds of standing" if m.metric.startswith("standing_") else "strides"
            assert m.note.startswith(f"not enough {what} ("), m.metric
            assert m.note.endswith(f" of {need})")


# ---- the table


def test_every_row_says_where_it_comes_from() -> None:
    for m in METRICS.values():
        assert all((m.name, m.sign, m.formula, m.source)), m.id
        assert m.group in (Group.VOLUME, Group.SESSION) or m.min_strides >= 6
        assert set(m.strata) in ({"straight", "short"}, {"straight"}, {"day"}, {"test"})
        assert 0.5 <= m.persistence < 1.0
        assert all(hasattr(indices, d) for d in m.derived)
        assert all(p in METRICS for p in m.parts)
        if m.normal is not None:
            assert m.normal.low < m.normal.high
            assert m.normal.source
        if m.change is not None:
            assert m.change.value > 0.0
            assert m.change.source


def test_the_unit_stands_in_the_name() -> None:
    suffix = {"%": "_pct", "deg": "_deg", "s": "_s", "m": "_m", "m/s": "_m_s", "m/s²": "_m_s2",
              "steps/min": "_steps_min", "%·s/m": "_pct_s_m", "min": "_min", "1/h": "_per_h"}  # fmt: skip
    for m in METRICS.values():
        assert m.unit in suffix or m.unit in ("", "SD"), m.id
        assert m.id.endswith(suffix.get(m.unit, "")), m.id


def test_what_is_compared_has_both_sides_in_the_table() -> None:
    for what, unit in SIDED:
        assert {f"{what}_{side}_{unit}" for side in SIDES} <= set(METRICS)
    assert set(BOTH) <= set(METRICS)
    assert len(CORE) == 5


def test_one_index_is_stored_and_the_others_follow_from_it() -> None:
    ids = " ".join(METRICS)
    assert "symmetry_angle" not in ids
    assert "symmetry_ratio" not in ids
    left, right = 0.50, 0.62
    ln = indices.ln_asymmetry_pct(left, right)
    assert indices.symmetry_ratio(ln) == pytest.approx(right / left)
    assert indices.symmetry_index_pct(ln) == pytest.approx(100 * (right - left) / (0.5 * (right + left)))
    assert indices.symmetry_angle_pct(ln) == pytest.approx(100 * (45 - degrees(atan2(left, right))) / 90)
    assert indices.symmetry_angle_pct(-ln) == pytest.approx(-indices.symmetry_angle_pct(ln))
