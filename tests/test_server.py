"""gaitmon serve as a process of its own, on a home that an older version left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from gaitmon.config import Settings, local_broker_path
from gaitmon.store.series import DeadLetter
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport import topics
from gaitmon.transport.messages import encode, segment_message, stamp
from tests.demo_process import wait_until
from tests.transport import examples

OUTBOX = "aaaaaaaa-89ab-cdef-0123-456789abcdef"


def test_what_an_older_version_put_aside_is_stored_at_the_start(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    settings.prepare_home()
    segment = examples.segment()
    payload = stamp(encode(segment_message(segment)), OUTBOX, 1, 1)
    topic = topics.up(segment.gateway, segment.wearer, "segment")
    letters = [
        DeadLetter(topic, payload, "schema_version 9 is not known"),
        DeadLetter(topic, b"garbage", "no JSON"),
    ]
    store = SqliteSeriesStore(settings.series_path)
    store.write_delivered([], [], letters)
    command = [sys.executable, "-m", "gaitmon.cli", "serve", "--home", str(settings.home)]
    with subprocess.Popen(command, env={**os.environ, "GAITMON_WEB_PORT": "0"}) as process:
        wait_until(local_broker_path(settings).exists, "the server")
        wait_until(lambda: store.segment(segment.wearer, segment.segment) == segment, "what was put aside")
        wait_until(lambda: [d.payload for d in store.dead_letters()] == [b"garbage"], "what nobody can read")
        process.send_signal(signal.SIGINT)
    store.close()
