"""What the demo's processes say to each other.  Imports little, so that the first of them is soon there."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from gaitmon.model import Placement


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """recording: None walks the simulator.  placement_map: sensor -> placement, for files that do not say.
    until_done: end when everything played is stored, instead of at Ctrl-C.  history: whether the simulated
    weeks are played too."""

    recording: Path | None = None
    placement_map: Mapping[str, Placement] | None = None
    select: str | None = None
    speed: float = 1.0
    history: bool = True
    until_done: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What a feed last said.

    played_s, of_s: how much of its walk it has played; of_s is None when it walks on and on.
    days_done, days: of the history.
    waiting: results that are not stored yet.  problem: why they wait, or "".
    """

    played_s: float = 0.0
    of_s: float | None = None
    strides: int = 0
    bouts: int = 0
    days_done: int = 0
    days: int = 0
    waiting: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Tie:
    """A child's end of its only tie to the parent: it carries what the child tells, and its end means
    stop, whether the parent closed it or was killed."""

    connection: Connection

    def tell(self, what: object) -> None:
        with contextlib.suppress(OSError):  # a parent that is gone hears nothing, and cut() will say so
            self.connection.send(what)

    def cut(self, wait_s: float | None = 0.0) -> bool:
        """Whether to stop; waits for it for so long (None: until it comes)."""
        try:
            return self.connection.poll(wait_s)  # the parent never sends: readable means ended
        except OSError:
            return True
