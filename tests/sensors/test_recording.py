from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaitmon.errors import EmptyRecordingError, RecordingError
from gaitmon.model import ImuBlock, Placement
from gaitmon.sensors.recording import Recording, SampleStream, content_id, describe
from tests.sensors.samples import recordings, steady


def recut(stream: SampleStream, n: int) -> SampleStream:
    """The same stream, delivered in other chunks."""
    t_s, acc, gyr = stream.arrays()

    def chunks() -> Iterator[ImuBlock]:
        for i in range(0, len(t_s), n):
            yield ImuBlock(
                stream.placement, t_s[i : i + n], acc[i : i + n], None if gyr is None else gyr[i : i + n]
            )

    return SampleStream(
        stream.placement, chunks, len(t_s), stream.start_s, stream.end_s, stream.has_gyroscope
    )


@given(recordings(), st.floats(0.1, 3.0))
def test_blocks_give_every_sample_once_in_order_of_time_without_the_feet(
    recording: Recording, seconds: float
) -> None:
    blocks = list(recording.blocks(seconds))
    cells = [int(np.floor(b.t_s[0] / seconds)) for b in blocks]
    assert cells == sorted(cells)
    for block, cell in zip(blocks, cells, strict=True):
        assert (np.floor(block.t_s / seconds) == cell).all()
    for placement, stream in recording.streams.items():
        mine = [b for b in blocks if b.placement is placement]
        if placement.is_reference:
            assert not mine
            continue
        t_s, acc, gyr = stream.arrays()
        assert np.concatenate([b.t_s for b in mine]).tobytes() == t_s.tobytes()
        assert np.concatenate([b.acc_m_s2 for b in mine]).tobytes() == acc.tobytes()
        assert all((b.gyr_rad_s is None) == (gyr is None) for b in mine)


@given(recordings(), st.integers(1, 7))
def test_neither_blocks_nor_identity_depend_on_the_chunks(recording: Recording, n: int) -> None:
    other = Recording.of("other", "other", [recut(s, n) for s in recording.streams.values()])
    assert other.content_id == recording.content_id
    for mine, theirs in zip(recording.blocks(0.7), other.blocks(0.7), strict=True):
        assert mine.placement is theirs.placement
        assert mine.t_s.tobytes() == theirs.t_s.tobytes()
        assert mine.acc_m_s2.tobytes() == theirs.acc_m_s2.tobytes()


def test_one_changed_sample_is_another_recording() -> None:
    stream = steady(Placement.PELVIS)
    t_s, acc, gyr = stream.arrays()
    acc[5, 2] = np.nextafter(acc[5, 2], 100)
    changed = SampleStream.from_arrays(Placement.PELVIS, t_s, acc, gyr)
    worn_elsewhere = SampleStream.from_arrays(Placement.LEFT_THIGH, *stream.arrays())
    assert len({content_id([s]) for s in (steady(Placement.PELVIS), changed, worn_elsewhere)}) == 3


def test_streams_come_in_the_order_of_placements() -> None:
    given_order = [Placement.RIGHT_FOOT, Placement.LEFT_THIGH, Placement.PELVIS]
    recording = Recording.of("walk", "test", [steady(p) for p in given_order])
    assert list(recording.streams) == [Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_FOOT]


def test_what_is_no_stream_is_refused() -> None:
    ok = np.zeros((2, 3))
    with pytest.raises(EmptyRecordingError):
        SampleStream.from_arrays(Placement.PELVIS, np.array([]), np.zeros((0, 3)))
    with pytest.raises(RecordingError, match="increasing"):
        SampleStream.from_arrays(Placement.PELVIS, np.array([1.0, 1.0]), ok)
    with pytest.raises(RecordingError, match="increasing"):
        SampleStream.from_arrays(Placement.PELVIS, np.array([1.0, np.nan]), ok)
    with pytest.raises(RecordingError, match=r"gyr_rad_s has shape \(3, 3\), expected \(2, 3\)"):
        SampleStream.from_arrays(Placement.PELVIS, np.array([1.0, 2.0]), ok, np.zeros((3, 3)))
    with pytest.raises(EmptyRecordingError):
        Recording.of("walk", "test", [])
    with pytest.raises(RecordingError, match="two sensors"):
        Recording.of("walk", "test", [steady(Placement.PELVIS), steady(Placement.PELVIS)])


def test_a_description_says_what_is_worn_and_what_is_simulated() -> None:
    streams = [steady(Placement.PELVIS), steady(Placement.LEFT_FOOT)]
    text = describe(
        Recording.of("walk", "test", streams, simulated=True, notes={"pelvis: lost": "3 packets"})
    )
    assert "SIMULATED" in text
    assert "100.00 Hz" in text
    assert "1,000 samples" in text
    assert "reference only" in text
    assert "note: pelvis: lost: 3 packets" in text
