"""A wearer's own leg and calibration, from the gateway's book to what is delivered, and replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest

from gaitmon.analysis import analyse
from gaitmon.analysis_provenance import produced_by
from gaitmon.cli import main
from gaitmon.collector_live import LiveCollector
from gaitmon.collector_replay import replay
from gaitmon.config import Settings
from gaitmon.model import LEG_LENGTH_ASSUMED, Gap, ImuBlock, SyncBound, WalkingBout
from gaitmon.model_leg import Fit, LegLength, PersonalCalibration, SpatialParams
from gaitmon.pipeline import PipelineParams, run
from gaitmon.sensors.ble.assignment import KnownSensor, load_book, save_book
from gaitmon.sensors.raw import RawEvent, SessionClosed, SessionOpened
from gaitmon.sensors.stream import EventStream
from gaitmon.sensors.synthetic import recording_of
from gaitmon.sessions.calibration import write_calibration
from gaitmon.simulate import SensorParams, Simulated, Stand, Walk, WalkerParams, simulate
from gaitmon.store.archive import Archive, ArchiveReader
from gaitmon.store.registry import Registry
from gaitmon.transport.messages import encode
from gaitmon.transport.outbox import Outbox
from gaitmon.transport.schema import BoutMessage, Message, MetricBody
from tests.live_process import KEY
from tests.sensors import raw_events as raw

SHORT = SpatialParams(LegLength(0.80))
CALIBRATION = PersonalCalibration(0.80, 1.2, 20, Fit(1.07, 0.03), Fit(0.95, 0.05))
OWN = replace(SHORT, calibration=CALIBRATION)
LENGTHS = ("stride_length_m", "walking_speed_m_s")


@cache
def walked() -> Simulated:
    sensors = {p: SensorParams(rate_hz=60.0) for p in raw.PLACEMENTS}
    return simulate((Stand(5.0), Walk(seconds=20.0), Stand(6.0)), WalkerParams(leg_length_m=0.8), sensors, 3)


def events(spatial: SpatialParams) -> list[RawEvent]:
    first, *others = raw.walk_events(walked())
    assert isinstance(first, SessionOpened)
    return [replace(first, spatial=spatial), *others]


def messages(of: Sequence[RawEvent]) -> list[Message]:
    return list(replay(of, raw.PROFILES))


def lengths(of: Sequence[Message]) -> dict[str, MetricBody]:
    (bout,) = [m for m in of if isinstance(m, BoutMessage)]
    return {m.metric: m for m in bout.body.metrics if m.metric in LENGTHS}


# ---- the pipeline behind live sensors


@pytest.mark.parametrize("spatial", [SHORT, OWN, SpatialParams()])
def test_live_is_analyse_with_the_same_leg(spatial: SpatialParams) -> None:
    """Bit for bit on the same samples; through a radio, which shifts them, nearly."""
    params = PipelineParams(spatial=spatial)
    live = messages(events(spatial))
    found = lengths(live)
    stream = EventStream(raw.PROFILES)
    items = [i for e in events(SpatialParams()) for i in stream.push(e)]
    samples = [i for i in items if isinstance(i, ImuBlock | Gap | SyncBound)]
    (bout,) = [r for r in run(samples, raw.PLACEMENTS, params) if isinstance(r, WalkingBout)]
    same = {m.metric: m for m in bout.metrics if m.metric in LENGTHS}
    assert {k: (m.value, m.standard_error, m.note) for k, m in found.items()} == {
        k: (m.value, m.standard_error, m.note) for k, m in same.items()
    }
    analysis = analyse(recording_of(walked(), "the same walk"), params=params)
    for metric, m in found.items():
        offline = analysis.metric(metric)
        assert offline is not None
        assert m.value == pytest.approx(offline.value, rel=0.01)
        assert {LEG_LENGTH_ASSUMED in note for note in (m.note, offline.note)} == {spatial.leg.assumed}
    assert {m.produced_by.partition(" profiles")[0] for m in live} == {produced_by(params)}


def test_a_leg_shorter_by_a_ninth_makes_the_walk_shorter() -> None:
    (assumed, own, tied) = (lengths(messages(events(s))) for s in (SpatialParams(), SHORT, OWN))
    ratio = (own["stride_length_m"].value or 0.0) / (assumed["stride_length_m"].value or 1.0)
    assert ratio == pytest.approx(0.8 / 0.901, abs=0.04)
    assert tied["stride_length_m"].value != own["stride_length_m"].value


def test_restarts_keep_the_leg_and_another_one_begins_a_new_segment(tmp_path: Path) -> None:
    """What is in the outbox is what a replay of the archive makes, every leg in its own segment."""
    opened, *heard = events(OWN)
    assert isinstance(opened, SessionOpened)
    heard = [e for e in heard if not isinstance(e, SessionClosed)]
    parts = [(0.0, 14.0, OWN), (14.0, 22.0, OWN), (22.0, 27.0, SHORT), (27.0, 99.0, replace(SHORT))]
    names = []
    for start_s, end_s, spatial in parts:
        outbox = Outbox(tmp_path / "outbox.sqlite")
        live = LiveCollector(
            Archive(tmp_path / "archive", KEY), KEY, outbox, raw.PROFILES,
            monotonic_ns=partial(raw.ns, start_s),
            utc_ns=partial(int, 1000 * raw.UTC_US + round(1e9 * start_s)),
        )  # fmt: skip
        names.append(live.open_session("wearer-1", "gw-1", opened.sensors, "ntp", spatial).session)
        for event in heard:
            if raw.ns(start_s) <= event.monotonic_ns < raw.ns(end_s):
                live.sink(event)
        if end_s > 90.0:
            live.sink(SessionClosed(heard[-1].monotonic_ns, "stopped"))
        live.wait()
        live.close()
        outbox.close()
    assert names[0] == names[1] != names[2] == names[3]
    again = messages([e for _, e in ArchiveReader(tmp_path / "archive", KEY).events()])
    outbox = Outbox(tmp_path / "outbox.sqlite")
    assert [p.payload for p in outbox.pending(limit=100_000)] == [encode(m) for m in again]
    outbox.close()
    by = {m.segment: m.produced_by.partition(" profiles")[0] for m in again}
    assert list(by.values()) == [produced_by(PipelineParams(spatial=s)) for s in (OWN, SHORT)]


# ---- the book


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With one sensor that w1 wears on the pelvis."""
    path = Settings(tmp_path).sensors_path
    known = KnownSensor(address="F0:00:00:00:00:01", profile="movella-dot", mode=21, rate_hz=60.0)
    name, book = load_book(path).with_sensor(known)
    save_book(book, path)
    assert main(["sensors", "assign", "w1", "--pelvis", name, "--home", str(tmp_path)]) == 0
    return tmp_path


def assign(home: Path, *args: object, wearer: str = "w1") -> int:
    return main(["sensors", "assign", wearer, *map(str, args), "--home", str(home)])


def test_a_leg_is_told_measured_or_by_stature_and_forgotten(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Settings(home).sensors_path
    assert main(["sensors", "list", "--home", str(home)]) == 0
    assert "an assumed leg of 0.90 m; --leg-length or --stature tells it" in capsys.readouterr().out
    assert load_book(path).leg("w1") == SpatialParams()
    worn = load_book(path).worn["w1"]
    assert assign(home, "--leg-length", 0.8) == 0
    assert capsys.readouterr().out == "w1: lengths and speeds for a leg of 0.80 m\n"
    assert (load_book(path).leg("w1"), load_book(path).worn["w1"]) == (SHORT, worn)
    assert assign(home, "--pelvis", *worn.values()) == 0  # the leg stays
    assert load_book(path).leg("w1") == SHORT
    assert assign(home, "--stature", 1.6) == 0
    assert load_book(path).leg("w1").leg == LegLength.of(stature_m=1.6)
    capsys.readouterr()
    assert main(["sensors", "list", "--home", str(home)]) == 0
    assert capsys.readouterr().out.endswith("w1: lengths and speeds for a leg of 0.85 m\n")
    assert main(["sensors", "forget", "w1", "--home", str(home)]) == 0
    assert load_book(path).legs == {}


def test_a_calibration_is_its_wearers_and_of_its_leg(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, path = home / "own.json", Settings(home).sensors_path
    write_calibration(CALIBRATION, SHORT.leg, file, wearer="w1", session="visit")
    assert assign(home, "--calibration", file) == 0
    assert "for a leg of 0.80 m, tied to the wearer by a timed walk at 1.20 m/s" in capsys.readouterr().out
    assert load_book(path).leg("w1") == OWN
    assert assign(home, "--calibration", file, "--leg-length", 0.9) == 2
    assert "made with a leg length of 0.800 m, now it is 0.900 m" in capsys.readouterr().err
    assert assign(home, "--calibration", file, wearer="w2") == 2
    assert "the calibration of w1, not of w2" in capsys.readouterr().err
    assert load_book(path).legs == {"w1": OWN}
    assert assign(home, "--leg-length", 0.8) == 0  # in place of all that was known
    assert load_book(path).leg("w1") == SHORT


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--leg-length", 82, "A leg length of 82.0 m cannot be. Give metres, 0.4 to 1.3."),
        ("--leg-length", "nan", "Give metres"),
        ("--stature", 170, "A stature of 170.0 m cannot be. Give metres, 0.8 to 2.4."),
        ("--calibration", "nowhere.json", "gaitmon session analyse writes one."),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    home: Path, option: str, value: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert assign(home, option, value) == 2
    assert said in capsys.readouterr().err
    assert load_book(Settings(home).sensors_path).legs == {}


def test_a_damaged_leg_in_the_book_is_an_error_with_a_remedy(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert assign(home, "--leg-length", 0.8) == 0
    path = Settings(home).sensors_path
    path.write_text(path.read_text().replace("0.8,", "8.0,"))
    assert main(["sensors", "list", "--home", str(home)]) == 2
    assert "A leg length of 8.0 m cannot be." in capsys.readouterr().err


def test_the_trail_tells_who_changed_a_leg(home: Path) -> None:
    registry = Registry(Settings(home).registry_url)
    registry.add_wearer("A. Example", "UTC", wearer_id="w1")
    assert assign(home, "--leg-length", 0.8) == 0
    entry = registry.audit_trail("w1")[-1]
    registry.close()
    assert (entry.action, entry.detail) == ("sensors.assign", "lengths and speeds for a leg of 0.80 m")
