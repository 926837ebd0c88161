"""What really happened at a virtual sensor: known to tests, never sent."""

from __future__ import annotations

from array import array
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gaitmon.model import Floats
from gaitmon.sensors.layout import Ticks


class Fate(IntEnum):
    """What became of a packet."""

    WAITING = 0  # in the sensor's memory or on the air
    DELIVERED = 1  # in the host's hands
    OVERFLOW = 2  # the sensor's memory was full
    DROPPED = 3  # the sensor was told to misbehave
    UNHEARD = 4  # nobody had subscribed
    LOST_WITH_LINK = 5  # in the sensor's memory when the link ended


class SensorTruth:
    """One sensor's samples and packets since it was made, in order; reboots go on counting here.

    sample_true_s: (n,) loop time at which each was taken.  sample_clock: (n,) ticks as sent, wrapped.
    sample_boot: (n,) which power-on, from 0.  packet_of_sample: (n,) index into fates.
    """

    def __init__(self) -> None:
        self._true_s = array("d")
        self._clock = array("Q")
        self._boot = array("q")
        self._packet = array("q")
        self._fates = bytearray()

    def packet(self, true_s: Floats, clock: Ticks, boot: int) -> int:
        """Notes a new packet with its samples; returns its index."""
        index = len(self._fates)
        self._true_s.extend(true_s.tolist())
        self._clock.extend(clock.tolist())
        self._boot.extend([boot] * len(true_s))
        self._packet.extend([index] * len(true_s))
        self._fates.append(Fate.WAITING)
        return index

    def became(self, packet: int, fate: Fate) -> None:
        self._fates[packet] = fate

    @property
    def sample_true_s(self) -> Floats:
        return np.array(self._true_s, dtype=np.float64)

    @property
    def sample_clock(self) -> Ticks:
        return np.array(self._clock, dtype=np.uint64)

    @property
    def sample_boot(self) -> NDArray[np.int64]:
        return np.array(self._boot, dtype=np.int64)

    @property
    def packet_of_sample(self) -> NDArray[np.int64]:
        return np.array(self._packet, dtype=np.int64)

    @property
    def fates(self) -> NDArray[np.uint8]:
        """(packets,) of Fate."""
        return np.frombuffer(bytes(self._fates), dtype=np.uint8)

    @property
    def sample_fate(self) -> NDArray[np.uint8]:
        return self.fates[self.packet_of_sample]

    def count(self, fate: Fate) -> int:
        """Packets of this fate."""
        return self._fates.count(fate)
