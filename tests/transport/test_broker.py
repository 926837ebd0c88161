"""The embedded broker: this host only, with a password, and gone when its parent is gone."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gaitmon.errors import BrokerError, ConfigError
from gaitmon.transport import broker as broker_module
from gaitmon.transport.broker import EmbeddedBroker, check_loopback_only
from gaitmon.transport.connection import Connection, MqttSettings, is_loopback
from tests.transport.stored import wait_for


def test_it_listens_on_loopback_only_and_two_have_different_ports_and_passwords() -> None:
    with EmbeddedBroker() as one, EmbeddedBroker() as two:
        for running in (one, two):
            assert running.pid is not None
            check_loopback_only(running.pid, running.settings.port)
        assert one.settings.port != two.settings.port
        assert one.settings.password != two.settings.password
        assert len(one.settings.password) >= 32


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_process_that_listens_beyond_loopback_is_found_out(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    inside = socket.create_server(("127.0.0.1", 0))
    outside = socket.create_server((host, 0), family=family)
    port = int(inside.getsockname()[1])
    with pytest.raises(BrokerError, match="beyond this host"):
        check_loopback_only(os.getpid(), port)
    outside.close()
    check_loopback_only(os.getpid(), port)
    inside.close()
    with pytest.raises(BrokerError, match="another program"):
        check_loopback_only(os.getpid(), port)


def test_a_stranger_and_a_wrong_password_are_refused_and_the_password_is_never_shown() -> None:
    with EmbeddedBroker() as running:
        assert not broker_module._admits_strangers(running.settings.port)
        wrong = dataclasses.replace(running.settings, password="wrong")
        with pytest.raises(BrokerError, match="password"):
            Connection(wrong, "x", session_expiry_s=0, on_message=lambda _message: None)
        assert running.settings.password not in repr(running.settings)
        arguments = Path(f"/proc/{running.pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{running.pid}/environ").read_bytes()
        assert running.settings.password.encode() not in arguments + environment


def test_the_check_for_strangers_can_fail(tmp_path: Path) -> None:
    """The same broker without its password is recognised as open."""
    port = broker_module._free_port()
    text = broker_module._CONFIG.format(host="127.0.0.1", port=port, username="u", password="p")
    config = tmp_path / "open.toml"
    config.write_text(text.partition("[v5.1.connections.auth]")[0])
    process = subprocess.Popen(
        [sys.executable, "-m", "gaitmon.transport.broker", str(config)], stdin=subprocess.PIPE
    )
    wait_for(lambda: broker_module._answers(port), "it listens")
    assert broker_module._admits_strangers(port)
    assert process.stdin is not None
    process.stdin.close()
    process.wait(5.0)


PARENT = """
import os, time
from gaitmon.transport.broker import EmbeddedBroker
broker = EmbeddedBroker()
broker.start()
if os.fork() == 0:
    time.sleep(30)  # a forked sibling keeps the pipe to the broker open
    os._exit(0)
print(broker.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_with_its_parent_also_when_that_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert _runs(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    try:
        wait_for(lambda: not _runs(pid), "the broker ends", 5.0)
    finally:
        os.killpg(parent.pid, signal.SIGKILL)  # the forked sibling
        parent.stdout.close()


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_port_in_use_and_a_missing_package_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedBroker() as running, pytest.raises(BrokerError, match=r"another program|could not listen"):
        EmbeddedBroker(running.settings.port).start()
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(BrokerError, match="pip install iotcore"):
        EmbeddedBroker()


def test_it_stops_at_once_and_twice() -> None:
    running = EmbeddedBroker()
    settings = running.start()
    start_s = time.monotonic()
    running.stop()
    running.stop()
    assert time.monotonic() - start_s < 3.0
    assert not running.running
    assert not broker_module._answers(settings.port)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"host": "broker.example"}, "without encryption"),
        ({"host": "192.168.1.5"}, "without encryption"),
        ({"password": ""}, "user and a password"),
        ({"username": ""}, "user and a password"),
        ({"ca_file": Path("ca.pem")}, "TLS is off"),
    ],
)
def test_settings_that_must_not_be_are_refused(changes: dict[str, object], reason: str) -> None:
    good = MqttSettings("127.0.0.1", 1883, "u", "p")
    good.check()
    with pytest.raises(ConfigError, match=reason):
        dataclasses.replace(good, **changes).check()  # type: ignore[arg-type] # by name, from the table above


def test_encryption_or_an_explicit_word_allows_other_hosts() -> None:
    MqttSettings("broker.example", 8883, "u", "p", tls=True).check()
    MqttSettings("mosquitto", 1883, "u", "p", allow_plaintext=True).check()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("localhost.example", False),
        ("::", False),
    ],
)
def test_what_counts_as_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback
