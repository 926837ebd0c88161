"""Files that others wrote: what they mean in SI, on which clock, worn where."""

from __future__ import annotations

import builtins
import gzip
import sys
from pathlib import Path

import numpy as np
import pytest

from gaitmon.errors import ConfigError, RecordingError
from gaitmon.model import Placement
from gaitmon.sensors.formats import open_recording, parse_placement_map
from tests.loaders import mtw, qmt, stroke
from tests.needs import recording

GRAVITY_M_S2 = 9.80665
WALKING_ACC = pytest.approx(9.81, rel=0.08)


def median_acc(found: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(found, axis=1)))


@pytest.mark.data
def test_qmt_mat() -> None:
    found = qmt()
    assert list(found.streams) == [
        Placement.PELVIS,
        Placement.LEFT_THIGH,
        Placement.RIGHT_THIGH,
        Placement.LEFT_FOOT,
        Placement.RIGHT_FOOT,
    ]
    pelvis = found.streams[Placement.PELVIS]
    assert (pelvis.n_samples, pelvis.start_s, pelvis.end_s) == (10_000, 40.0, 139.99)
    t_s, acc, gyr = pelvis.arrays()
    assert gyr is not None
    np.testing.assert_array_equal(acc[0], [9.5467, 0.3687, 2.8167])
    np.testing.assert_array_equal(gyr[0], [0.0035, -0.0029, -0.0025])
    assert t_s[1] == pytest.approx(40.01)
    elsewhere = open_recording(
        recording("qmt_full_body", "full_body_example_data.mat"), {"lower_back": Placement.PELVIS}
    )
    assert list(elsewhere.streams) == [Placement.PELVIS]
    assert elsewhere.streams[Placement.PELVIS].device == "lower_back"


@pytest.mark.data
def test_mt_manager_folder_with_a_map() -> None:
    found = mtw()
    assert {p: s.device[-2:] for p, s in found.streams.items()} == {
        Placement.PELVIS: "2d",
        Placement.LEFT_THIGH: "2c",
        Placement.RIGHT_THIGH: "2b",
        Placement.LEFT_FOOT: "31",
        Placement.RIGHT_FOOT: "24",
    }
    pelvis = found.streams[Placement.PELVIS]
    assert (pelvis.nominal_rate_hz, pelvis.n_samples, pelvis.start_s) == (60.0, 1253, 0.0)
    assert pelvis.end_s == pytest.approx(1252 / 60)
    _, acc, gyr = pelvis.arrays()
    assert gyr is not None
    np.testing.assert_array_equal(acc[0], [9.842941, 0.047610, 0.190260])
    np.testing.assert_array_equal(gyr[0], [0.002591, 0.012286, -0.014145])
    assert "00b45c2e, 00b45c33" in found.notes["not used"]


@pytest.mark.data
def test_mt_manager_folder_without_a_map_lists_the_sensors() -> None:
    with pytest.raises(RecordingError) as error:
        open_recording(recording("mtw_pelvis_thighs"))
    text = str(error.value)
    assert "\n" not in text
    assert "00b45c24, 00b45c2b" in text
    assert "--map pelvis=ID,left_thigh=ID,right_thigh=ID" in text
    assert "placements.toml" in text


def mt_file(path: Path, counters: list[int], separator: str = ";") -> None:
    rows = [separator.join(map(str, [c % 65536, 0.0, 9.81, 0.1, 0.01, 0.02, 0.03])) for c in counters]
    columns = "PacketCounter;Acc_X;Acc_Y;Acc_Z;Gyr_X;Gyr_Y;Gyr_Z".replace(";", separator)
    path.write_text("\n".join(["// Start Time: Unknown", "// Update Rate: 60.0Hz", columns, *rows]) + "\n")


def test_the_packet_counter_places_samples_over_losses_wraps_and_late_starts(tmp_path: Path) -> None:
    mt_file(tmp_path / "MT_1-000_00AA.txt", [65533, 65534, 65538, 65539], separator="\t")
    mt_file(tmp_path / "MT_1-000_00BB.txt", [65537, 65538, 65539])
    (tmp_path / "placements.toml").write_text('[placements]\npelvis = "00AA"\nleft_thigh = "..bb"\n')
    found = open_recording(tmp_path)
    np.testing.assert_allclose(found.streams[Placement.PELVIS].arrays()[0] * 60, [0, 1, 5, 6])
    np.testing.assert_allclose(found.streams[Placement.LEFT_THIGH].arrays()[0] * 60, [4, 5, 6])
    assert "3 packets" in found.notes["pelvis: lost"]
    assert "left_thigh: lost" not in found.notes
    alone = open_recording(tmp_path / "MT_1-000_00BB.txt")
    assert list(alone.streams) == [Placement.LEFT_THIGH]


def test_a_counter_that_wrapped_between_the_first_packets_of_two_sensors(tmp_path: Path) -> None:
    mt_file(tmp_path / "a_01.txt", [65537, 65538])
    mt_file(tmp_path / "a_02.txt", [65535, 65536, 65537])
    found = open_recording(tmp_path, parse_placement_map("pelvis=01,left_thigh=02"))
    np.testing.assert_allclose(found.streams[Placement.PELVIS].arrays()[0] * 60, [2, 3])
    np.testing.assert_allclose(found.streams[Placement.LEFT_THIGH].arrays()[0] * 60, [0, 1, 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pelvis", "is not PLACEMENT=SENSOR"),
        ("hip=2d", "'hip' is no placement"),
        ("pelvis=2d,pelvis=2c", "'pelvis' is given twice"),
        ("pelvis=2d,left_thigh=2d", "sensor '2d' is given twice"),
    ],
)
def test_a_wrong_map_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_placement_map(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pelvis=..9", r"no sensor is named '\.\.9' \(pelvis\)\. Found: 0102, 0302"),
        ("pelvis=..2", r"several sensors are named '\.\.2'"),
        ("pelvis=..02,left_thigh=0102", "several sensors are named"),
        ("pelvis=..102,left_thigh=0102", "sensor 0102 is given two places"),
    ],
)
def test_a_map_that_does_not_fit_the_files_is_refused(tmp_path: Path, text: str, message: str) -> None:
    mt_file(tmp_path / "x_0102.txt", [1, 2])
    mt_file(tmp_path / "x_0302.txt", [1, 2])
    with pytest.raises(RecordingError, match=message):
        open_recording(tmp_path, parse_placement_map(text))


@pytest.mark.data
def test_mobgap_mat_in_si_on_the_clock_of_its_references() -> None:
    path = recording("mobgap_lab", "data.mat")
    with pytest.raises(RecordingError, match=r"several trials.*TimeMeasure1/Test11/Trial1.*--select"):
        open_recording(path)
    with pytest.raises(RecordingError, match="which trial is 'Trial1'"):
        open_recording(path, select="Trial1")
    found = open_recording(path, select="Test11/Trial1")
    assert list(found.streams) == [Placement.PELVIS]
    t_s, acc, gyr = found.streams[Placement.PELVIS].arrays()
    assert gyr is not None
    assert (len(t_s), t_s[0], t_s[100]) == (13_759, 0.0, 1.0)
    assert median_acc(acc) == WALKING_ACC
    assert np.abs(gyr).max() == pytest.approx(np.radians(244.82486585937306))
    assert found.start_utc_us == 1_607_605_743_815_000  # 2020-12-10T14:09:03.815+01:00


@pytest.mark.data
def test_parquet_pairs_trunk_and_thigh_on_real_time_stamps() -> None:
    folder = recording("thigh_back_daily", "seniors")
    with pytest.raises(RecordingError, match=r"several recordings.*501, 514.*--select 501"):
        open_recording(folder)
    found = open_recording(folder, select="501")
    assert list(found.streams) == [Placement.PELVIS, Placement.THIGH]
    thigh = found.streams[Placement.THIGH]
    assert not thigh.has_gyroscope
    t_s, acc, _ = thigh.arrays()
    np.testing.assert_allclose(t_s[:3], [0.0, 0.020, 0.041], atol=1e-9)
    assert acc[0, 0] == np.float64(np.float32(0.9804689884185791)) * GRAVITY_M_S2
    assert found.notes["local start"].startswith("2021-03-24T14:42:03.839")
    assert found.start_utc_us is None  # the files do not say which zone
    assert open_recording(folder / "thigh" / "501.parquet").content_id == found.content_id


@pytest.mark.data
def test_parquet_without_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    path = recording("thigh_back_daily", "adults", "thigh", "S023.parquet")
    real_import = builtins.__import__

    def without_pyarrow(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError(name)
        return real_import(name, *args, **kwargs)  # type: ignore[arg-type]  # passed on as it came

    for name in [n for n in sys.modules if n.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(RecordingError, match=r"needs pyarrow.*pip install 'gaitmon\[parquet\]'"):
        open_recording(path)


@pytest.mark.data
def test_phone_csv_on_the_phone_s_clock() -> None:
    folder = recording("phone_pocket", "A_pixel_FrontPocket_1")
    found = open_recording(folder)
    stream = found.streams[Placement.PHONE]
    t_s, acc, gyr = stream.arrays()
    with gzip.open(folder / "accelerometer.csv.gz", "rt") as file:
        first = file.readline().split(",")
    assert t_s[0] == int(first[0]) / 1e9
    assert acc[0].tolist() == [float(v) for v in first[2:]]
    assert gyr is None
    assert 200 < stream.rate_hz < 410
    assert median_acc(acc) == WALKING_ACC


@pytest.mark.data
def test_stroke_npz() -> None:
    found = stroke("pp03")
    assert list(found.streams) == [Placement.PELVIS, Placement.LEFT_FOOT, Placement.RIGHT_FOOT]
    t_s, acc, gyr = found.streams[Placement.PELVIS].arrays()
    assert gyr is not None
    assert (len(t_s), t_s[100]) == (12_299, 1.0)
    assert acc[0, 0] == np.float32(8.882675)
    assert "leftshank" in found.notes["not used"]
