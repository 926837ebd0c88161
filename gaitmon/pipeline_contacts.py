"""Which sensor tells the contacts of a gait sequence, and its signals: the pipeline's ears."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gaitmon.compiled import compiled
from gaitmon.gait.acc_contacts import AccContactParams, AccLimbContacts, AccSignals
from gaitmon.gait.contacts import ContactParams, LimbContacts, LimbSignals
from gaitmon.gait.pelvis_contacts import PelvisContactParams, PelvisContacts, pelvis_signals
from gaitmon.gait.sequences import GaitSequence
from gaitmon.imu.chain import SensorChain
from gaitmon.imu.track import Track
from gaitmon.model import Alignment, Contact, ContactKind, Floats, Placement, Side

THIGHS = (Placement.LEFT_THIGH, Placement.RIGHT_THIGH, Placement.THIGH)
POCKETS = (*THIGHS, Placement.PHONE)

SHORTEST_STEP_S = 0.2  # between two contacts of one kind on one side; Mobilise-D accepts no shorter stride
BACK = 200  # grid samples of a thigh without a hole, after which it tells its limb's contacts again
Stage = LimbContacts | PelvisContacts | AccLimbContacts


@dataclass(frozen=True, slots=True)
class StageParams:
    """limb: a thigh with gyroscope.  pelvis: alone.  pocket: a thigh or phone without gyroscope."""

    limb: ContactParams = field(default_factory=ContactParams)
    pelvis: PelvisContactParams = field(default_factory=PelvisContactParams)
    pocket: AccContactParams = field(default_factory=AccContactParams)


class _LimbTrack:
    """What a thigh's contacts are told from, each row computed once.  Stateful, but for speed alone."""

    def __init__(self, chain: SensorChain, rotation: Floats) -> None:
        forward, left, up = rotation
        self._chain = chain
        self._axes = np.array((-left, forward, up))
        self._rows = Track(3)

    def signals(self, first: int, upto: int) -> LimbSignals:
        """Of grid indices [first, upto)."""
        if not self._rows.begun or first < self._rows.first:
            self._rows = Track(3)
            self._rows.skip_to(first)
        start, known = self._rows.end, self._chain.smooth.end
        if start < upto:
            smooth = self._chain.smooth.view(start, max(known, upto))  # the next tick asks for the rest
            _along(smooth, self._axes, self._rows.room(start, len(smooth)))
        self._rows.forget_before(first)
        return LimbSignals(first, self._rows.view(first, upto))


@compiled("void(f8[:, ::1], f8[:, ::1], f8[:, ::1])")
def _along(smooth: Floats, axes: Floats, out: Floats) -> None:
    """gyr along the first axis, acc along the second and third: columns of out.

    smooth: acc and gyr, shape (n, 6); axes: a row each, shape (3, 3)."""
    for i in range(len(smooth)):
        x, y, z = smooth[i, 3], smooth[i, 4], smooth[i, 5]
        out[i, 0] = x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2]
        x, y, z = smooth[i, 0], smooth[i, 1], smooth[i, 2]
        out[i, 1] = x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2]
        out[i, 2] = x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2]


class ContactStages:
    """The stages of the current gait sequence.  Stateful: begin, advance as samples come, end.

    Each thigh with a gyroscope tells its own limb.  Without any, the pelvis tells both limbs; without
    that, an accelerometer in a pocket tells the leg it is worn on.
    """

    def __init__(
        self,
        chains: Mapping[Placement, SensorChain],
        alignment: Mapping[Placement, Alignment],
        params: StageParams,
    ) -> None:
        self._chains = chains
        self._alignment = alignment
        self._params = params
        self._stages: dict[Placement, Stage] = {}
        self._limbs: dict[Placement, _LimbTrack] = {}
        self._told: dict[tuple[ContactKind, Side | None], float] = {}

    @property
    def from_pelvis(self) -> bool:
        """Whether contacts come from the pelvis alone now."""
        return Placement.PELVIS in self._stages

    @property
    def comparable(self) -> bool:
        """Whether one limb's moments may be compared with the other's: not those of two accelerometers
        in pockets, of which each only infers which half of the stride is its own."""
        return not any(isinstance(stage, AccLimbContacts) for stage in self._stages.values())

    def begin(self, sequence: GaitSequence) -> None:
        """Choose who tells this sequence's contacts; nobody may be able to."""
        self.end()
        heard = [p for p in self._chains if self._is_heard(p, sequence)]
        start, params = sequence.start, self._params
        thighs = self._thighs()
        if any(p in heard for p in thighs):  # another that is silent now tells its limb's when it is back
            self._stages = {p: LimbContacts(p.side, start, params.limb) for p in thighs}
        axis = self._alignment.get(Placement.PELVIS)
        if not self._stages and axis is not None and Placement.PELVIS in heard:
            stage = PelvisContacts(start, params.pelvis, sided=axis.flexion_known)
            self._stages = {Placement.PELVIS: stage}
        if not self._stages:
            self._stages = {
                p: AccLimbContacts(p.side, start, params.pocket)
                for p in heard
                if p in POCKETS and not self._chains[p].has_gyroscope
            }

    def join(self, placement: Placement, start: int) -> None:
        """A thigh that was aligned during the sequence: its contacts count from grid index start."""
        if not self.from_pelvis:  # there, what the pelvis has told stands: the thigh takes over
            self._limbs.pop(placement, None)
            self._stages[placement] = LimbContacts(placement.side, start, self._params.limb)

    def stood_in(self, upto: int) -> bool:
        """Whether the pelvis has told the contacts in place of a thigh that has been heard again for BACK."""
        if not self.from_pelvis:
            return False
        rows = [self._chains[p].raw.samples(upto - BACK, upto) for p in self._thighs()]
        return any(bool(np.isfinite(x[:, 3]).all()) for x in rows)

    def take_over(self, upto: int) -> None:
        """The thighs tell the contacts again, from where they were heard."""
        self.end()
        self._stages = {p: LimbContacts(p.side, upto - BACK, self._params.limb) for p in self._thighs()}

    def blind(self, side: Side | None, start_s: float, end_s: float) -> bool:
        """Whether samples of the sensor that tells this side are missing between two moments."""
        a, b = math.floor(100 * start_s), math.ceil(100 * end_s) + 1
        for p, stage in self._stages.items():  # the pelvis tells both
            if (isinstance(stage, PelvisContacts) or stage.side is side) and self._chains[p].raw.skipped(
                a, b
            ):
                return True
        return False

    def end(self) -> None:
        self._stages, self._limbs = {}, {}

    def advance(self, sequence: GaitSequence, upto: int) -> list[Contact]:
        """Contacts that the samples before grid index ``upto`` complete, in order of time."""
        out: list[Contact] = []
        for placement, stage in self._stages.items():
            final, period_s = sequence.closed, sequence.period_s
            match stage:
                case LimbContacts():
                    out += stage.advance(self._limb(placement, stage, upto), upto, period_s, final=final)
                case PelvisContacts():
                    rows = self._chains[placement].raw.view(stage.needs_from(), upto)
                    rotation = self._alignment[placement].rotation
                    signals = pelvis_signals(stage.needs_from(), rows, rotation)
                    out += stage.advance(signals, upto, period_s, final=final)
                case AccLimbContacts():
                    rows = self._chains[placement].smooth.view(stage.needs_from(), upto)
                    seen = AccSignals(stage.needs_from(), rows[:, :3])
                    out += stage.advance(seen, upto, period_s, final=final)
        if len(out) > 1:
            out.sort(key=lambda c: c.t_s)
        return [c for c in out if self._is_new(c)]

    def _is_new(self, contact: Contact) -> bool:
        """False for what the sequence before has told already: two may meet within one step."""
        key = contact.kind, contact.side
        if contact.t_s < self._told.get(key, -math.inf) + SHORTEST_STEP_S:
            return False
        self._told[key] = contact.t_s
        return True

    def complete_until(self, upto: int) -> int:
        """No contact before this grid index will be added by later calls."""
        return min([stage.complete_until(upto) for stage in self._stages.values()], default=upto)

    def needs_from(self, default: int) -> int:
        """Oldest grid index that a later call may look at."""
        return min((stage.needs_from() for stage in self._stages.values()), default=default)

    def _limb(self, placement: Placement, stage: LimbContacts, upto: int) -> LimbSignals:
        track = self._limbs.get(placement)
        if track is None:
            rotation = self._alignment[placement].rotation
            track = self._limbs[placement] = _LimbTrack(self._chains[placement], rotation)
        return track.signals(stage.needs_from(), upto)

    def _thighs(self) -> list[Placement]:
        return [
            p for p, c in self._chains.items() if p in THIGHS and self._knows_flexion(p) and c.has_gyroscope
        ]

    def _knows_flexion(self, placement: Placement) -> bool:
        alignment = self._alignment.get(placement)
        return alignment is not None and alignment.flexion_known

    def _is_heard(self, placement: Placement, sequence: GaitSequence) -> bool:
        acc = self._chains[placement].smooth.view(sequence.start, sequence.end)[:, 0]
        return bool(np.isfinite(acc).any())
