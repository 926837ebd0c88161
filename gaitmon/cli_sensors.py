"""gaitmon sensors: which sensors there are, who wears them where, and whether that is so."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gaitmon.cli_collect import add_radio_options, open_radio
from gaitmon.cli_session import add_calibration_option, add_leg_options, leg_of
from gaitmon.errors import ConfigError
from gaitmon.model import Placement

if TYPE_CHECKING:
    from gaitmon.collector_check import Checked
    from gaitmon.config import Settings
    from gaitmon.model_leg import SpatialParams
    from gaitmon.sensors.ble.assignment import SensorBook
    from gaitmon.sensors.profile import FirmwareProfile

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

SCAN_S = 5.0
PLACES = {
    "pelvis": Placement.PELVIS,
    "left": Placement.LEFT_THIGH,
    "right": Placement.RIGHT_THIGH,
}


def add(commands: Commands) -> None:
    p = commands.add_parser(
        "sensors",
        help="find, assign and check the sensors of this gateway",
        description="scan: which sensors are near.  identify ID: that one blinks.  assign WEARER: which is "
        "worn where, and how long the wearer's leg is.  check WEARER: stand, lift a knee, walk: is it so?  "
        "synchronise WEARER: the maker's own synchronisation, for recordings made on the sensors; gaitmon "
        "collect needs none.  list; forget ID or WEARER.",
        epilog="Example:  gaitmon sensors assign w-7f3a91d2 --pelvis s-1f6a93c2 --left s-88d0b111 "
        "--right s-02c4e7aa --leg-length 0.82",
    )
    p.add_argument("action", choices=("scan", "identify", "assign", "check", "synchronise", "list", "forget"))
    p.add_argument("who", nargs="?", help="id of a sensor (identify, forget) or of a wearer")
    for name, placement in PLACES.items():
        where = placement.replace("_", " ")
        p.add_argument(f"--{name}", metavar="ID", help=f"assign: the sensor on the {where}")
    add_leg_options(p)
    add_calibration_option(p)
    p.add_argument("--seconds", type=float, default=SCAN_S, help=f"how long to scan (default {SCAN_S:g})")
    p.add_argument("--battery", action="store_true", help="scan: connect to each, ask battery and serial")
    p.add_argument(
        "--exchange", action="store_true", help="check: exchange left and right, if so, without asking"
    )
    p.add_argument(
        "--state",
        action="store_const",
        const="state",
        dest="sync",
        help="synchronise: only ask",
    )
    p.add_argument("--end", action="store_const", const="end", dest="sync", help="synchronise: end it")
    p.add_argument("--json", action="store_true", help="for programs (scan, list, check, synchronise)")
    add_radio_options(p)
    p.add_argument("--home", type=Path, help="where the gateway's book is (default: GAITMON_HOME)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Raises ConfigError."""
    from gaitmon.config import Settings
    from gaitmon.sensors.ble.assignment import load_book
    from gaitmon.sensors.profile import load_profiles, profiles_folder

    settings = Settings.from_environment().at(args.home)
    settings.prepare_home()
    if args.action in ("identify", "assign", "check", "synchronise", "forget") and args.who is None:
        what = "sensor" if args.action == "identify" else "wearer"
        raise ConfigError(f"Which {what}?", f"gaitmon sensors {args.action} ID")
    book, profiles = load_book(settings.sensors_path), load_profiles(profiles_folder())
    if args.action == "scan":
        asyncio.run(_scan(settings, book, profiles, args))
    elif args.action == "identify":
        asyncio.run(_identify(book, profiles, args))
    elif args.action == "assign":
        _assign(settings, book, profiles, args)
    elif args.action == "check":
        asyncio.run(_check(settings, book, profiles, args))
    elif args.action == "synchronise":
        asyncio.run(_synchronise(book, profiles, args))
    elif args.action == "forget":
        _save(settings, book.without(args.who))
        print(f"forgotten: {args.who}")
    else:
        _list(book, profiles, as_json=args.json)


def _save(settings: Settings, book: SensorBook) -> None:
    from gaitmon.sensors.ble.assignment import save_book

    save_book(book, settings.sensors_path)


# ---- scan, identify ---------------------------------------------------------------------------


async def _scan(
    settings: Settings, book: SensorBook, profiles: dict[str, FirmwareProfile], args: argparse.Namespace
) -> None:
    from gaitmon.sensors.ble.pairing import Told, ask, scan

    async with open_radio(args) as radio:
        found = await scan(profiles, radio.adapters, args.seconds)
        told = [await ask(f, profiles[f.known.profile]) if args.battery else Told() for f in found]
    ids, book = book.with_scanned([f.known for f in found])
    _save(settings, book)
    rows = [
        {
            "id": name, "name": f.name, "profile": f.known.profile, "fit": str(profiles[f.known.profile].fit),
            "serial": said.serial or profiles[f.known.profile].identity.serial_in(f.name),
            "rssi_dbm": f.rssi_dbm, "battery_percent": said.battery_percent,
        }
        for name, f, said in zip(ids, found, told, strict=True)
    ]  # fmt: skip
    if args.json:
        print(json.dumps(rows, indent=1))
    elif rows:
        _table(rows)
    else:
        raise ConfigError(
            f"No sensor was heard in {args.seconds:g} s.",
            "Wake it up (shake it, press its button), bring it near, see that no phone is connected to it. "
            "gaitmon profile list says which kinds are known.",
        )


def _table(rows: Sequence[Mapping[str, object]]) -> None:
    """Columns as wide as what is in them."""
    cells = [[key.replace("_", " ") for key in rows[0]]]
    cells += [["" if value is None else str(value) for value in row.values()] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


async def _identify(book: SensorBook, profiles: dict[str, FirmwareProfile], args: argparse.Namespace) -> None:
    from gaitmon.sensors.ble.pairing import identify, scan

    known = book.sensors.get(args.who)
    if known is None:
        raise ConfigError(f"{args.who} is not known to this gateway.", "gaitmon sensors scan")
    async with open_radio(args) as radio:
        found = await scan(profiles, radio.adapters, args.seconds)
        one = next((f for f in found if f.known.address == known.address), None)
        if one is None:
            raise ConfigError(
                f"{args.who} is not heard.",
                "Wake it up and bring it near; stop a gaitmon collect that uses it.",
            )
        await identify(one, profiles[known.profile])
    print(f"{args.who} blinks now")


# ---- assign, list -----------------------------------------------------------------------------


def _assign(
    settings: Settings, book: SensorBook, profiles: dict[str, FirmwareProfile], args: argparse.Namespace
) -> None:
    from gaitmon.sensors.ble.pairing import unfit
    from gaitmon.sensors.profile import Fit
    from gaitmon.transport.topics import checked_id

    wearer = checked_id("wearer", args.who)
    given = {p: getattr(args, name) for name, p in PLACES.items() if getattr(args, name) is not None}
    told = any(x is not None for x in (args.leg_length, args.stature, args.calibration))
    if not given and not told:
        raise ConfigError("Which sensors?", "Name them: --pelvis ID --left ID --right ID; one is enough.")
    after = book.with_wearer(wearer, given) if given else book
    after = after.with_leg(wearer, leg_of(args, wearer)) if told else after
    for placement, name in given.items():
        profile = profiles[book.sensors[name].profile]
        if why := unfit(profile):
            raise ConfigError(f"{name} cannot be used for gait. {why}.", "Assign another sensor.")
        if profile.fit is Fit.GAIT_ACCELEROMETER_ONLY:
            where = placement.replace("_", " ")
            print(f"gaitmon: {name} on the {where} has no gyroscope: strides and steps only", file=sys.stderr)
    now = [f"{placement} {name}" for placement, name in given.items()]
    now += [_lengths(after.leg(wearer))] if told else []
    _register(settings, wearer, ", ".join(now))
    _save(settings, after)
    if given:
        print(f"{wearer}: " + ", ".join(f"{p.replace('_', ' ')} {name}" for p, name in given.items()))
    print(f"{wearer}: {_lengths(after.leg(wearer))}")
    if given:
        print(f"Next: gaitmon sensors check {wearer}")


def _lengths(spatial: SpatialParams) -> str:
    from gaitmon.report.words import rest_on

    leg = f"for an assumed leg of {spatial.leg.length_m:.2f} m; --leg-length or --stature tells it"
    return f"lengths and speeds {', '.join(rest_on(spatial)) or leg}"


def _register(settings: Settings, wearer: str, now: str) -> None:
    """Where the registry is on this machine: the wearer must be in it, and it writes down what is so now."""
    from gaitmon.store.registry import Registry, Role
    from gaitmon.store.registry_model import User

    if not settings.registry_path.exists():
        return
    registry = Registry(settings.registry_url)
    try:
        if wearer not in {w.id for w in registry.every_wearer()}:
            raise ConfigError(f"{wearer} is not registered.", "gaitmon wearers lists those who are.")
        registry.audit(User(0, settings.gateway, Role.OPERATOR), "sensors.assign", wearer, now)
    finally:
        registry.close()


def _list(book: SensorBook, profiles: dict[str, FirmwareProfile], *, as_json: bool) -> None:
    worn = {name: (w, p) for w, places in book.worn.items() for p, name in places.items()}
    rows = [
        {
            "id": name, "profile": known.profile,
            "fit": str(profiles[known.profile].fit) if known.profile in profiles else "profile is gone",
            "mode": known.mode, "rate_hz": known.rate_hz,
            "wearer": worn.get(name, (None, None))[0], "placement": worn.get(name, (None, None))[1],
        }
        for name, known in book.sensors.items()
    ]  # fmt: skip
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    if rows:
        _table(rows)
    else:
        print("No sensor is known here. Find some: gaitmon sensors scan")
    for wearer in {**book.worn, **book.legs}:
        print(f"{wearer}: {_lengths(book.leg(wearer))}")


# ---- synchronise ------------------------------------------------------------------------------


async def _synchronise(
    book: SensorBook, profiles: dict[str, FirmwareProfile], args: argparse.Namespace
) -> None:
    from gaitmon.sensors.ble import synchronise as maker

    assignments = book.assignments(args.who, profiles)
    act, done = {
        "state": (maker.synchronised, "synchronised"),
        "end": (maker.unsynchronise, "ended"),
        None: (maker.synchronise, "synchronised"),
    }[args.sync]
    if args.sync is None:
        print("Half a minute: keep the sensors near each other.", file=sys.stderr, flush=True)
    async with open_radio(args) as radio:
        results = await act(assignments, radio.adapters)
    rows = [
        {"sensor": r.sensor.placement.replace("_", " "), "id": r.sensor.sensor, "result": r.problem or done}
        for r in results
    ]
    if args.json:
        print(json.dumps([{**row, "done": not r.problem} for row, r in zip(rows, results, strict=True)]))
    else:
        _table(rows)
    if failed := sum(bool(r.problem) for r in results):
        raise ConfigError(
            f"Not {done}: {failed} of {len(results)} sensors.",
            "Stop a gaitmon collect that uses them, charge them, wake them up, bring them near each other.",
        )


# ---- check ------------------------------------------------------------------------------------


async def _check(
    settings: Settings, book: SensorBook, profiles: dict[str, FirmwareProfile], args: argparse.Namespace
) -> None:
    from gaitmon.collector_check import Task, check
    from gaitmon.collector_sensors import Worn

    worn = Worn(args.who, settings.gateway, book.assignments(args.who, profiles))

    async with open_radio(args) as radio:

        def ask(task: Task) -> None:
            print(task, file=sys.stderr, flush=True)
            if radio.act is not None:
                radio.act(task.name)

        checked = await check(worn, radio, profiles, ask)
    exchanged = checked.sides == "swapped" and (args.exchange or _agreed())
    if exchanged:
        _save(settings, _swapped(book, args.who))
    if args.json:
        print(json.dumps({**asdict(checked), "exchanged": exchanged}, indent=1))
    else:
        _show(checked, exchanged=exchanged)


def _agreed() -> bool:
    """A wearer may lift the wrong knee: nothing is exchanged that nobody has confirmed."""
    if not sys.stdin.isatty():
        return False
    print("The thigh labelled right was lifted. If it was the left knee, left and right must be exchanged.")
    return input("Exchange them? [y/N] ").strip().lower() in ("y", "yes")


def _swapped(book: SensorBook, wearer: str) -> SensorBook:
    other = {
        Placement.LEFT_THIGH: Placement.RIGHT_THIGH,
        Placement.RIGHT_THIGH: Placement.LEFT_THIGH,
    }
    return book.with_wearer(wearer, {other.get(p, p): name for p, name in book.worn[wearer].items()})


def _show(checked: Checked, *, exchanged: bool) -> None:
    _table(
        [
            {
                "sensor": s.placement.replace("_", " "), "id": s.sensor, "packets": f"{s.packet_hz:.1f} Hz",
                "battery": None if s.battery_percent is None else f"{s.battery_percent} %",
                "missing": f"{s.missing_s:.1f} s", "aligned": s.aligned,
            }
            for s in checked.sensors
        ]
    )  # fmt: skip
    bound = checked.sync_bound_s
    print("clocks: " + ("not known yet" if bound is None else f"thighs at most {1e3 * bound:.1f} ms apart"))
    print(
        {
            "right": "sides: the left thigh is the one that was lifted",
            "swapped": "sides: the thigh labelled right was lifted; "
            + (
                "left and right are exchanged in the book now"
                if exchanged
                else "nothing was changed. If it was the left knee: check again with --exchange"
            ),
            "unknown": "sides: no thigh was clearly lifted; try again, or trust the labels",
        }[checked.sides]
    )
    print(f"strides: {checked.strides['left']} left, {checked.strides['right']} right")
    for notice in checked.notices:
        print(f"note: {notice}")
