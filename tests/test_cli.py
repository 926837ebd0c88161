"""What a person or a program at the command line sees: answers, and errors of one line."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from gaitmon import cli
from gaitmon.sensors.formats import write_recording
from gaitmon.sensors.recording import Recording, SampleStream
from tests.damaged import walk
from tests.demo_process import gaitmon
from tests.loaders import mtw
from tests.needs import recording


@pytest.fixture(scope="module")
def walk_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "walk.gaitrec"
    write_recording(walk(), path)
    return path


def refused(capsys: pytest.CaptureFixture[str], *args: object) -> str:
    """The one line that a command ends with."""
    assert cli.main([str(a) for a in args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("gaitmon: ")
    return line


# ---- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["analyse", "convert", "demo", "collect"])
def test_a_missing_file(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "nothing.mat"
    args: dict[str, list[object]] = {
        "analyse": [missing],
        "convert": [missing, tmp_path / "out"],
        "demo": ["--recording", missing],
        "collect": ["--wearer", "w", "--replay", missing, "--home", tmp_path / "home"],
    }
    line = refused(capsys, command, *args[command])
    assert line == f"gaitmon: {missing}: there is no such file. Check the path."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty. Record or copy it again."),
        (b"Dear Sir, ", "the format is not recognised. Known: .gaitrec"),
        (b"t_s,acc_x_m_s2,acc_y_m_s2,acc_z_m_s2\n", "there is no sample in it."),
        (b"t_s,acc_x_m_s2,acc_y_m_s2,acc_z_m_s2\n0,0,0,1\n0.01,0,0,1\n", "looks like g"),
        (b"t_s,acc_x_m_s2,acc_y_m_s2,acc_z_m_s2\n0,0,0,9.8\n5,0,0,9.8\n2,0,0,9.8\n", "go back by 3.000 s"),
        (
            b"t_s,acc_x_m_s2,acc_y_m_s2,acc_z_m_s2\n0,0,0,nan\n1,0,nan,9.8\n",
            "not one sample has all its values",
        ),
        (b"t_s,acc_x_m_s2,acc_y_m_s2,acc_z_m_s2\n0,0,0,9.8\n1,0,0,9.8\n2,0,0,9.8\n", "never changes"),
    ],
)
def test_a_file_that_cannot_be_analysed(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pelvis.csv"
    path.write_bytes(content)
    assert said in refused(capsys, "analyse", path)


@pytest.mark.parametrize("command", ["analyse", "demo"])
def test_sensors_without_a_common_time(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    streams = []
    for n, stream in enumerate(walk().streams.values()):
        t, acc, gyr = stream.arrays()
        streams.append(SampleStream.from_arrays(stream.placement, t + 1000.0 * n, acc, gyr))
    path = tmp_path / "apart.gaitrec"
    write_recording(Recording.of("apart", "test", streams), path)
    args = ["--recording", path] if command == "demo" else [path]
    assert "Put all sensors on one clock" in refused(capsys, command, *args)


def test_a_placement_map_that_is_none(walk_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "elbow" in refused(capsys, "analyse", walk_path, "--map", "elbow=2c")


def test_a_figure_that_cannot_be_written(
    walk_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, "analyse", walk_path, "--plot", tmp_path / "no" / "such" / "folder.png")
    assert "folder.png" in line


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--leg-length", 92, "A leg length of 92.0 m cannot be. Give metres, 0.4 to 1.3."),
        ("--leg-length", "nan", "Give metres"),
        ("--stature", 172, "A stature of 172.0 m cannot be. Give metres, 0.8 to 2.4."),
    ],
)
def test_a_leg_that_cannot_be(
    option: str, value: object, said: str, walk_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, "analyse", walk_path, option, value)


def test_a_speed_that_is_none(walk_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--speed -1.0 is not positive" in refused(capsys, "demo", "--recording", walk_path, "--speed", -1)


def test_a_collector_without_a_server(
    walk_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ("collect", "--wearer", "w", "--replay", walk_path, "--home", tmp_path / "home")
    assert "Start gaitmon serve" in refused(capsys, *args)


def test_a_server_whose_port_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("GAITMON_WEB_PORT", str(port))
        line = refused(capsys, "serve", "--home", tmp_path / "home")
    assert f"cannot be served on 127.0.0.1:{port}" in line
    assert "GAITMON_WEB_PORT" in line


def test_no_traceback_from_the_installed_command(tmp_path: Path) -> None:
    done = gaitmon("analyse", tmp_path / "nothing.mat")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"gaitmon: {tmp_path}/nothing.mat: there is no such file. Check the path.\n"


# ---- answers ------------------------------------------------------------------------------------


def test_json_is_alone_on_standard_output(walk_path: Path, tmp_path: Path) -> None:
    figure, signals = tmp_path / "walk.png", tmp_path / "signals.png"
    done = gaitmon("analyse", "--json", "--plot", figure, "--plot-signals", signals, walk_path)
    assert done.returncode == 0, done.stderr

    def no_constant(name: str) -> float:
        raise AssertionError(f"{name} is not JSON")

    found = json.loads(done.stdout, parse_constant=no_constant)
    assert found["recording"]["simulated"] is True
    assert len(found["strides"]) >= 50
    for written in (figure, signals):
        assert written.read_bytes().startswith(b"\x89PNG")


def test_lengths_go_with_the_leg(walk_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def found(*options: object) -> tuple[float, str]:
        args = ["analyse", str(walk_path), *map(str, options)]
        assert cli.main([*args, "--json"]) == 0
        length = json.loads(capsys.readouterr().out)["summary"]["metrics"]["stride_length_m"]["value"]
        assert cli.main(args) == 0
        return length, capsys.readouterr().out

    assumed, of_nobody = found()
    measured, of_leg = found("--leg-length", 0.8)
    by_stature, of_stature = found("--stature", 0.8 / 0.53)
    assert measured / assumed == pytest.approx(0.8 / 0.901, abs=0.04)
    assert by_stature == pytest.approx(measured, rel=1e-6)
    assert "Length and speed: leg length assumed" in of_nobody
    assert "Length and speed: for a leg of 0.80 m" in of_leg
    assert "Length and speed: for a leg of 0.80 m" in of_stature


@pytest.mark.parametrize("columns", [80, 120])
def test_the_tables_fit_and_no_cell_is_wrapped(
    columns: int, walk_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert cli.main(["analyse", str(walk_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert "SIMULATED" in lines[0]
    for row in ("Steps", "Strides", "Stride time", "Step time", "Stance time", "Swing time", "Cadence"):
        assert sum(line.strip(" │").startswith(row) for line in lines) >= 1, row
    assert not any("…" in line for line in lines)


@pytest.mark.data
@pytest.mark.parametrize("columns", [80, 120])
def test_a_walk_too_short_for_values_says_so_in_short(
    columns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mtw.gaitrec"
    write_recording(mtw(), path)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert cli.main(["analyse", str(path)]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= columns
    assert "n/a" in out
    assert "strides of a bout that count" in " ".join(out.split())


@pytest.mark.data
def test_xsens_needs_a_map_and_takes_one(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recording("mtw_pelvis_thighs")
    line = refused(capsys, "analyse", folder)
    assert "--map" in line
    assert (
        cli.main(["analyse", "--json", str(folder), "--map", "pelvis=2d,left_thigh=2c,right_thigh=2b"]) == 0
    )
    assert len(json.loads(capsys.readouterr().out)["strides"]) >= 16


def test_convert_and_analyse_give_the_same(
    walk_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["convert", str(walk_path), str(tmp_path / "folder")]) == 0
    assert "SIMULATED" in capsys.readouterr().out
    found = []
    for path in (walk_path, tmp_path / "folder"):
        assert cli.main(["analyse", "--json", str(path)]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0]["strides"] == found[1]["strides"]
    assert found[0]["recording"]["content_id"] == found[1]["recording"]["content_id"]


@pytest.mark.parametrize("command", [[], ["analyse"], ["demo"], ["convert"], ["serve"], ["collect"]])
def test_help_says_what_it_is_not_for(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*command, "--help"])
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    if not command or command[0] in ("analyse", "demo"):
        assert "Not a medical device" in text
