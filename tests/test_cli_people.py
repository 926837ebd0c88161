"""gaitmon wearers and login-link on a real registry: who is registered, and who may see whom."""

from __future__ import annotations

import json
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
