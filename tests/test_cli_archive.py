"""gaitmon replay: the live run's messages, and a listing that says nothing of the wearer."""

from __future__ import annotations

from pathlib import Path

import pytest

from gaitmon.cli import main
from gaitmon.collector_live import open_live
from gaitmon.config import Settings
from gaitmon.sensors.profile import load_profiles, profiles_folder
from gaitmon.transport.outbox import Outbox
from tests.sensors import raw_events as raw
from tests.test_collector_live import walk

ARCHIVE = "archive-gateway"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two sessions: a walk, and a moment of another."""
    outbox = Outbox(tmp_path / "outbox.sqlite")
    live = open_live(Settings(tmp_path), outbox, load_profiles(profiles_folder()))
    for event in walk():
        live.sink(event)
    live.sink(raw.opened([raw.dot(p) for p in raw.PLACEMENTS], session="second", at_s=100.0))
    live.close_session("stopped")
    live.close()
    outbox.close()
    return tmp_path


def test_json_is_what_the_outbox_had(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(home / ARCHIVE), "--json"]) == 0
    outbox = Outbox(home / "outbox.sqlite")
    stored = [p.payload.decode() for p in outbox.pending(limit=100_000)]
    outbox.close()
    assert capsys.readouterr().out.splitlines() == stored
    assert main(["replay", str(home / ARCHIVE), "--json", "--session", "live-1"]) == 0
    assert capsys.readouterr().out.splitlines() == [m for m in stored if '"segment":"live-1-1"' in m]


def test_the_listing_and_the_summary(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(home / ARCHIVE), "--list"]) == 0
    out = capsys.readouterr().out
    assert "live-1: from 2026-01-01 00:00 UTC, 1.1 min" in out
    assert "left_thigh movella-dot mode 21 60 Hz: 1.0 min, 1 gaps (3.0 s)" in out
    assert "second: from 2026-01-01 00:01 UTC" in out
    assert "wearer-1" not in out
    assert main(["replay", str(home / ARCHIVE), "--session", "live-1"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("live-1-1: ")
    assert "2 bouts" in line


def test_what_is_no_archive_or_session_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(home / "nothing")]) == 2
    assert "no raw archive" in capsys.readouterr().err
    assert main(["replay", str(home / ARCHIVE), "--session", "third"]) == 2
    assert "no session third" in capsys.readouterr().err
    (home / "archive.key").unlink()
    assert main(["replay", str(home / ARCHIVE), "--list"]) == 2
    assert "key" in capsys.readouterr().err
