"""What is wrong with a file is said in one line: which file, where in it, what to do."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gaitmon.errors import EmptyRecordingError, GaitmonError, RecordingError, UnknownFormatError
from gaitmon.model import Placement
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.recording import Recording

HEADER = "t_s,acc_x_m_s2,acc_y_m_s2,acc_z_m_s2"
FULL_HEADER = HEADER + ",gyr_x_rad_s,gyr_y_rad_s,gyr_z_rad_s"
REST = "0.1,0.2,9.8"


def csv_folder(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    (tmp_path / "pelvis.csv").write_text("\n".join([header, *lines]) + "\n")
    return tmp_path


def refused(path: Path) -> str:
    with pytest.raises(GaitmonError) as error:
        open_recording(path)
    text = str(error.value)
    assert "\n" not in text
    assert error.value.remedy
    return text


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        ("walk.csv", b"", EmptyRecordingError, "the file is empty"),
        ("walk.doc", b"Dear Sir", UnknownFormatError, "the format is not recognised. Known: .gaitrec"),
        ("walk.zip", b"PK\x03\x04" + bytes(40), UnknownFormatError, "not recognised"),
        ("walk.mat", b"MATLAB 5.0 MAT-file" + bytes(200), RecordingError, "not readable as MATLAB file"),
        ("walk.mat", b"\x89HDF\r\n\x1a\n", UnknownFormatError, "Save it as MATLAB 7"),
        ("walk.parquet", b"PAR1" + bytes(8), RecordingError, "Put it in a folder named trunk or thigh"),
        ("walk.npz", npz(fs=np.array(100.0), x=np.zeros(3)), RecordingError, "no 'fs' and '<sensor>_acc'"),
        ("walk.npz", npz(fs=np.array(100.0), lumbar_acc=np.ones((9, 3)))[:-30], RecordingError, ".npz"),
        ("acc.csv.gz", b"\x1f\x8b" + bytes(20), RecordingError, "acc.csv.gz: not readable"),
        ("acc.csv.gz", gzip.compress(b"1,3,0,0,9.8\n2,3,0,up,9.8\n"), RecordingError, "acc.csv.gz, line 2"),
        ("acc.csv.gz", gzip.compress(b""), EmptyRecordingError, "no sample"),
        ("mt_1.txt", b"// Update Rate: 60.0Hz\n// PacketCounter\n", EmptyRecordingError, "no table"),
        ("mine.csv", HEADER.encode() + b"\n0,0,0,9.8\n", RecordingError, "Rename it to one of pelvis.csv"),
    ],
    ids=range(13),
)
def test_a_file_that_is_no_recording(
    tmp_path: Path, name: str, content: bytes, kind: type[GaitmonError], message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    if name.startswith("mt_"):
        (tmp_path / "placements.toml").write_text('[placements]\npelvis = "1"\n')
    with pytest.raises(kind) as error:
        open_recording(path)
    assert message in str(error.value)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_parquet_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "thigh").mkdir()
    (tmp_path / "thigh" / "S1.parquet").write_bytes(b"PAR1" + bytes(8))
    assert "S1.parquet: not readable as parquet" in refused(tmp_path)


def test_a_missing_file_and_folders_without_a_recording(tmp_path: Path) -> None:
    assert "nowhere: there is no such file" in refused(tmp_path / "nowhere")
    assert "the folder is empty" in refused(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    assert "no recording is recognised in this folder" in refused(tmp_path)


@pytest.mark.parametrize(
    ("header", "lines", "message"),
    [
        ("time,x,y,z", ["0,0,0,9.8"], "pelvis.csv, line 1: wrong header 'time,x,y,z'. Expected: t_s,"),
        ("t_s,acc_x_g,acc_y_g,acc_z_g", ["0,0,0,1"], "line 1: wrong header"),
        (f"{HEADER},t_s", ["0,0,0,9.8,0"], "line 1: wrong header"),
        (HEADER, [f"2026-03-01T10:00:00,{REST}"], "Time stamps are seconds as numbers"),
        (HEADER, [], "there is no sample in it"),
        (
            HEADER,
            [f"0,{REST}", "0.01,0.1,up,9.8"],
            "pelvis.csv, line 3, column acc_y_m_s2: 'up' is not a number",
        ),
        (HEADER, [f"0,{REST}", "0.01,0.1"], "pelvis.csv, line 3: 2 cells where 4 are expected"),
        (HEADER, [f"0,{REST}", f",{REST}"], "line 3: the time stamp is not a number"),
        (
            HEADER,
            [f"{t},{REST}" for t in (5.0, 5.01, 1.0, 1.01)],
            "line 4: the time stamps go back by 4.010 s. It looks like two recordings",
        ),
        (
            HEADER,
            [f"{t},0,0,1.02" for t in range(9)],
            "looks like g (median 1.02), not m/s². Multiply it by 9.80665",
        ),
        (HEADER, [f"{t},0,0,990" for t in range(9)], "looks like mg (median 990)"),
        (
            FULL_HEADER,
            [f"{t},{REST},0,160,0" for t in range(9)],
            "looks like deg/s (up to 160), not rad/s. Multiply it by 0.0174533",
        ),
        (HEADER, [f"{t},nan,nan,nan" for t in range(3)], "not one sample has all its values"),
    ],
)
def test_a_wrong_csv(tmp_path: Path, header: str, lines: list[str], message: str) -> None:
    text = refused(csv_folder(tmp_path, *lines, header=header))
    assert message in text


def opened(folder: Path) -> Recording:
    return open_recording(folder)


def samples(folder: Path) -> list[list[float]]:
    t_s, acc, _ = opened(folder).streams[Placement.PELVIS].arrays()
    return [[float(v) for v in row] for row in np.column_stack([t_s, acc])]


def test_duplicates_are_dropped_and_counted(tmp_path: Path) -> None:
    folder = csv_folder(tmp_path, "0,1,1,9", "0.1,2,nan,9", "0.1,2,nan,9", "0.1,2,nan,9", "0.2,3,3,9")
    assert [row[0] for row in samples(folder)] == [0.0, 0.1, 0.2]
    assert opened(folder).notes["pelvis: duplicates"] == "2 samples came twice and were dropped"
    assert "pelvis: same time" not in opened(folder).notes


def test_of_different_samples_with_one_time_stamp_the_first_is_kept(tmp_path: Path) -> None:
    folder = csv_folder(tmp_path, "0,1,1,9", "0.1,2,2,9", "0.1,7,7,9", "0.2,3,3,9")
    assert samples(folder)[1] == [0.1, 2.0, 2.0, 9.0]
    assert opened(folder).notes["pelvis: same time"].startswith("1 samples")


def test_late_samples_are_sorted_and_counted(tmp_path: Path) -> None:
    folder = csv_folder(tmp_path, "0,1,1,9", "0.2,3,3,9", "0.1,2,2,9", "0.3,4,4,9")
    assert [row[1] for row in samples(folder)] == [1.0, 2.0, 3.0, 4.0]
    assert opened(folder).notes["pelvis: order"] == "1 samples were out of order and have been sorted by time"


def test_missing_values_are_nan_and_counted(tmp_path: Path) -> None:
    folder = csv_folder(tmp_path, "0,1,1,9", "0.1,,2,9", "0.2,NaN,3,9", "", "0.3,4,4,9")
    assert np.isnan([row[1] for row in samples(folder)]).tolist() == [False, True, True, False]
    assert opened(folder).notes["pelvis: NaN"] == "2 of 4 samples are not numbers"


def test_a_gap_stays_a_gap(tmp_path: Path) -> None:
    folder = csv_folder(tmp_path, f"0,{REST}", f"0.1,{REST}", f"10.1,{REST}")
    assert [row[0] for row in samples(folder)] == [0.0, 0.1, 10.1]
    assert [float(b.t_s[0]) for b in opened(folder).blocks(1.0)] == [0.0, 10.1]


WindowsText = Callable[[str], bytes]


@pytest.mark.parametrize(
    "encode", [lambda s: b"\xef\xbb\xbf" + s.encode(), lambda s: s.replace("\n", "\r\n").encode()]
)
def test_byte_order_mark_and_windows_line_ends(tmp_path: Path, encode: WindowsText) -> None:
    (tmp_path / "left_thigh.csv").write_bytes(encode(f"{HEADER}\n0,{REST}\n0.01,{REST}\n"))
    assert opened(tmp_path).streams[Placement.LEFT_THIGH].n_samples == 2
    assert opened(tmp_path / "left_thigh.csv").streams[Placement.LEFT_THIGH].n_samples == 2


ROWS = [[0.0, 0.25, -9.5, 1.5], [0.01, 0.5, -9.25, 1.75], [0.02, float("nan"), -9.5, 1.5]]
PLAIN = f"{HEADER}\n0.00,0.25,-9.5,1.5\n0.01,0.5,-9.25,1.75\n0.02,,-9.5,1.5\n"


@pytest.mark.parametrize(
    "written",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", ", "),
        PLAIN + "\n\n",
        "\n# a logger\n# at 100 Hz\n" + PLAIN + "# the end\n",
        "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in PLAIN.splitlines()),
        PLAIN.replace(HEADER, HEADER.upper()),
        "\n".join(f"{line},{'temp' if i == 0 else 36.5}" for i, line in enumerate(PLAIN.splitlines())),
        "\n".join(",".join([*line.split(",")[1:], line.split(",")[0]]) for line in PLAIN.splitlines()),
    ],
)
def test_tables_as_spreadsheets_and_loggers_write_them(tmp_path: Path, written: str) -> None:
    (tmp_path / "Pelvis.CSV").write_text(written)
    assert np.array_equal(samples(tmp_path), ROWS, equal_nan=True)
    assert open_recording(tmp_path / "Pelvis.CSV").streams[Placement.PELVIS].n_samples == 3


def test_the_line_that_is_wrong_is_named_below_comments_too(tmp_path: Path) -> None:
    (tmp_path / "pelvis.csv").write_text("# a logger\n" + PLAIN.replace(",", ";").replace("-9.25", "oops"))
    assert "line 4, column acc_y_m_s2: 'oops'" in refused(tmp_path)


def test_names_of_files_in_any_writing_but_not_twice(tmp_path: Path) -> None:
    (tmp_path / "Left Thigh.csv").write_text(PLAIN)
    (tmp_path / "RIGHT-THIGH.csv").write_text(PLAIN)
    assert set(opened(tmp_path).streams) == {Placement.LEFT_THIGH, Placement.RIGHT_THIGH}
    (tmp_path / "left_thigh.csv").write_text(PLAIN)
    assert "are both the left_thigh" in refused(tmp_path)


def test_names_that_say_nothing_are_named(tmp_path: Path) -> None:
    (tmp_path / "sensor1.csv").write_text(PLAIN)
    assert "The names sensor1.csv do not say" in refused(tmp_path)


def test_too_few_digits_of_time_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"{i // 10},0,0,{9.8 + 0.01 * i}\n" for i in range(50))
    (tmp_path / "pelvis.csv").write_text(f"{HEADER}\n{rows}")
    assert "45 of 50 samples have the time stamp of another one. Write the times with more" in refused(
        tmp_path
    )


def test_every_placement_has_its_file(tmp_path: Path) -> None:
    for placement in Placement:
        (tmp_path / f"{placement}.csv").write_text(f"{HEADER}\n0,{REST}\n0.01,{REST}\n")
    (tmp_path / "remarks.csv").write_text("no sensor")
    found = opened(tmp_path)
    assert list(found.streams) == list(Placement)
    assert {b.placement for b in found.blocks()} == {p for p in Placement if not p.is_reference}
