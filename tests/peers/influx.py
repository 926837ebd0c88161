"""A real influxd 1.6 behind a small forwarder that gives its /write the face of InfluxDB 2.

Line protocol, field types, type conflicts and upserts are InfluxDB's own; only the address, the token
and the shape of an error are translated.  Results are read back over influxd's own /query.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

from gaitmon.store.influx import InfluxSettings
from tests.needs import program

TOKEN = "a-token-for-this-test-only"
BUCKET = "gaitmon"

Value = float | int | str | bool | None


class InfluxPeer:
    """One influxd with its data in ``folder``; it can go away and come back."""

    def __init__(self, folder: Path) -> None:
        self._influxd = program("influxd")
        self._port, rpc_port = _free_ports(2)
        self._config = folder / "influxd.conf"
        self._config.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc_port}"\n'
            f'[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{self._port}"\nlog-enabled = false\n'
            "[monitor]\nstore-enabled = false\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._forwarder = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._port))
        self._thread = threading.Thread(target=self._forwarder.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.settings = InfluxSettings(
            f"http://127.0.0.1:{self._forwarder.server_address[1]}", TOKEN, "clinic", BUCKET
        )

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._influxd, "-config", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20.0
        while True:
            try:
                self.query(f"CREATE DATABASE {BUCKET}", post=True)
            except URLError:
                assert time.monotonic() < deadline, "influxd does not answer"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._forwarder.shutdown()
        self._forwarder.server_close()
        self._thread.join()

    def query(self, text: str, post: bool = False) -> list[dict[str, Value]]:
        """InfluxQL; each row of the first series as a dict, ``time`` in nanoseconds."""
        arguments = urlencode({"q": text, "db": BUCKET, "epoch": "ns"})
        url = f"http://127.0.0.1:{self._port}/query?{arguments}"
        with urlopen(Request(url, method="POST" if post else "GET"), timeout=10.0) as answer:
            found = json.load(answer)
        result = found["results"][0]
        assert "error" not in result, result
        if "series" not in result:
            return []
        series = result["series"][0]
        return [dict(zip(series["columns"], values, strict=True)) for values in series["values"]]


@contextmanager
def influx(folder: Path) -> Iterator[InfluxPeer]:
    """Skips when influxd is not installed."""
    peer = InfluxPeer(folder)
    try:
        peer.start()
        yield peer
    finally:
        peer.close()


def _handler(port: int) -> type[BaseHTTPRequestHandler]:
    class Forwarder(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            address = urlsplit(self.path)
            arguments = parse_qs(address.query)
            if self.headers["Authorization"] != f"Token {TOKEN}":
                self._answer(401, "unauthorized", "unauthorized access")
            elif address.path != "/api/v2/write" or arguments["precision"] != ["ns"]:
                self._answer(404, "not found", f"no such route: {self.path}")
            else:
                self._forward(arguments["bucket"][0], body)

        def _forward(self, bucket: str, body: bytes) -> None:
            url = f"http://127.0.0.1:{port}/write?db={bucket}&precision=n"
            try:
                with urlopen(Request(url, data=body, method="POST"), timeout=10.0) as answer:
                    self._answer(answer.status, "", "")
            except HTTPError as error:
                self._answer(error.code, "invalid", json.load(error)["error"])
                error.close()
            except URLError:
                self._answer(503, "unavailable", "influxd is away")

        def _answer(self, status: int, code: str, message: str) -> None:
            body = json.dumps({"code": code, "message": message}).encode() if code else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Forwarder


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
