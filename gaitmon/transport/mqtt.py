"""The gateway's publisher: from the outbox to the broker, until the server says "stored".

The broker's acknowledgement counts for nothing here: a broker may forget.  A message leaves the outbox
only under the server's watermark, and everything above it is sent again after a reconnect, when the
server says that it may have missed something (a new epoch), and after a stall.
docs/adr/0005-delivery.md has the whole protocol.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

import paho.mqtt.client as paho

from gaitmon.errors import GaitmonError, MessageError
from gaitmon.transport import topics
from gaitmon.transport.connection import Backoff, Connection, MqttSettings
from gaitmon.transport.messages import decode_as, stamp
from gaitmon.transport.outbox import Outbox
from gaitmon.transport.schema import HealthMessage, StatusMessage, StoredMessage

log = logging.getLogger(__name__)

# Sent and not yet stored.  Below mosquitto's default of 1000 queued messages for a client that is away
# (what exceeds it is dropped), and below what the embedded broker keeps.
WINDOW_MESSAGES = 900
WINDOW_BYTES = 8 * 2**20
POLL_S = 0.02  # how soon a new message in the outbox is seen
STALL_S = 5.0
LONGEST_STALL_S = 60.0
HEAR_FIRST_S = 0.5  # after the subscription: a retained watermark follows it at once, or there is none
HEAR_AT_MOST_S = 5.0
STATUS_EVERY_S = 60.0
HEALTH_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """A snapshot.  pending: messages in the outbox.  published, stored: highest seq handed to the
    broker, highest seq confirmed by the server.  problem: why nothing moves, or ""."""

    connected: bool
    pending: int
    published: int
    stored: int
    problem: str


class Publisher:
    """One per gateway, in a thread of its own.

    outbox: where messages wait; anybody may append meanwhile.  The publisher opens the file itself.
    gateway: our id, the same as in the broker's ACL.  health: how the sensors fare, to be set by whoever
    listens to them; the newest is published now and then, unlike results it is not kept.
    """

    def __init__(self, settings: MqttSettings, outbox: Outbox, gateway: str) -> None:
        """Raises ConfigError or MessageError for settings or an id that must not be."""
        settings.check()
        self._settings = settings
        self._gateway = topics.checked_id("gateway", gateway)
        self._path = outbox.path
        self.health: HealthMessage | None = None
        self._stopping = threading.Event()
        self._progress = Progress(False, outbox.last_seq - outbox.base() + 1, 0, 0, "")
        self._thread = threading.Thread(target=self._run, name=f"publisher-{gateway}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Say goodbye ("sleeping") and end; what is not confirmed stays in the outbox."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def drain(self, timeout_s: float) -> bool:
        """Wait until the outbox is empty, i.e. everything is stored; False when it is not by then."""
        outbox = Outbox(self._path)
        try:
            deadline = time.monotonic() + timeout_s
            while outbox.pending(limit=1):
                if time.monotonic() > deadline:
                    return False
                time.sleep(POLL_S)
            return True
        finally:
            outbox.close()

    @property
    def progress(self) -> Progress:
        return self._progress

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                self._deliver(backoff)
                problem = "the broker closed the connection."
            except GaitmonError as error:
                problem = str(error)
            except Exception as error:  # a mistake of ours must not end delivery for good, unseen
                log.exception("the publisher failed; it goes on with a new connection")
                problem = f"internal error ({type(error).__name__}), see the log."
            if self._stopping.is_set():
                return
            if problem != self._progress.problem:
                log.warning("gateway %s sends nothing: %s", self._gateway, problem)
            self._progress = replace(self._progress, connected=False, problem=problem)
            self._stopping.wait(backoff.pause_s())

    def _deliver(self, backoff: Backoff) -> None:
        """Until the connection is over or we are to stop."""
        outbox = Outbox(self._path, durable=False)
        try:
            delivery = _Delivery(self._settings, outbox, self._gateway)
            try:
                while delivery.step(self.health):
                    self._progress = delivery.progress
                    backoff.reset()
                    if self._stopping.is_set():
                        delivery.say_goodbye(self.health)
                        return
            finally:
                delivery.abort()
        finally:
            outbox.close()


class _Delivery:
    """One connection's worth of sending.  Used in the publisher's thread only."""

    def __init__(self, settings: MqttSettings, outbox: Outbox, gateway: str) -> None:
        self._outbox = outbox
        self._gateway = gateway
        self._id = str(uuid.uuid4())
        self._answers: list[tuple[StoredMessage, bool]] = []  # what the server said; whether retained
        self._epoch = ""
        self._begin()
        self._connection = Connection(
            settings,
            gateway,
            session_expiry_s=0,
            will=(topics.status(gateway), self._status("lost")),
            on_message=self._on_message,
        )
        self._connection.ask_for(topics.stored(gateway))
        self._health: HealthMessage | None = None
        self._health_due_s = 0.0
        self._opened_s = time.monotonic()
        self._granted_s: float | None = None
        self._report("ready")

    def _begin(self) -> None:
        """From what the outbox holds, everything above the watermark still to be sent."""
        self._uuid = self._outbox.uuid
        self._stored = self._outbox.base() - 1
        self._marked = self._outbox.sent_seq
        self._pending = 0
        self._stall_s = STALL_S
        self._probing = False
        self._begin_again()

    def _begin_again(self) -> None:
        self._sent = self._stored
        self._in_flight: deque[tuple[int, int]] = deque()  # (seq, bytes) sent and not stored
        self._bytes = 0
        self._moved_s = time.monotonic()

    @property
    def progress(self) -> Progress:
        refusal = self._connection.refusal
        problem = f"the broker refuses our messages: {refusal}. Check its ACL." if refusal else ""
        return Progress(True, self._pending, self._sent, self._stored, problem)

    def step(self, health: HealthMessage | None) -> bool:
        """One round; False once the connection is over."""
        for answer, retained in self._answers:
            self._heard(answer, retained)
        self._answers.clear()
        busy = False if self._probing or not self._may_send() else self._fill_window()
        now_s = time.monotonic()
        if self._in_flight and now_s - self._moved_s > self._stall_s:
            self._probe()
        if now_s - self._reported_s > STATUS_EVERY_S:
            self._report("ready")
        if health is not self._health and now_s >= self._health_due_s:
            self._health, self._health_due_s = health, now_s + HEALTH_EVERY_S
            self._publish_health()
        return self._connection.step(0.0 if busy else POLL_S)

    def _may_send(self) -> bool:
        """Not before the retained watermark: an outbox that has gone back in time learns from it that its
        next numbers are taken.  Sent first, they would be confirmed by what stands there already."""
        now_s = time.monotonic()
        if self._epoch or now_s - self._opened_s > HEAR_AT_MOST_S:
            return True
        if self._granted_s is None and self._connection.granted:
            self._granted_s = now_s
        return self._granted_s is not None and now_s - self._granted_s > HEAR_FIRST_S

    def _fill_window(self) -> bool:
        """Send what the window allows; whether there may be more to send at once."""
        room = WINDOW_MESSAGES - len(self._in_flight)
        if room <= 0 or self._bytes >= WINDOW_BYTES:
            return False
        messages = self._outbox.pending(self._sent, min(room, 100))
        base = self._outbox.base()
        self._pending = self._outbox.last_seq - base + 1
        if not messages:
            return False
        if not self._in_flight:
            self._moved_s = time.monotonic()
        if messages[-1].seq > self._marked:
            self._marked = messages[-1].seq
            self._outbox.mark_sent(self._marked)
        for message in messages:
            self._send(message.wearer, message.kind, stamp(message.payload, self._uuid, message.seq, base))
            self._sent = message.seq
            self._in_flight.append((message.seq, len(message.payload)))
            self._bytes += len(message.payload)
            if self._bytes >= WINDOW_BYTES:
                return False
        return True

    def _send(self, wearer: str, kind: str, payload: bytes) -> None:
        self._connection.publish(topics.up(self._gateway, wearer, kind), payload)

    def _probe(self) -> None:
        """Nothing was stored for a while: is it lost, or is the server slow?  Send only the first one
        again, or a broker would pile up copies for a server that is away."""
        first = self._outbox.pending(limit=1)
        self._moved_s = time.monotonic()
        self._stall_s = min(LONGEST_STALL_S, 2.0 * self._stall_s)
        self._probing = True
        for message in first:
            self._send(
                message.wearer, message.kind, stamp(message.payload, self._uuid, message.seq, message.seq)
            )

    def _on_message(self, message: paho.MQTTMessage) -> None:
        self._connection.acknowledge(message)
        try:
            self._answers.append((decode_as(StoredMessage, bytes(message.payload)), message.retain))
        except MessageError as error:
            log.warning("gateway %s ignores what it was sent: %s", self._gateway, error)

    def _heard(self, answer: StoredMessage, retained: bool) -> None:
        again = answer.epoch != self._epoch and not retained
        self._epoch = answer.epoch
        if answer.outbox == self._uuid:
            if answer.seq > self._marked:
                log.warning(
                    "gateway %s: the outbox is older than the server's record; renewed", self._gateway
                )
                self._outbox.renew()
                self._begin()
                self._report("ready")
                return
            if answer.seq > self._stored:
                again = again or self._probing
                self._advance(answer.seq)
        if again:
            self._begin_again()

    def _advance(self, seq: int) -> None:
        self._outbox.delete_through(self._uuid, seq)
        self._stored = seq
        self._sent = max(self._sent, seq)
        while self._in_flight and self._in_flight[0][0] <= seq:
            self._bytes -= self._in_flight.popleft()[1]
        self._moved_s = time.monotonic()
        self._stall_s = STALL_S
        self._probing = False

    def _status(self, state: str) -> bytes:
        status = StatusMessage.model_validate(
            {
                "gateway": self._gateway,
                "state": state,
                "outbox": self._uuid,
                "connection": self._id,
                "at_utc_us": time.time_ns() // 1000,
                "pending": self._pending,
                "version": _VERSION,
            }
        )
        return status.model_dump_json().encode()

    def _report(self, state: str) -> None:
        self._reported_s = time.monotonic()
        self._connection.publish(topics.status(self._gateway), self._status(state), retain=True)

    def _publish_health(self) -> None:
        if self._health is not None:
            payload = self._health.model_dump_json().encode()
            self._connection.publish(topics.health(self._gateway), payload, retain=True)

    def say_goodbye(self, health: HealthMessage | None) -> None:
        if health is not self._health:
            self._health = health
            self._publish_health()
        self._report("sleeping")
        deadline = time.monotonic() + 2.0
        while self._connection.unconfirmed and time.monotonic() < deadline and self._connection.step(0.05):
            pass
        self._connection.close()

    def abort(self) -> None:
        self._connection.abort()


def _version() -> str:
    try:
        return version("gaitmon")
    except PackageNotFoundError:
        return "not installed"


_VERSION = _version()
