"""What the pages and the REST interface say, over the real store."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import httpx
import pytest

from gaitmon.model import LEG_LENGTH_ASSUMED, Angle
from gaitmon.store.registry import AlertState
from gaitmon.store.series import NoticeRow
from gaitmon.symmetry.metrics import METRICS
from gaitmon.symmetry.uncertainty import factor, interval
from gaitmon.web.formats import margin
from gaitmon.web.settings import WebSettings
from gaitmon.web.states import WearerState, cohort
from gaitmon.web.trend_view import day_margin
from tests.web.conftest import client_of, csrf
from tests.web.practice import THERAPIST, Practice


def test_the_list_is_ordered_by_who_needs_attention(practice: Practice) -> None:
    summaries = cohort(
        practice.registry, practice.store, practice.therapist, practice.now, WebSettings().stale_after
    )
    assert [(s.wearer.id, s.state) for s in summaries] == [
        ("w-ada", WearerState.ALERT),
        ("w-dora", WearerState.NO_DATA),
        ("w-emil", WearerState.NO_DATA),
        ("w-fay", WearerState.ACKNOWLEDGED),
        ("w-cem", WearerState.LEARNING),
        ("w-ben", WearerState.STABLE),
    ]


def test_the_list_says_state_last_data_days_and_alert(client: httpx.Client) -> None:
    page = client.get("/").text
    row = _row(page, "w-ada")
    assert "alert open" in row
    assert "Walking change to review (low priority): step time, stance time" in row
    assert "SIMULATED" in row
    assert re.search(r"<time[^>]*>\s*7 h ago", row)
    assert re.search(r"40\s*<span", row)
    assert "SIMULATED" not in _row(page, "w-ben")
    assert "5 of 14 valid days" in _row(page, "w-cem")
    assert "never" in _row(page, "w-emil")


def _row(page: str, wearer: str) -> str:
    return page.split(f'id="row-{wearer}"')[1].split("</tr>", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=ada", {"w-ada"}),
        ("q=W-BEN", {"w-ben"}),
        ("q=stance+time", {"w-ada", "w-fay"}),
        ("state=no_data", {"w-dora", "w-emil"}),
        ("q=battery", {"w-ada"}),
        ("q=zzz", set()),
        ("q=%3Cscript%3E", set()),
    ],
)
def test_the_filter(client: httpx.Client, query: str, shown: set[str]) -> None:
    page = client.get(f"/?{query}").text
    assert set(re.findall(r'id="row-([\w-]+)"', page)) == shown
    assert "<script>" not in page


def test_polling_answers_nothing_while_nothing_is_new(own_practice: Practice) -> None:
    client = client_of(own_practice)
    version = re.search(r'"version": "(\w+)"', client.get("/").text)
    assert version is not None
    path = f"/wearers/table?version={version[1]}"
    assert client.get(path).status_code == 204
    (alert,) = own_practice.registry.alerts("w-ada")
    own_practice.registry.acknowledge(alert.id, own_practice.therapist, "")
    changed = client.get(path)
    assert changed.status_code == 200
    assert "alert open" not in changed.text.split("<tbody>")[1]
    assert "<html" not in changed.text


def test_a_wearer_with_an_alert(client: httpx.Client) -> None:
    page = client.get("/wearers/w-ada").text
    assert page.count("SIMULATED") > 6  # title, head, notice, alert, every chart, bout
    for said in (
        "This is not a diagnosis.",
        "Acknowledge",
        "The rule in plain words",
        "EWMA",
        "baseline ± limit",
        "123 left, 123 right",
        "not enough strides (2 of 6)",
        "hip_sparkle_index",
        "not described in this version",
        "not valid: too few strides",
        "gaitmon is not a medical device.",
        "cannot detect emergencies",
    ):
        assert said in page, said
    assert "SIMULATED" not in client.get("/wearers/w-ben").text


def test_a_wearer_without_data_and_one_who_learns(client: httpx.Client) -> None:
    empty = client.get("/wearers/w-emil").text
    assert "No days yet." in empty
    assert "No walking bout is stored yet." in empty
    assert "No baseline yet." in client.get("/wearers/w-cem").text
    assert "says nothing about walking" in client.get("/wearers/w-dora").text


def test_a_day_without_a_value_and_an_unknown_stratum_are_shown(client: httpx.Client) -> None:
    assert client.get("/wearers/w-ada?span=28&stratum=nonsense").status_code == 200
    shorter = client.get("/wearers/w-ada?span=28").text
    assert "2026-10-12" in client.get("/wearers/w-ada?span=all").text
    assert "2026-10-12" not in shorter.split('id="trends-title"')[1]


def test_what_is_doubtful_about_the_sensors_is_told(own_practice: Practice) -> None:
    """Left and right that may be swapped must not stay in the store; what reading a file did may."""
    client = client_of(own_practice)
    assert "About the sensors" not in client.get("/wearers/w-ben").text
    latest = own_practice.store.latest_bout("w-ben")
    assert latest is not None
    key = ("w-ben", latest.segment, latest.revision)
    swapped = "Left and right thigh sensors look swapped: check them."
    lost = "pelvis: no samples for 4.0 s; nothing was filled in."
    own_practice.store.write(
        [
            NoticeRow(*key, "gap", lost, "pelvis", 1.0, 5.0, latest.start_utc_us),
            NoticeRow(*key, "sides", swapped, None, None, None, latest.start_utc_us + 1),
            NoticeRow(*key, "recording", "not used: head.", None, None, None, latest.start_utc_us),
        ]
    )
    page = client.get("/wearers/w-ben").text
    told = page.split("About the sensors in the latest walk")[1].split("</section>", maxsplit=1)[0]
    assert told.index(swapped) < told.index(lost)
    assert "not used" not in page


def test_a_speed_of_an_assumed_leg_says_so(own_practice: Practice) -> None:
    """In the walk and over its trend; not beside what no leg is needed for."""
    client = client_of(own_practice)
    assert LEG_LENGTH_ASSUMED not in client.get("/wearers/w-ben").text
    latest = own_practice.store.latest_bout("w-ben")
    assert latest is not None
    metrics = [
        replace(m, note=LEG_LENGTH_ASSUMED) if m.metric == "walking_speed_m_s" else m for m in latest.metrics
    ]
    own_practice.store.write([replace(latest, metrics=tuple(metrics))])
    page = client.get("/wearers/w-ben").text
    assert page.count(LEG_LENGTH_ASSUMED) == 2
    trend = page.split('id="trend-walking_speed_m_s"')[1].split("</figcaption>", maxsplit=1)[0]
    assert f"Latest walk: {LEG_LENGTH_ASSUMED}." in trend


def test_acknowledging_changes_the_state_and_is_attributable(own_practice: Practice) -> None:
    client = client_of(own_practice)
    (alert,) = own_practice.registry.alerts("w-ada")
    note = 'New <b>shoes</b> & "insoles"'
    response = client.post(f"/alerts/{alert.id}/acknowledge", data={"csrf": csrf(client), "note": note})
    assert (response.status_code, response.headers["location"]) == (303, f"/wearers/w-ada#alert-{alert.id}")
    page = client.get("/wearers/w-ada").text
    assert f"Acknowledged by {THERAPIST}" in page
    assert "&lt;b&gt;shoes" in page
    assert "<b>shoes" not in page
    done = own_practice.registry.alerts("w-ada")[0]
    assert (done.state, done.acknowledged_by) == (AlertState.ACKNOWLEDGED, THERAPIST)
    trail = [(e.user, e.action) for e in own_practice.registry.audit_trail("w-ada")]
    assert trail == [(THERAPIST, "alert.acknowledge"), (THERAPIST, "wearer.read")]


def test_notes_and_closed_alerts(own_practice: Practice) -> None:
    client = client_of(own_practice)
    (alert,) = own_practice.registry.alerts("w-ada")
    own_practice.registry.update_alert(alert.id, state=AlertState.CLOSED)
    token = csrf(client)
    client.post("/wearers/w-ada/notes", data={"csrf": token, "text": "Gait training twice a week"})
    client.post("/wearers/w-ada/notes", data={"csrf": token, "text": "   "})
    page = client.get("/wearers/w-ada").text
    assert page.count('<ul class="notes">') == 2
    assert "Gait training twice a week" in page
    assert alert.headline in page.split('id="past"')[1]


def test_evidence_of_another_version_does_not_break_the_page(own_practice: Practice) -> None:
    (alert,) = own_practice.registry.alerts("w-ada")
    own_practice.registry.update_alert(alert.id, evidence={"metrics": "none"})
    client = client_of(own_practice)
    assert "cannot be shown" in client.get("/wearers/w-ada").text
    own_practice.registry.update_alert(alert.id, evidence={"metrics": [{"metric": "new_metric"}]})
    assert "new_metric" in client.get("/wearers/w-ada").text
    assert client.get("/").status_code == 200


def test_every_read_is_in_the_trail(own_practice: Practice) -> None:
    client = client_of(own_practice)
    (alert,) = own_practice.registry.alerts("w-ada")
    reads = {
        "/": "cohort.read",
        "/wearers/w-ada": "wearer.read",
        "/api/v1/wearers": "api.wearers.read",
        "/api/v1/wearers/w-ada": "api.wearer.read",
        "/api/v1/wearers/w-ada/days": "api.days.read",
        "/api/v1/wearers/w-ada/bouts": "api.bouts.read",
        "/api/v1/wearers/w-ada/segments/s-2026-11-20": "api.segment.read",
        "/api/v1/wearers/w-ada/segments/s-2026-11-20/strides": "api.strides.read",
        "/api/v1/alerts": "api.alerts.read",
        f"/api/v1/alerts/{alert.id}": "api.alert.read",
    }
    for path in reads:
        assert client.get(path).status_code == 200, path
    actions = [e.action for e in own_practice.registry.audit_trail() if e.user == THERAPIST]
    assert set(reads.values()) <= set(actions)
    for _ in range(20):
        client.get("/wearers/table")
    assert [e.action for e in own_practice.registry.audit_trail()].count("cohort.read") == 1
    own_practice.now += timedelta(minutes=20)
    client.get("/wearers/table")
    assert [e.action for e in own_practice.registry.audit_trail()].count("cohort.read") == 2


def test_rest_gives_what_is_stored(client: httpx.Client, practice: Practice) -> None:
    days = client.get("/api/v1/wearers/w-ada/days", params={"metric": "step_time_ln_pct"}).json()
    stored = practice.store.days("w-ada", "step_time_ln_pct")
    assert [d["value"] for d in days["items"]] == [d.value for d in stored]
    assert days["simulated"] is True
    assert "No diagnosis" in days["notice"]
    since = client.get("/api/v1/wearers/w-ada/days", params={"since_day": "2026-11-19"}).json()
    assert {d["day"] for d in since["items"]} == {"2026-11-19", "2026-11-20"}
    bouts = client.get("/api/v1/wearers/w-ben/bouts").json()
    assert (len(bouts["items"]), bouts["simulated"]) == (7, False)
    (waveform, *more) = bouts["items"][-1]["waveforms"]
    assert (waveform["angle"], waveform["side"], len(more)) == ("thigh_flexion", "left", 9)
    latest = practice.store.latest_bout("w-ben")
    assert latest is not None
    assert waveform["mean_deg"] == latest.waveforms[0].mean_deg.tolist()
    assert waveform["sd_deg"] == [2.5] * 101
    strides = client.get("/api/v1/wearers/w-ada/segments/s-2026-11-20/strides").json()
    assert len(strides["items"]) == 6
    assert strides["simulated"] is True
    wearers = client.get("/api/v1/wearers").json()
    assert {w["id"]: w["state"] for w in wearers}["w-cem"] == "learning"
    (alert,) = client.get("/api/v1/alerts?wearer=w-ada").json()
    assert alert["simulated"] is True
    assert alert["evidence"]["metrics"][0]["metric"] == "step_time_ln_pct"
    assert client.get("/api/v1/wearers/w-ada/days?since_day=yesterday").status_code == 422


def test_the_schema_describes_every_operation(client: httpx.Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    page = client.get("/api").text
    assert len(schema["paths"]) >= 9
    for path in schema["paths"]:
        assert path.startswith("/api/v1/")
        assert path in page


def test_rest_acknowledges_with_the_token_only(own_practice: Practice) -> None:
    client = client_of(own_practice)
    (alert,) = own_practice.registry.alerts("w-ada")
    path = f"/api/v1/alerts/{alert.id}/acknowledge"
    assert client.post(path).status_code == 403
    done = client.post(path, params={"note": "seen"}, headers={"x-csrf-token": csrf(client)}).json()
    assert (done["state"], done["acknowledged_by"], done["note"]) == ("acknowledged", THERAPIST, "seen")


class Outline(HTMLParser):
    """What a screen reader meets: headings in order, labels, captions, names of images."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.inputs: list[str] = []
        self.tables = self.captions = self.unscoped = 0
        self.unnamed: list[str] = []
        self.inline: list[str] = []
        self.foreign: list[str] = []
        self.lang = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in a:
            self.ids.append(a["id"])
        if tag == "html":
            self.lang = a.get("lang", "")
        if tag == "label":
            self.labelled.add(a.get("for", ""))
        if tag in ("input", "select", "textarea") and a.get("type") != "hidden":
            self.inputs.append(a.get("id", "?"))
        self.tables += tag == "table"
        self.captions += tag == "caption"
        self.unscoped += tag == "th" and "scope" not in a
        hidden = a.get("aria-hidden") == "true"
        if (a.get("role") == "img" and not a.get("aria-label")) or (
            tag == "img" and "alt" not in a and not hidden
        ):
            self.unnamed.append(str(a))
        if "style" in a or any(name.startswith("on") for name in a) or tag == "style":
            self.inline.append(str((tag, a)))
        if tag == "script" and "src" not in a and a.get("type") != "application/json":
            self.inline.append("script")
        for name in ("src", "href", "action"):
            if name in a and not a[name].startswith(("/", "#", "?")):
                self.foreign.append(a[name])


@pytest.mark.parametrize(
    "path", ["/", "/?q=zzz", "/wearers/w-ada", "/wearers/w-ben", "/wearers/w-emil", "/wearers/w-fay",
             "/metrics", "/api", "/urgent-help", "/login", "/wearers/nobody"]
)  # fmt: skip
def test_pages_are_well_formed_for_everyone(client: httpx.Client, path: str) -> None:
    page = client.get(path).text
    outline = Outline(page)
    assert outline.lang == "en"
    assert outline.headings.count(1) == 1
    assert outline.headings[0] == 1
    jumps = [b for a, b in zip(outline.headings, outline.headings[1:], strict=False) if b > a + 1]
    assert not jumps, outline.headings
    assert set(outline.inputs) <= outline.labelled
    assert outline.tables == outline.captions
    assert outline.unscoped == 0
    assert outline.unnamed == []
    assert outline.inline == []
    assert outline.foreign == []
    assert len(outline.ids) == len(set(outline.ids))
    assert page.count("<main") == page.count("<footer") == 1
    assert 'href="/urgent-help"' in page
    assert "Skip to the content" in page


def test_the_urgent_help_text(practice: Practice) -> None:
    page = client_of(practice, signed_in=False).get("/urgent-help").text
    for said in (
        "gaitmon cannot detect emergencies.",
        "999",
        "112",
        "911",
        "push the hip back",
        "calf swelling",
    ):
        assert said in page


def test_the_waveforms_of_the_bout_are_drawn_and_told_in_words(client: httpx.Client) -> None:
    page = client.get("/wearers/w-ben").text
    words = re.findall(r'<svg viewBox="0 0 264 130" role="img" aria-label="([^"]+)"', page)
    assert len(words) == len(Angle)
    assert re.fullmatch(
        r"Thigh flexion over the gait cycle: left from −1\d\.\d° to 2\d\.\d°, \d+ strides; "
        r"right from −1\d\.\d° to 2\d\.\d°, \d+ strides\. "
        r"The sides differ by 1\.3° RMS \(95 % interval (±\xa0)?\d.*°\)\.",
        words[0],
    ), words[0]
    for kind in ("wave-line left", "wave-line right", "wave-band left", "wave-band right"):
        assert page.count(f'class="{kind}"') == len(Angle)


def test_intervals_stand_beside_the_values_and_say_so_once(client: httpx.Client, practice: Practice) -> None:
    page = client.get("/wearers/w-ben").text
    bout = page[page.index('id="bout-title"') :]
    assert bout.count("95 % interval, n: strides") == 1
    assert not re.search(r"\bSE\b", page)
    latest = practice.store.latest_bout("w-ben")
    assert latest is not None
    m = next(m for m in latest.metrics if m.metric == "step_time_ln_pct")
    limits = interval(m)
    assert limits is not None
    assert margin(m.value, limits, "%") in bout
    day = next(d for d in reversed(practice.store.days("w-ben", m.metric)) if d.value is not None)
    assert day.standard_error is not None
    half = factor(day.n_strides // 2, METRICS[m.metric].persistence) * day.standard_error
    assert day_margin(day) == f"±\xa0{half:.2f} %"
    assert f"{day_margin(day)}</span>" in page


@pytest.mark.parametrize(
    ("value", "limits", "unit", "told"),
    [
        (0.5, (0.4978, 0.5022), "s", "±\xa00.0022 s"),
        (-3.0, (-4.5, -1.5), "%", "±\xa01.5 %"),
        (0.42, (0.23, 1.16), "deg", "0.23 to 1.16°"),
        (0.998, (0.9912, 0.9991), "", "0.9912 to 0.9991"),
        (None, None, "s", "–"),
    ],
)
def test_an_interval_in_words(
    value: float | None, limits: tuple[float, float] | None, unit: str, told: str
) -> None:
    assert margin(value, limits, unit) == told


def test_a_composite_is_never_shown_without_its_parts(client: httpx.Client) -> None:
    page = client.get("/wearers/w-ada").text
    limp = page[page.index('id="trend-limp_index"') :].partition("</figcaption>")[0]
    assert "alerts nobody" in limp
    for name in ("Stance time", "Step time", "Impact peak", "Thigh range of motion", "Pelvic drop"):
        assert re.search(rf"{name}[^;]* [+−]?\d+\.\d+ SD", limp), name
    change = page[page.index('id="trend-waveform_deviation_deg"') :].partition("</figcaption>")[0]
    for name in ("Left thigh flexion", "Right thigh flexion", "Pelvic tilt", "Pelvic obliquity", "rotation"):
        assert re.search(rf"{name} \d+\.\d°", change), name
    assert 'id="trend-pelvic_tilt_deviation_deg"' not in page
    assert "limp_index" not in client.get("/wearers/w-cem").text  # no baseline yet
