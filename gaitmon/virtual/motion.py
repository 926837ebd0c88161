"""What a virtual sensor is moved by: signals over true time, read at any instant."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from scipy.interpolate import CubicSpline

from gaitmon.model import Floats, Placement
from gaitmon.sensors.recording import Recording
from gaitmon.simulate import ImuArrays

_MARGIN = 24  # samples beside the piece: a spline's ends are felt by 2e-14 there
_PIECE_S = 30.0  # for which a spline is kept


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """t_s: (n,) increasing, from 0.  acc_m_s2, gyr_rad_s: (n, 3), sensor axes, SI; gyr_rad_s None without
    a gyroscope.  Before the beginning and after the end the first and the last sample hold; with every_s
    it begins anew every so many seconds."""

    t_s: Floats
    acc_m_s2: Floats
    gyr_rad_s: Floats | None
    every_s: float = math.inf

    _kept: dict[int, CubicSpline] = field(default_factory=dict, repr=False)

    @property
    def end_s(self) -> float:
        return float(self.t_s[-1])

    @classmethod
    def of_simulated(cls, arrays: ImuArrays, common_s: Floats | None = None) -> Self:
        """A simulated sensor's samples in their order.  common_s: (n,) true times by counter; None: the
        stamps are true, as with a perfect clock."""
        _, once = np.unique(arrays.counter, return_index=True)
        t = arrays.t_s[once] if common_s is None else common_s[arrays.counter[once]]
        return cls.of(t, arrays.acc_m_s2[once], None if arrays.gyr_rad_s is None else arrays.gyr_rad_s[once])

    @classmethod
    def of_recording(cls, recording: Recording, placement: Placement) -> Self:
        """Raises KeyError for a placement that is not in the recording."""
        stream = recording.streams[placement]
        blocks = list(stream.chunks())
        t = np.concatenate([block.t_s for block in blocks]) - recording.start_s
        acc = np.concatenate([block.acc_m_s2 for block in blocks])
        gyr = [block.gyr_rad_s for block in blocks if block.gyr_rad_s is not None]
        return cls.of(t, acc, np.concatenate(gyr) if len(gyr) == len(blocks) else None)

    @classmethod
    def of(cls, t_s: Floats, acc_m_s2: Floats, gyr_rad_s: Floats | None = None) -> Self:
        """Raises ValueError when times do not increase or lengths differ."""
        if len(t_s) < 2 or not (np.diff(t_s) > 0).all():
            raise ValueError("t_s must have two samples or more and increase")
        if acc_m_s2.shape != (len(t_s), 3) or (gyr_rad_s is not None and gyr_rad_s.shape != acc_m_s2.shape):
            raise ValueError("acc_m_s2 and gyr_rad_s must be (n, 3)")
        return cls(t_s, acc_m_s2, gyr_rad_s)

    def at(self, t_s: Floats) -> dict[str, Floats]:
        """acc_m_s2 and gyr_rad_s at increasing times, each (m, 3), by a cubic spline through the samples."""
        if math.isfinite(self.every_s):
            lap = np.floor(t_s / self.every_s)
            once = replace(self, every_s=math.inf)
            parts = [once.at(t_s[lap == k] - k * self.every_s) for k in np.unique(lap)]
            return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        t = np.clip(t_s, self.t_s[0], self.t_s[-1])
        pieces = np.floor(t / _PIECE_S).astype(np.int64)
        values = np.concatenate([self._spline(int(k))(t[pieces == k]) for k in np.unique(pieces)])
        out: dict[str, Floats] = {"acc_m_s2": values[:, :3]}
        if self.gyr_rad_s is not None:
            out["gyr_rad_s"] = values[:, 3:]
        return out

    def _spline(self, piece: int) -> CubicSpline:
        """Of 30 s; the last one is kept, as sensors go forward."""
        if piece not in self._kept:
            first = int(np.searchsorted(self.t_s, piece * _PIECE_S)) - _MARGIN
            last = int(np.searchsorted(self.t_s, (piece + 1) * _PIECE_S)) + _MARGIN
            known = slice(max(0, first), max(last, first + 2))
            parts = [self.acc_m_s2[known]] + ([] if self.gyr_rad_s is None else [self.gyr_rad_s[known]])
            self._kept.clear()
            self._kept[piece] = CubicSpline(self.t_s[known], np.concatenate(parts, axis=1))
        return self._kept[piece]
