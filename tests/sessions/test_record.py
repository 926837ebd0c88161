"""The file of a session: what is wrong in it is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gaitmon.errors import ConfigError
from gaitmon.sessions.record import read_session, write_session
from tests.sessions.practice import practice


def test_a_session_comes_back_as_it_was_written(tmp_path: Path) -> None:
    session = practice().session(marks_s=1.0)
    write_session(session, tmp_path / "s.session.json")
    assert read_session(tmp_path / "s.session.json") == session
    assert [p.name for p in tmp_path.iterdir()] == ["s.session.json"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conditions": {"pain": 11}}, "conditions.pain"),
        ({"conditions": {"shoes": "x"}}, "conditions.shoes"),
        ({"wearer": "a name with spaces"}, "wearer"),
        ({"tests": [{"kind": "10m-walk", "start_s": 1, "stop_s": 9}]}, "distance= is needed"),
        ({"tests": [{"kind": "10m-walk", "start_s": 9, "stop_s": 9, "distance_m": 10}]}, "not after"),
        ({"tests": [{"kind": "single-leg-stance", "start_s": 1, "stop_s": 9}]}, "side= is needed"),
        ({"tests": [{"kind": "quiet-stance", "start_s": 1, "stop_s": 9, "side": "left"}]}, "has no side"),
        (
            {"tests": [{"kind": "quiet-stance", "start_s": 1, "stop_s": 9, "distance_m": 3}]},
            "has no distance",
        ),
        ({"tests": [{"kind": "quiet-stance", "start_s": 1, "stop_s": 9000}]}, "outside the session"),
        ({"tests": [{"kind": "hop", "start_s": 1, "stop_s": 9}]}, "tests.0.kind"),
        ({"format": "gaitmon.session/2"}, "format"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    fields = json.loads(practice().session().model_dump_json(exclude_none=True)) | change
    path = tmp_path / "s.session.json"
    path.write_text(json.dumps(fields))
    with pytest.raises(ConfigError, match=said):
        read_session(path)


def test_no_json_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "s.session.json").write_text("{")
    for name in ("s.session.json", "missing.session.json"):
        with pytest.raises(ConfigError, match=name):
            read_session(tmp_path / name)
