"""``python -m tests.bench_transport [messages]``: outbox, broker, ingest, SQLite, as three processes."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport.broker import EmbeddedBroker
from gaitmon.transport.outbox import Outbox
from tests.transport import examples
from tests.transport.processes import kill, launch


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    with tempfile.TemporaryDirectory() as name, EmbeddedBroker() as broker:
        folder = Path(name)
        messages = examples.walk(count)
        outbox = Outbox(folder / "gw-a.outbox")
        start_s = time.perf_counter()
        for first in range(0, len(messages), 200):
            outbox.append(messages[first : first + 200])
        appended_s = time.perf_counter() - start_s
        size = outbox.state().size_bytes
        ingest = launch("ingest", folder, broker.settings)
        store = SqliteSeriesStore(folder / "series.db")
        publisher = launch("publish", folder, broker.settings, gateway="gw-a", count=count, chunk=200)
        while store.watermark(outbox.uuid) == 0:
            time.sleep(0.001)
        start_s, start = time.perf_counter(), store.watermark(outbox.uuid)
        while store.watermark(outbox.uuid) < len(messages):
            time.sleep(0.01)
        stored_s = time.perf_counter() - start_s
        sys.stdout.write(
            f"outbox append, 200 per commit: {len(messages) / appended_s:.0f} messages/s, "
            f"{size / len(messages):.0f} bytes each\n"
            f"outbox to store, end to end:   {(len(messages) - start) / stored_s:.0f} messages/s "
            f"({len(messages)} messages)\n"
        )
        kill(publisher)
        kill(ingest)


if __name__ == "__main__":
    main()
