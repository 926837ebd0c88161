"""The embedded broker (iotcore, which is rumqttd): this host only, one generated password.

iotcore listens on every interface without a password unless told otherwise.  So it is told, and then
not believed: ``start`` looks in /proc at what the child process really listens on, and tries to connect
without a password.  Everything that knows iotcore is in this file.

It keeps nothing when it dies; durability is the outbox's (docs/adr/0005-delivery.md).
"""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from gaitmon.errors import BrokerError
from gaitmon.transport.connection import MqttSettings

LOOPBACK = "127.0.0.1"
USERNAME = "gaitmon"
START_TIMEOUT_S = 15.0

# max_payload_size: above messages.MAX_MESSAGE_BYTES.  A filter's log keeps at most
# max_segment_size * max_segment_count bytes in memory; the publishers' windows are far smaller.
_CONFIG = """id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 4194304
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 9437184
max_inflight_count = 100
dynamic_filters = true
[v5.1.connections.auth]
{username} = "{password}"
"""


class EmbeddedBroker:
    """Runs while it is open; ends with this process, even when that is killed.

    with EmbeddedBroker() as broker:
        Publisher(broker.settings, ...)
    """

    def __init__(self, port: int | None = None, password: str | None = None) -> None:
        """port, password: to come back as the same broker after a restart; random when None."""
        if importlib.util.find_spec("iotcore") is None:
            raise BrokerError(
                "the embedded MQTT broker (iotcore) is not installed.",
                "Run 'pip install iotcore', or set up mosquitto and name it in the settings.",
            )
        self._wanted_port = port
        self._password = password or secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def settings(self) -> MqttSettings:
        """How to reach it.  Raises BrokerError before ``start``."""
        if self._port == 0:
            raise BrokerError("the embedded MQTT broker has not been started.")
        return MqttSettings(LOOPBACK, self._port, USERNAME, self._password)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> MqttSettings:
        """Returns once it listens, on loopback only, and refuses strangers.  Raises BrokerError."""
        attempts = 1 if self._wanted_port else 3  # somebody may take a free port before the broker does
        for attempt in range(attempts):
            self._port = self._wanted_port or _free_port()
            try:
                self._launch()
            except BrokerError:
                self.stop()
                if attempt + 1 == attempts:
                    raise
            else:
                return self.settings
        raise AssertionError("unreachable")

    def _launch(self) -> None:
        with tempfile.TemporaryDirectory(prefix="gaitmon-broker-") as folder:  # mode 0700
            config = Path(folder) / "broker.toml"
            config.write_text(
                _CONFIG.format(host=LOOPBACK, port=self._port, username=USERNAME, password=self._password)
            )
            # -P and an absolute import: nothing in the working directory can stand in for the package.
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "gaitmon.transport.broker", str(config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us; we end it after the last message
            )
            self._process = process
            deadline = time.monotonic() + START_TIMEOUT_S
            while not _answers(self._port):
                if not self.running:
                    raise BrokerError(
                        f"the embedded MQTT broker could not listen on {LOOPBACK}:{self._port}.",
                        "Check that nothing else uses the port.",
                    )
                if time.monotonic() > deadline:
                    raise BrokerError("the embedded MQTT broker did not start.", "Look at the output above.")
                time.sleep(0.01)
        check_loopback_only(process.pid, self._port)
        if _admits_strangers(self._port):
            raise BrokerError("the embedded MQTT broker lets in a client without a password.")

    def stop(self) -> None:
        """End it; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5.0)
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def check_loopback_only(pid: int, port: int) -> None:
    """Raises BrokerError unless all that process ``pid`` listens on is loopback, ``port`` among it.

    Linux: the listening sockets of /proc/<pid>/net/tcp and tcp6 whose inodes the process has open.
    Elsewhere: connecting to the port under this host's other addresses must fail.
    """
    if Path("/proc/self/net/tcp").exists():
        listening = _listening(pid)
        if (LOOPBACK, port) not in listening:
            raise BrokerError(f"port {port} of {LOOPBACK} belongs to another program.", "Start again.")
        open_to_all = [f"{host}:{p}" for host, p in listening if not ipaddress.ip_address(host).is_loopback]
    else:
        others = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), port)}
        open_to_all = [
            f"{host}:{port}"
            for host in others
            if not ipaddress.ip_address(host).is_loopback and _answers(port, host)
        ]
    if open_to_all:
        raise BrokerError(f"the embedded MQTT broker listens on {', '.join(open_to_all)}, beyond this host.")


def _listening(pid: int) -> list[tuple[str, int]]:
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(str(link.readlink()))
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and f"socket:[{columns[9]}]" in inodes:  # 0A: LISTEN
                address, port = columns[1].split(":")
                words = bytes.fromhex(address)  # 32-bit words in host byte order
                packed = b"".join(
                    int.from_bytes(words[i : i + 4], sys.byteorder).to_bytes(4, "big")
                    for i in range(0, len(words), 4)
                )
                found.append((str(ipaddress.ip_address(packed)), int(port, 16)))
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _answers(port: int, host: str = LOOPBACK) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


def _admits_strangers(port: int) -> bool:
    """Whether an MQTT 5 CONNECT without user and password gets a CONNACK of success."""
    connect = bytes.fromhex("10 10 0004 4d515454 05 02 003c 00 0003 616e79")  # client id "any"
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2.0) as stranger:
            stranger.sendall(connect)
            answer = stranger.recv(4)
    except OSError:
        return False
    return len(answer) == 4 and answer[0] == 0x20 and answer[3] == 0


def _end_with_parent(parent: int) -> None:
    """The pipe from the parent closes when it is gone; where a forked sibling of ours still holds the
    other end, the changed parent id tells."""

    def watch_pipe() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=watch_pipe, daemon=True).start()
    while os.getppid() == parent:
        time.sleep(0.25)
    os._exit(0)


def _serve(config: str) -> None:
    """The child process."""
    logging.disable(logging.CRITICAL)  # rumqttd reports every packet, with topics, as an error
    from iotcore.iotcore import IotCoreBroker  # noqa: PLC0415 - only the child needs it

    parent = os.getppid()
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    IotCoreBroker(config_path=config).run_forever()


if __name__ == "__main__":
    _serve(sys.argv[1])
