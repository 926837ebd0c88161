"""Polar's frames: the maker's own vectors, times, merging, and what a virtual one sends."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaitmon.sensors.layout import Decoded
from gaitmon.sensors.polar import PolarDecoding, PolarFormat
from gaitmon.sensors.profile import load_profile

FOLDER = Path(__file__).resolve().parents[2] / "firmware_profiles"
H10, OH1, VERITY = (load_profile(FOLDER / f"polar_{name}.toml") for name in ("h10", "oh1", "verity_sense"))
G = 9.80665
PERIOD_NS = 1e9 / 52


def by_the_book(content: bytes, size: int) -> list[list[int]]:
    """A delta frame's content, bit by bit with whole numbers: as the specification tells it."""
    rows = [[int.from_bytes(content[size * c : size * c + size], "little", signed=True) for c in range(3)]]
    at = 3 * size
    while at < len(content):
        width, n = content[at], content[at + 1]
        length = (width * n * 3 + 7) // 8
        bits = int.from_bytes(content[at + 2 : at + 2 + length], "little")
        at += 2 + length
        for _ in range(n):
            row = []
            for c in range(3):
                step = bits & ((1 << width) - 1)
                bits >>= width
                row.append(rows[-1][c] + step - (1 << width if step >> (width - 1) else 0))
            rows.append(row)
    return rows


def test_the_maker_s_57_samples_all_of_them() -> None:
    (payload,) = next(e for e in OH1.example if e.samples == 57).payloads
    expected = np.array(by_the_book(payload[10:], 2))
    assert expected.shape == (57, 3)
    assert expected[[0, 1]].tolist() == [[1905, 27376, -29282], [2095, 27271, -29367]]
    np.testing.assert_allclose(OH1.decode([payload]).values["acc_m_s2"], expected * 2.44e-4 * G, rtol=1e-12)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_blocks_of_any_width_are_read_as_the_book_says(data: st.DataObject) -> None:
    content = struct.pack("<3h", *data.draw(st.lists(st.integers(-32768, 32767), min_size=3, max_size=3)))
    for _ in range(data.draw(st.integers(0, 3))):
        width, n = data.draw(st.integers(1, 32)), data.draw(st.integers(1, 9))
        length = (width * n * 3 + 7) // 8
        content += bytes([width, n]) + data.draw(st.binary(min_size=length, max_size=length))
    payload = b"\x02" + (10**15).to_bytes(8, "little") + b"\x81" + content
    found = OH1.decode([payload]).values["acc_m_s2"]
    np.testing.assert_allclose(found, np.array(by_the_book(content, 2)) * 1e-3 * G, rtol=1e-12)


def frame(measurement: int, stamp: int, rows: list[tuple[int, int, int]], kind: int) -> bytes:
    content = b"".join(struct.pack("<3h", *row) for row in rows)
    return bytes([measurement]) + stamp.to_bytes(8, "little") + bytes([kind]) + content


def test_sample_times_come_from_the_stamps_of_consecutive_frames() -> None:
    """The sensor's 101 Hz, not the nominal 100; nominal in the first frame and after a loss."""
    step = round(1e9 / 101)
    stamps = [10**9 + k * 4 * step for k in (0, 1, 2, 5)]
    decoder = H10.decoder(rate_hz=100.0)
    heard = decoder.push([frame(2, stamp, [(0, 0, 1000)] * 4, 1) for stamp in stamps])
    assert heard.samples is not None
    assert heard.samples.clock is not None
    steps = np.diff(heard.samples.clock.astype(np.int64)).reshape(-1).tolist()
    assert steps[:3] == [10_000_000] * 3
    assert steps[3:11] == [step] * 8
    assert steps[12:] == [10_000_000] * 3
    assert heard.completed_by.tolist() == [k for k in range(4) for _ in range(4)]


def test_accelerometer_and_gyroscope_meet_on_the_accelerometer_s_times() -> None:
    """A rate that grows evenly is met exactly between two samples; frames of unlike lengths and phases."""
    decoder = VERITY.decoder()
    t_acc = np.rint(5e9 + PERIOD_NS * np.arange(60)).astype(np.int64)
    t_gyr = np.rint(5e9 - 7e6 + PERIOD_NS * np.arange(64)).astype(np.int64)
    accs = [
        frame(2, int(t_acc[k + 19]), [(j, 0, 1000) for j in range(k, k + 20)], 1) for k in range(0, 60, 20)
    ]
    gyrs = [
        frame(5, int(t_gyr[k + 15]), [(10 * j, 0, -10 * j) for j in range(k, k + 16)], 0)
        for k in range(0, 64, 16)
    ]
    payloads = sorted(accs + gyrs, key=lambda p: p[1:9][::-1])
    parts = [h.samples for h in (decoder.push([p]) for p in payloads) if h.samples is not None]
    clock = np.concatenate([p.clock for p in parts if p.clock is not None]).astype(np.int64)
    np.testing.assert_allclose(clock, t_acc, atol=1, rtol=0)
    assert len(clock) == 60
    gyr = np.concatenate([p.values["gyr_rad_s"] for p in parts])
    index = (clock - t_gyr[0]) / PERIOD_NS
    np.testing.assert_allclose(gyr[:, 0], np.radians(10 * index * 0.07), atol=np.radians(1e-5))
    acc = np.concatenate([p.values["acc_m_s2"] for p in parts])
    np.testing.assert_allclose(acc[:, 0], np.arange(60) * 1e-3 * G)
    # In one push: the same, bit for bit.
    whole = VERITY.decode(payloads)
    np.testing.assert_array_equal(whole.values["gyr_rad_s"], gyr)


def test_where_the_gyroscope_has_a_hole_there_is_no_sample() -> None:
    t = np.rint(5e9 + PERIOD_NS * np.arange(40)).astype(np.int64)
    payloads = [
        frame(2, int(t[39]), [(0, 0, 1000)] * 40, 1),
        frame(5, int(t[9]), [(1, 2, 3)] * 10, 0),
        frame(5, int(t[39]), [(1, 2, 3)] * 10, 0),  # 20 samples are lost before it
    ]
    clock = VERITY.decode(payloads).clock
    assert clock is not None
    np.testing.assert_array_equal(clock, np.concatenate([t[:10], t[30:]]))


def test_a_silent_gyroscope_fills_no_memory_and_a_clock_set_back_is_survived() -> None:
    decoder = VERITY.decoder()
    second = [frame(2, k * 10**9, [(0, 0, 1000)] * 52, 1) for k in range(1, 100)]
    assert decoder.push(second).samples is None
    again = [p for k in (3, 4) for p in (frame(2, k * 10**9, [(0, 0, 1000)] * 52, 1),
                                         frame(5, k * 10**9, [(0, 0, 0)] * 52, 0))]  # fmt: skip
    heard = decoder.push(again)
    assert heard.samples is not None
    assert heard.samples.clock is not None
    assert 52 <= len(heard.samples) <= 104
    assert heard.samples.clock.max() == 4 * 10**9


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("02 00", "2 bytes are less than a header"),
        ("03 0000000000000000 00 0000", "measurement 3, frame type 0x00 is not described"),
        ("02 0000000000000000 01 0000", "2 bytes are not samples of 6"),
        ("02 0000000000000000 81 0000", "2 bytes are less than a reference sample"),
        ("02 0000000000000000 81 000000000000 06", "a block is cut off"),
        ("02 0000000000000000 81 000000000000 06 02 00", "a block is cut off"),
        ("02 0000000000000000 81 000000000000 00 02 00", "a block of 2 samples of 0 bits"),
        ("02 0000000000000000 81 000000000000 06 00", "a block of 0 samples of 6 bits"),
    ],
)
def test_what_is_no_frame_is_refused_with_the_reason(payload: str, why: str) -> None:
    heard = OH1.decoder().push([bytes.fromhex(payload)])
    assert [r.why for r in heard.refused] == [why]
    assert heard.samples is None


@pytest.mark.parametrize(
    ("wire", "type_", "content", "expected"),
    [
        ("i8", 0, "80 7f 01", [-128, 127, 1]),
        ("i24", 2, "000080 ffff7f ffffff", [-8388608, 8388607, -1]),
        ("f32", 3, "0000c03f 000080bf 0000c07f", [1.5, -1.0, np.nan]),
    ],
)
def test_every_width_of_number(wire: str, type_: int, content: str, expected: list[float]) -> None:
    form = PolarFormat.model_validate(
        {"measurement": 2, "type": type_, "quantity": "acc", "wire": wire, "unit": "g"}
    )
    decoding = PolarDecoding(name="polar-pmd", formats=(form,))
    payload = b"\x02" + bytes(8) + bytes([type_]) + bytes.fromhex(content)
    samples, _, refused = decoding.decoder(50.0).push([payload])
    assert not refused
    assert samples is not None
    np.testing.assert_allclose(samples.values["acc_m_s2"], [np.array(expected) * G])


def test_compressed_floats_are_differences_of_their_bits() -> None:
    form = PolarFormat(measurement=5, type=1, quantity="gyr", wire="f32", unit="deg/s")
    decoding = PolarDecoding(name="polar-pmd", formats=(form,))
    first, second = (struct.unpack("<i", struct.pack("<f", v))[0] for v in (1.5, 1.75))
    block = (second - first).to_bytes(4, "little") * 3
    payload = b"\x05" + bytes(8) + b"\x81" + struct.pack("<3f", 1.5, 1.5, 1.5) + bytes([32, 1]) + block
    samples, _, refused = decoding.decoder(50.0).push([payload])
    assert not refused
    assert samples is not None
    np.testing.assert_allclose(samples.values["gyr_rad_s"], np.radians([[1.5] * 3, [1.75] * 3]))


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 300),
    seed=st.integers(0, 1000),
    scale=st.sampled_from([0.0, 0.01, 1.0, 60.0]),
    max_payload=st.integers(30, 244),
)
def test_what_a_virtual_polar_sends_is_what_is_read(
    n: int, seed: int, scale: float, max_payload: int
) -> None:
    rng = np.random.default_rng(seed)
    clock = np.rint(1e12 + PERIOD_NS * np.arange(n)).astype(np.uint64)
    acc, gyr = (np.clip(rng.normal(0, scale, (n, 3)), -30, 30) for _ in range(2))
    sent = VERITY.encode(Decoded(clock, None, {"acc_m_s2": acc, "gyr_rad_s": gyr}), max_payload=max_payload)
    assert max(map(len, sent)) <= max_payload
    found = VERITY.decode(sent)
    assert found.clock is not None
    np.testing.assert_allclose(found.clock.astype(np.int64) - clock.astype(np.int64), 0, atol=2)
    np.testing.assert_allclose(found.values["acc_m_s2"], acc, atol=0.5e-3 * G * (1 + 1e-9))
    np.testing.assert_allclose(found.values["gyr_rad_s"], gyr, atol=np.radians(0.07) * (0.5 + 1e-3))
