"""gaitmon wearers, login-link, audit: who is measured, who may look, and who has looked."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gaitmon.errors import ConfigError

if TYPE_CHECKING:
    from gaitmon.store.registry import Registry, User

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add(commands: Commands) -> None:
    _add_wearers(commands)
    _add_login_link(commands)
    _add_audit(commands)


def _add_wearers(commands: Commands) -> None:
    p = commands.add_parser(
        "wearers",
        help="list and register wearers, and who may see them",
        description="Without options: the list. Ids are pseudonyms: they travel in messages and topics, the "
        "name stays in the registry.",
        epilog='Example:  gaitmon wearers --add "A. Example" --zone Europe/Berlin --grant mary',
    )
    p.add_argument("--add", metavar="NAME", help="register a wearer under this name")
    p.add_argument("--id", metavar="ID", help="with --add: an id of your own (default: a random pseudonym)")
    p.add_argument("--zone", default="UTC", help="with --add: the wearer's time zone, such as Europe/Berlin")
    p.add_argument("--grant", metavar="USER", help="let this user see the wearer (named by --add or --id)")
    p.add_argument("--revoke", metavar="USER", help="no longer let this user see the wearer named by --id")
    p.add_argument("--json", action="store_true", help="the list as JSON, for programs")
    p.add_argument("--home", type=Path, help="where the registry is (default: GAITMON_HOME)")
    p.set_defaults(run=_wearers)


def _wearers(args: argparse.Namespace) -> None:
    with _registry(args.home) as registry:
        wearer_id = args.id
        if args.add is not None:
            wearer_id = registry.add_wearer(args.add, args.zone, wearer_id=args.id).id
            print(f"registered {wearer_id}")
        if (args.grant or args.revoke) and wearer_id is None:
            raise ConfigError("Which wearer?", "Name it with --id, or register it with --add.")
        if args.grant:
            registry.grant(_user(registry, args.grant), wearer_id)
            print(f"{args.grant} may see {wearer_id}")
        if args.revoke:
            registry.revoke(_user(registry, args.revoke), wearer_id)
            print(f"{args.revoke} may no longer see {wearer_id}")
        if not (args.add or args.grant or args.revoke):
            _list(registry, as_json=args.json)


def _list(registry: Registry, *, as_json: bool) -> None:
    wearers = registry.every_wearer()
    if as_json:
        keys = ("id", "display_name", "time_zone", "simulated")
        print(json.dumps([{k: getattr(w, k) for k in keys} for w in wearers], indent=1))
        return
    if not wearers:
        print('No wearer is registered. Make one: gaitmon wearers --add "NAME" --zone ZONE')
    for w in wearers:
        print(f"{w.id:<20} {w.display_name:<30} {w.time_zone}{'  SIMULATED' if w.simulated else ''}")


def _user(registry: Registry, name: str) -> User:
    user = registry.user_named(name)
    if user is None:
        raise ConfigError(
            f"There is no user {name}.", f"Make one: gaitmon login-link {name} --role therapist."
        )
    return user


def _add_login_link(commands: Commands) -> None:
    p = commands.add_parser(
        "login-link",
        help="a one-time link to the pages for one user",
        description="Make a link that opens one session, once, within 15 minutes. Hand it over yourself: "
        "whoever has it is that user.",
    )
    p.add_argument("user", help="name of the user; a new one is made with --role")
    p.add_argument("--role", choices=("operator", "therapist"), help="make this user, with this role")
    p.add_argument(
        "--address", default="http://127.0.0.1:8080", help="where the pages are served (default %(default)s)"
    )
    p.add_argument("--home", type=Path, help="where the registry is (default: GAITMON_HOME)")
    p.set_defaults(run=_login_link)


def _login_link(args: argparse.Namespace) -> None:
    from gaitmon.store.registry import Role
    from gaitmon.web.settings import login_url

    with _registry(args.home) as registry:
        user = registry.user_named(args.user)
        if user is None:
            if args.role is None:
                raise ConfigError(f"There is no user {args.user}.", "Make one with --role therapist.")
            user = registry.add_user(args.user, Role(args.role))
        print(login_url(args.address, registry.create_login_link(user)))


def _add_audit(commands: Commands) -> None:
    p = commands.add_parser(
        "audit",
        help="who looked at whom, and who changed what",
        description="The audit trail, oldest first: logins, pages and numbers that were read, notes, alerts "
        "that were acknowledged, sensors that were assigned. A page that is left open is one entry.",
    )
    p.add_argument("--wearer", metavar="ID", help="what concerns this wearer only")
    p.add_argument("--json", action="store_true", help="as JSON, for programs")
    p.add_argument("--home", type=Path, help="where the registry is (default: GAITMON_HOME)")
    p.set_defaults(run=_audit)


def _audit(args: argparse.Namespace) -> None:
    with _registry(args.home) as registry:
        trail = registry.audit_trail(args.wearer)
    if args.json:
        print(
            json.dumps([{**asdict(e), "at_utc": _utc(e.at_utc), "last_utc": _utc(e.last_utc)} for e in trail])
        )
        return
    if not trail:
        print("Nothing was read or changed.")
    for e in trail:
        again = f" (and again, {e.times} times until {_utc(e.last_utc)})" if e.times > 1 else ""
        print(
            f"{_utc(e.at_utc)}  {e.user:<16} {e.action:<20} {e.wearer or '-':<20} {e.detail}{again}".rstrip()
        )


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def _registry(home: Path | None) -> Iterator[Registry]:
    from gaitmon.config import Settings
    from gaitmon.store.registry import Registry

    settings = Settings.from_environment().at(home)
    settings.prepare_home()
    registry = Registry(settings.registry_url)
    try:
        yield registry
    finally:
        registry.close()
