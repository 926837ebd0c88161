"""gaitmon demo: broker, server, collector and page in one process tree, on this machine only.

    demo (this process)  owns the broker, watches the others, prints one line
    ├── server           ingest, store, days and alerts, pages; started again when it dies
    ├── walker           a recording or a simulated walker, played as if live
    └── history          simulated weeks of two wearers, one of whom gets worse

All of them deliver over MQTT, as on real gateways; nothing reaches the store another way.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path

from gaitmon.collector import Counts, Gateway, SegmentCollector, collect, segment_of
from gaitmon.config import Settings
from gaitmon.errors import BrokerError, GaitmonError
from gaitmon.sensors.formats import open_recording
from gaitmon.sensors.formats.placements import PlacementMap
from gaitmon.sensors.recording import Recording
from gaitmon.sensors.replay import deliveries, replay
from gaitmon.sensors.synthetic import recording_of
from gaitmon.server import Server
from gaitmon.simulate import (
    Deterioration,
    Sit,
    Stand,
    Turn,
    Walk,
    WalkerParams,
    Wearer,
    daily_walk,
    simulate,
)
from gaitmon.store.registry import Registry, Role
from gaitmon.transport.broker import EmbeddedBroker
from gaitmon.transport.connection import MqttSettings
from gaitmon.web.settings import login_url

_SPAWN = multiprocessing.get_context("spawn")
_START_S = 30.0
_DRAIN_S = 60.0
HISTORY_DAYS = 28
WORSE_FROM_DAY = 19


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """recording: None walks the simulator.  until_done: end when everything played is stored, instead of
    at Ctrl-C.  history: whether the simulated weeks are played too."""

    recording: Path | None = None
    placement_map: PlacementMap | None = None
    select: str | None = None
    speed: float = 1.0
    history: bool = True
    until_done: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """What a child last said: counts of the current segment, and days of history done."""

    who: str
    counts: Counts
    done: int = 0
    of: int = 0
    waiting: int = 0
    problem: str = ""


# ---- the parent ---------------------------------------------------------------------------------


def demo(settings: Settings, plan: DemoPlan, *, keep_home: bool) -> int:
    """Blocks until Ctrl-C, or until done.  Returns the exit code.  Leaves no process behind."""
    if plan.recording is not None:  # a wrong file is told before anything is started
        open_recording(plan.recording, plan.placement_map, select=plan.select)
    home = settings.home if keep_home else Path(tempfile.mkdtemp(prefix="gaitmon-demo-"))
    settings = replace(settings, home=home)
    settings.prepare_home()
    try:
        with _stopped_by_signals() as stop, EmbeddedBroker() as broker:
            return _Tree(settings, broker.settings, plan, stop).run()
    finally:
        if not keep_home:
            shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """An event that Ctrl-C and SIGTERM set; the children ignore Ctrl-C and are told in order."""
    stop = _SPAWN.Event()
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


class _Tree:
    def __init__(self, settings: Settings, mqtt: MqttSettings, plan: DemoPlan, stop: Event) -> None:
        self._settings = settings
        self._mqtt = mqtt
        self._plan = plan
        self._stop = stop
        self._told: dict[str, _Told] = {}
        self._inbox = _SPAWN.SimpleQueue()
        self._children_stop = _SPAWN.Event()
        self._server: SpawnProcess | None = None
        self._feeds: dict[str, SpawnProcess] = {}

    def run(self) -> int:
        token = self._people()
        try:
            address = self._start_server()
            self._settings = replace(self._settings, web_port=int(address.rsplit(":", 1)[1]))
            print("gaitmon demo. Not a medical device; nothing here is for real patients.")
            print(f"Open this once: {login_url(address, token)}")
            print("Another link:   Ctrl-C and start again; each opens one session.   Stop: Ctrl-C")
            if self._plan.recording is None:
                print("Everything you see is SIMULATED.")
            elif self._plan.history:
                print("The recording is real; the wearers Demo A and Demo B are SIMULATED.")
            sys.stdout.flush()
            self._start_feeds()
            return self._watch()
        finally:
            self._end()

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

    def _start_server(self) -> str:
        """Returns the pages' address.  Raises BrokerError when the server does not come up."""
        ours, theirs = _SPAWN.Pipe(duplex=False)
        settings = self._settings
        self._server = _SPAWN.Process(target=_serve, args=(settings, self._mqtt, theirs), name="server")
        self._server.start()
        theirs.close()
        (settings.home / "server.pid").write_text(str(self._server.pid))
        try:
            if ours.poll(_START_S):
                return str(ours.recv())
        except EOFError:
            pass
        raise BrokerError("The demo's server did not start.", "Its message is above.")

    def _start_feeds(self) -> None:
        feeds: dict[str, Callable[..., None]] = {"walker": _walker}
        if self._plan.history:
            feeds["history"] = _history
        for name, target in feeds.items():
            args = (self._settings, self._mqtt, self._plan, self._inbox, self._children_stop)
            process = _SPAWN.Process(target=target, args=args, name=name)
            process.start()
            self._feeds[name] = process

    def _watch(self) -> int:
        """The one line, a server that died started again, and the end."""
        shown, quiet_until = "", 0.0
        while not self._stop.wait(0.25):
            while not self._inbox.empty():
                told = self._inbox.get()
                self._told[told.who] = told
            if self._server is not None and not self._server.is_alive():
                print(f"\nthe server ended ({self._server.exitcode}); starting it again", flush=True)
                self._start_server()
            failed = [p for p in self._feeds.values() if not p.is_alive() and p.exitcode]
            if failed:
                return 1
            if self._plan.until_done and not any(p.is_alive() for p in self._feeds.values()):
                print(f"\n{self._line()}", flush=True)
                return 0
            line = self._line()
            if line != shown:
                live = sys.stdout.isatty()
                if live or time.monotonic() > quiet_until:  # a log wants a line now and then, not four a second
                    print(f"{line:<110}" if live else line, end="\r" if live else "\n", flush=True)
                    quiet_until = time.monotonic() + 10.0
                    shown = line
        print("\nstopping", flush=True)
        return 0

    def _line(self) -> str:
        parts = []
        if (w := self._told.get("walker")) is not None:
            parts.append(f"live {w.counts.signal_s:6.1f} s, {w.counts.strides} strides, {w.counts.bouts} bouts")
        if (h := self._told.get("history")) is not None:
            parts.append(f"history {h.done}/{h.of} days")
        if waiting := sum(t.waiting for t in self._told.values()):
            parts.append(f"{waiting} on their way")
        parts += [t.problem for t in self._told.values() if t.problem]
        return " · ".join(parts) or "starting"

    def _end(self) -> None:
        self._children_stop.set()
        for process in self._feeds.values():
            process.join(15.0)
        everyone = [*self._feeds.values(), *([self._server] if self._server is not None else [])]
        for process in everyone:
            if process.is_alive():
                process.terminate()
                process.join(10.0)
            if process.is_alive():
                process.kill()
                process.join()


# ---- the children -------------------------------------------------------------------------------


def _child() -> None:
    """Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _serve(settings: Settings, mqtt: MqttSettings, ready) -> None:  # type: ignore[no-untyped-def]  # Connection is private
    # uvicorn installs its own SIGINT handler: a session of its own keeps Ctrl-C from reaching it.
    os.setsid()
    _exit_with_parent()
    try:
        Server(settings, mqtt).serve(ready.send)
    except GaitmonError as error:
        print(f"gaitmon: {error}", file=sys.stderr)
        sys.exit(2)


def _exit_with_parent() -> None:
    """A parent that was killed cannot tell us to stop: notice that it is gone."""
    import threading

    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5.0)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class _Feed:
    """What walker and history share: a gateway, a voice, and an ear for the end."""

    def __init__(self, who: str, gateway: Gateway, inbox, stop: Event) -> None:  # type: ignore[no-untyped-def]  # SimpleQueue is private
        self.who = who
        self.gateway = gateway
        self.stop = stop
        self.total = Counts()
        self._inbox = inbox
        self._last = 0.0

    def tell(self, counts: Counts, done: int = 0, of: int = 0) -> None:
        if time.monotonic() - self._last < 0.5:
            return
        self._last = time.monotonic()
        progress = self.gateway.publisher.progress
        total = Counts(counts.signal_s, self.total.strides + counts.strides, self.total.bouts + counts.bouts)
        self._inbox.put(_Told(self.who, total, done, of, progress.pending, progress.problem))

    def add(self, counts: Counts) -> None:
        self.total = Counts(counts.signal_s, self.total.strides + counts.strides, self.total.bouts + counts.bouts)
        self._last = 0.0
        self.tell(Counts(counts.signal_s))


def _walker(settings: Settings, mqtt: MqttSettings, plan: DemoPlan, inbox, stop: Event) -> None:  # type: ignore[no-untyped-def]  # as above
    _child()
    _exit_with_parent()
    with Gateway(settings, mqtt, "demo") as gateway:
        feed = _Feed("walker", gateway, inbox, stop)
        if plan.recording is not None:
            recording = open_recording(plan.recording, plan.placement_map, select=plan.select)
            # The walk ends now, not in the future, however fast it is played.
            begin_us = time.time_ns() // 1000 - round((recording.end_s - recording.start_s) * 1e6)
            feed.add(_play(recording, "recording", feed, plan.speed, begin_us))
        for number in range(sys.maxsize if plan.recording is None and not plan.until_done else 0):
            if stop.is_set():
                break
            walk = _next_walk(number)
            feed.add(_play(walk, "demo-live", feed, plan.speed, time.time_ns() // 1000))
        drained = gateway.publisher.drain(_DRAIN_S)
        feed.add(Counts(feed.total.signal_s))
        if not plan.until_done:
            stop.wait()
    if not drained:
        print(f"gaitmon: not everything could be delivered: {gateway.publisher.progress.problem}", file=sys.stderr)
        sys.exit(1)


def _play(recording: Recording, wearer: str, feed: _Feed, speed: float, begin_us: int) -> Counts:
    """One recording as one segment, ended early when the demo stops."""
    segment = segment_of(recording, wearer, feed.gateway.id, origin="live", start_utc_us=begin_us)
    collector = SegmentCollector(segment, recording.streams, feed.gateway.outbox)

    async def until_stopped() -> Counts:
        async def source():  # type: ignore[no-untyped-def]  # an async generator of ImuBlock | Gap
            async for item in replay(recording, speed=speed):
                if feed.stop.is_set():
                    return
                yield item

        return await collect(source(), collector, feed.tell)

    return asyncio.run(until_stopped())


def _next_walk(number: int) -> Recording:
    """A minute or two of a simulated person's day; the first one is short, so that there is something to see."""
    walker = WalkerParams(speed_m_s=1.2, step_time_asymmetry_pct=2.0, stance_time_asymmetry_pct=-3.0)
    steps = (Stand(4.0), Walk(seconds=15.0), Turn(180.0, 2.2), Walk(seconds=15.0), Stand(8.0))
    if number:
        steps = (*steps[:-1], Turn(-90.0, 1.8), Walk(seconds=20.0), Stand(6.0), Sit(10.0), Stand(3.0))  # type: ignore[assignment]  # longer
    return recording_of(simulate(steps, walker, seed=number), f"simulated walk {number + 1}")


def demo_wearers() -> dict[str, Wearer]:
    """Two simulated weeks-long histories: one gets worse from WORSE_FROM_DAY on, one does not."""
    worse = Deterioration(
        WORSE_FROM_DAY, ramp_days=5, step_time_pct=5.0, stance_time_pct=-6.0, thigh_rom_pct=-12.0,
        pelvic_drop_right_deg=3.0, speed_m_s=-0.05,
    )  # fmt: skip
    usual = WalkerParams(speed_m_s=1.15, step_time_asymmetry_pct=2.5, stance_time_asymmetry_pct=-3.0)
    return {
        "demo-a": Wearer(usual=usual, deterioration=worse, walks_per_day=3, legs_per_walk=3, seed=11),
        "demo-b": Wearer(usual=replace(usual, speed_m_s=1.25), walks_per_day=3, legs_per_walk=3, seed=12),
    }


def _history(settings: Settings, mqtt: MqttSettings, plan: DemoPlan, inbox, stop: Event) -> None:  # type: ignore[no-untyped-def]  # as above
    _child()
    _exit_with_parent()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with Gateway(settings, mqtt, "demo-history") as gateway:
        feed = _Feed("history", gateway, inbox, stop)
        for day in range(HISTORY_DAYS):
            for wearer_id, wearer in demo_wearers().items():
                if stop.is_set():
                    return
                morning = today - timedelta(days=HISTORY_DAYS - day) + timedelta(hours=9)
                _one_day(wearer_id, wearer, day, morning, gateway)
            feed.tell(Counts(), day + 1, HISTORY_DAYS)
        gateway.publisher.drain(_DRAIN_S)
        feed._last = 0.0
        feed.tell(Counts(), HISTORY_DAYS, HISTORY_DAYS)
        if not plan.until_done:
            stop.wait()


def _one_day(wearer_id: str, wearer: Wearer, day: int, morning: datetime, gateway: Gateway) -> None:
    for number, walk in enumerate(daily_walk(wearer, day).walks):
        start_us = round((morning + timedelta(hours=2 * number)).timestamp() * 1e6)
        recording = recording_of(walk, f"{wearer_id} day {day} walk {number + 1}", start_utc_us=start_us)
        segment = segment_of(recording, wearer_id, gateway.id, origin="import")
        collector = SegmentCollector(segment, recording.streams, gateway.outbox)
        for item in deliveries(recording):
            collector.push(item)
        collector.finish()
