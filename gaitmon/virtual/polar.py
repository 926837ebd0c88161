"""Polar H10, OH1 and Verity Sense: the Polar Measurement Data service, specification 1.0."""

from __future__ import annotations

import struct
from typing import ClassVar

from bumble.att import ErrorCode

from gaitmon.sensors.layout import Decoded
from gaitmon.sensors.polar import PolarDecoding
from gaitmon.virtual.board import INDICATE, NOTIFY, READ, WRITE, Board, Services, refused, split

_BASE = "fb005c8{}-02e7-f387-1cad-8acd2d8df0c8"
_ACC, _GYR = 2, 5
_SETTINGS, _START, _STOP = 1, 2, 3
# Status in a response.
_OK, _BAD_OP, _NOT_SUPPORTED, _PARAMETER, _ALREADY = 0, 1, 3, 5, 6
_RESOLUTION, _RATE, _RANGE, _MTU = 7, 8, 9, 10
# Setting: id -> bytes of one value.
_SIZES = {0: 2, 1: 2, 2: 2, 3: 4, 4: 1, 5: 4}
_RANGES = {_ACC: (2, 4, 8), _GYR: (2000,)}
_FACTORS = {_ACC: 1.0, _GYR: 0.07}
_LEAST_PAYLOAD = 60


class Polar:
    """Each quantity is started and stopped by itself; the answer to a command is an indication.

    The H10 goes on measuring when the host leaves; the others stop.
    """

    services: ClassVar[Services] = {
        _BASE.format("0"): {"control_point": READ | WRITE | INDICATE, "data": NOTIFY},
        "0000180f-0000-1000-8000-00805f9b34fb": {"battery": READ | NOTIFY},
    }
    encrypted: ClassVar[frozenset[str]] = frozenset()
    clock_at_boot_s: ClassVar[float] = 6939 * 86400.0  # 2019-01-01, counted from 2000-01-01
    samples_per_packet = 36

    def __init__(self, board: Board) -> None:
        self._board = board
        board.rate_hz = board.rate_hz or board.profile.rates.default_hz
        self._measured: set[int] = set()

    def booted(self) -> None:
        self._board.running = False
        self._measured.clear()

    def disconnected(self) -> None:
        if self._board.profile.name != "polar-h10" and self._board.running:
            self._measured.clear()
            self._board.stop()

    def subscribed(self, role: str, on: bool) -> None:
        pass

    def packets(self, samples: Decoded) -> list[list[tuple[str, bytes]]]:
        board, parts = self._board, split(samples, len(samples) // self.samples_per_packet)
        frames = [board.profile.encode(p, board.mode, max_payload=board.max_payload()) for p in parts]
        return [[("data", frame) for frame in some if frame[0] & 0x3F in self._measured] for some in frames]

    def read(self, role: str) -> bytes:
        if role == "control_point":
            offered = sum(1 << kind for kind in self._offered())
            return bytes([0x0F, offered]) + bytes(15)
        if role == "battery":
            return bytes([self._board.battery_percent])
        raise refused(ErrorCode.READ_NOT_PERMITTED)

    def write(self, role: str, value: bytes) -> None:
        if role != "control_point":
            raise refused(ErrorCode.WRITE_NOT_PERMITTED)
        if len(value) < 2:
            raise refused(ErrorCode.INVALID_ATTRIBUTE_LENGTH)
        command, kind = value[0], value[1] & 0x7F
        status, more = self._obey(command, kind, value[2:])
        head = bytes([0xF0, command, kind, status])
        self._board.notify("control_point", head + (b"\0" + more if status == _OK else b""))

    def _offered(self) -> list[int]:
        body = self._board.profile.mode_of(self._board.mode).body
        forms = body.formats if isinstance(body, PolarDecoding) else ()
        return sorted({form.measurement for form in forms})

    def _obey(self, command: int, kind: int, settings: bytes) -> tuple[int, bytes]:
        """(status, parameters of the response)."""
        board = self._board
        if kind not in self._offered():
            return _NOT_SUPPORTED, b""
        if command == _SETTINGS:
            return _OK, self._settings(kind)
        if command == _STOP:
            self._measured.discard(kind)
            if not self._measured and board.running:
                board.stop()
            return _OK, b""
        if command != _START:
            return _BAD_OP, b""
        status = self._status_of_start(kind, settings)
        if status == _OK:
            self._measured.add(kind)
            if not board.running:
                board.start()
        return status, b"\x05\x01" + struct.pack("<f", _FACTORS[kind])

    def _status_of_start(self, kind: int, settings: bytes) -> int:
        wanted = _parsed(settings)
        if wanted is None:
            return _PARAMETER
        rate_hz = wanted.get(0, 0)
        faults = {
            _ALREADY: kind in self._measured,
            _RATE: rate_hz not in self._board.profile.rates.allowed_hz,
            _RESOLUTION: wanted.get(1) != 16,
            _RANGE: wanted.get(2) not in _RANGES[kind],
            _MTU: self._board.max_payload() < _LEAST_PAYLOAD,
        }
        for status, true in faults.items():
            if true:
                return status
        self._board.rate_hz = float(rate_hz)
        return _OK

    def _settings(self, kind: int) -> bytes:
        rates = [round(rate) for rate in self._board.profile.rates.allowed_hz]
        lists = ((0, rates), (1, [16]), (2, list(_RANGES[kind])))
        return b"".join(
            bytes([which, len(values)]) + b"".join(v.to_bytes(2, "little") for v in values)
            for which, values in lists
        )


def _parsed(settings: bytes) -> dict[int, int] | None:
    """Setting -> its one value; None for what cannot be read."""
    out, at = {}, 0
    while at < len(settings):
        size = _SIZES.get(settings[at])
        if size is None or settings[at + 1 : at + 2] != b"\x01" or at + 2 + size > len(settings):
            return None
        out[settings[at]] = int.from_bytes(settings[at + 2 : at + 2 + size], "little")
        at += 2 + size
    return out
