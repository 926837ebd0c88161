"""The server's half, put together on one screen: ingest -> store -> days and alerts -> pages."""

from __future__ import annotations

import logging
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
from gaitmon.transport.ingest import Ingest
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

    def serve(self, ready: Callable[[str], None] | None = None) -> None:
        """Blocks.  ready: called with the pages' address once they answer."""
        host, port = self._settings.web_host, self._settings.web_port
        allowed = WebSettings().allowed_hosts
        app = create_app(self.store, self.registry, WebSettings(allowed_hosts=allowed))
        config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False)
        web = _Web(config, ready)
        reviewing = threading.Thread(target=self._review, name="review", daemon=True)
        self._ingest.start()
        reviewing.start()
        try:
            web.run()
        finally:
            self._stopping.set()
            self._ingest.stop()
            reviewing.join(10.0)
            for mirror in self._mirrors:
                mirror.close()
            self.registry.close()
            self.store.close()
        if not web.came_up:
            raise ConfigError(f"The pages cannot be served on {host}:{port}.", "Is the port taken? Set GAITMON_WEB_PORT.")

    def _review(self) -> None:
        while not self._stopping.wait(REVIEW_EVERY_S):
            try:
                self._reviewer.review(datetime.now(UTC))
            except GaitmonError as error:
                log.warning("days and alerts wait: %s", error)

    def _publish(self, alert: Alert) -> None:
        """A wearer's alerts that are not closed, as one retained message."""
        current = self.registry.alerts(alert.wearer, include_closed=False)
        self._ingest.publish_alerts(AlertMessage(wearer=alert.wearer, alerts=tuple(_body(a) for a in current)))


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
    """uvicorn that says when it answers, and where (port 0 finds a free one)."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._ready = ready
        self.came_up = False

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # narrower in uvicorn
        await super().startup(sockets)  # type: ignore[arg-type]  # as above
        if self.should_exit or not self.servers:
            return
        self.came_up = True
        if self._ready is not None:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._ready(f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}")  # noqa: S104 - shown, not bound


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
