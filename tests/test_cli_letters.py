"""gaitmon letters on a real store: what was put aside is told without its contents, and can be read again."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from gaitmon.cli import main
from gaitmon.config import Settings
from gaitmon.store.series import DeadLetter, Delivery
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport import topics
from gaitmon.transport.messages import encode, stamp, stride_message
from tests.transport import examples

OUTBOX = "aaaaaaaa-89ab-cdef-0123-456789abcdef"
TOPIC = topics.up("gw-a", "w1", "stride")


def letters(home: Path, *args: str) -> int:
    return main(["letters", *args, "--home", str(home)])


def put_aside(home: Path) -> None:
    """A message that is well by now, one that will never be, twice, and a store that went back in time."""
    good = stamp(encode(stride_message(examples.stride(1), examples.segment())), OUTBOX, 1, 1)
    bad = DeadLetter(TOPIC, b'{"left": 7}', "stride: Field required.")
    with closing(SqliteSeriesStore(Settings(home).series_path)) as store:
        store.write_delivered(
            [],
            [Delivery(OUTBOX, 1, "gw-a")],
            [DeadLetter(TOPIC, good, "schema_version 2 is not known."), bad],
        )
        store.write_delivered([], [], [bad])
        store.write_delivered([], [Delivery(OUTBOX, 9, "gw-a", base=5)])


def test_an_empty_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert letters(tmp_path) == 0
    assert capsys.readouterr().out == "Nothing is put aside, nothing is gone.\n"


def test_they_are_listed_without_their_contents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_aside(tmp_path)
    assert letters(tmp_path) == 0
    first, second, gone = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{TOPIC}, ")
    assert first.endswith("bytes: schema_version 2 is not known.")
    assert second == f"{TOPIC}, 11 bytes (2 times): stride: Field required."
    assert gone.startswith("gw-a: 3 messages are gone, 2 to 4 of outbox")
    assert "left" not in second


def test_what_can_be_stored_now_is_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_aside(tmp_path)
    assert letters(tmp_path, "--retry", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["stored"] == 1
    assert [(x["bytes"], x["times"]) for x in said["letters"]] == [(11, 2)]
    assert said["losses"] == [{"gateway": "gw-a", "outbox": OUTBOX, "first": 2, "last": 4}]
    with closing(SqliteSeriesStore(Settings(tmp_path).series_path)) as store:
        assert len(store.strides("w1", "seg-1")) == 1
    assert letters(tmp_path, "--retry") == 0
    assert capsys.readouterr().out.startswith("stored: 0\n")
