"""Which sensor of a file was worn where: from ``--map`` or a placements.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gaitmon.errors import ConfigError, RecordingError
from gaitmon.model import Placement

MAP_FILE = "placements.toml"
PlacementMap = Mapping[str, Placement]
"""A sensor's name, or ``..`` and the end of it, to where it was worn."""


def parse_placement_map(text: str) -> dict[str, Placement]:
    """``pelvis=..2d,left_thigh=..2c`` as a PlacementMap.  Raises ConfigError."""
    pairs = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        where, separator, sensor = item.partition("=")
        if not separator:
            raise ConfigError(f"--map: '{item}' is not PLACEMENT=SENSOR.", "Example: --map pelvis=..2d")
        pairs.append((where.strip(), sensor.strip()))
    return _placement_map(pairs, "--map")


def read_placement_map(folder: Path) -> dict[str, Placement] | None:
    """The folder's placements.toml (``[placements]`` with ``pelvis = "..2d"``), None when there is none."""
    path = folder / MAP_FILE
    if not path.is_file():
        return None
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}.", "Correct it.") from None
    entries = table.get("placements")
    if not isinstance(entries, dict):
        raise ConfigError(f"{path}: the table [placements] is missing.", 'Example: pelvis = "..2d" below it.')
    return _placement_map([(where, str(sensor)) for where, sensor in entries.items()], str(path))


def _placement_map(pairs: Iterable[tuple[str, str]], source: str) -> dict[str, Placement]:
    result: dict[str, Placement] = {}
    for where, sensor in pairs:
        if where not in {placement.value for placement in Placement}:
            raise ConfigError(f"{source}: '{where}' is no placement.", f"One of: {', '.join(Placement)}.")
        if sensor in result:
            raise ConfigError(f"{source}: sensor '{sensor}' is given twice.", "Give each sensor one place.")
        if Placement(where) in result.values():
            raise ConfigError(f"{source}: '{where}' is given twice.", "Give each place one sensor.")
        result[sensor] = Placement(where)
    return result


def assign(names: Sequence[str], placement_map: PlacementMap, where: str) -> dict[str, Placement]:
    """Each named sensor of the map -> its placement; sensors that the map does not name are left out.

    Raises RecordingError when an entry fits no sensor, or more than one.
    """
    result: dict[str, Placement] = {}
    for pattern, placement in placement_map.items():
        end = pattern.removeprefix("..").lower()
        whole = [name for name in names if name.lower() == end]
        found = whole or [name for name in names if name.lower().endswith(end)]
        if len(found) != 1:
            what = "no sensor is" if not found else "several sensors are"
            raise RecordingError(
                f"{where}: {what} named '{pattern}' ({placement}).", f"Found: {', '.join(names)}."
            )
        if found[0] in result:
            raise RecordingError(f"{where}: sensor {found[0]} is given two places.", "Correct the map.")
        result[found[0]] = placement
    return result
