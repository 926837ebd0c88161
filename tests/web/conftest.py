"""One practice for the tests that only read, and a fresh one for those that change something.

Both are served by a real uvicorn on loopback.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gaitmon.web.app import create_app
from gaitmon.web.settings import WebSettings
from tests.peers.browser import serving
from tests.web.practice import Practice, fill, open_practice


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice's files, made once."""
    folder = tmp_path_factory.mktemp("filled")
    with open_practice(folder) as practice:
        fill(practice)
    return folder


@pytest.fixture(scope="session")
def practice(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    folder = tmp_path_factory.mktemp("practice")
    shutil.copytree(filled, folder, dirs_exist_ok=True)
    with open_practice(folder) as practice:
        yield practice


@pytest.fixture
def own_practice(filled: Path, tmp_path: Path) -> Iterator[Practice]:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    with open_practice(tmp_path) as practice:
        yield practice


def client_of(
    practice: Practice, *, signed_in: bool = True, settings: WebSettings | None = None
) -> httpx.Client:
    """A client of the practice's server, which is started by the first; closed with the practice."""
    settings = settings or WebSettings(now=practice.clock)
    if settings not in practice.servers:
        app = create_app(practice.store, practice.registry, settings)
        practice.servers[settings] = practice.resources.enter_context(serving(app))
    url = practice.servers[settings].url
    client = practice.resources.enter_context(httpx.Client(base_url=url, follow_redirects=False))
    if signed_in:
        response = client.post("/login", data={"code": practice.link()})
        assert response.status_code == 303
    return client


@pytest.fixture
def client(practice: Practice) -> httpx.Client:
    return client_of(practice)


@pytest.fixture
def own_client(own_practice: Practice) -> httpx.Client:
    return client_of(own_practice)


def csrf(client: httpx.Client) -> str:
    page = client.get("/").text
    return page.split('name="csrf" value="', maxsplit=1)[1].split('"', maxsplit=1)[0]
