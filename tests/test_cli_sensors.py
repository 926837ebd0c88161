"""gaitmon sensors: from a scan to sides that have been checked, on virtual sensors."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason

from gaitmon.cli import main
from gaitmon.collector_check import Checked, check, sides_of
from gaitmon.collector_sensors import Radio, Worn
from gaitmon.config import Settings
from gaitmon.demo_air import assigned
from gaitmon.model import Placement
from gaitmon.sensors.ble.assignment import KnownSensor, load_book, save_book
from gaitmon.sensors.ble.backend import AdapterSpec
from gaitmon.sensors.ble.pairing import unusable
from gaitmon.sensors.profile import Fit
from gaitmon.store.registry import Registry
from gaitmon.virtual import warped_loop
from gaitmon.virtual.people import Obedient, room, stroll
from tests.sensors.ble.bed import DOT, PROFILES, run

LEFT, RIGHT = Placement.LEFT_THIGH, Placement.RIGHT_THIGH


def sensors(home: Path, *args: str) -> int:
    return main(["sensors", *args, "--home", str(home)])


def listed(home: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert sensors(home, "list", "--json") == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_scan_identify_assign_list_forget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sensors(tmp_path, "scan", "--virtual", "--seconds", "1", "--battery", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(f["profile"], f["fit"], f["battery_percent"]) for f in found] == 3 * [
        ("movella-dot", "gait", 90)
    ]
    assert all(-80 < f["rssi_dbm"] < -40 for f in found)
    assert "F0:00" not in json.dumps(found)
    pelvis, left, right = (f["id"] for f in found)
    assert sensors(tmp_path, "identify", left, "--virtual", "--seconds", "0.5") == 0
    assert sensors(tmp_path, "assign", "anna", "--pelvis", pelvis, "--left", left, "--right", right) == 0
    rows = {row["id"]: row for row in listed(tmp_path, capsys)}
    assert (rows[left]["wearer"], rows[left]["placement"]) == ("anna", "left_thigh")
    assert sensors(tmp_path, "scan", "--virtual", "--seconds", "0.5") == 0
    assert rows == {row["id"]: row for row in listed(tmp_path, capsys)}
    assert sensors(tmp_path, "forget", "anna") == 0
    assert {row["wearer"] for row in listed(tmp_path, capsys)} == {None}
    assert sensors(tmp_path, "forget", left) == 0
    assert len(listed(tmp_path, capsys)) == 2
    assert sensors(tmp_path, "forget", left) == 2


def test_what_is_unfit_unknown_or_unregistered_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Settings(tmp_path).sensors_path
    tag = next(p for p in PROFILES.values() if p.fit is Fit.POSTURE_ONLY)
    known = KnownSensor(
        address="F0:00:00:00:00:09", profile=tag.name, mode=tag.default_mode, rate_hz=tag.rates.default_hz
    )
    name, book = load_book(path).with_sensor(known)
    save_book(book, path)
    assert sensors(tmp_path, "assign", "anna", "--pelvis", name) == 2
    assert "10 samples a second, 50 are needed" in capsys.readouterr().err
    assert sensors(tmp_path, "assign", "anna", "--pelvis", "s-unknown") == 2
    assert "gaitmon sensors scan" in capsys.readouterr().err
    assert sensors(tmp_path, "assign", "anna") == 2
    assert sensors(tmp_path, "assign", "Anna Example", "--pelvis", name) == 2
    assert load_book(path).worn == {}
    dot, book = book.with_sensor(
        known.model_copy(update={"address": "F0:00:00:00:00:08", "profile": DOT.name, "mode": 21})
    )
    save_book(book, path)
    registry = Registry(Settings(tmp_path).registry_url)
    assert sensors(tmp_path, "assign", "anna", "--pelvis", dot) == 2
    registry.add_wearer("A. Example", "UTC", wearer_id="anna")
    assert sensors(tmp_path, "assign", "anna", "--pelvis", dot) == 0
    assert [(e.action, e.detail) for e in registry.audit_trail("anna")][-1] == (
        "sensors.assign", f"pelvis {dot}"
    )  # fmt: skip
    registry.close()


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("POWERED_OFF", "Switch Bluetooth on"),
        ("NO_BLUETOOTH", "Plug in"),
        ("DENIED_BY_USER", "Let this user"),
    ],
)
def test_what_is_wrong_with_the_adapter_is_said_with_what_to_do(reason: str, remedy: str) -> None:
    error = BleakBluetoothNotAvailableError("AA:BB:CC:DD:EE:FF", BleakBluetoothNotAvailableReason[reason])
    said = str(unusable(AdapterSpec("hci0"), error))
    assert remedy in said
    assert "Adapter hci0" in said
    assert "AA:BB" not in said


def test_the_makers_synchronisation_is_run_asked_and_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio, "run", run)  # a loop that jumps over the pause
    assert sensors(tmp_path, "scan", "--virtual", "--seconds", "0.5", "--json") == 0
    pelvis, left, right = (f["id"] for f in json.loads(capsys.readouterr().out))
    assert sensors(tmp_path, "synchronise") == 2
    assert "Which wearer?" in capsys.readouterr().err
    assert sensors(tmp_path, "synchronise", "anna", "--virtual") == 2
    assert "anna has no sensors" in capsys.readouterr().err
    assert sensors(tmp_path, "assign", "anna", "--pelvis", pelvis, "--left", left, "--right", right) == 0
    capsys.readouterr()
    assert sensors(tmp_path, "synchronise", "anna", "--virtual") == 0
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in table] == ["result", *["synchronised"] * 3]
    # Virtual sensors begin anew with every command.
    assert sensors(tmp_path, "synchronise", "anna", "--virtual", "--state", "--json") == 2
    said = capsys.readouterr()
    assert [(row["id"], row["done"], row["result"]) for row in json.loads(said.out)] == [
        (name, False, "Not synchronised") for name in (pelvis, left, right)
    ]
    assert "Not synchronised: 3 of 3 sensors." in said.err
    assert sensors(tmp_path, "synchronise", "anna", "--virtual", "--end") == 0
    assert "F0:00" not in capsys.readouterr().out


@pytest.mark.parametrize("swapped", [False, True])
def test_a_lifted_knee_settles_the_sides_and_ten_steps_are_found(swapped: bool) -> None:
    async def test() -> Checked:
        async with room(DOT, stroll()) as around:
            assignments = assigned(around)
            if swapped:
                (_, left, right) = assignments
                assignments[1:] = [
                    replace(left, address=right.address), replace(right, address=left.address)
                ]  # fmt: skip
            act = Obedient(around).act
            radio = Radio(around.adapters, around.radio.now_ns, "simulated", act)
            return await check(Worn("anna", "gw", assignments), radio, PROFILES, lambda task: act(task.name))

    with asyncio.Runner(loop_factory=warped_loop(math.inf)) as runner:
        checked = runner.run(test())
    assert checked.sides == ("swapped" if swapped else "right")
    assert all(s.packet_hz == pytest.approx(60.0, abs=1.5) for s in checked.sensors)
    assert checked.sync_bound_s is not None
    assert checked.sync_bound_s < 0.003
    assert min(checked.strides.values()) >= 8
    assert {s.aligned for s in checked.sensors} == {"upright and forward"}


def test_without_a_clear_lift_nothing_is_said_of_the_sides() -> None:
    assert sides_of({LEFT: 4.0, RIGHT: 1.0}) == "right"
    assert sides_of({LEFT: 1.0, RIGHT: 4.0}) == "swapped"
    assert sides_of({LEFT: 3.0, RIGHT: 2.0}) == "unknown"
    assert sides_of({LEFT: 0.2, RIGHT: 0.01}) == "unknown"
    assert sides_of({LEFT: 4.0}) == "right"
