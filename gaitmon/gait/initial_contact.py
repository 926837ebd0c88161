"""Initial contact of one leg, from that leg's own thigh: how brisk and how slow walking show it.

Brisk.  At the end of swing the thigh is already moving back when the landing stops it: a peak of its
forward acceleration (Zijlstra 2003 looks for the same in the pelvis; here below 4 Hz).  It says where to
look, not when: the trunk's braking is in it, and it moves with the speed of the swing.  The thigh's own
rotation says when: after landing its backward turn sets in with a shoulder in the flexion rate, and the
centre of that shoulder's curvature is the event, less a lag.  4 Hz, because soft tissue rings after landing.

Slow.  Nothing stops abruptly, and the shoulder is as broad as the person is unlike others.  The leg takes
the weight, though: the thigh sinks into the end of swing and is pushed up from the landing on, and the first
peak of its upward acceleration that stands out is the event, less a lag.  In between, both, by the limb's own
pace.  Where neither shows, the model P + c T with c from the mean curves of Schwartz 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaitmon.gait.peaks import parabolic_top
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import Floats


@dataclass(frozen=True, slots=True)
class InitialContactParams:
    """Shares are of the stride, from the swing peak P on; lengths in grid samples of 10 ms."""

    push: tuple[float, float] = (0.18, 0.48)  # where the forward push may be
    shoulder: int = 7  # the shoulder's centre lies this much after the push, and reaches as far either side
    shoulder_lag_s: float = 0.045  # between what simulated walkers (36 ms) and recorded ones (70 ms) show
    loading: tuple[float, float] = (0.08, 0.60)  # where the upward acceleration has its peak, the first
    loading_rise: float = 0.5  # that has risen, from the lowest before it, by this share of the highest rise
    loading_lag: float = 0.042  # simulated walkers show 0.034 to 0.043, a recorded one 0.05
    brisk_s: float = 1.10  # paces up to this read the shoulder, from
    slow_s: float = 1.25  # this on the loading, in between both
    model: float = 0.345  # where neither shows (0.276 very slow .. 0.350 free)


@dataclass(frozen=True, slots=True, eq=False)
class LandingSignals:
    """One thigh from the swing peak on, below 4 Hz; row i is i grid samples after the peak.

    rate_rad_s: flexion rate.  forward_m_s2, up_m_s2: specific force along the thigh's axes.
    """

    rate_rad_s: Floats
    forward_m_s2: Floats
    up_m_s2: Floats


def samples_needed(period: int, p: InitialContactParams) -> int:
    """How many grid samples from the swing peak on are looked at in a stride of this period."""
    return max(round(p.loading[1] * period), round(p.push[1] * period) + 2 * p.shoulder + 3)


def initial_contact(s: LandingSignals, period: int, pace: int, p: InitialContactParams) -> float | None:
    """Grid samples from the swing peak to the initial contact; None where it does not show.

    period: of the stride, pace: of the limb's strides lately, both in grid samples.
    """
    slow = (pace / GRID_HZ - p.brisk_s) / (p.slow_s - p.brisk_s)
    slow = min(max(slow, 0.0), 1.0)
    shoulder = _shoulder(s, period, p) if slow < 1.0 else None
    loading = _loading(s.up_m_s2, period, pace, p) if slow > 0.0 else None
    if shoulder is None or loading is None:
        return loading if shoulder is None else shoulder
    return (1.0 - slow) * shoulder + slow * loading


def _shoulder(s: LandingSignals, period: int, p: InitialContactParams) -> float | None:
    """Centre of the downward curvature of the rate after the forward push, less its lag."""
    a, b = (round(share * period) for share in p.push)
    forward, half = s.forward_m_s2[a:b], p.shoulder
    if len(forward) == 0:
        return None
    push = a + int(np.argmax(forward))
    first = push  # of the 2 half + 1 samples around the centre
    x = s.rate_rad_s[first - 1 : first + 2 * half + 2]
    if len(x) < 2 * half + 3:
        return None
    inside = np.arange(-half, half + 1)
    weight = 1.0 - (inside / (half + 1.0)) ** 2  # what enters at the edges enters gently
    bend = np.maximum(2.0 * x[1:-1] - x[2:] - x[:-2], 0.0) * weight
    total = float(bend.sum())
    if total <= 0.0:
        return None
    return push + half + float((bend * inside).sum()) / total - GRID_HZ * p.shoulder_lag_s


def _loading(up: Floats, period: int, pace: int, p: InitialContactParams) -> float | None:
    """First peak of the upward acceleration after its low at the end of swing, less its lag."""
    a, b = (round(share * period) for share in p.loading)
    x = up[a:b]
    tops = np.flatnonzero((x[1:-1] > x[:-2]) & (x[1:-1] >= x[2:])) + 1
    if len(tops) == 0:
        return None
    rise = x[tops] - np.minimum.accumulate(x)[tops]
    first = int(tops[np.argmax(rise >= p.loading_rise * rise.max())])
    return a + parabolic_top(x, first)[0] - p.loading_lag * pace
