"""gaitmon profile: the sensors that gaitmon knows, and a profile of one's own checked."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from gaitmon.errors import ConfigError, ProfileError

if TYPE_CHECKING:
    from gaitmon.sensors.profile import FirmwareProfile

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add(commands: Commands) -> None:
    p = commands.add_parser(
        "profile",
        help="the sensors known here; check a profile of your own",
        description="list: every sensor. show NAME: one of them, its packet drawn byte by byte. check FILE: "
        "a profile of your own, its examples included.",
        epilog="How to write one: docs/adding-a-sensor.md",
    )
    p.add_argument("action", choices=("list", "show", "check"))
    p.add_argument("what", nargs="?", metavar="NAME|FILE", help="a name of the list, or a .toml file")
    p.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    p.set_defaults(run=_profile)


def _profile(args: argparse.Namespace) -> None:
    from gaitmon.sensors.profile import load_profile, load_profiles, profiles_folder
    from gaitmon.sensors.profile_text import described, in_a_line

    if args.action == "list":
        if args.what:
            raise ConfigError(f"list takes no name, and '{args.what}' was given.", "Did you mean show?")
        profiles = load_profiles(profiles_folder())
        if args.json:
            print(json.dumps({name: _summary(profile) for name, profile in profiles.items()}, indent=1))
        else:
            print(*map(in_a_line, profiles.values()), sep="\n")
        return
    if not args.what:
        raise ConfigError(f"Which one shall be {args.action}ed?".replace("showed", "shown"), "Name it.")
    if args.action == "check":
        profile = load_profile(Path(args.what))
        if args.json:
            print(json.dumps({"file": args.what, "ok": True, **_summary(profile)}, indent=1))
        else:
            count = len(profile.example)
            print(f"{args.what}: {profile.name} is in order; {count} example{'s' * (count > 1)} checked.")
        return
    profile = _found(args.what)
    print(profile.model_dump_json(indent=1) if args.json else described(profile))


def _found(what: str) -> FirmwareProfile:
    """A profile of gaitmon's own by name, or a file."""
    from gaitmon.sensors.profile import load_profile, load_profiles, profiles_folder

    if what.endswith(".toml"):
        return load_profile(Path(what))
    profiles = load_profiles(profiles_folder())
    if what not in profiles:
        raise ProfileError(
            f"There is no profile '{what}'.", f"Known: {', '.join(profiles)}; or a .toml file."
        )
    return profiles[what]


def _summary(profile: FirmwareProfile) -> dict[str, object]:
    return {
        "name": profile.name,
        "title": profile.title,
        "fit": profile.fit,
        "confidence": profile.confidence,
        "rates_hz": list(profile.rates_of()),
        "modes": {str(mode.id): mode.name for mode in profile.mode},
        "examples": len(profile.example),
    }
