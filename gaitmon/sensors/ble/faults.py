"""What can go wrong on the way to a sensor, by kind.

The texts of bleak and BlueZ contain radio addresses, and events and health travel: they get the kind only.
"""

from __future__ import annotations

from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakError, BleakGATTProtocolError

from gaitmon.errors import GaitmonError


class LinkError(GaitmonError):
    """The sensor does not do what its profile says.  kind: for counting, a word or two."""

    def __init__(self, kind: str, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.kind = kind


# AttributeError, EOFError and BrokenPipeError come out of D-Bus connections that break under bleak.
RETRYABLE = (BleakError, LinkError, TimeoutError, AttributeError, EOFError, OSError)

# BlueZ's words (src/error.h) and the texts of the HCI statuses 0x07, 0x09 and 0x0d.
_OUT_OF_SLOTS = (
    "le-connection-concurrent-connection-limit",
    "le-connection-memory-allocation",
    "connection limit exceeded",
    "memory capacity exceeded",
    "limited resources",
)
_TRANSIENT = ("le-connection-abort-by-local", "le-connection-busy", "br-connection-canceled", "InProgress")


def is_out_of_slots(error: BaseException) -> bool:
    text = str(error).lower().replace("_", " ")
    return isinstance(error, BleakError) and any(words in text for words in _OUT_OF_SLOTS)


def is_transient(error: BaseException) -> bool:
    """Two users of one adapter got into each other's way: soon again, and no failure of the sensor."""
    return isinstance(error, BleakError) and any(words in str(error) for words in _TRANSIENT)


def kind_of(error: BaseException) -> str:
    """A stable word for counting and for LinkDown.reason; without address, path or name."""
    kind = type(error).__name__
    if is_out_of_slots(error):
        kind = "out of slots"
    elif isinstance(error, LinkError):
        kind = error.kind
    elif isinstance(error, TimeoutError):
        kind = "timeout"
    elif isinstance(error, BleakBluetoothNotAvailableError):
        kind = f"bluetooth {error.reason.name.lower().replace('_', ' ')}"
    elif isinstance(error, BleakGATTProtocolError):
        kind = f"att {error.args[0]:#04x}"
    elif isinstance(error, BleakDBusError):
        kind = _bluez_words(error)
    return kind


def _bluez_words(error: BleakDBusError) -> str:
    detail = str(error.args[1]) if len(error.args) > 1 else ""
    return detail if detail.startswith(("le-", "br-")) else error.dbus_error.removeprefix("org.bluez.Error.")


class Failures:
    """Failed attempts since the sensor last streamed, in rounds: so many, or so many more transient ones."""

    def __init__(self, attempts: int, transient_errors: int) -> None:
        self._most = (attempts, transient_errors)
        self._so_far = [0, 0]

    def clear(self) -> None:
        self._so_far = [0, 0]

    def count(self, error: BaseException) -> bool:
        """Whether this failure ends a round."""
        which = int(is_transient(error))
        self._so_far[which] += 1
        if self._so_far[which] < self._most[which]:
            return False
        self.clear()
        return True
