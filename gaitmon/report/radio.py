"""How the sensors fare on the radio, as a table in a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from gaitmon.sensors.ble.health import AdapterHealth, Health, LinkState, SensorHealth

_COLUMNS = (
    *("sensor", "state", "rate", "age", "lost", "gaps", "drift", "RSSI", "battery", "connect", "links"),
    "errors",
)
_STYLE = {LinkState.STREAMING: "green", LinkState.STALLED: "red", LinkState.WAITING: "yellow"}
# A packet a second late at 60 Hz is no jitter of the radio any more.
_LATE_S = 1.0


def health_table(health: Health) -> Group:
    """One line per sensor, then what an operator should read; from 110 columns on."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(_COLUMNS):
        table.add_column(column, justify="left" if i in (0, 1, 11) else "right", no_wrap=i < 11)
    for sensor in health.sensors:
        table.add_row(*_cells(sensor))
    remarks = [s.message for s in health.sensors if s.message] + [
        a.message for a in health.adapters if a.message
    ]
    adapters = Text(" · ".join(_adapter(a) for a in health.adapters), style="dim")
    return Group(table, *(Text(remark, style="yellow") for remark in remarks), adapters)


def _cells(s: SensorHealth) -> tuple[Text | str, ...]:
    late = s.packet_age_s is not None and s.packet_age_s > _LATE_S
    counts = s.counts
    return (
        s.sensor.placement.replace("_", " "),
        Text(s.state, style=_STYLE.get(s.state, "")),
        f"{s.rate_hz:.1f} Hz" if s.state is LinkState.STREAMING else "",
        Text("" if s.packet_age_s is None else f"{s.packet_age_s:.1f} s", style="red" if late else ""),
        "" if counts is None else f"{counts.lost}",
        "" if counts is None else f"{counts.missing_s:.1f} s in {counts.gaps}",
        "" if counts is None or counts.drift_ppm is None else f"{counts.drift_ppm:+.0f} ppm",
        "" if s.rssi_dbm is None else f"{s.rssi_dbm} dBm",
        _battery(s),
        "" if s.connect_s is None else f"{s.connect_s:.1f} s",
        str(s.connections),
        _errors(s.errors),
    )


def _battery(s: SensorHealth) -> str:
    if s.battery_percent is None:
        return ""
    return f"{s.battery_percent} %" + (" +" if s.charging else "")


def _errors(errors: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {n}" for kind, n in sorted(errors.items(), key=lambda e: -e[1]))


def _adapter(a: AdapterHealth) -> str:
    scanning = ", scanning" if a.scanning else ""
    errors = f", {_errors(a.errors)}" if a.errors else ""
    return f"adapter {a.name}: {a.connections} of {a.slots} connections{scanning}{errors}"
