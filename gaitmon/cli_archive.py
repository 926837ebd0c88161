"""gaitmon replay: what a raw archive holds, and what comes of it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gaitmon.errors import ConfigError

if TYPE_CHECKING:
    from gaitmon.sensors.raw import RawEvent
    from gaitmon.store.archive import ArchiveReader

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add(commands: Commands) -> None:
    p = commands.add_parser(
        "replay",
        help="the results of a raw archive, once more, or what it holds",
        description="Run what a gateway has heard through the pipeline again: the results of the live run, "
        "byte for byte. Nothing is delivered.",
    )
    p.add_argument("archive", type=Path, help="the folder, e.g. archive-gateway in GAITMON_HOME")
    p.add_argument("--session", metavar="NAME", help="this one only (default: all)")
    p.add_argument("--json", action="store_true", help="one message a line, as the outbox had it")
    p.add_argument("--list", action="store_true", help="sessions, sensors, minutes, gaps, bytes; no results")
    p.add_argument(
        "--key", type=Path, metavar="FILE", help="its key (default: archive.key beside the folder)"
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Raises StoreError, ConfigError and ProfileError."""
    from gaitmon.store.archive import ArchiveReader, volumes
    from gaitmon.store.archive_key import load_key

    if not args.archive.is_dir() or not volumes(args.archive):
        raise ConfigError(f"{args.archive} is no raw archive.", "Give the folder that gaitmon collect made.")
    reader = ArchiveReader(args.archive, load_key(args.key or args.archive.parent / "archive.key"))
    if args.list:
        _list(reader, args.session)
    elif args.json:
        _json(reader, args.session)
    else:
        _summary(reader, args.session)
    for problem in reader.problems:
        print(f"gaitmon: {args.archive}: {problem}", file=sys.stderr)


def _events(reader: ArchiveReader, session: str | None) -> Iterator[RawEvent]:
    from gaitmon.collector_replay import of_session

    events = (event for _, event in reader.events())
    if session is None:
        return events
    chosen = of_session(events, session)
    first = next(chosen, None)
    if first is None:
        raise ConfigError(
            f"There is no session {session} in {reader.folder}.", "--list shows those there are."
        )
    return _with_first(first, chosen)


def _with_first(first: RawEvent, others: Iterator[RawEvent]) -> Iterator[RawEvent]:
    yield first
    yield from others


def _json(reader: ArchiveReader, session: str | None) -> None:
    from gaitmon.collector_replay import replay
    from gaitmon.sensors.profile import load_profiles, profiles_folder
    from gaitmon.transport.messages import encode

    for message in replay(_events(reader, session), load_profiles(profiles_folder())):
        print(encode(message).decode())


def _summary(reader: ArchiveReader, session: str | None) -> None:
    from gaitmon.collector_replay import replay
    from gaitmon.sensors.profile import load_profiles, profiles_folder

    kinds: dict[str, Counter[str]] = {}
    for message in replay(_events(reader, session), load_profiles(profiles_folder())):
        kinds.setdefault(message.segment, Counter())[message.kind] += 1
    for segment, n in kinds.items():
        print(f"{segment}: {n['stride']} strides, {n['bout']} bouts, {n['notice']} notices")


def _list(reader: ArchiveReader, session: str | None) -> None:
    from gaitmon.collector_replay import listing
    from gaitmon.sensors.profile import load_profiles, profiles_folder
    from gaitmon.store.archive import volumes

    for found in listing(_events(reader, session), load_profiles(profiles_folder())):
        opened = found.opened
        begun = datetime.fromtimestamp(opened.utc_us // 1_000_000, UTC)
        restarts = f", {found.restarts} restarts of the collector" if found.restarts else ""
        print(
            f"{opened.session}: from {begun:%Y-%m-%d %H:%M} UTC, {found.minutes:.1f} min, "
            f"{found.records} records, {found.payload_bytes} bytes heard"
            f"{restarts}{'' if found.closed else ', not closed'}"
        )
        for sensor, counts in zip(opened.sensors, found.counts, strict=False):
            print(
                f"  {sensor.sensor} {sensor.placement} {sensor.profile} mode {sensor.mode} "
                f"{sensor.rate_hz:g} Hz: {counts.samples / sensor.rate_hz / 60:.1f} min, "
                f"{counts.gaps} gaps ({counts.missing_s:.1f} s), {counts.lost} packets lost"
            )
    size = sum(path.stat().st_size for path in volumes(reader.folder))
    print(f"{len(volumes(reader.folder))} files, {size} bytes")
