"""How far the clocks of two sensors can be trusted.

What no one-way method can see: a delay that every packet of a sensor shares (stamp to radio in the
firmware, radio to host).  It is the same for sensors of one model on one adapter to within the spread of
that path, and then it cancels in every difference between sensors; between models it can be some
milliseconds.  No figure here contains it.  Only an event that both sensors feel (a tap) shows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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


def pair_uncertainty_s(a: ClockQuality | None, b: ClockQuality | None, at_s: float) -> float:
    """95 % bound of the error of a time difference between two sensors at at_s, in seconds.

    Infinite for a sensor whose clock is not known yet (None).  The constant of the module's first
    paragraph is not in it.  Values across limbs are withheld above CROSS_LIMB_LIMIT_S.
    """
    if a is None or b is None:
        return math.inf
    both = math.hypot(a.standard_s(at_s), b.standard_s(at_s))
    return P95 * both + abs(a.lag_at_s(at_s) - b.lag_at_s(at_s))
