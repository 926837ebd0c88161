"""A session's results within 10 s of its stop: ``python -m tests.bench_session``."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from gaitmon.cli import main
from gaitmon.sensors.formats import write_recording
from gaitmon.sessions.record import write_session
from tests.sessions.practice import practice

BAR_S = 10.0


def bench() -> None:
    p = practice(two_minutes=True)
    with tempfile.TemporaryDirectory() as folder:
        write_recording(p.recording, Path(folder, "x.gaitrec"))
        session = Path(folder, "x.session.json")
        write_session(p.session(marks_s=2.0), session)
        wall, cpu = time.perf_counter(), time.process_time()
        code = main(["session", "analyse", str(session), "--plot", str(Path(folder, "x.png"))])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    seconds = p.recording.end_s - p.recording.start_s
    print(
        f"\n{seconds:.0f} s of recording, {len(p.tests)} tests, from the file to the table and the figure: "
        f"{wall:.1f} s ({cpu:.1f} s of CPU), bar {BAR_S:.0f} s: {'held' if wall <= BAR_S else 'NOT HELD'}"
    )
    raise SystemExit(code or int(wall > BAR_S))


if __name__ == "__main__":
    bench()
