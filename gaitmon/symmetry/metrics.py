"""The one table of every metric: what it is called, measured in, means, and needs.

Pages, messages, the store, the alerts and the documentation read this table; nothing is defined
twice.  A metric's id never changes its meaning: a new definition gets a new id.
"""

from __future__ import annotations

from gaitmon.symmetry.definition import Change, Group, MetricDefinition, Normal, Tag, decimals
from gaitmon.symmetry.definitions import (
    loading,
    pelvis,
    session,
    smoothness,
    spatial,
    temporal,
    volume,
    waveform,
)

__all__ = ["CORE", "METRICS", "Change", "Group", "MetricDefinition", "Normal", "Tag", "decimals"]

_ROWS = (
    *temporal.ROWS,
    *spatial.ROWS,
    *waveform.ROWS,
    *pelvis.ROWS,
    *smoothness.ROWS,
    *loading.ROWS,
    *volume.ROWS,
    *session.ROWS,
)

METRICS: dict[str, MetricDefinition] = {m.id: m for m in _ROWS}
CORE: tuple[str, ...] = tuple(m.id for m in _ROWS if m.core)
