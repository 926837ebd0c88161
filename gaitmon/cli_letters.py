"""gaitmon letters: what arrived and could not be stored, and what was stored and is gone."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaitmon.store.series import DeadLetter, Loss

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add(commands: Commands) -> None:
    p = commands.add_parser(
        "letters",
        help="messages that were put aside, and what the store has lost",
        description="What a gateway sent and could not be stored is kept whole, with the reason; gaitmon "
        "serve reads it again whenever it starts, and --retry does so now. Contents are not shown. Below: "
        "what was confirmed to a gateway once and is in this store no more, as after an older backup.",
        epilog="Example, after an update or a new assignment:  gaitmon letters --retry",
    )
    p.add_argument("--retry", action="store_true", help="read them again, and store what can be")
    p.add_argument("--json", action="store_true", help="as JSON, for programs")
    p.add_argument("--home", type=Path, help="where the store is (default: GAITMON_HOME)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Raises ConfigError and StoreError."""
    from gaitmon.config import Settings
    from gaitmon.store.influx import InfluxSink
    from gaitmon.store.sqlite import SqliteSeriesStore
    from gaitmon.transport.ingest import retry_dead_letters

    settings = Settings.from_environment().at(args.home)
    settings.prepare_home()
    stored = None
    with closing(SqliteSeriesStore(settings.series_path)) as store:
        if args.retry:
            mirrors = [InfluxSink(settings.influx)] if settings.influx else []
            try:
                stored = retry_dead_letters(store, mirrors)
            finally:
                for mirror in mirrors:
                    mirror.close()
        letters, losses = store.dead_letters(), store.losses()
    if args.json:
        print(json.dumps(_as_json(stored, letters, losses), indent=1))
    else:
        _show(stored, letters, losses)


def _as_json(stored: int | None, letters: list[DeadLetter], losses: list[Loss]) -> dict[str, object]:
    return {
        "stored": stored,
        "letters": [
            {"topic": x.topic, "reason": x.reason, "times": x.times, "bytes": len(x.payload)} for x in letters
        ],
        "losses": [
            {"gateway": x.gateway, "outbox": x.outbox, "first": x.first, "last": x.last} for x in losses
        ],
    }


def _show(stored: int | None, letters: list[DeadLetter], losses: list[Loss]) -> None:
    if stored is not None:
        print(f"stored: {stored}")
    for letter in letters:
        again = f" ({letter.times} times)" if letter.times > 1 else ""
        print(f"{letter.topic}, {len(letter.payload)} bytes{again}: {letter.reason}")
    for loss in losses:
        n = loss.last - loss.first + 1
        print(
            f"{loss.gateway}: {n} messages are gone, {loss.first} to {loss.last} of outbox {loss.outbox}. "
            "Restore a newer backup of the store; the gateway's archive can be replayed."
        )
    if not letters and not losses:
        print("Nothing is put aside, nothing is gone.")
