"""Templates with the few functions they need, and the address of a static file with its content's hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from gaitmon.store.registry import User
from gaitmon.web import formats
from gaitmon.web.definitions import metric_info
from gaitmon.web.security import csrf_token, session_token, settings_of
from gaitmon.web.trend_view import day_margin

_HERE = Path(__file__).parent


@cache
def static_url(name: str) -> str:
    """Changes when the file does, so that a browser never mixes two versions."""
    digest = hashlib.sha256((_HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (
        formats.number,
        formats.quantity,
        formats.unit_symbol,
        formats.local_time,
        formats.day_text,
        formats.day_short,
        day_margin,
        formats.duration,
        formats.ago,
        metric_info,
        static_url,
    ):
        environment.globals[function.__name__] = function
    return environment


_ENVIRONMENT = _environment()


def render(
    request: Request,
    template: str,
    context: Mapping[str, object] | None = None,
    *,
    user: User | None = None,
    status: int = 200,
) -> HTMLResponse:
    """user: whoever is signed in; None gives the page without its navigation."""
    text = _ENVIRONMENT.get_template(template).render(
        {
            "user": user,
            "csrf": csrf_token(session_token(request)) if user else "",
            "path": request.url.path,
            "now": settings_of(request).now(),
            **(context or {}),
        }
    )
    return HTMLResponse(text, status)
