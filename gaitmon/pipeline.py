"""The one path from samples to walking bouts, for live streams and for recordings alike.

    blocks -> SensorChain per sensor     one 100 Hz grid, orientation, smoothed signals
           -> every 0.5 s, on a fixed grid:
              does it look like walking? -> gait sequence
              how do the sensors sit?    -> alignment, once there was enough walking
              contacts of each limb      -> strides, with their angles
              pause of 3 s               -> walking bout: verdicts, turns, symmetry

Batch is: push everything, then flush.  Decisions fall on the grid and see only what lies before it,
so they do not depend on how the stream was cut into blocks.  Nothing here asks what time it is.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from gaitmon.gait.bouts import MAX_PAUSE_S, MIN_STRIDES, judge, stratum
from gaitmon.gait.detector import WalkingDetector
from gaitmon.gait.posture import PostureParams
from gaitmon.gait.sequences import (
    TICK,
    WINDOW,
    GaitSequence,
    SequenceParams,
    SequenceTracker,
    Verdict,
)
from gaitmon.gait.sides import SideWitnesses
from gaitmon.gait.strides import StrideAssembler
from gaitmon.imu.aligner import ENOUGH_WALK, MIN_WALK, MOVED_DEG, SETTLED_WALK, Aligner, moved_deg
from gaitmon.imu.chain import SensorChain
from gaitmon.imu.resample import GRID_HZ
from gaitmon.model import (
    FROM_PELVIS,
    Alignment,
    Contact,
    ContactKind,
    Gap,
    ImuBlock,
    Notice,
    NoticeKind,
    Placement,
    Result,
    Stride,
    SyncBound,
    WalkingBout,
)
from gaitmon.model_leg import SpatialParams
from gaitmon.pipeline_contacts import THIGHS, ContactStages, StageParams
from gaitmon.pipeline_live import LiveView
from gaitmon.pipeline_posture import PostureWatch
from gaitmon.pipeline_strides import StrideMeter, witnesses

LANDING = 100  # grid samples after the last movement of a walk in which its last step may still land
STRIDE_FINAL_S = 2.0  # a stride is out at most this long after its closing contact


@dataclass(frozen=True, slots=True)
class PipelineParams:
    sequences: SequenceParams = field(default_factory=SequenceParams)
    contacts: StageParams = field(default_factory=StageParams)
    spatial: SpatialParams = field(default_factory=SpatialParams)
    posture: PostureParams = field(default_factory=PostureParams)

    def fingerprint(self) -> str:
        """Changes when any parameter does; part of every result's ``produced_by``, beside the code."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


class GaitPipeline:
    """Stateful.  push and flush return results in the order in which they became final."""

    def __init__(self, placements: Iterable[Placement], params: PipelineParams | None = None) -> None:
        """placements: every sensor that will deliver; the pipeline waits for each, so that left and
        right are looked at together.  A sensor that has stopped must be declared by a Gap."""
        self.params = params or PipelineParams()
        self._chains = {p: SensorChain(p) for p in sorted(set(placements)) if not p.is_reference}
        self._tick: int | None = None
        self._forgotten = 0
        self._detector = WalkingDetector(self.params.sequences)
        self._tracker = SequenceTracker()
        self._aligner = Aligner()
        self._alignment: dict[Placement, Alignment] = {}
        self._aligned_over = 0  # grid samples of walking that the alignment rests on
        self._stages = ContactStages(self._chains, self._alignment, self.params.contacts)
        self._sequence_start: int | None = None
        self._assembler = StrideAssembler()
        self._meter = StrideMeter(self._chains, self._alignment, self.params.spatial)
        self._bout: list[Stride] = []
        self._bout_end_s = -math.inf  # of the open bout so far
        self._bouts = 0
        self._closed_until = -(10**12)  # grid index after the last bout
        self._from_pelvis = False  # whether any stride of the open bout is
        self._sides = SideWitnesses()
        self._swingless: set[Placement] = set()
        self._posture = PostureWatch(self._chains, self.params.posture)

    def push(self, item: ImuBlock | Gap | SyncBound) -> list[Result]:
        """Take samples of one sensor, or the news that it has none, or how well the thighs' clocks agree;
        give what became final."""
        if isinstance(item, SyncBound):
            return self._meter.synchronised(item)
        chain = self._chains.get(item.placement)
        if chain is None:
            return []
        if isinstance(item, Gap):
            chain.gap(item)
        elif not chain.push(item):
            return []
        return self._advance()

    def live(self) -> LiveView:
        """A view of what is going on now.  Results are the same with and without it."""
        return LiveView(self._chains, self._alignment)

    def flush(self) -> list[Result]:
        """The recording ends: everything held back becomes final."""
        for chain in self._chains.values():
            chain.close_run()
        begun = [c.raw for c in self._chains.values() if c.begun]
        start, end = min((t.first for t in begun), default=0), max((t.end for t in begun), default=0)
        lost = []
        for p, chain in self._chains.items():
            since = start if chain.last_sample is None else chain.last_sample
            if end - since > GRID_HZ:
                text = f"{p}: no samples from {since / 100:.1f} s to the end."
                lost.append(Notice(NoticeKind.GAP, text, p, since / 100.0, end / 100.0))
        for chain in self._chains.values():
            if not chain.begun:
                chain.gap(Gap(chain.placement, start / 100.0, end / 100.0, "no samples"))
            chain.skip_to(end + TICK)
        out = self._advance()
        now = end + TICK
        if (sequence := self._tracker.close()) is not None:
            out += self._walk(sequence, now)
        out += self._posture.finish(end, sequence)
        out += self._close_bout(math.inf)
        return out + lost + self._last_words()

    # ---- time -------------------------------------------------------------------------------

    def _advance(self) -> list[Result]:
        """Every tick of the grid that all sensors have reached."""
        chains = self._chains.values()
        out: list[Result] = []
        if self._tick is None:
            if not all(c.begun for c in chains) or not self._chains:
                return []
            self._tick = min(c.raw.first for c in chains) // TICK
        last = min([c.frontier for c in chains]) // TICK
        first = self._tick + 1
        if last < first:
            return []
        verdicts = self._looks_like_walking(first, last)
        for tick, verdict in zip(range(first, last + 1), verdicts, strict=True):
            out += self._on_tick(tick, verdict)
        self._tick = last
        if last >= self._forgotten + 20:
            self._forget(last * TICK)
            self._forgotten = last
        return out

    def _on_tick(self, tick: int, v: Verdict) -> list[Result]:
        now = tick * TICK
        out: list[Result] = []
        closed = self._tracker.push(tick, v.walking, v.period_s, v.lead, v.rest, heard=v.heard)
        sequence = closed or self._tracker.current
        if sequence is None:
            if self._aligner.no_walking(now):
                self._see_rests()
        else:
            self._see_rests()
            out += self._walk(sequence, now)
        held_back = (
            sequence is not None and self._sequence_start != sequence.start
        )  # it may belong to the bout
        if self._bout and not held_back and now / 100.0 > self._bout_end_s + MAX_PAUSE_S + STRIDE_FINAL_S:
            out += self._close_bout(now / 100.0)
        out += self._posture.on_tick(tick, closed, self._tracker.current)
        for chain in self._chains.values():
            if chain.holes:
                out += _holes(chain, now)
        return out

    def _see_rests(self) -> None:
        if self._aligner.see(self._chains, self._alignment):
            self._aligned_over = 0  # look again in the next walk, before anything of it is given out

    def _forget(self, now: int) -> None:
        current = self._tracker.current
        keep = now - WINDOW - 200
        if current is not None and self._sequence_start is None:
            keep = min(keep, current.start - 200)
        keep = min(keep, self._stages.needs_from(keep))
        self._meter.settle()
        for chain in self._chains.values():
            chain.raw.forget_before(min(keep, now - SETTLED_WALK - 600))
            chain.smooth.forget_before(keep)
        self._meter.forget_before(min((s.start_s for s in self._bout[:8]), default=keep / 100.0))

    # ---- walking ----------------------------------------------------------------------------

    def _looks_like_walking(self, first: int, last: int) -> list[Verdict]:
        """The verdict of each tick from first to last."""
        a, b = first * TICK - WINDOW, last * TICK
        chains = self._chains
        return self._detector.push(
            {p: bool(chain.has_gyroscope) for p, chain in chains.items()},
            lambda p: chains[p].raw.samples(a, b),
            lambda p: chains[p].smooth.view(a, b),
            last - first + 1,
        )

    def _walk(self, sequence: GaitSequence, now: int) -> Iterator[Result]:
        """What the samples before ``now`` add to an open or just closed gait sequence."""
        if self._sequence_start != sequence.start:
            length = sequence.end - sequence.start
            if self._aligned_over < SETTLED_WALK and length < ENOUGH_WALK and not sequence.closed:
                return  # hold this walk back until it has shown how the sensors sit
            if self._aligned_over < SETTLED_WALK and length >= MIN_WALK and length >= self._aligned_over:
                yield from self._align(sequence)
            self._sequence_start = sequence.start
            self._assembler.new_sequence()
            self._stages.begin(sequence)
        upto = min(now, sequence.end + LANDING)
        if upto % (4 * TICK) == 0:
            yield from self._join(upto)
        if self._stages.stood_in(upto):
            yield from self._strides(math.inf)
            self._assembler.new_sequence()
            self._stages.take_over(upto)
        for contact in self._stages.advance(sequence, upto):
            self._assemble(contact, sequence.period_s)
            yield contact
        yield from self._strides(math.inf if sequence.closed else self._stages.complete_until(upto) / 100.0)
        if sequence.closed:
            self._sequence_start = None
            self._stages.end()
            length = sequence.end - sequence.start
            if length >= ENOUGH_WALK and self._aligner.moved_in_walk(
                sequence.start, sequence.end, self._chains
            ):
                self._aligned_over = 0
            if self._aligned_over < SETTLED_WALK <= length:
                yield from self._align(sequence, effective=sequence.end)

    def _assemble(self, contact: Contact, period_s: float) -> None:
        since_s = self._assembler.opened_s(contact.side) if contact.kind is ContactKind.IC else None
        blind = since_s is not None and self._stages.blind(contact.side, since_s, contact.t_s)
        self._assembler.push(contact, blind=blind, period_s=period_s, both_feet=self._stages.from_pelvis)

    def _strides(self, complete_s: float) -> Iterator[Result]:
        """The strides that end before complete_s, up to which all contacts are known."""
        for times in self._assembler.ready(complete_s):
            if self._bout and times.start_s > self._bout_end_s + MAX_PAUSE_S:
                yield from self._close_bout(times.start_s)
            blind = self._stages.blind(times.side, times.start_s, times.end_s)
            stride = self._meter.measure(times, comparable=self._stages.comparable, blind=blind)
            self._from_pelvis |= self._stages.from_pelvis
            self._bout.append(stride)
            self._bout_end_s = max(self._bout_end_s, stride.end_s)
            yield stride

    def _join(self, upto: int) -> Iterator[Result]:
        """A thigh that came late, or whose forward was not clear, once 8 s of walking in the last 20 s have
        shown how it sits: its contacts count from there, but in no bout that has closed."""
        if self._sequence_start is None:
            return
        start = max(self._sequence_start, upto - SETTLED_WALK)
        for p in (p for p in self._chains if p in THIGHS):
            known = self._alignment.get(p)
            if known is not None and known.flexion_known:
                continue
            if np.isfinite(self._chains[p].raw.samples(start, upto)[:, 3]).sum() < ENOUGH_WALK:
                continue
            effective = max(start, self._closed_until)
            for alignment in self._aligner.align(start, upto, self._chains, effective):
                if alignment.placement is p and alignment.flexion_known:
                    self._alignment[p] = alignment
                    yield alignment
                    self._stages.join(p, effective)

    def _align(self, sequence: GaitSequence, effective: int | None = None) -> Iterator[Result]:
        """Alignment from this walk; effective from its start, or from where walking has ended."""
        self._aligned_over = sequence.end - sequence.start
        start = max(sequence.start, sequence.end - SETTLED_WALK)
        effective = sequence.start if effective is None else effective
        for alignment in self._aligner.align(start, sequence.end, self._chains, effective):
            before = self._alignment.get(alignment.placement)
            self._alignment[alignment.placement] = alignment
            yield alignment
            if before is not None and (moved := moved_deg(before, alignment)) > MOVED_DEG:
                text = f"{alignment.placement}: the sensor has turned by {moved:.0f} degrees; aligned anew."
                yield Notice(NoticeKind.ALIGNMENT, text, alignment.placement, alignment.effective_s)
            if self._aligned_over >= SETTLED_WALK:
                yield from self._does_not_swing(alignment)

    def _does_not_swing(self, alignment: Alignment) -> Iterator[Result]:
        """Said once of a thigh of which 20 s of walking have not shown where forward is."""
        p = alignment.placement
        if p not in THIGHS or not self._chains[p].has_gyroscope or alignment.flexion_known:
            self._swingless.discard(p)
        elif p not in self._swingless:
            self._swingless.add(p)
            text = f"{p}: does not swing as a thigh does; it gives no strides. Check where the sensor sits."
            yield Notice(NoticeKind.SIDES, text, p, alignment.effective_s)

    # ---- bouts ------------------------------------------------------------------------------

    def _close_bout(self, now_s: float) -> Iterator[Result]:
        strides, end_s = self._bout, self._bout_end_s
        self._bout, self._bout_end_s = [], -math.inf
        walked = self._meter.walked()
        from_pelvis, self._from_pelvis = self._from_pelvis, False
        since = self._closed_until
        if len(strides) < MIN_STRIDES:
            return
        start_s = min(s.start_s for s in strides)
        self._closed_until = math.ceil(100 * end_s)
        heading = self._meter.heading(start_s, end_s, now_s)
        verdicts, turns = judge(strides, heading)
        kind = stratum(strides, start_s, end_s)
        counted = [w for w, v in zip(walked, verdicts, strict=True) if v.accepted]
        if kind.startswith("excluded"):
            counted = []
        self._bouts += 1
        self._see_rests()
        stood = self._aligner.stood(since, math.floor(100 * start_s), self._alignment)
        metrics, curves = self._meter.summed_up(counted, kind, stood)
        yield WalkingBout(
            self._bouts, start_s, end_s, kind, verdicts, turns,
            metrics, self._quality(from_pelvis=from_pelvis), curves,
        )  # fmt: skip
        for seen, v in zip(witnesses([w.curves for w in walked]), verdicts, strict=True):
            if seen is not None:
                self._sides.add(*seen, straight=v.accepted and bool(counted))
        if (notice := self._sides.verdict()) is not None:
            yield notice

    def _quality(self, *, from_pelvis: bool) -> tuple[str, ...]:
        out = [
            f"no {p}"
            for p in (Placement.PELVIS, Placement.LEFT_THIGH, Placement.RIGHT_THIGH)
            if p not in self._chains
        ]
        if any(a.quality.get("standing") == 0.0 for a in self._alignment.values()):
            out.append("no standing seen: angles are relative to mean walking posture")
        if from_pelvis:
            out.append(FROM_PELVIS)
        return tuple(out)

    # ---- what a reader must know ------------------------------------------------------------

    def _last_words(self) -> list[Result]:
        out: list[Result] = [n for chain in self._chains.values() for n in _holes(chain, math.inf)]
        for p, chain in self._chains.items():
            bad, late = chain.resampler.dropped_bad, chain.resampler.dropped_late
            if bad:
                out.append(
                    Notice(NoticeKind.BAD_SAMPLES, f"{p}: {bad} samples without a number were left out.", p)
                )
            if late:
                text = f"{p}: {late} samples came late or twice and were left out."
                out.append(Notice(NoticeKind.BAD_SAMPLES, text, p))
        if self._bouts == 0:
            text = "No walking bout was found: it takes at least 4 strides within 4 s or more of walking."
            out.append(Notice(NoticeKind.NO_WALKING, text))
        return out


def _holes(chain: SensorChain, now: float) -> Iterator[Notice]:
    """Holes that ended before now, each told once: at a tick, so that it is always the same one."""
    while chain.holes and chain.holes[0][1] <= now:
        a, b = chain.holes.pop(0)
        text = f"{chain.placement}: no samples for {(b - a) / 100:.1f} s; nothing was filled in."
        yield Notice(NoticeKind.GAP, text, chain.placement, a / 100.0, b / 100.0)


def run(
    items: Iterable[ImuBlock | Gap | SyncBound],
    placements: Iterable[Placement],
    params: PipelineParams | None = None,
) -> list[Result]:
    """Batch is streaming to the end."""
    pipeline = GaitPipeline(placements, params)
    results = [r for item in items for r in pipeline.push(item)]
    return results + pipeline.flush()
