"""Do a sensor's gyroscope and accelerometer speak of the same three axes?

Whoever turns samples by the rate of turn keeps gravity where it was: the mean acceleration of the first two
seconds and of the last two of a window point the same way.  Axes exchanged, inverted or left-handed in one of
the two instruments, a common slip of converters, send it elsewhere as soon as the wearer turns or sits down.
All 48 ways to exchange and invert axes are tried; the one as given must be the best, or nearly.

On pelvis and thighs of the recordings of GAITMON_DATA gravity moves by 1 to 9 deg as given, in a wrong frame
by 20 to 120.  A pelvis with inverted axes may pass: turning about the vertical while upright tells nothing.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import permutations, product

import numpy as np
from scipy.spatial.transform import Rotation

from gaitmon.model import Floats
from gaitmon.sensors.windows import RATE_HZ

WRONG_DEG = 15.0  # gravity moves by more than this, and
MUCH_BETTER = 0.5  # by less than this share of it with other axes
FEWEST = 3  # windows
MOST = 12  # those in which the sensor turned most
END_S = 2.0
_HALF_HZ = RATE_HZ / 2.0  # pairs of samples are joined


def _ways() -> Floats:
    """(48, 3, 3): every exchange and inversion of axes, first as given."""
    signed = [
        np.diag(signs)[list(order)]
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
    ]
    return np.stack(signed)


_WAYS = _ways()


@dataclass(slots=True, eq=False)
class FrameCheck:
    """Of one sensor: shown its windows, it keeps those in which it turned most.  Stateful."""

    _kept: list[tuple[float, int, Floats]] = field(default_factory=list)
    _seen: int = 0

    def see(self, samples: Floats) -> None:
        """samples: (n, 6), acc then gyr, at RATE_HZ."""
        self._seen += 1
        turned = float(np.linalg.norm(samples[:, 3:].mean(axis=0)))
        heapq.heappush(self._kept, (turned, self._seen, samples))
        if len(self._kept) > MOST:
            heapq.heappop(self._kept)

    def fault(self) -> str:
        """The axes of the gyroscope as the accelerometer would have them, such as "y, -x, z"; "" while they
        are as they should be, or nothing tells."""
        if len(self._kept) < FEWEST:
            return ""
        off_deg = _gravity_moves_deg(np.stack([samples for _, _, samples in self._kept]))
        best = int(np.argmin(off_deg))
        if off_deg[0] < WRONG_DEG or off_deg[best] > MUCH_BETTER * off_deg[0]:
            return ""
        rows = _WAYS[best]
        return ", ".join(f"{'-' if row.sum() < 0 else ''}{'xyz'[int(np.abs(row).argmax())]}" for row in rows)


def _gravity_moves_deg(windows: Floats) -> Floats:
    """(48,): root mean square over windows (w, n, 6) of how far gravity moves, for each way."""
    n = windows.shape[1] // 2
    pairs = windows[:, : 2 * n].reshape(len(windows), n, 2, 6).mean(axis=2)
    ends = round(END_S * _HALF_HZ)
    first, last = np.zeros((2, len(windows) * len(_WAYS), 3))
    turned = Rotation.identity(len(first))
    for i in range(n):
        if i < ends or i >= n - ends:
            acc = np.repeat(pairs[:, i, :3], len(_WAYS), axis=0)
            (first if i < ends else last)[:] += turned.apply(acc)
        rate = np.einsum("mij,wj->wmi", _WAYS, pairs[:, i, 3:]).reshape(-1, 3)
        turned = turned * Rotation.from_rotvec(rate / _HALF_HZ)
    cos = (first * last).sum(axis=1) / (np.linalg.norm(first, axis=1) * np.linalg.norm(last, axis=1))
    off_deg = np.degrees(np.arccos(np.clip(cos, -1.0, 1.0))).reshape(len(windows), -1)
    return np.asarray(np.sqrt(np.mean(off_deg**2, axis=0)))
