"""gaitmon collect with sensors: real processes, a virtual radio, kill -9 and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gaitmon.analysis_provenance import produced_by
from gaitmon.config import Settings, local_broker_path
from gaitmon.model import LEG_LENGTH_ASSUMED
from gaitmon.model_leg import LegLength, SpatialParams
from gaitmon.pipeline import PipelineParams
from gaitmon.sensors.ble.assignment import KnownSensor, SensorBook, save_book
from gaitmon.sensors.formats import write_recording
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import Stand, Walk, WalkerParams, simulate
from gaitmon.virtual.people import PLACEMENTS
from tests.demo_process import analysed, gaitmon, store_of, stored_strides, wait_until

LEG = SpatialParams(LegLength(0.82))
ADDRESSES = ("F0:00:00:00:00:01", "F0:00:00:00:00:02", "F0:00:00:00:00:03")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A gateway's, with the virtual sensors worn by "anna", whose leg is known."""
    book, names = SensorBook(), []
    for address in ADDRESSES:
        name, book = book.with_sensor(
            KnownSensor(address=address, profile="movella-dot", mode=21, rate_hz=60.0)
        )
        names.append(name)
    book = book.with_wearer("anna", dict(zip(PLACEMENTS, names, strict=True))).with_leg("anna", LEG)
    save_book(book, Settings(tmp_path).sensors_path)
    return tmp_path


@contextmanager
def running(*args: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "gaitmon.cli", *map(str, args)]
    env = {**os.environ, "GAITMON_WEB_PORT": "0"}
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def streaming(home: Path) -> list[str]:
    """Sensors that, by the store, stream at their rate."""
    with store_of(home) as store:
        bodies = [json.loads(row.body) for row in store.health("anna")]
    return [
        b["sensor"]
        for b in bodies
        if b["state"] == "streaming" and b["packet_hz"] > 50 and b["packets"] > 100
    ]


def test_a_walk_over_the_air_survives_kill_9_and_ends_with_ctrl_c(home: Path) -> None:
    """One segment, each stride once; health in the store; sensors let go, so that the next run has them."""
    collect = ("collect", "--wearer", "anna", "--virtual", "--home", home)
    with running("serve", "--home", home):
        wait_until(local_broker_path(Settings(home)).exists, "the server")
        with running(*collect) as first:
            wait_until(lambda: stored_strides(home) >= 4, "strides over the air", 60.0)
            first.kill()
        before = stored_strides(home)
        with running(*collect) as second:
            wait_until(lambda: stored_strides(home) > before, "strides after kill -9", 60.0)
            wait_until(lambda: len(streaming(home)) == 3, "the health of streaming sensors", 60.0)
            second.send_signal(signal.SIGINT)
            said, _ = second.communicate(timeout=30.0)
            assert second.returncode == 0, said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("stopped: ")
    with store_of(home) as store:
        health = {row.sensor: json.loads(row.body) for row in store.health("anna")}
        assert store.dead_letters() == []
        assert store.losses() == []
    assert sorted(body["placement"] for body in health.values()) == sorted(PLACEMENTS)
    assert {body["state"] for body in health.values()} == {"stopped"}
    assert all(body["packets"] > 100 for body in health.values())
    # The time it was killed is missing: a part of the walk, not most of it.
    assert all(0.0 < body["missing_share"] < 0.5 for body in health.values()), health
    assert all(0.0 < body["connect_s"] < 20.0 for body in health.values())
    assert all(0.0 <= body["packet_age_s"] < 5.0 for body in health.values())
    assert not any(part in json.dumps(health) for part in ADDRESSES)
    kept = gaitmon("replay", home / "archive-gateway", "--json")
    strides = [json.loads(line) for line in kept.stdout.splitlines() if '"kind":"stride"' in line]
    assert len(strides) == stored_strides(home)
    of_this_leg = produced_by(PipelineParams(spatial=LEG))
    assert {s["produced_by"].partition(" profiles")[0] for s in strides} == {of_this_leg}
    listed = gaitmon("replay", home / "archive-gateway", "--list").stdout
    assert listed.count(" live-") + listed.startswith("live-") == 1, listed
    assert "1 restarts of the collector" in listed


def test_a_wearer_without_sensors_is_told_what_to_do(tmp_path: Path) -> None:
    done = gaitmon("collect", "--wearer", "bert", "--home", tmp_path)
    assert done.returncode == 2
    assert (
        done.stderr
        == "gaitmon: bert has no sensors on this gateway. gaitmon sensors assign bert --pelvis ID ...\n"
    )


def test_a_recording_is_measured_with_the_wearers_own_leg(tmp_path: Path) -> None:
    """What is stored is what analyse finds with this leg; told later, it replaces what was assumed."""
    file, home = tmp_path / "walk.gaitrec", tmp_path / "home"
    walk = simulate((Stand(3.0), Walk(seconds=20.0), Stand(5.0)), WalkerParams(leg_length_m=0.8), seed=5)
    write_recording(recording_of(walk, "walk"), file)

    def speed(*leg: object) -> float:
        done = gaitmon("collect", "--wearer", "bert", "--replay", file, "--home", home)
        assert done.returncode == 0, done.stderr
        with store_of(home) as store:
            (bout,) = store.bouts("bert", 0, 2**62)
        (m,) = [m for m in bout.metrics if m.metric == "walking_speed_m_s"]
        found = analysed(*leg, file)["summary"]["metrics"]["walking_speed_m_s"]
        assert m.value is not None
        assert (m.value, {*m.note.split("; ")}) == (found["value"], {*found["note"].split("; ")})
        assert (LEG_LENGTH_ASSUMED in m.note) == (not leg)
        assert ("the leg of bert is not known" in done.stderr) == (not leg)
        return m.value

    with running("serve", "--home", home):
        wait_until(local_broker_path(Settings(home)).exists, "the server")
        assert gaitmon("wearers", "--add", "B. Example", "--id", "bert", "--home", home).returncode == 0
        assumed = speed()
        told = ("--leg-length", 0.8)
        assert gaitmon("sensors", "assign", "bert", *told, "--home", home).returncode == 0
        assert speed(*told) < assumed
