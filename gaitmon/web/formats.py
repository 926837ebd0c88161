"""Numbers and times as a reader sees them.  A missing value is an en dash, a minus is a minus."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import isfinite
from zoneinfo import ZoneInfo

from gaitmon.symmetry import metrics
from gaitmon.symmetry.uncertainty import half_width

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


def margin(value: float | None, limits: tuple[float, float] | None, unit: str) -> str:
    """The 95 % interval of a value, to two significant digits of its half width: "± 0.0022 s", "± 0.54 %";
    where the arms are too uneven for that, "0.23 to 1.16°"."""
    if value is None or limits is None or not all(map(isfinite, limits)):
        return MISSING
    half = 0.5 * (limits[1] - limits[0])
    digits = 0 if half >= 10 else 1 if half >= 1 else 2 if half >= 0.1 else 3 if half >= 0.01 else 4
    symbol = unit_symbol(unit)
    gap = "" if not symbol or symbol in _GLUED else " "
    if half_width(value, limits) is not None:
        return f"±\u00a0{half:.{digits}f}{gap}{symbol}"
    low, high = (number(x, decimals=digits) for x in limits)
    return f"{low} to {high}{gap}{symbol}"


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
