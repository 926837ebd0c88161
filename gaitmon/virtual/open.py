"""gaitmon's own open sensor, protocol 1."""

from __future__ import annotations

from typing import ClassVar

from bumble.att import ErrorCode

from gaitmon.sensors.layout import Decoded
from gaitmon.virtual.board import NOTIFY, READ, WRITE, Board, Services, refused


class Open:
    services: ClassVar[Services] = {
        "6a170001-5c8e-4b2f-9d41-8e2f1b7c3a90": {"data": NOTIFY, "control": WRITE, "status": READ},
        "0000180f-0000-1000-8000-00805f9b34fb": {"battery": READ},
        "0000180a-0000-1000-8000-00805f9b34fb": {"serial_number": READ},
    }
    encrypted: ClassVar[frozenset[str]] = frozenset({"data", "control", "status"})
    clock_at_boot_s: ClassVar[float] = 0.0

    def __init__(self, board: Board) -> None:
        self._board = board
        board.rate_hz = board.rate_hz or 104.0

    @property
    def samples_per_packet(self) -> int:
        return self._board.profile.mode_of(self._board.mode).samples

    def booted(self) -> None:
        self._board.running = False

    def disconnected(self) -> None:
        if self._board.running:
            self._board.stop()

    def subscribed(self, role: str, on: bool) -> None:
        pass

    def packets(self, samples: Decoded) -> list[list[tuple[str, bytes]]]:
        return [[("data", payload)] for payload in self._board.profile.encode(samples, self._board.mode)]

    def read(self, role: str) -> bytes:
        board = self._board
        if role == "status":
            return bytes([1, board.running, board.mode]) + round(board.rate_hz).to_bytes(2, "little")
        if role == "battery":
            return bytes([board.battery_percent])
        if role == "serial_number":
            return board.address.hex().upper().encode()
        raise refused(ErrorCode.READ_NOT_PERMITTED)

    def write(self, role: str, value: bytes) -> None:
        if role != "control" or not value:
            raise refused(ErrorCode.WRITE_NOT_PERMITTED)
        board, known = self._board, {mode.id for mode in self._board.profile.mode}
        match value[0], value[1:]:
            case (0, b""):
                if board.running:
                    board.stop()
            case (1, mode) if len(mode) == 1 and mode[0] in known:
                if not board.running:
                    board.mode = mode[0]
                    board.start()
            case (2, seconds) if len(seconds) == 1:
                board.identify()
            case (3, rate) if len(rate) == 2:
                rate_hz = int.from_bytes(rate, "little")
                if rate_hz in board.profile.rates.allowed_hz and not board.running:
                    board.rate_hz = rate_hz
            case _:
                raise refused(ErrorCode.VALUE_NOT_ALLOWED)
