"""A walking bout as REST gives it: what the store has, with its waveforms as numbers."""

from __future__ import annotations

from dataclasses import fields

from pydantic import BaseModel

from gaitmon.model import Angle, MetricValue, Side, Turn, Waveform
from gaitmon.store.series import BoutRow


class WaveformOut(BaseModel):
    """An angle over the cycle of one side, 101 points from its initial contact, ipsilateral signs
    (docs/units-and-frames.md): mean and SD of n strides."""

    angle: Angle
    side: Side
    n: int
    mean_deg: list[float]
    sd_deg: list[float]

    @classmethod
    def of(cls, w: Waveform) -> WaveformOut:
        return cls(angle=w.angle, side=w.side, n=w.n, mean_deg=w.mean_deg.tolist(), sd_deg=w.sd_deg.tolist())


class BoutOut(BaseModel):
    """n_left, n_right: accepted straight strides.  start_s, end_s: on the segment's clock."""

    wearer: str
    segment: str
    revision: int
    ordinal: int
    start_utc_us: int
    end_utc_us: int
    start_s: float
    end_s: float
    stratum: str
    n_steps: int
    n_left: int
    n_right: int
    turns: tuple[Turn, ...]
    metrics: tuple[MetricValue, ...]
    quality: tuple[str, ...]
    simulated: bool
    waveforms: list[WaveformOut]

    @classmethod
    def of(cls, row: BoutRow) -> BoutOut:
        values = {f.name: getattr(row, f.name) for f in fields(row)}
        return cls(**values | {"waveforms": [WaveformOut.of(w) for w in row.waveforms]})
