"""Frames that are split, joined or in halves; the same frames however the bytes come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gaitmon.sensors.framing import ContinuedFraming, PairedFraming, StreamFraming
from gaitmon.sensors.layout import Decoded
from gaitmon.sensors.modes import Axes
from gaitmon.sensors.profile import FirmwareProfile, load_profiles

FOLDER = Path(__file__).resolve().parents[2] / "firmware_profiles"
PROFILES = load_profiles(FOLDER)
WIT, META, MOVESENSE = (
    PROFILES[name] for name in ("witmotion-wt901ble", "mbientlab-metamotion-r", "movesense-gsp")
)


def sent_by(profile: FirmwareProfile, frames: int) -> list[bytes]:
    mode = profile.mode_of()
    rng = np.random.default_rng(frames)
    n = frames * mode.samples
    keys = ("acc_m_s2", "gyr_rad_s", "euler_rad")
    values = {key: rng.uniform(-3, 3, (n, 3)) for key in keys}
    return profile.encode(Decoded(np.arange(frames, dtype=np.uint64), None, values), max_payload=150)


# ---- a stream of bytes ------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_stream_may_be_cut_anywhere(data: st.DataObject) -> None:
    frames = sent_by(WIT, 6)
    reply = bytes.fromhex("55 71 3A 00 68 01 69 00 7A 00 00 00 00 00 00 00 00 00 00 00")
    stream = b"".join([*frames[:3], reply, *frames[3:]])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=20)))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    decoder = WIT.decoder()
    heard = [decoder.push([part]) for part in parts]
    assert not any(h.refused for h in heard)
    assert sum(h.others for h in heard) == 1
    found = np.concatenate([h.samples.values["acc_m_s2"] for h in heard if h.samples is not None])
    np.testing.assert_array_equal(found, WIT.decode(frames).values["acc_m_s2"])
    whole = WIT.decoder().push(parts)  # one push or many
    assert whole.samples is not None
    np.testing.assert_array_equal(whole.samples.values["acc_m_s2"], found)
    ends = np.searchsorted(cuts, [20 * k for k in (1, 2, 3, 5, 6, 7)], side="left")
    assert whole.completed_by.tolist() == ends.tolist()


def test_a_lost_byte_costs_the_frame_it_was_of_and_is_told() -> None:
    frames = [f[:2] + bytes(18) for f in sent_by(WIT, 4)]  # no marker within a frame
    heard = WIT.decoder().push([frames[0][1:], *frames[1:]])
    assert heard.samples is not None
    assert len(heard.samples) == 3
    assert [(r.index, r.why) for r in heard.refused] == [(0, "19 bytes begin no frame")]


# ---- a frame in several notifications ---------------------------------------------------------


def test_a_long_frame_in_two_parts() -> None:
    parts = sent_by(MOVESENSE, 3)
    assert [len(p) for p in parts] == [150, 50] * 3
    assert [p[:2].hex() for p in parts] == ["0263", "0363"] * 3
    decoder = MOVESENSE.decoder()
    heard = decoder.push([parts[0], bytes.fromhex("0163c800"), *parts[1:]])
    assert heard.completed_by.tolist() == [2, 4, 6]
    assert (heard.others, heard.refused) == (1, [])


@pytest.mark.parametrize(
    ("lost", "left", "why"),
    [
        (1, 2, "the rest of the frame before it is missing"),
        (2, 2, "the beginning of its frame is missing"),
    ],
)
def test_half_a_frame_is_none(lost: int, left: int, why: str) -> None:
    parts = sent_by(MOVESENSE, 3)
    heard = MOVESENSE.decoder().push(parts[:lost] + parts[lost + 1 :])
    assert heard.samples is not None
    assert len(heard.samples) == 8 * left
    assert [r.why for r in heard.refused] == [why]


def test_parts_that_make_too_much_are_refused() -> None:
    first, more, *_ = sent_by(MOVESENSE, 1)
    heard = MOVESENSE.decoder().push([first, more + b"\0"])
    assert [r.why for r in heard.refused] == ["199 bytes where 198 are expected"]


# ---- two halves -------------------------------------------------------------------------------


def test_halves_meet_in_the_order_of_arrival() -> None:
    halves = sent_by(META, 3)
    assert [h[:2].hex() for h in halves] == ["031c", "1307"] * 3
    order = [0, 2, 1, 3, 5, 4]
    heard = META.decoder().push([halves[k] for k in order])
    assert heard.completed_by.tolist() == [2, 3, 5]
    assert heard.samples is not None
    for key, values in META.decode(halves).values.items():
        np.testing.assert_array_equal(heard.samples.values[key], values)


def test_one_sensor_alone_is_refused_and_held_briefly() -> None:
    halves = sent_by(META, 9)
    decoder = META.decoder()
    heard = decoder.push(halves[::2])
    assert heard.samples is None
    assert [r.why for r in heard.refused] == ["its other half did not come"] * 5
    short = decoder.push([halves[1][:-1], b"\x99"])
    assert [r.why for r in short.refused] == ["19 bytes where 20 are expected", "99 begins no part"]


# ---- what cannot be sent or said --------------------------------------------------------------


def test_what_does_not_fit_a_notification_is_not_sent() -> None:
    dot = PROFILES["movella-dot"]
    samples = dot.decode([e.payloads[0] for e in dot.example if e.mode == 21], 21)
    with pytest.raises(ValueError, match="40 bytes does not fit into 20"):
        dot.encode(samples, 21, max_payload=20)
    with pytest.raises(ValueError, match="20 bytes does not fit into 19"):
        PairedFraming(kind="paired", parts=("01", "02"), lengths=(20, 20)).cut([bytes(38)], 19)


def test_framing_that_makes_no_sense() -> None:
    with pytest.raises(ValidationError, match="nothing after its beginning"):
        PairedFraming(kind="paired", parts=("01", "02"), lengths=(20, 1))
    assert StreamFraming(kind="stream", begin="55", length=4).cut([b"\x55abc"], 3) == [b"\x55ab", b"c"]
    assert ContinuedFraming(kind="continued", first="01", more="02", length=5).cut([b"\1abcd"], 3) == [
        b"\1ab",
        b"\2cd",
    ]


def test_axes_turn_into_the_frame_and_back() -> None:
    axes = Axes(acc=("y", "-x", "z"), gyr=("-z", "x", "y"))
    acc, gyr = np.array([[1.0, 2.0, 3.0]]), np.array([[4.0, 5.0, 6.0]])
    sent = Decoded(None, None, {"acc_m_s2": acc, "gyr_rad_s": gyr})
    turned = axes.to_frame(sent)
    assert turned.values["acc_m_s2"].tolist() == [[2.0, -1.0, 3.0]]
    assert turned.values["gyr_rad_s"].tolist() == [[-6.0, 4.0, 5.0]]
    back = axes.as_sent(turned)
    np.testing.assert_array_equal(back.values["acc_m_s2"], acc)
    np.testing.assert_array_equal(back.values["gyr_rad_s"], gyr)
    with pytest.raises(ValidationError, match="acc must name x, y and z once each"):
        Axes(acc=("x", "x", "z"))
