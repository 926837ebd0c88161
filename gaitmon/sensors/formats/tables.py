"""Rows of numbers as makers' programs write them, and counters that wrap."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gaitmon.errors import RecordingError
from gaitmon.model import Floats


def cells(text: str, separator: str, wanted: Sequence[int], path: Path, line: int) -> list[float]:
    """The wanted cells of one line; an empty one is NaN.  Raises RecordingError naming the line."""
    parts = text.rstrip("\r\n").split(separator)
    try:
        return [float(parts[i]) if parts[i].strip() else float("nan") for i in wanted]
    except IndexError:
        raise RecordingError(
            f"{path}, line {line}: {len(parts)} cells, too few.",
            "Remove the line if the file was cut off there.",
        ) from None
    except ValueError:
        raise RecordingError(
            f"{path}, line {line}: a cell is not a number.", "Correct or remove it."
        ) from None


def unwrapped(counter: Floats, turn: float) -> Floats:
    """The counter without its wrap at turn; a step back of less than half of it is no wrap."""
    wraps = np.concatenate([[0.0], np.cumsum(np.diff(counter) < -turn / 2)])
    late = np.concatenate([[0.0], np.cumsum(np.diff(counter) > turn / 2)])
    result: Floats = counter + turn * (wraps - late)
    return result


def side_by_side(firsts: Sequence[float], turn: float) -> list[float]:
    """What to add to each counter, so that counters of one session, which begin within half a turn of each
    other, are on one axis, the earliest of them at 0."""
    offsets = [(first - firsts[0] + turn / 2) % turn - turn / 2 - first for first in firsts]
    least = min(first + offset for first, offset in zip(firsts, offsets, strict=True))
    return [offset - least for offset in offsets]
