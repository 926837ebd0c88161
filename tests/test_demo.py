"""The whole line as its user starts it: what arrives in the store, and what is left when it ends."""

from __future__ import annotations

import http.client
import os
import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from gaitmon.model import LEG_LENGTH_ASSUMED
from gaitmon.sensors.formats import write_recording
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import Stand, Walk, WalkerParams, simulate
from gaitmon.store.series import StrideRow
from tests.demo_process import Demo, analysed, gaitmon, store_of, stored_strides, wait_until
from tests.needs import recording

QMT = ("qmt_full_body", "full_body_example_data.mat")


@pytest.fixture(scope="module")
def qmt_path() -> Path:
    return recording(*QMT)


@pytest.fixture(scope="module")
def wanted(qmt_path: Path) -> dict[str, Any]:
    return analysed(qmt_path)


@pytest.fixture(scope="module")
def short_walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute of a simulated walker, as a file: runs without GAITMON_DATA."""
    path = tmp_path_factory.mktemp("walk") / "walk.gaitrec"
    walk = simulate((Stand(3.0), Walk(seconds=22.0), Stand(5.0)), WalkerParams(speed_m_s=1.2), seed=5)
    write_recording(recording_of(walk, "walk"), path)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def stored(home: Path) -> dict[str, Any]:
    """What the store holds of the one segment there is, in the words of the analysis."""
    with store_of(home) as store:
        bouts = [b for wearer in store.wearers() for b in store.bouts(wearer, 0, 2**62)]
        if not bouts:
            return {}
        (wearer,) = store.wearers()
        segment = store.segment(wearer, bouts[0].segment)
        assert segment is not None
        assert {b.segment for b in bouts} == {segment.segment}
        strides = store.strides(wearer, segment.segment)
        assert store.dead_letters() == []
        assert store.losses() == []
        starts = [(s.start_utc_us, s.start_s) for s in strides] + [(b.start_utc_us, b.start_s) for b in bouts]
        for utc_us, start_s in starts:
            assert utc_us == segment.anchor_utc_us + round(start_s * 1e6)
        return {
            "produced_by": segment.produced_by,
            "strides": sorted(map(in_words, strides), key=by_identity),
            "bouts": [
                {
                    "ordinal": b.ordinal, "start_s": b.start_s, "end_s": b.end_s, "stratum": b.stratum,
                    "quality": list(b.quality),
                    "metrics": {
                        m.metric: [m.value, m.standard_error, m.n_left, m.n_right, m.note] for m in b.metrics
                    },
                }
                for b in bouts
            ],
            "turns": [
                {"start_s": t.start_s, "end_s": t.end_s, "angle_rad": t.angle_rad, "bout": b.ordinal}
                for b in bouts
                for t in b.turns
            ],
            "notices": sorted(
                [n.kind, n.text, n.placement or "", n.start_s or 0.0, n.end_s or 0.0]
                for n in store.notices(wearer, segment.segment)
            ),
        }  # fmt: skip


def in_words(r: StrideRow) -> dict[str, Any]:
    return {
        "side": r.side, "ordinal": r.ordinal, "start_s": r.start_s, "fc_s": r.fc_s, "end_s": r.end_s,
        "opposite_ic_s": r.opposite_ic_s, "thigh_rom_deg": r.thigh_rom_deg,
        "thigh_flexion_max_deg": r.thigh_flexion_max_deg, "thigh_flexion_min_deg": r.thigh_flexion_min_deg,
        "flags": list(r.flags), "bout": r.bout, "straight": r.straight, "accepted": r.accepted,
        "reason": r.reason,
    }  # fmt: skip


def by_identity(stride: dict[str, Any]) -> tuple[str, int]:
    return str(stride["side"]), stride["ordinal"]


def in_the_same_words(analysis: dict[str, Any]) -> dict[str, Any]:
    parts = ("value", "standard_error", "n_left", "n_right", "note")
    return {
        "produced_by": analysis["produced_by"],
        "strides": sorted(analysis["strides"], key=by_identity),
        "bouts": [
            {k: b[k] for k in ("ordinal", "start_s", "end_s", "stratum", "quality")}
            | {"metrics": {name: [m[k] for k in parts] for name, m in b["metrics"].items()}}
            for b in analysis["bouts"]
        ],
        "turns": analysis["turns"],
        "notices": sorted(
            [n["kind"], n["text"], n["placement"] or "", n["start_s"] or 0.0, n["end_s"] or 0.0]
            for n in analysis["notices"]
        ),
    }


class Visitor:
    """A browser's part: one address, one cookie."""

    def __init__(self, link: str) -> None:
        parts = urlsplit(link)
        self.code = parts.fragment
        self._where = parts.netloc
        self._cookie = ""

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._where, timeout=5.0)
        try:
            headers = {"Cookie": self._cookie} if self._cookie else {}
            if form is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, path, urlencode(form or {}), headers)
            answer = connection.getresponse()
            self._cookie = (answer.getheader("set-cookie") or self._cookie).partition(";")[0]
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def signs_in(self) -> bool:
        return self.ask("POST", "/login", {"code": self.code})[0] == 303

    def sees(self, text: str) -> bool:
        try:
            status, page = self.ask("GET", "/")
        except OSError:
            return False
        return status == 200 and text in page


@pytest.mark.data
def test_the_store_holds_exactly_what_analyse_finds(
    home: Path, qmt_path: Path, wanted: dict[str, Any]
) -> None:
    """And the link opens one session, and Ctrl-C ends everything."""
    with Demo(home, "--recording", qmt_path, "--speed", 20, "--no-history") as demo:
        visitor = Visitor(demo.link)
        assert visitor.signs_in()
        assert not Visitor(demo.link).signs_in()
        assert visitor.sees(qmt_path.name)
        wait_until(lambda: stored(home) == in_the_same_words(wanted), "everything in the store")
        assert len(demo.running()) >= 4  # demo, broker, server, walker
        demo.interrupt()
        assert demo.wait(6.0) == 0
        demo.left_nothing()
    assert stored(home) == in_the_same_words(wanted)
    assert "Traceback" not in demo.output
    assert demo.output.count(visitor.code) == 1


@pytest.mark.data
def test_the_same_when_server_and_broker_are_killed(
    home: Path, qmt_path: Path, wanted: dict[str, Any]
) -> None:
    """The server at the first stride and again while it starts, the broker between; an open page goes on."""
    with Demo(home, "--recording", qmt_path, "--speed", 20, "--no-history", "--until-done") as demo:
        visitor = Visitor(demo.link)
        assert visitor.signs_in()
        wait_until(lambda: stored_strides(home), "the first stride")
        first = demo.server_pid()
        os.kill(first, signal.SIGKILL)
        assert stored_strides(home) < len(wanted["strides"]), "killed too late to prove anything"
        os.kill(demo.pid_of("gaitmon.transport.broker"), signal.SIGKILL)
        wait_until(lambda: demo.server_pid() not in (first, 0), "another server")
        os.kill(demo.server_pid(), signal.SIGKILL)
        wait_until(lambda: visitor.sees(qmt_path.name), "the same page at the same address")
        os.kill(demo.server_pid(), signal.SIGKILL)
        assert demo.wait(60.0) == 0, demo.output
        demo.left_nothing()
    found, same = stored(home), in_the_same_words(wanted)
    for what in same:  # one after the other: a difference is easier to read
        assert found[what] == same[what], demo.output
    assert demo.output.count("the server ended (-9); starting it again") == 3
    assert "the broker ended" in demo.output
    assert "walk 100 of 100 s" in demo.output.splitlines()[-1]


def test_the_simulated_walk_goes_over_the_air(home: Path) -> None:
    """Virtual DOTs, bleak, raw archive, pipeline: replayed, the archive gives what the store has."""
    with Demo(home, "--speed", 20, "--no-history", "--until-done") as demo:
        assert demo.wait(60.0) == 0, demo.output
        demo.left_nothing()
    with store_of(home) as store:
        (bout,) = store.bouts("demo-live", 0, 2**62)
        segment = store.segment("demo-live", bout.segment)
        health = store.health("demo-live")
        assert store.dead_letters() == []
    assert segment is not None
    assert (segment.simulated, segment.origin, segment.time_sync) == (True, "live", "simulated")
    assert "movella-dot" in segment.produced_by
    assert len(health) == 3
    assert not any(LEG_LENGTH_ASSUMED in m.note for m in bout.metrics)
    kept = gaitmon("replay", home / "archive-demo", "--json").stdout
    assert kept.count('"kind":"stride"') == stored_strides(home) > 40


def test_without_its_extra_the_demo_says_so_and_walks_without_a_radio(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bumble.py").write_text("raise ModuleNotFoundError('bumble')\n")
    with Demo(home, "--speed", 20, "--no-history", "--until-done", PYTHONPATH=str(tmp_path)) as demo:
        assert demo.wait(60.0) == 0, demo.output
    assert "pip install 'gaitmon[demo]'" in demo.output
    assert stored_strides(home) > 40


def test_nothing_outlives_a_demo_that_is_killed_or_that_loses_its_walker(
    tmp_path: Path, short_walk: Path
) -> None:
    """Two demos at once, so that the second starts while the first one does."""
    play = ("--recording", short_walk, "--no-history")
    with Demo(tmp_path / "a", *play) as killed, Demo(tmp_path / "b", *play) as walkerless:
        for demo in (killed, walkerless):
            wait_until((demo.home / "outbox-demo.sqlite").exists, "the walker")
        killed.kill()
        spawned = [int(p.split()[0]) for p in walkerless.running() if "spawn_main" in p]
        os.kill(next(pid for pid in spawned if pid != walkerless.server_pid()), signal.SIGKILL)
        assert walkerless.wait(8.0) == 1
        walkerless.left_nothing()
        killed.left_nothing(8.0)
    assert "the walker ended (-9)" in walkerless.output


def test_ctrl_c_while_it_is_starting(home: Path, short_walk: Path) -> None:
    with Demo(home, "--recording", short_walk, "--no-history") as demo:
        wait_until(lambda: demo.pid_of("spawn_main"), "the first child")
        demo.interrupt()
        assert demo.wait(8.0) == 0
        demo.left_nothing()
    assert "Traceback" not in demo.output


def test_a_wrong_file_is_told_in_one_line(tmp_path: Path) -> None:
    done = gaitmon("demo", "--recording", tmp_path / "nothing.mat", "--home", tmp_path / "home")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line == f"gaitmon: {tmp_path}/nothing.mat: there is no such file. Check the path."
    assert not (tmp_path / "home").exists()
