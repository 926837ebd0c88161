"""How a broker is reached: settings, and a paho client that its owner drives in his own thread."""

from __future__ import annotations

import ipaddress
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gaitmon.errors import BrokerError, ConfigError

KEEPALIVE_S = 30
CONNECT_TIMEOUT_S = 10.0
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where the broker is and who we are.  The password never shows in repr.

    ca_file: certificate authority of the broker; None with ``tls`` means the system's.
    allow_plaintext: speak without TLS beyond loopback; only for a network that is private by itself,
    such as one inside docker compose.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: bool = False
    ca_file: Path | None = None
    allow_plaintext: bool = False

    def check(self) -> None:
        """Raises ConfigError for what must not be."""
        if self.ca_file is not None and not self.tls:
            raise ConfigError("a CA file is given but TLS is off.", "Turn TLS on, or leave the CA file out.")
        if not self.username or not self.password:
            raise ConfigError(
                "the MQTT broker needs a user and a password.", "Set both; there is no default."
            )
        if not self.tls and not self.allow_plaintext and not is_loopback(self.host):
            raise ConfigError(
                f"the MQTT broker at {self.host} would be reached without encryption.",
                "Turn TLS on and name the CA file.",
            )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Connection:
    """One MQTT 5 connection, from CONNECT to its end; never reused.

    A fresh client per attempt has no stale queue: what is not confirmed comes from the outbox or from
    the broker's session again.  Nothing runs in the background: ``step`` does the work.
    """

    def __init__(
        self,
        settings: MqttSettings,
        client_id: str,
        *,
        session_expiry_s: int,
        receive_maximum: int = 1000,
        will: tuple[str, bytes] | None = None,
        on_message: Callable[[paho.MQTTMessage], None],
    ) -> None:
        """session_expiry_s: 0 starts a clean session; otherwise the broker keeps one for so long.
        will: topic and payload, retained.  Raises BrokerError when the broker cannot be reached or
        refuses, ConfigError for settings that must not be."""
        settings.check()
        self.session_present = False
        self.refusal = ""  # why the broker last refused one of our messages (its ACL)
        self._refused: ReasonCode | None = None
        self._connected = False
        self._asked: dict[int, str] = {}
        self._ungranted = ""
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5, manual_ack=True
        )
        self._client.max_inflight_messages_set(65535)  # the window is the publisher's business
        self._client.username_pw_set(settings.username, settings.password)
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        if settings.tls:
            context = ssl.create_default_context(
                cafile=None if settings.ca_file is None else str(settings.ca_file)
            )
            self._client.tls_set_context(context)
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = lambda _client, _userdata, message: on_message(message)
        self._connect(settings, session_expiry_s, receive_maximum)

    def _connect(self, settings: MqttSettings, session_expiry_s: int, receive_maximum: int) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it untyped
        properties.SessionExpiryInterval = session_expiry_s
        properties.ReceiveMaximum = receive_maximum
        place = f"the MQTT broker at {settings.host}:{settings.port}"
        try:
            self._client.connect(
                settings.host,
                settings.port,
                keepalive=KEEPALIVE_S,
                clean_start=session_expiry_s == 0,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            raise BrokerError(f"{place} cannot be reached ({error}).", "Check that it runs.") from error
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        while not self._connected and time.monotonic() < deadline:
            alive = self._client.loop(0.1) == MQTTErrorCode.MQTT_ERR_SUCCESS
            if self._refused is not None or not alive:
                self.abort()
                why = str(self._refused) if self._refused is not None else "it closed the connection"
                raise BrokerError(f"{place} refuses us: {why}.", "Check user and password.")
        if not self._connected:
            self.abort()
            raise BrokerError(f"{place} does not answer.", "Check that it is an MQTT 5 broker.")

    def _on_connect(
        self,
        _client: paho.Client,
        _userdata: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._refused = reason
            return
        self._connected = True
        self.session_present = flags.session_present

    def _on_disconnect(self, *_: object) -> None:
        self._connected = False

    def _on_subscribe(
        self,
        _client: paho.Client,
        _userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        topic = self._asked.pop(mid, "")
        if any(reason.is_failure for reason in reasons):
            self._ungranted = f"the broker refuses our subscription to {topic}: {reasons[0]}."

    def _on_publish(
        self,
        _client: paho.Client,
        _userdata: object,
        _mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self.refusal = str(reason)

    @property
    def alive(self) -> bool:
        return self._connected

    @property
    def unconfirmed(self) -> int:
        """Published with QoS 1 and not yet acknowledged by the broker."""
        return len(self._client._out_messages)

    def step(self, timeout_s: float) -> bool:
        """Wait for network events at most so long and handle them; False once the connection is over.

        Raises BrokerError when a subscription was refused.
        """
        alive = self._client.loop(timeout_s) == MQTTErrorCode.MQTT_ERR_SUCCESS and self._connected
        if self._ungranted:
            raise BrokerError(self._ungranted, "Check its ACL.")
        return alive

    def read_more(self) -> bool:
        """Handle one more packet if its bytes are here already; False once the connection is over."""
        return self._client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS and self._connected

    def ask_for(self, topic: str) -> None:
        """Subscribe with QoS 1.  ``granted`` tells when the broker has; a refusal is raised by ``step``.

        Not to be waited for without acknowledging: with a session full of unacknowledged messages,
        rumqttd answers a subscription only after those.
        """
        _, mid = self._client.subscribe(topic, qos=1)
        if mid is not None:
            self._asked[mid] = topic

    @property
    def granted(self) -> bool:
        return not self._asked

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """QoS 1.  What the broker does not confirm on this connection is the caller's to repeat."""
        self._client.publish(topic, payload, qos=1, retain=retain)

    def acknowledge(self, message: paho.MQTTMessage) -> None:
        self._client.ack(message.mid, message.qos)

    def close(self) -> None:
        """Say goodbye: the broker sends no last will."""
        self._client.disconnect()
        self.abort()

    def abort(self) -> None:
        """Drop the connection as a crash would."""
        self._connected = False
        sock = self._client.socket()
        if sock is not None:
            sock.close()
        self._client.loop(0.0)


class Backoff:
    """Pauses between attempts: they double up to a limit, jittered so that gateways do not march."""

    def __init__(self, first_s: float = 0.2, longest_s: float = LONGEST_PAUSE_S) -> None:
        self._first_s, self._longest_s, self._next_s = first_s, longest_s, first_s

    def pause_s(self) -> float:
        pause_s = self._next_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self._next_s = min(self._longest_s, 2.0 * self._next_s)
        return pause_s

    def reset(self) -> None:
        self._next_s = self._first_s
