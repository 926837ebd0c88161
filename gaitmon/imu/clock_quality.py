"""How far the clocks of two sensors can be trusted, and a look back at a whole segment.

What no one-way method can see: a delay that every packet of a sensor shares (stamp to radio in the
firmware, radio to host).  It is the same for sensors of one model on one adapter to within the spread of
that path, and then it cancels in every difference between sensors; between models it can be some
milliseconds.  No figure here contains it.  Only an event that both sensors feel (a tap) shows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gaitmon.model import Floats

P95 = 1.96
CROSS_LIMB_LIMIT_S = 0.003  # above this, values that compare two sensors are withheld


@dataclass(frozen=True, slots=True)
class ClockQuality:
    """What is known of one sensor's clock from ``at_s`` (common time) until the next such value.

    offset_sd_s, skew_sd, covariance_s: standard deviations of the clock's offset at ``at_s`` and of its
    rate, and their covariance.  skew: seconds of common time per second of device time, minus 1.
    lag_s: target minus output, still to be slewed away over slew_s, of which correction_s will be.
    wander_s_s32: standard deviation of what the rate's random walk does to the offset: times age ** 1.5.
    floor_s: standard deviation below which this kind of clock cannot come (a sensor that neither stamps
    nor counts cannot show a lost packet).
    """

    at_s: float
    offset_sd_s: float
    skew: float
    skew_sd: float
    covariance_s: float
    lag_s: float
    correction_s: float
    slew_s: float
    wander_s_s32: float
    floor_s: float = 0.0

    @property
    def skew_ppm(self) -> float:
        return 1e6 * self.skew

    def standard_s(self, at_s: float) -> float:
        """Standard uncertainty of the common time of a sample at at_s, without the lag."""
        age = max(0.0, at_s - self.at_s)
        drift = 2.0 * self.covariance_s * age + (self.skew_sd * age) ** 2 + self.wander_s_s32**2 * age**3
        return math.sqrt(max(0.0, self.offset_sd_s**2 + drift) + self.floor_s**2)

    def lag_at_s(self, at_s: float) -> float:
        """How much later the output ought to be at at_s, by what was known at ``at_s`` of this value."""
        done = min(1.0, max(0.0, at_s - self.at_s) / self.slew_s)
        return self.lag_s - self.correction_s * done

    def uncertainty_s(self, at_s: float) -> float:
        """95 % bound of the error of one sensor's common time at at_s, the constant apart."""
        return P95 * self.standard_s(at_s) + abs(self.lag_at_s(at_s))


def pair_uncertainty_s(a: ClockQuality | None, b: ClockQuality | None, at_s: float) -> float:
    """95 % bound of the error of a time difference between two sensors at at_s, in seconds.

    Infinite for a sensor whose clock is not known yet (None).  The constant of the module's first
    paragraph is not in it.  Values across limbs are withheld above CROSS_LIMB_LIMIT_S.
    """
    if a is None or b is None:
        return math.inf
    both = math.hypot(a.standard_s(at_s), b.standard_s(at_s))
    return P95 * both + abs(a.lag_at_s(at_s) - b.lag_at_s(at_s))


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
    """Offset and skew of a whole segment after the fact; a quality report that revises nothing.

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
