"""gaitmon collect: the gateway's half, from sensors on a wearer or from a recording."""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaitmon.collector_live import LiveCollector
    from gaitmon.collector_sensors import Radio, Worn
    from gaitmon.config import Settings
    from gaitmon.sensors.ble.assignment import SensorBook
    from gaitmon.sensors.ble.backend import AdapterSpec
    from gaitmon.sensors.ble.health import Health
    from gaitmon.transport.mqtt import Publisher

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

LINE_EVERY_S = 30.0  # where the output is no terminal
LAST_S = 5.0  # for what is still to be delivered at the end


def add(commands: Commands) -> None:
    p = commands.add_parser(
        "collect",
        help="the gateway's half: sensors in, results out over MQTT",
        description="Listen to the sensors that a wearer was assigned, keep everything "
        "that is heard, run the pipeline over it and deliver the results, storing and forwarding while the "
        "broker is away. With --replay: the same for a recording.",
    )
    p.add_argument("--wearer", required=True, help="id of the wearer whose walk it is (gaitmon wearers)")
    p.add_argument("--replay", type=Path, metavar="PATH", help="play a recording instead of listening")
    add_recording_options(p)
    p.add_argument(
        "--speed",
        type=float,
        default=math.inf,
        help="of --replay, times real time (default: without waiting)",
    )
    add_radio_options(p)
    p.add_argument("--home", type=Path, help="where everything is kept (default: GAITMON_HOME)")
    p.set_defaults(run=run)


def add_recording_options(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--map",
        metavar="PLACEMENT=SENSOR,...",
        help="where each sensor was worn, for files that do not say: pelvis=2d,left_thigh=2c,right_thigh=2b",
    )
    p.add_argument("--select", metavar="NAME", help="which trial or subject, where a file holds several")


def add_radio_options(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--adapter", action="append", metavar="NAME", help="Bluetooth adapter such as hci0; may be repeated"
    )
    p.add_argument(
        "--virtual",
        action="store_true",
        help="three virtual sensors on a SIMULATED walker instead of Bluetooth, for trying",
    )


@asynccontextmanager
async def open_radio(args: argparse.Namespace) -> AsyncIterator[Radio]:
    """What --adapter and --virtual say."""
    from gaitmon.collector_sensors import Radio
    from gaitmon.sensors.ble.backend import AdapterSpec

    if not args.virtual:
        yield Radio([_spec(name) for name in args.adapter] if args.adapter else [AdapterSpec()])
        return
    from gaitmon.sensors.profile import load_profiles, profiles_folder
    from gaitmon.virtual.people import Obedient, room, stroll

    dot = load_profiles(profiles_folder())["movella-dot"]
    async with room(dot, stroll()) as virtual:
        virtual.radio.play()
        yield Radio(virtual.adapters, time.monotonic_ns, "simulated", Obedient(virtual).act)


def _spec(name: str) -> AdapterSpec:
    from gaitmon.sensors.ble.backend import AdapterSpec
    from gaitmon.sensors.ble.bluez import power_cycle

    return AdapterSpec(name, recover=power_cycle(name) if sys.platform == "linux" else None)


def run(args: argparse.Namespace) -> None:
    from gaitmon.config import Settings

    settings = Settings.from_environment().at(args.home)
    if args.replay is not None:
        _replay(settings, args)
    else:
        _listen(settings, args)


def _replay(settings: Settings, args: argparse.Namespace) -> None:
    from gaitmon.collector import replay_recording
    from gaitmon.sensors.ble.assignment import load_book
    from gaitmon.sensors.formats import open_recording, parse_placement_map

    placements = parse_placement_map(args.map) if args.map else None
    recording = open_recording(args.replay, placements, select=args.select)
    book = load_book(settings.sensors_path)
    counts = replay_recording(settings, recording, args.wearer, args.speed, book.leg(args.wearer))
    _say_if_assumed(book, args.wearer)
    print(f"delivered: {counts.strides} strides, {counts.bouts} bouts")


def _say_if_assumed(book: SensorBook, wearer: str) -> None:
    if wearer not in book.legs:
        print(
            f"gaitmon: the leg of {wearer} is not known: lengths and speeds are those of an assumed one. "
            f"Tell it: gaitmon sensors assign {wearer} --leg-length M",
            file=sys.stderr,
        )


def _listen(settings: Settings, args: argparse.Namespace) -> None:
    """Until SIGINT or SIGTERM.  Raises ConfigError, StoreError and BrokerError."""
    from gaitmon.collector import Gateway
    from gaitmon.collector_live import open_live
    from gaitmon.collector_sensors import Worn
    from gaitmon.config import broker_of
    from gaitmon.sensors.ble.assignment import load_book
    from gaitmon.sensors.profile import load_profiles, profiles_folder

    profiles = load_profiles(profiles_folder())
    book = load_book(settings.sensors_path)
    assignments = book.assignments(args.wearer, profiles)
    worn = Worn(args.wearer, settings.gateway, assignments, book.leg(args.wearer))
    with Gateway(settings, broker_of(settings), settings.gateway) as gateway:
        with open_live(settings, gateway.outbox, profiles) as live:
            for note in live.notes:
                print(f"gaitmon: {note}", file=sys.stderr)
            _say_if_assumed(book, args.wearer)
            asyncio.run(_session(live, worn, gateway.publisher, args))
        counts = live.counts
        stored = gateway.publisher.drain(LAST_S)
        waits = "" if stored else f"; results wait in {gateway.outbox.path} for the next gaitmon collect"
    print(f"stopped: {counts.strides} strides, {counts.bouts} bouts{waits}")


async def _session(live: LiveCollector, worn: Worn, publisher: Publisher, args: argparse.Namespace) -> None:
    from gaitmon.collector_sensors import gather, health_message, until_told

    with _Screen(live, publisher) as screen:

        def tell(health: Health) -> None:
            publisher.health = health_message(worn, health)
            screen.show(health)

        async with open_radio(args) as radio:
            await until_told(asyncio.create_task(gather(live, worn, radio, tell)))


class _Screen:
    """The health table in place in a terminal; a line now and then in a log."""

    def __init__(self, live: LiveCollector, publisher: Publisher) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live, self._publisher = live, publisher
        console = Console()
        self._table = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._next_s = 0.0

    def __enter__(self) -> _Screen:
        if self._table is not None:
            self._table.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._table is not None:
            self._table.stop()

    def show(self, health: Health) -> None:
        if self._table is not None:
            from rich.console import Group

            from gaitmon.report.radio import health_table

            self._table.update(Group(health_table(health), *self._lines()), refresh=True)
        elif time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + LINE_EVERY_S
            states = ", ".join(f"{s.sensor.placement} {s.state}" for s in health.sensors)
            print(" · ".join([states, *self._lines()]), flush=True)

    def _lines(self) -> list[str]:
        """What there is, and what an operator should know."""
        live, progress = self._live, self._publisher.progress
        counts = live.counts
        lines = [f"{counts.played_s:.0f} s, {counts.strides} strides, {counts.bouts} bouts"]
        if live.behind > 1000:
            lines.append(f"{live.behind} packets wait to be analysed")
        if warning := live.archive.state().warning:
            lines.append(warning)
        if progress.problem:
            lines.append(f"{progress.pending} results wait: {progress.problem}")
        return lines
