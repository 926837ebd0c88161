"""What is served is what was vendored, and the colours can be read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import gaitmon.web.app as web

STATIC = Path(web.__file__).parent / "static"
VENDOR = STATIC / "vendor"


def test_vendored_files_are_the_published_ones() -> None:
    table = (VENDOR / "VENDORED.md").read_text(encoding="utf-8")
    listed = {
        line.split("|")[3].split()[0]: line.split("`")[-2]
        for line in table.splitlines()
        if line.startswith("| ") and line.count("`") >= 2
    }
    there = {
        str(p.relative_to(VENDOR)): hashlib.sha256(p.read_bytes()).hexdigest() for p in VENDOR.rglob("*.js")
    }
    assert listed == there
    for name in listed:
        assert (VENDOR / name).parent.joinpath("LICENSE").is_file()


def _schemes() -> dict[str, dict[str, str]]:
    css = (STATIC / "gaitmon.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    colours = {k: dict(re.findall(r"--([\w-]+): (#\w{6})", v)) for k, v in (("light", light), ("dark", dark))}
    return {"light": colours["light"], "dark": {**colours["light"], **colours["dark"]}}


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TEXT = [("text", "bg"), ("text", "surface"), ("text", "sunken"), ("text", "alert-soft"), ("muted", "bg"),
        ("muted", "surface"), ("muted", "sunken"), ("muted", "alert-soft"), ("accent", "bg"),
        ("accent", "surface"),
        ("accent", "accent-soft"), ("accent-text", "accent"), ("alert", "alert-soft"), ("alert", "surface"),
        ("watch", "watch-soft"), ("watch", "surface"), ("calm", "calm-soft"), ("info", "info-soft"),
        ("info", "surface"), ("sim", "sim-soft")]  # fmt: skip
GRAPHICS = [
    ("accent", "band"),
    ("alert", "band"),
    ("left", "surface"),
    ("right", "surface"),
    ("line-strong", "surface"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_at_least_wcag_aa(scheme: str) -> None:
    colours = _schemes()[scheme]
    low = {pair: _contrast(colours[pair[0]], colours[pair[1]]) for pair in TEXT}
    assert {pair: c for pair, c in low.items() if c < 4.5} == {}
    marks = {pair: _contrast(colours[pair[0]], colours[pair[1]]) for pair in GRAPHICS}
    assert {pair: c for pair, c in marks.items() if c < 3.0} == {}
