"""gaitmon demo: broker, server, walkers and page in one process tree, on this machine only.

    demo (this process)  watches the others, starts again what dies, prints one line
    ├── broker           embedded, loopback, generated password
    ├── server           ingest, store, days and alerts, pages
    ├── walker           a recording or a simulated walker, played as if live
    └── history          simulated weeks of two wearers, one of whom gets worse

All of them deliver over MQTT, as on real gateways; nothing reaches the store another way.  The children
never see Ctrl-C: each ends when its tie to this process does, so none outlives it, even when it is killed.
"""

# ruff: noqa: T201, PLC0415 - a command of the terminal; its children import what they alone need

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess
from pathlib import Path

from gaitmon.config import Settings
from gaitmon.demo_tie import DemoPlan, Tie, Told
from gaitmon.errors import ConfigError, GaitmonError
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.inspection import inspect
from gaitmon.store.registry import Registry, Role
from gaitmon.transport.broker import EmbeddedBroker
from gaitmon.transport.connection import MqttSettings
from gaitmon.web.settings import login_url

__all__ = ["DemoPlan", "demo"]

_SPAWN = multiprocessing.get_context("spawn")
LOOK_EVERY_S = 0.1
LOG_EVERY_S = 10.0  # between lines where the output is no terminal
START_S = 60.0
END_S = 6.0  # for a child to end by itself
FAILURES = 5  # starts in a row that came to nothing, before the demo gives up


def demo(settings: Settings, plan: DemoPlan, *, keep_home: bool) -> int:
    """Blocks until Ctrl-C, or until done.  Returns the exit code.  Leaves no process behind.

    Raises RecordingError, before anything is started, for a recording that cannot be read; ConfigError
    when the server does not come up.
    """
    if plan.recording is not None:
        inspect(open_recording(plan.recording, plan.placement_map, select=plan.select))
    home = settings.home if keep_home else Path(tempfile.mkdtemp(prefix="gaitmon-demo-"))
    settings = replace(settings, home=home)
    settings.prepare_home()
    try:
        with _stopped_by_signals() as stop:
            return _Tree(settings, plan, stop).run()
    finally:
        if not keep_home:
            shutil.rmtree(home, ignore_errors=True)


@dataclass(slots=True)
class _Stop:
    """No Event: a signal handler that takes a lock may wait for the very code it interrupted."""

    requested: bool = False


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[_Stop]:
    stop = _Stop()

    def request(*_: object) -> None:
        stop.requested = True

    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # not under nohup
        signals.append(signal.SIGHUP)
    before = {s: signal.signal(s, request) for s in signals}
    try:
        yield stop
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Children started here never get SIGINT, from their first instruction on: they inherit the mask.
    What comes for us meanwhile is delivered afterwards."""
    resource_tracker.ensure_running()  # it would unblock the signal again when it is first needed
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Child:
    """A process and our end of its tie."""

    def __init__(self, name: str, target: Callable[..., None], *args: object) -> None:
        self.name = name
        self._tie, theirs = _SPAWN.Pipe()
        self.process: SpawnProcess = _SPAWN.Process(target=target, args=(*args, Tie(theirs)), name=name)
        with _deaf_to_ctrl_c():
            self.process.start()
        theirs.close()

    def heard(self) -> Iterator[object]:
        """What it has told since the last call."""
        with contextlib.suppress(OSError, EOFError):
            while self._tie.poll():
                yield self._tie.recv()

    def cut(self) -> None:
        """Tell it to stop."""
        self._tie.close()

    def end(self) -> None:
        """Cut, and wait until it is gone, by force if need be."""
        self.cut()
        self.process.join(END_S)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(1.0)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class _ServerKeeper:
    """The server, started again whenever it dies; on the same port, so that an open page goes on."""

    def __init__(self, settings: Settings, mqtt: MqttSettings) -> None:
        self.address = ""  # of the pages, once they have answered
        self._settings = settings
        self._mqtt = mqtt
        self._failures = 0
        self._next_s = 0.0
        self._child = self._start()

    def _start(self) -> _Child:
        child = _Child("server", _serve, self._settings, self._mqtt)
        (self._settings.home / "server.pid").write_text(f"{child.process.pid}\n")
        self._failures += 1
        return child

    def look(self) -> str:
        """What is new, for a person; "" is the rule.  Raises ConfigError when it will not come up."""
        for address in self._child.heard():
            self.address = str(address)
            self._failures = 0
            self._settings = replace(self._settings, web_port=int(self.address.rsplit(":", 1)[1]))
        if self._child.process.is_alive() or time.monotonic() < self._next_s:
            return ""
        if self._failures >= (FAILURES if self.address else 1):
            raise ConfigError("The demo's server does not start.", "Its last words are above.")
        code = self._child.process.exitcode
        self._child.end()
        self._child = self._start()
        self._next_s = time.monotonic() + 0.5 * self._failures
        return f"the server ended ({code}); starting it again"

    def end(self) -> None:
        self._child.end()


class _Tree:
    def __init__(self, settings: Settings, plan: DemoPlan, stop: _Stop) -> None:
        self._settings = settings
        self._plan = plan
        self._stop = stop
        self._feeds: list[_Child] = []
        self._told: dict[str, Told] = {}
        self._line = _Line()

    def run(self) -> int:
        token = self._people()
        self._broker = EmbeddedBroker()
        self._broker.start()
        try:
            self._server = _ServerKeeper(self._settings, self._broker.settings)
            try:
                return self._show(token)
            finally:
                self._end()
        finally:
            self._broker.stop()

    def _show(self, token: str) -> int:
        deadline = time.monotonic() + START_S
        while not self._server.address:
            if self._stop.requested:
                return 0
            if time.monotonic() > deadline:
                raise ConfigError(
                    "The demo's server does not answer.", "Is the machine very busy? Try again."
                )
            self._server.look()
            time.sleep(LOOK_EVERY_S)
        self._announce(login_url(self._server.address, token))
        targets = {"walker": _walk, **({"history": _tell_history} if self._plan.history else {})}
        for name, target in targets.items():
            args = (self._settings, self._broker.settings, self._plan)
            self._feeds.append(_Child(name, target, *args))
        return self._watch()

    def _people(self) -> str:
        """Wearers, one therapist, her grants; returns the secret of a login link."""
        registry = Registry(self._settings.registry_url)
        try:
            user = registry.user_named("demo") or registry.add_user("demo", Role.THERAPIST)
            known = {w.id for w in registry.every_wearer()}
            for wearer_id, name, simulated in self._wearers():
                if wearer_id not in known:
                    registry.add_wearer(name, "UTC", simulated=simulated, wearer_id=wearer_id)
                    registry.grant(user, wearer_id)
            return registry.create_login_link(user, timedelta(hours=12))
        finally:
            registry.close()

    def _wearers(self) -> list[tuple[str, str, bool]]:
        out = []
        if self._plan.history:
            out += [("demo-a", "Demo A, getting worse", True), ("demo-b", "Demo B, steady", True)]
        if self._plan.recording is None:
            return [*out, ("demo-live", "Demo C, walking now", True)]
        return [*out, ("recording", f"Recording {self._plan.recording.name}", False)]

    def _announce(self, link: str) -> None:
        print("gaitmon demo. Not a medical device; nothing here is for real patients.")
        print(f"Open this once: {link}")
        print("Another link:   Ctrl-C and start again; each opens one session.   Stop: Ctrl-C")
        if self._plan.recording is None:
            print("Everything you see is SIMULATED.")
        elif self._plan.history:
            print("The recording is real; the wearers Demo A and Demo B are SIMULATED.")
        sys.stdout.flush()

    def _watch(self) -> int:
        """The one line, what died started again, and the end."""
        while not self._stop.requested:
            alive = [feed for feed in self._feeds if feed.process.is_alive()]
            self._listen()
            failed = [f for f in self._feeds if f not in alive and f.process.exitcode]
            if failed:
                self._line.say(f"the {failed[0].name} ended ({failed[0].process.exitcode})")
                return 1
            if self._plan.until_done and not alive:
                self._line.say(self._progress())
                return 0
            self._line.show(self._progress())
            if news := self._supervise():
                self._line.say(news)
            time.sleep(LOOK_EVERY_S)
        self._line.say("stopping")
        return 0

    def _supervise(self) -> str:
        if self._broker.running:
            return self._server.look()
        before = self._broker.settings
        self._broker.stop()
        self._broker = EmbeddedBroker(before.port, before.password)
        self._broker.start()
        return "the broker ended; started it again"

    def _listen(self) -> None:
        for feed in self._feeds:
            for told in feed.heard():
                if isinstance(told, Told):
                    self._told[feed.name] = told

    def _progress(self) -> str:
        parts = []
        if (w := self._told.get("walker")) is not None:
            of = "" if w.of_s is None else f" of {w.of_s:.0f}"
            parts.append(f"walk {w.played_s:.0f}{of} s, {w.strides} strides, {w.bouts} bouts")
        if (h := self._told.get("history")) is not None:
            parts.append(f"history {h.days_done} of {h.days} days")
        if waiting := sum(t.waiting for t in self._told.values()):
            parts.append(f"{waiting} results on their way")
        parts += [t.problem for t in self._told.values() if t.problem]
        return " · ".join(parts) or "starting"

    def _end(self) -> None:
        """The feeds first, while the server still takes what they have left."""
        for feed in self._feeds:
            feed.cut()
        for feed in self._feeds:
            feed.end()
        self._server.end()


class _Line:
    """One line that changes in a terminal, a line now and then in a log."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()
        self._shown = ""
        self._quiet_until_s = 0.0

    def show(self, text: str) -> None:
        if text == self._shown or (not self._live and time.monotonic() < self._quiet_until_s):
            return
        self._shown = text
        self._quiet_until_s = time.monotonic() + LOG_EVERY_S
        width = max(20, shutil.get_terminal_size().columns - 1)  # a line that wraps cannot be overwritten
        print(
            f"{text[:width]:<{width}}" if self._live else text, end="\r" if self._live else "\n", flush=True
        )

    def say(self, text: str) -> None:
        """On a line of its own."""
        below = "\n" if self._live and self._shown else ""
        print(f"{below}{text}", flush=True)
        self._shown = ""


# ---- what runs in the children ----------------------------------------


def _walk(settings: Settings, mqtt: MqttSettings, plan: DemoPlan, tie: Tie) -> None:
    from gaitmon.demo_feeds import walker

    walker(settings, mqtt, plan, tie)


def _tell_history(settings: Settings, mqtt: MqttSettings, plan: DemoPlan, tie: Tie) -> None:
    from gaitmon.demo_feeds import history

    history(settings, mqtt, plan, tie)


def _serve(settings: Settings, mqtt: MqttSettings, tie: Tie) -> None:
    """The server's half, until its tie is cut."""
    from gaitmon.server import Server

    try:
        server = Server(settings, mqtt)

        def obey() -> None:
            tie.cut(None)
            server.stop()
            time.sleep(END_S)
            os._exit(1)

        threading.Thread(target=obey, name="tie", daemon=True).start()
        server.serve(tie.tell)
    except GaitmonError as error:
        print(f"gaitmon: {error}", file=sys.stderr)
        sys.exit(2)
