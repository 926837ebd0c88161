"""The gateway's book of sensors: the only place with addresses."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gaitmon.errors import ConfigError
from gaitmon.model import Placement
from gaitmon.sensors.ble.assignment import KnownSensor, SensorBook, load_book, packet_hz, save_book
from tests.sensors.ble.bed import PROFILES

ADDRESSES = ("F0:00:00:00:00:01", "F0:00:00:00:00:02", "F0:00:00:00:00:03")
PLACES = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)


def known(address: str, profile: str = "movella-dot") -> KnownSensor:
    return KnownSensor(address=address, profile=profile, mode=21, rate_hz=60.0)


def book() -> tuple[SensorBook, list[str]]:
    made, names = SensorBook(), []
    for address in ADDRESSES:
        name, made = made.with_sensor(known(address))
        names.append(name)
    return made.with_wearer("anna", dict(zip(PLACES, names, strict=True))), names


def test_a_radio_keeps_its_pseudonym_and_no_two_share_one() -> None:
    made, names = book()
    assert len(set(names)) == 3
    again, same = made.with_sensor(known(ADDRESSES[1]))
    assert again == names[1]
    assert len(same.sensors) == 3
    assert not any(part in name.upper() for name in names for part in ("F0:00", "F000"))


def test_what_is_written_is_read_and_only_by_its_owner(tmp_path: Path) -> None:
    made, names = book()
    path = tmp_path / "sensors.json"
    assert load_book(path) == SensorBook()
    save_book(made, path)
    assert load_book(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = made.assignments("anna", PROFILES)
    assert [(a.sensor.sensor, a.sensor.placement, a.address) for a in found] == list(
        zip(names, PLACES, ADDRESSES, strict=True)
    )
    assert [path.name for path in tmp_path.iterdir()] == ["sensors.json"]


def test_no_address_is_printed() -> None:
    made, _ = book()
    for address in ADDRESSES:
        assert address not in repr(made)
        assert address not in repr(made.assignments("anna", PROFILES))


def test_what_cannot_be_assigned_is_named() -> None:
    made, names = book()
    with pytest.raises(ConfigError, match="s-none is not known"):
        made.with_wearer("ben", {Placement.PELVIS: "s-none"})
    with pytest.raises(ConfigError, match="two places"):
        made.with_wearer("ben", {Placement.PELVIS: names[0], Placement.LEFT_THIGH: names[0]})
    with pytest.raises(ConfigError, match="ben has no sensors"):
        made.assignments("ben", PROFILES)
    with pytest.raises(ConfigError, match="movella-dot, which is not there"):
        made.assignments("anna", {})


def test_a_damaged_book_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "sensors.json"
    path.write_text('{"sensors": {"s-1": {"address": "F0:00:00:00:00:01"}}}')
    with pytest.raises(ConfigError, match="cannot be read") as refused:
        load_book(path)
    assert "F0:00" not in str(refused.value)


def test_packets_to_be_expected() -> None:
    made, _ = book()
    assert packet_hz(made.assignments("anna", PROFILES)[0]) == 60.0
    polar = PROFILES["polar-h10"]
    name, made = made.with_sensor(
        KnownSensor(address=ADDRESSES[0], profile=polar.name, mode=polar.default_mode, rate_hz=200.0)
    )
    assert packet_hz(made.with_wearer("b", {Placement.PELVIS: name}).assignments("b", PROFILES)[0]) is None
