"""gaitmon session from the command line, on a simulated recording."""

from __future__ import annotations

import builtins
import json
from pathlib import Path

import pytest

from gaitmon.cli import main
from gaitmon.sensors.formats import write_recording
from gaitmon.sessions.kinds import GUIDES, STOP, Kind
from tests.sessions.practice import practice


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a recording and one session of it."""
    path = tmp_path_factory.mktemp("session")
    write_recording(practice().recording, path / "visit.gaitrec")
    assert main([*new(path), *marked()]) == 0
    return path


def new(folder: Path) -> list[str]:
    return ["session", "new", str(folder / "visit.gaitrec"), "--wearer", "w1", "--purpose", "first visit"]


def marked() -> list[str]:
    out = ["--footwear", "trainers", "--pain", "3", "--leg-length", "0.9"]
    for t in practice().tests:
        text = f"{t.kind}:{t.start_s:.1f}-{t.stop_s:.1f}"
        text += f":side={t.side}" if t.side else ""
        text += f":distance={t.distance_m:.2f}" if t.distance_m else ""
        out += ["--test", text]
    return out


# ---- RISK 17: nobody does a test without having been told how not to fall


@pytest.mark.parametrize("kind", Kind)
def test_every_test_has_a_safety_text_of_its_own(kind: Kind) -> None:
    before, stop, after = GUIDES[kind].safety.partition(STOP)
    assert before.strip(), f"{kind}: say what to hold on to, or who stands beside"
    assert stop, f"{kind}: say when to stop"
    assert not after
    assert [k for k in Kind if GUIDES[k].safety == GUIDES[kind].safety] == [kind]


def test_the_tests_are_explained_safety_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["session", "tests"]) == 0
    said = folded(capsys.readouterr().out)
    for kind in Kind:
        guide, told = GUIDES[kind], said[said.index(f"{kind} ({GUIDES[kind].name}") :]
        assert told.index(f"SAFETY: {guide.safety}") < told.index(f"How: {guide.how}")
    assert "not a diagnosis" in said


@pytest.mark.parametrize("kind", Kind)
def test_marking_a_test_says_its_safety_text(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: Kind
) -> None:
    guide = GUIDES[kind]
    mark = f"{kind}:1-31" + (":side=left" if guide.sided else "") + (":distance=10" if guide.distance else "")
    assert main([*new(folder), "--test", mark, "--out", str(tmp_path / "one.session.json")]) == 0
    said = capsys.readouterr()
    assert f"{kind}: {guide.safety}" in said.err
    assert "wrote" in said.out


@pytest.mark.parametrize("kind", Kind)
def test_asking_for_a_test_says_its_safety_text_before_its_marks(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: Kind,
) -> None:
    guide = GUIDES[kind]
    options = ["left"] * guide.sided + ["10"] * bool(guide.distance)
    answers = iter(["", "", "", "", "", kind, "1", "31", *options, ""])
    said_before_start: list[str] = []

    def person(question: str) -> str:
        if question == "start, s: ":
            said_before_start.append(folded(capsys.readouterr().out))
        return next(answers)

    monkeypatch.setattr(builtins, "input", person)
    out = tmp_path / "asked.session.json"
    assert main([*new(folder), "--interactive", "--out", str(out)]) == 0
    (before,) = said_before_start
    assert before.index(f"SAFETY: {guide.safety}") < before.index(f"How: {guide.how}")
    assert json.loads(out.read_text())["tests"][0]["kind"] == kind


def folded(said: str) -> str:
    """On one line."""
    return " ".join(said.split())


# ---- results, calibration, comparison


def test_results_as_a_table_as_json_as_a_figure_and_as_a_calibration(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = str(folder / "visit.session.json")
    plot, calibration = tmp_path / "a.png", tmp_path / "own.json"
    assert (
        main(["session", "analyse", session, "--plot", str(plot), "--save-calibration", str(calibration)])
        == 0
    )
    said, beside = capsys.readouterr()
    for words in ("SIMULATED", "Single-leg stance, left leg stands", "not enough strides", "not a diagnosis"):
        assert words in said
    assert "--save-calibration FILE.json keeps it" in said
    assert f"gaitmon sensors assign w1 --calibration {calibration}" in beside
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert main(["session", "analyse", session, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["session"]["wearer"] == "w1"
    assert [t["kind"] for t in found["tests"]] == [t.kind for t in practice().tests]
    values = {k: v for t in found["tests"] for k, v in t["values"].items()}
    known = {"value": 5.0, "unit": "", "standard_error": 0.0, "interval_95": [5.0, 5.0], "n": 5, "note": ""}
    assert values["test_rising_n"] == known
    assert found["calibration"]["n_strides"] >= 20

    recording = str(folder / "visit.gaitrec")
    own = []
    for options in ([], ["--calibration", str(calibration)]):
        assert main(["analyse", recording, "--json", *options]) == 0
        metrics = json.loads(capsys.readouterr().out)["summary"]["metrics"]
        own.append(metrics["stride_length_m"]["value"])
    together = found["ten_metre_walks_together"]["stride_length_m"]["value"]
    assert own[0] != own[1]
    assert own[1] == pytest.approx(together, rel=0.02)

    told = ["analyse", recording, "--json", "--calibration", str(calibration), "--leg-length"]
    assert main([*told, "0.9"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["stride_length"] == {"leg_length_m": 0.9, "leg_length_assumed": False, "calibrated": True}
    assert found["summary"]["metrics"]["stride_length_m"]["value"] == own[1]
    assert main([*told, "0.84"]) == 2
    assert "made with a leg length of 0.900 m, now it is 0.840 m" in capsys.readouterr().err


def test_conditions_that_differ_are_said_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = [*new(folder), *marked(), "--footwear", "barefoot", "--out", str(folder / "again.session.json")]
    assert main(again) == 0
    capsys.readouterr()
    pair = [str(folder / f"{name}.session.json") for name in ("visit", "again")]
    assert main(["session", "compare", *pair]) == 0
    said = capsys.readouterr().out
    assert said.index("footwear: trainers, then barefoot") < said.index("within measurement error")
    assert main(["session", "compare", *pair, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["conditions_that_differ"] == [
        {"condition": "footwear", "earlier": "trainers", "later": "barefoot"}
    ]
    assert {d["difference"] for d in found["differences"]} <= {0.0, None}


def test_it_asks_for_everything(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answers of a person at a keyboard; one test that does not exist, and one time that is none."""
    answers = iter(
        [
            "w9",
            "second visit",
            "",
            "",
            "",
            "",
            "4",
            "hop",
            "quiet-stance",
            "x",
            "31",
            "quiet-stance",
            "1",
            "31",
            "",
        ]
    )
    monkeypatch.setattr(builtins, "input", lambda _: next(answers))
    out = folder / "asked.session.json"
    assert main(["session", "new", str(folder / "visit.gaitrec"), "--interactive", "--out", str(out)]) == 0
    written = json.loads(out.read_text())
    assert (written["wearer"], written["conditions"]) == ("w9", {"pain": 4})
    assert written["tests"] == [{"kind": "quiet-stance", "start_s": 1.0, "stop_s": 31.0}]
    said = " ".join(capsys.readouterr().out.split())
    assert "no such test" in said
    assert "is not clear" in said
    assert GUIDES[Kind.QUIET_STANCE].safety in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--test", "hop:1-2"], "there is no test 'hop'"),
        (["--test", "10m-walk:one-two"], "is not clear"),
        (["--test", "10m-walk:1-9:metres=10"], "'metres=10' is not known"),
        (["--test", "10m-walk:1-9"], "distance= is needed"),
        (["--test", "single-leg-stance:1-9:side=up"], "side"),
        (["--leg-length", "9"], "A leg length of 9.0 m cannot be"),
        (["--pain", "11"], "pain"),
    ],
)
def test_what_is_wrong_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    out = folder / "wrong.session.json"
    assert main([*new(folder), *arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_file_that_is_no_calibration_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = str(folder / "visit.session.json")
    assert main(["analyse", str(folder / "visit.gaitrec"), "--calibration", wrong]) == 2
    assert "is no calibration" in capsys.readouterr().err


def test_a_session_without_a_timed_walk_gives_no_calibration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "stance.session.json"
    assert main([*new(folder), "--test", "quiet-stance:1-31", "--out", str(out)]) == 0
    assert main(["session", "analyse", str(out), "--save-calibration", str(folder / "none.json")]) == 2
    assert "no 10-metre walk" in capsys.readouterr().err
