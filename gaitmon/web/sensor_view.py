"""How the sensors fare, in words: the table on a wearer's page, the flag in the list of wearers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel

from gaitmon.store.series import HealthRow
from gaitmon.web.formats import ago, utc_of

# A gateway that listens says so every 10 s; what is older it said before it stopped or was lost.
LISTENING = timedelta(seconds=60)
SILENT_S = 60.0
LOW_BATTERY_PERCENT = 20

_STATES = {
    "streaming": "streaming",
    "searching": "not heard, being looked for",
    "waiting for a slot": "waits for a free connection",
    "connecting": "connecting",
    "stalled": "connected, but silent",
    "stopped": "session ended",
}


class _Body(BaseModel):
    """What is shown of a SensorHealthBody (docs/messages.md); what older gateways did not send is None."""

    sensor: str
    placement: str
    profile: str
    state: str
    message: str = ""
    packets: int = 0
    packet_hz: float = 0.0
    connections: int = 0
    gaps: int = 0
    missing_share: float | None = None
    packet_age_s: float | None = None
    connect_s: float | None = None
    drift_ppm: float | None = None
    rssi_dbm: int | None = None
    battery_percent: int | None = None
    errors: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class SensorView:
    """One sensor as its gateway told of it at told_utc.

    state: in words.  needs: what somebody should do, "" when nothing.  flag: the same in two or three words.
    last_heard_utc: its last packet, None before the first.  lost_pct: of the session's time without samples.
    drift_ppm: of its clock against the gateway's, fast is positive.  connect_s: from being heard to the
    stream.  errors: of the link, by kind.
    """

    sensor: str
    where: str
    profile: str
    told_utc: datetime
    state: str
    needs: str
    flag: str
    battery_percent: int | None
    last_heard_utc: datetime | None
    lost_pct: float | None
    gaps: int
    drift_ppm: float | None
    packet_hz: float | None
    rssi_dbm: int | None
    connect_s: float | None
    errors: dict[str, int]


def sensor_views(rows: Sequence[HealthRow], now: datetime, stale_after: timedelta) -> list[SensorView]:
    """rows: of one wearer.  Of the newest message only: sensors worn before are no longer the wearer's."""
    newest = max(rows, key=lambda row: row.at_utc_us, default=None)
    if newest is None:
        return []
    told = [r for r in rows if (r.gateway, r.at_utc_us) == (newest.gateway, newest.at_utc_us)]
    views = [_view(_Body.model_validate_json(r.body), utc_of(r.at_utc_us), now, stale_after) for r in told]
    return sorted(views, key=lambda view: (view.where != "pelvis", view.where))


def flags(views: Sequence[SensorView]) -> str:
    """One line for the list of wearers, "" while there is nothing to do."""
    found = [f"{view.where} {view.flag}" for view in views if view.flag]
    return f"Sensors: {', '.join(found)}." if found else ""


def _view(body: _Body, told: datetime, now: datetime, stale_after: timedelta) -> SensorView:
    listening = now - told <= LISTENING
    heard = told - timedelta(seconds=body.packet_age_s or 0.0) if body.packets else None
    state = _STATES.get(body.state, body.state)
    if not listening and body.state != "stopped":
        state = "not known: the gateway has fallen silent"
    needs, flag = _needs(body, heard, now, listening=listening, recent=now - told <= stale_after)
    streams = listening and body.state == "streaming"
    return SensorView(
        sensor=body.sensor,
        where=body.placement.replace("_", " "),
        profile=body.profile,
        told_utc=told,
        state=state,
        needs=needs,
        flag=flag,
        battery_percent=body.battery_percent,
        last_heard_utc=heard,
        lost_pct=None if body.missing_share is None else 100.0 * body.missing_share,
        gaps=body.gaps,
        drift_ppm=body.drift_ppm,
        packet_hz=body.packet_hz if streams else None,
        rssi_dbm=body.rssi_dbm,
        connect_s=body.connect_s,
        errors=body.errors,
    )


def _needs(
    body: _Body, heard: datetime | None, now: datetime, *, listening: bool, recent: bool
) -> tuple[str, str]:
    """(what to do, the same for the list).  A battery stays low after the session, until nobody wears it."""
    silent = listening and body.state not in ("streaming", "connecting", "stopped")
    if silent and (heard is None or (now - heard).total_seconds() >= SILENT_S):
        since = "Never heard in this session" if heard is None else f"Last heard {ago(heard, now)}"
        return f"{since}: wake it up, bring it near, see its battery.", "silent"
    percent = body.battery_percent
    if recent and percent is not None and percent <= LOW_BATTERY_PERCENT:
        return "Charge it before the next walk.", f"battery {percent} %"
    return (body.message if listening else ""), ""
