"""The server's side: from MQTT into the store; acknowledged only when it is there.

Stateless: what has been stored is in the store, what has not is at the broker or in an outbox.  One
thread reads, stores, acknowledges, in this order, so a slow store holds up the broker and nothing piles
up here.  docs/adr/0005-delivery.md has the whole protocol.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

import paho.mqtt.client as paho

from gaitmon.errors import BrokerError, GaitmonError, MessageError, StoreError
from gaitmon.store.series import (
    DeadLetter,
    Delivery,
    GatewayRow,
    HealthRow,
    Row,
    SeriesSink,
    SeriesStore,
    Touched,
)
from gaitmon.transport import topics
from gaitmon.transport.connection import Backoff, Connection, MqttSettings
from gaitmon.transport.messages import claimed_delivery, decode, decode_as, delivery_of, rows_of
from gaitmon.transport.schema import (
    AlertMessage,
    Envelope,
    HealthMessage,
    SegmentMessage,
    StatusMessage,
    StoredMessage,
)

log = logging.getLogger(__name__)

BATCH_MESSAGES = 500
BATCH_S = 0.05
SESSION_EXPIRY_S = 7 * 24 * 3600
SETTLE_S = 0.5  # days are computed again at most so often
RETRY_S = 5.0

OnCommitted = Callable[[str, frozenset[int]], None]
MayWrite = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """A snapshot.  messages: stored since the start, repetitions included; dead: dead letters among
    them.  problem: why nothing moves, or ""."""

    connected: bool
    messages: int
    dead: int
    problem: str


class Ingest:
    """Reads every gateway's results and keeps them.

    sinks: written besides the store, and before it; a message counts as stored when all have it.
    on_committed(wearer, starts): bouts of this wearer that start at these times (UTC, microseconds)
    appeared, changed or vanished.  Called in the ingest's thread, after the commit, at least once for
    each change even across a crash; raising leaves the change for another attempt.
    may_write(gateway, wearer): whether that gateway may write for that wearer; a message that may not
    becomes a dead letter.
    client_id: names the broker's session; the same after a restart, different for every ingest at once.
    """

    def __init__(
        self,
        settings: MqttSettings,
        store: SeriesStore,
        *,
        sinks: Sequence[SeriesSink] = (),
        on_committed: OnCommitted | None = None,
        may_write: MayWrite | None = None,
        client_id: str = "gaitmon-ingest",
    ) -> None:
        settings.check()
        self._settings = settings
        self._store = store
        self._sinks = tuple(sinks)
        self._on_committed = on_committed
        self._reader = Reader(may_write)
        self._client_id = client_id
        self._epoch = str(uuid.uuid4())
        self._inbox: list[paho.MQTTMessage] = []
        self._alerts: dict[str, AlertMessage] = {}
        self._new_alerts: SimpleQueue[AlertMessage] = SimpleQueue()
        self._look_again_s = 0.0
        self._stopping = threading.Event()
        self._progress = IngestProgress(False, 0, 0, "")
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """End after the batch in hand; the broker keeps what comes meanwhile."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def progress(self) -> IngestProgress:
        return self._progress

    def publish_alerts(self, message: AlertMessage) -> None:
        """Publish a wearer's alerts, retained, now or as soon as the broker can be reached."""
        self._new_alerts.put(message)

    def _run(self) -> None:
        backoff = Backoff(longest_s=5.0)
        while not self._stopping.is_set():
            try:
                self._serve(backoff)
                problem = "the broker closed the connection."
            except GaitmonError as error:
                problem = str(error)
            except Exception as error:  # a mistake of ours must not end delivery for good, unseen
                log.exception("ingest failed; it goes on with a new connection")
                problem = f"internal error ({type(error).__name__}), see the log."
            if self._stopping.is_set():
                break
            self._trouble(problem, connected=False)
            self._stopping.wait(backoff.pause_s())
        self._progress = replace(self._progress, connected=False)

    def _serve(self, backoff: Backoff) -> None:
        """Until the connection is over or we are to stop."""
        self._inbox.clear()  # not acknowledged: the broker or an outbox sends it again
        connection = Connection(
            self._settings,
            self._client_id,
            session_expiry_s=SESSION_EXPIRY_S,
            on_message=self._inbox.append,
        )
        try:
            if not connection.session_present:
                self._epoch = str(uuid.uuid4())
            connection.ask_for(topics.UP_ALL)
            self._progress = replace(self._progress, connected=True, problem="")
            greeted = False
            while self._round(connection):
                if connection.granted and not greeted:
                    self._greet(connection)
                    greeted = True
                backoff.reset()
                if self._stopping.is_set():
                    connection.close()
                    return
        finally:
            connection.abort()

    def _greet(self, connection: Connection) -> None:
        """Tell each gateway where it stands; the broker may have forgotten, or we may have missed some."""
        latest = {row.gateway: row for row in self._store.outboxes()}
        self._reader.owners.update({row.outbox: row.gateway for row in latest.values()})
        for row in latest.values():
            self._answer(connection, row.gateway, row.outbox, row.watermark)
        for message in self._alerts.values():
            self._new_alerts.put(message)

    def _answer(self, connection: Connection, gateway: str, outbox: str, seq: int) -> None:
        message = StoredMessage(outbox=outbox, seq=seq, epoch=self._epoch)
        connection.publish(topics.stored(gateway), message.model_dump_json().encode(), retain=True)

    def _round(self, connection: Connection) -> bool:
        """Read what is there, store it, acknowledge it; False once the connection is over."""
        alive = connection.step(BATCH_S)
        deadline = time.monotonic() + BATCH_S
        count = 0
        while alive and count < len(self._inbox) < BATCH_MESSAGES and time.monotonic() < deadline:
            count = len(self._inbox)
            alive = connection.read_more()
        if self._inbox and alive:
            batch, self._inbox[:] = list(self._inbox), []
            self._keep(connection, batch)
        self._publish_new_alerts(connection)
        self._tell(idle=count == 0)
        return alive

    def _keep(self, connection: Connection, messages: list[paho.MQTTMessage]) -> None:
        batch = self._reader.read([(m.topic, bytes(m.payload)) for m in messages])
        self._store_patiently(connection, batch)
        for message in messages:  # in order: MQTT 5 section 4.6, and brokers insist
            connection.acknowledge(message)
        outboxes = {(d.gateway, d.outbox) for d in batch.deliveries} | set(batch.asking)
        for gateway, outbox in sorted(outboxes):
            self._answer(connection, gateway, outbox, self._store.watermark(outbox))
        self._progress = replace(
            self._progress,
            messages=self._progress.messages + len(batch.deliveries),
            dead=self._progress.dead + len(batch.dead),
            problem="",
        )

    def _store_patiently(self, connection: Connection, batch: Batch) -> None:
        """Return once everything has it.  Raises BrokerError when the connection ends meanwhile or we
        are to stop: nothing is acknowledged then, so nothing is lost."""
        backoff = Backoff(longest_s=5.0)
        while True:
            try:
                for sink in self._sinks:
                    sink.write(batch.rows)
                self._store.write_delivered(batch.rows, batch.deliveries, batch.dead)
                for row in batch.gateways:
                    self._store.write_gateway(row)
                self._store.write_health(batch.health)
            except StoreError as error:
                self._trouble(str(error), connected=True)
            else:
                return
            again_s = time.monotonic() + backoff.pause_s()
            while time.monotonic() < again_s:
                if self._stopping.is_set() or not connection.step(0.05):
                    raise BrokerError("the connection ended before the store could be written.")

    def _publish_new_alerts(self, connection: Connection) -> None:
        while True:
            try:
                message = self._new_alerts.get_nowait()
            except Empty:
                return
            self._alerts[message.wearer] = message
            payload = message.model_dump_json().encode()
            connection.publish(topics.alerts(message.wearer), payload, retain=True)

    def _tell(self, idle: bool) -> None:
        """Hand changed bouts to on_committed, not more often than they settle."""
        now_s = time.monotonic()
        if self._on_committed is None or now_s < self._look_again_s:
            return
        self._look_again_s = now_s + (SETTLE_S / 5 if idle else SETTLE_S)
        changed: dict[str, list[Touched]] = defaultdict(list)
        for touched in self._store.touched():
            changed[touched.wearer].append(touched)
        for wearer, marks in changed.items():
            try:
                self._on_committed(wearer, frozenset(m.start_utc_us for m in marks))
            except Exception:  # whatever it is, other wearers' results must go on; it is tried again
                log.exception("days could not be computed; they will be tried again")
                self._look_again_s = now_s + RETRY_S
            else:
                self._store.clear_touched(marks)

    def _trouble(self, problem: str, connected: bool) -> None:
        if problem != self._progress.problem:
            log.warning("ingest is held up: %s", problem)
        self._progress = replace(self._progress, connected=connected, problem=problem)


@dataclass(slots=True)
class Batch:
    """What a batch of messages says.  asking: (gateway, outbox) that want to know their watermark."""

    rows: list[Row] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    gateways: list[GatewayRow] = field(default_factory=list)
    health: list[HealthRow] = field(default_factory=list)
    asking: list[tuple[str, str]] = field(default_factory=list)


class Reader:
    """Turns messages into rows, and what cannot be trusted into dead letters.

    owners: which gateway an outbox belongs to; another one cannot move its watermark.
    """

    def __init__(self, may_write: MayWrite | None = None) -> None:
        self.owners: dict[str, str] = {}
        self._may_write = may_write

    def read(self, messages: Sequence[tuple[str, bytes]]) -> Batch:
        """messages: (topic, payload), in the order of arrival."""
        batch = Batch()
        for topic, payload in messages:
            try:
                up = topics.parse_up(topic)
                if up.wearer is None and up.kind == "health":
                    self._read_health(up, payload, batch)
                elif up.wearer is None:
                    self._read_status(up, payload, batch)
                else:
                    self._read_result(up, payload, batch)
            except MessageError as error:
                batch.dead.append(DeadLetter(topic, payload, str(error)))
                delivery = self._claimed(topic, payload)
                if delivery is not None:
                    batch.deliveries.append(delivery)
        return batch

    def _read_result(self, up: topics.Up, payload: bytes, batch: Batch) -> None:
        envelope = decode(payload)
        self._check(up, envelope)
        rows = rows_of(envelope.message, up.gateway)
        batch.deliveries.append(delivery_of(envelope, up.gateway))
        batch.rows += rows

    def _check(self, up: topics.Up, envelope: Envelope) -> None:
        message = envelope.message
        if (message.wearer, message.kind) != (up.wearer, up.kind):
            raise MessageError("the topic names another wearer or kind than the message.")
        if isinstance(message, SegmentMessage) and message.body.gateway != up.gateway:
            raise MessageError("the message names another gateway than the topic.")
        if self.owners.setdefault(envelope.outbox, up.gateway) != up.gateway:
            raise MessageError("the outbox belongs to another gateway.")
        if self._may_write is not None and not self._may_write(up.gateway, message.wearer):
            raise MessageError("this gateway may not write for this wearer.", "Assign it, then retry.")

    def _claimed(self, topic: str, payload: bytes) -> Delivery | None:
        """The delivery identity of a dead letter, so that the watermark can pass it."""
        try:
            gateway = topics.parse_up(topic).gateway
        except MessageError:
            return None
        delivery = claimed_delivery(payload, gateway)
        if delivery is None or self.owners.setdefault(delivery.outbox, gateway) != gateway:
            return None
        return delivery

    def _read_status(self, up: topics.Up, payload: bytes, batch: Batch) -> None:
        if not payload:
            return  # somebody removed the retained status
        status = decode_as(StatusMessage, payload)
        if status.gateway != up.gateway:
            raise MessageError("the status names another gateway than the topic.")
        # A last will was written when its connection began; it arrives when that was lost.
        at_utc_us = time.time_ns() // 1000 if status.state == "lost" else status.at_utc_us
        batch.gateways.append(
            GatewayRow(
                status.gateway, status.state, status.connection, at_utc_us, status.pending, status.version
            )
        )
        if status.state == "ready" and self.owners.setdefault(status.outbox, up.gateway) == up.gateway:
            batch.asking.append((up.gateway, status.outbox))

    def _read_health(self, up: topics.Up, payload: bytes, batch: Batch) -> None:
        if not payload:
            return  # somebody removed the retained message
        health = decode_as(HealthMessage, payload)
        if health.gateway != up.gateway:
            raise MessageError("the health names another gateway than the topic.")
        if self._may_write is not None and not self._may_write(up.gateway, health.wearer):
            raise MessageError("this gateway may not write for this wearer.", "Assign it, then retry.")
        batch.health += [
            HealthRow(up.gateway, s.sensor, health.wearer, health.at_utc_us, s.model_dump_json())
            for s in health.sensors
        ]


def retry_dead_letters(
    store: SeriesStore, sinks: Sequence[SeriesSink] = (), may_write: MayWrite | None = None
) -> int:
    """Read every dead letter again, e.g. after an update that knows its schema, or once a gateway may
    write for the wearer; returns how many are rows now.  Raises StoreError."""
    reader = Reader(may_write)
    reader.owners.update({row.outbox: row.gateway for row in store.outboxes()})
    kept = 0
    for letter in store.dead_letters():
        batch = reader.read([(letter.topic, letter.payload)])
        if not batch.dead:
            for sink in sinks:
                sink.write(batch.rows)
            store.write_delivered(batch.rows, batch.deliveries)
            store.remove_dead_letter(letter)
            kept += 1
    return kept
