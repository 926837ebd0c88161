"""A firmware profile for people: what it is, what is done to it, and its packet drawn byte by byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gaitmon.sensors.layout import Layout, unhex
from gaitmon.sensors.modes import Mode
from gaitmon.sensors.polar import PolarDecoding
from gaitmon.sensors.procedures import Step
from gaitmon.sensors.profile import FirmwareProfile

_BYTES_IN_A_ROW = 20
_SIGNS = {"clock": "T", "counter": "N", "acc": "a", "gyr": "g", "free_acc": "f", "mag": "m"} | {
    "quat": "q",
    "euler": "e",
}


def in_a_line(profile: FirmwareProfile) -> str:
    mode = profile.mode_of()
    rates = "/".join(f"{rate:g}" for rate in profile.rates_of())
    time = "clock" if profile.clock else "counter" if profile.counter else "no clock"
    return (
        f"{profile.name:<24} {profile.fit:<24} {profile.confidence:<7} {'+'.join(mode.quantities[:2]):<8} "
        f"{time:<9} {rates} Hz"
    )


def described(profile: FirmwareProfile) -> str:
    """Several lines."""
    return "\n".join(_described(profile))


def _described(profile: FirmwareProfile) -> Iterator[str]:
    yield f"{profile.title} ({profile.name}), firmware {profile.firmware}"
    yield f"  fit         {profile.fit}"
    yield f"  confidence  {profile.confidence}"
    yield f"  source      {profile.source}"
    yield f"  recognised  {_recognised(profile)}"
    rates = ", ".join(f"{rate:g}" for rate in profile.rates.allowed_hz)
    yield f"  rates       {rates} Hz; {profile.rates.default_hz:g} Hz by default"
    yield f"  ranges      {_ranges(profile)}"
    yield f"  time        {_time(profile)}"
    if profile.axes != type(profile.axes)():
        yield f"  axes        acc {', '.join(profile.axes.acc)}; gyr {', '.join(profile.axes.gyr)}"
    yield "Characteristics"
    width = max(map(len, profile.gatt))
    yield from (f"  {role:<{width}}  {uuid}" for role, uuid in profile.gatt.items())
    yield "Procedures"
    for name, number, step in profile.procedures.steps():
        yield f"  {'' if number else name:<14} {_step(step)}"
    for mode in profile.mode:
        chosen = ", the default" if mode.id == profile.default_mode else ""
        yield f"Mode {mode.id}: {mode.name} (on {mode.role}{chosen})"
        yield from (f"  {line}" for line in _mode(mode))
    if profile.quirks:
        yield "Quirks"
        yield from (f"  - {quirk}" for quirk in profile.quirks)
    yield f"Examples that agree with all this: {len(profile.example)}"


def _recognised(profile: FirmwareProfile) -> str:
    who = profile.identity
    ways = [
        *(f"name '{name}'" for name in who.names),
        *(f"name beginning '{prefix}'" for prefix in who.name_prefixes),
        *([] if who.manufacturer_id is None else [f"manufacturer {who.manufacturer_id:#06x}"]),
        *(f"service {service}" for service in who.services),
    ]
    return " or ".join(ways)


def _ranges(profile: FirmwareProfile) -> str:
    ranges = profile.ranges
    known = [
        *([] if ranges.acc_g is None else [f"±{ranges.acc_g:g} g"]),
        *([] if ranges.gyr_deg_s is None else [f"±{ranges.gyr_deg_s:g} deg/s"]),
    ]
    return "; ".join(filter(None, [", ".join(known), ranges.source])) or "not known"


def _time(profile: FirmwareProfile) -> str:
    said = []
    if (clock := profile.clock) is not None:
        wrap = f"wraps after {clock.wrap_s:.4g} s" if clock.wrap_s < 3e8 else "does not wrap"
        stamped = clock.stamps.replace("_", " ")
        said.append(f"clock of {clock.bits} bits, {clock.tick_s:g} s a tick, {wrap}, stamps the {stamped}")
    if (counter := profile.counter) is not None:
        said.append(f"counter of {counter.counts}, {counter.bits} bits")
    return "; ".join(said) or "neither clock nor counter: by arrivals, cross-limb values are withheld"


def _step(step: Step) -> str:
    parts = [step.do, step.role or "", step.bytes or ""]
    parts += [f"byte {patch.offset}: {patch.bytes};" for patch in step.patches]
    parts += [] if step.seconds is None else [f"{step.seconds:g} s"]
    parts += [f"[{begins}: {meaning}]" for begins, meaning in step.answers.items()]
    return " ".join(filter(None, parts))


def _mode(mode: Mode) -> Iterator[str]:
    if mode.framing is not None:
        what = {
            "stream": "frames in a stream of bytes, found by their beginning",
            "continued": "a frame may take several notifications",
            "paired": "a frame is two notifications, joined without their beginnings",
        }[mode.framing.kind]
        yield f"framing: {what}"
    body = mode.body
    if isinstance(body, PolarDecoding):
        yield f"decoded in code: {body.name}"
        for form in body.formats:
            yield (
                f"  measurement {form.measurement}, type {form.type}: {form.quantity} {form.wire} x "
                f"{form.scale:g} {form.unit}"
            )
        return
    many = f", {body.samples} samples, {body.order}" if body.samples > 1 else ""
    yield f"{body.length} bytes, {body.endian}-endian{many}"
    yield from byte_map(body)
    for field in body.fields:
        unit = "" if field.is_ticks else f" x {field.scale:g} {field.unit}"
        each = "" if field.is_ticks or body.samples == 1 else f", in each sample at {field.offset}"
        count = f"{field.count} x " if field.count > 1 else ""
        first = body.places(field)[0].start
        yield f"  {_SIGNS[field.quantity]} {field.quantity:<8} byte {first}: {count}{field.type}{unit}{each}"


def byte_map(layout: Layout) -> Iterator[str]:
    """One sign for each byte: those of the fields, upper-case hex for what is always the same, a dot for what
    is not used; the beginnings of numbers are told from their rest by a space."""
    cells = [" ."] * layout.length
    for field in layout.fields:
        size = field.size // field.count
        for place in layout.places(field):
            for byte in place:
                first = (byte - place.start) % size == 0
                cells[byte] = (" " if first else "") + _SIGNS[field.quantity] + ("" if first else "_")
    for constant in layout.constants:
        for k, value in enumerate(unhex(constant.bytes)):
            cells[constant.offset + k] = f"{value:02X}"
    for start in range(0, layout.length, _BYTES_IN_A_ROW):
        yield f"  {start:>3} |{_joined(cells[start : start + _BYTES_IN_A_ROW])}"


def _joined(cells: Iterable[str]) -> str:
    return "".join(f"{cell:>3}" for cell in cells)
