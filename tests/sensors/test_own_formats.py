"""Our own format and the CSV folder: nothing is lost, nothing half written, no damage goes unseen."""

from __future__ import annotations

import io
import json
import tempfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaitmon.errors import GaitmonError, RecordingError
from gaitmon.model import ImuBlock, Placement
from gaitmon.sensors.formats import open_recording, write_recording
from gaitmon.sensors.recording import Recording, SampleStream
from tests.sensors.samples import assert_same_samples, recordings, steady

FILES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FILES
@given(recordings(), st.sampled_from(["walk.gaitrec", "walk"]))
def test_what_was_written_is_read(recording: Recording, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_recording(recording, path)
        found = open_recording(path)
        assert_same_samples(recording, found)
        assert found.content_id == recording.content_id
        assert (found.name, found.simulated, found.start_utc_us) == (
            recording.name,
            recording.simulated,
            recording.start_utc_us,
        )
        assert recording.notes.items() <= found.notes.items()
        for placement, stream in recording.streams.items():
            other = found.streams[placement]
            assert (stream.nominal_rate_hz, stream.acc_range_m_s2, stream.device) == (
                other.nominal_rate_hz,
                other.acc_range_m_s2,
                other.device,
            )
            assert (stream.n_samples, stream.start_s, stream.end_s) == (
                other.n_samples,
                other.start_s,
                other.end_s,
            )


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("walk") / "walk.gaitrec"
    write_recording(
        Recording.of("walk", "test", [steady(Placement.PELVIS), steady(Placement.LEFT_THIGH)]), path
    )
    return path


def test_the_file_reads_with_zipfile_json_and_numpy_alone(walk: Path) -> None:
    with zipfile.ZipFile(walk) as archive:
        header = json.loads(archive.read("header.json"))
        entry = header["streams"]["pelvis"]
        chunks = [np.load(io.BytesIO(archive.read(f"pelvis/{k:06d}.npy"))) for k in range(entry["chunks"])]
    table = np.concatenate(chunks)
    assert entry["columns"] == [
        "t_s",
        "acc_x_m_s2",
        "acc_y_m_s2",
        "acc_z_m_s2",
        "gyr_x_rad_s",
        "gyr_y_rad_s",
        "gyr_z_rad_s",
    ]
    assert table.shape == (entry["n_samples"], len(entry["columns"]))
    t_s, acc, _ = steady(Placement.PELVIS).arrays()
    np.testing.assert_array_equal(table[:, 0], t_s)
    np.testing.assert_array_equal(table[:, 1:4], acc)


def read_all(path: Path) -> None:
    for stream in open_recording(path).streams.values():
        stream.arrays()


@FILES
@given(data=st.data())
def test_a_file_that_is_cut_off_says_so(walk: Path, data: st.DataObject) -> None:
    whole = walk.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / "cut.gaitrec"
        cut.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        with pytest.raises(RecordingError):
            read_all(cut)


def test_most_cuts_are_called_cut_off(walk: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gaitrec"
    cut.write_bytes(walk.read_bytes()[:20_000])
    with pytest.raises(RecordingError, match=r"cut\.gaitrec: the recording is cut off or damaged\. Copy"):
        open_recording(cut)


@settings(FILES, max_examples=150)
@given(data=st.data())
def test_a_damaged_file_never_gives_other_samples(walk: Path, data: st.DataObject) -> None:
    damaged = bytearray(walk.read_bytes())
    where = data.draw(st.integers(0, len(damaged) - 1) | st.integers(len(damaged) - 2000, len(damaged) - 1))
    damaged[where] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.gaitrec"
        path.write_bytes(damaged)
        try:
            found = open_recording(path)
            assert_same_samples(open_recording(walk), found)
        except GaitmonError:
            pass


class BrokenDiskError(Exception):
    pass


@pytest.mark.parametrize("name", ["walk.gaitrec", "walk"])
def test_a_write_that_fails_leaves_nothing_and_the_old_file_as_it_was(tmp_path: Path, name: str) -> None:
    def chunks() -> Iterator[ImuBlock]:
        yield next(iter(steady(Placement.PELVIS).chunks()))
        raise BrokenDiskError

    stream = steady(Placement.PELVIS)
    recording = Recording.of("walk", "test", [stream])
    broken = replace(recording, streams={Placement.PELVIS: replace(stream, chunks=chunks)})
    with pytest.raises(BrokenDiskError):
        write_recording(broken, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    write_recording(recording, tmp_path / "walk.gaitrec")
    with pytest.raises(BrokenDiskError):
        write_recording(broken, tmp_path / "walk.gaitrec")
    assert_same_samples(recording, open_recording(tmp_path / "walk.gaitrec"))


def hours(placement: Placement, n: int) -> SampleStream:
    """n hours at 100 Hz that never are in memory at once."""

    def chunks() -> Iterator[ImuBlock]:
        for k in range(n * 36):
            t_s = np.arange(k * 10_000, (k + 1) * 10_000) / 100.0
            yield ImuBlock(placement, t_s, np.full((10_000, 3), 5.66), np.zeros((10_000, 3)))

    return SampleStream(placement, chunks, n * 360_000, 0.0, n * 3600.0 - 0.01, has_gyroscope=True)


def test_long_recordings_stream_in_flat_memory(tmp_path: Path) -> None:
    write_recording(
        Recording.of("day", "test", [hours(p, 2) for p in list(Placement)[:3]]), tmp_path / "day.gaitrec"
    )
    assert (tmp_path / "day.gaitrec").stat().st_size > 100e6
    tracemalloc.start()
    samples = sum(len(block) for block in open_recording(tmp_path / "day.gaitrec").blocks(1.0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert samples == 3 * 720_000
    assert peak < 12e6


@pytest.mark.parametrize("cut", [1000, 10_000, 72_000])
def test_chunks_in_the_file_do_not_depend_on_the_stream_s(tmp_path: Path, cut: int) -> None:
    rng = np.random.default_rng(2)
    acc = rng.normal(0, 10, (72_000, 3))

    def chunks() -> Iterator[ImuBlock]:
        for i in range(0, 72_000, cut):
            t_s = np.arange(i, min(i + cut, 72_000)) / 100.0
            yield ImuBlock(Placement.THIGH, t_s, acc[i : i + cut], None)

    stream = SampleStream(Placement.THIGH, chunks, 72_000, 0.0, 719.99, has_gyroscope=False)
    write_recording(Recording.of("walk", "test", [stream]), tmp_path / "walk.gaitrec")
    found = open_recording(tmp_path / "walk.gaitrec").streams[Placement.THIGH]
    assert [len(block) for block in found.chunks()] == [8192] * 8 + [6464]
    assert found.arrays()[1].tobytes() == acc.tobytes()


def test_an_existing_csv_folder_is_not_overwritten(tmp_path: Path) -> None:
    recording = Recording.of("walk", "test", [steady(Placement.PELVIS)])
    write_recording(recording, tmp_path / "walk")
    with pytest.raises(RecordingError, match="exists already"):
        write_recording(recording, tmp_path / "walk")
    with pytest.raises(RecordingError, match=r"the format \.parquet is not written"):
        write_recording(recording, tmp_path / "walk.parquet")
