"""The table of sensors: what an operator sees while they stream, and while they do not."""

from __future__ import annotations

from rich.console import Console

from gaitmon.model import Placement
from gaitmon.report.radio import health_table
from gaitmon.sensors.ble.health import AdapterHealth, Health, LinkState, SensorHealth
from gaitmon.sensors.raw import AssignedSensor
from gaitmon.sensors.stream_sensor import SensorCounts


def sensor(placement: Placement, state: LinkState, message: str = "", **known: object) -> SensorHealth:
    nothing: dict[str, object] = {
        "adapter": None, "connections": 0, "attempts": 0, "packets": 0, "rate_hz": 0.0, "packet_age_s": None,
        "counts": None, "rssi_dbm": None, "battery_percent": None, "charging": None, "connect_s": None,
        "errors": {},
    }  # fmt: skip
    assigned = AssignedSensor("s-1", placement, "movella-dot", 21, 60.0)
    return SensorHealth(sensor=assigned, state=state, message=message, **(nothing | known))  # type: ignore[arg-type]


def shown(health: Health) -> str:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(health_table(health))
    return captured.get()


def test_everything_is_in_its_line() -> None:
    counts = SensorCounts(lost=31, gaps=2, missing_s=0.75, drift_ppm=-12.4)
    streams = sensor(
        Placement.PELVIS, LinkState.STREAMING, rate_hz=59.97, packet_age_s=0.02, rssi_dbm=-61, connections=3,
        battery_percent=87, charging=True, connect_s=0.94, errors={"link lost": 2, "timeout": 5},
        counts=counts,
    )  # fmt: skip
    waits = sensor(Placement.LEFT_THIGH, LinkState.WAITING, "Adapter hci0 is set to 2 connections")
    adapter = AdapterHealth("hci0", 2, 2, True, 7, "Adapter hci0 cannot scan (off).", {"scanner quiet": 1})
    text = shown(Health((streams, waits), (adapter,)))
    line = next(row for row in text.splitlines() if "pelvis" in row)
    for part in (
        "streaming",
        "60.0 Hz",
        "0.0 s",
        " 31 ",
        "0.8 s in 2",
        "-12 ppm",
        "-61 dBm",
        "87 % +",
        "0.9 s",
        " 3 ",
    ):
        assert part in line, part
    assert line.rstrip().endswith("timeout 5, link lost 2")
    assert "left thigh" in text
    assert "waiting for a slot" in text
    assert "Adapter hci0 is set to 2 connections" in text
    assert "Adapter hci0 cannot scan (off)." in text
    assert "adapter hci0: 2 of 2 connections, scanning, scanner quiet 1" in text


def test_before_anything_is_known() -> None:
    text = shown(Health((sensor(Placement.PELVIS, LinkState.SEARCHING),), ()))
    assert "searching" in text
    assert "None" not in text
