"""gaitmon simulate: recording and truth belong together; the same arguments give the same files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gaitmon
from gaitmon.cli import main

_SHORT = ["--script", "stand:6,walk:20,stand:3"]


def test_the_truth_lies_beside_the_recording_and_fits_it(tmp_path: Path) -> None:
    out = tmp_path / "walk.gaitrec"
    assert main(["simulate", str(out), *_SHORT, "--step-asymmetry", "8", "--seed", "3"]) == 0
    truth = json.loads((tmp_path / "walk.truth.json").read_text())
    assert truth["simulated"] is True
    assert truth["injected"]["step_time_asymmetry_pct"] == 8.0
    analysis = gaitmon.analyse(out)
    assert analysis.recording.simulated
    steady = [s for s in truth["strides"] if s["straight"] and s["steady"]]
    found = [s for s in analysis.strides if any(abs(s.start_s - t["start_s"]) < 0.1 for t in steady)]
    assert len(found) >= len(steady)


def test_the_same_arguments_give_the_same_samples(tmp_path: Path) -> None:
    for name in ("a", "b"):
        main(["simulate", str(tmp_path / f"{name}.gaitrec"), *_SHORT])
    a, b = (gaitmon.open_recording(tmp_path / f"{n}.gaitrec") for n in "ab")
    assert a.content_id == b.content_id


def test_days_become_one_recording_a_walk(tmp_path: Path) -> None:
    assert main(["simulate", str(tmp_path), "--days", "1"]) == 0
    assert len(list(tmp_path.glob("day-001-walk-*.gaitrec"))) == len(list(tmp_path.glob("*.truth.json"))) >= 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--script", "hop:3"], "'hop' is not a step"),
        (["--script", "walk"], "has no number"),
        (["--script", "walk:0"], "lasts no time"),
        (["--speed", "9"], "speed_m_s"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_one_line(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", str(tmp_path / "x.gaitrec"), *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert says in error
    assert "\n" not in error


def test_another_ending_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(tmp_path / "x.csv"), *_SHORT]) == 2
    assert "x.gaitrec" in capsys.readouterr().err
