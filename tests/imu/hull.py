"""The line below all packets of a segment: what clock mapping is compared with, after the fact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaitmon.model import Floats


@dataclass(frozen=True, slots=True, eq=False)
class HullReport:
    """The line below all packets of a segment that lies nearest to them (Moon, Skelly & Towsley 1999).

    ``arrival_s = offset_s + (1 + skew_ppm / 1e6) * device_s + residual``; residuals_s: (n,), all >= 0.
    """

    offset_s: float
    skew_ppm: float
    residuals_s: Floats

    @property
    def residual_p95_s(self) -> float:
        return float(np.percentile(self.residuals_s, 95.0))


def hull_report(device_s: Floats, arrival_s: Floats) -> HullReport:
    """Offset and skew of a whole segment after the fact; what a live mapping cannot have.

    device_s: (n,), unwrapped, increasing; arrival_s: (n,), host seconds; n >= 2.  The edge of the lower
    convex hull above the mean of device_s, which is the line of least area below the points (Zhang, Liu &
    Xia 2002), in linear time.  Raises ValueError for fewer than two packets.
    """
    if len(device_s) < 2:
        raise ValueError("a line needs two packets")
    x, y = device_s - device_s[0], arrival_s - arrival_s[0] - (device_s - device_s[0])
    hull = _lower_hull(x, y)
    at = float(x.mean())
    i = min(max(int(np.searchsorted(x[hull], at)), 1), len(hull) - 1)
    a, b = hull[i - 1], hull[i]
    slope = float((y[b] - y[a]) / (x[b] - x[a]))
    above = y - (y[a] + slope * (x - x[a]))
    offset = float(arrival_s[0] + y[a] - slope * x[a] - (1.0 + slope) * device_s[0])
    return HullReport(offset, 1e6 * slope, np.maximum(above, 0.0))


def _lower_hull(x: Floats, y: Floats) -> list[int]:
    """Indices of the lower convex hull of points in the order of x (Andrew 1979)."""
    hull: list[int] = []
    px, py = x.tolist(), y.tolist()
    for i, (u, v) in enumerate(zip(px, py, strict=True)):
        while len(hull) >= 2:
            a, b = hull[-2], hull[-1]
            if (py[b] - py[a]) * (u - px[a]) < (v - py[a]) * (px[b] - px[a]):
                break
            hull.pop()
        hull.append(i)
    return hull
