"""``gaitmon demo`` as a real process tree that can be watched, killed and counted."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gaitmon.store.sqlite import SqliteSeriesStore

MARK = "GAITMON_TEST_TREE"


def wait_until(true: Callable[[], object], what: str, timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s for: {what}"
        time.sleep(0.02)


def gaitmon(*args: object, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """One command, run to its end."""
    command = [sys.executable, "-m", "gaitmon.cli", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


def analysed(*args: object) -> dict[str, Any]:
    """What ``gaitmon analyse --json`` prints."""
    done = gaitmon("analyse", "--json", *args)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class Demo:
    """The whole tree carries a mark in its environment, by which every process of it is found,
    whatever its parent, session or group has become."""

    def __init__(self, home: Path, *args: object, **env: str) -> None:
        self.home = home
        self._mark = f"{MARK}={uuid.uuid4()}"
        self._out = home.parent / f"{home.name}.out"
        name, _, value = self._mark.partition("=")
        with self._out.open("w") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gaitmon.cli", "demo", "--home", str(home), *map(str, args)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **env, name: value},
            )

    @property
    def output(self) -> str:
        return self._out.read_text()

    @property
    def link(self) -> str:
        """The login link, once it is printed."""
        wait_until(lambda: "Stop: Ctrl-C" in self.output or self.ended, "the login link")
        found = re.search(r"http://\S+#\S+", self.output)
        assert found, self.output
        return found[0]

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def server_pid(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int((self.home / "server.pid").read_text())
        return 0

    def running(self) -> list[str]:
        """Every process of the tree that is alive, as "pid command"."""
        return [f"{pid} {command}" for pid, command in self._alive()]

    def left_nothing(self, within_s: float = 2.0) -> None:
        wait_until(lambda: not self.running(), "the end of every process", within_s)

    def pid_of(self, part: str) -> int:
        """The process of the tree whose command line has this part; 0 when there is none."""
        return next((pid for pid, command in self._alive() if part in command), 0)

    def _alive(self) -> Iterator[tuple[int, str]]:
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if self._mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    yield int(folder.name), command

    def interrupt(self) -> None:
        """Ctrl-C: the terminal sends it to the whole process group."""
        os.killpg(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wait(self, timeout_s: float) -> int:
        return self._process.wait(timeout_s)

    def __enter__(self) -> Demo:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever a failed test left behind."""
        for pid, _command in self._alive():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)


@contextlib.contextmanager
def store_of(home: Path) -> Iterator[SqliteSeriesStore]:
    store = SqliteSeriesStore(home / "series.sqlite")
    try:
        yield store
    finally:
        store.close()


def stored_strides(home: Path) -> int:
    """How many strides the store holds now; 0 while there is no store."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{home}/series.sqlite?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM strides").fetchone()[0])
    except sqlite3.Error:
        return 0
