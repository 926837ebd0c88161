"""Every error that gaitmon raises on purpose, as one tree.

    GaitmonError                 says what is wrong and what to do; the command line prints it in one line
    ├── RecordingError           a file cannot be read as a recording
    │   ├── UnknownFormatError   no importer recognises it
    │   └── EmptyRecordingError  there is nothing in it
    ├── ProfileError             a firmware profile is wrong (file and line in the text)
    ├── DecodeError              a notification does not have the layout its profile promises
    ├── MessageError             an MQTT message is not of the documented schema
    ├── StoreError               the time-series store or the registry refused or is out of reach
    │   └── NotFoundError        no such wearer, alert or user, or not given to the one who asks
    ├── BrokerError              the MQTT broker refused or is out of reach
    └── ConfigError              a setting is missing or contradictory

A gap, a turn, a stop, a missing sensor are ordinary results and raise nothing.
"""

from __future__ import annotations


class GaitmonError(Exception):
    """what is wrong, and, as ``remedy``, what to do about it."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class RecordingError(GaitmonError):
    pass


class UnknownFormatError(RecordingError):
    pass


class EmptyRecordingError(RecordingError):
    pass


class ProfileError(GaitmonError):
    pass


class DecodeError(GaitmonError):
    pass


class MessageError(GaitmonError):
    pass


class StoreError(GaitmonError):
    pass


class NotFoundError(StoreError):
    pass


class BrokerError(GaitmonError):
    pass


class ConfigError(GaitmonError):
    pass
