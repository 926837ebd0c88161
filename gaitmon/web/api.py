"""REST under /api/v1: the same data, the same session, the same audit trail as the pages.

Everything about a wearer comes as a Listing, which says whether any of it is simulated.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from gaitmon.errors import NotFoundError
from gaitmon.store.registry import Alert, AlertState, User, Wearer
from gaitmon.store.series import DayRow, SegmentRow, SeriesStore, StrideRow
from gaitmon.symmetry.metrics import METRICS, Change, Group, Normal
from gaitmon.web.api_bouts import BoutOut
from gaitmon.web.security import CurrentUser, WritingUser, registry_of, settings_of
from gaitmon.web.sensor_view import SensorView, sensor_views
from gaitmon.web.states import Summary, cohort

router = APIRouter(prefix="/api/v1")

NOTICE = "Not a medical device. No diagnosis, no emergency detection."
Row = TypeVar("Row")


class WearerOut(BaseModel):
    """state: alert, watch, no_data, acknowledged, recovering, learning or stable."""

    id: str
    display_name: str
    time_zone: str
    simulated: bool
    state: str
    state_text: str
    last_data_utc: datetime | None
    last_day: str | None
    n_days: int
    n_valid_days: int


class AlertOut(BaseModel):
    id: int
    wearer: str
    simulated: bool
    topic: str
    state: AlertState
    headline: str
    since_day: str
    opened_utc: datetime
    updated_utc: datetime
    closed_utc: datetime | None
    acknowledged_by: str | None
    acknowledged_utc: datetime | None
    note: str
    times_notified: int
    evidence: dict[str, object]


class MetricOut(BaseModel):
    """change: the mdc with its source.  normal: of healthy adults, context and no verdict.  derived: indices
    that follow from the value.  parts: what it must be shown with.  stored: whether bouts have it.  Tags and
    the rest: docs/metrics.md.
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    unit: str
    sign: str
    formula: str
    source: str
    group: Group
    strata: tuple[str, ...]
    min_strides: int
    mdc: float | None
    change: Change | None
    normal: Normal | None
    derived: tuple[str, ...]
    parts: tuple[str, ...]
    stored: bool
    core: bool


class Listing(BaseModel, Generic[Row]):
    """simulated: true when any of the items is."""

    wearer: str
    simulated: bool
    notice: str = NOTICE
    items: list[Row]


@router.get("/wearers", summary="The wearers you were given, who needs attention first")
def wearers(request: Request, user: CurrentUser) -> list[WearerOut]:
    registry, settings = registry_of(request), settings_of(request)
    everyone = cohort(registry, _store(request), user, settings.now(), settings.stale_after)
    registry.audit(user, "api.wearers.read", detail=f"{len(everyone)} wearers", within=timedelta(minutes=15))
    return [_wearer_out(s) for s in everyone]


@router.get("/wearers/{wearer_id}", summary="One wearer")
def wearer(request: Request, user: CurrentUser, wearer_id: str) -> WearerOut:
    _given(request, user, wearer_id, "api.wearer.read")
    settings = settings_of(request)
    everyone = cohort(registry_of(request), _store(request), user, settings.now(), settings.stale_after)
    return next(_wearer_out(s) for s in everyone if s.wearer.id == wearer_id)


@router.get("/wearers/{wearer_id}/days", summary="Day values, oldest first")
def days(
    request: Request,
    user: CurrentUser,
    wearer_id: str,
    metric: Annotated[str | None, Query(max_length=100)] = None,
    since_day: Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}-\d{2}$")] = None,
) -> Listing[DayRow]:
    found = _given(request, user, wearer_id, "api.days.read")
    rows = _store(request).days(wearer_id, metric, since_day)
    return Listing(wearer=wearer_id, simulated=_any(found, (r.simulated for r in rows)), items=rows)


@router.get("/wearers/{wearer_id}/bouts", summary="Walking bouts that start in [start, end), oldest first")
def bouts(
    request: Request,
    user: CurrentUser,
    wearer_id: str,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Listing[BoutOut]:
    """start, end: ISO 8601, UTC where no offset is given; without them the last seven days."""
    found = _given(request, user, wearer_id, "api.bouts.read")
    last = end or settings_of(request).now()
    first = start or last - timedelta(days=7)
    rows = _store(request).bouts(wearer_id, _us(first), _us(last))
    items = [BoutOut.of(row) for row in rows]
    return Listing(wearer=wearer_id, simulated=_any(found, (r.simulated for r in rows)), items=items)


@router.get("/wearers/{wearer_id}/sensors", summary="How the wearer's sensors fare, as last heard of")
def sensors(request: Request, user: CurrentUser, wearer_id: str) -> Listing[SensorView]:
    found, store = _given(request, user, wearer_id, "api.sensors.read"), _store(request)
    latest, settings = store.latest_bout(wearer_id), settings_of(request)
    items = sensor_views(store.health(wearer_id), settings.now(), settings.stale_after)
    simulated = _any(found, [latest is not None and latest.simulated])
    return Listing(wearer=wearer_id, simulated=simulated, items=items)


@router.get("/wearers/{wearer_id}/segments/{segment}", summary="A stretch of recording with one clock")
def segment(request: Request, user: CurrentUser, wearer_id: str, segment: str) -> SegmentRow:
    _given(request, user, wearer_id, "api.segment.read")
    return _segment(request, wearer_id, segment)


@router.get(
    "/wearers/{wearer_id}/segments/{segment}/strides", summary="Strides of a segment or one bout of it"
)
def strides(
    request: Request, user: CurrentUser, wearer_id: str, segment: str, bout: int | None = None
) -> Listing[StrideRow]:
    found = _given(request, user, wearer_id, "api.strides.read")
    simulated = _any(found, [_segment(request, wearer_id, segment).simulated])
    return Listing(
        wearer=wearer_id, simulated=simulated, items=_store(request).strides(wearer_id, segment, bout)
    )


@router.get("/alerts", summary="Alerts of the wearers you were given, newest first")
def alerts(
    request: Request,
    user: CurrentUser,
    wearer: Annotated[str | None, Query(max_length=64)] = None,
    include_closed: bool = False,
) -> list[AlertOut]:
    registry = registry_of(request)
    if wearer is not None:
        registry.wearer(user, wearer)
    given = {w.id: w for w in registry.wearers_for(user)}
    found = [a for a in registry.alerts(wearer, include_closed=include_closed) if a.wearer in given]
    for wearer_id in sorted({a.wearer for a in found}):
        registry.audit(user, "api.alerts.read", wearer_id)
    return [_alert_out(a, given[a.wearer]) for a in found]


@router.get("/alerts/{alert_id}", summary="One alert with its evidence")
def alert(request: Request, user: CurrentUser, alert_id: int) -> AlertOut:
    found = registry_of(request).alert(user, alert_id)
    return _alert_out(found, _given(request, user, found.wearer, "api.alert.read"))


@router.post("/alerts/{alert_id}/acknowledge", summary="Acknowledge; needs the X-CSRF-Token header")
def acknowledge(
    request: Request, user: WritingUser, alert_id: int, note: Annotated[str, Query(max_length=2000)] = ""
) -> AlertOut:
    registry = registry_of(request)
    done = registry.acknowledge(alert_id, user, note)
    return _alert_out(done, registry.wearer(user, done.wearer))


@router.get("/metrics", summary="What every metric means")
def metrics(_: CurrentUser) -> list[MetricOut]:
    return [MetricOut.model_validate(d) for d in METRICS.values()]


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, _: CurrentUser) -> JSONResponse:
    return JSONResponse(schema(request.app))


def schema(app: FastAPI) -> dict[str, Any]:
    return get_openapi(title="gaitmon", version="v1", description=NOTICE, routes=app.routes)


class Operation(BaseModel):
    method: str
    path: str
    summary: str
    parameters: list[str]


def operations(app: FastAPI) -> list[Operation]:
    """The schema's operations, for the page that explains the interface."""
    paths = schema(app)["paths"]
    return [
        Operation(
            method=method.upper(),
            path=path,
            summary=str(operation.get("summary", "")),
            parameters=[p["name"] for p in operation.get("parameters", []) if p["in"] == "query"],
        )
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def _store(request: Request) -> SeriesStore:
    store: SeriesStore = request.app.state.store
    return store


def _given(request: Request, user: User, wearer_id: str, action: str) -> Wearer:
    registry = registry_of(request)
    found = registry.wearer(user, wearer_id)
    registry.audit(user, action, wearer_id)
    return found


def _segment(request: Request, wearer_id: str, segment_id: str) -> SegmentRow:
    row = _store(request).segment(wearer_id, segment_id)
    if row is None:
        raise NotFoundError(f"There is no segment {segment_id!r}.")
    return row


def _any(wearer: Wearer, flags: Iterable[bool]) -> bool:
    return wearer.simulated or any(flags)


def _us(instant: datetime) -> int:
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _wearer_out(s: Summary) -> WearerOut:
    return WearerOut(
        id=s.wearer.id,
        display_name=s.wearer.display_name,
        time_zone=s.wearer.time_zone,
        simulated=s.simulated,
        state=s.state.key,
        state_text=s.line,
        last_data_utc=s.last_data_utc,
        last_day=s.last_day,
        n_days=s.n_days,
        n_valid_days=s.n_valid,
    )


def _alert_out(a: Alert, wearer: Wearer) -> AlertOut:
    return AlertOut(
        id=a.id,
        wearer=a.wearer,
        simulated=wearer.simulated or a.evidence.get("simulated") is True,
        topic=a.topic,
        state=a.state,
        headline=a.headline,
        since_day=a.since_day,
        opened_utc=a.opened_utc,
        updated_utc=a.updated_utc,
        closed_utc=a.closed_utc,
        acknowledged_by=a.acknowledged_by,
        acknowledged_utc=a.acknowledged_utc,
        note=a.note,
        times_notified=a.times_notified,
        evidence=dict(a.evidence),
    )
