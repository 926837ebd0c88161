"""A session on disk: a small JSON beside its recording, checked when it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gaitmon.errors import ConfigError
from gaitmon.model import Side
from gaitmon.model_leg import LegLength
from gaitmon.sessions.kinds import GUIDES, Kind

SUFFIX = ".session.json"
Text = Annotated[str, Field(max_length=1000)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Seconds = Annotated[float, Field(description="on the recording's own clock")]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Conditions(_Frozen):
    """What must be alike when two sessions are compared.  None: not told."""

    footwear: Text | None = None
    walking_aid: Text | None = None
    pain: Annotated[int, Field(ge=0, le=10)] | None = None
    surface: Text | None = None
    other: Text | None = None

    def differing(self, later: Conditions) -> list[tuple[str, str, str]]:
        """(name, here, there) of those that are not the same in both."""
        shown = [(n, getattr(self, n), getattr(later, n)) for n in type(self).model_fields]
        return [(n, _told(a), _told(b)) for n, a, b in shown if a != b]


def _told(value: object) -> str:
    return "not told" if value is None else str(value)


class GuidedTest(_Frozen):
    """start_s, stop_s: as marked by a person, some seconds off.  side: the leg that stands."""

    kind: Kind
    start_s: Seconds
    stop_s: Seconds
    side: Side | None = None
    distance_m: Annotated[float, Field(gt=0.0, le=1000.0)] | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> GuidedTest:
        guide = GUIDES[self.kind]
        if not self.stop_s > self.start_s:
            raise ValueError(f"{self.kind}: stop_s {self.stop_s:g} is not after start_s {self.start_s:g}")
        if guide.sided != (self.side is not None):
            raise ValueError(f"{self.kind}: {'side= is needed' if guide.sided else 'has no side'}")
        if guide.distance == "needed" and self.distance_m is None:
            raise ValueError(f"{self.kind}: distance= is needed, in metres")
        if not guide.distance and self.distance_m is not None:
            raise ValueError(f"{self.kind}: has no distance")
        return self

    @property
    def title(self) -> str:
        return GUIDES[self.kind].name + (f", {self.side} leg stands" if self.side else "")


class Session(_Frozen):
    """recording: its path from the session's folder.  content_id: of its samples, so that a session is never
    told about another recording.  start_s, stop_s: on the recording's clock."""

    format: Literal["gaitmon.session/1"] = "gaitmon.session/1"
    id: Id
    wearer: Id
    recording: Text
    content_id: Text
    start_s: Seconds
    stop_s: Seconds
    start_utc_us: int | None = None
    purpose: Text
    conditions: Conditions = Conditions()
    leg_length_m: float | None = None
    stature_m: float | None = None
    placements: dict[str, str] = {}
    select: Text | None = None
    tests: tuple[GuidedTest, ...] = ()

    @model_validator(mode="after")
    def _tests_lie_inside(self) -> Session:
        if not self.stop_s > self.start_s:
            raise ValueError(f"stop_s {self.stop_s:g} is not after start_s {self.start_s:g}")
        for t in self.tests:
            if t.start_s < self.start_s - 1.0 or t.stop_s > self.stop_s + 1.0:
                raise ValueError(
                    f"{t.kind}: {t.start_s:g} to {t.stop_s:g} s lies outside the session, "
                    f"{self.start_s:.1f} to {self.stop_s:.1f} s"
                )
        return self

    @property
    def leg(self) -> LegLength:
        """Raises ConfigError for a length that cannot be."""
        return LegLength.of(stature_m=self.stature_m, leg_length_m=self.leg_length_m)


def checked(fields: object, name: str) -> Session:
    """A session from what JSON holds.  Raises ConfigError, which names the first thing wrong."""
    try:
        return Session.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"{name}: {f'{where}: ' if where else ''}{what}.",
            "gaitmon session tests says what each test needs.",
        ) from None


def read_session(path: Path) -> Session:
    """Raises ConfigError for a file that is none."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}.", "Give the .session.json of a session.") from None
    except ValueError:
        raise ConfigError(f"{path} is no JSON.", "Give the .session.json of a session.") from None
    return checked(fields, str(path))


def write_session(session: Session, path: Path) -> None:
    """Complete or not at all.  Raises ConfigError where it cannot be written."""
    text = session.model_dump_json(indent=1, exclude_none=True)
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}.", "Choose another place with --out.") from None
