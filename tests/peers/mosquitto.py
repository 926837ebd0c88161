"""A real mosquitto with users, passwords and the ACL that docs/messages.md describes."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gaitmon.transport.connection import MqttSettings
from tests.needs import program

SERVER_ACL = """user server
topic read gaitmon/1/up/#
topic write gaitmon/1/down/#
topic write gaitmon/1/alerts/#
"""
GATEWAY_ACL = """
user {gateway}
topic write gaitmon/1/up/{gateway}/#
topic read gaitmon/1/down/{gateway}/#
"""


@contextmanager
def mosquitto(folder: Path, gateways: Sequence[str], tls: bool = False) -> Iterator[dict[str, MqttSettings]]:
    """Settings of "server" and of each gateway.  Skips when mosquitto is not installed.

    tls: encrypted, with a certificate for 127.0.0.1 that signs itself.
    """
    broker, passwd = program("mosquitto"), program("mosquitto_passwd")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    users = {name: secrets.token_urlsafe(12) for name in ("server", *gateways)}
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
    subprocess.run([passwd, "-U", str(passwords)], check=True)
    acl = folder / "acl"
    acl.write_text(SERVER_ACL + "".join(GATEWAY_ACL.format(gateway=g) for g in gateways))
    for file in (passwords, acl):
        file.chmod(0o644)  # mosquitto gives up root and reads them as its own user
    folder.chmod(0o755)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nacl_file {acl}\n"
        "max_queued_messages 10000\nuser root\n"
    )
    certificate = _certificate(folder) if tls else None
    if certificate is not None:
        with config.open("a") as more:
            more.write(f"certfile {certificate}\nkeyfile {folder / 'key.pem'}\n")
    process = subprocess.Popen([broker, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield {
            name: MqttSettings("127.0.0.1", port, name, password, tls=tls, ca_file=certificate)
            for name, password in users.items()
        }
    finally:
        process.terminate()
        process.wait(5.0)


def _certificate(folder: Path) -> Path:
    certificate = folder / "certificate.pem"
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [program("openssl"), *request.split(), "-keyout", str(folder / "key.pem"), "-out", str(certificate)],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return certificate


def _wait(port: int) -> None:
    deadline = time.monotonic() + 10.0
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
        except OSError:
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.02)
        else:
            return
