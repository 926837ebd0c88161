"""How patient the collector is, in one table."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    """Times in seconds.

    The connection figures are those of bleak-retry-connector 4.7.1, those of the scanner Home Assistant's:
    years of other people's adapters.  Where ours differ a comment says why.
    """

    # One round of attempts; then the stack is told to forget the sensor, and it is looked for anew.
    attempts: int = 4
    attempt_s: float = 20.0
    # One attempt holds up the whole adapter: with others waiting it gets less.  Finding the services of a
    # sensor that the host has never seen takes 3 to 7 s at Linux' default interval.
    attempt_while_others_wait_s: float = 10.0
    procedures_s: float = 40.0  # all of them on a new link; with the attempt the 60 s of the above
    transient_errors: int = 9
    backoff_s: tuple[float, float] = (0.25, 1.0)
    round_pause_s: tuple[float, float] = (2.0, 5.0)
    out_of_slots_s: float = 4.0

    # A link that says nothing.  At 60 Hz and the longest interval (50 ms) 1 s is 20 connection events.
    look_s: float = 0.25
    stalled_s: float = 1.0  # also how often a sensor that is silent is said to be
    restart_s: float = 2.0
    reconnect_s: float = 4.0
    close_s: float = 3.0
    answer_s: float = 2.0  # for one answer of the sensor in a procedure
    bond_s: float = 15.0

    # The scanner runs only while a sensor is missing.
    heard_s: float = 3.0  # an older advertisement is no reason to try
    scan_retry_s: float = 0.25  # asks the host whether the adapter is there again, no radio
    scan_quiet_s: float = 90.0  # nothing from anybody: start it again, the second time with the adapter
    scan_renew_s: float = 300.0  # the host keeps an object for every random address that walks by
    connected_check_s: float = 5.0  # a sensor that is connected (after a crash) does not advertise

    battery_s: float = 300.0
    rate_window_s: float = 5.0

    def backoff(self) -> float:
        return random.uniform(*self.backoff_s)  # noqa: S311 - spreads retries, guards nothing

    def round_pause(self) -> float:
        return random.uniform(*self.round_pause_s)  # noqa: S311
