"""The therapist's pages.  Every one that shows health data says so to the audit trail."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from gaitmon.model import NoticeKind
from gaitmon.store.registry import Alert, AlertState
from gaitmon.store.series import BoutRow, SeriesStore
from gaitmon.symmetry.metrics import METRICS
from gaitmon.web import api
from gaitmon.web.alert_view import alert_view
from gaitmon.web.bout_view import bout_view, doubts
from gaitmon.web.chart_json import trend_json
from gaitmon.web.definitions import core_metrics
from gaitmon.web.formats import utc_of
from gaitmon.web.security import (
    CurrentUser,
    WritingUser,
    forget_session,
    registry_of,
    session_token,
    settings_of,
    start_session,
)
from gaitmon.web.sensor_view import sensor_views
from gaitmon.web.states import Summary, WearerState, cohort, summary
from gaitmon.web.templating import render
from gaitmon.web.trend_view import trend_charts, wearer_trends

router = APIRouter(include_in_schema=False)

POLLS_ARE_ONE = timedelta(minutes=15)  # a list left open is one entry of the trail per quarter of an hour
SPANS = {"28": 28, "90": 90, "365": 365, "all": None}


def store_of(request: Request) -> SeriesStore:
    store: SeriesStore = request.app.state.store
    return store


# -- coming in and going out


@router.get("/login")
def login_page(request: Request) -> Response:
    return render(request, "login.html", {"refused": False})


@router.post("/login")
def login(request: Request, code: Annotated[str, Form(max_length=200)]) -> Response:
    """code: the part of the login link after #, brought here by login.js or pasted by hand."""
    settings = settings_of(request)
    token = registry_of(request).redeem(code.strip().rpartition("#")[2], settings.session)
    if token is None:
        return render(request, "login.html", {"refused": True}, status=403)
    response = RedirectResponse("/", 303)
    start_session(response, settings, token)
    return response


@router.post("/logout")
def logout(request: Request, user: WritingUser) -> Response:
    registry_of(request).end_session(session_token(request))
    registry_of(request).audit(user, "logout")
    response = RedirectResponse("/login", 303)
    forget_session(response, settings_of(request))
    return response


# -- the list of wearers


@router.get("/")
def cohort_page(
    request: Request,
    user: CurrentUser,
    q: Annotated[str, Query(max_length=100)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    context = _cohort_context(request, user, q, state)
    return render(request, "cohort.html", context, user=user)


@router.get("/wearers/table")
def cohort_table(
    request: Request,
    user: CurrentUser,
    q: Annotated[str, Query(max_length=100)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    version: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """What polling fetches: 204, and so no change on the screen, while there is nothing new."""
    context = _cohort_context(request, user, q, state)
    if version == context["version"]:
        return Response(status_code=204)
    return render(request, "_cohort_table.html", context, user=user)


def _cohort_context(request: Request, user: CurrentUser, q: str, state: str) -> dict[str, object]:
    settings, registry = settings_of(request), registry_of(request)
    now = settings.now()
    everyone = cohort(registry, store_of(request), user, now, settings.stale_after)
    registry.audit(user, "cohort.read", detail=f"{len(everyone)} wearers", within=POLLS_ARE_ONE)
    shown = [s for s in everyone if _matches(s, q) and state in ("", s.state.key)]
    counts = Counter(s.state for s in everyone)
    version = hashlib.sha256(repr((shown, counts, q, state, f"{now:%Y%m%d%H%M}")).encode()).hexdigest()[:16]
    return {
        "summaries": shown,
        "n_all": len(everyone),
        "counts": [(s, counts[s]) for s in WearerState if counts[s]],
        "q": q,
        "state": state,
        "version": version,
        "states": list(WearerState),
        "poll_s": settings.poll_s,
        "now": now,
    }


def _matches(summary: Summary, q: str) -> bool:
    words = q.casefold().split()
    text = f"{summary.wearer.display_name} {summary.wearer.id} {summary.line} {summary.sensors}".casefold()
    return all(word in text for word in words)


# -- one wearer


@router.get("/wearers/{wearer_id}")
def wearer_page(
    request: Request,
    user: CurrentUser,
    wearer_id: str,
    span: Annotated[str, Query(max_length=5)] = "90",
    stratum: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    settings, registry, store = settings_of(request), registry_of(request), store_of(request)
    wearer = registry.wearer(user, wearer_id)
    registry.audit(user, "wearer.read", wearer.id)
    span = span if span in SPANS else "90"
    rows = store.days(wearer.id)
    trends = wearer_trends(rows, stratum)
    alerts = registry.alerts(wearer.id)
    standing = [a for a in alerts if a.state is not AlertState.CLOSED]
    now = settings.now()
    sensors = sensor_views(store.health(wearer.id), now, settings.stale_after)
    head = summary(
        wearer,
        store,
        standing,
        now,
        settings.stale_after,
        sensors=sensors,
        trends=wearer_trends(rows) if stratum else trends,
    )
    core, other = trend_charts(trends, SPANS[span])
    latest = store.latest_bout(wearer.id)
    context: dict[str, object] = {
        "wearer": wearer,
        "head": head,
        "trends": trends,
        "core_charts": [(chart, trend_json(chart)) for chart in core],
        "other_charts": [(chart, trend_json(chart)) for chart in other],
        "missing_core": [m for m in core_metrics() if not trends.days.get(m)],
        "span": span,
        "spans": list(SPANS),
        "alerts": [alert_view(alert) for alert in _most_urgent_first(standing)],
        "closed_alerts": [a for a in alerts if a.state is AlertState.CLOSED],
        "bout": bout_view(latest, store.segment(wearer.id, latest.segment)) if latest else None,
        "doubts": doubts(latest) if latest else {},
        "sensors": sensors,
        "sensor_notices": _sensor_notices(store, latest) if latest else [],
        "notes": registry.notes(user, wearer.id),
        "utc_of": utc_of,
    }
    return render(request, "wearer.html", context, user=user)


def _sensor_notices(store: SeriesStore, latest: BoutRow) -> list[str]:
    """What is missing or doubtful in the walk shown: swapped sides, a lost or moved sensor, each once."""
    found = [n for n in store.notices(latest.wearer, latest.segment) if n.kind != NoticeKind.RECORDING]
    sides_first = sorted(found, key=lambda n: n.kind != NoticeKind.SIDES)
    return list(dict.fromkeys(n.text for n in sides_first))


def _most_urgent_first(alerts: Sequence[Alert]) -> list[Alert]:
    order = list(AlertState)
    return sorted(alerts, key=lambda a: (order.index(a.state), -a.opened_utc.timestamp()))


@router.post("/alerts/{alert_id}/acknowledge")
def acknowledge(
    request: Request, user: WritingUser, alert_id: int, note: Annotated[str, Form(max_length=2000)] = ""
) -> Response:
    alert = registry_of(request).acknowledge(alert_id, user, note)
    return RedirectResponse(f"/wearers/{alert.wearer}#alert-{alert.id}", 303)


@router.post("/wearers/{wearer_id}/notes")
def write_note(
    request: Request, user: WritingUser, wearer_id: str, text: Annotated[str, Form(max_length=2000)]
) -> Response:
    if text.strip():
        registry_of(request).add_note(user, wearer_id, text)
    return RedirectResponse(f"/wearers/{wearer_id}#notes", 303)


# -- pages without health data


@router.get("/metrics")
def metrics_page(request: Request, user: CurrentUser) -> Response:
    definitions = sorted(METRICS.values(), key=lambda d: not d.core)
    return render(
        request, "metrics.html", {"definitions": definitions, "states": list(WearerState)}, user=user
    )


@router.get("/urgent-help")
def urgent_help(request: Request) -> Response:
    """Open to everyone: nobody should have to sign in to read it."""
    registry, token = registry_of(request), session_token(request)
    user = registry.user_of(token) if token else None
    return render(request, "urgent.html", user=user)


@router.get("/api")
def api_page(request: Request, user: CurrentUser) -> Response:
    return render(request, "api.html", {"operations": api.operations(request.app)}, user=user)
