"""A recording in memory or on disk: named streams on one clock, and how to play them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from gaitmon.model import Floats, ImuBlock, Placement


@dataclass(frozen=True, slots=True, eq=False)
class SampleStream:
    """All samples of one sensor.

    chunks: called for a fresh pass over the samples, in order of time, each chunk an ImuBlock.  A
    recording on disk reads as it goes, so that eight hours need no more memory than one.
    nominal_rate_hz: as the maker states it; None where only the time stamps tell.
    acc_range_m_s2, gyr_range_rad_s: full scale where known, for telling a clipped sample.
    """

    placement: Placement
    chunks: Callable[[], Iterable[ImuBlock]]
    n_samples: int
    start_s: float
    end_s: float
    has_gyroscope: bool
    nominal_rate_hz: float | None = None
    acc_range_m_s2: float | None = None
    gyr_range_rad_s: float | None = None
    device: str = ""

    def arrays(self) -> tuple[Floats, Floats, Floats | None]:
        """t_s (n,), acc_m_s2 (n, 3), gyr_rad_s (n, 3) or None: the whole stream at once."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What was recorded, by which sensors, and whether any of it is real.

    content_id: sha256 of the samples, so that importing the same recording twice is one segment.
    start_utc_us: UTC of t_s = 0 in microseconds since 1970, None where the file does not say.
    """

    name: str
    source_format: str
    streams: dict[Placement, SampleStream]
    content_id: str
    simulated: bool = False
    start_utc_us: int | None = None
    notes: dict[str, str] = field(default_factory=dict)

    def blocks(self, seconds: float = 1.0) -> Iterator[ImuBlock]:
        """Every stream but the reference ones, cut on a fixed grid and in order of time, as a live
        session would deliver them."""
        raise NotImplementedError
