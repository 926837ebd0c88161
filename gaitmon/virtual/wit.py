"""WitMotion WT901BLECL and its family, after the data sheet v23-0420."""

from __future__ import annotations

import math
from typing import ClassVar

from bumble.att import ErrorCode

from gaitmon.sensors.layout import Decoded
from gaitmon.virtual.board import NOTIFY, WRITE, WRITE_WITHOUT_RESPONSE, Board, Services, refused

_BASE = "0000{}-0000-1000-8000-00805f9a34fb"  # 9a34fb
_RATES_HZ = {0x06: 10.0, 0x07: 20.0, 0x08: 50.0, 0x09: 100.0}
_UNLOCKED_S = 10.0
_SAVE, _RATE, _READ = 0x00, 0x03, 0x27


class Wit:
    """Streams while somebody listens.  What is set counts until power-off, unless it is saved."""

    services: ClassVar[Services] = {
        _BASE.format("ffe5"): {"data": NOTIFY, "command": WRITE | WRITE_WITHOUT_RESPONSE}
    }
    encrypted: ClassVar[frozenset[str]] = frozenset()
    clock_at_boot_s: ClassVar[float] = 0.0
    samples_per_packet = 1

    def __init__(self, board: Board) -> None:
        self._board = board
        self._saved_hz = board.rate_hz or 10.0
        self.booted()

    def booted(self) -> None:
        self._board.running = False
        self._board.rate_hz = self._saved_hz
        self._unlocked_s = -math.inf

    def disconnected(self) -> None:
        self.subscribed("data", False)

    def subscribed(self, role: str, on: bool) -> None:
        if role == "data" and on != self._board.running:
            (self._board.start if on else self._board.stop)()

    def packets(self, samples: Decoded) -> list[list[tuple[str, bytes]]]:
        board = self._board
        return [[("data", payload)] for payload in board.profile.encode(samples, board.mode, max_payload=20)]

    def read(self, _role: str) -> bytes:
        raise refused(ErrorCode.READ_NOT_PERMITTED)

    def write(self, role: str, value: bytes) -> None:
        """FF AA register low high; what is anything else is not heard."""
        if role != "command":
            raise refused(ErrorCode.WRITE_NOT_PERMITTED)
        if len(value) != 5 or value[:2] != b"\xff\xaa":
            return
        board, register, low = self._board, value[2], value[3]
        if value[2:] == b"\x69\x88\xb5":
            self._unlocked_s = board.now_s()
        elif register == _READ:
            board.notify("data", bytes([0x55, 0x71, low, 0]) + bytes(16))
        elif board.now_s() - self._unlocked_s > _UNLOCKED_S:
            return
        elif register == _RATE and low in _RATES_HZ:
            board.rate_hz = _RATES_HZ[low]
            if board.running:
                board.stop()
                board.start()
        elif register == _SAVE and low == 0:
            self._saved_hz = board.rate_hz
