"""A collector that can be killed: ``python -m tests.live_process FOLDER``.

Plays the raw events of FOLDER/source (an archive itself) into a LiveCollector in FOLDER, from where the
raw archive there ends, so that a killed one goes on with the next event.  Says "ready" when it begins.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gaitmon.collector_live import LiveCollector
from gaitmon.store.archive import Archive, ArchiveParams, ArchiveReader
from gaitmon.transport.outbox import Outbox
from tests.sensors import raw_events as raw

KEY = bytes(range(32))
SMALL = ArchiveParams(volume_bytes=200_000)
SNAPSHOT_S = 7.0


def collector(folder: Path) -> LiveCollector:
    archive = Archive(folder / "archive", KEY, SMALL)
    return LiveCollector(archive, KEY, Outbox(folder / "outbox.sqlite"), raw.PROFILES, snapshot_s=SNAPSHOT_S)


def main() -> None:
    folder = Path(sys.argv[1])
    events = [event for _, event in ArchiveReader(folder / "source", KEY).events()]
    with collector(folder) as live:
        print("ready", flush=True)
        for event in events[live.archive.next :]:
            live.sink(event)
    print("done", flush=True)


if __name__ == "__main__":
    main()
