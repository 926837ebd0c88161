"""The web application, put together on one screen."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from gaitmon.errors import GaitmonError, NotFoundError
from gaitmon.store.registry import Registry
from gaitmon.store.series import SeriesStore
from gaitmon.web import api, pages
from gaitmon.web.security import ForgeryError, Guard, NotSignedInError
from gaitmon.web.settings import WebSettings
from gaitmon.web.templating import render

_STATIC = Path(__file__).parent / "static"
API = "/api/"


def create_app(store: SeriesStore, registry: Registry, settings: WebSettings | None = None) -> FastAPI:
    """Pages and REST over a store and a registry that the caller opened and will close.

    Everything that reads health data needs a session (Registry.create_login_link, settings.login_url) and
    is written to the audit trail.
    """
    # FastAPI's own documentation pages load scripts from a CDN; ours are /api and /api/v1/openapi.json.
    app = FastAPI(title="gaitmon", version="v1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store = store
    app.state.registry = registry
    app.state.settings = settings or WebSettings()
    app.add_middleware(Guard, settings=app.state.settings)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.include_router(pages.router)
    app.include_router(api.router)
    app.add_exception_handler(NotSignedInError, _not_signed_in)
    app.add_exception_handler(ForgeryError, _forged)
    app.add_exception_handler(GaitmonError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    return app


def _not_signed_in(request: Request, _: Exception) -> Response:
    if request.url.path.startswith(API):
        return JSONResponse({"error": "Sign in first: the session is missing or has ended."}, 401)
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse("/login", 303)


def _forged(request: Request, _: Exception) -> Response:
    return _problem(request, 403, "This form has expired or was not ours. Open the page again and repeat.")


def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, NotFoundError):
        return _problem(request, 404, "There is nothing here for you.")
    # The store's own words may hold paths of the server: they belong in its log, not on the page.
    return _problem(request, 503, "The data cannot be read at the moment. Try again shortly.")


def _invalid(request: Request, error: Exception) -> Response:
    fields = (
        {".".join(map(str, e["loc"])) for e in error.errors()}
        if isinstance(error, RequestValidationError)
        else set()
    )
    return _problem(request, 422, f"Not understood: {', '.join(sorted(fields))}.")


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _problem(request, status, HTTPStatus(status).phrase)


def _problem(request: Request, status: int, text: str) -> Response:
    if request.url.path.startswith(API):
        return JSONResponse({"error": text}, status)
    return render(request, "error.html", {"status": status, "text": text}, status=status)
