"""A real headless Chromium with a fresh profile, and a real uvicorn to point it at."""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from starlette.types import ASGIApp

from tests.needs import program


@dataclass
class Server:
    """access_log: the lines uvicorn wrote, as an operator would keep them."""

    url: str
    access_log: list[str] = field(default_factory=list)


class _Lines(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())


@contextmanager
def serving(app: ASGIApp) -> Iterator[Server]:
    """The app on a free loopback port, with uvicorn's access log on."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    running = Server(f"http://127.0.0.1:{listener.getsockname()[1]}")
    handler = _Lines(running.access_log)
    log = logging.getLogger("uvicorn.access")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="uvicorn", daemon=True
    )
    thread.start()
    try:
        yield running
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
        log.removeHandler(handler)
        log.setLevel(level)
        if thread.is_alive():
            raise RuntimeError("uvicorn did not end")


@contextmanager
def chromium(width: int = 1280, height: int = 1000, *, dark: bool = False) -> Iterator[Chrome]:
    """Ends with its profile gone.  The log of its console and of its network can be read from it."""
    binary, driver = program("chromium"), program("chromedriver")
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = binary
        for argument in (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        browser = Chrome(options, Service(driver))
        try:
            features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            resize(browser, width, height)
            yield browser
        finally:
            browser.quit()


def log_messages(browser: Chrome, log: str) -> list[str]:
    """What was written to "browser" (console) or "performance" (network, as JSON) since the last call."""
    entries = browser.get_log(log)  # type: ignore[no-untyped-call]  # selenium's own gap
    return [str(entry["message"]) for entry in entries]


def resize(browser: Chrome, width: int, height: int) -> None:
    """The page's own width; a headless window refuses to be narrower than 500 px by itself."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )


def screenshot(browser: Chrome, path: Path) -> None:
    """The whole page, however long."""
    height = int(browser.execute_script("return document.documentElement.scrollHeight"))
    width = int(browser.execute_script("return window.innerWidth"))
    resize(browser, width, height)
    browser.save_screenshot(str(path))
