"""Errors by kind: what counts as what, and that nothing but the kind is told."""

from __future__ import annotations

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

from gaitmon.sensors.ble.faults import Failures, LinkError, is_out_of_slots, is_transient, kind_of

ADDRESS = "F0:00:00:00:00:01"
FAILED = "org.bluez.Error.Failed"
ABORTED = BleakDBusError(FAILED, ["le-connection-abort-by-local"])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ABORTED, "le-connection-abort-by-local"),
        (BleakDBusError(FAILED, ["le-connection-concurrent-connection-limit"]), "out of slots"),
        (BleakError("failed to connect: hci/CONNECTION_LIMIT_EXCEEDED_ERROR [0x9]"), "out of slots"),
        (BleakDBusError("org.bluez.Error.InProgress", ["In Progress"]), "InProgress"),
        (BleakDBusError("org.freedesktop.DBus.Error.UnknownObject", [f"no {ADDRESS}"]),
         "org.freedesktop.DBus.Error.UnknownObject"),
        (BleakDeviceNotFoundError(ADDRESS, f"Device with address {ADDRESS} was not found."),
         "BleakDeviceNotFoundError"),
        (BleakError(f"{ADDRESS}: failed to discover services"), "BleakError"),
        (BleakGATTProtocolError(0x0E), "att 0x0e"),
        (BleakGATTProtocolError(0xFE), "att 0xfe"),
        (BleakBluetoothNotAvailableError("off", BleakBluetoothNotAvailableReason.POWERED_OFF),
         "bluetooth powered off"),
        (TimeoutError(), "timeout"),
        (EOFError(), "EOFError"),
        (BrokenPipeError(), "BrokenPipeError"),
        (LinkError("unexpected answer", "01 is 02"), "unexpected answer"),
    ],
)  # fmt: skip
def test_kinds(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind
    assert ADDRESS not in kind_of(error)
    assert is_out_of_slots(error) == (kind == "out of slots")


def test_a_round_is_four_failures_or_nine_transient_ones() -> None:
    failures = Failures(attempts=4, transient_errors=9)
    assert is_transient(ABORTED)
    assert [failures.count(TimeoutError()) for _ in range(8)] == [False, False, False, True] * 2
    assert [failures.count(ABORTED) for _ in range(9)] == [False] * 8 + [True]
    failures.count(TimeoutError())
    failures.clear()
    assert [failures.count(TimeoutError()) for _ in range(4)] == [False, False, False, True]
