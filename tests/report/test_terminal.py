"""The tables in the terminal fit 80 columns and say the values with uncertainty, counts and context."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from gaitmon.analysis import Analysis, analyse
from gaitmon.model import Placement, Posture
from gaitmon.report.terminal import show
from gaitmon.report.words import postures, text_of
from gaitmon.symmetry.metrics import METRICS, Group
from gaitmon.symmetry.uncertainty import interval
from tests.loaders import mtw
from tests.report.walks import limper, limping, only


def shown(a: Analysis, width: int = 110, *, every: bool = False, indices: bool = False) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        show(a, console, every=every, indices=indices)
    return captured.get()


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(name))


@pytest.mark.parametrize("width", [80, 110, 160])
@pytest.mark.parametrize("every", [False, True])
def test_it_fits_and_nothing_is_cut(width: int, *, every: bool) -> None:
    lines = shown(limping(), width, every=every, indices=every).splitlines()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    assert "SIMULATED" in lines[0]


def test_a_row_has_both_sides_their_comparison_the_count_and_the_context() -> None:
    a = limping()
    found = row(shown(a), "Step time (s)")
    for id_, digits, sign in (
        ("step_time_left_s", 3, ""), ("step_time_right_s", 3, ""), ("step_time_ln_pct", 1, "+")
    ):  # fmt: skip
        m = a.metric(id_)
        assert m is not None
        limits = interval(m)
        assert limits is not None
        assert f"{m.value:{sign}.{digits}f} ± {(limits[1] - limits[0]) / 2:.{digits}f}" in found
    left, right = a.metric("step_time_left_s"), a.metric("step_time_right_s")
    assert left is not None
    assert right is not None
    assert f"{left.n_left}|{right.n_right}" in found
    d = METRICS["step_time_left_s"]
    assert d.normal is not None
    assert f"{d.normal.low:g} to {d.normal.high:g}" in found
    assert found.rstrip().endswith(f"{METRICS['step_time_ln_pct'].mdc:g} %")


def test_a_narrow_terminal_has_the_context_below() -> None:
    narrow = " ".join(shown(limping(), 80).split())
    assert "Step time 0.48 to 0.61, MDC 3 %" in narrow


def test_everything_is_every_group_and_the_usual_is_less() -> None:
    usual, every = shown(limping()), shown(limping(), every=True)
    assert len(usual.splitlines()) < 0.7 * len(every.splitlines())
    for d in METRICS.values():
        m = limping().metric(d.id)
        if m is not None and d.group in (Group.SMOOTHNESS, Group.PELVIS) and "_left" not in d.id:
            sided = d.id.endswith("_asym_deg") or "_right" in d.id or d.id.endswith("_ln_pct")
            assert sided or d.name in every, d.id
    assert "Pelvic obliquity" in every
    rmsd = limping().metric("pelvic_obliquity_rmsd_deg")
    assert rmsd is not None
    assert text_of(rmsd) in row(every[every.index("Mean waveforms") :], "Pelvic obliquity")


def test_indices_of_asymmetry() -> None:
    a = limping()
    left, right = a.metric("stance_time_left_s"), a.metric("stance_time_right_s")
    assert left is not None
    assert left.value is not None
    assert right is not None
    assert right.value is not None
    text = shown(a, indices=True)
    found = row(text[text.index("Indices of asymmetry") :], "Stance time")
    assert re.search(rf" {right.value / left.value:.3f} ", found)
    robinson = 200 * (right.value - left.value) / (right.value + left.value)
    assert f"{robinson:+.1f} %" in found
    assert "Indices of asymmetry" not in shown(a)


def test_load_ratio_follows_from_stance_times() -> None:
    ln = limping().metric("stance_time_ln_pct")
    assert ln is not None
    assert ln.value is not None
    assert f"{2.718281828 ** (ln.value / 100):.2f} ± " in row(shown(limping()), "Stance-time load ratio")


def test_volume_is_what_the_spans_and_bouts_hold() -> None:
    a = limping()
    (found,) = a.volume()
    assert (found.from_s, found.to_s) == (a.recording.start_s, a.recording.end_s)
    day = found.values
    for posture in (Posture.SITTING, Posture.STANDING, Posture.WALKING):
        s = sum(p.end_s - p.start_s for p in a.postures if p.posture is posture)
        assert day[f"day_{posture}_min"] == pytest.approx(s / 60, abs=1e-6)
        assert s > 5.0
    assert day["day_bouts_n"] == len(a.bouts)
    assert 0.95 * day["day_steps_n"] <= len([c for c in a.contacts if c.kind == "ic"])
    assert f"{day['day_steps_n']:.0f}" in row(shown(a), "Steps  ")
    assert "sitting 2" in postures(a)


def test_what_is_missing_is_said_and_not_shown_as_a_number() -> None:
    text = shown(analyse(only(limper(), Placement.LEFT_THIGH)))
    assert "n/a" in row(text, "Step time")
    assert "! " in text
    assert not re.search(r"\bnan\b", text)


@pytest.mark.data
def test_a_walk_without_strides_that_count_says_why() -> None:
    text = " ".join(shown(mtw_analysis(), 80).split())
    assert "Strides that do not count: 2 start or stop; 5 beside a turn; 10 turn" in text


def mtw_analysis() -> Analysis:
    return analyse(mtw())
