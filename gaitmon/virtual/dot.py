"""Movella DOT, after its BLE service specification (firmware 2.0.0)."""

from __future__ import annotations

import math
from typing import ClassVar

from bumble.att import ErrorCode

from gaitmon.sensors.layout import Decoded
from gaitmon.virtual.board import NOTIFY, READ, WRITE, Board, Services, refused

_BASE = "1517{}-4947-11e9-8646-d663bd873d93"
# Bits of the visit mask: which parts of a write to device control the sensor looks at.
_IDENTIFY, _TAG, _RATE = 0x01, 0x08, 0x10
_SYNC_S = 12.0  # without a link
_STREAMING_HZ = (1, 4, 10, 12, 15, 20, 30, 60)


class Dot:
    services: ClassVar[Services] = {
        _BASE.format("1000"): {
            "device_info": READ,
            "device_control": READ | WRITE,
            "device_report": NOTIFY,
        },
        _BASE.format("2000"): {
            "measurement_control": READ | WRITE,
            "long_payload": NOTIFY,
            "medium_payload": NOTIFY,
            "short_payload": NOTIFY,
        },
        _BASE.format("3000"): {"battery": READ | NOTIFY},
        _BASE.format("7000"): {
            "message_control": WRITE,
            "message_acknowledge": READ,
            "message_notification": NOTIFY,
        },
    }
    encrypted: ClassVar[frozenset[str]] = frozenset()
    clock_at_boot_s: ClassVar[float] = 0.0
    samples_per_packet = 1

    def __init__(self, board: Board) -> None:
        self._board = board
        board.rate_hz = board.rate_hz or 60.0
        self.booted()

    def booted(self) -> None:
        self._board.running = False
        self._root = ""  # whose clock to take over
        self._alone_since_s = math.inf
        self._result = 0x09  # not started
        self.synchronised = False

    def disconnected(self) -> None:
        if self._board.running:
            self._board.stop()
        self._alone_since_s = self._board.now_s()

    def subscribed(self, role: str, on: bool) -> None:
        pass

    def packets(self, samples: Decoded) -> list[list[tuple[str, bytes]]]:
        mode = self._board.profile.mode_of(self._board.mode)
        return [[(mode.role, payload)] for payload in self._board.profile.encode(samples, mode.id)]

    def read(self, role: str) -> bytes:
        board = self._board
        if role == "measurement_control":
            return bytes([1, board.running, board.mode])
        if role == "device_control":
            tag = board.name.encode()[:16]
            head = bytes([0, 0, 0, 10, 0, 30, 0, len(tag)]) + tag.ljust(16, b"\0")
            return head + round(board.rate_hz).to_bytes(2, "little") + bytes(6)
        if role == "battery":
            return bytes([board.battery_percent, board.charging])
        if role == "message_acknowledge":
            self._finish_synchronisation()
            return _message(0x02, 0x02, 0x03, self._result)
        if role == "device_info":
            return board.address[::-1] + bytes([2, 0, 0]) + bytes(25)
        raise refused(ErrorCode.READ_NOT_PERMITTED)

    def write(self, role: str, value: bytes) -> None:
        if role == "measurement_control":
            self._measurement(value)
        elif role == "device_control":
            self._control(value)
        elif role == "message_control":
            self._message(value)
        else:
            raise refused(ErrorCode.WRITE_NOT_PERMITTED)

    def _measurement(self, value: bytes) -> None:
        """type 1, start or stop, mode; the mode is kept in flash."""
        if len(value) != 3:
            raise refused(ErrorCode.INVALID_ATTRIBUTE_LENGTH)
        kind, action, mode = value
        if kind != 1 or action > 1 or mode not in {m.id for m in self._board.profile.mode}:
            return  # the sensor says nothing; reading back tells
        if action == 0 and self._board.running:
            self._board.stop()
        elif action == 1 and not self._board.running:
            self._board.mode = mode
            self._board.start()

    def _control(self, value: bytes) -> None:
        if value in (b"\x01\x01", b"\x01\x01\x02"):  # the short form seen with one client
            self._board.identify()
            return
        if len(value) != 32:
            raise refused(ErrorCode.INVALID_ATTRIBUTE_LENGTH)
        visit = value[0]
        if visit & _IDENTIFY and value[1] == 1:
            self._board.identify()
        if visit & _TAG:
            self._board.name = value[8 : 8 + min(16, value[7])].decode(errors="replace")
        rate_hz = int.from_bytes(value[24:26], "little")
        fixed = self._board.running or self.synchronised
        if visit & _RATE and rate_hz in _STREAMING_HZ and not fixed:
            self._board.rate_hz = rate_hz

    def _message(self, value: bytes) -> None:
        """Synchronisation; what does not add up to 0 is not heard."""
        if sum(value) % 256:
            return
        if value[:3] == b"\x02\x07\x01" and len(value) == 10:
            self._root = value[3:9][::-1].hex(":").upper()
            self._result, self.synchronised = 0x09, False
        elif value[:3] == b"\x02\x01\x08":
            self._finish_synchronisation()
            self._board.notify("message_notification", _message(0x02, 0x02, 0x51, self._state))
        elif value[:3] == b"\x02\x01\x02":
            self.synchronised, self._root = False, ""
            self._board.notify("message_notification", _message(0x02, 0x02, 0x50, 0x00))

    @property
    def _state(self) -> int:
        return 0x04 if self.synchronised else 0x09

    def _finish_synchronisation(self) -> None:
        """Long enough without a link: the clock is the root's, unless nobody heard a root."""
        if self._root and self._board.now_s() - self._alone_since_s >= _SYNC_S:
            self.synchronised = self._board.follow(self._root)
            self._result = 0x00 if self.synchronised else 0x05  # not enough samples
            self._root = ""
            if self.synchronised and not self._board.running:
                self._board.start()  # it measures from here on, heard or not


def _message(*head: int) -> bytes:
    return bytes([*head, -sum(head) & 0xFF])
