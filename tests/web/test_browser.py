"""The pages in a real Chromium, as a therapist uses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from gaitmon.store.registry import AlertState
from gaitmon.web.settings import WebSettings, login_url
from tests.peers.browser import Server, chromium, log_messages, resize
from tests.web.conftest import client_of
from tests.web.practice import THERAPIST, Practice

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def server(own_practice: Practice) -> Server:
    """Polls every second, so that a test need not wait for long."""
    settings = WebSettings(now=own_practice.clock, poll_s=1)
    client_of(own_practice, signed_in=False, settings=settings)
    return own_practice.servers[settings]


@pytest.fixture
def browser(chrome: Chrome) -> Chrome:
    resize(chrome, 1280, 1000)
    chrome.get("about:blank")
    chrome.delete_all_cookies()
    for log in ("browser", "performance"):
        log_messages(chrome, log)
    return chrome


def sign_in(browser: Chrome, server: Server, link: str) -> None:
    browser.get(login_url(server.url, link))
    _until(browser, lambda: _heading(browser) == "Wearers")


def _until(browser: Chrome, condition: object) -> None:
    WebDriverWait(browser, 8, poll_frequency=0.05).until(lambda _: condition())  # type: ignore[operator]


def _heading(browser: Chrome) -> str:
    found = browser.find_elements(By.TAG_NAME, "h1")
    return found[0].text if found else ""


def test_a_login_link_once_and_its_secret_nowhere(
    browser: Chrome, server: Server, own_practice: Practice
) -> None:
    link = own_practice.link()
    sign_in(browser, server, link)
    assert link not in browser.current_url
    assert browser.execute_script("return document.cookie") == ""
    browser.delete_all_cookies()
    browser.get(login_url(server.url, link))
    _until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "[role=alert]"))
    assert "has been used or has expired" in browser.find_element(By.CSS_SELECTOR, "[role=alert]").text
    assert link not in browser.current_url
    assert any("POST /login" in line for line in server.access_log)
    assert not [line for line in server.access_log if link in line]


def test_a_link_pasted_while_the_login_page_is_open(
    browser: Chrome, server: Server, own_practice: Practice
) -> None:
    browser.get(f"{server.url}/login")
    sign_in(browser, server, own_practice.link())


def test_signing_in_without_scripts(browser: Chrome, server: Server, own_practice: Practice) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(f"{server.url}/login")
        browser.find_element(By.ID, "code").send_keys(own_practice.link(), Keys.ENTER)
        WebDriverWait(browser, 8).until(lambda b: b.find_elements(By.ID, "row-w-ada"))
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_acknowledging_on_the_page(browser: Chrome, server: Server, own_practice: Practice) -> None:
    sign_in(browser, server, own_practice.link())
    browser.find_element(By.LINK_TEXT, "Ada Brandt").click()
    _until(browser, lambda: _heading(browser).startswith("Ada Brandt"))
    assert "SIMULATED" in _heading(browser)
    browser.find_element(By.CSS_SELECTOR, ".acknowledge input[name=note]").send_keys(
        "Called; new insoles", Keys.ENTER
    )
    _until(browser, lambda: browser.find_elements(By.CLASS_NAME, "acknowledged-by"))
    said = browser.find_element(By.CLASS_NAME, "acknowledged-by").text
    assert THERAPIST in said
    assert "Called; new insoles" in said
    (alert,) = own_practice.registry.alerts("w-ada")
    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, THERAPIST)
    trail = [(e.user, e.action) for e in own_practice.registry.audit_trail("w-ada")]
    assert trail == [
        (THERAPIST, "wearer.read"),
        (THERAPIST, "alert.acknowledge"),
        (THERAPIST, "wearer.read"),
    ]


def test_the_list_follows_news_and_keeps_the_focus(
    browser: Chrome, server: Server, own_practice: Practice
) -> None:
    sign_in(browser, server, own_practice.link())
    link = browser.find_element(By.ID, "link-w-ben")
    browser.execute_script("arguments[0].focus(); arguments[0].marked = true", link)
    (alert,) = own_practice.registry.alerts("w-ada")
    own_practice.registry.acknowledge(alert.id, own_practice.therapist, "")
    _until(browser, lambda: "alert open" not in browser.find_element(By.CSS_SELECTOR, "tbody").text)
    focused = browser.execute_script("const e = document.activeElement; return [e.id, e.marked === true]")
    assert focused == ["link-w-ben", True]  # the same element, not a new one in its place


def test_the_filter_while_typing(browser: Chrome, server: Server, own_practice: Practice) -> None:
    sign_in(browser, server, own_practice.link())
    box = browser.find_element(By.ID, "q")
    box.send_keys("fay")
    _until(browser, lambda: _rows(browser) == ["row-w-fay"])
    _until(browser, lambda: _polls(server) > 1)
    assert _rows(browser) == ["row-w-fay"]  # polling asks for the same
    assert browser.switch_to.active_element.get_attribute("value") == "fay"
    box.send_keys(Keys.BACKSPACE * 3)
    _until(browser, lambda: len(_rows(browser)) == 6)


def _rows(browser: Chrome) -> list[str]:
    ids = browser.execute_script("return [...document.querySelectorAll('tbody tr')].map(r => r.id)")
    return [str(i) for i in ids]


def _polls(server: Server) -> int:
    return sum("version=" in line and "q=fay" in line for line in server.access_log)


def test_nothing_is_asked_of_other_hosts_and_nothing_breaks_the_policy(
    browser: Chrome, server: Server, own_practice: Practice
) -> None:
    sign_in(browser, server, own_practice.link())
    for path in ("/wearers/w-ada", "/wearers/w-emil", "/metrics", "/api", "/urgent-help", "/"):
        browser.get(server.url + path)
    requests = [
        message["params"]["request"]["url"]
        for entry in log_messages(browser, "performance")
        if (message := json.loads(entry)["message"])["method"] == "Network.requestWillBeSent"
    ]
    hosts = {urlsplit(url).netloc for url in requests if not url.startswith(("data:", "about:", "blob:"))}
    assert len(requests) > 15
    assert hosts == {urlsplit(server.url).netloc}
    assert log_messages(browser, "browser") == []


def test_charts_are_drawn_and_their_tables_say_the_same(
    browser: Chrome, server: Server, own_practice: Practice
) -> None:
    sign_in(browser, server, own_practice.link())
    browser.get(f"{server.url}/wearers/w-ada")
    figure = browser.find_element(By.ID, "trend-step_time_ln_pct")
    browser.execute_script("arguments[0].scrollIntoView()", figure)
    _until(browser, lambda: figure.find_elements(By.TAG_NAME, "canvas"))
    drawn = browser.execute_script(
        "const c = arguments[0].querySelector('canvas');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return new Set(new Uint32Array(d.buffer)).size",
        figure,
    )
    assert drawn > 20  # colours: band, points, lines, text
    name = figure.find_element(By.CSS_SELECTOR, "[role=img]").get_attribute("aria-label") or ""
    assert "Simulated data" in name
    assert "latest +10.8 %" in name
    figure.find_element(By.TAG_NAME, "summary").click()
    rows = figure.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert len(rows) == len(own_practice.store.days("w-ada", "step_time_ln_pct"))
    assert rows[0].text.startswith("Fri 20 Nov 2026 +10.8 %")


def test_no_page_is_wider_than_its_window(browser: Chrome, server: Server, own_practice: Practice) -> None:
    sign_in(browser, server, own_practice.link())
    for path in ("/", "/wearers/w-ada", "/metrics", "/api", "/urgent-help"):
        for width in (390, 1280):
            resize(browser, width, 900)
            browser.get(server.url + path)
            shown = browser.execute_script("return document.documentElement.scrollWidth")
            assert shown <= width, path


def test_the_keyboard_is_enough(browser: Chrome, server: Server, own_practice: Practice) -> None:
    sign_in(browser, server, own_practice.link())
    browser.get(f"{server.url}/")
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"
    reached = []
    for _ in range(20):
        focused = browser.switch_to.active_element
        reached.append(focused.get_attribute("id") or focused.text)
        outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", reached
        focused.send_keys(Keys.TAB)
        if reached[-1] == "link-w-ben":
            break
    assert {"q", "state", "link-w-ada", "When to get urgent help", "Sign out"} <= set(reached)
    assert reached[-1] == "link-w-ben"
