"""The documents on recordings and profiles name every key there is."""

from __future__ import annotations

import re
from pathlib import Path

from gaitmon.model import Placement
from gaitmon.sensors.formats.csv_folder import ALL_COLUMNS
from gaitmon.sensors.formats.header import Header, StreamHeader
from gaitmon.sensors.layout import QUANTITIES, SI_PER_UNIT, Layout, LayoutField
from gaitmon.sensors.profile import (
    Battery,
    Clock,
    Example,
    FirmwareProfile,
    Identity,
    Mode,
    Patch,
    Procedures,
    Ranges,
    Rates,
    Step,
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
        *(Battery, Clock, Example, FirmwareProfile, Identity, Layout, LayoutField),
        *(Mode, Patch, Procedures, Ranges, Rates, Step),
    )
    for model in models:
        assert said >= set(model.model_fields), model.__name__
    assert said >= {*QUANTITIES, *(key for key, _, _ in QUANTITIES.values()), *SI_PER_UNIT}
