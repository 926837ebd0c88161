"""The documents on recordings and profiles name every key there is."""

from __future__ import annotations

import re
from pathlib import Path

from gaitmon.model import Placement
from gaitmon.sensors.formats.csv_folder import ALL_COLUMNS
from gaitmon.sensors.formats.header import Header, StreamHeader
from gaitmon.sensors.framing import ContinuedFraming, PairedFraming, StreamFraming
from gaitmon.sensors.layout import QUANTITIES, SI_PER_UNIT, Constant, Layout, LayoutField
from gaitmon.sensors.modes import Axes, Mode
from gaitmon.sensors.polar import PolarDecoding, PolarFormat
from gaitmon.sensors.procedures import PLACEHOLDERS, STEP_NEEDS, Patch, Procedures, Step
from gaitmon.sensors.profile import (
    Battery,
    Clock,
    Counter,
    Example,
    FirmwareProfile,
    Identity,
    Ranges,
    Rates,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"


def words(name: str) -> set[str]:
    return set(re.findall(r"[\w/^]+", (DOCS / name).read_text(encoding="utf-8")))


def test_the_recording_format_is_documented() -> None:
    said = words("recording-format.md")
    assert said >= {*Header.model_fields, *StreamHeader.model_fields, *ALL_COLUMNS, *Placement}


def test_the_profile_format_is_documented() -> None:
    said = words("adding-a-sensor.md")
    models = (
        *(Axes, Battery, Clock, Constant, Counter, Example, FirmwareProfile, Identity, Layout, LayoutField),
        *(Mode, Patch, Procedures, Ranges, Rates, Step),
        *(ContinuedFraming, PairedFraming, StreamFraming, PolarDecoding, PolarFormat),
    )
    for model in models:
        assert said >= set(model.model_fields), model.__name__
    assert said >= {*QUANTITIES, *(key for key, _, _ in QUANTITIES.values()), *SI_PER_UNIT}
    assert said >= {*STEP_NEEDS, *PLACEHOLDERS}
