"""Firmware profiles: the published bytes give the published numbers, and nothing else is guessed."""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gaitmon.errors import DecodeError, ProfileError
from gaitmon.sensors.layout import Decoded, Layout, LayoutField
from gaitmon.sensors.modes import Mode
from gaitmon.sensors.profile import Example, FirmwareProfile, Fit, load_profile, load_profiles, render

FOLDER = Path(__file__).resolve().parents[2] / "firmware_profiles"
DOT_FILE = FOLDER / "movella_dot.toml"
PROFILES = load_profiles(FOLDER)
DOT = PROFILES["movella-dot"]
EXAMPLES = [(profile, example) for profile in PROFILES.values() for example in profile.example]
MODES = [(profile, mode.id) for profile in PROFILES.values() for mode in profile.mode]


def said_of(layout: Layout, payload: bytes) -> bytes:
    """With 0 where the layout says nothing of a byte (a frame that is one notification)."""
    if len(payload) != layout.length:
        return payload
    said = {byte for f in layout.fields for place in layout.places(f) for byte in place}
    said |= {c.offset + k for c in layout.constants for k in range(len(bytes.fromhex(c.bytes)))}
    return bytes(value if k in said else 0 for k, value in enumerate(payload))


def sent_within(mode: Mode, key: str) -> float:
    if mode.decoder is None:
        return 0.0
    return next(f for f in mode.decoder.formats if key.startswith(f.quantity)).si_per_lsb * (0.5 + 1e-9)


@pytest.mark.parametrize(("profile", "example"), EXAMPLES, ids=lambda v: getattr(v, "name", None))
def test_the_example_bytes_give_the_numbers_and_back(profile: FirmwareProfile, example: Example) -> None:
    mode = profile.mode_of(example.mode)
    decoded = profile.decode(example.payloads, mode.id)
    clock = () if example.clock is None else np.atleast_1d(example.clock)
    assert (decoded.clock is None) == (len(clock) == 0)
    if decoded.clock is not None:
        assert decoded.clock[: len(clock)].tolist() == list(clock)
    for key, rows in example.values.items():
        np.testing.assert_allclose(decoded.values[key][: len(rows)], rows, rtol=1e-7)
    sent = profile.encode(decoded, mode.id)
    if mode.layout is not None:
        assert sent == [said_of(mode.layout, payload) for payload in example.payloads]
    again = profile.decode(sent, mode.id)
    for key, values in decoded.values.items():
        # A sensor in code sends its first format: the OH1 whole mg, whatever resolution they came in.
        np.testing.assert_allclose(again.values[key], values, rtol=0, atol=sent_within(mode, key))


def test_the_published_capture_read_by_hand() -> None:
    """Not through our tables: struct, as the specification writes it."""
    for example in (e for e in DOT.example if e.mode == 6):
        (payload,) = example.payloads
        ticks, *acc = struct.unpack("<I3f4x", payload)
        decoded = DOT.decode([payload], 6)
        assert decoded.clock is not None
        assert decoded.clock[0] == ticks
        assert decoded.values["free_acc_m_s2"][0].tolist() == acc


def test_a_block_of_notifications_is_decoded_at_once() -> None:
    rng = np.random.default_rng(5)
    acc, gyr_deg_s = rng.normal(0, 10, (200, 3)), rng.normal(0, 200, (200, 3))
    payloads = [
        struct.pack("<I6f12x", 1000 + 16667 * k, *a, *g)
        for k, (a, g) in enumerate(zip(acc, gyr_deg_s, strict=True))
    ]
    decoded = DOT.decode(payloads)
    assert decoded.clock is not None
    np.testing.assert_array_equal(decoded.clock, 1000 + 16667 * np.arange(200))
    np.testing.assert_array_equal(decoded.values["acc_m_s2"], acc.astype(np.float32))
    np.testing.assert_allclose(decoded.values["gyr_rad_s"], np.radians(gyr_deg_s), rtol=1e-6)


@pytest.mark.parametrize(("profile", "mode"), MODES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_arbitrary_bytes_give_numbers_or_a_decode_error(
    profile: FirmwareProfile, mode: int, data: st.DataObject
) -> None:
    """Also bytes that begin as they should.  The sensor stays: a good notification after them is read.

    10,000 for each profile: tests/bench_fuzz.py.
    """
    good = next(e for e in profile.example if e.mode == mode).payloads
    beginning = st.sampled_from([b"", *(p[:k] for p in good for k in (2, 6, 10))])
    size = st.one_of(st.sampled_from([len(p) for p in good]), st.integers(0, 100))
    payloads = []
    for n in data.draw(st.lists(size, max_size=4)):
        start = data.draw(beginning)[:n]
        payloads.append(start + data.draw(st.binary(min_size=n - len(start), max_size=n - len(start))))
    with suppress(DecodeError):
        decoded = profile.decode(payloads, mode)
        assert len(decoded) > 0
        assert not any(np.isinf(v).any() for v in decoded.values.values())
    decoder = profile.decoder(mode)
    heard = [decoder.push([payload]) for payload in payloads]
    assert all(len(h.completed_by) * profile.mode_of(mode).samples == len(h.samples or ()) for h in heard)
    after = [decoder.push(good).samples for _ in range(6)]
    assert any(samples is not None for samples in after)


@pytest.mark.parametrize(("profile", "mode"), MODES)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_what_a_virtual_sensor_encodes_is_what_the_collector_decodes(
    profile: FirmwareProfile, mode: int, data: st.DataObject
) -> None:
    layout = profile.mode_of(mode).layout
    if layout is None:
        return  # test_polar.py
    frames = data.draw(st.integers(1, 4))
    n = frames * layout.samples
    values = {
        f.key: data.draw(arrays(np.float64, (n, f.count), elements=st.floats(-3, 3)))
        for f in layout.fields
        if not f.is_ticks
    }
    ticks = np.array(data.draw(st.lists(st.integers(0, 2**33), min_size=frames, max_size=frames)), np.uint64)
    sent = profile.encode(Decoded(ticks, ticks, values), mode, max_payload=data.draw(st.integers(128, 244)))
    decoded = profile.decode(sent, mode)
    for said, found in ((profile.clock, decoded.clock), (profile.counter, decoded.counter)):
        assert (said is None) == (found is None)
        if said is not None and found is not None:
            np.testing.assert_array_equal(found, ticks & np.uint64(2**said.bits - 1))
    for f in layout.fields:
        if f.is_ticks:
            continue
        step = f.si_per_lsb / 2 * (1 + 1e-9) if f.type[0] != "f" else 7 * 2.0**-24
        np.testing.assert_allclose(decoded.values[f.key], values[f.key], atol=step, rtol=0)


def test_integers_clip_as_in_a_sensor_and_both_byte_orders_work() -> None:
    for endian, expected in (("little", "0080ff7f0100"), ("big", "80007fff0001")):
        layout = Layout.model_validate(
            {
                "length": 6,
                "endian": endian,
                "fields": [{"quantity": "acc", "offset": 0, "type": "i16", "unit": "mg"}],
            }
        )
        acc = np.array([[-1e6, 1e6, 0.0098]])
        (payload,) = layout.encode(Decoded(None, None, {"acc_m_s2": acc}))
        assert payload.hex() == expected
        mg = layout.decode_fitting([payload]).values["acc_m_s2"] / 9.80665e-3
        np.testing.assert_allclose(mg, [[-32768, 32767, 1]])
        with pytest.raises(ValueError, match="NaN cannot be sent as i16"):
            layout.encode(Decoded(None, None, {"acc_m_s2": acc * np.nan}))
        with pytest.raises(ValueError, match="acc_m_s2 is missing"):
            layout.encode(Decoded(None, None, {"gyr_rad_s": acc}))


def test_procedures_are_the_bytes_of_the_specification() -> None:
    start, stop, rate = DOT.procedures.start, DOT.procedures.stop, DOT.procedures.rate
    assert [step.do for step in start] == ["subscribe", "write", "read"]  # subscribed before it starts
    assert render(start[1].bytes or "", DOT, mode=21) == b"\x01\x01\x15"
    assert render(stop[0].bytes or "", DOT, mode=21) == b"\x01\x00\x15"
    assert [(p.offset, render(p.bytes, DOT, rate_hz=60)) for p in rate[0].patches] == [
        (0, b"\x10"),
        (24, b"\x3c\x00"),
    ]
    assert DOT.gatt["measurement_control"].startswith("15172001-")


def test_what_the_dot_is() -> None:
    assert DOT.fit is Fit.GAIT
    assert DOT.clock is not None
    assert DOT.clock.wrap_s == pytest.approx(71.6 * 60, abs=3)
    assert DOT.identity.matches("Xsens DOT", set())
    assert DOT.identity.matches("Anna's left leg", {0x0886})
    assert not DOT.identity.matches(None, {0x004C})
    with pytest.raises(ProfileError, match=r"no mode 5\. Known: 6 \(free acceleration\), 20"):
        DOT.mode_of(5)


# What is written, what was written wrong, what stands on the line that is blamed, what is said.
BROKEN = [
    ('firmware = ">=2.0.0"', 'firmwear = ">=2.0.0"', "firmwear = ", "firmwear: unknown key"),
    ('fit = "gait"', 'fit = "running"', 'fit = "running"', "fit: Input should be 'gait'"),
    (
        "bits = 32",
        "bits = 24",
        "bits = 24",
        "clock.bits: mode 6: the clock field is u32",
    ),
    (
        'unit = "deg/s" },\n  { quantity = "mag"',
        'unit = "g" },\n  { quantity = "mag"',
        'offset = 16, type = "f32", unit = "g"',
        "mode.1.layout.fields.2: gyr cannot be in g; one of deg/s, rad/s",
    ),
    (
        "length = 20\n",
        "length = 15\n",
        "[mode.layout]",
        "mode.0.layout: the fields need 16 bytes, length is 15",
    ),
    ("length = 63\n", "length = 63\ncolour = 1\n", "colour = 1", "mode.3.layout.colour: unknown key"),
    ('offset = 32, type = "f32"', 'offset = 30, type = "f32"', "[mode.layout]", "gyr at 30 overlaps acc"),
    ('"01 00 {mode:u8}"', '"01 00 {volume:u8}"', "[[procedures.stop]]", "'{volume:u8}' is neither hex"),
    (
        'role = "battery"',
        'role = "batery"',
        'role = "batery"',
        "procedures.battery.0.role: the role 'batery' is not in [gatt]",
    ),
    ("clock = 1143097075", "clock = 1143097076", "[[example]]", "clock is 1143097075, not 1143097076"),
    ("[2.947574,", "[2.947575,", "[[example]]", "example 2: free_acc_m_s2 is [2.94757"),
    ("default_mode = 21", "default_mode = 22", "default_mode = 22", "default_mode 22 is not described"),
    ("id = 20", "id = 6", "id = 6", "mode.1.id: the mode 6 is there twice"),
    ("[clock]\nbits = 32", "[counter]\nbits = 32", "tick_s = 1e-6", "counter.tick_s: unknown key"),
    ("default_mode = 21", "default_mode = 6", 'fit = "gait"', "fit: mode 6 has no accelerometer"),
    ('bytes = "{rate_hz:u16}"', 'bytes = "{rate_code:u8}"', "[[procedures.rate]]", "rate uses {rate_code}"),
    ("mode = 20\npayload", "mode = 9\npayload", "[[mode]]", "mode 20 has no [[example]]"),
    ('do = "connect"', 'do = "bond"', "[[procedures", "synchronise needs one disconnect and one connect"),
    ('do = "wait"', 'do = "bond"', "[[procedures", "a sensor can only be waited for"),
    (
        '[[procedures.identify]]\ndo = "patch"',
        '[[procedures.identify]]\ndo = "disconnect"\n\n[[procedures.identify]]\ndo = "patch"',
        "[[procedures",
        "procedures.identify.0: only synchronise may disconnect",
    ),
    (
        'bytes = "01 00 {mode:u8}"',
        'bytes = "01"\nanswers = { "02" = "no" }',
        "[[procedures.stop]]",
        "write has no",
    ),
    ("default_hz = 60", "default_hz = 61", "[rates]", "default_hz 61.0 is not among allowed_hz"),
]


@pytest.mark.parametrize(("old", "new", "on_line", "message"), BROKEN, ids=[b[1][:20] for b in BROKEN])
def test_a_wrong_profile_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, on_line: str, message: str
) -> None:
    text = DOT_FILE.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    broken = tmp_path / "broken.toml"
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProfileError) as error:
        load_profile(broken)
    said = str(error.value)
    assert "\n" not in said
    assert message in said
    match = re.search(r"broken\.toml, line (\d+): ", said)
    assert match
    assert on_line in broken.read_text(encoding="utf-8").splitlines()[int(match[1]) - 1]


def test_what_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text('profile_version = 1\nname = "movella\n')
    with pytest.raises(ProfileError, match=r"broken\.toml: .*at line 2"):
        load_profile(tmp_path / "broken.toml")


def test_a_mode_without_an_example_is_refused(tmp_path: Path) -> None:
    text = DOT_FILE.read_text(encoding="utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text(text[: text.rindex("[[example]]")], encoding="utf-8")
    with pytest.raises(ProfileError, match=r"mode 26 has no \[\[example\]\]"):
        load_profile(broken)


def test_two_profiles_of_one_name_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_bytes(DOT_FILE.read_bytes())
    with pytest.raises(ProfileError, match=r"b\.toml: the name 'movella-dot' is taken"):
        load_profiles(tmp_path)
    with pytest.raises(ProfileError, match=r"none\.toml: not readable"):
        load_profile(tmp_path / "none.toml")


def test_a_field_says_its_size() -> None:
    field = LayoutField(quantity="quat", offset=4, type="f32", unit="1")
    assert (field.size, field.key) == (16, "quat_wxyz")
