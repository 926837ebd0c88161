"""How the sensors fare: on the wearer's page, in the list, over REST, and for nobody else."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from gaitmon.web.sensor_view import SensorView, flags, sensor_views
from tests.web.conftest import client_of
from tests.web.practice import LIVE, Practice

STALE = timedelta(hours=48)


def views(practice: Practice, wearer: str = "w-cem") -> dict[str, SensorView]:
    rows = practice.store.health(wearer)
    return {view.where: view for view in sensor_views(rows, practice.now, STALE)}


def table(page: str) -> str:
    return page.split('<table class="data sensors">')[1].split("</table>", maxsplit=1)[0]


def test_the_page_says_how_each_sensor_fares(client: httpx.Client) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", table(client.get("/wearers/w-ada").text)))
    for said in (
        "As the gateway told of them just now",
        "pelvis s-1f6a93c2, movella-dot streaming, 60 packets/s 81 % just now 0.0 % +12 ppm −58 dBm",
        "left thigh s-88d0b111, movella-dot streaming, 60 packets/s Charge it before the next walk.",
        "link lost 2× 12 % just now 1.2 % 3 gaps −31 ppm",
        "not heard, being looked for Last heard 5 min ago: wake it up, bring it near, see its battery.",
        "link lost 1×, timeout 4×",
    ):
        assert said in text
    assert text.index("pelvis") < text.index("left thigh") < text.index("right thigh")


def test_the_list_flags_only_what_needs_somebody(client: httpx.Client) -> None:
    page = client.get("/").text
    (flag,) = re.findall(r'<span class="sensors-flag">([^<]*)<', page)
    assert flag == "Sensors: left thigh battery 12 %, right thigh silent."
    assert "sensors-flag" in page.split('id="row-w-ada"')[1].split("</tr>")[0]
    assert "No gateway has told of this wearer" in client.get("/wearers/w-emil").text


def test_rest_gives_the_same_and_says_who_asked(own_practice: Practice) -> None:
    client = client_of(own_practice)
    answer = client.get("/api/v1/wearers/w-ada/sensors").json()
    assert answer["simulated"] is True
    left = next(item for item in answer["items"] if item["where"] == "left thigh")
    assert (left["flag"], left["battery_percent"], left["lost_pct"]) == ("battery 12 %", 12, 1.2)
    assert own_practice.registry.audit_trail("w-ada")[-1].action == "api.sensors.read"


@pytest.mark.parametrize("path", ["/wearers/w-other", "/api/v1/wearers/w-other/sensors"])
def test_the_sensors_of_somebody_elses_wearer_are_not_told(own_practice: Practice, path: str) -> None:
    own_practice.hear("w-other", 1.0, "gateway-3", *LIVE)
    client = client_of(own_practice)
    assert client.get(path).status_code == 404
    assert client.get("/").text.count("sensors-flag") == 1
    assert client_of(own_practice, signed_in=False).get(path).status_code in (303, 401)


def test_a_session_that_has_ended_and_a_gateway_that_was_lost(own_practice: Practice) -> None:
    ended = views(own_practice, "w-ben")["pelvis"]
    assert (ended.state, ended.flag, ended.packet_hz) == ("session ended", "", None)
    own_practice.hear("w-cem", 600.0, "gateway-3", *LIVE)
    lost = views(own_practice)
    assert {view.state for view in lost.values()} == {"not known: the gateway has fallen silent"}
    # Nobody is told to wake up a sensor because a gateway is away; a battery is low all the same.
    assert flags(list(lost.values())) == "Sensors: left thigh battery 12 %."


def test_a_battery_of_last_week_is_no_flag_any_more(own_practice: Practice) -> None:
    own_practice.hear("w-cem", 50 * 3600.0, "gateway-3", dict(LIVE[1], state="stopped"))
    assert flags(list(views(own_practice).values())) == ""


def test_silent_for_a_moment_is_no_flag_and_never_heard_is_one(own_practice: Practice) -> None:
    moment = dict(LIVE[2], packet_age_s=20.0)
    never = dict(LIVE[0], state="searching", packets=0, packet_age_s=None, missing_share=None)
    own_practice.hear("w-cem", 2.0, "gateway-3", moment, never)
    seen = views(own_practice)
    assert seen["right thigh"].flag == ""
    assert seen["pelvis"].last_heard_utc is None
    assert flags(list(seen.values())) == "Sensors: pelvis silent."
    assert seen["pelvis"].needs.startswith("Never heard in this session")


def test_a_sensor_worn_before_is_not_shown(own_practice: Practice) -> None:
    own_practice.hear("w-cem", 3600.0, "gateway-3", *LIVE)
    own_practice.hear("w-cem", 1.0, "gateway-3", LIVE[0])
    assert list(views(own_practice)) == ["pelvis"]


def test_what_an_older_gateway_does_not_send_is_a_dash(own_practice: Practice) -> None:
    own_practice.hear(
        "w-cem", 1.0, "gateway-3", dict(LIVE[0], missing_share=None, connect_s=None, rssi_dbm=None)
    )
    page = table(client_of(own_practice).get("/wearers/w-cem").text)
    assert re.search(r'data-label="Lost" class="num">–<', page)
    assert re.search(r'data-label="Signal" class="num">–<', page)
