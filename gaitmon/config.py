"""Settings from the environment, checked once, with an error that names the variable.

GAITMON_HOME            where everything is kept (default ~/.local/share/gaitmon), mode 0700
GAITMON_WEB_HOST/_PORT  where the pages are served (default 127.0.0.1, 8080)
GAITMON_MQTT_HOST, _PORT, _USERNAME, _PASSWORD_FILE, _CA_FILE, _TLS, _ALLOW_PLAINTEXT
                        the broker; without _HOST an embedded one on loopback is used
GAITMON_INFLUX_URL, _ORG, _BUCKET, _TOKEN_FILE, _ALLOW_PLAINTEXT
                        optional second home of the series, for Grafana
GAITMON_GATEWAY         this gateway's id (default: gateway)

Secrets are read from files, never from the command line, where every user of the machine sees them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gaitmon.errors import ConfigError
from gaitmon.store.influx import InfluxSettings
from gaitmon.transport.connection import MqttSettings

DEFAULT_HOME = Path.home() / ".local" / "share" / "gaitmon"


@dataclass(frozen=True, slots=True)
class Settings:
    """mqtt: None means the embedded broker.  influx: None means that only SQLite keeps the series."""

    home: Path = DEFAULT_HOME
    web_host: str = "127.0.0.1"
    web_port: int = 8080
    mqtt: MqttSettings | None = None
    influx: InfluxSettings | None = None
    gateway: str = "gateway"

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Raises ConfigError naming the variable that is wrong."""
        e = os.environ if env is None else env
        return cls(
            home=Path(e.get("GAITMON_HOME", str(DEFAULT_HOME))).expanduser(),
            web_host=e.get("GAITMON_WEB_HOST", "127.0.0.1"),
            web_port=_port(e, "GAITMON_WEB_PORT", 8080),
            mqtt=_mqtt(e),
            influx=_influx(e),
            gateway=e.get("GAITMON_GATEWAY", "gateway"),
        )

    def at(self, home: Path | None) -> Settings:
        """The same settings with another home, if one is given."""
        return self if home is None else replace(self, home=home)

    def prepare_home(self) -> Path:
        """Make the home for this user alone.  Raises ConfigError where that is not possible."""
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.home / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigError(
                f"{self.home} cannot be written ({error.strerror}).", "Set GAITMON_HOME or --home."
            ) from None
        return self.home

    @property
    def series_path(self) -> Path:
        return self.home / "series.sqlite"

    @property
    def registry_path(self) -> Path:
        return self.home / "registry.sqlite"

    @property
    def registry_url(self) -> str:
        return f"sqlite:///{self.registry_path}"

    def outbox_path(self, gateway: str) -> Path:
        return self.home / f"outbox-{gateway}.sqlite"

    def archive_path(self, gateway: str) -> Path:
        """Folder of the raw archive; its key lies beside it."""
        return self.home / f"archive-{gateway}"

    @property
    def sensors_path(self) -> Path:
        """The book of sensors: the only file with radio addresses; mode 0600."""
        return self.home / "sensors.json"

    @property
    def archive_key_path(self) -> Path:
        return self.home / "archive.key"


def local_broker_path(settings: Settings) -> Path:
    return settings.home / "broker.json"


def write_local_broker(settings: Settings, mqtt: MqttSettings) -> None:
    """Tell collectors of this user on this machine how to reach the embedded broker; mode 0600."""
    path = local_broker_path(settings)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(
            {"host": mqtt.host, "port": mqtt.port, "username": mqtt.username, "password": mqtt.password}, file
        )


def broker_of(settings: Settings) -> MqttSettings:
    """The broker that the environment names, else the one ``gaitmon serve`` runs on this machine."""
    if settings.mqtt is not None:
        return settings.mqtt
    try:
        found = json.loads(local_broker_path(settings).read_text())
    except (OSError, ValueError):
        raise ConfigError(
            f"No broker: GAITMON_MQTT_HOST is not set and no server runs in {settings.home}.",
            "Start gaitmon serve, or name the broker (docs/deployment.md).",
        ) from None
    return MqttSettings(found["host"], found["port"], found["username"], found["password"])


def _port(e: Mapping[str, str], name: str, default: int) -> int:
    text = e.get(name, str(default))
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise ConfigError(f"{name}={text!r} is not a port.", "Give a number from 0 to 65535; 0 finds one.")
    return int(text)


def _flag(e: Mapping[str, str], name: str) -> bool:
    text = e.get(name, "0").lower()
    if text not in ("0", "1", "true", "false", "yes", "no", ""):
        raise ConfigError(f"{name}={text!r} is neither yes nor no.", "Give 1 or 0.")
    return text in ("1", "true", "yes")


def _secret(e: Mapping[str, str], name: str) -> str:
    path = e.get(name)
    if not path:
        raise ConfigError(f"{name} is not set.", "Name the file that holds the secret.")
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ConfigError(f"{name}: {path} cannot be read ({error.strerror}).") from None


def _mqtt(e: Mapping[str, str]) -> MqttSettings | None:
    host = e.get("GAITMON_MQTT_HOST")
    if not host:
        return None
    ca = e.get("GAITMON_MQTT_CA_FILE")
    settings = MqttSettings(
        host,
        _port(e, "GAITMON_MQTT_PORT", 1883),
        e.get("GAITMON_MQTT_USERNAME", ""),
        _secret(e, "GAITMON_MQTT_PASSWORD_FILE"),
        tls=_flag(e, "GAITMON_MQTT_TLS") or ca is not None,
        ca_file=None if ca is None else Path(ca),
        allow_plaintext=_flag(e, "GAITMON_MQTT_ALLOW_PLAINTEXT"),
    )
    settings.check()
    return settings


def _influx(e: Mapping[str, str]) -> InfluxSettings | None:
    url = e.get("GAITMON_INFLUX_URL")
    if not url:
        return None
    settings = InfluxSettings(
        url,
        _secret(e, "GAITMON_INFLUX_TOKEN_FILE"),
        e.get("GAITMON_INFLUX_ORG", "gaitmon"),
        e.get("GAITMON_INFLUX_BUCKET", "gaitmon"),
        allow_plaintext=_flag(e, "GAITMON_INFLUX_ALLOW_PLAINTEXT"),
    )
    settings.check()
    return settings
