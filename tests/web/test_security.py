"""Who gets in, from where, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from gaitmon.store.registry import AlertState, Role
from gaitmon.web.app import create_app
from gaitmon.web.security import host_name
from gaitmon.web.settings import WebSettings, login_url
from tests.web.conftest import client_of, csrf
from tests.web.practice import Practice

PAGES = ("/", "/wearers/table", "/wearers/w-ada", "/metrics", "/api")
REST = (
    "/api/v1/wearers",
    "/api/v1/wearers/w-ada",
    "/api/v1/wearers/w-ada/days",
    "/api/v1/wearers/w-ada/bouts",
    "/api/v1/wearers/w-ada/segments/s-2026-11-20",
    "/api/v1/wearers/w-ada/segments/s-2026-11-20/strides",
    "/api/v1/alerts",
    "/api/v1/alerts/1",
    "/api/v1/metrics",
    "/api/v1/openapi.json",
)


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_pages_lead_to_login(practice: Practice, path: str) -> None:
    response = client_of(practice, signed_in=False).get(path)
    assert (response.status_code, response.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("path", REST)
def test_without_a_session_rest_answers_401(practice: Practice, path: str) -> None:
    assert client_of(practice, signed_in=False).get(path).status_code == 401


def test_every_route_but_these_needs_a_session(practice: Practice) -> None:
    """A new route is protected, or it is named here."""
    app = create_app(practice.store, practice.registry, WebSettings(now=practice.clock))
    open_to_all = {"/login", "/urgent-help"}
    client = client_of(practice, signed_in=False)
    seen = 0
    for path, methods in _routes(app.routes):
        if path in open_to_all or path.startswith("/static"):
            continue
        seen += 1
        concrete = path.replace("{wearer_id}", "w-ada").replace("{alert_id}", "1").replace("{segment}", "s")
        for method in methods - {"HEAD"}:
            response = client.request(method, concrete, data={"text": "x"} if method == "POST" else None)
            assert response.status_code in (303, 401), (method, path, response.status_code)
    assert seen > 15


def _routes(routes: object) -> list[tuple[str, set[str]]]:
    found: list[tuple[str, set[str]]] = []
    for route in routes:  # type: ignore[attr-defined]  # FastAPI keeps included routers as nested routes
        if nested := getattr(route, "routes", None):
            found += _routes(nested)
        elif original := getattr(route, "original_router", None):
            found += _routes(original.routes)
        elif methods := getattr(route, "methods", None):
            found.append((route.path, set(methods)))
    return found


@pytest.mark.parametrize(
    "path", ["/wearers/w-other", "/wearers/nobody", "/api/v1/wearers/w-other", "/api/v1/wearers/w-other/days",
             "/api/v1/wearers/w-other/bouts", "/api/v1/wearers/w-other/segments/s-2026-11-20/strides",
             "/api/v1/alerts?wearer=w-other", "/api/v1/alerts/999"]
)  # fmt: skip
def test_a_wearer_not_given_is_not_found(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "Somebody" not in response.text


def test_lists_hold_only_given_wearers(client: httpx.Client) -> None:
    assert "w-other" not in client.get("/").text
    assert "w-other" not in client.get("/api/v1/wearers").text
    assert "w-other" not in client.get("/api/v1/alerts").text


def test_an_alert_of_a_wearer_not_given_is_not_found(practice: Practice, client: httpx.Client) -> None:
    (alert,) = practice.registry.alerts("w-other")
    assert client.get(f"/api/v1/alerts/{alert.id}").status_code == 404


def test_another_therapist_cannot_acknowledge(own_practice: Practice) -> None:
    stranger = own_practice.registry.add_user("Stranger", Role.THERAPIST)
    client = client_of(own_practice, signed_in=False)
    client.post("/login", data={"code": own_practice.registry.create_login_link(stranger)})
    (alert,) = own_practice.registry.alerts("w-ada")
    for path in (f"/alerts/{alert.id}/acknowledge", f"/api/v1/alerts/{alert.id}/acknowledge"):
        assert client.post(path, headers={"x-csrf-token": csrf(client)}).status_code == 404
    assert own_practice.registry.alerts("w-ada")[0].state is AlertState.OPEN


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "10.0.0.7"]
)
def test_a_foreign_host_name_is_refused(practice: Practice, host: str) -> None:
    response = client_of(practice, signed_in=False).get("/login", headers={"host": host})
    assert response.status_code == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"])
def test_loopback_names_are_ours(practice: Practice, host: str) -> None:
    assert client_of(practice, signed_in=False).get("/login", headers={"host": host}).status_code == 200


def test_host_names() -> None:
    assert [host_name(h) for h in ("a:1", "A", "[::1]:2", "[::1]", "a:b", "[::1]x", "")] == [
        "a", "a", "[::1]", "[::1]", "", "", "",
    ]  # fmt: skip


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_form_without_the_sessions_token_is_refused(own_practice: Practice, token: str) -> None:
    client = client_of(own_practice)
    (alert,) = own_practice.registry.alerts("w-ada")
    for path in (f"/alerts/{alert.id}/acknowledge", "/wearers/w-ada/notes", "/logout"):
        response = client.post(path, data={"csrf": token, "note": "n", "text": "t"})
        assert response.status_code == 403, path
    assert own_practice.registry.alerts("w-ada")[0].state is AlertState.OPEN
    assert client.get("/").status_code == 200  # and still signed in


def test_a_token_of_another_session_does_not_help(own_practice: Practice) -> None:
    mine, other = client_of(own_practice), client_of(own_practice)
    response = mine.post("/wearers/w-ada/notes", data={"csrf": csrf(other), "text": "x"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_another_site_cannot_post(own_practice: Practice, headers: dict[str, str]) -> None:
    client = client_of(own_practice)
    response = client.post("/wearers/w-ada/notes", data={"csrf": csrf(client), "text": "x"}, headers=headers)
    assert response.status_code == 403
    link = own_practice.link()
    assert client.post("/login", data={"code": link}, headers=headers).status_code == 403
    assert (
        client.post(
            "/login", data={"code": link}, headers={"origin": str(client.base_url).rstrip("/")}
        ).status_code
        == 303
    )


def test_a_big_body_is_refused(own_client: httpx.Client) -> None:
    assert own_client.post("/login", data={"code": "x" * 70_000}).status_code == 413
    assert (
        own_client.post(
            "/wearers/w-ada/notes", data={"csrf": csrf(own_client), "text": "x" * 3000}
        ).status_code
        == 422
    )


def test_a_login_link_works_once_and_not_late(own_practice: Practice) -> None:
    link = own_practice.link()
    first, second = (client_of(own_practice, signed_in=False) for _ in range(2))
    assert (
        first.post("/login", data={"code": login_url("http://localhost:8000/", link)}).status_code == 303
    )  # pasted whole
    assert second.post("/login", data={"code": link}).status_code == 403
    late = own_practice.link()
    own_practice.now += timedelta(minutes=16)
    assert second.post("/login", data={"code": late}).status_code == 403
    assert second.get("/").status_code == 303


def test_opening_the_link_does_not_use_it_up(own_practice: Practice) -> None:
    """Mail scanners and previews fetch addresses; what they fetch has no secret in it."""
    client = client_of(own_practice, signed_in=False)
    link = own_practice.link()
    for _ in range(3):
        assert client.get(login_url("", link)).status_code == 200
    assert client.post("/login", data={"code": link}).status_code == 303


def test_sign_out_and_the_end_of_a_session(own_practice: Practice) -> None:
    client = client_of(own_practice)
    cookie = dict(client.cookies)
    assert client.post("/logout", data={"csrf": csrf(client)}).status_code == 303
    client.cookies.update(cookie)
    assert client.get("/").status_code == 303
    again = client_of(own_practice)
    own_practice.now += timedelta(hours=12, seconds=1)
    assert again.get("/").status_code == 303
    polled = again.get("/wearers/table", headers={"hx-request": "true"})
    assert (polled.status_code, polled.headers["hx-redirect"]) == (401, "/login")


@pytest.mark.parametrize("path", [*PAGES, *REST, "/login", "/urgent-help", "/nothing", "/static/charts.js"])
def test_headers_of_every_answer(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert ("no-store" in headers.get("cache-control", "")) == (not path.startswith("/static/"))


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(practice: Practice) -> None:
    plain = client_of(practice, signed_in=False).post("/login", data={"code": practice.link()})
    cookie = plain.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    secure = WebSettings(https=True, now=practice.clock)
    client = client_of(practice, signed_in=False, settings=secure)
    response = client.post("/login", data={"code": practice.link()})
    assert response.headers["set-cookie"].startswith("__Host-gaitmon=")
    assert "Secure" in response.headers["set-cookie"]
    assert "max-age" in response.headers["strict-transport-security"]


def test_there_are_no_documentation_pages_from_a_cdn(client: httpx.Client) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404
