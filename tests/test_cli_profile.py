"""gaitmon profile: what a person reads of a sensor, and what is said of a profile that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gaitmon.cli import main
from gaitmon.sensors.layout import Layout
from gaitmon.sensors.profile import load_profiles, profiles_folder
from gaitmon.sensors.profile_text import byte_map, described

PROFILES = load_profiles(profiles_folder())


def test_the_list_has_every_profile_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(PROFILES)
    assert "gait_accelerometer_only" in next(line for line in lines if line.startswith("polar-h10"))
    assert main(["profile", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["movella-dot"]["modes"]["21"] == "rate quantities"


@pytest.mark.parametrize("name", PROFILES)
def test_show_says_all_of_a_profile(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "show", name]) == 0
    out = capsys.readouterr().out
    profile = PROFILES[name]
    assert out == described(profile) + "\n"
    for word in (profile.title, profile.source, *profile.quirks, *profile.gatt.values(), *profile.gatt):
        assert word in out
    for mode in profile.mode:
        assert f"Mode {mode.id}: {mode.name}" in out
    assert main(["profile", "show", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == name


def test_a_packet_as_a_byte_map() -> None:
    layout = Layout.model_validate(
        {
            "length": 10,
            "header": 3,
            "samples": 1,
            "constants": [{"offset": 1, "bytes": "5a"}],
            "fields": [
                {"quantity": "counter", "offset": 0, "type": "u8", "unit": "tick"},
                {"quantity": "acc", "offset": 1, "type": "i16", "unit": "mg"},
            ],
        }
    )
    assert list(byte_map(layout)) == ["    0 |  N 5A  .  .  a a_  a a_  a a_"]


def test_check_of_a_right_and_of_a_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (profiles_folder() / "nordic_thingy52.toml").read_text(encoding="utf-8")
    own = tmp_path / "mine.toml"
    own.write_text(text.replace('name = "nordic-thingy52"', 'name = "mine"'), encoding="utf-8")
    assert main(["profile", "check", str(own)]) == 0
    assert capsys.readouterr().out == f"{own}: mine is in order; 1 example checked.\n"
    own.write_text(text.replace("level_offset = 0", ""), encoding="utf-8")
    assert main(["profile", "check", str(own)]) == 2
    said = capsys.readouterr().err
    line = text[: text.index("[battery]")].count("\n") + 1
    assert f"mine.toml, line {line}: battery.level_offset: it is missing." in said
    assert "docs/adding-a-sensor.md" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "nothing"], "There is no profile 'nothing'. Known: gaitmon-open"),
        (["show"], "Which one shall be shown?"),
        (["check"], "Which one shall be checked?"),
        (["list", "movella-dot"], "Did you mean show?"),
        (["check", "nowhere.toml"], "nowhere.toml: not readable"),
    ],
)
def test_a_wrong_question_is_answered(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", *arguments]) == 2
    assert message in capsys.readouterr().err
