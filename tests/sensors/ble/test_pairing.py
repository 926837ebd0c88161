"""What a scan finds, and what sensors say of themselves when they are asked."""

from __future__ import annotations

import pytest

from gaitmon.sensors.ble.pairing import Told, ask, scan
from tests.sensors.ble.bed import PROFILES, bed, run


@pytest.mark.parametrize("name", ["gaitmon-open", "movella-dot", "polar-h10"])
def test_a_sensor_tells_its_battery_and_its_serial_number(name: str) -> None:
    """Where the profile says how: gaitmon-open by a characteristic, Polar by the name it advertises."""
    profile = PROFILES[name]

    async def room() -> None:
        async with bed(1, profile=profile) as b:
            (found,) = await scan(PROFILES, b.specs, 1.0)
            told = await ask(found, profile)
            assert told.battery_percent == 90
            serial = b.sensors[0].board.address.hex().upper() if name == "gaitmon-open" else ""
            assert told.serial == serial
            in_name = profile.identity.serial_in(found.name)
            assert in_name == ("00000001" if name == "polar-h10" else "")
            b.sensors[0].move_out_of_range()
            assert await ask(found, profile) == Told()

    run(room())
