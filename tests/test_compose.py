"""docker-compose.yml: valid by the compose specification, safe by our own rules, and its broker's
password and ACL files tried on a real mosquitto."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import NamedTuple, cast

import jsonschema
import paho.mqtt.client as mqtt
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from gaitmon.transport import topics
from tests.needs import ROOT, program, require

Service = dict[str, object]

COMPOSE = ROOT / "docker-compose.yml"
# Where an image's own start cannot do without; everything else is read-only.
WRITABLE = {"influxdb"}


def load() -> dict[str, dict[str, Service]]:
    return cast("dict[str, dict[str, Service]]", yaml.safe_load(COMPOSE.read_text()))


def services() -> dict[str, Service]:
    return load()["services"]


def strings(value: object) -> list[str]:
    return cast("list[str]", value or [])


def validate(document: object) -> None:
    """Against the schema of the compose specification, as the package check-jsonschema carries it."""
    require(find_spec("check_jsonschema"), "check-jsonschema is not installed")
    schema = resources.files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"
    jsonschema.validate(document, json.loads(schema.read_text()))


def test_valid_by_the_specification() -> None:
    validate(load())
    with pytest.raises(jsonschema.ValidationError):
        validate({**load(), "services": {"x": {"image": "x", "read_onyl": True}}})


def test_the_services_of_the_design() -> None:
    assert set(services()) == {"mosquitto", "influxdb", "grafana", "gaitmon"}
    assert str(services()["influxdb"]["image"]).startswith("influxdb:2.7")


@pytest.mark.parametrize("name", sorted(services()))
def test_hardened(name: str) -> None:
    service = services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only", False) is (name not in WRITABLE)
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert "test" in cast("Service", service["healthcheck"])
    user = str(service.get("user", ""))
    assert not user.startswith(("0", "root"))
    mounts = [v.split(":") for v in strings(service.get("volumes"))]
    for source, _, *mode in mounts:
        if source.startswith("."):
            assert mode == ["ro"]
            assert (ROOT / source).is_dir()
    assert not any("docker.sock" in part for mount in mounts for part in mount)


@pytest.mark.parametrize("name", sorted(services()))
def test_ports_are_loopback(name: str) -> None:
    for port in strings(services()[name].get("ports")):
        assert port.startswith("127.0.0.1:")


def test_images_are_pinned() -> None:
    images = [str(s["image"]) for s in services().values() if "build" not in s]
    dockerfile = str(cast("Service", services()["gaitmon"]["build"])["dockerfile_inline"])
    images += re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(images) == 4
    for image in images:
        assert re.fullmatch(r"[a-z/-]+:\d+\.\d+\.\d+[a-z0-9.-]*", image)
    for source in re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE):
        assert all((ROOT / s).exists() or s in {"README.md", "LICENSE"} for s in source.split())


def test_no_secret_has_a_default_and_none_is_in_the_environment() -> None:
    declared = load()["secrets"]
    for name, secret in declared.items():
        # A read-only container takes file secrets only.
        assert secret == {"file": '${GAITMON_SECRETS:?Run "make secrets" first}/' + name}
    for service in services().values():
        assert set(strings(service.get("secrets"))) <= set(declared)
        environment = cast("dict[str, str]", service["environment"])
        for key, value in environment.items():
            if re.search(r"PASSWORD|TOKEN|SECRET", key):
                assert key.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in strings(service["secrets"])


def test_make_secrets_makes_every_secret_once(tmp_path: Path) -> None:
    command = ["sh", str(ROOT / "dashboards/secrets.sh"), str(tmp_path)]
    subprocess.run(command, check=True)
    folder = tmp_path / ".secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(made) == set(load()["secrets"])
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in made.values())
    assert len(set(made.values())) == len(made) - 1  # Grafana begins with the token of the store
    env = (tmp_path / ".env").read_text()
    assert not any(value in env for value in made.values())
    required = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    assert required == {line.split("=")[0] for line in env.splitlines()}
    subprocess.run(command, check=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made
    assert (tmp_path / ".env").read_text() == env


def test_the_tls_override_of_the_docs_is_valid() -> None:
    text = (ROOT / "docs/deployment.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    override = yaml.safe_load(block)
    validate(override)
    assert set(override["services"]) <= set(services())


# -- the broker


class Broker(NamedTuple):
    port: int
    passwords: dict[str, str]
    folder: Path


def start_sh(folder: Path, gateway: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{os.environ['PATH']}:/usr/sbin",
        "GAITMON_PASSWD": str(folder / "passwd"),
        "GAITMON_SECRETS_DIR": str(folder / ".secrets"),
        "GAITMON_GATEWAY": gateway,
    }
    script = str(ROOT / "dashboards/mosquitto/start.sh")
    return subprocess.run(
        ["sh", script, *command], env=environment, text=True, capture_output=True, check=False, timeout=20
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """mosquitto with the committed configuration; only its paths and port are this test's."""
    mosquitto = program("mosquitto")
    program("mosquitto_passwd")
    folder = tmp_path_factory.mktemp("broker")
    subprocess.run(["sh", str(ROOT / "dashboards/secrets.sh"), str(folder)], check=True)
    for gateway in ("gw2", "gw1"):  # gw2 was added before; a start for gw1 must keep it
        assert start_sh(folder, gateway, "true").returncode == 0
    port = free_port()
    text = (ROOT / "dashboards/mosquitto/mosquitto.conf").read_text()
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
    text = text.replace("/mosquitto/config/acl", str(ROOT / "dashboards/mosquitto/acl"))
    text = text.replace("/mosquitto/data/passwd", str(folder / "passwd"))
    text = text.replace("/mosquitto/data/", f"{folder}/")
    assert " /mosquitto/" not in text
    if os.geteuid() == 0:
        text += "user root\n"  # the container is nobody in particular from the start
    (folder / "mosquitto.conf").write_text(text)
    process = subprocess.Popen([mosquitto, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            pytest.fail("mosquitto does not start with our configuration")
        secrets = folder / ".secrets"
        gateway_password = (secrets / "mqtt_gateway").read_text()
        server_password = (secrets / "mqtt_server").read_text()
        yield Broker(
            port, {"server": server_password, "gw1": gateway_password, "gw2": gateway_password}, folder
        )
    finally:
        process.terminate()
        process.wait(10)


class Client:
    """One MQTT 5 client that waits for the broker's word on everything."""

    def __init__(self, broker: Broker, user: str | None, password: str | None = None) -> None:
        self.connected: list[ReasonCode] = []
        self.answers: dict[int, ReasonCode] = {}
        self.received: list[str] = []
        self.event = Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if user is not None:
            client.username_pw_set(user, broker.passwords[user] if password is None else password)
        client.on_connect = lambda _c, _u, _f, code, _p: self._note(lambda: self.connected.append(code))
        client.on_publish = lambda _c, _u, mid, code, _p: self._note(lambda: self.answers.update({mid: code}))
        client.on_subscribe = lambda _c, _u, mid, codes, _p: self._note(
            lambda: self.answers.update({mid: codes[0]})
        )
        client.on_message = lambda _c, _u, message: self._note(lambda: self.received.append(message.topic))
        self.client = client
        client.connect("127.0.0.1", broker.port, clean_start=True)
        client.loop_start()
        self.wait(lambda: bool(self.connected))

    def _note(self, change: Callable[[], object]) -> None:
        change()
        self.event.set()

    def wait(self, condition: Callable[[], bool], seconds: float = 5.0) -> bool:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            self.event.wait(0.05)
            self.event.clear()
        return condition()

    def publish(self, topic: str, retain: bool = False) -> bool:
        """Whether the broker let it in."""
        sent = self.client.publish(topic, b"x", qos=1, retain=retain)
        assert self.wait(lambda: sent.mid in self.answers)
        return not self.answers[sent.mid].is_failure

    def subscribe(self, topic: str) -> None:
        _, mid = self.client.subscribe(topic, qos=1)
        assert mid is not None
        assert self.wait(lambda: mid in self.answers)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.server
def test_nobody_comes_in_without_a_password(broker: Broker) -> None:
    for user, password in ((None, None), ("server", ""), ("gw1", "gw1"), ("gw1", broker.passwords["server"])):
        client = Client(broker, user, password)
        assert client.connected[0].is_failure
        client.close()
    assert not any(p in (broker.folder / "passwd").read_text() for p in broker.passwords.values())


@pytest.mark.server
def test_a_gateway_reaches_its_own_topics_only(broker: Broker) -> None:
    server, one, two = (Client(broker, name) for name in ("server", "gw1", "gw2"))
    try:
        server.subscribe(f"$share/ingest/{topics.UP_ALL}")
        for client in (one, two):
            client.subscribe("#")
            client.subscribe(topics.UP_ALL)
            client.subscribe(topics.stored("gw1"))
        assert one.publish(topics.up("gw1", "w1", "strides"))
        assert one.publish(topics.status("gw1"), retain=True)
        assert not one.publish(topics.up("gw2", "w1", "strides"))
        assert not one.publish(topics.stored("gw1"))
        assert not one.publish(topics.alerts("w1"))
        assert server.publish(topics.stored("gw1"), retain=True)
        assert server.publish(topics.stored("gw2"), retain=True)
        assert server.publish(topics.alerts("w1"), retain=True)
        assert not server.publish(topics.up("gw1", "w1", "strides"))
        assert two.publish(topics.up("gw2", "w2", "strides"))
        last = topics.up("gw2", "w2", "strides")
        assert server.wait(lambda: last in server.received)
        expected = [topics.up("gw1", "w1", "strides"), topics.status("gw1"), last]
        assert sorted(server.received) == sorted(expected)
        assert one.wait(lambda: topics.stored("gw1") in one.received)
        assert two.wait(lambda: topics.stored("gw2") in two.received)
        assert set(one.received) == {topics.stored("gw1")}
        assert set(two.received) == {topics.stored("gw2")}
    finally:
        for client in (server, one, two):
            client.close()


@pytest.mark.server
def test_the_broker_refuses_to_start_without_proper_secrets(tmp_path: Path) -> None:
    program("mosquitto_passwd")
    (tmp_path / ".secrets").mkdir()
    for name in ("mqtt_server", "mqtt_gateway"):
        (tmp_path / ".secrets" / name).write_text("short")
    refused = start_sh(tmp_path, "gw1", "echo", "running")
    assert refused.returncode == 2
    assert "make secrets" in refused.stderr
    assert "running" not in refused.stdout
    for gateway in ("server", "a+b", "x/y", "#"):
        assert start_sh(tmp_path, gateway, "true").returncode == 2


def _docker_compose() -> str | None:
    """Path of docker where its compose plugin is there; the schema is the check where it is not."""
    docker = shutil.which("docker")
    there = docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    return docker if there and there.returncode == 0 else None


if (DOCKER := _docker_compose()) is not None:

    def test_docker_reads_it_too(tmp_path: Path) -> None:
        """Where docker compose is installed, its own parser has the last word."""
        subprocess.run(["sh", str(ROOT / "dashboards/secrets.sh"), str(tmp_path)], check=True)
        base = [str(DOCKER), "compose", "--project-directory", str(ROOT), "-f", str(COMPOSE), "--env-file"]
        subprocess.run([*base, str(tmp_path / ".env"), "config", "-q"], check=True)
        refused = subprocess.run([*base, "/dev/null", "config", "-q"], check=False, capture_output=True)
        assert refused.returncode != 0
        assert b"make secrets" in refused.stderr
