"""Publisher and ingest as processes that can be killed.

``python -m tests.transport.processes ingest|publish FOLDER`` with the broker's settings as JSON on stdin.
The publisher appends ``count`` strides and their bouts, as a collector would, while it sends.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport.connection import MqttSettings
from gaitmon.transport.ingest import Ingest
from gaitmon.transport.mqtt import Publisher
from gaitmon.transport.outbox import Outbox
from tests.transport import examples


def launch(role: str, folder: Path, settings: MqttSettings, **options: object) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.transport.processes", role, str(folder)], stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"settings": asdict(settings), **options}).encode())
    process.stdin.close()
    return process


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _ingest(folder: Path, settings: MqttSettings) -> None:
    store = SqliteSeriesStore(folder / "series.db")
    Ingest(settings, store).start()
    time.sleep(600)


def _publish(
    folder: Path, settings: MqttSettings, *, gateway: str, count: int, chunk: int, stay: bool = False
) -> None:
    """Goes on after the last message that is in the outbox or has left it."""
    outbox = Outbox(folder / f"{gateway}.outbox")
    messages = examples.walk(count, examples.segment(gateway=gateway))
    publisher = Publisher(settings, outbox, gateway)
    publisher.start()
    while (done := outbox.last_seq) < len(messages):
        outbox.append(messages[done : done + chunk])
    publisher.drain(600)
    if stay:
        time.sleep(600)
    publisher.stop()


def main() -> None:
    role, folder = sys.argv[1], Path(sys.argv[2])
    options = json.load(sys.stdin)
    settings = MqttSettings(**options["settings"])
    if role == "ingest":
        _ingest(folder, settings)
    else:
        names = ("gateway", "count", "chunk", "stay")
        _publish(folder, settings, **{name: options[name] for name in names if name in options})


if __name__ == "__main__":
    main()
