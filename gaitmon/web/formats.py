"""Numbers and times as a reader sees them.  A missing value is an en dash, a minus is a minus."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import isfinite
from zoneinfo import ZoneInfo

from gaitmon.symmetry import metrics

MISSING = "–"
_GLUED = {"°"}


def number(value: float | None, unit: str = "", *, signed: bool = False, decimals: int | None = None) -> str:
    """12.3456 s -> "12.346"; -3.21 % -> "−3.2"."""
    if value is None or not isfinite(value):
        return MISSING
    digits = metrics.decimals("deg" if unit == "°" else unit) if decimals is None else decimals
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−")


def unit_symbol(unit: str) -> str:
    return "°" if unit == "deg" else unit


def quantity(value: float | None, unit: str, *, signed: bool = False) -> str:
    """The number with its unit: "0.651 s", "+3.4 %", "12.0°"."""
    text = number(value, unit, signed=signed)
    symbol = unit_symbol(unit)
    if text == MISSING or not symbol:
        return text
    return text + symbol if symbol in _GLUED else f"{text} {symbol}"


def uncertainty(value: float | None, unit: str) -> str:
    """A standard error with two significant digits: "0.0022 s", "0.54 %"."""
    if value is None or not isfinite(value):
        return MISSING
    digits = 0 if value >= 10 else 1 if value >= 1 else 2 if value >= 0.1 else 3 if value >= 0.01 else 4
    text, symbol = f"{value:.{digits}f}", unit_symbol(unit)
    return text + symbol if symbol in _GLUED else f"{text} {symbol}".strip()


def utc_of(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def local_time(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def day_text(day: str) -> str:
    """ "2026-11-04" -> "Wed 4 Nov 2026"; what is no date stays as it is."""
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        return day
    return f"{parsed:%a} {parsed.day} {parsed:%b %Y}"


def day_short(day: str) -> str:
    """ "2026-11-04" -> "4 Nov"."""
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        return day
    return f"{parsed.day} {parsed:%b}"


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def ago(then: datetime, now: datetime) -> str:
    minutes = (now - then).total_seconds() / 60
    if minutes < 2:
        return "just now"
    if minutes < 90:
        return f"{minutes:.0f} min ago"
    if minutes < 36 * 60:
        return f"{minutes / 60:.0f} h ago"
    return f"{minutes / 1440:.0f} days ago"
