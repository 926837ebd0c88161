"""The server's half, put together on one screen: ingest -> store -> days and alerts -> pages."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import uvicorn

from gaitmon.config import Settings, local_broker_path, write_local_broker
from gaitmon.errors import ConfigError, GaitmonError
from gaitmon.review import Reviewer
from gaitmon.store.influx import InfluxSink
from gaitmon.store.registry import Alert, AlertState, Registry
from gaitmon.store.sqlite import SqliteSeriesStore
from gaitmon.transport.broker import EmbeddedBroker
from gaitmon.transport.connection import MqttSettings, is_loopback
from gaitmon.transport.ingest import Ingest, retry_dead_letters
from gaitmon.transport.schema import AlertBody, AlertMessage
from gaitmon.web.app import create_app
from gaitmon.web.settings import WebSettings

REVIEW_EVERY_S = 2.0
log = logging.getLogger(__name__)


class Server:
    """Everything but the broker.  serve() returns when uvicorn is told to stop (SIGINT, SIGTERM)."""

    def __init__(self, settings: Settings, mqtt: MqttSettings) -> None:
        """Opens store and registry.  Raises ConfigError or StoreError."""
        settings.prepare_home()
        self._settings = settings
        self.store = SqliteSeriesStore(settings.series_path)
        self.registry = Registry(settings.registry_url)
        self._mirrors = [InfluxSink(settings.influx)] if settings.influx else []
        self._ingest = Ingest(mqtt, self.store, sinks=self._mirrors)
        self._reviewer = Reviewer(self.store, self.registry, self._publish, mirrors=self._mirrors)
        self._stopping = threading.Event()
        self._web: _Web | None = None

    def serve(self, ready: Callable[[str], None] | None = None) -> None:
        """Blocks until SIGINT, SIGTERM or stop().  ready: called with the pages' address once they answer.

        Raises ConfigError when the address cannot be had.
        """
        reviewing = threading.Thread(target=self._review, name="review", daemon=True)
        try:
            with _listen(self._settings.web_host, self._settings.web_port) as listening:
                self._web = self._pages(listening, ready)
                self._read_again()
                self._ingest.start()
                reviewing.start()
                if not self._stopping.is_set():
                    self._web.run([listening])
        finally:
            self._stopping.set()
            self._ingest.stop()
            if reviewing.is_alive():
                reviewing.join(10.0)
            for mirror in self._mirrors:
                mirror.close()
            self.registry.close()
            self.store.close()

    def stop(self) -> None:
        """Make serve() return; from any thread."""
        self._stopping.set()
        if self._web is not None:
            self._web.should_exit = True

    def _pages(self, listening: socket.socket, ready: Callable[[str], None] | None) -> _Web:
        host, port = listening.getsockname()[:2]
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - shown, not bound

        def answers() -> None:
            if ready is not None:
                ready(f"http://{shown}:{port}")

        app = create_app(self.store, self.registry, WebSettings())
        # A page that is still loading may hold up the end for 2 s.
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
        return _Web(config, answers)

    def _read_again(self) -> None:
        """What an older version could not read: this one may."""
        try:
            if kept := retry_dead_letters(self.store, self._mirrors):
                log.info("%d messages that were put aside are stored now", kept)
        except GaitmonError as error:
            log.warning("messages that were put aside stay there: %s", error)

    def _review(self) -> None:
        while not self._stopping.wait(REVIEW_EVERY_S):
            try:
                self._reviewer.review(datetime.now(UTC))
            except GaitmonError as error:
                log.warning("days and alerts wait: %s", error)
            except Exception:  # a mistake of ours must not end days and alerts for good, unseen
                log.exception("days and alerts could not be computed; they will be tried again")

    def _publish(self, alert: Alert) -> None:
        """A wearer's alerts that are not closed, as one retained message."""
        current = self.registry.alerts(alert.wearer, include_closed=False)
        self._ingest.publish_alerts(
            AlertMessage(wearer=alert.wearer, alerts=tuple(_body(a) for a in current))
        )


def _body(alert: Alert) -> AlertBody:
    evidence = alert.evidence
    return AlertBody(
        alert=str(alert.id),
        topic=alert.topic,
        state=alert.state.value,
        since_day=alert.since_day,
        active=alert.state is not AlertState.CLOSED,
        acknowledged=alert.acknowledged_utc is not None,
        headline=alert.headline,
        text=str(evidence.get("text", "")),
        rule=str(evidence.get("rule", "")),
        simulated=bool(evidence.get("simulated", False)),
    )


class _Web(uvicorn.Server):
    """uvicorn that says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def _listen(host: str, port: int) -> socket.socket:
    """Raises ConfigError; uvicorn by itself would end the process without a word."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"The pages cannot be served on {host}:{port} ({error.strerror}).",
            "Set GAITMON_WEB_HOST and GAITMON_WEB_PORT; port 0 finds a free one.",
        ) from None


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Server with the broker the settings name, or with an embedded one for this machine."""
    if settings.mqtt is not None:
        Server(settings, settings.mqtt).serve(ready)
        return
    if not is_loopback(settings.web_host):
        raise ConfigError(
            f"The embedded broker and plain http are for this machine only, not for {settings.web_host}.",
            "Name a broker with TLS in GAITMON_MQTT_HOST, or serve on 127.0.0.1 (docs/deployment.md).",
        )
    settings.prepare_home()
    with EmbeddedBroker() as broker:
        write_local_broker(settings, broker.settings)
        try:
            Server(settings, broker.settings).serve(ready)
        finally:
            local_broker_path(settings).unlink(missing_ok=True)
