"""Exports of recordings made on DOT sensors: the same results as from any other recording of that walk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gaitmon.analysis import analyse
from gaitmon.errors import RecordingError
from gaitmon.model import Placement
from gaitmon.sensors.formats import open_recording, parse_placement_map
from gaitmon.sensors.recording import Recording, SampleStream
from gaitmon.sensors.synthetic import recording_of
from gaitmon.simulate import SensorParams, Stand, Walk, simulate

WORN = (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
# As the maker's app writes it; the columns of the mode Rate quantities.
HEAD = """sep=,
DeviceTag:,{tag}
FirmwareVersion:,3.0.0
AppVersion:,2023.6.0
SyncStatus:,{sync}
OutputRate:,60Hz
FilterProfile:,General
Measurement Mode:,{mode}
StartTime: ,2025-07-11_20:06:00_086 WEST
© Movella Technologies B. V. 2005-2025

{columns}
"""
COLUMNS = "PacketCounter,SampleTimeFine,Acc_X,Acc_Y,Acc_Z,Gyr_X,Gyr_Y,Gyr_Z"
Rows = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def written(path: Path, tag: str, rows: Rows, first_us: int, **head: str) -> None:
    """rows: (n, 7) seconds since the session's first sample, acc, gyr in deg/s."""
    said = {"tag": tag, "sync": "Synced", "mode": "Rate quantities", "columns": COLUMNS, **head}
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD.format(**said))
        for k, row in enumerate(rows.tolist(), start=1):
            ticks = (first_us + round(row[0] * 1e6)) % 2**32
            file.write(f"{k},{ticks}," + ",".join(f"{value:.6f}" for value in row[1:]) + "\n")


def session(folder: Path, tags: tuple[str, str, str], first_us: int, **head: str) -> Recording:
    """Three files, and the same walk, to the digits of the files, as a recording."""
    script = (Stand(5.0), Walk(seconds=15.0), Stand(4.0))
    walk = recording_of(simulate(script, sensors=SensorParams(rate_hz=60.0), seed=4), "walk")
    streams = []
    start_s = min(walk.streams[p].start_s for p in WORN)
    for placement, tag in zip(WORN, tags, strict=True):
        t_s, acc, gyr = walk.streams[placement].arrays()
        assert gyr is not None
        rows = np.round(np.column_stack([t_s - start_s, acc, np.degrees(gyr)]), 6)
        written(folder / f"{tag.replace(' ', '')}_20250711_200600_087.csv", tag, rows, first_us, **head)
        streams.append(
            SampleStream.from_arrays(
                placement,
                np.rint(rows[:, 0] * 1e6) * 1e-6,
                rows[:, 1:4],
                np.radians(rows[:, 4:]),
                nominal_rate_hz=60.0,
            )
        )
    return Recording.of("walk", "test", streams)


def test_three_files_are_the_walk_over_a_wrap_of_the_clock(tmp_path: Path) -> None:
    walk = session(tmp_path, ("1", "2", "3"), 2**32 - 12_000_000)
    found = open_recording(tmp_path, parse_placement_map("pelvis=1,left_thigh=2,right_thigh=3"))
    assert found.source_format == "Movella DOT export"
    assert found.notes["local start"].startswith("2025-07-11_20:06:00")
    for placement in WORN:
        stream = found.streams[placement]
        assert stream.nominal_rate_hz == 60.0
        for mine, theirs in zip(stream.arrays(), walk.streams[placement].arrays(), strict=True):
            assert mine is not None
            assert theirs is not None
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-9)
    from_files, direct = analyse(found), analyse(walk)
    assert len(from_files.strides) == len(direct.strides) >= 15
    for one, other in zip(from_files.strides, direct.strides, strict=True):
        assert (one.side, one.ordinal) == (other.side, other.ordinal)
        assert one.start_s == pytest.approx(other.start_s, abs=1e-6)
        assert one.end_s == pytest.approx(other.end_s, abs=1e-6)


def test_tags_that_are_placements_need_no_map(tmp_path: Path) -> None:
    session(tmp_path, ("Pelvis", "left thigh", "Right-Thigh"), 1_000_000)
    found = open_recording(tmp_path)
    assert set(found.streams) == set(WORN)
    assert found.streams[Placement.RIGHT_THIGH].device == "Right-Thigh"


def plain(path: Path, tag: str, counters: list[int], first_us: int = 0, **head: str) -> None:
    rows = np.zeros((len(counters), 7))
    rows[:, 0], rows[:, 3] = (np.array(counters) - counters[0]) / 60, 9.81
    written(path, tag, rows, first_us, **head)
    lines = path.read_text(encoding="utf-8").splitlines()
    at = len(lines) - len(counters)
    lines[at:] = [f"{c},{line.split(',', 1)[1]}" for c, line in zip(counters, lines[at:], strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_lost_samples_are_counted_and_a_late_start_keeps_its_time(tmp_path: Path) -> None:
    plain(tmp_path / "a.csv", "Xsens DOT", [1, 2, 5, 6], 100_000)
    plain(
        tmp_path / "b.csv", "Xsens DOT", [1, 2, 3], 150_000
    )  # the tag of the factory: the files' names count
    found = open_recording(tmp_path, parse_placement_map("pelvis=a,left_thigh=b"))
    assert found.notes["pelvis: lost"].startswith("2 samples")
    assert "left_thigh: lost" not in found.notes
    assert found.streams[Placement.PELVIS].start_s == 0.0
    assert found.streams[Placement.LEFT_THIGH].start_s == pytest.approx(0.05)
    alone = open_recording(tmp_path / "b.csv", parse_placement_map("left_thigh=b"))
    assert list(alone.streams) == [Placement.LEFT_THIGH]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"sync": "Unsynced"}, r"a\.csv: the sensor was not synchronised.*SyncStatus: Unsynced.*Synchronise"),
        (
            {"mode": "Complete (Euler)", "columns": "PacketCounter,SampleTimeFine,Euler_X,FreeAcc_X"},
            r"a\.csv, line 12: the column Acc_X is missing \(Measurement Mode: Complete.*Rate quantities",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_remedy(
    tmp_path: Path, head: dict[str, str], message: str
) -> None:
    for name in ("a", "b"):
        plain(tmp_path / f"{name}.csv", name, [1, 2, 3], 0, **head)
    with pytest.raises(RecordingError, match=message):
        open_recording(tmp_path, parse_placement_map("pelvis=a,left_thigh=b"))


def test_one_unsynchronised_sensor_alone_is_read(tmp_path: Path) -> None:
    plain(tmp_path / "a.csv", "pelvis", [1, 2, 3], sync="Unsynced")
    assert list(open_recording(tmp_path / "a.csv").streams) == [Placement.PELVIS]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: text.rindex(",")][:-20], "line 15: .* cells, too few"),
        (lambda text: text.replace("\n3,", "\nx,"), "line 15: a cell is not a number"),
        (lambda text: text.replace("\n3,33333", "\n3,"), "line 15: PacketCounter or SampleTimeFine is empty"),
        (lambda text: text[: text.index("\n1,0") + 1], "there is no sample in it"),
        (lambda text: text.replace("PacketCounter,", "Packet,"), "there is no table in it"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, spoil: object, message: str) -> None:
    assert callable(spoil)
    path = tmp_path / "a.csv"
    plain(path, "pelvis", [1, 2, 3])
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(RecordingError, match=message):
        open_recording(path)


def test_sensors_without_a_place_are_listed(tmp_path: Path) -> None:
    for name in ("1", "2"):
        plain(tmp_path / f"{name}.csv", name, [1, 2, 3])
    with pytest.raises(RecordingError, match=r"Found: 1, 2\. Say it with --map pelvis=NAME"):
        open_recording(tmp_path)
