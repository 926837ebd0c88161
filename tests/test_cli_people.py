"""gaitmon wearers and login-link on a real registry: who is registered, and who may see whom."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gaitmon.cli import main
from gaitmon.errors import NotFoundError
from gaitmon.store.registry import Registry


def run(*arguments: str, home: Path) -> int:
    return main([*arguments, "--home", str(home)])


def test_a_wearer_is_registered_granted_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("login-link", "mary", "--role", "therapist", home=tmp_path) == 0
    assert (
        run("wearers", "--add", "A. Example", "--zone", "Europe/Berlin", "--grant", "mary", home=tmp_path)
        == 0
    )
    capsys.readouterr()
    assert run("wearers", "--json", home=tmp_path) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["display_name"] == "A. Example"
    assert listed["time_zone"] == "Europe/Berlin"
    assert not listed["simulated"]
    registry = Registry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    try:
        mary = registry.user_named("mary")
        assert mary is not None
        assert [w.id for w in registry.wearers_for(mary)] == [listed["id"]]
        assert run("wearers", "--id", listed["id"], "--revoke", "mary", home=tmp_path) == 0
        with pytest.raises(NotFoundError):
            registry.wearer(mary, listed["id"])
    finally:
        registry.close()


def test_the_link_opens_one_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("login-link", "mary", "--role", "therapist", home=tmp_path) == 0
    token = capsys.readouterr().out.strip().split("#")[1]
    registry = Registry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    try:
        assert registry.redeem(token) is not None
        assert registry.redeem(token) is None
    finally:
        registry.close()


def test_the_audit_trail_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("audit", home=tmp_path) == 0
    assert capsys.readouterr().out == "Nothing was read or changed.\n"
    assert run("login-link", "mary", "--role", "therapist", home=tmp_path) == 0
    token = capsys.readouterr().out.strip().split("#")[1]
    at = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
    registry = Registry(f"sqlite:///{tmp_path / 'registry.sqlite'}", now=lambda: at)
    try:
        for id_ in ("w-1", "w-2"):
            registry.add_wearer("A. Example", "UTC", wearer_id=id_)
        registry.redeem(token)
        mary = registry.user_named("mary")
        assert mary is not None
        for _ in range(3):
            registry.audit(mary, "wearer.read", "w-1", within=timedelta(minutes=15))
        registry.audit(mary, "wearer.read", "w-2")
    finally:
        registry.close()
    assert run("audit", "--wearer", "w-1", home=tmp_path) == 0
    (line,) = capsys.readouterr().out.splitlines()
    said = " ".join(line.split())
    assert said == "2026-06-01T12:30:00Z mary wearer.read w-1 (and again, 3 times until 2026-06-01T12:30:00Z)"
    assert run("audit", "--json", home=tmp_path) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [(e["user"], e["action"], e["wearer"], e["times"]) for e in entries] == [
        ("mary", "login", None, 1), ("mary", "wearer.read", "w-1", 3), ("mary", "wearer.read", "w-2", 1),
    ]  # fmt: skip
    assert {e["at_utc"] for e in entries} == {"2026-06-01T12:30:00Z"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("wearers", "--grant", "mary"), "Which wearer?"),
        (("wearers", "--add", "A", "--zone", "Mars/Base"), "is not a time zone"),
        (("wearers", "--add", "A", "--grant", "nobody"), "There is no user nobody"),
        (("login-link", "nobody"), "There is no user nobody"),
    ],
)
def test_a_mistake_is_said_in_one_line(
    arguments: tuple[str, ...], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, home=tmp_path) == 2
    error = capsys.readouterr().err.strip()
    assert says in error
    assert "\n" not in error


def test_an_empty_list_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("wearers", home=tmp_path) == 0
    assert "gaitmon wearers --add" in capsys.readouterr().out
