"""Who may ask, from where, and what the browser is told to allow.  Reasons: docs/adr/0007-web.md."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gaitmon.store.registry import Registry, User
from gaitmon.web.settings import WebSettings

MAX_BODY_BYTES = 64 * 1024
STATIC = "/static/"

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with it browsers send "Origin: null" on our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=()",
}


class NotSignedInError(Exception):
    """No session, or one that has ended: pages lead to /login, the REST interface answers 401."""


class ForgeryError(Exception):
    """A write without the session's own token, or sent by another site."""


class Guard:
    """Outermost: refuses foreign hosts, foreign origins and big bodies; adds the headers to every answer."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self._app = app
        self._hosts = {host.lower() for host in settings.allowed_hosts}
        self._https = settings.https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(scope, MutableHeaders(scope=message))
            await send(message)

        refused = self._refusal(scope)
        await (refused or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if host_name(headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("This address is not one of gaitmon's.", 400)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        if _is_foreign(headers):
            return PlainTextResponse("This request came from another site.", 403)
        length = headers.get("content-length", "")
        if not length.isdigit():
            return PlainTextResponse("A length is needed.", 411)
        if int(length) > MAX_BODY_BYTES:
            return PlainTextResponse("Too much at once.", 413)
        return None

    def _add_headers(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in _HEADERS.items():
            headers[name] = value
        if self._https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if not scope["path"].startswith(STATIC):
            headers["Cache-Control"] = "no-store"


def host_name(host: str) -> str:
    """ "[::1]:8000" -> "[::1]"; "LOCALHOST:1" -> "localhost"; what is no host -> ""."""
    host = host.strip().lower()
    if host.startswith("["):
        name, bracket, port = host.partition("]")
        name, rest = name + bracket, port
    else:
        name, colon, port = host.partition(":")
        rest = colon + port
    well_formed = rest == "" or (rest.startswith(":") and rest[1:].isdigit())
    return name if well_formed else ""


def _is_foreign(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        return True
    return headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def registry_of(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry


def settings_of(request: Request) -> WebSettings:
    settings: WebSettings = request.app.state.settings
    return settings


def session_token(request: Request) -> str:
    return request.cookies.get(settings_of(request).cookie, "")


def current_user(request: Request) -> User:
    token = session_token(request)
    user = registry_of(request).user_of(token) if token else None
    if user is None:
        raise NotSignedInError
    return user


CurrentUser = Annotated[User, Depends(current_user)]


def csrf_token(session: str) -> str:
    """What every form of this session carries.  It follows from the session's secret and does not tell it."""
    return hmac.new(session.encode(), b"gaitmon csrf", hashlib.sha256).hexdigest()


def writing_user(request: Request, user: CurrentUser, csrf: Annotated[str, Form()] = "") -> User:
    """The signed-in user of a request that changes something; the token comes as a field or a header."""
    given = csrf or request.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(given.encode(), csrf_token(session_token(request)).encode()):
        raise ForgeryError
    return user


WritingUser = Annotated[User, Depends(writing_user)]


def start_session(response: Response, settings: WebSettings, token: str) -> None:
    response.set_cookie(
        settings.cookie,
        token,
        max_age=int(settings.session.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=settings.https,
    )


def forget_session(response: Response, settings: WebSettings) -> None:
    response.delete_cookie(settings.cookie, path="/", httponly=True, samesite="strict", secure=settings.https)
